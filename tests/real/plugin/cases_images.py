"""Pulling images from a registry that asks for a password."""

import os
import time

from world import case, login, push, spec


def spoil_layers(home):
    """Change a byte of every stored layer; manifests stay as they are."""
    for folder, _, files in os.walk(home + "/data/docker/registry/v2/blobs/sha256"):
        for name in files:
            path = os.path.join(folder, name)
            if os.path.getsize(path) > 100000:
                with open(path, "r+b") as file:
                    file.seek(50000)
                    file.write(b"spoilt")


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
        assert secret not in text and "[registry HOST]" in text and reference in text, text
    missing = w.registry.reference("test/failing", "none")
    text = w.driver.fails("image missing", "pull", spec=spec(image=missing, registry=login(w)))
    assert "manifest unknown" in text and missing in text, text
    w.driver.fails("image missing", "pull", spec=spec(image=w.registry.reference("no/such"), registry=login(w)))
    w.driver.fails("unavailable", "pull", spec=spec(image="127.0.0.1:1/a/b:1"))
    w.driver.fails("invalid", "pull", spec=spec(image="UPPER/case:1"))
    w.driver.fails("image missing", "pull", spec=spec(image="sha256:" + "0" * 64))


@case
def error_inside_the_stream_is_an_error(w):
    reference = push(w, "spoilt", 400_000)
    spoil_layers(w.registry.home)
    text = w.driver.fails("unavailable", "pull", spec=spec(image=reference, registry=login(w)))
    assert "verif" in text or "corrupt" in text or "digest" in text, text
    assert not w.engine.has_image(reference)


@case
def pull_that_stalls_ends(w):
    reference = push(w, "stalled", 3_000_000)
    w.registry.front.stall("/blobs/", 100_000)
    began = time.monotonic()
    text = w.driver.fails("timed out", "pull", spec=spec(image=reference, registry=login(w), pull_stall_ms=2000))
    assert "no progress for 2 s" in text and time.monotonic() - began < 15, text
