#!/usr/bin/env python3
"""usage: tls.py CAIRN [-k WORD]

TLS from outside: what a node serves with, what it refuses to start with, certificates that change
under open connections, certificates of clients; and what our client takes from a server.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

import harness
from authority import Authority
from harness import LONG, run, run_cases
from pkcs11 import Token

CAIRN = pathlib.Path(sys.argv[1]).resolve()
EXPIRED = {"start": "20200101000000Z", "end": "20210101000000Z"}


class Server(harness.Ledger):
    """A ledger that is served with the options it is told."""

    def __init__(self, folder):
        super().__init__(CAIRN, folder)
        self.init()
        self.line = None

    def serve(self, *options, listen="127.0.0.1:0"):
        self.errors = open(self.folder / "server.log", "ab")
        self.server = subprocess.Popen(
            [self.cairn, "run", str(self.dir), "--listen", listen, *map(str, options)],
            stdout=subprocess.PIPE, stderr=self.errors)
        self.line = self.server.stdout.readline().decode().strip()
        assert self.line.startswith("listening on "), (self.line, self.log())
        self.port = int(self.line.rsplit(":", 1)[1])
        return self

    def serve_tls(self, certificate, key, *options):
        return self.serve("--tls-certificate", certificate, "--tls-key", key, *options)

    def refuses(self, words, *options, listen="127.0.0.1:0"):
        done = run(self.cairn, "run", self.dir, "--listen", listen, *options, wanted=None)
        assert done.returncode not in (0, None) and not done.stdout, done
        for word in words:
            assert word in done.stderr, (word, done.stderr)
        assert done.stderr.count("\n") == 1, done.stderr

    def wait_log(self, text, count=1):
        end = time.monotonic() + LONG
        while self.log().count(text) < count:
            assert time.monotonic() < end, (text, self.log())
            time.sleep(0.02)

    def s_client(self, *options):
        return subprocess.run(
            ["openssl", "s_client", "-connect", "localhost:%d" % self.port, *map(str, options)],
            input=b"", capture_output=True, timeout=LONG, check=False)

    def curl(self, authority, *options, path="/healthz"):
        return run("curl", "-sS", "--noproxy", "*", "--cacert", authority.certificate, *options,
                   "https://localhost:%d%s" % (self.port, path), wanted=None)

    def client(self, *words, wanted=0, **variables):
        env = {key: value for key, value in os.environ.items()
               if key not in ("CAIRN_CA", "CAIRN_SERVER")}
        return run(self.cairn, *words, env={**env, **variables}, wanted=wanted)


class Connection:
    """One connection that is kept alive."""

    def __init__(self, port, authority, certificate=None):
        context = ssl.create_default_context(cafile=authority.certificate)
        if certificate:
            context.load_cert_chain(*certificate)
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", port), LONG),
                                          server_hostname="localhost")

    def ask(self, path="/healthz"):
        self.socket.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = self.socket.recv(65536)
            assert part, answer
            answer += part
        head, body = answer.split(b"\r\n\r\n", 1)
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self.socket.recv(65536)
        return int(head.split()[1]), body

    def leaf(self):
        return self.socket.getpeercert(binary_form=True)

    def close(self):
        self.socket.close()


def only_modern_tls_is_spoken(folder):
    authority = Authority(folder)
    server = Server(folder).serve_tls(*authority.leaf("server"))
    assert server.line.startswith("listening on https://localhost:"), server.line
    weak = ("-cipher", "ALL:@SECLEVEL=0")
    for version in ("-tls1", "-tls1_1"):
        done = server.s_client(version, *weak)
        assert done.returncode != 0 and b"Cipher is (NONE)" in done.stdout, done
    for version, suite in (("-tls1_2", b"ECDHE-ECDSA-AES128-GCM-SHA256"),
                           ("-tls1_3", b"TLS_AES_128_GCM_SHA256")):
        done = server.s_client(version, "-CAfile", authority.certificate, "-verify_return_error")
        assert done.returncode == 0 and b"Cipher is " + suite in done.stdout, done
        assert b"Compression: NONE" in done.stdout, done
    for suites in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256"):
        done = server.s_client("-tls1_2", "-cipher", suites + ":@SECLEVEL=0")
        assert done.returncode != 0, (suites, done)
    done = server.curl(authority, "-i")
    assert "200 OK" in done.stdout and "Strict-Transport-Security: " in done.stdout, done
    done = server.curl(authority, "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0")
    assert done.returncode == 35, done
    # Asking for a renegotiation ends the connection: the client's standard input stays open.
    with subprocess.Popen(["openssl", "s_client", "-connect", "localhost:%d" % server.port, "-tls1_2"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as client:
        client.stdin.write(b"R\n")
        client.stdin.flush()
        out = client.stdout.read()
        assert b"RENEGOTIATING" in out, out
    server.stop()


def every_kind_of_key_serves(folder):
    authority = Authority(folder)
    server = Server(folder)
    for kind in ("ec", "ed25519", 2048):
        server.serve_tls(*authority.leaf("server-%s" % kind, kind=kind))
        for version in ("-tls1_2", "-tls1_3"):
            done = server.s_client(version, "-CAfile", authority.certificate,
                                   "-verify_return_error")
            assert done.returncode == 0, (kind, version, done)
        server.client("member", "list", "--server", "https://localhost:%d" % server.port, "--ca",
                      authority.certificate)
        server.stop()


def keys_in_tokens_serve(folder):
    authority, token, server = Authority(folder), Token(folder), Server(folder)
    for alg, kind in (("es256", b"ecdsa"), ("ed25519", b"ed25519")):
        uri = token.uri(alg)
        run(CAIRN, "key", "new", uri, "--alg", alg)
        spki = json.loads(run(CAIRN, "key", "show", uri, "--json").stdout)["spki"]
        certificate = authority.leaf_for(alg, spki)
        server.refuses(["is not the key of the certificate"], "--tls-certificate",
                       authority.leaf("other-" + alg)[0], "--tls-key", uri)
        server.serve_tls(certificate, uri)
        for version in ("-tls1_2", "-tls1_3"):
            done = server.s_client(version, "-CAfile", authority.certificate,
                                   "-verify_return_error")
            assert done.returncode == 0 and b"peer signature type: " + kind in done.stdout.lower(), done
        server.stop()


def sessions_are_resumed(folder):
    authority = Authority(folder)
    server = Server(folder).serve_tls(*authority.leaf("server"))
    for version in ("-tls1_2", "-tls1_3"):
        file = folder / ("session" + version)
        with subprocess.Popen(["openssl", "s_client", "-connect", "localhost:%d" % server.port,
                               version, "-sess_out", str(file)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
            client.stdin.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            client.stdin.flush()
            client.stdout.read()
        done = server.s_client(version, "-sess_in", file)
        assert b"Reused, TLS" in done.stdout, done
    server.stop()


def a_client_works_over_tls(folder):
    authority = Authority(folder)
    server = Server(folder).serve_tls(*authority.leaf("server"))
    url = "https://localhost:%d" % server.port
    listed = server.client("member", "list", "--server", url, "--ca", authority.certificate)
    assert "operator" in listed.stdout, listed
    server.client("member", "list", CAIRN_SERVER=url, CAIRN_CA=str(authority.certificate))
    done = server.client("member", "list", "--server", url, wanted=None)
    assert done.returncode != 0 and "certificate.issuer" in done.stderr, done
    done = server.client("member", "list", "--server", "https://127.0.0.1:%d" % server.port, "--ca",
                         authority.certificate, wanted=None)
    assert done.returncode != 0 and "certificate.reference" in done.stderr, done
    assert "Give the server a name" in done.stderr, done
    done = server.client("member", "list", "--server", url, "--ca", folder / "nothing", wanted=None)
    assert done.returncode != 0 and "nothing" in done.stderr, done
    server.stop()


@contextlib.contextmanager
def stranger(certificate, key):
    """Somebody else's server, which does not judge its own certificate."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-cert",
                           str(certificate), "-key", str(key), "-quiet", "-cipher",
                           "ALL:@SECLEVEL=0"], stdin=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + LONG
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), LONG).close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < end
                time.sleep(0.02)
        yield "https://localhost:%d" % port
        process.terminate()


def a_client_refuses_each_bad_certificate(folder):
    authority, other = Authority(folder), Authority(folder, "other")
    server = Server(folder)
    for name, rule, leaf in (
            ("expired", "certificate.not_after", authority.leaf("expired", **EXPIRED)),
            ("early", "certificate.not_before",
             authority.leaf("early", start="20490101000000Z")),
            ("named", "certificate.name", authority.leaf("named", names=["court.example"])),
            ("nameless", "certificate.name", authority.leaf("localhost", names=())),
            ("untrusted", "certificate.issuer", other.leaf("untrusted")),
            ("sha1", "certificate.algorithm", authority.leaf("sha1", digest="sha1")),
            ("small", "certificate.key", authority.leaf("small", kind=1024)),
            ("client", "certificate.extended_key_usage",
             authority.leaf("client", purpose="clientAuth"))):
        with stranger(*leaf) as url:
            done = server.client("member", "list", "--server", url, "--ca", authority.certificate,
                                 wanted=None)
            assert done.returncode != 0 and rule in done.stderr, (name, done)
            assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done


def http_to_another_machine_must_be_meant(folder):
    server = Server(folder)
    for url in ("http://court.example", "http://192.0.2.1:8420", "http://[::ffff:127.0.0.1]:1"):
        done = server.client("member", "list", "--server", url, wanted=None)
        assert done.returncode != 0 and "--plain-http" in done.stderr, done
    done = server.client("member", "list", "--server", "http://[::ffff:127.0.0.1]:1", "--plain-http",
                         wanted=None)
    assert "could not be reached" in done.stderr, done


def a_node_refuses_what_clients_would(folder):
    authority = Authority(folder)
    server = Server(folder)
    good, key = authority.leaf("good")

    def with_tls(certificate, its_key, *more):
        return ("--tls-certificate", certificate, "--tls-key", its_key, *more)

    origin = ("--origin", "https://register.example")
    server.refuses(["certificate.not_after", "Renew it"],
                   *with_tls(*authority.leaf("expired", **EXPIRED)))
    server.refuses(["certificate.name", "register.example"], *with_tls(good, key, *origin))
    server.refuses(["certificate.algorithm"], *with_tls(*authority.leaf("sha1", digest="sha1")))
    server.refuses(["certificate.key"], *with_tls(*authority.leaf("small", kind=1024)))
    server.refuses(["tls_key", "is not the key of the certificate"],
                   *with_tls(good, authority.new_key("another")))
    server.refuses(["tls_certificate", "nothing.pem"], *with_tls(folder / "nothing.pem", key))
    server.refuses(["tls_key", "nothing.key"], *with_tls(good, folder / "nothing.key"))
    server.refuses(["certificate.der"], *with_tls(key, key))
    good.chmod(0o600)
    server.refuses(["tls_key", "private key in PEM"], *with_tls(good, good))
    server.refuses(["tls_client_ca", "nothing.pem"],
                   *with_tls(good, key, "--tls-client-ca", folder / "nothing.pem"))
    shared = folder / "shared.key"
    shutil.copy(key, shared)
    shared.chmod(0o644)
    server.refuses(["tls_key", "shared.key", "chmod 600"], *with_tls(good, shared))
    locked = folder / "locked.key"
    authority.openssl("pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", locked)
    locked.chmod(0o600)
    server.refuses(["tls_key", "without a passphrase"], *with_tls(good, locked))


def off_loopback_there_is_a_name_and_tls(folder):
    authority = Authority(folder)
    server = Server(folder)
    leaf = authority.leaf("server")
    tls = ("--tls-certificate", leaf[0], "--tls-key", leaf[1])
    everywhere = "0.0.0.0:0"
    server.refuses(["no TLS", "plain"], listen=everywhere)
    server.refuses(["no TLS", "plain"], "--origin", "https://court.example", listen=everywhere)
    server.refuses(["origin", "is missing"], *tls, listen=everywhere)
    server.refuses(["origin", "is missing"], "--plain", listen=everywhere)
    server.refuses(["origin", "DNS name", "passkeys"], "--origin", "https://192.0.2.1", *tls,
                   listen=everywhere)
    server.refuses(["origin", "https://"], "--origin", "http://court.example", *tls,
                   listen=everywhere)
    server.serve("--origin", "https://court.example", *tls, listen=everywhere)
    assert server.line == "listening on https://court.example:%d" % server.port, server.line
    done = run("curl", "-sS", "--noproxy", "*", "--cacert", authority.certificate, "--resolve",
               "court.example:%d:127.0.0.1" % server.port,
               "https://court.example:%d/v1/ledger" % server.port)
    assert '"name":"court"' in done.stdout, done
    server.stop()
    server.serve("--origin", "https://court.example", "--plain", listen=everywhere)
    assert server.health()[0] == 200
    server.stop()


def certificates_change_under_open_connections(folder):
    authority = Authority(folder)
    certificate, key = folder / "current.pem", folder / "current.key"

    def install(leaf):
        for source, target in zip(leaf, (certificate, key)):
            shutil.copy(source, target.with_suffix(".new"))
            target.with_suffix(".new").rename(target)
        key.chmod(0o600)

    install(authority.leaf("first"))
    server = Server(folder).serve_tls(certificate, key)
    def expiry():
        metrics = Connection(server.port, authority)
        text = metrics.ask("/metrics")[1].decode()
        metrics.close()
        return float(text.split("\ncairn_http_certificate_expiry_seconds ")[1].split()[0])

    assert expiry() == 2524608000.0  # 2050-01-01
    kept = [Connection(server.port, authority) for _ in range(20)]
    first = kept[0].leaf()
    for connection in kept:
        assert connection.ask()[0] == 200
    install(authority.leaf("second", kind=2048, end="20400101000000Z"))
    server.server.send_signal(signal.SIGHUP)
    server.wait_log("event=config.reloaded all=yes")
    for connection in kept:
        assert connection.ask("/v1/ledger")[0] == 200
    assert expiry() == 2208988800.0  # 2040-01-01
    new = Connection(server.port, authority)
    assert new.leaf() != first and new.ask()[0] == 200
    another = authority.leaf("another")[0], authority.leaf("wrong")[1]
    for count, bad in enumerate((authority.leaf("expired", **EXPIRED), another)):
        install(bad)
        server.server.send_signal(signal.SIGHUP)
        server.wait_log("event=config.refused setting=tls_certificate", count + 1)
        again = Connection(server.port, authority)
        assert again.leaf() == new.leaf() and again.ask()[0] == 200
        again.close()
    for connection in kept + [new]:
        assert connection.ask()[0] == 200
        connection.close()
    server.stop()


def clients_may_show_certificates(folder):
    authority, clients, other = (Authority(folder, n) for n in ("authority", "clients", "other"))
    server = Server(folder).serve_tls(*authority.leaf("server"), "--tls-client-ca",
                                      clients.certificate)

    def ask(*leaf, version="1.3"):
        shown = ("--cert", leaf[0], "--key", leaf[1]) if leaf else ()
        return server.curl(authority, "--tlsv1.2", "--tls-max", version, *shown)

    purpose = {"names": (), "purpose": "clientAuth"}
    good = clients.leaf("good", **purpose)
    bad = (other.leaf("stranger", **purpose), clients.leaf("server"),
           clients.leaf("expired", **purpose, **EXPIRED))
    for version in ("1.2", "1.3"):
        assert ask(version=version).returncode == 0
        done = ask(*good, version=version)
        assert done.returncode == 0 and "status" in done.stdout, done
        for leaf in bad:
            done = ask(*leaf, version=version)
            assert done.returncode != 0 and not done.stdout, (leaf, done)
    log = server.log()
    for rule in ("issuer", "extended_key_usage", "not_after"):
        assert "event=tls.client_refused rule=certificate." + rule in log, (rule, log)
    server.stop()


def silent_and_garbled_connections_are_ended(folder):
    authority = Authority(folder)
    server = Server(folder).serve_tls(*authority.leaf("server"), "--header-wait-s", "1")
    silent = [socket.create_connection(("127.0.0.1", server.port), LONG) for _ in range(30)]
    begun = socket.create_connection(("127.0.0.1", server.port), LONG)
    begun.sendall(bytes.fromhex("16030100"))
    plain = socket.create_connection(("127.0.0.1", server.port), LONG)
    plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    shaken = Connection(server.port, authority)
    kept = Connection(server.port, authority)
    assert kept.ask()[0] == 200
    begin = time.monotonic()
    for one in silent + [begun, plain, shaken.socket]:
        with contextlib.suppress(ConnectionResetError):
            rest = one.recv(100)
            while rest and not rest.startswith(b"HTTP"):
                rest = one.recv(100)
            assert not rest, rest
        one.close()
    assert time.monotonic() - begin < LONG / 2
    assert kept.ask()[0] == 200
    kept.close()
    server.stop()


def bodies_of_every_size_come_through(folder):
    authority = Authority(folder)
    server = Server(folder).serve_tls(*authority.leaf("server"))
    url = "https://localhost:%d" % server.port
    env = {"CAIRN_SERVER": url, "CAIRN_CA": str(authority.certificate)}
    key, request = folder / "alice.key", folder / "alice.req"
    server.client("key", "new", key, **env)
    server.client("key", "request", key, "--member", "alice", "--for", server.trust, "--out", request,
                  **env)
    server.client("member", "add", "alice", "--request", request, "--role", "depositor", "--key",
                  server.dir / "operator.key", **env)
    for number in range(3):
        file = folder / ("file-%d" % number)
        file.write_bytes(os.urandom(10 ** (number + 3)))
        server.client("deposit", file, "--key", key, **env)
    connection = Connection(server.port, authority)
    for size in (1, 1000, 16384, 16385, 40000, 65000):
        body = b'{"sha256":[]' + b" " * size + b"}"
        connection.socket.sendall(b"POST /v1/digests HTTP/1.1\r\nHost: x\r\nContent-Type: "
                                  b"application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        answer = connection.socket.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200") or answer.startswith(b"HTTP/1.1 4"), answer
        while not answer.endswith(b"}"):
            answer += connection.socket.recv(65536)
    assert len(connection.ask("/openapi.yaml")[1]) > 20000
    connection.close()
    server.stop()


run_cases(
    only_modern_tls_is_spoken,
    every_kind_of_key_serves,
    keys_in_tokens_serve,
    sessions_are_resumed,
    a_client_works_over_tls,
    a_client_refuses_each_bad_certificate,
    http_to_another_machine_must_be_meant,
    a_node_refuses_what_clients_would,
    off_loopback_there_is_a_name_and_tls,
    certificates_change_under_open_connections,
    clients_may_show_certificates,
    silent_and_garbled_connections_are_ended,
    bodies_of_every_size_come_through,
)
