"""Portainer, as far as a client of its Docker proxy sees it.

Nginx stands for it: Debian's, with Lua, before an engine's socket.  It has TLS with a certificate of its own, the
key, the list of environments, the path behind which the engine is, Portainer's own errors, 200 for what is created,
and, where it is told to, streams that are held back.  What nginx cannot do is done by Small: see there.
"""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.request

from . import process
from .wait import eventually

NGINX = "/usr/sbin/nginx"
MODULES = "/usr/lib/nginx/modules"
NEEDED = {NGINX: "nginx", MODULES + "/ngx_http_lua_module.so": "libnginx-mod-http-lua"}
KEY = "ptr_Wm9yb2FzdGVyIGlzIG5vdCBhIGtleSBvZiBhbnlib2R5"
MISSING = ("Unable to find an environment with the specified identifier inside the database",
           "object not found inside the database (bucket=endpoints)")

CONFIG = """
load_module {modules}/ndk_http_module.so;
load_module {modules}/ngx_http_lua_module.so;
user root;
worker_processes 1;
daemon off;
pid {home}/pid;
error_log {home}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log {home}/access.log;
    client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/f;
    uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;
    default_type application/json;
    map_hash_bucket_size 256;
    merge_slashes off;
    client_max_body_size 0;
    large_client_header_buffers 8 64k;
    keepalive_timeout 60s;
    keepalive_requests 100000;
    upstream dk {{ server unix:{socket}; }}
    map $request_uri $docker_uri {{ "~^/api/endpoints/[0-9]+/docker(?<rest>/.*)$" $rest; }}
    map $http_x_api_key $refused {{ default 1; "{key}" 0; }}
    map $http_x_api_key $why {{ default "Invalid JWT token"; "" "A valid authorization token is missing"; }}
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name localhost;
        ssl_certificate {home}/cert.pem;
        ssl_certificate_key {home}/key.pem;
        location = /api/system/status {{ return 200 '{{"Version":"2.23.0","InstanceID":"1"}}'; }}
        location = /api/endpoints {{
            if ($refused) {{ return 401 '{{"message":"$why","details":"Unauthorized"}}'; }}
            alias {home}/endpoints.json;
        }}
        location ^~ /api/endpoints/ {{
            if ($refused) {{ return 401 '{{"message":"$why","details":"Unauthorized"}}'; }}
            return 404 '{missing}';
        }}
{environments}
    }}
}}
"""
ENVIRONMENT = """
        location ^~ /api/endpoints/{number}/docker/ {{
            if ($refused) {{ return 401 '{{"message":"$why","details":"Unauthorized"}}'; }}
            proxy_pass http://dk$docker_uri;
            proxy_http_version 1.1;
            proxy_set_header Host docker;
            proxy_set_header Connection "";
            proxy_set_header X-API-Key "";
            proxy_set_header Authorization "";
            proxy_buffering {buffering};
            proxy_request_buffering off;
            proxy_read_timeout 1h;
            {down}
            header_filter_by_lua_block {{
                if ngx.status == 201 and ngx.var.uri:match("/create$") then
                    ngx.status = 200
                    ngx.header.content_length = nil
                    ngx.ctx.made = true
                end
            }}
            body_filter_by_lua_block {{
                if ngx.ctx.made and ngx.arg[1] ~= "" then
                    ngx.arg[1] = ngx.arg[1]:gsub("^{{", '{{"Portainer":{{"ResourceControl":{{"Id":7,"Public":false}}}},', 1)
                    ngx.ctx.made = false
                end
            }}
        }}
"""
# As it answers for a local socket that nobody listens on; the whole engine is out of reach then.
DOWN = """error_page 502 504 =500 /down;
            proxy_intercept_errors off;"""
DOWN_PAGE = """
        location = /down { internal; return 500 '{"message":"Unable to proxy the request via the Docker socket","details":"dial unix /var/run/docker.sock: connect: no such file or directory"}'; }
"""


def environment(number, name, kind=1, url="unix:///var/run/docker.sock", **more):
    """One of the list, as far as a client looks at it."""
    return {"Id": number, "Name": name, "Type": kind, "URL": url, "Status": 1, "GroupId": 1, "EdgeID": "",
            "Edge": {"AsyncMode": False}, "Snapshots": [], **more}


class Portainer:
    """socket: of the engine.  environments: those that lead to it; others: of the list alone."""

    def __init__(self, socket, environments=None, others=(), held_back=False):
        self.socket = socket
        self.environments = environments or [environment(2, "main")]
        self.others = list(others)
        self.held_back = held_back
        self.home = tempfile.mkdtemp(prefix="gtn.", dir="/tmp")
        self.port = process.free_port()
        self.process = None
        self.url = f"https://localhost:{self.port}"
        self.ca_file = self.home + "/cert.pem"
        self.key_file = self.home + "/api-key"

    def start(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-keyout", "key.pem", "-out", "cert.pem"], check=True, capture_output=True, cwd=self.home)
        with open(self.key_file, "w", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(KEY + "\n")
        self.write()
        with open(self.home + "/log", "ab") as log:
            self.process = process.spawn([NGINX, "-p", self.home, "-c", self.home + "/nginx.conf", "-e",
                                          self.home + "/error.log"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(self.answers, 20, "nginx answers")
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise RuntimeError("nginx ended:\n" + self.text("log") + self.text("error.log"))
        import ssl
        context = ssl.create_default_context(cafile=self.ca_file)
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({}))
        try:
            return opener.open(self.url + "/api/system/status", timeout=5).status == 200
        except OSError:
            return False

    def write(self):
        message, details = MISSING
        places = "".join(ENVIRONMENT.format(number=e["Id"], buffering="on" if self.held_back else "off", down=DOWN)
                         for e in self.environments)
        text = CONFIG.format(modules=MODULES, home=self.home, socket=self.socket, key=KEY, port=self.port,
                             missing=json.dumps({"message": message, "details": details}),
                             environments=places + DOWN_PAGE)
        for name, content in (("nginx.conf", text), ("endpoints.json", json.dumps(self.environments + self.others))):
            with open(self.home + "/new", "w", encoding="ascii") as file:
                file.write(content)
            os.rename(self.home + "/new", self.home + "/" + name)

    def change(self, environments=None, others=None):
        """Another list of environments, as after a restart of Portainer."""
        self.environments = self.environments if environments is None else environments
        self.others = self.others if others is None else others
        self.write()
        process.end(self.process)
        with open(self.home + "/log", "ab") as log:
            self.process = process.spawn([NGINX, "-p", self.home, "-c", self.home + "/nginx.conf", "-e",
                                          self.home + "/error.log"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(self.answers, 20, "nginx answers")

    def settings(self, which="main"):
        return {"url": self.url, "api_key": KEY, "environment": str(which), "ca_file": self.ca_file}

    def text(self, name):
        try:
            with open(f"{self.home}/{name}", encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def stop(self):
        process.end(self.process)
        shutil.rmtree(self.home, ignore_errors=True)
