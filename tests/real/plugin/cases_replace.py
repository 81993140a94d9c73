"""A new container takes the place of an old one, or fails to."""

from world import MANAGER, case, spec


def replaced(w, **more):
    old = w.driver.start(spec=spec())
    new = w.driver.start(handle=old["handle"], id="c1", name="c1", spec=spec(hash="h2", **more))
    return old, new


@case
def replace_starts_the_new_one_and_remove_gives_it_the_name(w):
    old, new = replaced(w, env={"NEW": "1"})
    assert new["state"] == "running" and new["handle"] != old["handle"] and new["hash"] == "h2", new
    prefix, _, digits = new["name"].rpartition("-")
    assert prefix == "c1-new" and len(digits) == 4 and int(digits, 16) >= 0, new["name"]
    left = w.driver.inspect(old["handle"])
    assert left["state"] == "exited" and left["name"] == "c1"
    w.driver.must("remove", handle=old["handle"])
    assert [c["Names"] for c in w.engine.containers()] == [["/c1"]]
    assert w.driver.inspect(new["handle"])["started_ms"] == new["started_ms"]
    newer = w.driver.start(handle=new["handle"], spec=spec(hash="h3"))
    w.driver.must("remove", handle=new["handle"])
    assert w.driver.inspect(newer["handle"])["name"] == "c1"


@case
def renamed_connector_gets_its_new_name(w):
    old = w.driver.start(spec=spec())
    new = w.driver.start(handle=old["handle"], spec=spec(id="c1", name="better", hash="h2", labels=spec()["labels"]))
    assert new["name"].startswith("better-new-")
    w.driver.must("remove", handle=old["handle"])
    assert w.driver.inspect(new["handle"])["name"] == "better"


def unharmed(w, old):
    inner = w.engine.inspect(old["handle"])
    assert inner["State"]["Running"] and w.driver.inspect(old["handle"])["started_ms"] == old["started_ms"]
    assert [c["Id"] for c in w.engine.containers()] == [old["handle"]]


@case
def replace_without_time_left_does_not_touch_the_old_one(w):
    old = w.driver.start(spec=spec())
    w.driver.fails("timed out", "start", handle=old["handle"], timeout_ms=9000, spec=spec(hash="h2"))
    unharmed(w, old)


@case
def replace_that_is_cut_off_anywhere_can_be_finished(w):
    """The plugin dies at each of its requests in turn; what is left is found by labels and put right."""
    requests = []
    w.front.on_request = lambda method, path, when: requests.append(method + " " + path) if when == "before" else None
    old, new = replaced(w)
    w.driver.must("remove", handle=old["handle"])
    w.engine.remove_all()
    count = len(requests)
    assert count > 8, requests
    for which in range(4, count):
        old = None
        seen = []

        def cut(method, path, when):
            if when == "before":
                seen.append(path)
                return "cut" if len(seen) > which else None
            return None
        w.front.on_request = cut
        first = w.driver.call("start", spec=spec())
        if first["code"] == 0:
            old = first["statuses"][0]
            if w.driver.call("start", handle=old["handle"], spec=spec(hash="h2"))["code"] == 0:
                w.driver.call("remove", handle=old["handle"])
        w.front.on_request = None
        finish(w, which)
        w.engine.remove_all()


def finish(w, which):
    """As the manager does: keep the wanted one if it runs, else start it; remove the others."""
    listed = w.driver.must("list", labels={"opencti-manager": MANAGER, "opencti-connector-id": "c1"})["statuses"]
    assert listed, which
    listed.sort(key=lambda item: (item["hash"] == "h2", item["state"] == "running"))
    kept = listed.pop()
    for other in listed:
        w.driver.must("stop", handle=other["handle"])
        w.driver.must("remove", handle=other["handle"])
    if kept["hash"] != "h2":
        new = w.driver.start(handle=kept["handle"], spec=spec(hash="h2"))
        w.driver.must("remove", handle=kept["handle"])
        kept = new
    else:
        w.driver.start(handle=kept["handle"])
    final = w.engine.containers()
    assert [(c["Names"], c["State"]) for c in final] == [(["/c1"], "running")], (which, final)
