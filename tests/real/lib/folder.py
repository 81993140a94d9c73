"""The files of a local platform, one a connector."""

import os


def put(daemon, name, environment=None, extra="", **settings):
    settings.setdefault("image", "test/busy:latest")
    text = "[connector]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items())
    text += "\n[environment]\n" + "".join(f"{key} = {value}\n" for key, value in (environment or {}).items()) + extra
    path = f"{daemon.home}/connectors/{name}.ini"
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".tmp", path)
