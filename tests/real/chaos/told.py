"""What gantryd was told: each listing that left a platform's front, and what it said of each connector.

The store behind the front knows what is true; gantryd can only know what it was told, so that is what it is
judged by.  A listing counts as told when it was sent, whether or not it arrived: that permits more, never less.
"""

import threading
import time

from lib.front import LIST

RUN, HALT, ODD, ABSENT = "run", "halt", "odd", "absent"
WISHES = {"starting": RUN, "stopping": HALT, "stopped": HALT}
# Whoever acts on a wish may have begun when it was still the last word, and may have had to wait for a slow
# engine, a grace and a pull: so long an old word still excuses.
WINDOW = 30.0


class Word:
    """One connector's wish, as long as it stayed the same."""

    def __init__(self, wish, hash_, epoch, now):
        self.wish, self.hash, self.epoch = wish, hash_, epoch
        self.first = self.last = now
        self.times = []

    def count_at(self, when):
        """In how many listings in a row it had been said until then."""
        return sum(t <= when for t in self.times)

    def __repr__(self):
        age = time.monotonic()
        times = f" x{len(self.times)}" if self.times else ""
        return f"{self.wish}/{self.hash}{times} from -{age - self.first:.1f}s to -{age - self.last:.1f}s"


class Told:
    """Of one platform.  epoch: which gantryd it was told to; a new process begins to count anew."""

    def __init__(self):
        self.lock = threading.Lock()
        self.words = {}
        self.epoch = 0
        self.listings = 0

    def new_process(self):
        with self.lock:
            self.epoch += 1

    def take(self, answer, with_configuration):
        """An answer of the listing's field as a JSON tree, just before it is sent with status 200."""
        items = (answer.get("data") or {}).get(LIST) if isinstance(answer, dict) else None
        if not isinstance(items, list) or answer.get("errors"):
            return
        good = [i for i in items if isinstance(i, dict) and isinstance(i.get("id"), str) and i["id"]]
        ids = [item["id"] for item in good]
        with self.lock:
            now = time.monotonic()
            for item in good:
                wish = WISHES.get(item.get("manager_requested_status"), ODD)
                self._say(item["id"], wish, item.get("manager_contract_hash"), now)
            complete = len(good) == len(items) and len(set(ids)) == len(ids)
            if complete and not with_configuration:
                self.listings += 1
                for connector in set(self.words) - set(ids):
                    self._say(connector, ABSENT, None, now)

    def _say(self, connector, wish, hash_, now):
        words = self.words.setdefault(connector, [])
        if not words or (words[-1].wish, words[-1].hash, words[-1].epoch) != (wish, hash_, self.epoch):
            words.append(Word(wish, hash_, self.epoch, now))
        words[-1].last = now
        if wish == ABSENT:
            words[-1].times.append(now)

    def words_at(self, connector, when, window=WINDOW):
        """What may be the reason of a deed at that time: all words within the window before, and the last one
        before it."""
        with self.lock:
            known = [w for w in self.words.get(connector, []) if w.first <= when + 0.5]
            return [w for w in known if w.last >= when - window] or known[-1:]

    def changes_since(self, connector, since):
        with self.lock:
            words = [w for w in self.words.get(connector, []) if w.first >= since]
            return len({(w.wish, w.hash, w.first) for w in words})

    def last(self, connector):
        with self.lock:
            words = self.words.get(connector)
            return words[-1] if words else None
