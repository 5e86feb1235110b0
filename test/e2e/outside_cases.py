"""The cases of outside.py: usage: outside_cases.py CAIRN NODE_FOLDER [-k WORD]"""
import hashlib
import io
import pathlib
import shutil
import sys

import cbor2
import scitt_cose

from harness import Ledger, run, run_cases

CAIRN, NODE = sys.argv[1], sys.argv[2]
HERE = pathlib.Path(__file__).parent
RECEIPTS, PARTS = 394, -65803


def public_key(folder, private):
    """The public half of a key file, as PEM."""
    out = folder / (pathlib.Path(private).name + ".pem")
    run("openssl", "pkey", "-in", private, "-pubout", "-out", out)
    return out


def sign1(data):
    """The four members of a tagged COSE_Sign1."""
    tag = cbor2.loads(data)
    assert tag.tag == 18 and len(tag.value) == 4, tag
    return tag.value


def entry_of(data):
    """The statement as it stands in the log: nothing unprotected."""
    protected, _, payload, signature = sign1(data)
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]))


def flipped(data, at, bit=0):
    out = bytearray(data)
    out[at] ^= 1 << bit
    return bytes(out)


def deposited(ledger, key, name="contract.txt"):
    """A file and its proof."""
    path = ledger.folder / name
    path.write_text("what the parties agreed on")
    ledger.cli("deposit", path, "--key", key, "--out", ledger.folder)
    return path, ledger.folder / (name + ".proof")


def exported(ledger, proof):
    """A transparent statement of RFC 9943, and its one receipt."""
    out = proof.with_suffix(".cose")
    ledger.cli("export", "--receipts", proof, "--out", out)
    data = out.read_bytes()
    receipts = scitt_cose.extract_receipts(data)
    assert len(receipts) == 1, receipts
    return data, receipts[0]


def scitt_cose_verifies_statement_and_receipt(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    key = ledger.member("clerk")
    statement, receipt = exported(ledger, deposited(ledger, key)[1])
    ledger.stop()
    entry = entry_of(statement)
    clerk = public_key(folder, key).read_bytes()
    node = public_key(folder, ledger.dir / "keys/receipt.key").read_bytes()
    parsed = scitt_cose.parse_signed_statement(statement, public_key_pem=clerk)
    assert parsed["issuer"] == "clerk", parsed

    def holds(candidate, leaf=entry, pem=node):
        return scitt_cose.verify_receipt(candidate, leaf_entry_hex=leaf.hex(),
                                         log_public_key_pem=pem).ok

    result = scitt_cose.verify_receipt(receipt, leaf_entry_hex=entry.hex(),
                                       log_public_key_pem=node)
    assert result.ok, result.errors
    assert (result.leaf_index, result.tree_size) == (2, 3), result
    assert not holds(receipt, pem=clerk)
    for at in range(len(receipt)):
        assert not holds(flipped(receipt, at, at % 8)), at
    for at in range(len(entry)):
        assert not holds(receipt, leaf=flipped(entry, at, at % 8)), at
    try:
        scitt_cose.verify_sign1(flipped(entry, len(entry) - 1), public_key_pem=clerk)
        raise AssertionError("an altered signature holds")
    except scitt_cose.CoseError:
        pass


def transmute_cose_verifies_an_es256_receipt(folder):
    # It knows ECDSA alone, so that the node gets a receipt key of that kind.
    ledger = Ledger(CAIRN, folder).init().start()
    own, request = ledger.dir / "keys/receipt.key", folder / "node.req"
    new = folder / "es256.key"
    ledger.cli("key", "new", new, "--alg", "es256")
    ledger.cli("key", "request", new, "--member", "node-1", "--purpose", "receipt", "--for",
               ledger.trust, "--out", request)
    ledger.cli("member", "add-key", "node-1", "--request", request, "--key",
               ledger.dir / "operator.key")
    ledger.stop()
    new.rename(own)
    ledger.start()
    key = ledger.member("clerk")
    statement, receipt = exported(ledger, deposited(ledger, key)[1])
    ledger.stop()
    (folder / "receipt").write_bytes(receipt)
    leaf = hashlib.sha256(b"\0" + entry_of(statement)).hexdigest()
    done = run("node", HERE / "outside_receipt.js", NODE, folder / "receipt", leaf,
               public_key(folder, own))
    print(done.stdout.strip())


def der_signature(raw):
    """DER of a signature r || s."""
    def integer(part):
        part = part.lstrip(b"\0") or b"\0"
        part = b"\0" + part if part[0] & 0x80 else part
        return b"\x02" + bytes([len(part)]) + part

    body = integer(raw[:32]) + integer(raw[32:])
    return b"\x30" + bytes([len(body)]) + body


def check_by_openssl(folder, alg, command):
    ledger = Ledger(CAIRN, folder).init().start()
    key = ledger.member("clerk", alg=alg)
    entry = entry_of(deposited(ledger, key)[1].read_bytes())
    ledger.stop()
    protected, _, payload, signature = sign1(entry)
    message, raw = folder / "message", folder / "signature"
    pem = public_key(folder, key)
    for what, wanted in ((signature, 0), (flipped(signature, 40), 1)):
        message.write_bytes(cbor2.dumps(["Signature1", protected, b"", payload]))
        raw.write_bytes(der_signature(what))
        run(*command(pem, message, raw), wanted=wanted)
    message.write_bytes(cbor2.dumps(["Signature1", protected, b"", flipped(payload, 3)]))
    raw.write_bytes(der_signature(signature))
    run(*command(pem, message, raw), wanted=1)


def openssl_verifies_an_es256_signature(folder):
    check_by_openssl(folder, "es256", lambda pem, message, raw: (
        "openssl", "dgst", "-sha256", "-verify", pem, "-signature", raw, message))


def openssl_verifies_an_sm2_signature(folder):
    check_by_openssl(folder, "sm2", lambda pem, message, raw: (
        "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", pem, "-rawin", "-digest", "sm3",
        "-pkeyopt", "distid:1234567812345678", "-in", message, "-sigfile", raw))


def encoded_again(data):
    """A CBOR sequence, decoded to its last byte and written again."""
    stream = io.BytesIO(data)
    decoder = cbor2.CBORDecoder(stream)
    out = b""
    while len(out) < len(data):
        out += cbor2.dumps(decoder.decode())
    return out


def cbor2_decodes_every_artefact(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    key = ledger.member("clerk")
    _, proof = deposited(ledger, key)
    many = []
    for number in range(9):
        many.append(folder / ("page-%d.txt" % number))
        many[-1].write_text("page %d" % number)
    ledger.cli("deposit", *many, "--key", key, "--proofs", "one", "--salts", folder / "salts",
               "--out", folder)
    old = folder / "old.trust"
    shutil.copy(ledger.trust, old)
    statement, receipt = exported(ledger, proof)
    state = folder / "state.proof"
    ledger.cli("prove-state", "member", '["member", "clerk"]', "--out", state)
    head = ledger.json("/v1/ledger")["head"]
    update = ledger.http("GET", "/v1/trust-update?epoch=0&height=0&size=1")[2]
    header = ledger.http("GET", "/v1/blocks/latest", headers={"Accept": "application/cbor"})[2]
    assert hashlib.sha256(header).hexdigest() == head["header_hash"]
    ledger.cli("trust", "update", ledger.trust)
    ledger.stop()
    artefacts = {"statement": statement, "receipt": receipt, "update": update, "header": header,
                 "request": (folder / "clerk.req").read_bytes(),
                 "entry": entry_of(statement), "protected": sign1(statement)[0],
                 "payload": sign1(statement)[2]}
    for path in [proof, state, old, ledger.trust, folder / "salts", folder / "BATCH.proofs"]:
        artefacts[path.name] = path.read_bytes()
    for name, data in artefacts.items():
        # Deterministic bytes are what any encoder of shortest forms writes again.
        assert encoded_again(data) == data, name
    parts = sign1(proof.read_bytes())[1][PARTS]
    assert parts[0] == 1 and cbor2.loads(parts[3])[4] == cbor2.loads(parts[3])[9] - 1, parts
    assert set(sign1(statement)[1]) >= {RECEIPTS}, sign1(statement)[1]
    print("%d artefacts" % len(artefacts))


def main():
    run_cases(scitt_cose_verifies_statement_and_receipt, transmute_cose_verifies_an_es256_receipt,
              openssl_verifies_an_es256_signature, openssl_verifies_an_sm2_signature,
              cbor2_decodes_every_artefact)


main()
