#!/usr/bin/python3
"""Who may read what, over HTTP: every route under every policy, sign-in, and signed requests made by
another hand than the program's. usage: access.py CAIRN SOURCES [-k WORD]"""
import base64
import hashlib
import json
import os
import pathlib
import signal
import sys
import time

import yaml

from harness import Ledger, run, run_cases

CAIRN, SOURCES = sys.argv[1], pathlib.Path(sys.argv[2])
API = yaml.safe_load((SOURCES / "docs/openapi.yaml").read_text())
POLICIES = ("public", "members", "roles")
METHODS = {"get", "post", "put", "delete", "patch"}
FILE = b"what only two parties know"
NOWHERE = "0" * 64

# ---- a signer of the test's own: openssl makes the signatures, this puts together what is signed


def public(key):
    """SubjectPublicKeyInfo of a key file, in DER."""
    pem = run("openssl", "pkey", "-in", key, "-pubout").stdout.splitlines()
    return base64.b64decode("".join(pem[1:-1]))


def kid_of(key):
    return hashlib.sha256(public(key)).digest()


ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551  # of P-256


def sign(key, message):
    """64 bytes: Ed25519 as it is, ECDSA from its DER with s in the lower half."""
    where = pathlib.Path(str(key) + ".message")
    out = pathlib.Path(str(key) + ".signature")
    where.write_bytes(message)
    if len(public(key)) == 44:
        run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", where, "-out", out)
        return out.read_bytes()
    run("openssl", "dgst", "-sha256", "-sign", key, "-out", out, where)
    der, numbers = out.read_bytes()[2:], []
    for _ in range(2):
        numbers.append(int.from_bytes(der[2:2 + der[1]], "big"))
        der = der[2 + der[1]:]
    low = min(numbers[1], ORDER - numbers[1])
    return numbers[0].to_bytes(32, "big") + low.to_bytes(32, "big")


def signed(ledger, key, method, target, body=None, **changes):
    """The fields of a signed request (RFC 9421). `changes` spoil it."""
    covered = ["@method", "@authority", "@path", "@query"] + ["content-digest"] * (body is not None)
    covered = changes.get("covered", covered)
    digest = "sha-256=:%s:" % base64.b64encode(hashlib.sha256(body or b"").digest()).decode()
    path, _, query = target.partition("?")
    values = {"@method": method, "@authority": "127.0.0.1:%d" % ledger.port, "@path": path,
              "@query": "?" + query, "content-digest": digest, "date": "today",
              **changes.get("values", {})}
    params = "(%s);created=%d;nonce=\"%s\";keyid=\"%s\";tag=\"%s\"" % (
        " ".join('"%s"' % name for name in covered), int(time.time()) + changes.get("late", 0),
        changes.get("nonce", os.urandom(12).hex()), changes.get("keyid", kid_of(key).hex()),
        changes.get("tag", "cairn"))
    base = "\n".join('"%s": %s' % (name, values[name]) for name in covered)
    value = sign(key, (base + '\n"@signature-params": ' + params).encode())
    fields = {"Signature-Input": "sig=" + params,
              "Signature": "sig=:%s:" % base64.b64encode(value).decode()}
    if body is not None and "content-digest" in covered:
        fields["Content-Digest"] = digest
    return fields


def cbor(value):
    """Deterministic CBOR of what session statements are made of."""
    def head(major, number):
        for size, extra in ((24, 0), (1 << 8, 1), (1 << 16, 2), (1 << 32, 4), (1 << 64, 8)):
            if number < size:
                lead = number if extra == 0 else 23 + extra.bit_length()
                return bytes([major << 5 | lead]) + (number.to_bytes(extra, "big") if extra else b"")
        raise ValueError(number)
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value)) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def session_statement(ledger, key, **changes):
    now = int(time.time() * 1000)
    kid = kid_of(key)
    iat = changes.get("iat", now)
    alg = -8 if len(public(key)) == 44 else -7
    protected = cbor({1: alg, 4: kid, 16: "application/vnd.cairn.session+cose"})
    payload = cbor([1, changes.get("chain", ledger.chain),
                    changes.get("origin", "http://127.0.0.1:%d" % ledger.port), kid,
                    changes.get("nonce", os.urandom(16)), iat, changes.get("expiry", iat + 60000)])
    message = cbor(["Signature1", protected, b"", payload])
    return b"\xd2" + cbor([protected, {}, payload, sign(changes.get("by", key), message)])


def refused(answer, status, name):
    assert answer[0] == status, answer
    problem = json.loads(answer[2])
    assert problem["type"] == "/problems/" + name, problem
    return problem


# ---- two institutions and others

class Town(Ledger):
    """A bank with two people, a firm with one, an auditor, a witness and a client; one file of the
    bank's teller, which the witness countersigned; one of the firm's lawyer for the client."""

    def build(self):
        self.init().start()
        self.chain = bytes.fromhex(self.json("/v1/ledger")["chain"])
        self.keys = {}
        for name, role, more in (
                ("bank", "bank", ["--kind", "institution"]),
                ("teller", "depositor", ["--institution", "bank"]),
                ("colleague", "depositor", ["--institution", "bank"]),
                ("firm", "institution", ["--kind", "institution"]),
                ("lawyer", "lawyer", ["--institution", "firm"]),
                ("auditor", "auditor", []), ("witness", "witness", []), ("client", "depositor", [])):
            self.keys[name] = self.enrol(name, role, more)
        self.operator = self.dir / "operator.key"
        self.paper = self.folder / "paper.txt"
        self.paper.write_bytes(FILE)
        record = self.deposit("teller", self.paper)
        self.statement, self.evidence = record["statement"], record["evidence"]
        self.digest = hashlib.sha256(FILE).hexdigest()
        self.cli("countersign", self.evidence, "--as", "witness", "--key", self.keys["witness"])
        said = self.cli("member", "mandate", "lawyer", "--action", "evidence.deposit", "--until",
                        "2099-01-01", "--key", self.keys["client"], "--json").stdout
        deed = self.folder / "deed.txt"
        deed.write_bytes(b"for the client")
        self.deed = self.deposit("lawyer", deed, "--mandate",
                                 json.loads(said)["statement"])["statement"]
        return self

    def enrol(self, name, role, more):
        key, request = self.folder / (name + ".key"), self.folder / (name + ".req")
        self.cli("key", "new", key, "--alg", "es256" if name == "colleague" else "ed25519")
        self.cli("key", "request", key, "--member", name, "--for", self.trust, "--out", request)
        self.cli("member", "add", name, "--request", request, "--role", role, *more, "--key",
                 self.dir / "operator.key")
        return key

    def deposit(self, name, path, *more):
        self.cli("deposit", path, "--plain", "--key", self.keys[name], "--out", self.folder, *more)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return self.json("/v1/evidence?sha256=" + digest)["evidence"][0]

    def again(self, *options):
        self.stop()
        return self.start(*options)

    def ask(self, who, method, target, body=None, headers=None):
        """A request of somebody's, signed; of nobody's where `who` is None."""
        fields = dict(headers or {})
        if who:
            fields |= signed(self, self.keys[who], method, target, body)
        return self.http(method, target, body, fields)


# ---- every route

# What each route is, and how it is asked for here. A route that is missing here fails the test.
ROUTES = {
    ("post", "/v1/statements"): ("write", "/v1/statements"),
    ("post", "/v1/batches"): ("write", "/v1/batches"),
    ("post", "/entries"): ("write", "/entries"),
    ("get", "/v1/evidence"): ("deposit", "/v1/evidence?sha256={digest}"),
    ("get", "/v1/evidence/{id}"): ("deposit", "/v1/evidence/{evidence}"),
    ("post", "/v1/digests"): ("digests", "/v1/digests"),
    ("get", "/v1/statements/{id}"): ("deposit", "/v1/statements/{statement}"),
    ("get", "/v1/statements/{id}/items"): ("deposit", "/v1/statements/{statement}/items"),
    ("get", "/v1/proofs/{id}"): ("deposit", "/v1/proofs/{statement}"),
    ("get", "/v1/proofs/{id}/{number}"): ("deposit", "/v1/proofs/{statement}/0"),
    ("get", "/entries/{id}"): ("deposit", "/entries/{statement}"),
    ("get", "/v1/ledger"): ("member", "/v1/ledger"),
    ("get", "/v1/trust-update"): ("member", "/v1/trust-update?epoch=0&height=0&size=1"),
    ("get", "/v1/members/{id}"): ("own", "/v1/members/teller"),
    ("get", "/v1/keys/{kid}"): ("own", "/v1/keys/{kid}"),
    ("get", "/v1/state/{module}/{key}"): ("frame", "/v1/state/member/82666d656d6265726474656c6c"),
    ("get", "/v1/blocks/{height}"): ("frame", "/v1/blocks/latest"),
    ("get", "/v1/blocks/{height}/notes"): ("notes", "/v1/blocks/1/notes"),
    ("get", "/v1/members"): ("frame", "/v1/members"),
    ("get", "/v1/events"): ("stream", "/v1/events"),
    ("get", "/tlog/checkpoint"): ("frame", "/tlog/checkpoint"),
    ("get", "/tlog/tile/entries/{tile}"): ("all", "/tlog/tile/entries/000.p/2"),
    ("get", "/tlog/tile/{level}/{tile}"): ("all", "/tlog/tile/0/000.p/2"),
    ("post", "/v1/sessions"): ("sign-in", "/v1/sessions"),
    ("get", "/v1/sessions"): ("session", "/v1/sessions"),
    ("delete", "/v1/sessions/{id}"): ("no-session", "/v1/sessions/" + "0" * 16),
    ("get", "/healthz"): ("open", "/healthz"),
    ("get", "/readyz"): ("open", "/readyz"),
    ("get", "/metrics"): ("open", "/metrics"),  # for it is asked from this machine
    ("get", "/openapi.yaml"): ("open", "/openapi.yaml"),
    ("get", "/.well-known/scitt-keys"): ("open", "/.well-known/scitt-keys"),
    ("get", "/.well-known/scitt-keys/{kid}"): ("nothing", "/.well-known/scitt-keys/" + NOWHERE),
    ("get", "/problems"): ("open", "/problems"),
    ("get", "/problems/{name}"): ("open", "/problems/sign-in"),
}
# Under the policies other than public: nobody, the depositor, a member without part, an auditor.
EXPECTED = {
    "deposit": {"members": (401, 200, 404, 200), "roles": (401, 200, 404, 200)},
    "digests": {"members": (401, 200, 200, 200), "roles": (401, 200, 200, 200)},
    "member": {"members": (401, 200, 200, 200), "roles": (401, 200, 200, 200)},
    "own": {"members": (401, 200, 200, 200), "roles": (401, 200, 404, 200)},
    "frame": {"members": (401, 200, 200, 200), "roles": (401, 403, 403, 200)},
    "notes": {"public": (404,) * 4, "members": (401, 404, 404, 404), "roles": (401, 403, 403, 404)},
    "all": {"members": (401, 403, 403, 200), "roles": (401, 403, 403, 200)},
    "stream": {"members": (401, None, None, None), "roles": (401, 403, 403, None),
               "public": (None,) * 4},
    "write": {policy: (400,) * 4 for policy in POLICIES},
    "sign-in": {policy: (400,) * 4 for policy in POLICIES},
    "session": {policy: (401, 200, 200, 200) for policy in POLICIES},
    "no-session": {policy: (401, 404, 404, 404) for policy in POLICIES},
    "nothing": {policy: (404,) * 4 for policy in POLICIES},
    "open": {policy: (200,) * 4 for policy in POLICIES},
}


def the_policies_hold_on_every_route(folder):
    town = Town(CAIRN, folder).build()
    described = {(method, path) for path, operations in API["paths"].items()
                 for method in operations if method in METHODS}
    assert described == set(ROUTES), described ^ set(ROUTES)
    asked = 0
    for policy in POLICIES:
        town.again("--read", policy)
        shown = {who: town.session(town.keys[who]) for who in ("teller", "lawyer", "auditor")}
        for (method, path), (kind, form) in ROUTES.items():
            target = form.format(digest=town.digest, evidence=town.evidence,
                                 statement=town.statement, kid=kid_of(town.keys["teller"]).hex())
            wanted = EXPECTED[kind].get(policy, (200,) * 4)
            body = {"digests": json.dumps({"sha256": [town.digest]}).encode()}.get(kind)
            body = b"\xa0" if kind in ("write", "sign-in") else body
            for who, status in zip((None, "teller", "lawyer", "auditor"), wanted):
                if status is None:
                    continue  # an answer without an end
                answer = town.http(method.upper(), target, body, shown.get(who))
                assert answer[0] == status, (policy, path, who, answer)
                assert (status == 401) == ("WWW-Authenticate" in answer[1]), (path, answer)
                control = answer[1]["Cache-Control"]
                assert policy == "public" or "public" not in control, (path, control)
                asked += 1
    town.stop()
    print("%d answers" % asked)


def only_who_takes_part_finds_a_deposit(folder):
    town = Town(CAIRN, folder).build().again("--read", "members")
    question = json.dumps({"sha256": [town.digest, NOWHERE]}).encode()
    may = {"teller": True, "colleague": True, "bank": True, "witness": True, "auditor": True,
           "firm": False, "lawyer": False, "client": False}
    for who, finds in may.items():
        found = json.loads(town.ask(who, "POST", "/v1/digests", question)[2])
        assert (town.digest in found["found"]) == finds, (who, found)
        assert sorted(found["absent"]) == ([NOWHERE] if finds else sorted([NOWHERE, town.digest]))
        assert town.ask(who, "GET", "/v1/proofs/%s/0" % town.statement)[0] == (200 if finds else 404)
    for who, status in (("lawyer", 200), ("firm", 200), ("client", 200), ("teller", 404)):
        assert town.ask(who, "GET", "/v1/statements/" + town.deed)[0] == status, who
    # To others the answer is the very one for what was never there.
    for form in ("/v1/evidence?sha256=%s", "/v1/statements/%s", "/v1/proofs/%s/0", "/entries/%s",
                 "/v1/statements/%s/items", "/v1/evidence/%s.0"):
        for real in (town.digest, town.statement):
            there = town.ask("lawyer", "GET", form % real)
            never = town.ask("lawyer", "GET", form % NOWHERE)
            assert there[0] == never[0] == 404, (form, there, never)
            assert there[2].replace(real.encode(), NOWHERE.encode()) == never[2], (there, never)
    # What others said about it is there for whoever reads it.
    shown = json.loads(town.ask("colleague", "GET", "/v1/evidence/" + town.evidence)[2])
    assert [said["action"] for said in shown["evidence"][0]["said"]] == ["countersign"], shown
    said = shown["evidence"][0]["said"][0]["statement"]
    for who, status in (("teller", 200), ("witness", 200), ("lawyer", 404)):
        assert town.ask(who, "GET", "/v1/statements/" + said)[0] == status, who
    # State: that of members is every member's.
    foreign = "/v1/state/evidence/82" + "67" + b"foreign".hex() + "5820" + NOWHERE
    refused(town.ask("teller", "GET", foreign), 403, "refused")
    assert town.ask("auditor", "GET", foreign)[0] == 200
    # The program signs by itself; without a key it says how to.
    town.cli("proof", town.paper, "--out", folder / "again.proof", "--key", town.keys["teller"])
    done = town.cli("show", town.paper, wanted=None)
    assert done.returncode != 0 and "signed in" in done.stderr, done
    env = dict(os.environ, CAIRN_SERVER="http://localhost:%d" % town.port,
               CAIRN_KEY=str(town.keys["colleague"]))
    assert run(CAIRN, "show", town.paper, env=env).stdout.startswith(town.evidence)
    # One's own statement may be sent again by anybody.
    entry = town.ask("teller", "GET", "/v1/statements/" + said)[2]
    assert town.http("POST", "/v1/statements", entry)[0] == 201
    # The policy is read anew.
    (town.dir / "cairn.conf").write_text("read = public\n")
    town.again()
    assert town.http("GET", "/v1/statements/" + town.statement)[0] == 200
    (town.dir / "cairn.conf").write_text("read = members\n")
    town.server.send_signal(signal.SIGHUP)
    end = time.monotonic() + 20
    while town.http("GET", "/v1/statements/" + town.statement)[0] == 200:
        assert time.monotonic() < end
        time.sleep(0.05)
    town.stop()


def a_session_is_opened_once_used_listed_and_ended(folder):
    town = Town(CAIRN, folder).build().again("--read", "members")

    def open_session(key, **changes):
        return town.http("POST", "/v1/sessions", session_statement(town, key, **changes),
                         {"Content-Type": "application/cose"})

    teller, colleague = town.keys["teller"], town.keys["colleague"]
    refused(open_session(teller), 503, "busy")  # the node has just started
    time.sleep(2.1)
    statement = session_statement(town, teller)
    status, _, body = town.http("POST", "/v1/sessions", statement)
    opened = json.loads(body)
    assert status == 201 and opened["member"] == "teller", body
    assert 0 < opened["ends_ms"] / 1000 - time.time() - 890 < 20, opened
    refused(town.http("POST", "/v1/sessions", statement), 409, "exists")
    show = {"Authorization": "Bearer " + opened["token"]}
    assert town.http("GET", "/v1/proofs/" + town.statement, headers=show)[0] == 200
    second = json.loads(open_session(colleague, origin="http://localhost:%d" % town.port)[2])
    # What is not for here and now is refused.
    now = int(time.time() * 1000)
    refused(open_session(teller, origin="http://localhost:1"), 422, "mismatch")
    refused(open_session(teller, origin="https://ledger.example"), 422, "mismatch")
    refused(open_session(teller, chain=b"\1" * 32), 422, "mismatch")
    refused(open_session(teller, iat=now - 3600000), 410, "expired")
    refused(open_session(teller, iat=now + 20000), 410, "expired")
    refused(open_session(teller, expiry=now + 360000), 400, "range")
    refused(open_session(teller, by=town.keys["firm"]), 403, "signature")
    stranger = folder / "stranger.key"
    town.cli("key", "new", stranger)
    refused(open_session(stranger), 403, "key")
    time.sleep(0.1)
    refused(open_session(teller, iat=now, expiry=now + 1), 410, "expired")
    refused(town.http("POST", "/v1/sessions?as=cookie", session_statement(town, teller)), 403,
            "refused")
    for token in ("", "x", opened["token"][:-1], opened["token"][::-1]):
        refused(town.http("GET", "/v1/ledger", headers={"Authorization": "Bearer " + token}), 401,
                "sign-in")
    # Lists and ends.
    mine = json.loads(town.http("GET", "/v1/sessions", headers=show)[2])["sessions"]
    assert [(one["session"], one["this"]) for one in mine] == [(opened["session"], True)], mine
    operator = town.session(town.operator)
    everybody = json.loads(town.http("GET", "/v1/sessions", headers=operator)[2])["sessions"]
    assert len(everybody) == 3, everybody
    refused(town.http("DELETE", "/v1/sessions/" + second["session"], headers=show), 404, "not-found")
    assert town.http("DELETE", "/v1/sessions/" + second["session"], headers=operator)[0] == 204
    refused(town.http("GET", "/v1/ledger",
                      headers={"Authorization": "Bearer " + second["token"]}), 401, "sign-in")
    # No more than sixteen of one key at a time.
    for _ in range(16):
        assert open_session(colleague)[0] == 201
    refused(open_session(colleague), 503, "busy")
    # A key that ends, ends its sessions with the next request.
    town.cli("member", "revoke", "teller", "--kid", kid_of(teller).hex(), "--reason", "lost",
             "--key", town.operator)
    refused(town.http("GET", "/v1/ledger", headers=show), 401, "sign-in")
    refused(town.ask("teller", "GET", "/v1/ledger"), 401, "sign-in")
    refused(open_session(teller), 403, "key")
    # A start forgets sessions, and what was signed before it.
    old = session_statement(town, colleague)
    town.again("--read", "members")
    refused(town.http("GET", "/v1/ledger", headers=operator), 401, "sign-in")
    refused(town.http("POST", "/v1/sessions", old), 422, "mismatch")  # another port as well
    town.stop()


def signed_requests_count_once_and_only_as_they_were_signed(folder):
    town = Town(CAIRN, folder).build().again("--read", "members")
    target = "/v1/evidence?sha256=" + town.digest
    for who in ("teller", "colleague"):  # Ed25519 and ES256
        fields = signed(town, town.keys[who], "GET", target)
        assert town.http("GET", target, headers=fields)[0] == 200
        problem = refused(town.http("GET", target, headers=fields), 401, "sign-in")
        assert "nonce" in problem["field"], problem
        assert problem["chain"] == town.chain.hex() and problem["origin"], problem
    teller = town.keys["teller"]

    def spoilt(ask="GET", where=target, body=None, real=None, **changes):
        fields = signed(town, teller, ask, where, body, **changes)
        return refused(town.http(ask, where, body if real is None else real, fields), 401,
                       "sign-in")["field"]

    assert "created" in spoilt(late=-70) and "created" in spoilt(late=70)
    assert spoilt(values={"@path": "/v1/ledger"}) == "signature"
    assert spoilt(values={"@query": "?"}) == "signature"
    assert spoilt(values={"@method": "POST"}) == "signature"
    assert spoilt(values={"@authority": "other.example"}) == "signature"
    assert spoilt(keyid=kid_of(town.keys["lawyer"]).hex()) == "signature"
    assert spoilt(keyid=NOWHERE) == "key"
    assert spoilt(tag="other") == "signature-input"
    assert spoilt(covered=["@method", "@path", "@query"]) == "signature-input"
    assert spoilt(covered=["@method", "@authority", "@path", "@query", "date"]) == "signature-input"
    question = json.dumps({"sha256": [town.digest]}).encode()
    assert town.ask("teller", "POST", "/v1/digests", question)[0] == 200
    assert spoilt("POST", "/v1/digests", question, b"{}") == "content-digest"
    assert spoilt("POST", "/v1/digests", question,
                  covered=["@method", "@authority", "@path", "@query"]) == "content-digest"
    # The name that it is signed for is the server's own.
    fields = signed(town, teller, "GET", target, values={"@authority": "other.example"})
    assert refused(town.http("GET", target, headers={**fields, "Host": "other.example"}), 401,
                   "sign-in")["field"] == "host"
    fields = signed(town, teller, "GET", target,
                    values={"@authority": "localhost:%d" % town.port})
    assert town.http("GET", target,
                     headers={**fields, "Host": "LOCALHOST:%d" % town.port})[0] == 200
    # A write is authorised by its statement, not by a signature of the request.
    fields = signed(town, teller, "POST", "/v1/statements", b"x", late=-3600)
    assert town.http("POST", "/v1/statements", b"x", fields)[0] == 400
    # A session and a signature at once: one is too many.
    both = {**town.session(teller), **signed(town, teller, "GET", target)}
    refused(town.http("GET", target, headers=both), 401, "sign-in")
    town.stop()


def main():
    run_cases(the_policies_hold_on_every_route, only_who_takes_part_finds_a_deposit,
              a_session_is_opened_once_used_listed_and_ended,
              signed_requests_count_once_and_only_as_they_were_signed)


main()
