"""Every connector's reports keep their pace, also when the platform is slow and one call hangs."""

import time

from lib import check
from lib.case import case
from lib.wait import eventually

CONNECTORS = 20  # each writes five lines a second: logs are sent only when there is something new
PERIOD = 1.0
CYCLES = 30
MOST = 5 * PERIOD  # of the 30 s for which one call hangs: a busy machine pauses by itself


def gaps(times, begin, end):
    """Seconds between two reports within begin..end (ms), the edges included."""
    inside = [begin, *[t for t in times if begin < t < end], end]
    return [(b - a) / 1000 for a, b in zip(inside, inside[1:])]


@case
def one_hanging_log_call_delays_no_other_report(world):
    daemon = world.gantryd(sections={"platform opencti": {"request_timeout": "30s"}}).start()
    connectors = [world.platform.add(f"fair-{i}", "test/chatty:latest") for i in range(CONNECTORS)]
    for connector in connectors:
        check.running(world, connector, 60)
    hung, others = connectors[0], connectors[1:]
    for connector in connectors:
        eventually(lambda c=connector: world.platform.report(c)["health_times"] and world.platform.report(c)["logs_times"], 20, "first reports")
    world.platform.verb("delay", ms=100)
    world.platform.verb("hang", field="updateConnectorLogs", id=hung)
    time.sleep(2)
    state = world.platform.state()
    begin, listed = state["now"], len(state["list"])
    eventually(lambda: len(world.platform.state()["list"]) >= listed + CYCLES, CYCLES * 3, f"{CYCLES} cycles", pause=1)
    state = world.platform.state()
    end = state["now"]
    worst = {}
    for kind in ("logs_times", "health_times"):
        worst[kind] = max((max(gaps(state["reports"][c][kind], begin, end)), c) for c in others)
        means = [len(state["reports"][c][kind]) for c in others]
        print(f"  {kind}: widest gap {worst[kind][0]:.2f} s of {PERIOD:g} s, reports a connector {min(means)} to {max(means)}")
    print(f"  {CONNECTORS} connectors, {CYCLES} cycles in {(end - begin) / 1000:.1f} s, documents {state['documents']}")
    for kind, (gap, connector) in worst.items():
        assert gap <= MOST, f"{kind} of {connector}: {gap:.2f} s between two reports, at most {MOST:g} s"
    check.kept_the_protocol(world)
    world.platform.verb("unhang")
    world.platform.verb("delay", ms=0)
    after = world.platform.state()["now"]
    eventually(lambda: world.platform.report(hung)["logs_times"][-1] > after + 1000, 45, "the hung one is reported again")
    assert daemon.running()
