#!/usr/bin/python3
"""usage: http_robust.py CAIRN [-k WORD]

Whatever comes over the socket, the server stays up, its memory bounded, and its answer is a problem
document that says what to do. CAIRN_SEED repeats a run.
"""
import concurrent.futures
import json
import os
import random
import socket
import struct
import sys
import time

from harness import LONG, Ledger, run_cases

CAIRN = sys.argv[1]
SEED = int(os.environ.get("CAIRN_SEED", time.time_ns() % 1000000007))
DIGESTS_MAX = 128 << 10
MEGABYTE = 1 << 20
ROUTES = (("POST", "/v1/statements"), ("POST", "/v1/batches"), ("GET", "/v1/evidence"),
          ("GET", "/v1/evidence/x"), ("POST", "/v1/digests"), ("GET", "/v1/statements/x"),
          ("GET", "/v1/statements/x/items"), ("GET", "/v1/proofs/x"), ("GET", "/v1/proofs/x/0"),
          ("GET", "/v1/ledger"), ("GET", "/v1/trust-update"), ("GET", "/v1/state/member/80"),
          ("GET", "/v1/blocks/latest"), ("GET", "/v1/members"), ("GET", "/v1/members/operator"),
          ("GET", "/v1/keys/x"), ("GET", "/healthz"), ("GET", "/openapi.yaml"))


class Raw:
    """A connection on which any bytes can be sent."""

    def __init__(self, ledger):
        self.socket = socket.create_connection(("127.0.0.1", ledger.port), LONG)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def vanish(self):
        """Goes away with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, line, body=b"", headers=()):
        lines = [line + " HTTP/1.1", "Host: localhost", *headers]
        if body:
            lines.append("Content-Length: %d" % len(body))
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def answer(self, has_body=True):
        """Status, headers, body of one answer; None if the connection ended instead."""
        first = self.file.readline()
        if not first:
            return None
        status = int(first.split()[1])
        headers = {}
        for line in iter(self.file.readline, b"\r\n"):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        body = self.file.read(int(headers["content-length"])) if has_body else b""
        return status, headers, body


def started(folder):
    return Ledger(CAIRN, folder).init().start()


def check_problem(answer, wanted):
    """A problem document (RFC 9457) with that status, a field and a remedy."""
    status, headers, body = answer
    assert status == wanted, (status, wanted, headers, body[:300])
    assert headers["content-type"] == "application/problem+json", headers
    problem = json.loads(body)
    assert problem["status"] == status and problem["type"].startswith("/problems/"), problem
    for name in ("title", "detail", "field", "remedy"):
        assert problem.get(name), (name, problem)
    return problem


def check_up(ledger):
    assert ledger.alive(), ledger.log()[-4000:]
    assert ledger.health()[0] == 200


def deposit_bytes(ledger, key, number):
    """A signed deposit that was not sent."""
    source, out = ledger.folder / "deposit.json", ledger.folder / ("deposit-%d" % number)
    digest = "%064x" % (SEED * 1000 + number)
    source.write_text(json.dumps({"items": [{"form": 0, "sha256": digest, "sm3": digest,
                                             "size": number}], "category": "test"}))
    ledger.cli("statement", "new", source, "--key", key, "--out", out)
    return out.read_bytes(), digest


def unknown_paths_and_methods_are_problems(folder):
    ledger = started(folder)
    with Raw(ledger) as raw:
        for path in ("/", "/v1", "/v1/", "/v1/ledger/", "/v1/ledgers", "//v1/ledger", "/v1/evidence/",
                     "/v1/proofs/a/0/1", "/v1/../healthz", "/healthz%2f", "/v1/blocks/latest/x"):
            raw.ask("GET " + path)
            check_problem(raw.answer(), 404)
        for own, path in ROUTES:
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "INVENTED"):
                if method == own:
                    continue
                raw.ask(method + " " + path)
                answer = raw.answer()
                assert answer[0] == 405, (method, path, answer)
                check_problem(answer, 405)
                assert own in answer[1]["allow"].split(", "), answer[1]
            raw.ask("OPTIONS " + path)
            answer = raw.answer(has_body=False)
            assert answer[0] == 204 and own in answer[1]["allow"].split(", "), answer
    check_up(ledger)
    ledger.stop()


def what_cannot_be_read_is_a_problem_with_a_remedy(folder):
    ledger = started(folder)
    chance = random.Random(SEED)
    zeros = "0" * 64
    with Raw(ledger) as raw:
        for line in ("POST /v1/statements", "POST /v1/batches", "POST /v1/digests"):
            for body in (b"", b"\0", b"{}", b"\xd2\x84", b"\xff" * 100, b"[" * 5000,
                         chance.randbytes(3000), b"\xd2" + chance.randbytes(100)):
                raw.ask(line, body, () if body else ("Content-Length: 0",))
                answer = raw.answer()
                assert 400 <= answer[0] < 500, (line, body[:20], answer)
                check_problem(answer, answer[0])
        for body in (b'{"sha256":[1]}', b'{"sha256":["00"]}', b'{"sha256":{}}', b'{"sha256":null}',
                     b'{"sm3":["' + b"g" * 64 + b'"]}', b'{"sha256":["' + b"0" * 63 + b'\\u0000"]}'):
            raw.ask("POST /v1/digests", body)
            check_problem(raw.answer(), 400)
        for path, wanted in (("/v1/evidence", 400), ("/v1/evidence?sha256=00", 400),
                             ("/v1/evidence?sha256=" + zeros + "&limit=x", 400),
                             ("/v1/evidence?sha256=" + zeros + "&limit=1001", 400),
                             ("/v1/evidence?ref=" + zeros, 400), ("/v1/evidence/nonsense", 400),
                             ("/v1/evidence/" + zeros, 404), ("/v1/evidence/" + zeros + ".65536", 400),
                             ("/v1/proofs/" + zeros + "/0", 404), ("/v1/proofs/" + zeros + "/x", 400),
                             ("/v1/proofs/" + zeros + "/99999999999999999999", 400),
                             ("/v1/blocks/99", 404), ("/v1/blocks/-1", 400), ("/v1/blocks/x", 400),
                             ("/v1/blocks/18446744073709551616", 400), ("/v1/state/member/zz", 400),
                             ("/v1/members/nobody", 404), ("/v1/keys/" + zeros, 404),
                             ("/v1/keys/x", 400), ("/v1/trust-update", 400)):
            raw.ask("GET " + path)
            answer = raw.answer()
            assert answer[0] == wanted, (path, answer)
            check_problem(answer, wanted)
    check_up(ledger)
    ledger.stop()


def bodies_too_large_are_refused_before_they_are_read(folder):
    ledger = started(folder)
    for line, limit in (("POST /v1/statements", 32 * MEGABYTE), ("POST /v1/batches", 17 * MEGABYTE),
                        ("POST /v1/digests", DIGESTS_MAX), ("GET /v1/ledger", 0)):
        for length in (limit + 1, 1 << 40, (1 << 63) - 1):
            with Raw(ledger) as raw:
                raw.ask(line, headers=("Content-Length: %d" % length,))
                check_problem(raw.answer(), 413)
    for line in ("POST /v1/digests", "GET /v1/ledger"):
        with Raw(ledger) as raw:
            raw.ask(line, headers=("Transfer-Encoding: chunked",))
            for _ in range(1 + DIGESTS_MAX // 4096):
                raw.send(b"1000\r\n" + b" " * 4096 + b"\r\n")
            raw.send(b"0\r\n\r\n")
            check_problem(raw.answer(), 413)
    check_up(ledger)
    ledger.stop()


def half_sent_requests_hurt_nobody(folder):
    ledger = started(folder)
    chance = random.Random(SEED)
    whole = b"POST /v1/digests HTTP/1.1\r\nHost: x\r\nContent-Length: 79\r\n\r\n" + (
        b'{"sha256":["' + b"0" * 64 + b'"]}')
    for cut in range(0, len(whole), 3):
        raw = Raw(ledger)
        raw.send(whole[:cut])
        if chance.random() < 0.5:
            raw.vanish()
        else:
            raw.close()
    for _ in range(40):
        with Raw(ledger) as raw:
            raw.send(chance.randbytes(chance.randrange(1, 2000)) + b"\r\n\r\n")
    waiting = [Raw(ledger) for _ in range(50)]
    for raw in waiting:
        raw.send(whole[:-1])
    check_up(ledger)
    for raw in waiting:
        raw.send(whole[-1:])
        assert raw.answer()[0] == 200
        raw.close()
    ledger.stop()


def pipelined_requests_are_answered_in_order(folder):
    ledger = started(folder)
    wanted = []
    lines = []
    for number in range(60):
        path, status = (("/v1/ledger", 200), ("/v1/nothing", 404), ("/v1/blocks/0", 200),
                        ("/v1/blocks/77", 404))[number % 4]
        lines.append("GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path)
        wanted.append(status)
    with Raw(ledger) as raw:
        raw.send("".join(lines).encode())
        got = [raw.answer()[0] for _ in wanted]
    assert got == wanted, got
    ledger.stop()


def many_connections_are_kept_alive(folder):
    ledger = started(folder)
    key = ledger.member("clerk")
    statements = [deposit_bytes(ledger, key, number)[0] for number in range(4)]

    def talk(number):
        with Raw(ledger) as raw:
            for turn in range(12):
                if turn % 3 == 0:
                    raw.ask("POST /v1/statements", statements[(number + turn) % len(statements)],
                            ("Content-Type: application/cose",))
                    wanted = 201
                else:
                    raw.ask("GET /v1/ledger")
                    wanted = 200
                answer = raw.answer()
                assert answer[0] == wanted, answer
                assert answer[1].get("connection", "keep-alive").lower() != "close", answer
        return 1

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(talk, range(64))) == 64
    # However often they were sent, each of them stands there once.
    assert ledger.json("/v1/ledger")["head"]["size"] == 2 + len(statements)
    ledger.stop()


def chunked_bodies_are_read(folder):
    ledger = started(folder)
    key = ledger.member("clerk")
    statement, _ = deposit_bytes(ledger, key, 1)
    zeros = "0" * 64
    for line, body, wanted in (("POST /v1/digests", b'{"sha256":["' + zeros.encode() + b'"]}', 200),
                               ("POST /v1/statements", statement, 201)):
        with Raw(ledger) as raw:
            raw.ask(line, headers=("Transfer-Encoding: chunked",))
            for at in range(0, len(body), 7):
                part = body[at:at + 7]
                raw.send(b"%x;extension=1\r\n%s\r\n" % (len(part), part))
            raw.send(b"0\r\nTrailer: x\r\n\r\n")
            answer = raw.answer()
            assert answer[0] == wanted, answer
            raw.ask("GET /v1/ledger")
            assert raw.answer()[0] == 200
    ledger.stop()


def a_client_that_vanishes_leaves_its_statement_behind(folder):
    ledger = started(folder)
    key = ledger.member("clerk")
    digests = []
    for number in range(12):
        statement, digest = deposit_bytes(ledger, key, number)
        raw = Raw(ledger)
        raw.ask("POST /v1/statements", statement, ("Content-Type: application/cose",))
        if number % 2:
            raw.vanish()
        else:
            raw.close()
        digests.append(digest)
        # Sent again, it is answered with its first place, whether or not that was the first time.
        if number % 3 == 0:
            status, _, body = ledger.http("POST", "/v1/statements", statement)
            assert status == 201, body
    check_up(ledger)
    found = json.loads(ledger.http("POST", "/v1/digests", json.dumps({"sha256": digests}))[2])
    assert set(digests[::3]) <= set(found["found"]), found
    ledger.stop()


def head_has_no_body_and_the_same_length(folder):
    ledger = started(folder)
    with Raw(ledger) as raw:
        for path in ("/v1/ledger", "/healthz", "/openapi.yaml", "/v1/blocks/0", "/v1/members",
                     "/v1/nothing"):
            raw.ask("GET " + path)
            get = raw.answer()
            raw.ask("HEAD " + path)
            head = raw.answer(has_body=False)
            assert head[0] == get[0], (path, head)
            if path != "/healthz":
                assert head[1]["content-length"] == get[1]["content-length"], (path, head, get)
            assert head[1]["content-type"] == get[1]["content-type"], (path, head)
        raw.ask("HEAD /v1/statements")
        assert raw.answer(has_body=False)[0] == 405
        raw.ask("GET /v1/ledger")
        assert raw.answer()[0] == 200
    ledger.stop()


def paths_are_decoded_once(folder):
    ledger = started(folder)
    with Raw(ledger) as raw:
        for path, wanted in (("/v1/members/%6Fperator", 200), ("/v1/members/%256Fperator", 404),
                             ("/v1/%6cedger", 200), ("/v1/ledger%00", 404),
                             ("/v1/ledger%00/x", 404), ("/v1/members/operator%00", 404),
                             ("/v1/members/%zz", 404), ("/v1/members/%", 404),
                             ("/v1/members/a%2Fb", 404), ("/v1/members/%E4%B8%AD", 404),
                             ("/v1/members/%ff%fe", 404), ("/v1/members/%0d%0aX:%20y", 404),
                             ("/v1/evidence?sha256=" + "%30" * 64, 404)):
            raw.ask("GET " + path)
            answer = raw.answer()
            assert answer[0] == wanted, (path, answer)
            if wanted == 404:
                check_problem(answer, 404)
    check_up(ledger)
    ledger.stop()


def long_lines_are_refused(folder):
    ledger = started(folder)
    with Raw(ledger) as raw:
        raw.ask("GET /v1/members/" + "a" * 3000)
        check_problem(raw.answer(), 414)
    for line, headers in (("GET /" + "a" * 200000, ()), ("GET /v1/ledger", ("X: " + "a" * 200000,)),
                          ("GET /v1/ledger", ["X-%d: y" % i for i in range(20000)]),
                          ("GET /v1/ledger?" + "a=b&" * 50000, ())):
        with Raw(ledger) as raw:
            try:
                raw.ask(line, headers=headers)
                answer = raw.answer()
            except (BrokenPipeError, ConnectionResetError):
                continue
            assert answer is None or 400 <= answer[0] < 500, answer
    check_up(ledger)
    ledger.stop()


def memory_is_bounded_whatever_is_sent(folder):
    ledger = started(folder)
    before = ledger.memory()
    part = b"\0" * MEGABYTE
    held = []
    for _ in range(40):
        raw = Raw(ledger)
        raw.ask("POST /v1/statements", headers=("Content-Length: %d" % (32 * MEGABYTE),))
        try:
            for _ in range(31):
                raw.send(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        held.append(raw)
    check_up(ledger)
    grown = (ledger.memory() - before) // MEGABYTE
    assert grown < 700, "%d MiB more" % grown
    refused = 0
    for raw in held:
        try:
            raw.send(part)
            answer = raw.answer()
        except (BrokenPipeError, ConnectionResetError):
            answer = None
        if answer is not None and answer[0] == 503:
            problem = check_problem(answer, 503)
            assert answer[1]["retry-after"], answer[1]
            assert problem["type"] == "/problems/busy", problem
            refused += 1
        raw.close()
    assert refused > 0, "nobody was told to come back later"
    check_up(ledger)
    print("%d MiB more while %d bodies of 32 MiB came, %d told to wait" % (
        grown, len(held), refused))
    ledger.stop()


def main():
    print("CAIRN_SEED=%d" % SEED)
    run_cases(unknown_paths_and_methods_are_problems, what_cannot_be_read_is_a_problem_with_a_remedy,
              bodies_too_large_are_refused_before_they_are_read, half_sent_requests_hurt_nobody,
              pipelined_requests_are_answered_in_order, many_connections_are_kept_alive,
              chunked_bodies_are_read, a_client_that_vanishes_leaves_its_statement_behind,
              head_has_no_body_and_the_same_length, paths_are_decoded_once, long_lines_are_refused,
              memory_is_bounded_whatever_is_sent)


main()
