#!/usr/bin/env python3
"""Makes the CBOR and COSE tables in test/vectors/ from folders of other people's vectors.

usage: tools/codec_vectors.py APPENDIX_A.json PIECES.json COSE_FOLDER

APPENDIX_A.json  github.com/cbor/test-vectors, the examples of RFC 8949 appendix A
PIECES.json      pieces.json of the Cairn interop vectors, made by an independent implementation
COSE_FOLDER      github.com/cose-wg/Examples, sign1-tests and eddsa-examples, BSD-3-Clause
"""
import json
import pathlib
import sys

OUT = pathlib.Path(__file__).parent.parent / "test" / "vectors"
P256_SPKI = "3059301306072a8648ce3d020106082a8648ce3d030107034200" + "04"
ED25519_SPKI = "302a300506032b6570032100"


class Refused(Exception):
    pass


def argument(data, at):
    info = data[at] & 0x1F
    if info < 24:
        return info, at + 1
    if info == 31:
        raise Refused("ERR_NOT_CANONICAL")
    width = 1 << (info - 24)
    return int.from_bytes(data[at + 1 : at + 1 + width], "big"), at + 1 + width


def walk(data, at):
    """Returns the end of the item at `at`; raises Refused where protocol.md does not take it."""
    major = data[at] >> 5
    if major == 7:
        if data[at] not in (0xF4, 0xF5, 0xF6):
            raise Refused("ERR_UNSUPPORTED")
        return at + 1
    value, at = argument(data, at)
    if major in (2, 3):
        return at + value
    if major == 6:
        if value in (2, 3):
            raise Refused("ERR_UNSUPPORTED")
        return walk(data, at)
    members = {4: value, 5: 2 * value}.get(major, 0)
    for _ in range(members):
        at = walk(data, at)
    return at


def verdict(data):
    try:
        walk(data, 0)
        return "OK"
    except Refused as refused:
        return str(refused)


def write(name, head, rows):
    lines = ["# " + line for line in head] + [" ".join(row) for row in rows]
    (OUT / name).write_text("\n".join(lines) + "\n")


def appendix_a(path):
    vectors = json.loads(pathlib.Path(path).read_text())
    write(
        "cbor_appendix_a.txt",
        [
            "RFC 8949 appendix A (IETF), as data from github.com/cbor/test-vectors. Made by",
            "tools/codec_vectors.py.",
            "Each line: encoding, and OK or why protocol.md refuses it.",
        ],
        [(vector["hex"], verdict(bytes.fromhex(vector["hex"]))) for vector in vectors],
    )


def refused(path):
    pieces = json.loads(pathlib.Path(path).read_text())
    write(
        "cbor_refused.txt",
        [
            "Encodings that a strict reader refuses, from the Cairn interop vectors (an independent",
            "implementation of protocol.md, made for this project). Made by tools/codec_vectors.py.",
        ],
        [(encoding,) for encoding in pieces["cbor_refused"]],
    )


def base64url_hex(text):
    import base64

    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()


def spki(key):
    if key.get("crv") == "Ed25519":
        return ED25519_SPKI + key["x_hex"].lower()
    if key.get("crv") == "P-256":
        return P256_SPKI + base64url_hex(key["x"]) + base64url_hex(key["y"])
    return "-"


def cose_row(path):
    case = json.loads(path.read_text())
    sign0 = case["input"]["sign0"]
    encoding = case["output"]["cbor"].lower()
    if not encoding.startswith("d284"):
        outcome = "shape"
    elif "external" in sign0 or case.get("fail"):
        outcome = "bad"
    else:
        outcome = "good"
    signed = case["intermediates"]["ToBeSign_hex"].lower()
    return path.stem, outcome, spki(sign0["key"]), encoding, signed


def cose(folder):
    write(
        "cose_sign1.txt",
        [
            "COSE_Sign1 cases from github.com/cose-wg/Examples, BSD-3-Clause. Made by",
            "tools/codec_vectors.py. Each line: name; good, bad (what was signed is not what the message",
            "says, or has an external_aad) or shape (not a COSE_Sign1 of tag 18); SPKI or - (a curve",
            "that is not used here); message; what was signed.",
        ],
        [cose_row(path) for path in sorted(pathlib.Path(folder).glob("*.json"))],
    )


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    appendix_a(sys.argv[1])
    refused(sys.argv[2])
    cose(sys.argv[3])


main()
