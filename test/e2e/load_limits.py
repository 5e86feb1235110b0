#!/usr/bin/env python3
"""usage: load_limits.py CAIRN LOAD [-k WORD]

Clients that are slow, silent, rude or too many: each meets its bound, is told so where that is
possible, and hurts nobody else. CAIRN_SOAK_SECONDS says how long the overload lasts.
"""
import json
import os
import random
import re
import select
import socket
import sys
import threading
import time

from harness import LONG, Ledger, run, run_cases

CAIRN, LOAD = sys.argv[1], sys.argv[2]
SEED = int(os.environ.get("CAIRN_SEED", time.time_ns() % 1000000007))
SOAK = int(os.environ.get("CAIRN_SOAK_SECONDS", 5))
FLOOD = int(os.environ.get("CAIRN_FLOOD_CONNECTIONS", 900))
SANITIZED = "CAIRN_SANITIZED" in os.environ  # memory that was freed is kept for a while
MEGABYTE = 1 << 20
HASTY = ("--header-wait-s", "2", "--body-grace-s", "1", "--idle-s", "3", "--answer-wait-s", "3")


def started(folder, *options):
    return Ledger(CAIRN, folder).init().start(*options)


def dial(ledger, receive_buffer=None):
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(LONG)
    sock.connect(("127.0.0.1", ledger.port))
    return sock


def answers(sock, count=1):
    """So many answers, each a status, headers and a body."""
    file = sock.makefile("rb")
    found = []
    for _ in range(count):
        first = file.readline()
        if not first:
            break
        headers = {}
        for line in file:
            if line == b"\r\n":
                break
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        found.append((int(first.split()[1]), headers,
                      file.read(int(headers.get("content-length", 0)))))
    return found


def answer(sock):
    found = answers(sock)
    assert found, "the connection ended without an answer"
    return found[0]


def ask(ledger, head, body=b""):
    """One request on a connection of its own."""
    with dial(ledger) as sock:
        sock.sendall(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)
        return answer(sock)


def check_problem(got, status, kind):
    assert got[0] == status, got
    problem = json.loads(got[2])
    assert problem["status"] == status and problem["type"] == "/problems/" + kind, problem
    assert problem["remedy"], problem


def metric(ledger, name):
    text = ledger.http("GET", "/metrics")[2].decode()
    found = re.search("^" + re.escape(name) + r" (\S+)$", text, re.M)
    assert found, (name, text[:2000])
    return float(found.group(1))


def refusals(ledger, reason):
    return metric(ledger, 'cairn_http_refusals_total{reason="%s"}' % reason)


def wait_for(condition, what):
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def is_ended(sock):
    """Waits until the other side has ended the connection; returns what it said before."""
    said = b""
    try:
        while part := sock.recv(65536):
            said += part
    except ConnectionResetError:
        pass
    return said


def what_comes_slowly_is_ended(folder):
    ledger = started(folder, *HASTY)
    before = time.monotonic()
    silent, header, body = dial(ledger), dial(ledger), dial(ledger)
    header.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-")
    body.sendall(b"POST /v1/statements HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    done = threading.Event()

    def drip():
        # A byte now and then, which would keep a timeout that begins anew.
        while not done.wait(0.2):
            for sock in (header, body):
                try:
                    sock.sendall(b"y")
                except OSError:
                    pass

    dripping = threading.Thread(target=drip, daemon=True)
    dripping.start()
    said = [is_ended(sock) for sock in (silent, header, body)]
    took = time.monotonic() - before
    done.set()
    dripping.join()
    assert said[0] == b"", said
    assert said[1].startswith(b"HTTP/1.1 408 "), said
    assert said[2].startswith(b"HTTP/1.1 408 ") and b"16 KiB a second" in said[2], said
    assert took < 30, took
    kept = dial(ledger)
    kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer(kept)[0] == 200
    assert is_ended(kept) == b""
    assert refusals(ledger, "slow_header") == 1 and refusals(ledger, "slow_body") == 1
    ledger.stop()


def a_client_that_does_not_read_is_ended(folder):
    ledger = started(folder, *HASTY)
    sock = dial(ledger, receive_buffer=4096)
    request = b"GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n"
    sock.setblocking(False)
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        try:
            sock.send(request * 100)
        except BlockingIOError:
            select.select([], [sock], [], 0.1)
        except ConnectionError:
            break
    wait_for(lambda: refusals(ledger, "slow_reader") == 1, "nobody ended it")
    sock.close()
    assert ledger.health()[0] == 200
    ledger.stop()


def a_half_closed_client_gets_its_answers(folder):
    ledger = started(folder)
    key = ledger.member("clerk")
    deposit = ledger.folder / "deposit.json"
    deposit.write_text(json.dumps({"items": [{"form": 0, "sha256": "11" * 32, "sm3": "22" * 32,
                                              "size": 1}], "category": "test"}))
    ledger.cli("statement", "new", deposit, "--key", key, "--out", ledger.folder / "statement")
    statement = (ledger.folder / "statement").read_bytes()
    with dial(ledger) as sock:
        sock.sendall(b"GET /v1/ledger HTTP/1.1\r\nHost: x\r\n\r\n"
                     b"POST /v1/statements HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Length: %d\r\n\r\n" % len(statement) + statement)
        sock.shutdown(socket.SHUT_WR)
        found = answers(sock, 2)
    assert [got[0] for got in found] == [200, 201], found
    ledger.stop()


def bodies_are_reserved_before_they_come(folder):
    ledger = started(folder, "--memory", "64MiB")
    held = []
    for _ in range(2):
        sock = dial(ledger)
        sock.sendall(b"POST /v1/statements HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                     b"Content-Length: %d\r\n\r\n" % (26 * MEGABYTE))
        assert sock.recv(100).startswith(b"HTTP/1.1 100 "), "no room for the first two"
        held.append(sock)
    wait_for(lambda: metric(ledger, "cairn_http_memory_bytes") >= 52 * MEGABYTE, "not reserved")
    got = ask(ledger, "POST /v1/statements HTTP/1.1\nHost: x\nExpect: 100-continue\n"
                      "Content-Length: %d" % (16 * MEGABYTE))
    check_problem(got, 503, "busy")
    assert got[1]["retry-after"] == "1", got
    # What is small still has its place, and what was reserved is given back.
    assert ask(ledger, "POST /v1/digests HTTP/1.1\nHost: x\nContent-Length: 79",
               b'{"sha256":["' + b"0" * 64 + b'"]}')[0] == 200
    for sock in held:
        sock.close()
    wait_for(lambda: metric(ledger, "cairn_http_memory_bytes") < MEGABYTE, "not given back")
    assert refusals(ledger, "memory") == 1
    got = ask(ledger, "POST /v1/statements HTTP/1.1\nHost: x\nTransfer-Encoding: chunked",
              b"%x\r\n" % (2 * MEGABYTE) + bytes(2 * MEGABYTE) + b"\r\n0\r\n\r\n")
    check_problem(got, 413, "range")
    assert refusals(ledger, "chunked") == 1
    ledger.stop()


def what_leaves_its_end_open_is_refused(folder):
    ledger = started(folder)
    smuggled = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    for lines in ("Content-Length: 5\nTransfer-Encoding: chunked",
                  "Transfer-Encoding: chunked\nContent-Length: 5",
                  "Content-Length: 5\nContent-Length: 5", "Content-Length: 5\nContent-Length: 6",
                  "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: identity",
                  "Transfer-Encoding: chunked\nTransfer-Encoding: chunked",
                  "Content-Length : 5", "Content-Length: 5, 5", "Content-Length: +5",
                  "Transfer-Encoding : chunked", "Content-Length: -1", "Content-Length: 0x5"):
        with dial(ledger) as sock:
            head = "POST /v1/digests HTTP/1.1\nHost: x\n" + lines
            sock.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + smuggled)
            said = is_ended(sock)
        # The library, where it is the one that refuses, says its header twice.
        assert said.startswith(b"HTTP/1.1 400 ") and b"HTTP/1.1 200 " not in said, (lines, said)
    assert ask(ledger, "GET /healthz HTTP/1.1")[0] == 400, "no Host"
    got = ask(ledger, "GET /healthz HTTP/1.1\nHost: x\nX: " + "y" * 20000)
    check_problem(got, 431, "range")
    got = ask(ledger, "GET /healthz?" + "y" * 20000 + " HTTP/1.1\nHost: x")
    check_problem(got, 431, "range")
    assert refusals(ledger, "framing") >= 8 and refusals(ledger, "header") == 2
    assert ledger.health()[0] == 200
    ledger.stop()


def too_many_connections_are_told_so(folder):
    ledger = started(folder, "--connections", "50", *HASTY)
    held = [dial(ledger) for _ in range(50)]
    for sock in held:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer(sock)[0] == 200
    got = ask(ledger, "GET /healthz HTTP/1.1\nHost: x")
    check_problem(got, 503, "busy")
    assert got[1]["retry-after"] == "1" and got[1]["connection"] == "close", got
    # They are idle, and where there is no more room that is soon over.
    before = time.monotonic()
    wait_for(lambda: ask(ledger, "GET /healthz HTTP/1.1\nHost: x")[0] == 200, "still full")
    assert time.monotonic() - before < 20
    for sock in held:
        sock.close()
    ledger.stop()


def whoever_asks_too_often_waits(folder):
    ledger = started(folder, "--requests-per-second", "5", "--requests-burst", "10")
    with dial(ledger) as sock:
        sock.sendall(b"GET /v1/ledger HTTP/1.1\r\nHost: x\r\n\r\n" * 40)
        found = answers(sock, 40)
    refused = [got for got in found if got[0] == 429]
    assert len(found) == 40 and 25 <= len(refused) <= 30, [got[0] for got in found]
    check_problem(refused[0], 429, "too-many")
    assert int(refused[0][1]["retry-after"]) >= 1, refused[0]
    ledger.stop()


class Probe(threading.Thread):
    """Asks for health and metrics all the time, on new connections, and remembers how long it took,
    and what the database kept in memory before it wrote it down."""

    def __init__(self, ledger):
        super().__init__(daemon=True)
        self.ledger = ledger
        self.done = threading.Event()
        self.took = []
        self.failed = []
        self.unwritten = 0

    def run(self):
        while not self.done.wait(0.1):
            for path in ("/healthz", "/metrics"):
                before = time.monotonic()
                try:
                    got = ask(self.ledger, "GET %s HTTP/1.1\nHost: x" % path)
                    if got[0] != 200:
                        self.failed.append(got)
                    found = re.search(rb"^cairn_store_memtables_bytes (\S+)$", got[2], re.M)
                    self.unwritten = max(self.unwritten, float(found.group(1)) if found else 0)
                except OSError as error:
                    self.failed.append(repr(error))
                self.took.append(time.monotonic() - before)


def crowd(ledger):
    """Slow senders, never-readers and silent ones."""
    held = []
    for number in range(150):
        sock = dial(ledger, receive_buffer=4096 if number % 3 == 1 else None)
        sock.setblocking(False)
        if number % 3 == 0:
            sock.send(b"POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n")
        elif number % 3 == 1:
            sock.send(b"GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
        held.append(sock)
    return held


def check_acknowledged(ledger, path):
    """Everything is found by its digest; of some the proof is checked too."""
    lines = path.read_text().splitlines()
    digests = [line.split()[3] for line in lines]
    for at in range(0, len(digests), 1000):
        part = digests[at:at + 1000]
        status, _, body = ledger.http("POST", "/v1/digests", json.dumps({"sha256": part}))
        found = json.loads(body)
        assert status == 200 and not found["absent"], found["absent"][:3]
        for line, digest in zip(lines[at:at + 1000], part):
            assert any(place["statement"] == line.split()[0] for place in found["found"][digest])
    sample = path.with_name("sample")
    chosen = random.Random(SEED).sample(lines, min(len(lines), 300))
    sample.write_text("".join(line + "\n" for line in chosen))
    run(LOAD, "check", ledger.port, ledger.trust, sample, 0, timeout=10 * LONG)
    return len(lines)


def recovery(ledger, key):
    """Seconds until health and a deposit are answered as usual, in less than a second."""
    source, statement = ledger.folder / "after.json", ledger.folder / "after"
    source.write_text(json.dumps({"items": [{"form": 0, "sha256": "33" * 32, "sm3": "44" * 32,
                                             "size": 1}], "category": "test"}))
    before = time.monotonic()
    for number in range(1000):
        statement = ledger.folder / ("after-%d" % number)
        ledger.cli("statement", "new", source, "--key", key, "--out", statement)
        began = time.monotonic()
        if (ledger.http("POST", "/v1/statements", statement.read_bytes())[0] == 201
                and ledger.health()[0] == 200 and time.monotonic() - began < 1):
            return time.monotonic() - before
    raise AssertionError("no deposit is answered as usual")


def an_overload_loses_nothing_and_passes(folder):
    ledger = started(folder, "--memory", "64MiB", "--cache", "64MiB", "--connections", "2000")
    key = ledger.member("loader")
    acknowledged = ledger.folder / "acknowledged"
    probe = Probe(ledger)
    held = crowd(ledger)
    probe.start()
    out = run(LOAD, "flood", ledger.port, key, ledger.trust, "loader", acknowledged, SEED, FLOOD, SOAK,
              timeout=SOAK + 3 * LONG).stdout
    probe.done.set()
    probe.join()
    sent, taken, lost = map(int, out.split()[-3:])
    assert ledger.alive(), ledger.log()[-4000:]
    seconds = recovery(ledger, key)
    top = ledger.memory_top()
    count = check_acknowledged(ledger, acknowledged)
    took = sorted(probe.took)
    print("%d s: %d requests sent, %d acknowledged (1 in %.1f), %d ended otherwise; %d statements kept"
          % (SOAK, sent, taken, sent / max(taken, 1), lost, count))
    print("health and metrics: %d asked, p50 %.0f ms, p99 %.0f ms, most %.0f ms; recovered in %.1f s;"
          " at most %d MiB" % (len(took), took[len(took) // 2] * 1e3, took[len(took) * 99 // 100] * 1e3,
                               took[-1] * 1e3, seconds, top // MEGABYTE))
    assert not probe.failed, probe.failed[:3]
    # The budget; 32 KiB a connection; caches: of blocks, what is not yet in files, the index in
    # memory, twice while the first is written; and 200 MiB for all else.
    connections = (FLOOD + len(held)) / 32
    bound = 64 + connections + 64 + probe.unwritten / MEGABYTE + 2 * 64 + 200
    assert SANITIZED or top < bound * MEGABYTE, "%d MiB, bound %d MiB" % (top // MEGABYTE, bound)
    assert seconds < 15, seconds
    for sock in held:
        sock.close()
    ledger.stop()


def main():
    print("CAIRN_SEED=%d" % SEED)
    run_cases(what_comes_slowly_is_ended, a_client_that_does_not_read_is_ended,
              a_half_closed_client_gets_its_answers, bodies_are_reserved_before_they_come,
              what_leaves_its_end_open_is_refused, too_many_connections_are_told_so,
              whoever_asks_too_often_waits, an_overload_loses_nothing_and_passes)


main()
