"""What may and may not exist and be done: each rule of architecture.md, judged by what was told and seen.

Where the model cannot know what gantryd knew, it permits both; so a violation is one.  What it permits and why:
- A word of a platform is a reason for WINDOW seconds after it was last said (told.py); the last word always is.
  So a start (never a removal) from the last listing, while the platform is down or just after a restart, is fine.
- What we did ourselves (kill, stop, pause, rm, an engine that died with its containers) is excused.
"""

import time

from .told import ABSENT, HALT, RUN, WINDOW
from .world import RUNS_ON

MAX_REMOVALS, CONFIRMATIONS = 3, 3  # gantryd's defaults
MOST_CONTAINERS = 3  # of one connector: the old one, the new one, one that was broken off
STARTS_WINDOW, MOST_STARTS, MOST_RUNS = 60.0, 10, 25

# Defects that are known and not yet mended: name -> what it is.  A violation with such a name is counted and
# told, and does not fail the test.  Empty is right.
KNOWN = {}


class Violation(Exception):
    def __init__(self, rule, text):
        super().__init__(f"{rule}: {text}")
        self.rule, self.text = rule, text


class Model:
    def __init__(self, world):
        self.world = world
        self.checks = 0
        self.starts = {}  # key -> times of starts that gantryd asked for
        self.marks = {}  # container id of a stranger -> what must not change
        self.still = {}  # key of a connector that nobody touches -> its container and run

    def holds(self, truth, rule, text):
        """text: or a function that makes it."""
        self.checks += 1
        if not truth:
            raise Violation(rule, text() if callable(text) else text)

    # ----- after each step

    def look(self):
        now = time.monotonic()
        for seen in self.world.containers.take_news():
            self.judge_new(seen)
        for deed in self.world.deeds.take(min(now - 1.5, self.world.containers.last)):
            self.judge(deed)
        self.bounded()
        self.strangers_untouched()
        self.still_untouched()

    def words(self, key, when):
        return self.world.told(key).words_at(key[1], when)

    # ----- S1, S2: what appears

    def judge_new(self, seen):
        if seen.manager != self.world.gantryd.manager_id or seen.id in self.world.strangers:
            return
        words = self.words(seen.key, seen.first) if seen.key and seen.key[0] in self.world.sides else []
        self.holds(any(w.wish == RUN for w in words), "S1", lambda: f"created without a wish: {seen}; told {words}")
        self.holds(any(w.hash == seen.hash for w in words), "S1",
                   lambda: f"created with a hash that nobody wished: {seen}; told {words}")

    # ----- what gantryd asked of the engine

    def judge(self, deed):
        if deed.verb == "create":
            return
        seen = self.world.containers.find(deed.subject)
        if seen is None:
            return  # made and taken back between two looks: it never ran
        self.holds(seen.manager == self.world.gantryd.manager_id and seen.id not in self.world.strangers, "S2",
                   lambda: f"a stranger's container was touched: {deed}: {seen}")
        words = self.words(seen.key, deed.when)
        if deed.verb == "start":
            self.judge_start(deed, seen, words)
        elif deed.verb == "unpause":
            self.holds(any(w.wish == RUN for w in words), "S1", lambda: f"{deed} without a wish: {seen}; told {words}")
        elif deed.verb == "stop":
            self.judge_stop(deed, seen, words)
        elif deed.verb == "remove":
            self.judge_remove(deed, seen, words)
        else:
            self.holds(deed.verb in ("update", "rename"), "S2", lambda: f"never to be asked for: {deed}: {seen}")

    def judge_start(self, deed, seen, words):
        self.holds(any(w.wish == RUN for w in words), "S1", lambda: f"started without a wish: {deed}: {seen}; told {words}")
        times = self.starts.setdefault(seen.key, [])
        times.append(deed.when)
        since = deed.when - STARTS_WINDOW
        recent = [t for t in times if t >= since]
        member = self.world.member(seen.key)
        reasons = (self.world.told(seen.key).changes_since(seen.key[1], since) + sum(t >= since for t in self.world.begun_at)
                   + (member.worn if member else 0))
        self.holds(len(recent) <= MOST_STARTS + 3 * reasons, "S6",
                   lambda: f"{len(recent)} starts of {seen.key} in {STARTS_WINDOW:g} s, with {reasons} reasons: no back-off")

    def others(self, deed, seen):
        return [o for o in self.world.containers.of_key(seen.key) if o.id != seen.id and o.is_there(deed.when, 2.0)]

    def judge_stop(self, deed, seen, words):
        if self.world.processes.living(seen.id, deed.when) is None or any(w.wish == HALT for w in words):
            self.checks += 1
            return
        if self.others(deed, seen) and any(w.wish == RUN for w in words):
            self.checks += 1  # a replace that comes to its end, or one of several
            return
        if any(w.wish == ABSENT for w in words):
            self.judge_gone(deed, seen, words)
            return
        member = self.world.member(seen.key)
        if member and member.kind not in RUNS_ON or member and member.worn > 2:
            return  # S9: Gantry takes the restarting over
        changed = any(w.wish == RUN and w.hash != seen.hash for w in words)
        self.holds(not changed, "S4", lambda: f"stopped before its successor was made: {deed}: {seen}; told {words}")
        self.holds(False, "S7", lambda: f"stopped without a reason: {deed}: {seen}; told {words}; "
                                        f"{self.world.processes.of(seen.id)}")

    def judge_remove(self, deed, seen, words):
        self.holds(any(w.wish in (RUN, HALT, ABSENT) for w in words), "S1",
                   lambda: f"removed without any wish: {deed}: {seen}; told {words}")
        ran = self.world.processes.of(seen.id)
        if not ran or seen.ever("dead") or self.others(deed, seen):
            self.checks += 1  # a start that failed is taken back; one of several goes
            return
        if any(w.wish == ABSENT for w in words):
            self.judge_gone(deed, seen, words)
            return
        self.holds(False, "S3", lambda: f"removed, though it is listed: {deed}: {seen}; told {words}")

    # ----- S3: what may go because it is not listed

    def judge_gone(self, deed, seen, words):
        gone = [w for w in words if w.wish == ABSENT]
        self.holds(any(w.count_at(deed.when) >= 2 for w in gone), "S3",
                   lambda: f"gone before a second listing agreed: {deed}: {seen}; told {words}")
        word = max(gone, key=lambda w: w.count_at(deed.when))
        together, stay = self.vanished_with(seen.key, word, deed.when)
        self.holds(len(together) < 2 or stay, "S3",
                   lambda: f"all that ran have vanished at once, and nobody confirmed it: {deed}: {seen}; {together}")
        many = len(together) > MAX_REMOVALS and len(together) > (len(together) + len(stay)) / 2
        count = word.count_at(deed.when)
        self.holds(not many or count > CONFIRMATIONS, "S3",
                   lambda: f"{len(together)} vanished at once, {len(stay)} stay, after {count} listings: {deed}: {seen}")

    def vanished_with(self, key, word, when):
        """Connectors of that platform that ran the whole time and should: those that vanished with the same
        listing, and those that are still listed."""
        together, stay = [], []
        told = self.world.told(key)
        for member in self.world.members:
            if member.platform != key[0]:
                continue
            then = [w for w in told.words_at(member.id, when, 3600.0) if w.first < word.first - 0.5]
            now = told.words_at(member.id, when, 0.0)[-1:]
            if not now:
                continue
            if now[0].wish != ABSENT:
                if self.ran_near(member.key, word.first, when):
                    stay.append(member.id)  # perhaps: where it is not clear, gantryd may have counted it
            elif abs(now[0].first - word.first) < 0.01 and then and then[-1].wish == RUN and any(
                    run.lives_at(word.first - 3.0) and (run.ended is None or run.ended >= when) for run in self.world.processes.of_key(member.key)):
                together.append(member.id)
        return together, stay

    def ran_near(self, key, since, until):
        return any(run.begun <= until and (run.ended is None or run.ended >= since - 15.0) for run in self.world.processes.of_key(key))

    # ----- bounds

    def bounded(self):
        for member in self.world.members:
            there = [c for c in self.world.containers.present() if c.key == member.key and c.manager == self.world.gantryd.manager_id]
            self.holds(len(there) <= MOST_CONTAINERS, "S4", lambda m=member, t=there: f"{len(t)} containers of {m}: {t}")
            since = time.monotonic() - STARTS_WINDOW
            runs = [run for run in self.world.processes.of_key(member.key) if run.begun >= since]
            reasons = self.world.told(member.key).changes_since(member.id, since) + sum(t >= since for t in self.world.begun_at)
            self.holds(len(runs) <= MOST_RUNS + 3 * reasons, "S9", lambda m=member, r=runs: f"{len(r)} runs of {m} in {STARTS_WINDOW:g} s")

    def judge_double(self, key, pair):
        """Two containers of one connector live at once.  An engine that was killed may have lost one: then it is
        its defect that it does not know what runs."""
        def unknown(run):
            seen = self.world.containers.find(run.short)
            return seen is not None and seen.state not in ("running", "restarting", "paused")
        if self.world.engine_lost and any(unknown(run) for run in pair):
            return False
        return True

    # ----- what nobody may touch

    def mark_strangers(self):
        self.marks = {}
        for seen in self.world.containers.present():
            if seen.manager == self.world.other.manager_id or seen.id in self.world.strangers:
                run = self.world.processes.living(seen.id)
                self.marks[seen.id] = seen.name, seen.state, run and (run.pid, run.born)

    def strangers_untouched(self):
        for container, before in self.marks.items():
            seen = self.world.containers.all[container]
            run = self.world.processes.living(container)
            after = seen.name, seen.state, run and (run.pid, run.born)
            self.holds(seen.gone is None and after == before, "S2", lambda s=seen, b=before, a=after: f"a stranger's container: {s}: was {b}, is {a}")

    def mark_still(self):
        """Once all is as wished: from now on these must not change."""
        self.still = {}
        for member in self.world.members:
            if member.kind == "still":
                seen = next(c for c in self.world.containers.present() if c.key == member.key and c.state == "running")
                run = self.world.processes.living(seen.id)
                self.still[member.key] = seen.id, run and (run.pid, run.born)

    def forget_still(self, key=None):
        for one in [key] if key else list(self.still):
            self.still.pop(one, None)

    def still_untouched(self):
        for key, (container, run) in list(self.still.items()):
            words = self.words(key, time.monotonic())
            if any(w.wish != RUN for w in words) or len({w.hash for w in words}) > 1:
                self.forget_still(key)  # a platform lied about it: judged by its deeds alone until the next quiet
                continue
            living = self.world.processes.living(container)
            self.holds(living is not None and (living.pid, living.born) == run, "S7",
                       lambda k=key: f"restarted, though nothing changed: {k}: {self.world.processes.of_key(k)}")


__all__ = ["KNOWN", "Model", "Violation", "WINDOW"]
