#!/usr/bin/env python3
"""usage: operation.py CAIRN LOAD UNIT [-k WORD]

Living with a node: its settings and what is wrong with them, reload, the log in both formats, secrets and
their files, stopping under load, the second signal, what systemd is told, and the doctor.
"""
import concurrent.futures
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

from harness import LONG, Ledger, run, run_cases

CAIRN, LOAD, UNIT = sys.argv[1:4]
PAIR = re.compile(r'([a-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^ "]*)(?: |$)')


def logfmt(line):
    """A line as an object; fails unless all of it is pairs."""
    pairs, end = {}, 0
    for match in PAIR.finditer(line):
        assert match.start() == end, line
        end = match.end()
        value = match.group(2)
        pairs[match.group(1)] = json.loads(value) if value.startswith('"') else value
    assert end == len(line), line
    return pairs


class Node(Ledger):
    """A ledger whose settings stand in its cairn.conf."""

    def settings(self, *lines):
        (self.dir / "cairn.conf").write_text("".join(line + "\n" for line in lines))
        return self

    def launch(self, **environment):
        self.errors = open(self.folder / "server.log", "ab")
        self.server = subprocess.Popen(
            [self.cairn, "run", str(self.dir), "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
            stderr=self.errors, env=dict(os.environ, **environment))
        return self

    def refused(self, *words):
        """It does not start, and says so in one line with these words."""
        done = run(CAIRN, "run", self.dir, "--listen", "127.0.0.1:0", wanted=None)
        assert done.returncode != 0 and done.stdout == "", done
        last = done.stderr.strip().split("\n")[-1]
        for word in words:
            assert word in last, (word, done.stderr)

    def events(self, name=None):
        lines = [line for line in self.log().split("\n") if line]
        parse = json.loads if lines and lines[0].startswith("{") else logfmt
        return [event for event in map(parse, lines) if name in (None, event["event"])]

    def wait_event(self, name, count=1):
        end = time.monotonic() + LONG
        while len(self.events(name)) < count:
            assert time.monotonic() < end, (name, self.log())
            time.sleep(0.02)
        return self.events(name)[-1]

    def hang_up(self):
        self.server.send_signal(signal.SIGHUP)


def make(folder):
    return Node(CAIRN, folder).init()


# ---- settings

def wrong_settings_are_named(folder):
    node = make(folder)
    sample = (node.dir / "cairn.conf").read_text()
    assert "\n#listen = 127.0.0.1:8420\n" in sample
    for line, words in (("memry = 1 GiB", ("line 2", "memry", "is not a setting")),
                        ("memory = 256 MB", ("line 2", "memory", "256 MB", "MiB")),
                        ("idle_s = 1\nidle_s = 2", ("line 3", "idle_s", "line 2")),
                        ("listen = 0.0.0.0:1", ("listen", "tls_certificate")),
                        ("origin = https://192.0.2.1", ("origin", "192.0.2.1", "DNS name")),
                        ("read = all", ("line 2", "public members roles"))):
        node.settings("# settings", line)
        done = run(CAIRN, "config", "check", node.dir, wanted=None)
        assert done.returncode in (1, 2), done
        for word in words:
            assert word in done.stderr, (word, done.stderr)
    node.refused("read", "public members roles")


def settings_say_where_they_come_from(folder):
    node = make(folder).settings("memory = 1 GiB", "witness = https://a a+1+x")
    assert "is good" in run(CAIRN, "config", "check", node.dir).stdout
    shown = json.loads(run(CAIRN, "config", "show", node.dir, "--json", "--idle-s", "5",
                           "--log-requests").stdout)
    assert (shown["memory"]["value"], shown["memory"]["from"], shown["memory"]["line"]) == (
        "1 GiB", "file", 1)
    assert (shown["idle_s"]["value"], shown["idle_s"]["from"]) == ("5", "option")
    assert (shown["log_requests"]["value"], shown["cache"]["from"]) == ("yes", "default")
    assert shown["witness"]["value"] == ["https://a a+1+x"] and shown["tls_key"]["value"] is None
    text = run(CAIRN, "config", "show", node.dir).stdout
    assert re.search(r"^memory +=+ 1 GiB +# file, line 1$", text, re.M), text


def a_reload_takes_what_can_change(folder):
    node = make(folder).settings("log_level = debug").start()
    assert node.http("GET", "/v1/blocks/latest")[0] == 200
    node.settings("log_level = debug", "read = members", "idle_s = 7")
    node.hang_up()
    assert node.wait_event("config.reloaded")["all"] == "no"
    assert node.events("config.needs_restart")[-1]["setting"] == "idle_s"
    assert node.http("GET", "/v1/blocks/latest")[0] == 401
    node.settings("read = nobody")
    node.hang_up()
    failed = node.wait_event("config.reload_failed")
    assert "line 1" in failed["field"] and failed["value"] == "nobody", failed
    assert node.http("GET", "/v1/blocks/latest")[0] == 401
    node.settings("read_roles = nobody")
    node.hang_up()
    assert node.wait_event("config.refused")["setting"] == "read_roles"
    node.settings("requests_per_second = 1", "requests_burst = 3")
    node.hang_up()
    node.wait_event("config.reloaded", 3)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert 429 in pool.map(lambda _: node.http("GET", "/v1/blocks/latest")[0], range(64))
    node.settings("log_level = error")
    node.hang_up()
    end = time.monotonic() + LONG
    while node.http("GET", "/v1/blocks/latest")[0] != 200:
        assert time.monotonic() < end
    node.stop()
    assert not node.events("node.stopped"), "the level was not lowered"


# ---- the log and secrets

def the_log_parses_and_names_nobody(folder):
    for number, form in enumerate(("logfmt", "json")):
        here = folder / form
        here.mkdir()
        node = make(here).settings("log_format = " + form, "log_level = debug", "log_requests = yes")
        node.start()
        node.cli("deposit", node.member("gertrud-stein"), "--key", here / "gertrud-stein.key",
                 "--trust", node.trust, "--proofs", "none", "--plain")
        node.http("GET", "/v1/members/gertrud-stein")
        node.stop()
        names = [event["event"] for event in node.events()]
        assert names[0] == "node.started" and names[-1] == "node.stopped", (number, names)
        answered = node.events("http.answered")
        assert {"GET", "POST"} <= {event["method"] for event in answered}, answered
        assert "/v1/members/{id}" in {event["route"] for event in answered}, answered
        assert all(re.fullmatch("[0-9a-f]{16}", event["request"]) for event in answered)
        assert all(event["time"].endswith("Z") for event in node.events())
        assert "gertrud" not in node.log() and "PRIVATE" not in node.log()


def encrypt(node, passphrase):
    """The receipt key under a passphrase, as OpenSSL does it."""
    key = node.dir / "keys/receipt.key"
    run("openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", key, "-out", folder_new(key),
        "-passout", "pass:" + passphrase)
    os.chmod(folder_new(key), 0o600)
    os.replace(folder_new(key), key)


def folder_new(path):
    return path.with_suffix(".new")


def secrets_come_from_private_files_alone(folder):
    node = make(folder)
    key = node.dir / "keys/receipt.key"
    for mode in (0o640, 0o604):
        os.chmod(key, mode)
        node.refused("receipt.key", "chmod 600")
    os.chmod(key, 0o600)
    encrypt(node, "correct horse")
    node.refused("receipt.key", "passphrase")
    secret = folder / "passphrase"
    secret.write_text("correct horse\n")
    secret.chmod(0o644)
    node.settings("passphrase_file = %s" % secret)
    node.refused("passphrase", "0600")
    secret.chmod(0o400)
    node.start().stop()
    assert "horse" not in node.log()
    credentials = folder / "credentials"
    credentials.mkdir()
    shutil.copy(secret, credentials / "key-passphrase")
    node.settings()
    node.launch(CREDENTIALS_DIRECTORY=str(credentials))
    assert node.server.stdout.readline().startswith(b"listening")
    node.stop()


# ---- stopping

def start_load(node, key):
    load = subprocess.Popen([LOAD, "send", str(node.port), str(key), str(node.trust), "loader",
                             str(node.folder / "acknowledged"), "1"], stdout=subprocess.PIPE)
    assert select.select([load.stdout], [], [], LONG)[0] and load.stdout.readline() == b"first\n"
    return load


def check_load(node, load):
    """Whatever was acknowledged is there after a restart; returns how much that is."""
    assert load.wait(LONG) == 0
    load.stdout.close()
    node.start()
    done = run(LOAD, "check", node.port, node.trust, node.folder / "acknowledged", 0,
               timeout=10 * LONG)
    node.stop()
    return int(done.stdout)


class Stubborn:
    """A client that asks for much and reads nothing."""

    def __init__(self, port):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setblocking(False)
        request = b"GET /openapi.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for _ in range(2000):
            try:
                self.socket.send(request)
            except BlockingIOError:
                break

    def close(self):
        self.socket.close()


def half_a_body(port):
    """A client that stops in the middle of its body."""
    slow = socket.create_connection(("127.0.0.1", port), LONG)
    slow.sendall(b"POST /v1/statements HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
                 b"Content-Type: application/cose\r\n\r\n" + 100 * b"x")
    return slow


def a_stop_under_load_answers_and_loses_nothing(folder):
    node = make(folder).start()
    load = start_load(node, node.member("loader"))
    slow, stubborn = half_a_body(node.port), Stubborn(node.port)
    idle = socket.create_connection(("127.0.0.1", node.port), LONG)
    time.sleep(0.3)  # not a wait: that much load
    began = time.monotonic()
    node.server.send_signal(signal.SIGTERM)
    assert node.server.wait(LONG) == 0, node.log()
    took = time.monotonic() - began
    assert took < 12, took
    try:
        socket.create_connection(("127.0.0.1", node.port), 1).close()
        raise AssertionError("somebody still listens")
    except ConnectionRefusedError:
        pass
    node.stop()
    events = [event["event"] for event in node.events()]
    assert events[-2:] == ["node.stopping", "node.stopped"], events
    for client in (slow, stubborn, idle):
        client.close()
    print("%d acknowledged; stopped in %.1f s" % (check_load(node, load), took))


def a_second_signal_ends_it_at_once(folder):
    node = make(folder).start()
    key = node.member("loader")
    for second, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        if node.server is None:
            node.start()
        load = start_load(node, key)
        stubborn = Stubborn(node.port)
        time.sleep(0.3)  # not a wait: that much load
        node.server.send_signal(signal.SIGTERM)
        node.wait_event("node.stopping")
        time.sleep(0.2)
        assert node.alive(), "nothing held the stop up"
        began = time.monotonic()
        node.server.send_signal(second)
        assert node.server.wait(LONG) == status, node.log()
        assert time.monotonic() - began < 1
        node.server.stdout.close()
        node.errors.close()
        node.server = None
        stubborn.close()
        print("%d acknowledged" % check_load(node, load))
        (node.folder / "acknowledged").unlink()
        (node.folder / "server.log").unlink()


# ---- systemd

def systemd_is_told(folder):
    node = make(folder)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(folder / "notify"))
    listener.settimeout(LONG)

    def told(words):
        text = ""
        while words not in text:
            text = listener.recv(4096).decode()
        return text

    node.launch(NOTIFY_SOCKET=str(folder / "notify"), WATCHDOG_USEC="4000000")
    assert node.server.stdout.readline().startswith(b"listening")
    assert "STATUS=Serving." in told("READY=1")
    told("WATCHDOG=1")
    node.hang_up()
    assert re.search(r"MONOTONIC_USEC=\d+", told("RELOADING=1"))
    told("READY=1")
    node.server.send_signal(signal.SIGTERM)
    told("STOPPING=1")
    assert node.server.wait(LONG) == 0
    node.stop()
    listener.close()


def the_unit_is_sandboxed(folder):
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is not here")
        return
    unit = folder / "cairn@court.service"
    with open(UNIT, encoding="utf-8") as file:
        unit.write_text(file.read().replace("@bindir@", "/usr/bin"))
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15",
               unit)
    print(done.stdout.strip().split("\n")[-1])


# ---- the doctor

def findings(node, what, wanted):
    done = run(CAIRN, "doctor", what, "--json", wanted=None)
    assert done.returncode in (0, 1), done
    seen = json.loads(done.stdout)
    assert (done.returncode == 1) == (seen["worst"] in ("warn", "error")), seen
    by_check = {}
    for one in seen["findings"]:
        if one["severity"] in ("warn", "error"):
            assert one["remedy"], one
        by_check.setdefault(one["check"], []).append(one)
    assert set(wanted) <= set(by_check), (node.dir, wanted, by_check)
    return by_check


def the_doctor_finds_what_is_wrong(folder):
    node = make(folder)
    found = findings(node, node.dir, ("settings", "secrets", "memory", "files", "disk", "ledger",
                                      "keys", "growth", "clock", "scrub"))
    assert found["ledger"][0]["severity"] == "ok" and found["scrub"][0]["severity"] == "note"
    os.chmod(node.dir / "keys/receipt.key", 0o644)
    found = findings(node, node.dir, ("secrets",))
    assert any("chmod 600" in (one["remedy"] or "") for one in found["secrets"]), found
    os.chmod(node.dir / "keys/receipt.key", 0o600)
    node.start()
    url = "http://127.0.0.1:%d" % node.port
    found = findings(node, url, ("node", "ledger", "version", "limits", "files", "index", "disk",
                                 "growth", "clock", "scrub"))
    assert found["version"][0]["severity"] == "ok"
    text = run(CAIRN, "doctor", url, wanted=None).stdout
    assert re.search(r"^ok +node +http://127.0.0.1:\d+ answers$", text, re.M), text
    node.settings("listen = 127.0.0.1:%d" % node.port)
    assert "node" in findings(node, node.dir, ("node", "secrets", "version"))
    node.settings("listen = 127.0.0.1:0")
    found = findings(node, node.dir, ("ledger",))
    assert "cairn doctor URL" in found["ledger"][0]["remedy"], found
    node.stop()
    found = findings(node, url, ("node",))
    assert found["node"][0]["severity"] == "error", found
    node.settings("nonsense = 1")
    assert findings(node, node.dir, ("settings",))["settings"][0]["severity"] == "error"
    assert run(CAIRN, "doctor", folder / "nothing", wanted=2).stdout == ""


run_cases(wrong_settings_are_named, settings_say_where_they_come_from,
          a_reload_takes_what_can_change, the_log_parses_and_names_nobody,
          secrets_come_from_private_files_alone, a_stop_under_load_answers_and_loses_nothing,
          a_second_signal_ends_it_at_once, systemd_is_told, the_unit_is_sandboxed,
          the_doctor_finds_what_is_wrong)
