#!/usr/bin/env python3
"""Turns other people's signature vectors into the text tables of test/vectors/.

usage: tools/crypto_vectors.py SOURCES OUT

SOURCES holds wycheproof/{ed25519,ecdsa_secp256r1_sha256,ecdsa_secp256r1_sha256_p1363}_test.json,
webauthn/w3c.json and cairn/pieces.json. Each table states its source, licence and columns. One
vector is one line of fields, separated by blanks; "-" is an empty byte string. Standard library
only.
"""
import json
import pathlib
import sys

WYCHEPROOF = "C2SP/wycheproof, testvectors_v1/{}, Apache-2.0"


def field(value):
    return value or "-"


def write(path, source, columns, rows):
    head = [f"# Source: {source}", "# Made by tools/crypto_vectors.py.", f"# Columns: {columns}"]
    path.write_text("\n".join(head + [" ".join(row) for row in rows]) + "\n")


def wycheproof_rows(tests, key_of):
    for group in tests["testGroups"]:
        for test in group["tests"]:
            yield (str(test["tcId"]), test["result"], key_of(group), field(test["msg"]),
                   field(test["sig"]))


def wycheproof(sources, out):
    for name, table in (("ed25519_test.json", "wycheproof_ed25519.txt"),
                        ("ecdsa_secp256r1_sha256_test.json", "wycheproof_p256_der.txt"),
                        ("ecdsa_secp256r1_sha256_p1363_test.json", "wycheproof_p256_raw.txt")):
        tests = json.loads((sources / "wycheproof" / name).read_text())
        rows = wycheproof_rows(tests, lambda group: group["publicKeyDer"])
        write(out / table, WYCHEPROOF.format(name), "number, verdict, SPKI, message, signature",
              rows)


P256_SPKI = "3059301306072a8648ce3d020106082a8648ce3d03010703420004"


def webauthn_rows(cases):
    for case in cases:
        attestation = case["reg"]["attestationObject"]
        # The COSE key (kty EC2, alg ES256, crv P-256) in its one canonical encoding.
        at = attestation.find("a5010203262001215820")
        if at < 0:
            continue
        x = attestation[at + 20:at + 84]
        assert attestation[at + 84:at + 90] == "225820"
        y = attestation[at + 90:at + 154]
        auth = case["auth"]
        yield (case["name"], P256_SPKI + x + y, auth["challenge"], auth["authenticatorData"],
               auth["clientDataJSON"], auth["signature"])


def webauthn(sources, out):
    cases = json.loads((sources / "webauthn" / "w3c.json").read_text())
    write(out / "webauthn_w3c.txt",
          "W3C Web Authentication Level 3, test vectors with an ES256 credential (W3C Software and "
          "Document License)",
          "name, SPKI, challenge, authenticatorData, clientDataJSON, DER signature",
          webauthn_rows(cases))


def pieces(sources, out):
    signatures = json.loads((sources / "cairn" / "pieces.json").read_text())["signatures"]
    rows = []
    for one in signatures:
        rp_id, origins = one["rp"] or ("-", ["-"])
        rows.append((str(one["alg"]), one["spki"], one["kid"], rp_id, ",".join(origins),
                     one["sig_structure"], one["signature"]))
    write(out / "cairn_signatures.txt",
          "an independent implementation of docs/protocol.md, made for this project, Apache-2.0",
          "alg, SPKI, kid, rp id, origins, message, signature (webauthn: the CBOR array)", rows)


def main():
    sources, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    wycheproof(sources, out)
    webauthn(sources, out)
    pieces(sources, out)


if __name__ == "__main__":
    main()
