"""What happens on the machine, seen from outside and all the time, by three pairs of eyes:

    Processes   /proc, many times a second: which containers' first processes live, also while dockerd is dead
    Containers  the engine's list, a few times a second while it answers
    Deeds       what gantryd asks of the engine: a front on the engine's socket notes each changing request
"""

import http.client
import os
import re
import threading
import time

from lib.engine import ApiError
from lib.tcpfront import Front

HOST_NAMESPACE = os.readlink("/proc/self/ns/pid")
CHANGING = re.compile(r"^(?:/v[\d.]+)?/containers/([^/?]+)(?:/(start|stop|restart|kill|pause|unpause|update|rename))?(?:\?|$)")


class Run:
    """One life of a container: from the start of its first process to its end."""

    def __init__(self, pid, born, short, key, hash_):
        self.pid, self.born, self.short, self.key, self.hash = pid, born, short, key, hash_
        self.begun, self.ended = time.monotonic(), None

    def lives_at(self, when):
        return self.begun <= when and (self.ended is None or self.ended >= when)

    def __repr__(self):
        now = time.monotonic()
        end = "lives" if self.ended is None else f"ended -{now - self.ended:.1f}s"
        return f"{self.short} pid {self.pid} {self.key} {self.hash} since -{now - self.begun:.1f}s {end}"


def stat_of(pid):
    """(state, start time), or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return fields[0].decode(), fields[19].decode()
    except (OSError, IndexError):
        return None


def is_alive(run):
    stat = stat_of(run.pid)
    return stat is not None and stat[1] == run.born and stat[0] not in "ZX"


def first_of_container(pid):
    """Its environment as text pairs when pid is the first process of a container; None: it is not (yet)."""
    with open(f"/proc/{pid}/status", "rb") as file:
        spaces = re.search(rb"^NSpid:(.*)$", file.read(), re.M)
    if not spaces or spaces.group(1).split()[-1] != b"1":
        return None
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        words = file.read().split(b"\0")
    if words[0].endswith(b"runc") or b"init" in words[1:2]:
        return {}  # the image's command is not there yet
    with open(f"/proc/{pid}/environ", "rb") as file:
        pairs = (item.partition(b"=") for item in file.read().split(b"\0") if item)
        return {name.decode(errors="replace"): value.decode(errors="replace") for name, _, value in pairs}


class Processes(threading.Thread):
    """urls: {platform's URL as connectors get it: platform's name}."""

    def __init__(self, urls, on_double, pause=0.05):
        super().__init__(name="processes", daemon=True)
        self.urls, self.on_double, self.pause = urls, on_double, pause
        self.known = {}  # pid -> Run, or None: nothing of ours
        self.lock = threading.Lock()
        self.runs = {}  # short id -> its runs, the newest last
        self.scans = self.failed = 0
        self.told = set()
        self.open = True

    def run(self):
        while self.open:
            try:
                self.scan()
                self.scans += 1
            except OSError:
                self.failed += 1
            time.sleep(self.pause)

    def scan(self):
        now = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        for pid in [p for p in self.known if p not in now]:
            self.end(self.known.pop(pid))
        for pid in now - self.known.keys():
            self.look(pid)
        for pid, run in list(self.known.items()):
            if run is not None and not is_alive(run):
                self.end(self.known.pop(pid))
        self.find_doubles()

    def look(self, pid):
        try:
            if os.readlink(f"/proc/{pid}/ns/pid") == HOST_NAMESPACE:
                self.known[pid] = None
                return
            environment = first_of_container(pid)
        except OSError:
            return
        if environment is None:
            self.known[pid] = None
        if not environment or "HOSTNAME" not in environment:
            return  # look again
        stat = stat_of(pid)
        if stat is None or stat[0] in "ZX":
            return
        platform = self.urls.get(environment.get("OPENCTI_URL"))
        key = (platform, environment.get("CONNECTOR_ID")) if platform else None
        run = Run(pid, stat[1], environment["HOSTNAME"], key, environment.get("OPENCTI_CONFIG_HASH"))
        self.known[pid] = run
        with self.lock:
            self.runs.setdefault(run.short, []).append(run)

    @staticmethod
    def end(run):
        if run is not None and run.ended is None:
            run.ended = time.monotonic()

    def find_doubles(self):
        living = {}
        for run in self.known.values():
            if run is not None and run.key and run.ended is None:
                living.setdefault(run.key, []).append(run)
        for key, runs in living.items():
            if len(runs) < 2:
                continue
            pair = sorted(runs, key=lambda r: r.begun)[:2]
            # Each lives now, after all of them were seen: so they lived at the same time.
            if all(is_alive(run) for run in pair) and (pair[0].pid, pair[1].pid) not in self.told:
                self.told.add((pair[0].pid, pair[1].pid))
                self.on_double(key, pair)

    def of(self, container_id):
        with self.lock:
            return list(self.runs.get(container_id[:12], []))

    def living(self, container_id, when=None):
        when = when or time.monotonic()
        return next((r for r in reversed(self.of(container_id)) if r.lives_at(when)), None)

    def of_key(self, key):
        with self.lock:
            return [run for runs in self.runs.values() for run in runs if run.key == key]


class Seen:
    """One container as the engine lists it."""

    def __init__(self, item, before):
        """before: when the engine's list was last asked for without it."""
        self.id = item["Id"]
        labels = item.get("Labels") or {}
        self.manager = labels.get("opencti-manager")
        self.connector, self.platform = labels.get("opencti-connector-id"), labels.get("gantry.platform")
        self.key = (self.platform, self.connector) if self.platform and self.connector else None
        self.hash = labels.get("gantry.hash")
        self.image = item.get("Image")
        self.first, self.before = time.monotonic(), before
        self.gone = None
        self.states = []
        self.update(item)

    def update(self, item):
        self.name = (item.get("Names") or ["/?"])[0].lstrip("/")
        self.names = [name.lstrip("/") for name in item.get("Names") or []]
        state = item.get("State")
        if not self.states or self.states[-1][1] != state:
            self.states.append((time.monotonic(), state))

    @property
    def state(self):
        return self.states[-1][1]

    def ever(self, *states):
        return any(state in states for _, state in self.states)

    def is_there(self, when, slack=1.0):
        return self.before <= when + slack and (self.gone is None or self.gone >= when - slack)

    def __repr__(self):
        gone = "" if self.gone is None else f" gone -{time.monotonic() - self.gone:.1f}s"
        return f"{self.id[:12]} {self.name} {self.key} {self.hash} {self.state} {self.image}{gone}"


class Containers(threading.Thread):
    def __init__(self, engine, pause=0.35):
        super().__init__(name="containers", daemon=True)
        self.engine, self.pause = engine, pause
        self.lock = threading.Lock()
        self.all = {}
        self.news = []  # Seen, in the order in which they appeared
        self.looks = 0
        self.last = time.monotonic()  # when the last list that was answered was asked for
        self.answered = False
        self.open = True

    def run(self):
        while self.open:
            self.look()
            time.sleep(self.pause)

    def look(self):
        with self.lock:
            return self._look()

    def _look(self):
        asked = time.monotonic()
        try:
            found = self.engine.api("GET", "/containers/json?all=1", timeout=10) or []
        except (OSError, http.client.HTTPException, ApiError, ValueError):
            self.answered = False
            return False
        found = found if isinstance(found, list) else [found]
        for item in found:
            seen = self.all.get(item["Id"])
            if seen is None:
                seen = self.all[item["Id"]] = Seen(item, self.last)
                self.news.append(seen)
            elif seen.gone is not None:
                seen.gone = None
            seen.update(item)
        ids = {item["Id"] for item in found}
        for seen in self.all.values():
            if seen.gone is None and seen.id not in ids:
                seen.gone = time.monotonic()
        self.looks += 1
        self.last = asked
        self.answered = True
        return True

    def take_news(self):
        with self.lock:
            news, self.news = self.news, []
            return news

    def present(self):
        return [seen for seen in list(self.all.values()) if seen.gone is None]

    def of_key(self, key):
        return [seen for seen in list(self.all.values()) if seen.key == key]

    def find(self, word):
        """By id, the beginning of one, or name."""
        seen = self.all.get(word)
        if seen:
            return seen
        for seen in list(self.all.values()):
            if len(word) >= 12 and seen.id.startswith(word):
                return seen
        named = [s for s in list(self.all.values()) if word in s.names]
        return named[-1] if named else None


class Deed:
    def __init__(self, verb, subject):
        self.verb, self.subject, self.when = verb, subject, time.monotonic()

    def __repr__(self):
        return f"{self.verb} {self.subject[:20]} -{time.monotonic() - self.when:.1f}s"


class Deeds:
    """Listens between gantryd and the engine."""

    def __init__(self, path, engine):
        self.front = Front(path, engine.socket, self.note)
        self.new, self.old = [], []
        self.creates = []  # (when, name)

    def note(self, method, path, when):
        if when != "before" or method not in ("POST", "DELETE"):
            return
        found = CHANGING.match(path)
        if not found:
            return
        subject, verb = found.group(1), found.group(2)
        if method == "DELETE":
            verb = "remove"
        elif subject == "create":
            verb, subject = "create", path.partition("name=")[2].partition("&")[0]
        if verb:
            self.new.append(Deed(verb, subject))

    def take(self, older_than):
        """Those that the other eyes have had the time to see, too."""
        ready = [deed for deed in self.new if deed.when <= older_than]
        self.new = [deed for deed in self.new if deed.when > older_than]
        self.old = (self.old + ready)[-20000:]
        return ready

    def close(self):
        self.front.close()
