#!/usr/bin/python3
"""usage: tlog.py CAIRN LOAD SOURCES FOLDER [-k WORD]

The log as a C2SP transparency log: what Go's module for checksum databases (golang.org/x/mod/sumdb)
reads of it, and witnesses, good and bad, that are asked to cosign its checkpoints. Builds the Go
programs of SOURCES/tools/outside/go below FOLDER once, with the modules that go.sum pins.
"""
import base64
import hashlib
import http.server
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import threading
import time

from harness import LONG, Ledger, run, run_cases
from pinned import install

CAIRN, LOAD, SOURCES = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
GO = pathlib.Path(sys.argv[4]) / "go"
FOREVER = "public, max-age=31536000, immutable"


def build_go():
    sources = SOURCES / "tools/outside/go"
    compiler = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    assert compiler, "there is no go; tools/packages.txt names its package"

    def build(folder):
        # The module and build caches are of this folder alone and go away again.
        environment = dict(os.environ, GOFLAGS="-mod=readonly -modcacherw -buildvcs=false",
                           GOTOOLCHAIN="local", GOPATH=str(folder / "path"),
                           GOCACHE=str(folder / "cache"), CGO_ENABLED="0")
        (folder / "bin").mkdir()
        subprocess.run([compiler, "build", "-o", str(folder / "bin"), "./..."], cwd=sources,
                       env=environment, check=True)
        shutil.rmtree(folder / "path")
        shutil.rmtree(folder / "cache")

    install(GO, "".join(path.read_text() for path in sorted(sources.rglob("*")) if path.is_file()),
            build)


def wait_for(what, seen):
    """Waits until seen() gives something."""
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        out = seen()
        if out:
            return out
        time.sleep(0.05)  # a poll, not a wait for luck: it ends with what it looks for
    raise AssertionError("waited in vain for " + what)


def checkpoint(ledger):
    """Text and signature lines of the newest checkpoint."""
    status, headers, body = ledger.http("GET", "/tlog/checkpoint")
    assert status == 200 and headers["Content-Type"].startswith("text/plain"), (status, body)
    assert headers["Cache-Control"] == "no-cache", headers["Cache-Control"]
    text, lines = body.decode().split("\n\n")
    return text + "\n", lines.splitlines()


def deposit(ledger, key, name):
    """Deposits a file of that name; returns it and the proof made at once."""
    path = ledger.folder / name
    path.write_text("what " + name + " says")
    ledger.cli("deposit", path, "--key", key, "--out", ledger.folder)
    return path, ledger.folder / (name + ".proof")


def grow(ledger, size):
    """Lets the log grow to `size` entries or more."""
    key, acknowledged = ledger.member("loader"), ledger.folder / "acknowledged"
    client = subprocess.Popen([LOAD, "send", str(ledger.port), key, ledger.trust, "loader",
                               acknowledged, "1"], stdout=subprocess.DEVNULL)
    wait_for("entries", lambda: ledger.json("/v1/ledger")["head"]["size"] >= size)
    ledger.stop()
    assert client.wait(LONG) == 0
    ledger.start()


def tile(ledger, name, wanted=200):
    status, headers, body = ledger.http("GET", "/tlog/tile/" + name)
    assert status == wanted, (name, status, body)
    if status == 200:
        assert headers["Cache-Control"] == FOREVER, (name, headers["Cache-Control"])
        assert headers["ETag"] and headers["Content-Type"] == "application/octet-stream", name
        again = ledger.http("GET", "/tlog/tile/" + name, headers={"If-None-Match": headers["ETag"]})
        assert again[0] == 304 and not again[2], (name, again)
    return body


def go_reads_checkpoint_tiles_and_proofs(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    grow(ledger, 520)
    about = ledger.json("/v1/ledger")
    size = about["head"]["size"]
    url = "http://127.0.0.1:%d" % ledger.port
    for index, old in ((0, 1), (255, 256), (256, 257), (size - 1, size), (size // 2, 2)):
        done = run(GO / "bin/reader", url, about["checkpoint_key"], index, old)
        entry = tile(ledger, "entries/%03d%s" % (index // 256, partial(index // 256, size)))
        for _ in range(index % 256):
            entry = entry[2 + struct.unpack(">H", entry[:2])[0]:]
        entry = entry[2:2 + struct.unpack(">H", entry[:2])[0]]
        leaf = hashlib.sha256(b"\0" + entry).hexdigest()
        assert done.stdout.startswith("court/%s/0: %d entries" % (about["chain"][:16], size)) and \
            done.stdout.strip().endswith(leaf), (done.stdout, leaf)
    print(done.stdout.strip())
    # A key of another name or another ledger is no key of this log.
    other = Ledger(CAIRN, folder / "other", "other")
    other.folder.mkdir()
    stranger = other.init().start().json("/v1/ledger")["checkpoint_key"]
    other.stop()
    run(GO / "bin/reader", url, stranger, 0, 1, wanted=1)
    ledger.stop()


def partial(number, size):
    """How the name of the last tile goes on."""
    return ".p/%d" % (size % 256) if number == size // 256 else ""


def tiles_are_the_log_and_nothing_else(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    grow(ledger, 300)
    if ledger.json("/v1/ledger")["head"]["size"] % 256 in (0, 255):
        ledger.member("one-more")
        ledger.member("another")
    size = ledger.json("/v1/ledger")["head"]["size"]
    full = tile(ledger, "0/000")
    assert len(full) == 8192
    assert tile(ledger, "0/000.p/7") == full[:7 * 32]
    last = "0/%03d.p/%d" % (size // 256, size % 256)
    assert len(tile(ledger, last)) == size % 256 * 32
    above = tile(ledger, "1/000.p/1")
    level = [full[at:at + 32] for at in range(0, 8192, 32)]
    while len(level) > 1:
        level = [hashlib.sha256(b"\1" + level[at] + level[at + 1]).digest()
                 for at in range(0, len(level), 2)]
    assert above == level[0]
    assert tile(ledger, "entries/000") and tile(ledger, "entries/000.p/1")
    beyond = "0/%03d.p/%d" % (size // 256, size % 256 + 1)
    for name in (beyond, "0/%03d" % (size // 256), "1/000.p/%d" % (size // 256 + 1), "1/000", "8/000", "63/000",
                 "0/x001/000", "entries/%03d" % (size // 256), "0/999"):
        tile(ledger, name, wanted=404)
    for name in ("0/0", "0/000.p/256", "0/000.p/0", "00/000", "x/000", "0/x000/000", "0/000.p/01",
                 "-1/000", "entries/1", "entries/000/000", "0/x001"):
        tile(ledger, name, wanted=400)
    text, lines = checkpoint(ledger)
    head = ledger.json("/v1/ledger")["head"]
    assert text.splitlines()[1:] == [
        str(head["size"]), base64.b64encode(bytes.fromhex(head["root"])).decode()], text
    assert len(lines) == 1 and checkpoint(ledger)[1] == lines
    status, headers, _ = ledger.http("GET", "/tlog/checkpoint")
    etag = headers["ETag"]
    again = ledger.http("GET", "/tlog/checkpoint", headers={"If-None-Match": etag})
    assert (status, again[0]) == (200, 304), (status, again)
    ledger.stop()


class Witness:
    """The Go witness; what it has seen outlives its process."""

    def __init__(self, folder, log_key, name="witness.example"):
        self.folder, self.name, self.log_key = folder, name, log_key
        self.folder.mkdir(exist_ok=True)
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([GO / "bin/witness", self.folder, self.name, self.log_key],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[-1])
        self.vkey = self.process.stdout.readline().strip()

    def target(self):
        return "http://127.0.0.1:%d %s" % (self.port, self.vkey)

    def kill(self):
        self.process.kill()
        self.process.wait(LONG)
        self.process.stdout.close()


def configure(ledger, *targets):
    """Lets the node ask these witnesses, once a second at most, from its next start on."""
    lines = ["witness_interval_s = 1"] + ["witness = " + target for target in targets]
    (ledger.dir / "cairn.conf").write_text("\n".join(lines) + "\n")


def witnessed(ledger, count=1):
    """Waits until the newest checkpoint has so many lines of witnesses; returns the first."""
    def lines():
        found = checkpoint(ledger)[1]
        return found[1:] if len(found) == 1 + count else None

    return wait_for("a cosignature", lines)[0]


def verify(ledger, path, proof, trust, wanted=0):
    return run(CAIRN, "verify", path, "--proof", proof, "--trust", trust, wanted=wanted).stdout


def lines_of_a_witness_reach_the_proofs(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    key = ledger.member("clerk")
    witness = Witness(folder / "witness", ledger.json("/v1/ledger")["checkpoint_key"])
    ledger.stop()
    configure(ledger, witness.target())
    ledger.start()
    path, proof = deposit(ledger, key, "contract.txt")
    line = witnessed(ledger)
    assert line.startswith("\u2014 witness.example "), line
    later = folder / "later.proof"
    ledger.cli("proof", path, "--out", later)
    trust = folder / "mine.trust"
    shutil.copy(ledger.trust, trust)
    said = verify(ledger, path, later, trust)
    assert "not list" in said, said
    run(CAIRN, "trust", "add-witness", trust, witness.vkey)
    said = verify(ledger, path, later, trust)
    assert "Witness witness.example cosigned the head" in said, said
    # What was cosigned is that very head.
    forged = folder / "forged.proof"
    blob = base64.b64decode(line.split()[-1])
    false = base64.b64encode(blob[:-1] + bytes([blob[-1] ^ 1])).decode()
    forged.write_bytes(later.read_bytes().replace(line.split()[-1].encode(), false.encode()))
    assert "is false" in verify(ledger, path, forged, trust, wanted=1)
    # The one made before the witness answered gets the lines of its head, if that was cosigned.
    ledger.cli("export", "--refresh", proof)
    assert "Witness witness.example cosigned" in verify(ledger, path, proof, trust)
    # While the log goes on, older entries are still proved under a head that has lines.
    more = [deposit(ledger, key, "more-%d.txt" % number)[0] for number in range(5)]
    ledger.cli("proof", path, "--out", folder / "busy.proof")
    assert "Witness witness.example cosigned" in verify(ledger, path, folder / "busy.proof", trust)
    restarts(ledger, witness, more[-1], trust)
    witness.kill()


def restarts(ledger, witness, path, trust):
    """A new process knows nothing of what a witness has seen; a witness comes back where it was."""
    ledger.stop()
    ledger.start()
    key = ledger.folder / "clerk.key"
    deposit(ledger, key, "after-restart.txt")
    witnessed(ledger)
    witness.kill()
    deposit(ledger, key, "alone.txt")
    wait_for("a complaint", lambda: "witness.failed" in ledger.log())
    assert len(checkpoint(ledger)[1]) == 1
    witness.start()
    ledger.stop()
    configure(ledger, witness.target())
    ledger.start()
    witnessed(ledger)
    proof = ledger.folder / "restarted.proof"
    ledger.cli("proof", path, "--out", proof)
    assert "Witness witness.example cosigned" in verify(ledger, path, proof, trust)
    assert "PRIVATE" not in ledger.log()
    ledger.stop()


class Liar(http.server.BaseHTTPRequestHandler):
    """Answers add-checkpoint in the way that its path names."""
    asked = []

    def do_POST(self):  # pylint: disable=invalid-name
        name = self.path.split("/")[1]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((name, body.decode().split("\n")[0]))
        blob = base64.b64encode(self.server.key_id + bytes(72)).decode()
        answers = {
            "unknown": (404, b"who?\n"), "key": (403, b""), "path": (422, b""),
            "longer": (409, b"999999999\n"), "number": (409, b"many\n"), "fork": (409, b"2\n"),
            "empty": (200, b""), "text": (200, b"hello\n"), "broken": (500, b""),
            "false": (200, ("\u2014 liar.example %s\n" % blob).encode()),
            "huge": (200, b"x" * 200000)}
        status, answer = answers[name]
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        try:
            self.wfile.write(answer)
        except OSError:
            pass

    def log_message(self, *_):
        pass


def false_witnesses_are_named_and_change_nothing(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    public = bytes([4]) + bytes.fromhex(
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")  # RFC 8032, 7.1
    server.key_id = hashlib.sha256(b"liar.example\n" + public).digest()[:4]
    vkey = "liar.example+%s+%s" % (server.key_id.hex(), base64.b64encode(public).decode())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ledger = Ledger(CAIRN, folder).init()
    expected = {"unknown": "does not know this log", "key": "this log's key", "path": "convince",
                "longer": "is history lost", "number": "can't be read", "fork": "is there a fork",
                "empty": "no line of the configured key", "text": "can't be read",
                "false": "is false", "huge": "too long"}
    configure(ledger, *("http://127.0.0.1:%d/%s/ %s" % (server.server_port, name, vkey)
                        for name in expected))
    ledger.start()
    key = ledger.member("clerk")
    path, proof = deposit(ledger, key, "contract.txt")
    for words in expected.values():
        wait_for(words, lambda words=words: words in ledger.log())
    assert len(checkpoint(ledger)[1]) == 1
    said = verify(ledger, path, proof, ledger.trust)
    assert "cosign" not in said, said
    # From what a witness says it has, it is led on once; never more often than that at a time.
    forks = [said for name, said in Liar.asked if name == "fork"]
    assert forks[0] == "old 0" and forks[-1] == "old 2", forks
    wait_for("a second round", lambda: len([1 for name, _ in Liar.asked if name == "key"]) > 1)
    ledger.stop()
    server.shutdown()
    server.server_close()
    # Each says what is new once; the first head, of one entry, was too short for "fork".
    complaints = re.findall("witness.failed.*", ledger.log())
    assert len(complaints) <= len(expected) + 1 < len(Liar.asked), (complaints, Liar.asked)


def refused(words, *command):
    done = run(*command, wanted=None)
    assert done.returncode in (1, 2) and words in done.stderr, done


def node_keys_are_the_ledgers_own(folder):
    """A key that the ledger does not know signs nothing; a rotated one is learnt by trust update."""
    ledger = Ledger(CAIRN, folder).init().start()
    key = ledger.member("clerk")
    operator, keys = ledger.dir / "operator.key", ledger.dir / "keys"
    before, old = folder / "before.trust", ledger.json("/v1/ledger")["checkpoint_key"]
    shutil.copy(ledger.trust, before)
    path, _ = deposit(ledger, key, "contract.txt")
    rotate = (CAIRN, "key", "rotate-node", ledger.dir)
    refused("in use", *rotate, "receipt", "--key", operator)
    ledger.stop()
    own = {name: (keys / name).read_bytes() for name in ("receipt.key", "checkpoint.key")}
    names = {file.name for file in keys.iterdir()}
    for name, what in (("receipt.key", "receipt key"), ("checkpoint.key", "checkpoint key")):
        for other in (key.read_bytes(), own["checkpoint.key" if name == "receipt.key"
                                            else "receipt.key"]):
            (keys / name).write_bytes(other)
            ledger.start()
            status, ready = ledger.ready()
            assert status == 503 and what in str(ready), ready
            assert ledger.http("GET", "/tlog/checkpoint")[0] == 503
            assert ledger.json("/v1/ledger")["checkpoint_key"] is None
            assert ledger.http("GET", "/v1/trust-update?epoch=0&height=0&size=1")[0] == 503
            ledger.stop()
        (keys / name).write_bytes(own[name])
    for word in ("receipt", "checkpoint", "receipt"):
        done = run(*rotate, word, "--key", operator)
        assert "the %s key is" % word in done.stdout, done.stdout
    assert all((keys / name).read_bytes() != own[name] for name in own)
    assert {file.name for file in keys.iterdir()} == names
    refused("", *rotate, "receipt", "--key", key)
    refused("receipt or checkpoint", *rotate, "member", "--key", operator)
    assert {file.name for file in keys.iterdir()} == names
    ledger.start()
    after = ledger.json("/v1/ledger")["checkpoint_key"]
    assert after != old and after.split("+")[0] == old.split("+")[0], (old, after)
    newer, proof = deposit(ledger, key, "newer.txt")
    verify(ledger, newer, proof, before, wanted=1)
    ledger.cli("trust", "update", before)
    verify(ledger, newer, proof, before)
    shown = run(CAIRN, "trust", "show", before).stdout
    assert shown.count("rotated") == 2 and shown.count("in force") == 1, shown
    verify(ledger, newer, proof, ledger.trust)  # the operator's own learnt it at once
    # The node does not need this command: any member.rotate is noticed, and the key not used again.
    new, request = folder / "next.key", folder / "next.req"
    ledger.cli("key", "new", new)
    ledger.cli("key", "request", new, "--member", "node-1", "--purpose", "receipt", "--for",
               ledger.trust, "--out", request)
    kid = re.findall("key ([0-9a-f]{64}).*in force", shown)[0]
    ledger.cli("member", "rotate", "node-1", "--kid", kid, "--request", request, "--key", operator)
    ledger.member("another")
    status, _, body = ledger.http("GET", "/v1/trust-update?epoch=0&height=0&size=1")
    assert status == 503 and b"has ended" in body, (status, body)
    ledger.stop()
    new.rename(keys / "receipt.key")
    ledger.start()
    ledger.cli("proof", path, "--out", folder / "again.proof")
    ledger.cli("trust", "update", before)
    verify(ledger, path, folder / "again.proof", before)
    ledger.stop()


def a_rotation_cut_short_is_finished_or_undone(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    key = ledger.member("clerk")
    path, _ = deposit(ledger, key, "contract.txt")
    ledger.stop()
    place, waiting = ledger.dir / "keys/receipt.key", ledger.dir / "keys/receipt.key.new"
    steps, before = ledger.dir / "keysteps", folder / "before.trust"
    shutil.copy(ledger.trust, before)
    old = place.read_bytes()
    run(CAIRN, "key", "rotate-node", ledger.dir, "receipt", "--key", ledger.dir / "operator.key")
    new, learnt = place.read_bytes(), ledger.trust.read_bytes()
    step, = steps.iterdir()
    noted = step.read_bytes()
    # The block is in the ledger, and nothing else was done: as after a kill at that moment.
    waiting.write_bytes(new)
    place.write_bytes(old)
    waiting.chmod(0o600)
    step.unlink()
    shutil.copy(before, ledger.trust)
    ledger.start()
    assert place.read_bytes() == new and not waiting.exists()
    assert (step.read_bytes(), ledger.trust.read_bytes()) == (noted, learnt)
    proof = folder / "later.proof"
    ledger.cli("proof", path, "--out", proof)
    ledger.cli("trust", "update", before)
    verify(ledger, path, proof, before)
    ledger.stop()
    # The block is not in the ledger.
    run(CAIRN, "key", "new", waiting)
    ledger.start()
    assert place.read_bytes() == new and not waiting.exists() and ledger.ready()[0] == 200
    ledger.stop()


def a_target_that_is_none_is_refused(folder):
    ledger = Ledger(CAIRN, folder).init()
    for target in ("witness.example", "https://w.example", "https://w.example w.example+0+A",
                   "ftp://w.example w.example+00000000+AAAA",
                   "https://w.example w.example+00000000+AAAA"):
        done = run(CAIRN, "run", ledger.dir, "--listen", "127.0.0.1:0", "--witness", target,
                   wanted=None)
        assert done.returncode == 2 and "witness" in done.stderr, (target, done)
    trust = ledger.trust.read_bytes()
    done = run(CAIRN, "trust", "add-witness", ledger.trust, "w.example+00000000+AAAA", wanted=None)
    assert done.returncode == 2 and "VKEY" in done.stderr, done
    assert ledger.trust.read_bytes() == trust


def main():
    build_go()
    run_cases(go_reads_checkpoint_tiles_and_proofs, tiles_are_the_log_and_nothing_else,
              lines_of_a_witness_reach_the_proofs, false_witnesses_are_named_and_change_nothing,
              node_keys_are_the_ledgers_own, a_rotation_cut_short_is_finished_or_undone,
              a_target_that_is_none_is_refused)


main()
