"""How a platform lies: a front before each, which notes what it tells (told.py)."""

import json
import re
import threading
import time

from lib.front import ANSWERS, HTML, LIST, REWRITES, Front, abort, send

# Kinds beside those of lib/front.py.
SLOW = ("slow", "late", "hang", "applied_hang")
APPLIED = ("applied_500", "applied_reset", "applied_hang")
BROKEN = ("truncated", "close_early", "reset")
MUTATIONS = r"updateConnector(CurrentStatus|Logs|Health)|updateConnectorManagerStatus|registerConnectorsManager"

# kind -> which documents it may meet; None: all of them
KINDS = {
    **{kind: LIST for kind in ("data_null", "list_null", "not_a_list", "no_data", "null", "deep", "auth_required")},
    **{kind: LIST for kind in REWRITES if kind != "missing"},
    **{kind: None for kind in ("status_500", "status_401", "status_429", "garbage", "html", "html_502", "nothing")},
    **{kind: None for kind in BROKEN + ("slow", "late", "hang")},
    **{kind: MUTATIONS for kind in APPLIED},
    "old": LIST, "missing_some": LIST, "down": None,
}


class Lie:
    def __init__(self, kind, field=None, connector=None, ids=(), seconds=(0.0,)):
        self.kind, self.connector, self.ids = kind, connector, set(ids)
        self.field = re.compile(field) if field else None
        self.seconds = list(seconds)
        self.hits = 0
        self.over = threading.Event()
        self.kept = {}

    def meets(self, text):
        return self.field is None or self.field.search(text) is not None

    def wait(self, most):
        """Until it is taken back, at most so long."""
        self.over.wait(most)

    def __str__(self):
        return self.kind + (f" of {self.connector[:8]}" if self.connector and self.kind in REWRITES else "")


class TellingFront(Front):
    def __init__(self, upstream, told):
        self.told = told
        self.lie = None
        self.said = {}  # text of a query about the listing -> its last answers, the newest last
        super().__init__(upstream)

    def begin(self, lie):
        self.end()
        if lie.kind == "old":
            lie.kept = {query: answers[0] for query, answers in self.said.items()}
        self.lie = lie
        if lie.kind == "down":
            self.server.shutdown()
            self.server.server_close()

    def end(self):
        lie, self.lie = self.lie, None
        if lie is None:
            return
        lie.over.set()
        if lie.kind == "down":
            self.listen(int(self.url.rsplit(":", 1)[1]))

    # ----- one request

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        text = body.decode(errors="replace")
        lie = self.lie
        if lie is None or not lie.meets(text):
            return self.tell(handler, text, *self.forward(handler, body))
        lie.hits += 1
        if lie.kind in ANSWERS:
            return send(handler, *ANSWERS[lie.kind])
        if lie.kind in ("reset", "down"):
            return abort(handler)
        if lie.kind == "hang":
            lie.wait(60)
            return abort(handler)
        if lie.kind == "slow":
            time.sleep(lie.seconds[lie.hits % len(lie.seconds)])
            return self.tell(handler, text, *self.forward(handler, body))
        if lie.kind == "old" and text in lie.kept:
            return self.tell(handler, text, 200, "application/json", lie.kept[text])
        return self.spoil(handler, text, lie, *self.forward(handler, body))

    def spoil(self, handler, text, lie, status, kind, answer):
        """The request has been done; its answer is not as it should be."""
        if lie.kind == "late":
            time.sleep(lie.seconds[lie.hits % len(lie.seconds)])
        elif lie.kind == "applied_500":
            return send(handler, 500, "text/html", HTML)
        elif lie.kind == "applied_reset":
            return abort(handler)
        elif lie.kind == "applied_hang":
            lie.wait(60)
            return abort(handler)
        elif lie.kind == "truncated":
            handler.send_response(status)
            handler.send_header("Content-Type", kind or "application/json")
            handler.send_header("Content-Length", str(len(answer) + 500))
            handler.end_headers()
            handler.wfile.write(answer[:len(answer) // 2])
            handler.close_connection = True
            return None
        elif lie.kind == "close_early":
            handler.close_connection = True
            return None
        elif lie.kind in REWRITES or lie.kind == "missing_some":
            answer = self.rewritten(lie, answer)
        return self.tell(handler, text, status, kind, answer)

    @staticmethod
    def rewritten(lie, answer):
        try:
            tree = json.loads(answer)
        except ValueError:
            return answer
        if lie.kind == "missing_some":
            items = (tree.get("data") or {}).get(LIST) or []
            items[:] = [item for item in items if item.get("id") not in lie.ids]
        else:
            tree = REWRITES[lie.kind](tree, lie.connector)
        return json.dumps(tree).encode()

    def tell(self, handler, text, status, kind, answer):
        if LIST in text and status == 200:
            try:
                self.told.take(json.loads(answer), "manager_contract_configuration" in text)
                kept = self.said.setdefault(text, [])
                kept.append(answer)
                del kept[:-20]
            except ValueError:
                pass
        send(handler, status, kind, answer)
