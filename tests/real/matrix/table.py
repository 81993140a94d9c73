"""The results of columns, kept as one file each, and the matrix of them."""

import json
import os
import pathlib

from lib.gantryd import build_folder

AGAIN = "passed at the second attempt only:"  # tests/counts.py looks for it
WORDS = {"ok": "ok", "FAIL": "FAIL", "out": "-"}


def shortly(reason):
    """Its first line and its last."""
    lines = reason.strip().splitlines() or [""]
    return " ... ".join(dict.fromkeys([lines[0], lines[-1]]))


class Table:
    """of: the folder of build/results in which it is kept."""

    def __init__(self, of):
        self.folder = pathlib.Path(os.path.dirname(build_folder())) / "results" / of

    def keep(self, column, results, took, whole):
        """whole: every case was run; else the results of the others stay as they are."""
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = {"took": round(took, 1), "cases": results} if whole else self.read(column)
        kept["cases"].update(results)
        (self.folder / f"{column}.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")

    def forget(self, column):
        (self.folder / f"{column}.json").unlink(missing_ok=True)

    def read(self, column):
        try:
            return json.loads((self.folder / f"{column}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"took": 0, "cases": {}}

    def show(self, cases, columns, complete=False):
        """Print rows x columns, and the reasons of what is opted out.  cases: {case: the words of its row}.  complete: 1
        when a case failed or was not run, 77 when a whole column was not."""
        found = {column: self.read(column) for column in columns}
        wide = max(map(len, cases.values()))
        print("\n" + " " * wide + "  " + "  ".join(columns))
        reasons, problems = {}, []
        for case, words in cases.items():
            cells = []
            for column in columns:
                came = found[column]["cases"].get(case)
                number = ""
                if came and came["result"] == "out":
                    number = f" {reasons.setdefault(came['reason'], len(reasons) + 1)}"
                if not came or came["result"] == "FAIL":
                    problems.append(f"{column}: {case} {'failed' if came else 'was not run'}")
                cells.append(((WORDS[came["result"]] if came else "?") + number).ljust(len(column)))
            print(words.ljust(wide) + "  " + "  ".join(cells))
        times = "  ".join(f"{found[column]['took']:.0f} s".ljust(len(column)) for column in columns)
        print("time".ljust(wide) + "  " + times)
        for reason, number in reasons.items():
            print(f"- {number}: {reason}")
        self.show_failures(cases, found)
        if not complete:
            return 0
        skipped = [column for column in columns if not found[column]["cases"]]
        problems = [problem for problem in problems if problem.split(":")[0] not in skipped]
        print("\n".join(problems + [f"skip: the column {column} was not run" for column in skipped]))
        return 1 if problems else 77 if skipped else 0

    @staticmethod
    def show_failures(cases, found):
        """Last of all, for who has only the end of the output."""
        for column, kept in found.items():
            for case, came in kept["cases"].items():
                if case in cases and came["result"] == "FAIL":
                    print(f"FAILED {column}: {cases[case]} ({came['took']} s): {shortly(came['reason'])}")
                if case in cases and "at_first" in came:
                    print(f"{AGAIN} {column}: {cases[case]}: at first {shortly(came['at_first'])}")
