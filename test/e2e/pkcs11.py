#!/usr/bin/python3
"""usage: pkcs11.py CAIRN

Keys in tokens, from outside: SoftHSM holds them, in a folder of the test's own. Some are made by
OpenSC's pkcs11-tool, some by the program. The operator, two depositors and the node itself sign in
the token; then the token goes away under the running node."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from ledger import Ledger

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "24680"
# SoftHSM leaks an ASN.1 string for each Ed25519 signature, which sanitizer builds would report.
SUPPRESSIONS = "leak:CRYPTO_zalloc\nleak:softhsm\n"


class Token:
    """Two tokens, of which the test uses "court one"."""

    def __init__(self, folder):
        self.folder = folder
        self.tokens = folder / "tokens"
        self.away = folder / "away"
        self.tokens.mkdir()
        conf = folder / "softhsm.conf"
        conf.write_text("directories.tokendir = %s\nobjectstore.backend = file\n"
                        "log.level = ERROR\n" % self.tokens)
        os.environ["SOFTHSM2_CONF"] = str(conf)
        suppressions = folder / "suppressions"
        suppressions.write_text(SUPPRESSIONS)
        os.environ["LSAN_OPTIONS"] = "print_suppressions=0:suppressions=%s" % suppressions
        os.environ.pop("CREDENTIALS_DIRECTORY", None)
        for label in ("court one", "other"):
            self.tool("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN,
                      "--so-pin", "97531")
        self.pin = self.secret("pin", PIN)
        self.wrong = self.secret("wrong", "11111")

    def secret(self, name, text):
        path = self.folder / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    @staticmethod
    def tool(*command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def opensc(self, *arguments):
        return self.tool("pkcs11-tool", "--module", MODULE, "--token-label", "court one", "--login",
                         "--pin", PIN, *arguments)

    def uri(self, label, pin=True):
        text = "pkcs11:token=court%%20one;object=%s?module-path=%s" % (label, MODULE)
        return text + "&pin-source=%s" % self.pin if pin else text

    def take(self):
        """Pulls the token out: an empty reader stays."""
        self.tokens.rename(self.away)
        self.tokens.mkdir()

    def bring(self):
        self.tokens.rmdir()
        self.away.rename(self.tokens)


def keys_of_both_makers_are_shown_alike(token, ledger_of):
    token.opensc("--keypairgen", "--key-type", "EC:edwards25519", "--label", "operator", "--id",
                 "01")
    token.opensc("--keypairgen", "--key-type", "EC:prime256v1", "--label", "alice", "--id", "02")
    bare = ledger_of("--version")
    assert bare.startswith("cairn "), bare
    for label in ("receipt", "checkpoint"):
        ledger_of("key", "new", token.uri(label))
    made = json.loads(ledger_of("key", "new", token.uri("bob"), "--alg", "es256", "--json"))
    shown = json.loads(ledger_of("key", "show", token.uri("bob"), "--json"))
    assert made["kid"] == shown["kid"] and shown["alg"] == "es256", (made, shown)
    point = token.opensc("--read-object", "--type", "pubkey", "--label", "bob", "--output-file",
                         str(token.folder / "bob.der"))
    spki = (token.folder / "bob.der").read_bytes().hex()
    assert spki == shown["spki"], (point, spki, shown)
    listing = token.opensc("--list-objects", "--type", "privkey")
    assert listing.count("never extractable") >= 4, listing


def start(ledger, *options, **environment):
    """Runs the node with more options; returns what it says if it does not start."""
    done = subprocess.run([ledger.cairn, "run", ledger.folder, "--listen", "127.0.0.1:0",
                           *map(str, options)], capture_output=True, text=True, timeout=60,
                          check=False, env={**os.environ, **environment})
    assert done.returncode != 0, done
    return done.stderr


def deposit(ledger, name, key):
    ledger.write(name, b"contents of " + name.encode())
    ledger.ok("deposit", name, "--key", key, "--out", ".")
    assert ledger.verify(name, name + ".proof") == 0, name


def a_node_and_its_people_sign_in_the_token(token, ledger):
    settings = (ledger.folder / "cairn.conf").read_text()
    assert "\ncheckpoint_key = " + token.uri("checkpoint") + "\n" in settings, settings
    assert not any((ledger.folder / name).exists() for name in (
        "operator.key", "keys/receipt.key", "keys/checkpoint.key"))
    for member in ("alice", "bob"):
        ledger.ok("key", "request", token.uri(member), "--member", member, "--for", ledger.trust,
                  "--out", member + ".req")
        ledger.ok("member", "add", member, "--request", member + ".req", "--role", "depositor",
                  "--key", ledger.operator)
        deposit(ledger, member + ".txt", token.uri(member))
    ledger.write("more.txt", b"more")
    ledger.ok("deposit", "more.txt", "--key", token.uri("alice", pin=False), "--passphrase-file",
              token.pin, "--out", ".")
    assert ledger.verify("more.txt", "more.txt.proof") == 0
    note = urllib.request.urlopen(ledger.url + "/tlog/checkpoint", timeout=30).read()
    assert b"\xe2\x80\x94 " in note, note


def many_proofs_at_once_are_signed(token, ledger):
    """By a depositor with a key file: SoftHSM writes its token anew at each login, and a program
    that opens it at that moment finds none."""
    ledger.ok("key", "new", "carol.key")
    ledger.ok("key", "request", "carol.key", "--member", "carol", "--for", ledger.trust, "--out",
              "carol.req")
    ledger.ok("member", "add", "carol", "--request", "carol.req", "--role", "depositor", "--key",
              ledger.operator)

    def one(number):
        name = "many-%d.txt" % number
        deposit(ledger, name, "carol.key")
        return name

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        names = list(pool.map(one, range(12)))
    assert len(names) == 12


def what_is_wrong_is_said_with_its_remedy(token, ledger):
    show = ("key", "show")
    ledger.fails(2, "refuses the PIN", *show, token.uri("alice", pin=False), "--passphrase-file",
                 token.wrong)
    ledger.fails(2, "nobody says it", *show, token.uri("alice", pin=False))
    ledger.fails(1, "holds a PIN", *show, token.uri("alice", pin=False) + "&pin-value=" + PIN)
    ledger.fails(2, "no private key", *show, token.uri("nobody"))
    ledger.fails(2, "has several keys", *show, token.uri("x").replace("object=x", "type=private"))
    ledger.fails(2, "all fit the URI", *show, "pkcs11:object=alice?module-path=" + MODULE)
    token.pin.chmod(0o644)
    ledger.fails(1, "may be read by others", *show, token.uri("alice"))
    token.pin.chmod(0o600)
    ledger.fails(2, "already", "key", "new", token.uri("alice"))
    ledger.fails(1, "three keys", "init", "twice", "--name", "twice", "--operator-key",
                 token.uri("receipt"), "--receipt-key", token.uri("receipt"))
    ledger.fails(2, "is not for checkpoints", "init", "es", "--name", "es", "--checkpoint-key",
                 token.uri("bob"))


def a_node_does_not_start_without_its_pin(token, ledger):
    ledger.stop()
    bare = ("--receipt-key", token.uri("receipt", pin=False), "--checkpoint-key",
            token.uri("checkpoint", pin=False))
    assert "nobody says it" in start(ledger, *bare)
    assert "refuses the PIN" in start(ledger, *bare, "--pkcs11-pin-file", token.wrong)
    reason = run_read_only(ledger, "--receipt-key", token.uri("alice"))
    assert "registered for something else" in reason, reason
    credentials = token.folder / "credentials"
    credentials.mkdir()
    (credentials / "pkcs11-pin").write_text(PIN)
    ledger.start(*bare, "--pkcs11-pin-file", token.pin)
    ledger.stop()
    os.environ["CREDENTIALS_DIRECTORY"] = str(credentials)
    ledger.start(*bare)
    del os.environ["CREDENTIALS_DIRECTORY"]


def run_read_only(ledger, *options):
    """Starts the node, which only reads; returns the reason."""
    ledger.start(*options)
    reason = str(ledger_json(ledger)["read_only"])
    ledger.stop()
    return reason


def ledger_json(ledger):
    return json.load(urllib.request.urlopen(ledger.url + "/v1/ledger", timeout=30))


def ready(ledger):
    try:
        with urllib.request.urlopen(ledger.url + "/readyz", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def wait_ready(ledger, status):
    for _ in range(200):
        answer = ready(ledger)
        if answer[0] == status:
            return answer[1]
        time.sleep(0.1)
    raise AssertionError("/readyz still says %d: %s" % answer)


def a_token_that_goes_away_makes_the_node_read_only(token, ledger):
    wait_ready(ledger, 200)
    token.take()
    # Whether this is taken depends on which second it is; if it is, it must not be lost.
    ledger.write("edge.txt", b"edge")
    quiet = ("--key", "carol.key", "--proofs", "none", "--plain")
    edge = ledger.run("deposit", "edge.txt", *quiet)
    reason = wait_ready(ledger, 503)
    assert "is not there" in reason, reason
    ledger.write("late.txt", b"late")
    late = ledger.run("deposit", "late.txt", *quiet)
    assert late.returncode != 0 and b"is not there" in late.stderr, late
    gone = ledger.run("key", "show", token.uri("alice"))
    assert gone.returncode != 0 and b"is not there" in gone.stderr, gone
    token.bring()
    wait_ready(ledger, 200)
    if edge.returncode == 0:
        ledger.ok("proof", "edge.txt", "--out", "edge.txt.proof")
        assert ledger.verify("edge.txt", "edge.txt.proof") == 0
    deposit(ledger, "after.txt", "carol.key")
    deposit(ledger, "again.txt", token.uri("alice"))


def after_a_loss_the_node_goes_on_with_new_keys_of_the_token(token, ledger):
    ledger.stop()
    copy = ledger.dir / "copy"
    shutil.copytree(ledger.folder, copy)
    ledger.start()
    left = ledger_json(ledger)["head"]["height"]
    deposit(ledger, "lost.txt", token.uri("alice"))
    ledger.stop()
    shutil.copy(ledger.folder / "head", copy / "head")
    shutil.rmtree(ledger.folder)
    copy.rename(ledger.folder)
    for label in ("receipt2", "checkpoint2"):
        ledger.ok("key", "new", token.uri(label))
    said = ledger.ok("resume", "court", "--lost-after", left, "--key", ledger.operator,
                     "--receipt-key", token.uri("receipt2"), "--checkpoint-key",
                     token.uri("checkpoint2"))
    assert "cairn.conf" in said, said
    assert "has ended" in run_read_only(ledger)
    conf = ledger.folder / "cairn.conf"
    text = conf.read_text()
    for label in ("receipt", "checkpoint"):
        text = text.replace(token.uri(label), token.uri(label + "2"))
    conf.write_text(text)
    ledger.start()
    assert [path.name for path in (ledger.folder / "keys").iterdir()] == ["audit.key"]
    deposit(ledger, "new-epoch.txt", token.uri("alice"))
    assert ledger.verify("lost.txt", "lost.txt.proof") == 1


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cairn-token-"))
    cairn = str(pathlib.Path(sys.argv[1]).resolve())
    token = Token(folder)
    keys_of_both_makers_are_shown_alike(
        token, lambda *arguments: token.tool(cairn, *arguments))
    ledger = Ledger(cairn, options=("--operator-key", token.uri("operator"), "--receipt-key",
                                    token.uri("receipt"), "--checkpoint-key",
                                    token.uri("checkpoint")))
    ledger.operator = token.uri("operator")
    try:
        for case in (a_node_and_its_people_sign_in_the_token, many_proofs_at_once_are_signed,
                     what_is_wrong_is_said_with_its_remedy, a_node_does_not_start_without_its_pin,
                     a_token_that_goes_away_makes_the_node_read_only,
                     after_a_loss_the_node_goes_on_with_new_keys_of_the_token):
            case(token, ledger)
            print("ok -", case.__name__)
    finally:
        ledger.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
