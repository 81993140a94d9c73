#!/usr/bin/env python3
"""The chaos test: gantryd between a real engine and lying platforms, struck at random, judged by a model.

    run.py [--seed N] [--minutes M] [--keep FOLDER]

Every choice comes from the seed; the times at which things meet do not, so a seed repeats a scenario, not each
interleaving.  The exit status is 0, 1 on a violation, 77 when a part is missing.
"""

import argparse
import collections
import os
import queue
import random
import shutil
import signal
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True

from chaos import quiet, steps  # noqa: E402  (the path comes first)
from chaos.model import KNOWN, Model, Violation  # noqa: E402
from chaos.world import World  # noqa: E402
from lib import case  # noqa: E402
from lib.gantryd import program  # noqa: E402

DEFAULT_SEED, DEFAULT_MINUTES = 20261121, 5.0
STEPS_BETWEEN_QUIETS = (20, 32)


class Chaos:
    def __init__(self, seed, minutes):
        self.seed, self.until = seed, time.monotonic() + minutes * 60
        self.random = random.Random(seed)
        self.doubles = queue.SimpleQueue()
        self.counts = collections.Counter()
        self.faults = collections.Counter()
        self.known = collections.Counter()
        self.history = collections.deque(maxlen=20)
        self.longest = 0.0
        self.lost = 0
        self.lost_looked = 0.0
        self.number = 0
        self.world = World(seed, lambda key, pair: self.doubles.put((key, pair)))
        self.model = Model(self.world)
        self.play = steps.Play(self.world, self.model, self.random)
        self.secrets = quiet.Secrets(self.world)

    def run(self):
        self.world.begin()
        self.world.mend_strangers()
        self.world.containers.look()
        time.sleep(0.5)
        self.model.mark_strangers()
        self.quiet("at the beginning")
        left = self.random.randint(*STEPS_BETWEEN_QUIETS)
        while time.monotonic() < self.until:
            self.step()
            left -= 1
            if left == 0:
                self.quiet("now and then")
                left = self.random.randint(*STEPS_BETWEEN_QUIETS)
        self.quiet("at the end")

    def quiet(self, when):
        took = self.guarded(lambda: quiet.converge(self.world, self.model, self.look))
        if took is not None:
            self.longest = max(self.longest, took)
            self.say(f"quiet {when}: as wished after {took:.1f} s")

    def end_lost(self):
        lost = steps.find_lost(self.play)
        self.lost += len(lost)
        for container in lost:
            self.say(f"dockerd has lost {container[:12]}, which lives on: ended")

    def step(self):
        self.number += 1
        weights = [weight for weight, _, _ in steps.STEPS]
        done = None
        while done is None:
            _, kind, function = self.random.choices(steps.STEPS, weights)[0]
            done = self.guarded(lambda: function(self.play))
        self.counts[kind] += 1
        if kind == steps.FAULT:
            self.faults[function.__name__] += 1
        self.say(done)
        time.sleep(self.random.choice([0.1, 0.4, 0.8, 1.2, 2.2]))
        self.look()

    def look(self):
        if time.monotonic() - self.lost_looked > 3:
            self.lost_looked = time.monotonic()
            self.end_lost()
        self.guarded(self.model.look)
        self.guarded(lambda: self.secrets.look(self.model))
        gantryd = self.world.gantryd
        self.guarded(lambda: self.model.holds(gantryd.running(), "alive", f"gantryd ended by itself: {gantryd.process.returncode}"))
        while not self.doubles.empty():
            key, pair = self.doubles.get()
            if self.model.judge_double(key, pair):
                self.guarded(lambda: self.model.holds(False, "S4", f"two containers of one connector live at once: {key}: {pair}"))
            else:
                self.lost += 1

    def guarded(self, function):
        """A known defect is counted, any other violation ends the test."""
        try:
            return function()
        except Violation as violation:
            name = next((name for name, sign in KNOWN.items() if sign in str(violation)), None)
            if name is None:
                raise
            self.known[name] += 1
            self.say(f"known violation {name}: {violation}")
            return None

    def say(self, text):
        line = f"{time.strftime('%H:%M:%S')} step {self.number}: {text}"
        self.history.append(line)
        print(line, flush=True)

    # ----- the end

    def evidence(self, text):
        print(f"\nVIOLATION with --seed {self.seed} at step {self.number}\n  {text}\nthe last steps:")
        for line in self.history:
            print("  " + line)
        print("containers:")
        for seen in self.world.containers.all.values():
            if seen.gone is None or time.monotonic() - seen.gone < 30:
                print(f"  {seen!r}")
        print("what gantryd asked of the engine:")
        for deed in (self.world.deeds.old + self.world.deeds.new)[-30:]:
            print(f"  {deed!r}")
        print(f"gantryd's last lines:\n{self.world.gantryd.tail(60)}")
        print(f"dockerd's last lines:\n{self.world.engine.log_tail(15)}", flush=True)

    def keep(self, folder):
        os.makedirs(folder, exist_ok=True)
        shutil.copy(self.world.gantryd.log_path, folder + "/gantryd.log")
        shutil.copy(self.world.engine.home + "/log", folder + "/dockerd.log")

    def summary(self, violations):
        faults = " ".join(f"{name}={count}" for name, count in sorted(self.faults.items()))
        print(f"faults: {faults}; looks at processes: {self.world.processes.scans}; longest way to what is wished: {self.longest:.1f} s; "
              f"containers that the engine lost: {self.lost}; known violations: {dict(self.known)}")
        print(f"seed: {self.seed}, steps: {self.number}, faults: {sum(self.faults.values())}, checks: {self.model.checks}, "
              f"violations: {violations}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--minutes", type=float, default=DEFAULT_MINUTES)
    parser.add_argument("--keep", help="copy the logs of gantryd and dockerd there at the end")
    options = parser.parse_args()
    reason = case.missing_parts() or (None if os.access(program(), os.X_OK) else f"{program()} is not built")
    if reason:
        print(f"skip: {reason}")
        return case.SKIP_STATUS

    def told_to_end(*_):
        raise SystemExit("ended: told to")
    signal.signal(signal.SIGTERM, told_to_end)
    chaos = Chaos(options.seed, options.minutes)
    status = 1
    try:
        chaos.run()
        status = 0
    except Violation as violation:
        chaos.evidence(str(violation))
    except Exception:  # the test's own, or a part that failed: told with the same evidence
        chaos.evidence(traceback.format_exc())
    finally:
        if options.keep:
            chaos.keep(options.keep)
        chaos.world.close()
    chaos.summary(0 if status == 0 else 1)
    return status


if __name__ == "__main__":
    sys.exit(main())
