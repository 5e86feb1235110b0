#!/usr/bin/python3
"""usage: audit.py CAIRN SOURCES [-k WORD]

The audit log of a real node: what it writes down, that no line can be changed, cut or moved unseen, and
that its head is deposited and proves the log to a stranger.
"""
import hashlib
import json
import pathlib
import re
import sys
import time

from harness import LONG, Ledger, run, run_cases

CAIRN, SOURCES = sys.argv[1], pathlib.Path(sys.argv[2])
ZEROS = "0" * 64
DAY_MS = 86400000


def lines(ledger):
    return [json.loads(line) for line in (ledger.dir / "audit.log").read_text().splitlines()]


def acts(ledger):
    return [line[2] for line in lines(ledger)]


def verify(ledger, *words, wanted=0):
    return ledger.cli("audit", "verify", ledger.dir, *words, wanted=wanted)


def the_page_names_every_act(_):
    source = (SOURCES / "src/store/audit.h").read_text()
    table = re.sub(r"\\\n", " ", source[source.index("#define AUDIT_TABLE"):])
    rows = dict(re.findall(r'X\(AUDIT_\w+,\s*"([^"]+)",\s*"([^"]+)"\)', table))
    page = (SOURCES / "docs/audit.md").read_text()
    assert rows and rows == dict(re.findall(r"^\| `([\w.]+)` \| (.*) \|$", page, re.M)), rows


def what_operators_do_is_written_down_and_chained(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    key = ledger.member("clerk")
    paper = folder / "paper.txt"
    paper.write_text("paper")
    ledger.cli("deposit", paper, "--key", key, "--out", folder)
    ledger.cli("member", "rotate", "clerk", "--request", request(ledger, "clerk", "second"), "--key",
               key)
    ledger.stop()
    log = lines(ledger)
    assert [line[0] for line in log] == list(range(1, len(log) + 1))
    previous = ZEROS
    for line, text in zip(log, (ledger.dir / "audit.log").read_bytes().splitlines(True)):
        assert line[5] == previous, line
        previous = hashlib.sha256(text).hexdigest()
    number, head = (ledger.dir / "audit.head").read_text().split()
    assert (int(number), head) == (len(log), previous)
    # The member's own rotation and the deposit are no operator's acts.
    assert acts(ledger) == ["node.start", "key.open", "key.open", "key.open", "config.load",
                            "statement.taken", "node.stop"], acts(ledger)
    taken = log[5]
    assert taken[4]["action"] == "member.register" and len(taken[3]) == 64, taken
    config = hashlib.sha256((ledger.dir / "cairn.conf").read_bytes()).hexdigest()
    assert log[4][4]["sha256"] == config, log[4]
    assert [line[4]["purpose"] for line in log[1:4]] == ["receipt", "checkpoint", "audit"]
    verify(ledger)
    shown = json.loads(ledger.cli("audit", "show", ledger.dir, "--json", "--act",
                                  "statement.taken").stdout)
    assert len(shown) == 1 and shown[0]["who"] == taken[3], shown
    assert "node.stop" in ledger.cli("audit", "show", ledger.dir, "--from", len(log)).stdout
    assert (ledger.dir / "audit.log").stat().st_mode & 0o077 == 0


def request(ledger, member, name):
    key, out = ledger.folder / (name + ".key"), ledger.folder / (name + ".req")
    ledger.cli("key", "new", key)
    ledger.cli("key", "request", key, "--member", member, "--for", ledger.trust, "--out", out)
    return out


def tampering_is_found_and_named(folder):
    ledger = Ledger(CAIRN, folder).init()
    for _ in range(2):
        ledger.start()
        ledger.stop()
    path, head = ledger.dir / "audit.log", ledger.dir / "audit.head"
    good = path.read_bytes()
    text = good.splitlines(True)
    count = len(text)
    cases = [
        (b"".join(text[:-1]), "act %d of %d" % (count - 1, count)),
        (b"".join(text[:1] + text[2:]), "holds act 3 where act 2 belongs"),
        (b"".join([text[1], text[0]] + text[2:]), "is where the log begins"),
        (b"".join([text[0], text[2], text[1]] + text[3:]), "holds act 3 where act 2 belongs"),
        (good[:-1], "is not finished"),
        (good + text[-1], "holds act %d where act %d belongs" % (count, count + 1)),
    ]
    for number in range(count):
        changed = list(text)
        changed[number] = re.sub(rb'"user:\w+"|"uid:\d+"', b'"user:nobody_else"', text[number])
        assert changed[number] != text[number]
        cases.append((b"".join(changed), "does not follow act %d" % (number + 1)
                      if number + 1 < count else "is not the line that audit.head knows"))
    for content, words in cases:
        path.write_bytes(content)
        done = verify(ledger, wanted=1)
        assert words in done.stderr and "audit.log" in done.stderr, (words, done.stderr)
        answer = json.loads(verify(ledger, "--json", wanted=1).stdout)
        assert not answer["holds"] and words in str(answer["error"]), (words, answer)
    path.write_bytes(good)
    verify(ledger)
    head.unlink()
    verify(ledger, wanted=2)
    # A node that starts on a log that was cut says so, counts it, and writes it down.
    path.write_bytes(b"".join(text[:-2]))
    head.write_text("%020d %s\n" % (count, hashlib.sha256(text[-1]).hexdigest()))
    ledger.start()
    metrics = ledger.http("GET", "/metrics")[2].decode()
    assert 'cairn_audit_errors_total{kind="verify"} 1\n' in metrics
    ledger.stop()
    assert "audit.broken" in acts(ledger) and "event=audit.broken" in ledger.log()
    assert lines(ledger)[count - 2][0] == count + 1
    verify(ledger, wanted=1)


def yesterday(ledger):
    """Makes the node believe that it deposited a line that there never was, a day ago."""
    (ledger.dir / "audit.deposits").write_text('[1,"%s",%d,"%s",1]\n' % (
        ZEROS, int(time.time() * 1000) - DAY_MS, ZEROS))


def deposited(ledger):
    """Waits for the next deposit and returns its note."""
    path = ledger.dir / "audit.deposits"
    end = time.monotonic() + LONG
    while path.read_text().count("\n") < 2:
        assert time.monotonic() < end, ledger.log()[-2000:]
        time.sleep(0.02)
    return json.loads(path.read_text().splitlines()[-1])


def proof_of(ledger, note):
    out = ledger.folder / ("audit-%d.proof" % note[0])
    ledger.cli("proof", note[3] + ".0", "--out", out)
    return out


def the_head_is_deposited_and_proves_the_log(folder):
    ledger = Ledger(CAIRN, folder).init()
    yesterday(ledger)
    ledger.start()
    note = deposited(ledger)
    key = ledger.member("clerk")
    assert key.exists()
    proof = proof_of(ledger, note)
    record = ledger.json("/v1/evidence?sha256=" + note[1])["evidence"][0]
    assert record["submitter"] == "audit" and record["category"] == "audit", record
    ledger.stop()

    text = (ledger.dir / "audit.log").read_bytes().splitlines(True)
    assert hashlib.sha256(text[note[0] - 1]).hexdigest() == note[1]
    ledger.cli("verify", "--hash", note[1], "--proof", proof, "--trust", ledger.trust)
    both = ("--proof", proof, "--trust", ledger.trust)
    answer = json.loads(verify(ledger, *both, "--json").stdout)
    assert answer["holds"] and answer["deposited"]["act"] == note[0], answer
    assert "up to act %d" % note[0] in verify(ledger, *both).stdout

    # Whoever rewrites the log with all its hashes and the head is caught by the deposit.
    forged, previous = [], ZEROS
    for line in text:
        parts = json.loads(line)
        parts[3], parts[5] = "user:somebody_else", previous
        forged.append(json.dumps(parts, separators=(",", ":")).encode() + b"\n")
        previous = hashlib.sha256(forged[-1]).hexdigest()
    copy = folder / "forged"
    copy.mkdir()
    (copy / "audit.log").write_bytes(b"".join(forged))
    (copy / "audit.head").write_text("%020d %s\n" % (len(forged), previous))
    run(CAIRN, "audit", "verify", copy)
    done = run(CAIRN, "audit", "verify", copy, *both, wanted=1)
    assert "what was deposited" in done.stderr, done.stderr
    # So is whoever cuts it off before what was deposited.
    short = text[:note[0] - 1]
    (copy / "audit.log").write_bytes(b"".join(short))
    (copy / "audit.head").write_text("%020d %s\n" % (
        len(short), hashlib.sha256(short[-1]).hexdigest()))
    run(CAIRN, "audit", "verify", copy)
    run(CAIRN, "audit", "verify", copy, *both, wanted=1)
    run(CAIRN, "audit", "verify", ledger.dir, "--proof", proof, wanted=2)

    # On the same day no other deposit is made, whatever was written since.
    before = (ledger.dir / "audit.deposits").read_text()
    ledger.start()
    time.sleep(0.5)
    assert (ledger.dir / "audit.deposits").read_text() == before
    ledger.stop()


def a_key_that_is_missing_comes_from_the_operator(folder):
    ledger = Ledger(CAIRN, folder).init()
    audit_key, operator = ledger.dir / "keys/audit.key", ledger.dir / "operator.key"
    audit_key.unlink()
    ledger.start()
    assert "event=audit.no_key" in ledger.log()
    first = ledger.json("/v1/members/audit")["keys"]
    ledger.cli("audit", "enable", ledger.dir, "--key", operator)
    assert audit_key.stat().st_mode & 0o077 == 0
    assert len(ledger.json("/v1/members/audit")["keys"]) == len(first) + 1
    ledger.stop()
    yesterday(ledger)
    ledger.start()
    note = deposited(ledger)
    assert ledger.json("/v1/evidence?sha256=" + note[1])["evidence"][0]["submitter"] == "audit"
    # Once its member has ended, the deposit is refused: said, counted, and tried again later.
    ledger.cli("member", "revoke", "audit", "--reason", "tried", "--key", operator)
    ledger.stop()
    yesterday(ledger)
    ledger.start()
    end = time.monotonic() + LONG
    while "event=audit.deposit_failed" not in ledger.log():
        assert time.monotonic() < end, ledger.log()[-2000:]
        time.sleep(0.02)
    metrics = ledger.http("GET", "/metrics")[2].decode()
    assert 'cairn_audit_deposits_total{result="failed"} 1\n' in metrics
    ledger.stop()


def main():
    run_cases(the_page_names_every_act, what_operators_do_is_written_down_and_chained,
              tampering_is_found_and_named, the_head_is_deposited_and_proves_the_log,
              a_key_that_is_missing_comes_from_the_operator)


main()
