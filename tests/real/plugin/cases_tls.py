"""An engine that is reached by TCP with TLS, and asks for a client certificate."""

import os
import socket
import ssl
import subprocess
import threading

from driver import Driver
from world import case


def make_certificates(folder):
    """ca.pem, server-*.pem for 127.0.0.1, and cert.pem and key.pem as Docker's client names them."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=test ca", "-keyout", "ca-key.pem", "-out", "ca.pem")
    for name, cert, key in (("127.0.0.1", "server-cert.pem", "server-key.pem"), ("client", "cert.pem", "key.pem")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
                "-keyout", key, "-out", "request.pem")
        with open(folder + "/extensions", "w", encoding="ascii") as file:
            file.write("subjectAltName=IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial",
                "-days", "2", "-extfile", "extensions", "-out", cert)


class TlsFront:
    """TLS outside, the engine's socket inside."""

    def __init__(self, folder, target):
        self.target = target
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder + "/server-cert.pem", folder + "/server-key.pem")
        self.context.load_verify_locations(folder + "/ca.pem")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            with self.context.wrap_socket(client, server_side=True) as outside, \
                    socket.socket(socket.AF_UNIX) as inside:
                inside.connect(self.target)
                back = threading.Thread(target=pump, args=(inside, outside), daemon=True)
                back.start()
                pump(outside, inside)
                inside.shutdown(socket.SHUT_RDWR)
                back.join(2)
        except OSError:
            pass

    def close(self):
        self.server.close()


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass


@case
def tls_is_verified_both_ways(w):
    folder = w.engine.home + "/certs"
    os.makedirs(folder)
    make_certificates(folder)
    front = TlsFront(folder, w.engine.socket)
    address = f"tcp://127.0.0.1:{front.port}"
    try:
        driver = Driver("docker", {"socket": address, "cert_path": folder})
        assert driver.must("probe")["product"] == "Docker Engine"
        driver.must("watch", labels={"by": "tls"})
        assert [event["kind"] for event in driver.must("events", wait_ms=5000)["events"]] == ["synced"]
        made = w.engine.create("c1", "test/busy", {"by": "tls"}, NetworkMode="none", start=False)
        events = driver.must("events", wait_ms=5000)["events"]
        assert [(event["kind"], event["handle"]) for event in events] == [("changed", made)], events
        for settings, works in (
                ({"ca_file": folder + "/ca.pem", "cert_file": folder + "/cert.pem", "key_file": folder + "/key.pem"}, True),
                ({"cert_file": folder + "/cert.pem", "key_file": folder + "/key.pem", "tls_verify": "no"}, True),
                ({"cert_file": folder + "/cert.pem", "key_file": folder + "/key.pem"}, False),  # unknown CA
                ({"ca_file": folder + "/ca.pem"}, False),  # no client certificate
                ({}, False)):  # no TLS at all
            driver.must("open", settings={"socket": address, **settings})
            answer = driver.call("list", labels={}, timeout_ms=5000)
            assert (answer["code"] == 0) == works, (settings, answer)
            assert works or answer["word"] in ("unavailable", "denied", "timed out"), answer
        answer = driver.call("open", settings={"socket": address, "cert_file": folder + "/cert.pem"})
        assert answer["word"] == "invalid" and "key_file" in answer["error"], answer
        driver.close()
    finally:
        front.close()
