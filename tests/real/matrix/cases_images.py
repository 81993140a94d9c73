"""Registry, pull, and a replace that fails: the old workload runs on.  By the plugin's operations."""

from backend import Absent
from lib.wait import eventually
from scene import case, mark_of

SECRET = "wrong-s3cret"


def running(s):
    """A workload that is to be replaced; its handle, and what stays the same while nobody touches it."""
    handle = s.driver.start(spec=s.spec())["handle"]
    return handle, mark_of(s.seen(handle))


def unharmed(s, mark):
    assert [mark_of(w) for w in s.own()] == [mark], (mark, s.own())


@case
def right_password_pulls(s):
    reference = s.backend.push(s.name(), extra_bytes=300_000)
    seen = s.driver.start(spec=s.spec(image=reference, registry=s.backend.login()))
    assert seen["state"] == "running" and seen["digest"].startswith("sha256:"), seen
    assert s.seen(seen["handle"])["running"]


@case
def wrong_password_is_denied_and_the_old_one_runs_on(s):
    reference = s.backend.push(s.name())
    old, mark = running(s)
    for login in (s.backend.login(SECRET), None):
        more = {"registry": login} if login else {}
        text = s.driver.fails("denied", "start", handle=old, spec=s.spec(image=reference, hash="h2", **more))
        assert s.backend.registry().host in text and SECRET not in text, text
        unharmed(s, mark)


@case
def fetched_image_is_told_and_removed_when_nothing_uses_it(s):
    reference = s.backend.push(s.name(), extra_bytes=1000)
    login = s.backend.login()
    answer = s.driver.must("start", spec=s.spec(image=reference, registry=login))
    if "fetched" not in answer:
        raise Absent("it does not tell what it fetched")
    assert answer["fetched"] == reference, answer
    image = {"image": reference, "digest": answer["fetched_digest"]}
    text = s.driver.fails("conflict", "remove_image", **image)
    assert reference in text, text
    handle = answer["statuses"][0]["handle"]
    assert s.seen(handle)["running"]
    assert "fetched" not in s.driver.must("pull", spec=s.spec(image=reference, registry=login)), "it is there"
    s.driver.must("stop", handle=handle)
    s.driver.fails("conflict", "remove_image", **image)  # it may be started again
    s.driver.must("remove", handle=handle)
    s.driver.must("remove_image", **image)
    s.driver.must("remove_image", **image)  # gone is gone
    s.driver.fails("image missing", "pull", spec=s.spec(image=reference, registry=login, pull_policy=2))


@case
def missing_image_is_told_apart(s):
    reference = s.backend.registry().reference("test/" + s.name(), "none")
    old, mark = running(s)
    text = s.driver.fails("image missing", "start", handle=old,
                          spec=s.spec(image=reference, hash="h2", registry=s.backend.login()))
    assert reference in text, text
    s.driver.fails("unavailable", "start", handle=old, spec=s.spec(image="127.0.0.1:1/a/b:1", hash="h2"))
    unharmed(s, mark)


@case
def replace_gives_the_new_one_the_name(s):
    old, mark = running(s)
    new = s.driver.start(handle=old, spec=s.spec(hash="h2", env={"NEW": "1"}))
    assert new["state"] in ("running", "starting") and new["hash"] == "h2", new
    assert (new["handle"] == old) == s.backend.replaces_in_place, (old, new)
    if not s.backend.replaces_in_place:
        assert s.driver.inspect(old)["state"] == "exited"
        s.driver.must("remove", handle=old)

    def done():
        found = s.own()
        assert [(w["handle"], w["name"], w["running"]) for w in found] == [(new["handle"], s.name(), True)], found
        assert mark_of(found[0]) != mark and found[0]["labels"]["gantry.hash"] == "h2", found
        return True
    eventually(done, 20, "the new one runs alone, and has the name")
    assert s.environment(new["handle"], "NEW")["NEW"] == b"1"


@case
def replace_that_cannot_start_brings_the_old_one_back(s):
    old, _ = running(s)
    s.driver.fails("invalid", "start", handle=old, spec=s.spec(image="nothing", hash="h2"))

    def back():
        found = s.own()
        assert [(w["handle"], w["running"]) for w in found] == [(old, True)], found
        return found[0]["labels"]["gantry.hash"] == "h1"
    eventually(back, 20, "the old one runs alone")


@case
def replace_of_a_stopped_one_does_not_start_the_old_one(s):
    old, _ = running(s)
    s.driver.must("stop", handle=old)
    s.driver.fails("invalid", "start", handle=old, spec=s.spec(image="nothing", hash="h2"))
    assert [(w["handle"], w["running"]) for w in s.own()] == [(old, False)], s.own()


@case(alone=True)
def error_inside_a_pull_that_was_answered_200(s):
    reference = s.backend.push(s.name(), extra_bytes=400_000)
    old, mark = running(s)
    mend = s.backend.registry().spoil_layers()
    try:
        s.driver.fails("unavailable", "start", handle=old,
                       spec=s.spec(image=reference, hash="h2", registry=s.backend.login()))
    finally:
        mend()
    unharmed(s, mark)


@case(alone=True)
def replace_cancelled_during_the_pull_changes_nothing(s):
    reference = s.backend.push(s.name(), extra_bytes=3_000_000)
    old, mark = running(s)
    s.backend.registry().front.stall("/blobs/", 100_000)
    answer = s.driver.call("start", handle=old, cancel_after_ms=1500,
                           spec=s.spec(image=reference, hash="h2", registry=s.backend.login()))
    assert answer["word"] == "cancelled" and answer["ms"] < 6000, answer
    unharmed(s, mark)


@case(alone=True)
def replace_that_cannot_create_leaves_the_old_one_alone(s):
    old, mark = running(s)
    s.backend.answer(500, b'{"message":"struck by the test"}', of="create")
    text = s.driver.fails("unavailable", "start", handle=old, spec=s.spec(hash="h2"))
    assert "struck by the test" in text, text
    unharmed(s, mark)
