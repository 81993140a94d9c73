#!/usr/bin/env python3
"""The plugin kit on the plugin that drives runc: makes an image of Debian's static busybox, and tries it.

    test-runc.py GANTRY PLUGIN WORKLOAD.SH"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SETTINGS = """[backend runc]
images = gantry-kit:1={folder}/image, gantry-broken:1={folder}/broken

[kit]
workload      = yes
missing_image = gantry-nobody:1
broken_image  = gantry-broken:1
away          = runc=/nonexistent/runc
slow          = yes
"""


def make_image(folder, busybox, workload):
    binaries = folder / "image/bin"
    binaries.mkdir(parents=True)
    for name in ("proc", "dev", "tmp", "etc"):
        (folder / "image" / name).mkdir()
    shutil.copy2(busybox, binaries / "busybox")
    names = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    for name in names:
        if name != "busybox":
            (binaries / name).symlink_to("busybox")
    shutil.copy(workload, folder / "image/entrypoint")
    (folder / "image/entrypoint").chmod(0o755)
    (folder / "broken/etc").mkdir(parents=True)  # it has no program to start


def main():
    gantry, plugin, workload = sys.argv[1:]
    busybox = shutil.which("busybox")
    if os.geteuid() != 0 or not shutil.which("runc") or not busybox:
        print("skipped: it needs root, runc and busybox-static")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="gantry-runc-") as name:
        folder = pathlib.Path(name)
        make_image(folder, busybox, workload)
        (folder / "runc.ini").write_text(SETTINGS.format(folder=folder))
        # The cache of each thread's freed memory counts as memory in use, which is noise where rounds are few.
        environment = dict(os.environ, GLIBC_TUNABLES="glibc.malloc.tcache_count=0")
        process = subprocess.run([gantry, "plugin", "test", plugin, "--config", str(folder / "runc.ini"), "--jobs", "4"],
                                 env=environment)
    sys.exit(process.returncode)


main()
