"""An installation in a folder of its own, and commands that see it and not the source tree."""
import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HIDE = 'for f in $HIDDEN; do mount -t tmpfs -o size=4k none "$f" || exit 125; done; exec "$@"'


class Installed:
    """cmake, build: what installs.  The prefix is moved after installing, as a package's files are."""

    def __init__(self, cmake, build):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-installed-"))
        first, self.prefix = self.folder / "first", self.folder / "prefix"
        subprocess.run([cmake, "--install", build, "--prefix", first], check=True, stdout=subprocess.DEVNULL, timeout=100)
        first.rename(self.prefix)
        self.bin = self.prefix / "bin"
        self.library = next(self.prefix.rglob("libgantry.so")).parent
        self.hidden = [str(path) for path in (ROOT, pathlib.Path(build).resolve())
                       if ROOT == path or ROOT not in path.parents]
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder),
                            "PKG_CONFIG_PATH": str(self.library / "pkgconfig"), "HIDDEN": " ".join(self.hidden)}
        self.hider = self.find_hider()

    def find_hider(self):
        """How the source tree is covered; without the right to, clean variables and another folder must do."""
        for unshare in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
            command = [*unshare, "sh", "-c", HIDE, "sh"]
            done = subprocess.run([*command, "ls", ROOT], env=self.environment, cwd=self.folder, text=True,
                                  capture_output=True, timeout=100)
            if done.returncode == 0 and done.stdout == "":
                return command
        print("the source tree cannot be covered here: unshare(1) is not allowed")
        return []

    def command(self, words):
        return [*self.hider, *(str(word) for word in words)]

    def run(self, *words, status=0, cwd=None, **environment):
        done = subprocess.run(self.command(words), env=self.environment | environment, cwd=cwd or self.folder, text=True,
                              capture_output=True, timeout=280)
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if status == 0 else done.stderr

    def remove(self):
        shutil.rmtree(self.folder)
