#!/usr/bin/env python3
"""Makes the seeds of the proof layer's fuzz targets from test/vectors/: whole proofs of each kind, what
they hold, trust files, and our own artefacts.

usage: tools/proof_seeds.py
"""
import pathlib

ROOT = pathlib.Path(__file__).parent.parent
VECTORS = ROOT / "test/vectors"
PROOFS = ["ed25519-0", "es256-1", "sm2-2", "webauthn-0", "foreign", "foreign-x5t", "mandate", "notes",
          "anchored-later", "two-receipts", "comet-clock", "item-fields", "bad-token-malformed"]


def write(target, name, data):
    folder = ROOT / "test/fuzz/corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def column(table, number):
    for line in (VECTORS / table).read_text().splitlines():
        if not line.startswith("#"):
            yield bytes.fromhex(line.split()[number])


def main():
    for name in PROOFS:
        data = (VECTORS / "cairn/proofs" / (name + ".proof")).read_bytes()
        for target in ("proof_file", "verify", "inspect"):
            write(target, name, data)
    for path in sorted((VECTORS / "cairn/trust").glob("[a-g]*.trust")):
        write("trust", path.stem, path.read_bytes())
    for target, table, number in (("statement", "statements.txt", 0), ("receipt", "receipts.txt", 1),
                                  ("receipt", "receipts.txt", 2), ("item", "items.txt", 0),
                                  ("item", "headers.txt", 0), ("commit", "comet.txt", 0)):
        for count, data in enumerate(column(table, number)):
            write(target, "%s%d_%d" % (table[:-4], number, count), data)
    golden = VECTORS / "golden"
    for target, names in {"state_proof": ["state.proof", "absent.proof"],
                          "batch_proofs": ["batch.proofs"], "key_record": ["key.req"],
                          "trust_update": ["rotation.trust-update", "restart.trust-update"]}.items():
        for name in names:
            write(target, name.replace(".", "_"), (golden / name).read_bytes())
            write("inspect", name.replace(".", "_"), (golden / name).read_bytes())
    # Fork evidence of the examples, as it is and with a token that is none.
    examples = dict(line.split()[::2] for line in (VECTORS / "examples.txt").read_text().splitlines()
                    if line.startswith(("trust ", "fork-")))
    trust = bytes.fromhex(examples.pop("trust"))
    for name, value in examples.items():
        data = bytes.fromhex(value)
        write("inspect", name, data)
        for end, seed in (("", data), ("-token", bytes([data[0] + 1]) + data[1:] + b"\x82\xf6\x41\x30")):
            write("fork", name[5:] + end, len(trust).to_bytes(2, "big") + trust + seed)
    # The value in a state proof of presence is a key record.
    state = (golden / "state.proof").read_bytes()
    start = state.index(bytes.fromhex("8901582c302a"))
    length = state[start - 1]
    write("key_record", "ed25519", state[start:start + length])


main()
