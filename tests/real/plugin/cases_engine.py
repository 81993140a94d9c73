"""The engine itself: its version, how it is reached, what happens when it goes."""


from driver import Driver
from world import MANAGER, case, spec


@case
def probe_tells_product_and_version(w):
    seen = w.driver.must("probe")
    assert seen["product"] == "Docker Engine" and seen["version"].startswith("20.10"), seen
    assert seen["detail"] == "API 1.41, linux/amd64", seen


@case
def version_is_negotiated_once(w):
    w.driver.must("probe")
    w.front.requests.clear()
    w.driver.must("list", labels={"opencti-manager": MANAGER})
    w.driver.must("list", labels={"opencti-manager": MANAGER})
    assert [path.split("?")[0] for _, path in w.front.requests] == ["/v1.41/containers/json"] * 2, w.front.requests


@case
def missing_engine_says_what_to_do(w):
    other = Driver("docker", {"socket": "unix:///tmp/no-such.sock"})
    error = other.fails("unavailable", "list", labels={"a": "b"})
    assert "/tmp/no-such.sock" in error and "is the engine running" in error, error
    assert "unavailable" == other.call("inspect", handle="a" * 64)["word"]
    assert "unavailable" == other.call("stop", handle="a" * 64)["word"]
    assert "unavailable" == other.call("remove", handle="a" * 64)["word"]
    other.close()


@case
def bad_settings_are_refused_at_open(w):
    for settings, words in (({"socket": "ssh://x"}, "ssh://x"), ({"socket": "tcp://"}, "tcp://HOST:PORT"),
                            ({"ulimits": ["nofile"]}, "NAME=SOFT:HARD"), ({"cpus": "many"}, "cpus"),
                            ({"sysctls": ["novalue"]}, "KEY=VALUE"), ({"ca_file": "/none.pem"}, "/none.pem")):
        answer = w.driver.call("open", settings=settings)
        assert answer["word"] == "invalid" and words in answer["error"], answer
    w.driver.must("open", settings=w.settings())


@case
def calls_run_side_by_side(w):
    handle = w.driver.start(spec=spec())["handle"]
    for what in ("list", "inspect", "logs"):
        answer = w.driver.must("many", what=what, handle=handle, labels={"opencti-manager": MANAGER}, repeat=200, threads=8)
        assert answer["failed"] == 0, (what, answer)
