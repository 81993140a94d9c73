"""Platforms that lack operations, or forbid some: said once each, and the rest goes on."""

import time

from lib import check
from lib.case import case
from lib.wait import eventually


def labelled(world, daemon, name):
    return world.engine.create(name, "test/busy", {"opencti-manager": daemon.manager_id, "opencti-connector-id": name, "opencti-platform": "opencti",
                                                   "gantry.platform": "opencti", "gantry.hash": "00000000"})


@case(each=("bare",))
def platform_without_manager_operations(world):
    daemon = world.gantryd()
    mine = labelled(world, daemon, "from-before")
    started = world.engine.inspect(mine)["State"]["StartedAt"]
    daemon.start()
    eventually(daemon.complaints, 15, "it says something")
    time.sleep(10)
    assert daemon.running(), "it ended"
    lines = daemon.complaints()
    for field in ("connectorsForManagers", "registerConnectorsManager"):
        about = [line for line in lines if field in str(line)]
        assert len(about) == 1, f"{field} is said {len(about)} times: {about}"
    assert len(lines) <= 4, lines
    state = world.engine.inspect(mine)["State"]
    assert state["Running"] and state["StartedAt"] == started, state
    platform = world.platform.state()
    print(f"  {platform['documents']} documents were understood, {platform['failures']} refused, in 10 s")
    assert sum(platform["failures"].values()) <= 15, platform["failures"]
    code, _ = daemon.terminate()
    assert code == 0, code


@case(each=("updateConnectorLogs", "updateConnectorHealth", "updateConnectorCurrentStatus"))
def forbidden_report_is_said_once_and_the_others_go_on(world):
    field = world.value
    world.platform.verb("error", field=field, code="FORBIDDEN_ACCESS", message="You are not allowed to do this.", status=403)
    daemon = world.gantryd().start()
    connectors = [world.platform.add(f"silent-{i}") for i in range(3)]
    marks = {connector: check.mark(world, connector) for connector in connectors}
    for other, probe in (("updateConnectorLogs", lambda r: r["logs"]), ("updateConnectorHealth", lambda r: r["health"]),
                         ("updateConnectorCurrentStatus", lambda r: r["statuses"])):
        for connector in connectors if other != field else ():
            eventually(lambda c=connector, p=probe: p(world.platform.report(c)), 15, f"{other} arrives beside the forbidden {field}")
    check.stays_untouched(world, marks, 5)
    about = [line for line in daemon.complaints() if field in str(line)]
    assert 1 <= len(about) <= 2, about
    assert world.platform.state()["failures"]["FORBIDDEN_ACCESS"] <= 12, world.platform.state()["failures"]
