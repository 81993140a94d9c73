"""Images made offline: a static busybox, links for its applets, and a command."""

import io
import json
import os
import subprocess
import tarfile

# Writes a line a second and ends at once on TERM: a shell only sees the signal between two commands, so it
# waits for the sleep instead of running it.
WRITER = ("trap 'exit 0' TERM; i=0; while :; do echo line $i; i=$((i+1)); "
          "sleep 1 & wait $!; done")

COMMANDS = {
    "test/busy": ["/bin/sh", "-c", WRITER],
    "test/chatty": ["/bin/sh", "-c", WRITER.replace("sleep 1", "sleep 0.2")],
    "test/quick": ["/bin/sh", "-c", "echo done; exit 0"],
    "test/crash": ["/bin/sh", "-c", "echo about to fail; exit 5"],
    # Ignores TERM, as its children then do: stopping it takes the whole grace.
    "test/deaf": ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1000; done"],
    # Many files in the writable layer: its removal takes long enough to be interrupted.
    "test/heavy": ["/bin/sh", "-c", "mkdir /m; i=0; while [ $i -lt 20000 ]; do : >/m/$i; i=$((i+1)); done; " + WRITER],
}


def busybox():
    for path in ("/bin/busybox", "/usr/bin/busybox"):
        if os.path.exists(path):
            return path
    raise FileNotFoundError("no static busybox: install Debian's busybox-static")


def tree(extra_bytes=0):
    """A tar of the root file system.  extra_bytes: of random data, so that the layer is like no other."""
    path = busybox()
    applets = subprocess.run([path, "--list"], check=True, capture_output=True, text=True).stdout.split()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(path, arcname="bin/busybox")
        for name in applets:
            if name == "busybox":
                continue
            link = tarfile.TarInfo("bin/" + name)
            link.type, link.linkname, link.mode = tarfile.SYMTYPE, "busybox", 0o777
            tar.addfile(link)
        for folder in ("tmp", "proc", "sys", "dev", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        if extra_bytes:
            entry = tarfile.TarInfo("extra")
            entry.size = extra_bytes
            tar.addfile(entry, io.BytesIO(os.urandom(extra_bytes)))
    return out.getvalue()


def changes_for(command, user=None):
    return ["CMD " + json.dumps(command), *([f"USER {user}"] if user else [])]
