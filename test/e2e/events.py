#!/usr/bin/python3
"""usage: events.py CAIRN [-k WORD]

Event streams: what they tell, where they go on, what they cost.
"""
import json
import os
import resource
import socket
import subprocess
import sys
import time

from harness import LONG, Ledger, run_cases

CAIRN = sys.argv[1]


class Stream:
    """One connection that listens to /v1/events."""

    def __init__(self, port, query="", last=None, token=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LONG)
        headers = "Host: localhost\r\nAccept: text/event-stream\r\n"
        if last:
            headers += "Last-Event-ID: %s\r\n" % last
        if token:
            headers += "Authorization: Bearer %s\r\n" % token
        self.socket.sendall(("GET /v1/events%s HTTP/1.1\r\n%s\r\n" % (query, headers)).encode())
        self.raw = b""
        self.text = ""
        while b"\r\n\r\n" not in self.raw:
            self.fill()
        head, self.raw = self.raw.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {line.split(": ")[0].lower(): line.split(": ")[1] for line in lines[1:]}

    def fill(self):
        part = self.socket.recv(65536)
        if not part:
            raise EOFError
        self.raw += part

    def chunk(self):
        """Takes one chunk of the body, if it is there whole."""
        if b"\r\n" not in self.raw:
            return None
        size, rest = self.raw.split(b"\r\n", 1)
        length = int(size, 16)
        if len(rest) < length + 2:
            return None
        self.raw = rest[length + 2:]
        if length == 0:
            raise EOFError
        return rest[:length].decode()

    def block(self):
        """The next lines up to an empty one."""
        while "\n\n" not in self.text:
            part = self.chunk()
            if part is None:
                self.fill()
            else:
                self.text += part
        lines, self.text = self.text.split("\n\n", 1)
        return lines.split("\n")

    def event(self):
        """The next event: its kind, its id and its data. Comments and empty ones are passed over,
        as WHATWG's reader does."""
        while True:
            fields = dict(line.split(": ", 1) for line in self.block() if not line.startswith(":"))
            if "data" in fields:
                return fields["event"], fields["id"], json.loads(fields["data"])

    def close(self):
        self.socket.close()


def deposit(ledger, key, name):
    path = ledger.folder / name
    path.write_text(name)
    ledger.cli("deposit", path, "--key", key, "--out", ledger.folder)


def blocks_are_told_and_streams_go_on(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    key = ledger.member("clerk")
    stream = Stream(ledger.port)
    assert stream.status == 200, stream.status
    assert stream.headers["content-type"] == "text/event-stream", stream.headers
    assert stream.headers["cache-control"] == "no-store", stream.headers
    opening = stream.block()
    first = ledger.json("/v1/ledger")["head"]
    assert opening == ["retry: 2000", "id: 0.%d" % first["height"]], opening
    for number in range(3):
        deposit(ledger, key, "paper-%d" % number)
        kind, where, data = stream.event()
        assert (kind, where) == ("block", "0.%d" % data["height"]), (kind, where, data)
        assert data == ledger.json("/v1/blocks/%d" % data["height"]), data
    stream.close()
    # From a remembered event, by header and by query; then live.
    for again in (Stream(ledger.port, last=opening[1][4:]),
                  Stream(ledger.port, "?after=" + opening[1][4:])):
        told = [again.event()[2]["height"] for _ in range(ledger.height() - first["height"])]
        assert told == list(range(first["height"] + 1, ledger.height() + 1)), told
        deposit(ledger, key, "paper-%d" % ledger.height())
        assert again.event()[2]["height"] == ledger.height()
        again.close()
    everything = Stream(ledger.port, last="0.0")
    assert [everything.event()[2]["height"] for _ in range(ledger.height())] == list(
        range(1, ledger.height() + 1))
    everything.close()
    ledger.stop()


def a_restart_of_the_server_costs_no_event(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    key = ledger.member("clerk")
    stream = Stream(ledger.port)
    deposit(ledger, key, "before")
    last = stream.event()[1]
    started = time.monotonic()
    ledger.stop()
    assert time.monotonic() - started < 8, "streams held the server up"
    try:
        stream.block()
        raise AssertionError("the stream goes on")
    except (EOFError, ConnectionError):
        pass
    ledger.start()
    deposit(ledger, key, "between")
    again = Stream(ledger.port, last=last)
    assert again.event()[1] == "0.%d" % ledger.height()
    again.close()
    ledger.stop()


def members_hear_of_their_own_statements(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    keys = {name: ledger.member(name) for name in ("clerk", "judge")}
    session = json.loads(ledger.cli("session", "new", "--key", keys["clerk"], "--json").stdout)
    stream = Stream(ledger.port, token=session["token"])
    deposit(ledger, keys["judge"], "a judge's")
    assert stream.event()[0] == "block"
    deposit(ledger, keys["clerk"], "a clerk's")
    kind, where, record = stream.event()
    assert (kind, record["submitter"]) == ("statement", "clerk"), (kind, record)
    assert where == "0.%d.%d" % (record["height"], record["index"]), (where, record)
    assert stream.event()[1] == "0.%d" % record["height"]
    stream.close()
    # In the middle of a block, and all from the beginning: two registrations and a deposit of others.
    again = Stream(ledger.port, last=where, token=session["token"])
    assert again.event()[:2] == ("block", "0.%d" % record["height"])
    again.close()
    everything = Stream(ledger.port, last="0.0", token=session["token"])
    told = [everything.event()[0] for _ in range(ledger.height() + 1)]
    assert told == ["block"] * (ledger.height() - 1) + ["statement", "block"], told
    everything.close()
    ledger.stop()


def watch_shows_events_and_comes_again(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    key = ledger.member("clerk")
    deposit(ledger, key, "one")
    height = ledger.height()
    text = ledger.cli("watch", "--after", "0.0", "--count", height).stdout.splitlines()
    assert len(text) == height and all(line.startswith("block 20") for line in text), text
    lines = ledger.cli("watch", "--after", "0.%d" % (height - 1), "--count", 2, "--key", key,
                       "--json").stdout.splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["event"] for event in events] == ["statement", "block"], events
    assert events[1]["id"] == "0.%d" % height, events
    shown = ledger.cli("watch", "--after", "0.%d" % (height - 1), "--count", 1, "--key", key).stdout
    assert shown.startswith("statement 20") and "evidence.deposit" in shown, shown
    gap = ledger.cli("watch", "--after", "9.9", "--count", 1).stdout
    assert gap == "blocks before %d are not told\n" % (height + 1), gap
    assert "id of an event" in ledger.cli("watch", "--after", "x", wanted=1).stderr
    assert "--count" in ledger.cli("watch", "--count", "0", wanted=2).stderr
    # It waits for a server that goes away, and misses nothing.
    env = dict(os.environ, CAIRN_SERVER="http://127.0.0.1:%d" % ledger.port)
    watching = subprocess.Popen([CAIRN, "watch", "--count", "2", "--json", "--after",
                                 "0.%d" % (height - 1)], env=env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
    assert json.loads(watching.stdout.readline())["data"]["height"] == height
    port = ledger.port
    ledger.kill()
    ledger.start("--listen", "127.0.0.1:%d" % port)
    deposit(ledger, key, "two")
    assert json.loads(watching.stdout.readline())["data"]["height"] == height + 1
    assert watching.wait(LONG) == 0
    watching.stdout.close()
    watching.stderr.close()
    ledger.stop()
    assert "could not be reached" in ledger.cli("watch", wanted=2).stderr


def what_cant_be_resumed_is_said(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    height = ledger.height()
    for unknown in ("7.1", "0.999", "0.0.9"):
        kind, where, data = Stream(ledger.port, last=unknown).event()
        assert (kind, where) == ("gap", "0.%d" % height), (kind, where)
        assert data == {"asked": unknown, "next": height + 1}, data
    for wrong in ("x", "1", "1.", ".1", "1.2.3.4", "1.2 ", "-1.2", "9" * 30 + ".1", "0." + "0" * 99):
        stream = Stream(ledger.port, last=wrong)
        assert stream.status == 400, (wrong, stream.status)
        assert stream.headers["content-type"] == "application/problem+json", stream.headers
    status, headers, body = ledger.http("HEAD", "/v1/events")
    assert (status, headers["Content-Type"], body) == (200, "text/event-stream", b"")
    ledger.stop()


def a_quiet_stream_is_kept_alive_by_comments(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    stream = Stream(ledger.port)
    stream.block()
    started = time.monotonic()
    assert stream.block() == [":"]
    waited = time.monotonic() - started
    assert 10 < waited < 17, waited
    ledger.stop()


def many_idle_streams_cost_little(folder):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = 2500 if hard == resource.RLIM_INFINITY or hard >= 4096 else 900
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 200), hard))
    ledger = Ledger(CAIRN, folder).init().start("--connections", str(count + 100))
    key = ledger.member("clerk")
    deposit(ledger, key, "before")
    before = ledger.memory()
    streams = [Stream(ledger.port) for _ in range(count)]
    for stream in streams:
        stream.block()
    deposit(ledger, key, "while")
    height = ledger.height()
    for stream in streams:
        assert stream.event()[2]["height"] == height
    each = (ledger.memory() - before) / count
    print("%d bytes a stream" % each)
    # 10,000 of them are to stay below 300 MB; a sanitizer's own memory is not counted.
    assert each < 30000 or os.environ.get("CAIRN_SANITIZED", "none") != "none", each
    for stream in streams:
        stream.close()
    assert ledger.json("/v1/ledger")["head"]["height"] == height
    ledger.stop()


def main():
    run_cases(blocks_are_told_and_streams_go_on, a_restart_of_the_server_costs_no_event,
              what_cant_be_resumed_is_said, members_hear_of_their_own_statements,
              watch_shows_events_and_comes_again, many_idle_streams_cost_little,
              a_quiet_stream_is_kept_alive_by_comments)


main()
