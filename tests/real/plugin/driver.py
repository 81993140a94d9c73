"""plugin_driver as an object: driver.start(spec={...}) is one call of the plugin's operation."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lib import process  # noqa: E402  (the path comes first)
from lib.gantryd import build_folder  # noqa: E402

BUILD = build_folder()


class Failed(AssertionError):
    def __init__(self, operation, answer):
        super().__init__(f"{operation}: {answer['word']}: {answer.get('error')}")
        self.answer = answer


class Driver:
    def __init__(self, plugin, settings=None):
        program = os.environ.get("GANTRY_PLUGIN_DRIVER", BUILD + "/tests/plugin_driver")
        self.process = process.spawn([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.must("open", plugin=os.path.abspath(f"{BUILD}/plugins/gantry-{plugin}.so"), settings=settings or {})

    def call(self, operation, **arguments):
        """The answer, whatever it is; its 'word' is that of the result code."""
        request = json.dumps({"op": operation, **arguments}, ensure_ascii=False)
        self.process.stdin.write(request.encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"{operation}: the driver ended with {self.process.wait()}")
        return json.loads(line.decode("utf-8", "surrogateescape"))

    def must(self, operation, **arguments):
        answer = self.call(operation, **arguments)
        if answer["code"] != 0:
            raise Failed(operation, answer)
        return answer

    def fails(self, word, operation, **arguments):
        """Its error text."""
        answer = self.call(operation, **arguments)
        assert answer["word"] == word, f"{operation}: {answer['word']} ({answer.get('error')}), not {word}"
        assert answer.get("error"), f"{operation}: {word} without a text"
        assert "\n" not in answer["error"]
        assert not answer["statuses"] and not answer["lines"]
        return answer["error"]

    def start(self, **arguments):
        return self.must("start", **arguments)["statuses"][0]

    def inspect(self, handle):
        return self.must("inspect", handle=handle)["statuses"][0]

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        assert self.process.returncode == 0, f"the driver ended with {self.process.returncode}"
