"""One column of the table: a backend with its plugin, as the cases of this folder see it.

A file of backends/ has one class or more that derive from Backend; each is a column.  A method that says "or
Absent" may raise Absent(reason) where the backend has no such thing: the case is then opted out, and the reason
stands below the matrix.  The same does `opt_out` for a whole case.  Nothing else may keep a case from running.

Cases run side by side, so methods without "alone" in their words are called from several threads at once, and
for workloads of several managers at once; those that say [alone] strike everybody, and are only called while one
case runs.
"""

import importlib
import pathlib
import re

from scripts import SCRIPTS


class Absent(Exception):
    """This backend has no such thing; the reason, in a few words."""


class Missing(Exception):
    """A part is not installed on this machine: the column is skipped; what is missing and how it is installed."""


class Backend:
    name = ""  # of the column, and NAME of [backend NAME]
    plugin = ""  # which plugin it is
    opt_out = {}  # {name of a case: reason}
    scripts = SCRIPTS  # what its images run
    is_slow = True  # a start takes tenths of a second: the plugin kit repeats less
    replaces_in_place = False  # start(existing, spec) emits existing's handle

    # ----- its own engine

    def start(self):
        """Start an engine of its own on sockets of its own; after it, the images of `scripts` and "nothing" are
        there.  Raises Missing.  stop() is called whatever start() did."""
        raise NotImplementedError

    def stop(self):
        """End everything that start() began, and leave no file, mount or process."""
        raise NotImplementedError

    def settings(self):
        """The keys of [backend NAME] by which the plugin reaches the engine, through the fault front where there is
        one: {key: text, yes-or-no as bool, or list of texts}; a map is a list of KEY=VALUE."""
        raise NotImplementedError

    def connector_settings(self):
        """Workload keys that every workload of the cases gets (network_mode = none ...), likewise."""
        return {}

    def clean(self):
        """[alone] End all faults, and remove all workloads, foreign ones too."""
        raise NotImplementedError

    def asked(self):
        """The last requests that the plugin made, for the evidence of a failure; may be empty."""
        return []

    def last_words(self):
        """What an engine that has ended by itself said before, or nothing: likewise.  clean() starts it again."""
        return ""

    # ----- images and the registry

    def image(self, name):
        """The reference of the image that runs scripts[name], or of "nothing"."""
        raise NotImplementedError

    def registry(self):
        """lib.registry.Registry with the user jo and a password, or Absent where there are no images."""
        raise Absent("it has no images, and so no registry")

    def push(self, name, script="busy", extra_bytes=0):
        """Put an image that runs scripts[script] into registry() as test/NAME:1, and forget it on the engine; its
        reference.  extra_bytes: of random data in a layer."""
        raise Absent("it has no images, and so no registry")

    def login(self, password=None):
        """The credentials that a spec carries for registry(); None: the right ones."""
        registry = self.registry()
        return {"host": registry.host, "username": registry.user, "password": password or registry.password}

    def registry_section(self, password):
        """The settings by which gantryd has them; password: as a setting, so file:PATH too."""
        registry = self.registry()
        return {f"registry {registry.host}": {"username": registry.user, "password": password}}

    # ----- what the plugin kit asks for: see tests/real/kit

    def away(self):
        """Settings to lay over settings(), {key: text}, by which the engine is out of reach; or Absent."""
        raise Absent("there is no engine that could be out of reach")

    def broken_image(self):
        """The reference of an image that is there, and that the engine refuses to start."""
        return self.image("nothing")

    def refused(self):
        """Likewise: something in between answers, and refuses whoever asks; or Absent."""
        raise Absent("there is nobody that could refuse")

    # ----- the truth: asked of the engine itself, and not through the plugin

    def workloads(self, labels=None):
        """All of them, with foreign ones; labels: only those that bear all of these.  [{"handle": as the plugin names
        it, "name", "labels": {}, "running": bool, "pid": of its main process on this host, or None}].  The pid is
        another after each start.  Asked very often: let it be cheap."""
        raise NotImplementedError

    def environment(self, handle):
        """The environment of its running main process, {name: bytes}."""
        found = next(w for w in self.workloads() if w["handle"] == handle)
        return environment_of(found["pid"])

    def kill(self, handle):
        """SIGKILL to its main process, behind everybody's back."""
        raise NotImplementedError

    def remove(self, handle):
        """Remove it behind everybody's back, running or not; no error when it is not there."""
        raise NotImplementedError

    def pause(self, handle):
        """Freeze it, as the engine's own command does, or Absent."""
        raise Absent("it cannot pause a workload")

    def outside(self, name, labels=None, script="busy", tty=False, start=True, environment=None):
        """A workload that somebody else makes with the engine's own means; its handle.  tty: its output goes to a
        terminal, or Absent.  start: False leaves it created and never started, or Absent."""
        raise NotImplementedError

    # ----- faults between plugin and engine: they last until clean() or the opposite

    def answer(self, status, body, of="any"):
        """[alone] The engine answers with this HTTP status and body (bytes) to every request of a kind: "any", "list",
        "inspect", "create", "start" (of a workload that exists), "pull"; the truth below is still told.  Or Absent."""
        raise Absent("there is no engine that could answer")

    def honest(self):
        """[alone] answer() and slow() are over."""

    def pretend(self, handle, state):
        """[alone] The engine says of this workload that it is "starting" (its health is not known yet), "stopping",
        "dead" or "removing", though it is not; or Absent where it has no such state."""
        raise Absent(f"it has no state '{state}'")

    def down(self):
        """[alone] The engine is out of reach, workloads run on; or Absent."""
        raise Absent("there is no engine that could go down")

    def up(self):
        """[alone] It is back."""

    def slow(self, seconds):
        """[alone] Every answer comes this much later; or Absent."""
        raise Absent("there is no engine that could be slow")

    def cut_streams(self):
        """[alone] Every connection that is open breaks, event streams above all; or Absent."""
        raise Absent("it has no stream that could break")


def environment_of(pid):
    """As the process was given it; a name that is there twice is an error."""
    with open(f"/proc/{pid}/environ", "rb") as file:
        raw = file.read()
    found = {}
    for item in filter(None, raw.split(b"\0")):
        name, _, value = item.partition(b"=")
        assert name.decode() not in found, f"variable {name!r} twice"
        found[name.decode()] = value
    return found


def columns(names):
    """The classes of these columns, or of files of backends/; without names, all."""
    found = []
    for path in sorted(pathlib.Path(__file__).parent.glob("backends/[a-z]*.py")):
        for column in columns_of(importlib.import_module("backends." + path.stem)):
            if not names or path.stem in names or column.name in names:
                found.append(column)
    return found


def columns_of(module):
    """The classes of a file of backends/ that are columns, in the order of the file."""
    return [item for item in vars(module).values()
            if isinstance(item, type) and issubclass(item, Backend) and item.__module__ == module.__name__ and item.name]


def plain(reason):
    """A reason in one line."""
    return re.sub(r"\s+", " ", str(reason)).strip()
