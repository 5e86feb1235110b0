"""The cases of outside.py: usage: outside_cases.py CAIRN NODE_FOLDER [-k WORD]"""
import base64
import hashlib
import io
import pathlib
import shutil
import sys

import cbor2
import scitt_cose
from prometheus_client.parser import text_string_to_metric_families

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


def concise(answer, status, kind):
    """Checks an error of SCRAPI (RFC 9290); returns its map."""
    assert answer[0] == status, answer
    assert answer[1]["Content-Type"] == "application/concise-problem-details+cbor", answer
    problem = cbor2.loads(answer[2])
    assert problem[7807][0] == "/problems/" + kind and problem[7807][1] == status, problem
    assert problem[-1] and problem[-2] and problem[7807]["remedy"], problem
    return problem


def pem_of(key):
    """PEM of a COSE_Key of Ed25519 or P-256."""
    if key[1] == 1:
        assert key[-1] == 6 and key[3] == -8, key
        der = bytes.fromhex("302a300506032b6570032100") + key[-2]
    else:
        assert key[1] == 2 and key[-1] == 1 and key[3] == -7, key
        der = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
        der += key[-2] + key[-3]
    text = base64.b64encode(der).decode()
    return "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n" % text


def receipt_key(ledger, receipt):
    """The key of a receipt, as the server publishes it, found in three ways."""
    kid = cbor2.loads(sign1(receipt)[0])[4]
    status, headers, body = ledger.http("GET", "/.well-known/scitt-keys",
                                        headers={"Accept": "application/cbor"})
    assert (status, headers["Content-Type"]) == (200, "application/cbor"), (status, body)
    keys = {key[2]: key for key in cbor2.loads(body)}
    name = base64.urlsafe_b64encode(kid).rstrip(b"=").decode()
    for text in (name, kid.hex()):
        status, _, body = ledger.http("GET", "/.well-known/scitt-keys/" + text)
        assert status == 200 and cbor2.loads(body) == keys[kid], (text, status, body)
    return pem_of(keys[kid])


def foreign_member(ledger, name):
    """A key of purpose foreign; returns its file and its kid."""
    key = ledger.folder / (name + ".key")
    request = ledger.folder / (name + ".req")
    ledger.cli("key", "new", key)
    ledger.cli("key", "request", key, "--member", name, "--purpose", "foreign", "--for",
               ledger.trust, "--out", request)
    ledger.cli("member", "add", name, "--request", request, "--role", "depositor", "--key",
               ledger.dir / "operator.key")
    der = run("openssl", "pkey", "-in", key, "-pubout", "-outform", "PEM").stdout
    der = base64.b64decode("".join(der.splitlines()[1:-1]))
    return key, hashlib.sha256(der).digest()


def a_scitt_client_registers_and_verifies(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    key, kid = foreign_member(ledger, "pipeline")
    statement = scitt_cose.build_signed_statement(
        b"an inventory", alg="EdDSA", private_key_pem=key.read_bytes(), issuer="pipeline",
        subject="release-1", content_type="text/plain", kid=kid)
    cose = {"Content-Type": "application/cose", "Accept": "application/cose"}
    concise(ledger.http("POST", "/entries", statement, cose), 401, "sign-in")
    cose |= ledger.session(ledger.dir / "operator.key")
    status, headers, receipt = ledger.http("POST", "/entries", statement, cose)
    assert (status, headers["Content-Type"]) == (201, "application/cose"), (status, receipt)
    pem = receipt_key(ledger, receipt)

    def verifies(candidate):
        result = scitt_cose.verify_receipt(candidate, leaf_entry_hex=entry_of(statement).hex(),
                                           log_public_key_pem=pem)
        assert result.ok, result.errors
        return result

    assert verifies(receipt).leaf_index == 2
    # Others register something, so that the next receipt is under another head.
    deposited(ledger, ledger.member("clerk"))
    where = headers["Location"]
    status, headers, later = ledger.http("GET", where, headers={"Accept": "application/cose"})
    assert status == 200 and verifies(later).tree_size > verifies(receipt).tree_size, later
    tag = headers["ETag"]
    assert ledger.http("GET", where, headers={"If-None-Match": tag})[0] == 304
    status, headers, whole = ledger.http(
        "GET", where, headers={"Accept": "application/scitt-statement+cose"})
    assert (status, headers["Content-Type"]) == (200, "application/scitt-statement+cose"), whole
    verifies(scitt_cose.extract_receipts(whole)[0])
    assert scitt_cose.parse_signed_statement(
        whole, public_key_pem=public_key(folder, key).read_bytes())["issuer"] == "pipeline"
    again = ledger.http("POST", "/entries", statement, cose)
    assert again[0] == 201 and again[1]["Location"] == where, again
    ledger.stop()


def an_own_deposit_is_registered_as_an_entry(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    key = ledger.member("clerk")
    statement, _ = exported(ledger, deposited(ledger, key)[1])
    entry = entry_of(statement)
    # The same statement a second time; nothing unprotected is needed for what is stored already.
    item = ledger.http("GET", "/v1/statements/" + hashlib.sha256(cbor2.dumps(
        ["Signature1", sign1(entry)[0], b"", sign1(entry)[2]])).hexdigest() + "/items")[2]
    protected, _, payload, signature = sign1(entry)
    body = cbor2.dumps(cbor2.CBORTag(18, [protected, {-65801: item}, payload, signature]))
    status, headers, receipt = ledger.http("POST", "/entries", body)
    assert status == 201, (status, receipt)
    result = scitt_cose.verify_receipt(receipt, leaf_entry_hex=entry.hex(),
                                       log_public_key_pem=receipt_key(ledger, receipt))
    assert result.ok, result.errors
    assert ledger.http("GET", headers["Location"])[0] == 200
    ledger.stop()


def errors_of_scrapi_are_concise(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    key, kid = foreign_member(ledger, "pipeline")
    statement = scitt_cose.build_signed_statement(
        b"x", alg="EdDSA", private_key_pem=key.read_bytes(), issuer="pipeline", subject="s",
        content_type="text/plain", kid=kid)
    member = ledger.session(ledger.dir / "operator.key")
    concise(ledger.http("POST", "/entries", b""), 400, "truncated")
    concise(ledger.http("POST", "/entries", b"\xa0"), 400, "format")
    concise(ledger.http("POST", "/entries", flipped(statement, len(statement) - 3)), 403,
            "signature")
    protected, _, payload, signature = sign1(statement)
    detached = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, None, signature]))
    problem = concise(ledger.http("POST", "/entries", detached, member), 400, "format")
    assert problem[7807]["field"] == "payload", (problem, payload)
    unknown = scitt_cose.build_signed_statement(
        b"x", alg="EdDSA", private_key_pem=key.read_bytes(), issuer="pipeline", subject="s",
        content_type="text/plain", kid=b"\1" * 32)
    concise(ledger.http("POST", "/entries", unknown, member), 403, "key")
    concise(ledger.http("GET", "/entries/" + "0" * 64), 404, "not-found")
    concise(ledger.http("GET", "/entries/zz"), 400, "range")
    concise(ledger.http("DELETE", "/entries"), 405, "method")
    concise(ledger.http("GET", "/entries/a/b"), 404, "not-found")
    concise(ledger.http("GET", "/.well-known/scitt-keys/" + kid.hex()), 404, "not-found")
    concise(ledger.http("GET", "/.well-known/scitt-keys/AA"), 400, "range")
    ledger.stop()


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


def prometheus_client_parses_the_metrics(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    deposited(ledger, ledger.member("clerk"))
    text = ledger.http("GET", "/metrics")[2].decode()
    ledger.stop()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert len(families) == text.count("# TYPE "), sorted(families)
    for family in families.values():
        assert family.type in ("counter", "gauge", "histogram") and family.documentation, family
        assert family.samples, family
    commits = families["cairn_store_fsync_duration_seconds"].samples
    buckets = [sample for sample in commits if sample.labels == {"file": "log", "le": "+Inf"}]
    count = [sample for sample in commits
             if sample.name.endswith("_count") and sample.labels == {"file": "log"}]
    assert len(buckets) == len(count) == 1 and buckets[0].value == count[0].value == 2, commits
    rising = [sample.value for sample in commits
              if sample.labels.get("file") == "log" and "le" in sample.labels]
    assert rising == sorted(rising) and len(rising) == 17, rising
    accepted = families["cairn_node_accepted_statements"].samples
    assert [sample.value for sample in accepted] == [2], accepted
    print("%d metrics, %d samples" % (
        len(families), sum(len(family.samples) for family in families.values())))


def main():
    run_cases(scitt_cose_verifies_statement_and_receipt, a_scitt_client_registers_and_verifies,
              an_own_deposit_is_registered_as_an_entry, errors_of_scrapi_are_concise,
              transmute_cose_verifies_an_es256_receipt,
              openssl_verifies_an_es256_signature, openssl_verifies_an_sm2_signature,
              cbor2_decodes_every_artefact, prometheus_client_parses_the_metrics)


main()
