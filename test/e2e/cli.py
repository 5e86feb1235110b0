#!/usr/bin/env python3
"""usage: cli.py CAIRN

The client's verbs against a real node: round trips, refusals with their words, exit statuses.
"""
import json
import os
import stat
import sys
import unittest
import urllib.request

from ledger import Ledger

CAIRN = sys.argv.pop(1)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ledger = Ledger(CAIRN)
        cls.alice = cls.ledger.member("alice")
        cls.bob = cls.ledger.member("bob")

    @classmethod
    def tearDownClass(cls):
        cls.ledger.close()

    def deposit(self, *arguments):
        return self.ledger.json("deposit", *arguments, "--key", self.alice, "--trust",
                                self.ledger.trust)

    def mode(self, name):
        return stat.S_IMODE(os.stat(self.ledger.dir / name).st_mode)


class Keys(Case):
    def test_each_kind_of_key_signs_for_its_member(self):
        for alg in ("ed25519", "es256", "sm2"):
            key = self.ledger.member("member-" + alg, alg=alg)
            self.assertEqual(self.ledger.json("key", "show", key)["alg"], alg)
            self.ledger.write(alg + ".txt", alg.encode())
            self.ledger.ok("deposit", alg + ".txt", "--key", key, "--trust", self.ledger.trust)
            self.assertEqual(self.ledger.verify(alg + ".txt", alg + ".txt.proof"), 0)

    def test_a_key_file_is_private_and_never_replaced(self):
        self.ledger.ok("key", "new", "own.key")
        self.assertEqual(self.mode("own.key"), 0o600)
        self.ledger.fails(2, "exists already. Choose another name", "key", "new", "own.key")
        self.ledger.fails(2, "is not one of: ed25519 es256 sm2", "key", "new", "x", "--alg", "rsa")

    def test_a_passphrase_opens_its_key_and_no_other_does(self):
        self.ledger.write("word", b"correct horse\n")
        self.ledger.write("other", b"battery staple\n")
        self.ledger.write("none", b"\n")
        self.ledger.ok("key", "new", "locked.key", "--passphrase-file", "word")
        self.ledger.ok("key", "show", "locked.key", "--passphrase-file", "word")
        self.ledger.fails(2, "passphrase", "key", "show", "locked.key", "--passphrase-file",
                          "other")
        self.ledger.fails(2, "has no first line", "key", "new", "x.key", "--passphrase-file",
                          "none")


class Members(Case):
    def test_the_name_must_be_the_one_of_the_request(self):
        request = self.ledger.request("carol")
        self.ledger.fails(1, "'dave' is not 'carol'", "member", "add", "dave", "--request",
                          request, "--role", "depositor", "--key", self.ledger.operator)

    def test_members_are_listed_with_roles_and_keys(self):
        members = {m["id"]: m for m in self.ledger.json("member", "list")["members"]}
        self.assertEqual(members["alice"]["roles"], ["depositor"])
        self.assertEqual(members["operator"]["kind"], "institution")
        self.assertIn("alice", self.ledger.ok("member", "list"))

    def test_who_is_no_operator_registers_nobody(self):
        request = self.ledger.request("eve")
        self.ledger.fails(1, "may not register", "member", "add", "eve", "--request", request, "--role",
                          "depositor", "--key", self.alice)

    def test_a_rotated_key_ends_and_the_new_one_begins(self):
        old = self.ledger.member("frank")
        request = self.ledger.request("frank", key="frank2.key")
        self.ledger.ok("member", "rotate", "frank", "--request", request, "--key", old)
        name = self.ledger.write("frank.txt", b"frank")
        self.ledger.fails(1, "after the key's end", "deposit", name, "--key", old)
        self.ledger.ok("deposit", name, "--key", "frank2.key", "--trust", self.ledger.trust)

    def test_more_keys_other_roles_and_the_end_of_a_member(self):
        key = self.ledger.member("grace")
        name = self.ledger.write("grace.txt", b"grace")
        request = self.ledger.request("grace", key="phone.key")
        self.ledger.ok("member", "add-key", "grace", "--request", request, "--key",
                       self.ledger.operator)
        self.ledger.ok("deposit", name, "--key", "phone.key")
        self.ledger.ok("member", "roles", "grace", "--role", "witness", "--key",
                       self.ledger.operator)
        self.ledger.fails(1, "role", "deposit", name, "--key", key)
        self.ledger.ok("member", "revoke", "grace", "--reason", "left", "--key",
                       self.ledger.operator)
        self.ledger.fails(1, "after the key's end", "deposit", name, "--key", "phone.key")
        self.ledger.fails(2, "is not 64 hex digits", "member", "revoke", "alice", "--kid", "00",
                          "--reason", "x", "--key", self.ledger.operator)

    def test_a_mandate_lets_another_act_until_it_is_ended(self):
        mandate = self.ledger.json("member", "mandate", "bob", "--action", "evidence.deposit",
                                   "--until", "2099-01-01", "--key", self.alice)["statement"]
        name = self.ledger.write("mandate.txt", b"mandate")
        done = self.ledger.json("deposit", name, "--key", self.bob, "--mandate", mandate)
        shown = self.ledger.json("show", done["files"][0]["evidence"])["evidence"][0]
        self.assertEqual(shown["mandate"], mandate)
        self.ledger.ok("member", "end-mandate", mandate, "--key", self.alice)
        self.ledger.fails(1, "has been ended", "deposit", name, "--key", self.bob, "--mandate",
                          mandate)
        self.ledger.fails(2, "is not a time in UTC", "member", "mandate", "bob", "--action", "x.y",
                          "--until", "tomorrow", "--key", self.alice)

    def test_a_voided_statement_is_never_taken(self):
        self.ledger.write("void.json", json.dumps(
            {"items": [{"sha256": "11" * 32, "sm3": "22" * 32, "size": 1,
                        "media_type": "text/plain"}]}).encode())
        made = self.ledger.run("statement", "new", "void.json", "--key", self.alice, "--out",
                               "void.cbor")
        statement = made.stderr.decode().split()[-1]
        self.ledger.ok("member", "void", statement, "--key", self.alice)
        self.assertEqual(self.ledger.run("statement", "send", "void.cbor").returncode, 1)


class Deposits(Case):
    def test_a_small_file_is_blinded_and_verifies_with_its_proof(self):
        name = self.ledger.write("small.txt", b"small")
        done = self.deposit(name)
        self.assertEqual((done["files"][0]["form"], done["verified"]), ("blinded", True))
        self.assertEqual(done["files"][0]["proof"], "small.txt.proof")
        self.assertEqual(self.mode("small.txt.proof"), 0o600)
        self.assertEqual(self.ledger.verify(name, "small.txt.proof"), 0)
        self.assertIsNone(done["salts"])
        self.assertFalse(list(self.ledger.dir.glob("*.salts")))
        self.ledger.write("changed.txt", b"smalL")
        self.assertEqual(self.ledger.verify("changed.txt", "small.txt.proof"), 1)

    def test_forms_follow_size_and_options(self):
        big = self.ledger.write("big.bin", os.urandom(65536))
        less = self.ledger.write("less.bin", os.urandom(65535))
        forms = [file["form"] for file in self.deposit(big, less)["files"]]
        self.assertEqual(forms, ["plain", "blinded"])
        forms = [file["form"] for file in self.deposit(big, less, "--blind")["files"]]
        self.assertEqual(forms, ["blinded", "blinded"])
        forms = [file["form"] for file in self.deposit(big, less, "--plain")["files"]]
        self.assertEqual(forms, ["plain", "plain"])

    def test_no_proof_is_ever_replaced(self):
        name = self.ledger.write("twice.txt", b"twice")
        first = self.deposit(name)["files"][0]
        second = self.deposit(name)["files"][0]
        self.assertEqual((first["proof"], second["proof"]),
                         ("twice.txt.proof", "twice.txt.2.proof"))
        self.assertEqual(self.ledger.verify(name, first["proof"]), 0)
        self.assertEqual(self.ledger.verify(name, second["proof"]), 0)

    def test_many_files_share_one_proof_from_which_each_is_made_offline(self):
        names = [self.ledger.write("many/%d.txt" % i, b"file %d" % i) for i in range(101)]
        self.ledger.write("list", "\n".join(names).encode())
        done = self.deposit("@list", "--out", "shared")
        self.assertEqual(len(done["batches"]), 1)
        self.assertEqual(done["batches"][0]["proofs"], "shared/BATCH.proofs")
        self.assertEqual(self.mode("shared/BATCH.proofs"), 0o600)
        self.ledger.stop()
        for name in (names[0], names[50], names[100]):
            self.ledger.ok("proof", name, "--from", "shared/BATCH.proofs", "--out", "one.proof",
                           "--trust", self.ledger.trust)
            self.assertEqual(self.ledger.verify(name, "one.proof"), 0)
            (self.ledger.dir / "one.proof").unlink()
        evidence = done["files"][7]["evidence"].lower().replace("-", "")
        self.ledger.ok("proof", evidence, "--from", "shared/BATCH.proofs", "--out", "7.proof")
        self.assertEqual(self.ledger.verify(names[7], "7.proof"), 0)
        renamed = self.ledger.write("renamed.txt", b"file 33")
        self.ledger.ok("proof", renamed, "--from", "shared/BATCH.proofs", "--out", "33.proof")
        self.assertEqual(self.ledger.verify(renamed, "33.proof"), 0)
        stranger = self.ledger.write("stranger.txt", b"stranger")
        self.ledger.fails(1, "is not in that batch", "proof", stranger, "--from",
                          "shared/BATCH.proofs", "--out", "x.proof")
        self.ledger.start()

    def test_salts_that_are_kept_make_the_proof_later(self):
        names = [self.ledger.write(name, name.encode()) for name in ("s1.txt", "s2.txt")]
        self.ledger.fails(1, "would lose the salts", "deposit", *names, "--proofs", "none", "--key",
                          self.alice)
        done = self.ledger.json("deposit", *names, "--proofs", "none", "--salts", "my.salts",
                                "--key", self.alice)
        self.assertEqual(done["salts"], "my.salts")
        self.assertEqual(self.mode("my.salts"), 0o600)
        more = self.ledger.write("s3.txt", b"s3")
        self.deposit(more, "--proofs", "none", "--salts", "my.salts")
        for name in names + [more]:
            self.ledger.ok("proof", name, "--salts", "my.salts", "--out", name + ".later")
            self.assertEqual(self.ledger.verify(name, name + ".later"), 0)
        self.ledger.ok("proof", done["files"][1]["evidence"], "--salts", "my.salts", "--out",
                       "id.later")
        self.assertEqual(self.ledger.verify("s2.txt", "id.later"), 0)
        with open(self.ledger.dir / "my.salts", "ab") as file:
            file.write(b"torn")
        self.ledger.fails(2, "is not a whole file of salts", "deposit", more, "--salts",
                          "my.salts", "--key", self.alice)

    def test_a_reference_finds_its_files_and_says_nothing(self):
        self.ledger.write("ref.key", b"k" * 32)
        self.ledger.write("short.key", b"k" * 15)
        name = self.ledger.write("loan.txt", b"loan")
        done = self.deposit(name, "--ref", "2026-000017", "--ref-key", "ref.key", "--phase",
                            "draft", "--category", "loan")
        item = self.ledger.json("show", done["files"][0]["evidence"])["evidence"][0]
        self.assertEqual((item["category"], item["item"]["phase"]), ("loan", "draft"))
        found = json.load(urllib.request.urlopen(
            self.ledger.url + "/v1/evidence?ref=" + item["item"]["ref"]))
        self.assertEqual(found["evidence"][0]["evidence"], done["files"][0]["evidence"])
        self.ledger.fails(2, "--ref-key is missing", "deposit", name, "--ref", "1", "--key",
                          self.alice)
        self.ledger.fails(2, "fewer than 16 bytes", "deposit", name, "--ref", "1", "--ref-key",
                          "short.key", "--key", self.alice)

    def test_what_would_stand_in_clear_is_looked_at_first(self):
        name = self.ledger.write("clear.txt", b"clear")
        for option in ("--category", "--phase", "--subject"):
            self.ledger.fails(1, "mobile phone number", "deposit", name, option, "13800138000",
                              "--key", self.alice)
        self.ledger.fails(2, "--category", "deposit", name, "--category", "x" * 33, "--key",
                          self.alice)

    def test_bad_input_says_what_and_sends_nothing(self):
        name = self.ledger.write("good.txt", b"good")
        self.ledger.fails(2, "nowhere.txt", "deposit", name, "nowhere.txt", "--key", self.alice)
        self.ledger.fails(2, "is not a regular file", "deposit", ".", "--key", self.alice)
        self.ledger.fails(2, "--key is missing", "deposit", name)
        self.ledger.fails(2, "contradicts", "deposit", name, "--blind", "--plain", "--key",
                          self.alice)
        self.ledger.fails(2, "could not be reached", "deposit", name, "--key", self.alice,
                          "--server", "http://127.0.0.1:1")
        self.ledger.fails(2, "is not a URL", "deposit", name, "--key", self.alice, "--server", "x")
        self.ledger.ok("key", "new", "unknown.key")
        self.ledger.fails(1, "was not found", "deposit", name, "--key", "unknown.key")
        self.ledger.write("empty", b"\n")
        self.ledger.fails(2, "are none", "deposit", "@empty", "--key", self.alice)
        self.assertFalse((self.ledger.dir / "good.txt.proof").exists())

    def test_another_ledgers_trust_file_is_noticed(self):
        self.ledger.ok("init", "other", "--name", "other")
        name = self.ledger.write("trust.txt", b"trust")
        self.ledger.fails(1, "not the one of the trust file", "deposit", name, "--key",
                          self.alice, "--trust", "other/other.trust")


class Evidence(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plain = cls.ledger.write("plain.bin", os.urandom(70000))
        done = cls.ledger.json("deposit", cls.plain, "--key", cls.alice)
        cls.id = done["files"][0]["evidence"]
        cls.file = done["files"][0]

    def said(self):
        return self.ledger.json("show", self.id)["evidence"][0]["said"]

    def test_evidence_is_shown_by_every_name(self):
        for name in (self.id, self.id.lower().replace("-", " "), self.file["statement"],
                     self.file["statement"] + ".0", self.file["sha256"], self.file["sm3"],
                     self.plain):
            shown = self.ledger.json("show", name)["evidence"]
            self.assertEqual([record["evidence"] for record in shown], [self.id], name)
        self.assertIn("70000 bytes", self.ledger.ok("show", self.id))
        self.ledger.fails(1, "is not on this ledger", "show", "00" * 32)
        lone = self.ledger.write("lone.txt", b"lone")
        self.ledger.fails(1, "is not found by its digest", "show", lone)

    def test_a_proof_is_made_at_any_time_and_replaces_only_its_own(self):
        self.ledger.ok("proof", self.id, "--out", "p.proof", "--trust", self.ledger.trust)
        self.ledger.ok("proof", self.plain, "--out", "p.proof")
        self.assertEqual(self.ledger.verify(self.plain, "p.proof"), 0)
        other = self.ledger.write("other.bin", os.urandom(70000))
        self.deposit(other)
        self.ledger.fails(2, "is there, and of other evidence", "proof", other, "--out", "p.proof")

    def test_withdrawal_and_countersignature_stand_beside_the_evidence(self):
        self.ledger.ok("withdraw", self.id, "--reason", "wrong file", "--key", self.alice)
        self.ledger.ok("countersign", self.id, "--as", "witness", "--key", self.bob)
        self.ledger.ok("withdraw", self.id, "--reason", "not mine", "--key", self.bob)
        said = [(one["action"], one["by"], one["counts"]) for one in self.said()]
        for one in (("withdraw", "alice", True), ("countersign", "bob", True),
                    ("withdraw", "bob", False)):
            self.assertIn(one, said)
        self.assertIn("does not count", self.ledger.ok("show", self.id))
        self.ledger.fails(1, "mobile phone", "withdraw", self.id, "--reason", "call 13800138000",
                          "--key", self.alice)
        self.ledger.fails(2, "is not an evidence id", "withdraw", "nonsense", "--reason", "x",
                          "--key", self.alice)
        self.ledger.fails(2, "is not 1 to 200 bytes", "withdraw", self.id, "--reason", "x" * 201,
                          "--key", self.alice)

    def test_a_superseding_file_is_deposited_and_named(self):
        first = self.deposit(self.ledger.write("v1.txt", b"v1"))["files"][0]
        done = self.ledger.json("supersede", first["evidence"],
                                self.ledger.write("v2.txt", b"v2"), "--reason", "page 3",
                                "--key", self.alice)
        self.assertEqual(self.ledger.verify("v2.txt", "v2.txt.proof"), 0)
        said = self.ledger.json("show", first["evidence"])["evidence"][0]["said"]
        self.assertEqual(said[0]["new"]["evidence"], done["new"]["evidence"])
        self.ledger.fails(1, "is not on this ledger", "supersede", "00" * 32, "v2.txt", "--reason",
                          "x", "--key", self.alice)

    def test_state_is_proved_present_and_absent(self):
        for key, words in (("member:alice", "is there"), ('["member", "nobody"]', "is not there"),
                           ("82666d656d62657265616c696365", "is there")):
            out = self.ledger.ok("prove-state", "member", key, "--out", "s.proof", "--trust",
                                 self.ledger.trust)
            self.assertIn(words, out)
            self.ledger.ok("verify", "--proof", "s.proof", "--trust", self.ledger.trust)
        kid = self.ledger.json("key", "show", self.alice)["kid"]
        self.ledger.ok("prove-state", "member", "key:" + kid, "--out", "s.proof")
        self.ledger.fails(2, "is not a state key", "prove-state", "member", "xyz", "--out", "x")

    def test_proofs_are_exported_and_anchored(self):
        name = self.ledger.write("anchor.txt", b"anchor")
        self.deposit(name)
        self.ledger.ok("export", "--receipts", "anchor.txt.proof", "--out", "anchor.cose")
        self.deposit(self.ledger.write("later.txt", b"later"))
        self.assertIn("anchored in block",
                      self.ledger.ok("export", "--refresh", "anchor.txt.proof"))
        self.assertIn("no later head", self.ledger.ok("export", "--refresh", "later.txt.proof"))
        self.assertEqual(self.ledger.verify(name, "anchor.txt.proof"), 0)
        self.ledger.fails(2, "exactly one", "export", "anchor.txt.proof")

    def test_a_trust_file_is_shown_and_carried_forward(self):
        shown = self.ledger.json("trust", "show", self.ledger.trust)
        self.assertEqual((shown["name"], len(shown["sha256"])), ("court", 64))
        self.assertIn("Compare the SHA-256", self.ledger.ok("trust", "show", self.ledger.trust))
        (self.ledger.dir / "copy.trust").write_bytes(self.ledger.trust.read_bytes())
        self.ledger.ok("trust", "update", "copy.trust")
        after = self.ledger.json("trust", "show", "copy.trust")["heads"]
        self.assertGreater(len(after), len(shown["heads"]))
        self.assertIn("nothing newer", self.ledger.ok("trust", "update", "copy.trust"))
        self.ledger.fails(2, "trust", "trust", "show", self.plain)

    def test_statements_are_signed_and_sent_apart(self):
        self.ledger.write("new.json", json.dumps(
            {"items": [{"file": self.plain}], "category": "contract"}).encode())
        made = self.ledger.run("statement", "new", "new.json", "--key", self.alice)
        request = urllib.request.Request(self.ledger.url + "/v1/statements", made.stdout,
                                         {"Content-Type": "application/cose"})
        answer = json.load(urllib.request.urlopen(request))["answers"][0]
        self.assertFalse(answer["seen"])
        sent = self.ledger.run("statement", "send", "-", "--json", stdin=made.stdout)
        again = json.loads(sent.stdout)["answers"][0]
        self.assertTrue(again["seen"])
        self.assertEqual(again["index"], answer["index"])
        body = {"type": "evidence.withdraw",
                "body": [1, {"hex": answer["statement"]}, 0, "done"]}
        made = self.ledger.run("statement", "new", "--key", self.alice, "--as", "alice", "--trust",
                               self.ledger.trust, "--server", "http://127.0.0.1:1",
                               stdin=json.dumps(body).encode())
        self.assertIn(b"stored", self.ledger.run("statement", "send", "-",
                                                 stdin=made.stdout).stdout)
        for words, text in (("is not MODULE.ACTION", '{"body": []}'),
                            ("is missing", '{"type": "a.b"}'), ("is not an object", "[1]"),
                            ("holds a fraction", '{"type": "a.b", "body": [1.5]}'),
                            ("is not hex", '{"type": "a.b", "body": [{"hex": "0"}]}'),
                            ("lacks a digest", '{"items": [{}]}')):
            self.ledger.fails(2, words, "statement", "new", "--key", self.alice,
                              stdin=text.encode())
        self.ledger.fails(1, "", "statement", "send", "-", stdin=b"nonsense")

    def test_the_clock_is_accepted_for_a_ledger_alone(self):
        self.ledger.ok("clock", "accept", self.ledger.folder)
        self.ledger.fails(2, "holds no ledger", "clock", "accept", ".")


if __name__ == "__main__":
    unittest.main()
