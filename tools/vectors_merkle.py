#!/usr/bin/env python3
"""Writes test/vectors/cairn/merkle.txt from a pieces.json of the Cairn interop vectors.

Usage: tools/vectors_merkle.py PIECES_JSON > test/vectors/cairn/merkle.txt
"""
import json
import sys

HEAD = """\
# Merkle trees, history paths and state-map proofs of the Cairn interop vectors (pieces.json), which
# an independent implementation of docs/protocol.md made for this project (Apache-2.0).
# Written by tools/vectors_merkle.py. Hashes are in hex; `-` is nothing; `N*0` is N zero hashes.
#
# root SIZE ROOT                   over the leaves "leaf 0", "leaf 1", ...
# path SIZE INDEX SIBLING...       of the same tree
# consistency FROM TO HASH...      of the same tree
# header HEIGHT HASH HISTORY_ROOT  of a chain of blocks
# history HEIGHT UNDER SIBLING...  path of header HEIGHT under the history root of header UNDER
# key MODULE KEY_CBOR KEY_HASH
# present ROOT KEY_HASH VALUE SIBLING...
# absent ROOT KEY_HASH OTHER_KEY OTHER_VALUE_HASH SIBLING...
# bad-present, bad-absent: the same, but the proof must not lead to the root
"""


def hashes(path):
    out = []
    zeros = 0
    for item in path + [None]:
        if item is not None and not item.strip("0"):
            zeros += 1
            continue
        if zeros:
            out.append(f"{zeros}*0")
            zeros = 0
        if item is not None:
            out.append(item)
    return out


def line(*fields):
    print(" ".join(str(field) for field in fields))


def state(kind, case):
    first, path = case["proof"]
    if case["kind"] == "presence":
        line(kind + "present", case["root"], case["key_hash"], first, *hashes(path))
    else:
        other = first or ["-", "-"]
        line(kind + "absent", case["root"], case["key_hash"], *other, *hashes(path))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        pieces = json.load(file)
    print(HEAD, end="")
    for case in pieces["tree"]["roots"]:
        line("root", case["size"], case["root"])
    for case in pieces["tree"]["paths"]:
        line("path", case["size"], case["index"], *hashes(case["path"]))
    for case in pieces["tree"]["consistency"]:
        line("consistency", case["from"], case["to"], *hashes(case["path"]))
    for height, case in enumerate(pieces["headers"]):
        line("header", height, case["hash"], case["history_root"])
    for case in pieces["history_paths"]:
        line("history", case["height"], case["under"], *hashes(case["path"]))
    for case in pieces["state_keys"]:
        line("key", case["module"], case["key_cbor"], case["hash"])
    for case in pieces["state_map"]:
        state("", case)
    for case in pieces["state_map_bad"]:
        state("bad-", case)


main()
