"""usage: http_fuzz_cases.py CAIRN [-k WORD]

Run by http_fuzz.py, with boofuzz. Mutated requests for CAIRN_FUZZ_SECONDS (10): the server stays up,
answers health in between, its memory stays where it was, and no sanitizer has anything to say.
CAIRN_SEED repeats a run.
"""
import os
import pathlib
import random
import sys
import time

from boofuzz import (Block, Delim, Group, Request, Session, Size, Static, String, Target,
                     TCPSocketConnection)

from harness import Ledger, run_cases

CAIRN = pathlib.Path(sys.argv[1]).resolve()
SEED = int(os.environ.get("CAIRN_SEED", time.time_ns() % 1000000007))
SECONDS = float(os.environ.get("CAIRN_FUZZ_SECONDS", 10))
SANITIZED = "CAIRN_SANITIZED" in os.environ  # memory that was freed is kept for a while
CHUNK = 40  # mutations in a row
GROWTH_MAX = 64 << 20


def line(method, target):
    """A request line, each part of which is mutated."""
    return Block("line", children=(
        Group("method", values=[method, "GET", "POST", "HEAD", "OPTIONS", "PUT"]), Delim("a", " "),
        String("target", target), Delim("b", " "), String("version", "HTTP/1.1"),
        Static("end", "\r\n")))


def field(name, value):
    return Block("field-" + name, children=(
        String("name-" + name, name), Delim("colon-" + name, ":"), Delim("blank-" + name, " "),
        String("value-" + name, value), Delim("end-" + name, "\r\n")))


def requests():
    """What is mutated: plain, conditional, with a length, in chunks, pipelined."""
    return (
        lambda: Request("plain", children=(
            line("GET", "/v1/evidence?sha256=00"), field("Host", "localhost"),
            field("Accept", "*/*"), field("If-None-Match", "\"a\", W/\"b\""), Static("x", "\r\n"))),
        lambda: Request("length", children=(
            line("POST", "/v1/digests"), field("Host", "localhost"),
            Block("length", children=(Static("n", "Content-Length: "),
                                      Size("size", "body", output_format="ascii", fuzzable=True),
                                      Delim("m", "\r\n"))),
            field("Expect", "100-continue"), Static("x", "\r\n"),
            Block("body", children=(String("json", "{\"sha256\":[\"" + "0" * 64 + "\"]}"),)))),
        lambda: Request("chunks", children=(
            line("POST", "/v1/statements"), field("Host", "localhost"),
            field("Transfer-Encoding", "chunked"), Static("x", "\r\n"),
            Block("chunk", children=(String("hex", "4"), Delim("ext", ";a=b"), Delim("c", "\r\n"),
                                     String("data", "\xd2\x84abc"[:4]), Delim("d", "\r\n"))),
            String("last", "0"), Static("y", "\r\n"), field("Trailer", "x"), Static("z", "\r\n"))),
        lambda: Request("pipeline", children=(
            line("HEAD", "/healthz"), field("Host", "localhost"), Static("x", "\r\n"),
            Static("second", "GET /v1/ledger HTTP/1.1\r\nHost: x\r\nContent-Length: "),
            String("count", "0"), Static("y", "\r\n\r\n"))),
    )


def session(ledger, request, first=0, count=0):
    target = Target(connection=TCPSocketConnection("127.0.0.1", ledger.port, send_timeout=2,
                                                   recv_timeout=0.01))
    made = Session(target=target, index_start=first + 1, index_end=first + count or None,
                   sleep_time=0, web_port=None, console_gui=False, keep_web_open=False,
                   fuzz_loggers=[],
                   receive_data_after_fuzz=True, ignore_connection_reset=True,
                   ignore_connection_aborted=True, db_filename=":memory:")
    made.connect(request)
    return made


def mutated_requests_hurt_nobody(folder):
    os.chdir(folder)  # where the fuzzer keeps its notes
    chance = random.Random(SEED)
    ledger = Ledger(CAIRN, folder).init().start()
    kinds = requests()
    totals = [session(ledger, kind()).num_mutations(max_depth=1) for kind in kinds]
    ledger.health()
    before = ledger.memory()
    sent = 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        which = chance.randrange(len(kinds))
        session(ledger, kinds[which](), chance.randrange(max(1, totals[which] - CHUNK)), CHUNK).fuzz(
            max_depth=1)
        sent += CHUNK
        assert ledger.alive(), ledger.log()[-4000:]
        assert ledger.health()[0] == 200
    grown = ledger.memory() - before
    assert SANITIZED or grown < GROWTH_MAX, "%d bytes more" % grown
    ledger.stop()
    for word in ("ERROR: ", "runtime error", "bug at"):
        assert word not in ledger.log(), ledger.log()[-8000:]
    print("about %d of %d mutations in %.0f s" % (sent, sum(totals), SECONDS))


def main():
    print("CAIRN_SEED=%d" % SEED)
    run_cases(mutated_requests_hurt_nobody)


main()
