"""What the cases ask again and again about a connector's containers and reports."""

from .wait import eventually, stays

# What engine and image add to the environment that was asked for.
ENGINE_VARIABLES = {"PATH", "HOSTNAME", "HOME"}


def running(world, connector, timeout=30, other_than=None, hash_=None):
    """Wait until exactly one container of the connector exists and runs; its inspection.

    other_than: an id that it must not have (it was replaced).  hash_: of its label."""
    def probe():
        found = world.engine.of_connector(connector)
        assert len(found) == 1, f"{len(found)} containers: {[(c['Names'], c['State']) for c in found]}"
        assert found[0]["State"] == "running", found[0]["State"]
        assert found[0]["Id"] != other_than, "still the old container"
        seen = world.engine.inspect(found[0]["Id"])
        assert hash_ is None or seen["Config"]["Labels"].get("gantry.hash") == hash_, "another hash"
        return seen
    return eventually(probe, timeout, f"one running container of {connector}")


def stopped(world, connector, timeout=30):
    def probe():
        found = world.engine.of_connector(connector)
        assert len(found) == 1 and found[0]["State"] in ("exited", "created"), [(c["State"]) for c in found]
        return found[0]
    return eventually(probe, timeout, f"the container of {connector} is stopped")


def gone(world, connector, timeout=30):
    eventually(lambda: not world.engine.of_connector(connector), timeout, f"no container of {connector}")


def reported(world, connector, status, timeout=20):
    eventually(lambda: world.platform.status(connector) == status, timeout, f"status {status} is reported")


def logs_say(world, connector, *words, timeout=20):
    """All of these words stand in the logs that the platform has of the connector."""
    def probe():
        text = world.platform.logs_text(connector)
        missing = [word for word in words if word not in text]
        assert not missing, f"{missing} not in {text[-500:]!r}"
        return True
    eventually(probe, timeout, f"the platform's logs of {connector} say {words}")


def mark(world, connector):
    """What must stay the same while nobody asks for a change: id and start."""
    seen = running(world, connector)
    return seen["Id"], seen["State"]["StartedAt"]


def untouched(world, connector, before):
    found = world.engine.of_connector(connector)
    assert len(found) == 1, f"{connector}: {len(found)} containers"
    seen = world.engine.inspect(found[0]["Id"])
    now = seen["Id"], seen["State"]["StartedAt"]
    assert now == before and seen["State"]["Running"], f"{connector}: was {before}, is {now}, {seen['State']['Status']}"
    return True


def stays_untouched(world, marks, seconds):
    """marks: {connector: mark}."""
    stays(lambda: all(untouched(world, connector, before) for connector, before in marks.items()), seconds)


def environment(world, container):
    seen = world.engine.environment(container["Id"])
    return {name: value for name, value in seen.items() if name not in ENGINE_VARIABLES}


def name_of(container):
    return container["Name"].lstrip("/")


def kept_the_protocol(world, most_invalid=0):
    """The platform found nothing to object to in the documents."""
    state = world.platform.state()
    assert not state["violations"], state["violations"]
    assert len(state["invalid"]) <= most_invalid, state["invalid"]
    assert "BATCHING_REFUSED" not in state["failures"], state["failures"]
