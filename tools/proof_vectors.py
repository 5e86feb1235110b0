#!/usr/bin/env python3
"""Brings the Cairn interop vectors into test/vectors/: whole proofs and trust files as they are, with
an index of what each must give, and tables of the pieces that the proof layer computes.

usage: tools/proof_vectors.py FOLDER

FOLDER  the Cairn interop vectors (index.json, pieces.json, files/, proofs/, trust/), made for this
        project by an implementation of docs/protocol.md that shares no code with it
"""
import json
import pathlib
import shutil
import sys

OUT = pathlib.Path(__file__).parent.parent / "test" / "vectors"
SOURCE = [
    "From the Cairn interop vectors, made for this project by an independent implementation of",
    "docs/protocol.md. Made by tools/proof_vectors.py.",
]


def write(name, head, rows):
    lines = ["# " + line for line in SOURCE + head]
    for row in rows:
        lines.append(" ".join(row))
    (OUT / name).write_text("\n".join(lines) + "\n")


def index(folder):
    rows = []
    for case in json.loads((folder / "index.json").read_text()):
        rows.append(("#", case["note"]))
        rows.append((
            case["name"], case["file"] or "-", case["proof"], case["trust"] or "-",
            case["options"].get("hash", "-"), str(case["exit"]),
            (case["check"] or "-").replace(" ", "_"),
        ))
    write("cairn/index.txt", [
        "Each line: name, file or -, proof, trust file or -, SHA-256 given in place of a file or -,",
        "exit status, the only check that fails or -. The comment before it says what is special.",
    ], rows)
    for part in ("files", "proofs", "trust"):
        target = OUT / "cairn" / part
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for path in sorted((folder / part).iterdir()):
            (target / path.name).write_bytes(path.read_bytes())


def pieces(folder):
    data = json.loads((folder / "pieces.json").read_text())
    write("evidence_ids.txt", ["Each line: statement id, item number, evidence id."], [
        (each["statement"], str(each["number"]), each["id"]) for each in data["evidence_ids"]])
    write("commitments.txt", ["Each line: kind, salt, encoded value, commitment."], [
        (each["kind"], each["salt"], each["value_cbor"], each["commitment"])
        for each in data["commitments"]])
    write("refs.txt", ["Each line: reference key, number as UTF-8 bytes, k, ref."], [
        (each["reference_key"], each["number"], each["k"], each["ref"]) for each in data["refs"]])
    write("items.txt", ["Each line: item, tree leaf, file or -, salt or -."], [
        (each["item"], each["leaf"], each["file"] or "-", each["salt"] or "-")
        for each in data["items"]])
    write("statements.txt", [
        "Each line: entry, log leaf or -, kid of the record if the statement is foreign or -,",
        "statement id.",
    ], [
        (each["entry"], each.get("log_leaf", "-"), each.get("kid", "-"), each["statement"])
        for each in data["statements"]])
    write("headers.txt", ["Each line: header, its hash, history root, tree root."], [
        (each["header"], each["hash"], each["history_root"], each["tree_root"])
        for each in data["headers"]])
    write("receipts.txt", ["Each line: SPKI, receipt, the same with 396, index, header."], [
        (each["spki"], each["in_proof"], each["rfc9942"], str(each["index"]), each["header"])
        for each in data["receipts"]])
    write("comet.txt", ["Each line: commit, header hash, hash of the set, sign bytes by comma."], [
        (each["commit"], each["header_hash"], each["set_hash"], ",".join(each["votes"]))
        for each in data["comet"]])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    (OUT / "cairn").mkdir(exist_ok=True)
    index(folder)
    pieces(folder)


main()
