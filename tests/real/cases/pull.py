"""Images that are missing, protected, slow or broken: what runs, runs on, and the platform hears why."""

import time

from lib import check
from lib.case import case
from lib.wait import eventually, stays

PASSWORD = "a>>>b???c~~~"  # its base64 holds the letters in which the two alphabets differ


def started(world, **sections):
    daemon = world.gantryd(sections={name.replace("_", " ", 1): keys for name, keys in sections.items()})
    return daemon.start()


@case(each=("seed", "real"))
def replace_without_image_keeps_the_old_container(world):
    registry = world.registry()
    first = registry.put(world.engine, tag="1")
    started(world)
    connector = world.platform.add("replaced", first)
    before = check.mark(world, connector)
    check.reported(world, connector, "started")
    missing = registry.reference(tag="2-" + world.sdl)
    world.platform.patch(connector, image=missing)
    check.logs_say(world, connector, missing)
    check.stays_untouched(world, {connector: before}, 4)
    assert world.platform.status(connector) == "started"
    registry.put(world.engine, tag="2-" + world.sdl)
    new = check.running(world, connector, timeout=90, other_than=before[0], hash_=world.platform.hash(connector))
    assert new["Config"]["Image"] == missing, new["Config"]["Image"]


@case
def new_connector_waits_for_its_image_alone(world):
    registry = world.registry()
    started(world)
    missing = registry.reference("test/late", "1")
    connector = world.platform.add("late", missing)
    other = world.platform.add("early")
    check.running(world, other)
    check.logs_say(world, connector, missing)
    assert not world.engine.of_connector(connector)
    registry.put(world.engine, "test/late")
    check.running(world, connector, timeout=90)


@case
def protected_registry_is_served_with_the_password(world):
    registry = world.registry("tester", PASSWORD)
    reference = registry.put(world.engine, "test/secret")
    daemon = world.gantryd(sections={"registry " + registry.host: {"username": "tester", "password": "file:registry"}})
    daemon.write("registry", PASSWORD + "\n")
    daemon.start()
    connector = world.platform.add("protected", reference)
    check.running(world, connector)
    assert PASSWORD not in daemon.text()


@case
def wrong_registry_password_is_told_and_blocks_that_connector_alone(world):
    registry = world.registry("tester", PASSWORD)
    reference = registry.put(world.engine, "test/secret2")
    started(world, **{"registry_" + registry.host: {"username": "tester", "password": "wrong-one"}})
    connector = world.platform.add("refused", reference)
    other = world.platform.add("fine")
    check.running(world, other)
    check.logs_say(world, connector, reference)
    assert not world.engine.of_connector(connector)
    assert "wrong-one" not in world.platform.logs_text(connector)


@case
def stalled_pull_ends_and_holds_up_nobody(world):
    registry = world.registry()
    reference = registry.put(world.engine, "test/stalled", extra_bytes=3000000)
    registry.front.stall("/blobs/", 20000)
    # A pull with no progress for this long is given up.
    started(world, backend_docker={"pull_stall_timeout": "3s"})
    connector = world.platform.add("stalled", reference)
    eventually(lambda: any("/blobs/" in path for _, path in registry.front.requests), 15, "the pull began")
    began = time.monotonic()
    others = [world.platform.add(f"quick-{i}") for i in range(3)]
    for other in others:
        check.running(world, other, timeout=5)
    print(f"  three connectors beside the stalled pull: {time.monotonic() - began:.1f} s")
    check.logs_say(world, connector, reference)
    assert not world.engine.of_connector(connector)
    registry.front.flow()
    check.running(world, connector, timeout=90)


@case
def spoilt_layer_is_an_error_and_is_tried_again(world):
    registry = world.registry()
    reference = registry.put(world.engine, "test/spoilt", extra_bytes=300000)
    mend = registry.spoil_layers()  # the download fails inside a stream that began with status 200
    world.closing.append(mend)
    started(world)
    connector = world.platform.add("spoilt", reference)
    check.logs_say(world, connector, reference, timeout=30)
    assert not world.engine.of_connector(connector)
    mend()
    check.running(world, connector, timeout=90)


@case
def newer_wish_cancels_a_pull(world):
    registry = world.registry()
    reference = registry.put(world.engine, "test/unwanted", extra_bytes=3000000)
    registry.front.stall("/blobs/", 20000)
    started(world)
    connector = world.platform.add("unwanted", reference)
    eventually(lambda: any("/blobs/" in path for _, path in registry.front.requests), 15, "the pull began")
    world.platform.request(connector, "stopping")
    check.reported(world, connector, "stopped", timeout=10)
    # It changes its mind, to an image that is here: nothing waits for the pull that was given up.
    world.platform.patch(connector, image="test/busy:latest", requested="starting")
    check.running(world, connector, timeout=10)


@case
def policy_always_takes_what_the_tag_means_now(world):
    registry = world.registry()
    reference = registry.put(world.engine, "test/moving")
    started(world, backend_docker={"pull_policy": "always"})
    connector = world.platform.add("moving", reference)
    old = check.running(world, connector)
    # Pushed under a name of its own first, so that the engine does not learn the new image by making it.
    registry.put(world.engine, "test/moving", extra_bytes=5000)
    world.platform.patch(connector, bump=True)
    new = check.running(world, connector, other_than=old["Id"])
    assert new["Image"] != old["Image"], "the new container has the old image"


@case
def policy_never_pulls_nothing(world):
    registry = world.registry()
    reference = registry.put(world.engine, "test/never")
    started(world, backend_docker={"pull_policy": "never"})
    seen = len(registry.front.requests)
    connector = world.platform.add("never", reference)
    check.logs_say(world, connector, reference)
    stays(lambda: not world.engine.of_connector(connector), 2)
    assert len(registry.front.requests) == seen, registry.front.requests[seen:]
