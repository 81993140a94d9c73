"""Pulling images from a registry that asks for a password."""

import time

from lib.tcpfront import answer_of
from world import case, login, push, spec


@case
def image_is_pulled_and_its_digest_told(w):
    reference = push(w, "good", 300_000)
    answer = w.driver.must("start", spec=spec(image=reference, registry=login(w)))
    seen = answer["statuses"][0]
    assert seen["state"] == "running" and seen["image"] == reference and seen["digest"].startswith("sha256:"), seen
    assert answer["progress"].startswith("pulling"), answer["progress"]
    w.requests()
    w.driver.start(spec=spec("c2", reference))
    assert ("POST", "/images/create") not in w.requests(), "it is there already"
    by_digest = reference.rsplit(":", 1)[0] + "@" + seen["digest"]
    w.engine.remove_all()
    w.engine.remove_image(reference)
    again = w.driver.start(spec=spec("c3", by_digest, registry=login(w)))
    assert again["digest"] == seen["digest"]


@case
def pull_policies(w):
    reference = push(w, "policy")
    w.driver.fails("image missing", "pull", spec=spec(image=reference, registry=login(w), pull_policy=2))
    w.driver.must("pull", spec=spec(image=reference, registry=login(w)))
    w.driver.must("pull", spec=spec(image=reference, registry=login(w), pull_policy=2))
    w.requests()
    w.driver.must("pull", spec=spec(image=reference, registry=login(w), pull_policy=1))
    assert ("POST", "/images/create") in w.requests()
    assert not w.engine.containers()


@case
def pull_failures_are_told_apart(w):
    reference = push(w, "failing")
    secret = "wrong-s3cret"
    for text in (w.driver.fails("denied", "pull", spec=spec(image=reference, registry=login(w, secret))),
                 w.driver.fails("denied", "pull", spec=spec(image=reference))):
        assert secret not in text and f"[registry {w.registry.host}]" in text and reference in text, text
    missing = w.registry.reference("test/failing", "none")
    text = w.driver.fails("image missing", "pull", spec=spec(image=missing, registry=login(w)))
    assert "manifest unknown" in text and missing in text, text
    w.driver.fails("image missing", "pull", spec=spec(image=w.registry.reference("no/such"), registry=login(w)))
    w.driver.fails("unavailable", "pull", spec=spec(image="127.0.0.1:1/a/b:1"))
    w.driver.fails("invalid", "pull", spec=spec(image="UPPER/case:1"))
    w.driver.fails("image missing", "pull", spec=spec(image="sha256:" + "0" * 64))


@case
def pull_that_stalls_ends(w):
    reference = push(w, "stalled", 3_000_000)
    w.registry.front.stall("/blobs/", 100_000)
    began = time.monotonic()
    text = w.driver.fails("timed out", "pull", spec=spec(image=reference, registry=login(w), pull_stall_ms=2000))
    assert "no progress for 2 s" in text and time.monotonic() - began < 15, text


@case
def what_was_fetched_is_told_and_nothing_else(w):
    reference = push(w, "told")
    first = w.driver.must("pull", spec=spec(image=reference, registry=login(w)))
    assert first["fetched"] == reference and first["fetched_digest"].startswith("sha256:"), first
    for policy in (0, 1):
        again = w.driver.must("pull", spec=spec(image=reference, registry=login(w), pull_policy=policy))
        assert "fetched" not in again, (policy, again)
    # Another name of what is there already: not a layer comes.
    other = w.registry.reference("test/told-again")
    w.engine.push(reference, other, "jo", login(w)["password"])
    assert "fetched" not in w.driver.must("pull", spec=spec(image=other, registry=login(w)))


@case
def by_tag_and_digest_the_digest_counts(w):
    reference = push(w, "pinned")
    digest = w.driver.must("pull", spec=spec(image=reference, registry=login(w)))["fetched_digest"]
    pinned = f"{reference}@{digest}"
    push(w, "pinned", 2000)  # the tag moves on
    w.engine.remove_image(reference)
    seen = w.driver.start(spec=spec("pin", pinned, registry=login(w)))
    assert seen["digest"] == digest and seen["image"] == pinned, seen
    w.requests()
    w.driver.must("pull", spec=spec(image=pinned, registry=login(w), pull_policy=1))
    assert ("POST", "/images/create") not in w.requests(), "what a digest means never changes"


@case
def platform_that_is_not_offered_is_missing(w):
    reference = push(w, "foreign")
    text = w.driver.fails("image missing", "pull", spec=spec(image=reference, registry=login(w), platform="linux/s390x"))
    assert reference in text and "s390x" in text, text
    own = w.engine.api("GET", "/info")["Architecture"].replace("x86_64", "amd64").replace("aarch64", "arm64")
    w.driver.must("pull", spec=spec(image=reference, registry=login(w), platform="linux/" + own))


@case
def fetched_image_is_removed_unless_others_use_it(w):
    reference = push(w, "removed")
    digest = w.driver.must("pull", spec=spec(image=reference, registry=login(w)))["fetched_digest"]
    stranger = w.engine.create("stranger", reference, start=False)
    text = w.driver.fails("conflict", "remove_image", image=reference, digest=digest)
    assert stranger[:12] in text and w.engine.has_image(reference), text
    w.engine.remove(stranger)
    w.engine.api("POST", f"/images/{reference}/tag", query={"repo": "somebody/else", "tag": "1"})
    w.driver.must("remove_image", image=reference, digest=digest)
    assert not w.engine.has_image(reference) and w.engine.has_image("somebody/else:1"), "only our name goes"
    w.engine.remove_image("somebody/else:1")
    w.driver.must("remove_image", image=reference, digest=digest)
    # A tag that has moved on leaves the old image without a name.
    digest = w.driver.must("pull", spec=spec(image=reference, registry=login(w)))["fetched_digest"]
    push(w, "removed", 3000)
    newer = w.driver.must("pull", spec=spec(image=reference, registry=login(w), pull_policy=1))["fetched_digest"]
    repository = reference.rsplit(":", 1)[0]
    assert newer != digest and w.engine.has_image(f"{repository}@{digest}")
    w.driver.must("remove_image", image=reference, digest=digest)
    assert not w.engine.has_image(f"{repository}@{digest}") and w.engine.has_image(f"{repository}@{newer}")


@case
def registry_that_wants_a_pause_is_understood(w):
    reference = push(w, "busy-registry")
    for words, most, least in (("retry-after: 2.5s, allowed: 3/minute", 2501, 2500), ("slow down", 0, 0)):
        w.registry.front.on_request = lambda *_: answer_of(
            429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"%s"}]}' % words.encode())
        said = w.driver.call("pull", spec=spec(image=reference, registry=login(w)))
        assert said["word"] == "unavailable" and "toomanyrequests" in said["error"], said
        assert least <= said["retry_after_ms"] <= most, said
    w.registry.front.on_request = None
    seen = len(w.registry.front.requests)
    said = w.driver.call("pull", spec=spec(image=reference, registry=login(w), pull_pause_ms=7000))
    assert said["word"] == "unavailable" and said["retry_after_ms"] == 7000, said
    assert len(w.registry.front.requests) == seen, "the registry was asked"
    w.driver.must("pull", spec=spec(image=reference, registry=login(w)))
    w.driver.must("pull", spec=spec(image=reference, registry=login(w), pull_pause_ms=7000))  # it is there


@case
def engine_that_wants_a_pause_is_understood(w):
    w.front.on_request = lambda method, path, when: answer_of(
        429, b"slow down").replace(b"\r\n", b"\r\nRetry-After: 3\r\n", 1) if "/json" in path else None
    said = w.driver.call("pull", spec=spec(image="test/none:1"))
    assert said["word"] == "unavailable" and 3000 <= said["retry_after_ms"] <= 3001, said


@case
def pull_needs_room_on_the_disk(w):
    reference = push(w, "room")
    w.driver.must("open", settings={**w.settings(), "min_free_space": 1 << 60})
    try:
        text = w.driver.fails("unavailable", "pull", spec=spec(image=reference, registry=login(w)))
        assert w.engine.home + "/data" in text and "MiB are free" in text and "min_free_space" in text, text
        assert ("POST", "/images/create") not in w.requests()
        w.driver.must("pull", spec=spec(image="test/busy:latest"))  # what is there needs no room
    finally:
        w.driver.must("open", settings={**w.settings(), "min_free_space": 0})
    w.driver.must("pull", spec=spec(image=reference, registry=login(w)))
