"""The parts themselves: when one of these fails, the other files' failures say nothing about Gantry."""

import base64
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request

from lib.case import case
from lib.engine import ApiError
from lib.gantryd import rsa_key
from lib.wait import eventually

LIST = """query { connectorsForManagers { id name manager_contract_hash manager_contract_image
  manager_current_status manager_requested_status manager_contract_configuration { key value } } }"""


def cut(sealed, size):
    raw = base64.b64decode(sealed)
    return raw[0], raw[1:1 + size], raw[1 + size:]


def opened_block(private, block, version, folder="/tmp"):
    """The 44 bytes of the RSA block, opened by OpenSSL's tool: not by the code under test."""
    key = os.path.join(folder, f"gti.{os.getpid()}.pem")
    with open(key, "w", encoding="ascii") as file:
        file.write(private)
    options = (["rsa_padding_mode:pkcs1"] if version == 1 else
               ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"])
    command = ["openssl", "pkeyutl", "-decrypt", "-inkey", key]
    for option in options:
        command += ["-pkeyopt", option]
    try:
        return subprocess.run(command, input=block, check=True, capture_output=True).stdout
    finally:
        os.unlink(key)


@case(needs_gantryd=False)
def containers_run_and_outlive_a_killed_dockerd(world):
    made = world.engine.create("parts", "test/busy", {"a": "b"}, ["A=b=c", "B=", "C=x\ny", "D=ü"])
    before = world.engine.inspect(made)
    env = eventually(lambda: "A" in (seen := world.engine.environment(made)) and seen, 10, "it runs its own program")
    assert (env["A"], env["B"], env["C"], env["D"]) == (b"b=c", b"", b"x\ny", "ü".encode()), env
    world.engine.restart()
    after = world.engine.inspect(made)
    assert after["State"]["StartedAt"] == before["State"]["StartedAt"] and after["State"]["Running"], after["State"]
    assert [c["Id"] for c in world.engine.containers({"a": "b"})] == [made]


@case(needs_gantryd=False, each=("anonymous", "password"))
def registry_serves_stalls_and_cuts(world):
    user, password = ("tester", "a>>>b???c~~~") if world.value == "password" else (None, None)
    registry = world.registry(user, password)
    reference = registry.put(world.engine, extra_bytes=300000)
    auth = {"username": user, "password": password} if user else {}
    header = {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(auth).encode()).decode()}

    def pull(timeout, headers=header):
        name, tag = reference.rsplit(":", 1)
        world.engine.stream("POST", "/images/create", query={"fromImage": name, "tag": tag},
                            headers=headers, timeout=timeout)
    if user:
        try:
            pull(20, {})
            raise AssertionError("pulled without a password")
        except ApiError as error:
            assert "auth" in str(error), error
    registry.front.stall("/blobs/", 20000)
    try:
        pull(3)
        raise AssertionError("a stalled pull ended")
    except socket.timeout:
        pass
    assert not world.engine.has_image(reference)
    registry.front.flow()
    pull(60)
    assert world.engine.has_image(reference)
    world.engine.remove_image(reference)
    registry.drop("test/busy", "1")
    try:
        pull(20)
        raise AssertionError("a dropped tag was pulled")
    except ApiError as error:
        assert "not found" in str(error) or "unknown" in str(error), error


@case(needs_gantryd=False, each=("seed", "real"))
def platform_keeps_the_protocol(world):
    p = world.platform
    private, public = rsa_key()
    answer = p.graphql("mutation($input: RegisterConnectorsManagerInput!) { registerConnectorsManager(input: $input) { id about_version } }",
                       {"input": {"id": "m1", "name": "Gantry", "public_key": public}})
    assert answer["data"]["registerConnectorsManager"]["id"] == "m1", answer
    one = p.add("one", configuration=[{"key": "PLAIN", "value": "a=b"}, {"key": "S1", "value": "geheim", "secret": True, "version": 1},
                                      {"key": "S2", "value": "ü", "secret": True, "version": 2}, {"key": "S", "value": "", "secret": True}],
                requested="stopped")
    item = p.graphql(LIST)["data"]["connectorsForManagers"][0]
    entries = {e["key"]: e["value"] for e in item["manager_contract_configuration"]}
    assert entries["PLAIN"] == "a=b" and entries["CONNECTOR_ID"] == one and entries["CONNECTOR_NAME"] == "one", entries
    for key, version, length in (("S1", 1, 6), ("S2", 2, 2), ("S", 2 if world.sdl == "real" else 1, 0)):
        first, block, rest = cut(entries[key], 3072 // 8)
        assert first == version and len(opened_block(private, block, version)) == 44 and len(rest) == length + 16, key
    assert item["manager_contract_hash"] == p.hash(one) and len(p.hash(one)) == 8
    assert item["manager_requested_status"] == ("stopped" if world.sdl == "real" else None), item
    before = p.hash(one)
    p.request(one, "starting")
    assert p.hash(one) == before, "a wish is no part of the hash"
    assert p.patch(one, bump=True)["hash"] != before


@case(needs_gantryd=False)
def platform_answers_errors_as_opencti_does(world):
    p = world.platform

    def code(query, variables=None, **more):
        return p.graphql(query, variables, **more)["errors"][0]["extensions"]["code"]
    assert code("{ about { version } }", token="wrong") == "AUTH_REQUIRED"
    ping = "mutation($input: UpdateConnectorManagerStatusInput!) { updateConnectorManagerStatus(input: $input) { id } }"
    assert code(ping, {"input": {"id": "nobody"}}) == "FUNCTIONAL_ERROR"
    assert code("{ connectorsForManagers { connector_type } }") == "GRAPHQL_VALIDATION_FAILED"
    assert code("{ a: about { version } }") == "BATCHING_REFUSED"
    assert code("mutation { deleteConnector(id: 1) x: deleteConnector(id: 2) }") == "BATCHING_REFUSED"
    assert code("mutation { deleteConnector(id: 1) }") == "ALREADY_DELETED_ERROR"
    register = "mutation($input: RegisterConnectorsManagerInput) { registerConnectorsManager(input: $input) { id } }"
    _, public = rsa_key()
    assert "errors" not in p.graphql(register, {"input": {"id": "m1", "name": "Gantry", "public_key": public}})
    assert code(register, {"input": {"id": "m2", "name": "Gantry", "public_key": public}}) == "UNSUPPORTED_ERROR"
    health = "mutation($input: HealthConnectorStatusInput!) { updateConnectorHealth(input: $input) }"
    bad = {"id": "1", "restart_count": 0, "started_at": "yesterday", "is_in_reboot_loop": False}
    assert code(health, {"input": bad}) == "BAD_USER_INPUT"
    state = p.state()
    assert len(state["violations"]) == 2 and state["requests"]["updateConnectorManagerStatus"] == 1, state["requests"]


@case(needs_gantryd=False)
def platform_without_managers_only_says_its_version(world):
    bare = world.platform_of("bare")
    assert bare.graphql("{ about { version } }")["data"]["about"]["version"]
    assert bare.graphql(LIST)["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@case(needs_gantryd=False)
def platform_delays_and_hangs(world):
    p = world.platform
    p.verb("delay", ms=300)
    began = time.monotonic()
    p.graphql("{ about { version } }")
    assert time.monotonic() - began >= 0.3
    p.verb("hang", field="about")
    request = urllib.request.Request(p.url + "/graphql", b'{"query":"{ about { version } }"}', {"Content-Type": "application/json"})
    try:
        urllib.request.urlopen(request, timeout=1)
        raise AssertionError("did not hang")
    except (TimeoutError, urllib.error.URLError):
        pass
    p.verb("unhang")
    assert p.graphql("{ about { version } }")["data"]["about"]


@case(needs_gantryd=False)
def front_does_what_its_faults_say(world):
    p, front = world.platform, world.front()
    p.knows_manager("m1", rsa_key()[1])
    one, two = p.add("one"), p.add("two")

    def ids():
        answer = p.graphql(LIST, url=front.url)
        return [item["id"] for item in answer["data"]["connectorsForManagers"]]
    assert ids() == [one, two]
    expect = {"partial": [two], "empty_list": [], "id_null": [None, two], "twice": [one, one, two], "missing": [two]}
    for fault, wanted in expect.items():
        front.set(fault, one)
        assert ids() == wanted, fault
    for fault in ("garbage", "html", "html_502", "status_401", "status_500", "truncated", "reset", "close_early", "nothing"):
        front.set(fault)
        try:
            ids()
            raise AssertionError(f"{fault}: a right answer")
        except (OSError, ValueError, http_error()):
            pass
    front.set("garbage", field="updateConnectorLogs")
    assert ids() == [one, two] and front.hits == 0
    front.clear()
    eventually(lambda: ids() == [one, two], 5)


def http_error():
    import http.client
    return http.client.HTTPException
