#!/usr/bin/env python3
"""usage: crash.py CAIRN LOAD [-k WORD]

A server that is killed, a folder that is damaged or too old: what was acknowledged is there and
provable, or the ledger says that it is not and writes nothing. CAIRN_SEED repeats a run.
"""
import concurrent.futures
import json
import os
import random
import select
import shutil
import subprocess
import sys
import time

from harness import LONG, Ledger, run, run_cases

CAIRN, LOAD = sys.argv[1], sys.argv[2]
SEED = int(os.environ.get("CAIRN_SEED", time.time_ns() % 1000000007))
KILLS = int(os.environ.get("CAIRN_KILLS", 100))
LANES = 4


class Client:
    """The load client, whose memory of what was acknowledged outlives every server."""

    def __init__(self, ledger, key, member):
        self.ledger = ledger
        self.key = key
        self.member = member
        self.acknowledged = ledger.folder / "acknowledged"
        self.process = None

    def start(self, seed):
        self.process = subprocess.Popen(
            [LOAD, "send", str(self.ledger.port), str(self.key), str(self.ledger.trust),
             self.member, str(self.acknowledged), str(seed)], stdout=subprocess.PIPE)
        if not select.select([self.process.stdout], [], [], LONG)[0]:
            raise AssertionError("nothing was acknowledged")
        assert self.process.stdout.readline() == b"first\n"

    def finish(self):
        """Waits until the client has noticed that its server is gone."""
        status = self.process.wait(LONG)
        self.process.stdout.close()
        assert status == 0, "the load client ended with %d" % status

    def check(self, first):
        """Everything from line `first` on is found and proved; returns how many lines there are."""
        done = run(LOAD, "check", self.ledger.port, self.ledger.trust, self.acknowledged, first,
                   timeout=10 * LONG)
        return int(done.stdout)


def loaded(folder):
    """A ledger that was killed under load, and its client."""
    ledger = Ledger(CAIRN, folder).init().start()
    client = Client(ledger, ledger.member("loader"), "loader")
    client.start(SEED)
    time.sleep(0.1)  # not a wait: that much load
    ledger.kill()
    client.finish()
    return ledger, client


def newest_log(ledger):
    """The write-ahead log that holds the newest records."""
    return max((ledger.dir / "db").glob("*.log"), key=lambda path: int(path.stem))


def expect_read_only(ledger, words):
    """Started on such a folder, the server reads, says why, and writes nothing."""
    before = sum(path.stat().st_size for path in (ledger.dir / "db").glob("*.log"))
    ledger.start()
    status, health = ledger.health()
    assert status == 200 and health["status"] == "read-only", (status, health)
    status, ready = ledger.ready()
    assert status == 503 and words in str(ready["reasons"]), ready
    assert words in str(health["read_only"]), health
    assert "cairn resume" in str(health["read_only"]), health
    assert words in ledger.log()
    assert ledger.json("/v1/ledger")["read_only"], "the ledger does not say so"
    height = ledger.height()
    done = ledger.cli("member", "roles", "loader", "--role", "depositor", "--key",
                      ledger.dir / "operator.key", wanted=1)
    assert words in done.stderr and "cairn resume" in done.stderr, done.stderr
    assert ledger.height() == height
    ledger.stop()
    after = sum(path.stat().st_size for path in (ledger.dir / "db").glob("*.log"))
    assert before == after, (before, after)


class Lane:
    """One ledger that is killed again and again. Lanes go side by side, since each of them waits for
    the disk most of the time."""

    def __init__(self, folder, number, kills):
        self.chance = random.Random(SEED + number)
        self.kills = kills
        self.seed = SEED + 1000 * number
        folder.mkdir()
        self.ledger = Ledger(CAIRN, folder).init().start()
        self.client = Client(self.ledger, self.ledger.member("loader"), "loader")
        self.checked = 0
        self.early = 0

    def kill_once(self, number):
        self.client.start(self.seed + number)
        time.sleep(self.chance.random() ** 2 * 0.25)
        self.ledger.kill()
        self.client.finish()
        if self.chance.random() < 0.2:
            # Once more, while it starts.
            self.early += 1
            self.ledger.launch()
            time.sleep(self.chance.random() * 0.06)
            self.ledger.kill()
        self.ledger.start()
        self.checked = self.client.check(self.checked)

    def run(self):
        for number in range(self.kills):
            self.kill_once(number)
        assert self.client.check(0) == self.checked
        self.ledger.stop()
        self.ledger.start()
        assert self.client.check(0) == self.checked
        _, health = self.ledger.health()
        assert health["status"] == "ok", health
        self.ledger.stop()
        return health["height"]


def killed_at_random_points_everything_acknowledged_is_there(folder):
    print("CAIRN_SEED=%d, %d kills" % (SEED, KILLS), flush=True)
    lanes = [Lane(folder / str(i), i, len(range(i, KILLS, LANES))) for i in range(LANES)]
    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        heights = list(pool.map(Lane.run, lanes))
    print("%d kills under load, %d while starting; %d acknowledged statements, heights %s" % (
        KILLS, sum(lane.early for lane in lanes), sum(lane.checked for lane in lanes), heights))


def a_torn_last_record_that_nobody_saw_is_dropped(folder):
    ledger, client = loaded(folder)
    with open(newest_log(ledger), "ab") as log:
        # A record's head promises 4,000 bytes; the disk holds 100 of them.
        log.write(bytes.fromhex("deadbeef") + (4000).to_bytes(2, "little") + b"\x01" + b"x" * 100)
    ledger.start()
    assert ledger.health()[1]["status"] == "ok", ledger.health()
    count = client.check(0)
    client.start(SEED + 1)
    ledger.kill()
    client.finish()
    ledger.start()
    assert client.check(0) > count
    ledger.stop()


def a_log_that_lost_acknowledged_records_is_read_only(folder):
    ledger, _ = loaded(folder)
    log = newest_log(ledger)
    os.truncate(log, log.stat().st_size * 2 // 3)
    expect_read_only(ledger, "ends before a head that it acknowledged")


def a_flipped_bit_in_the_middle_of_the_log_is_noticed(folder):
    chance = random.Random(SEED)
    ledger, _ = loaded(folder)
    log = newest_log(ledger)
    damaged = bytearray(log.read_bytes())
    where = len(damaged) // 4 + chance.randrange(len(damaged) // 2)
    damaged[where] ^= 1 << chance.randrange(8)
    log.write_bytes(damaged)
    print("bit flipped in byte %d of %d of %s" % (where, len(damaged), log.name))
    expect_read_only(ledger, "ends before a head that it acknowledged")


def older_copy(ledger, client):
    """A copy of the stopped ledger; meanwhile the ledger itself goes on."""
    ledger.start()
    ledger.stop()
    copy = ledger.folder / "copy"
    shutil.copytree(ledger.dir, copy)
    ledger.start()
    client.start(SEED + 2)
    ledger.kill()
    client.finish()
    ledger.start()
    head = ledger.json("/v1/ledger")["head"]
    return copy, head


def replace_folder(ledger, copy):
    shutil.rmtree(ledger.dir)
    shutil.move(copy, ledger.dir)


def an_older_copy_beside_the_newer_head_mark_is_read_only(folder):
    ledger, client = loaded(folder)
    copy, _ = older_copy(ledger, client)
    ledger.stop()
    shutil.copy(ledger.dir / "head", copy / "head")
    replace_folder(ledger, copy)
    expect_read_only(ledger, "ends before a head that it acknowledged")


def deposit(ledger, key, name):
    """A small file and its proof."""
    path = ledger.folder / name
    path.write_text("The contents of %s, seed %d.\n" % (name, SEED))
    ledger.cli("deposit", path, "--key", key, "--out", ledger.folder, "--trust", ledger.trust)
    return path, path.with_name(path.name + ".proof")


def verdict(path, proof, trust):
    """Exit status, and the checks that fail."""
    done = run(CAIRN, "verify", path, "--proof", proof, "--trust", trust, "--json", wanted=None)
    checks = json.loads(done.stdout)["checks"]
    return done.returncode, [line["check"] for line in checks if line["outcome"] == "fail"]


class Loss:
    """A ledger that went back to an older copy: `early` is in it, `late` is not, and a reader's
    trust file lists a head that is gone."""

    def __init__(self, folder):
        self.ledger = ledger = Ledger(CAIRN, folder).init().start()
        self.key = ledger.member("loader")
        self.reader = folder / "reader.trust"
        shutil.copy(ledger.trust, self.reader)
        self.early = deposit(ledger, self.key, "early.txt")
        ledger.stop()
        self.copy = folder / "copy"
        shutil.copytree(ledger.dir, self.copy)
        ledger.start()
        self.left = ledger.height()
        self.late = [deposit(ledger, self.key, "late-%d.txt" % i) for i in range(3)]
        ledger.cli("trust", "update", self.reader)
        ledger.stop()
        assert verdict(*self.late[0], self.reader) == (0, [])


def an_older_copy_beside_the_newer_trust_file_is_read_only(folder):
    loss = Loss(folder)
    replace_folder(loss.ledger, loss.copy)
    shutil.copy(loss.reader, loss.ledger.trust)
    expect_read_only(loss.ledger, "lacks a head that its trust file lists")


def after_a_resume_old_proofs_hold_and_lost_ones_say_so(folder):
    loss = Loss(folder)
    ledger = loss.ledger
    operator = ledger.dir / "operator.key"
    nothing = run(CAIRN, "resume", ledger.dir, "--lost-after", loss.left, "--key", operator,
                  wanted=1)
    assert "has lost nothing" in nothing.stderr, nothing.stderr
    shutil.copy(ledger.dir / "head", loss.copy / "head")
    replace_folder(ledger, loss.copy)
    expect_read_only(ledger, "ends before a head that it acknowledged")
    wrong = run(CAIRN, "resume", ledger.dir, "--lost-after", loss.left + 1, "--key", operator,
                wanted=1)
    assert "the last height that is left" in wrong.stderr, wrong.stderr
    run(CAIRN, "resume", ledger.dir, "--lost-after", loss.left, "--key", operator)
    ledger.start()
    assert ledger.health()[1]["status"] == "ok", ledger.health()
    head = ledger.json("/v1/ledger")["head"]
    assert (head["epoch"], head["height"]) == (1, loss.left + 1), head
    refused = ledger.cli("trust", "update", loss.reader, wanted=1)
    assert "--accept-restart" in refused.stderr, refused.stderr
    ledger.cli("trust", "update", loss.reader, "--accept-restart", "00" * 32, wanted=1)
    ledger.cli("trust", "update", loss.reader, "--accept-restart", head["header_hash"])
    newest = ledger.cli("trust", "update", loss.reader)
    assert "nothing newer" in newest.stdout, newest.stdout
    again = deposit(ledger, loss.key, "again.txt")
    for trust in (loss.reader, ledger.trust):
        assert verdict(*loss.early, trust) == (0, []), trust
        assert verdict(*again, trust) == (0, []), trust
        for late in loss.late:
            status, failing = verdict(*late, trust)
            assert status == 1 and "lost" in failing, (trust, status, failing)
    # What was lost can be deposited anew.
    os.remove(loss.late[0][1])
    ledger.cli("deposit", loss.late[0][0], "--key", loss.key, "--out", ledger.folder)
    assert verdict(*loss.late[0], loss.reader) == (0, [])
    ledger.stop()
    ledger.start()
    assert ledger.health()[1]["status"] == "ok"
    ledger.stop()


def main():
    run_cases(a_torn_last_record_that_nobody_saw_is_dropped,
              a_log_that_lost_acknowledged_records_is_read_only,
              a_flipped_bit_in_the_middle_of_the_log_is_noticed,
              an_older_copy_beside_the_newer_head_mark_is_read_only,
              an_older_copy_beside_the_newer_trust_file_is_read_only,
              after_a_resume_old_proofs_hold_and_lost_ones_say_so,
              killed_at_random_points_everything_acknowledged_is_there)


main()
