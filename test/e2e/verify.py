#!/usr/bin/env python3
"""usage: verify.py CAIRN VECTORS

Runs `cairn verify` over the interop vectors: every exit status and every failing check agrees, in
text and in JSON. `cairn inspect` shows every artefact that can be read.
"""
import json
import pathlib
import subprocess
import sys


def cases(folder):
    for line in (folder / "index.txt").read_text().splitlines():
        if not line.startswith("#"):
            yield line.split()


def run(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)


def check_case(cairn, folder, case):
    name, file, proof, trust, digest, status, check = case
    command = [cairn, "verify", "--json", "--proof", folder / proof]
    command += ["--trust", folder / trust] if trust != "-" else []
    command += ["--hash", digest] if digest != "-" else []
    command += [folder / file] if file != "-" else []
    done = run(*command)
    answer = json.loads(done.stdout)
    failing = {line["check"] for line in answer["checks"] if line["outcome"] == "fail"}
    want = set() if check == "-" else {check.replace("_", " ")}
    if done.returncode != int(status) or answer["exit"] != int(status) or failing != want:
        sys.exit("%s: exit %d, failing %s; want %s, %s\n%s" % (
            name, done.returncode, failing, status, want, done.stdout + done.stderr))


def check_text(cairn, folder):
    done = run(cairn, "verify", folder / "files/contract.txt", "--proof",
               folder / "proofs/ed25519-0.proof", "--trust", folder / "trust/alpha.trust")
    for words in ("unchanged since 2023-11-14", "asserted by the operator", "secret until today"):
        assert words in done.stdout, done.stdout
    done = run(cairn, "verify", folder / "files/other.txt", "--proof",
               folder / "proofs/ed25519-0.proof", "--trust", folder / "trust/alpha.trust")
    assert done.returncode == 1 and "not the recorded one" in done.stdout, done.stdout
    for wrong in (["verify"], ["verify", "/nowhere", "--proof", "/nowhere"],
                  ["verify", "x", "--hash", "00"], ["inspect", folder / "files/other.txt"]):
        assert run(cairn, *wrong).returncode == 2, wrong


def check_inspect(cairn, folder):
    shown = 0
    for path in sorted(folder.glob("*/*.proof")) + sorted(folder.glob("trust/*.trust")):
        if path.name.startswith("unreadable"):
            continue
        done = run(cairn, "inspect", path)
        assert done.returncode == 0 and done.stdout.startswith("UNVERIFIED"), (path, done.stderr)
        shown += 1
    return shown


def main():
    cairn, folder = sys.argv[1], pathlib.Path(sys.argv[2]) / "cairn"
    count = 0
    for case in cases(folder):
        check_case(cairn, folder, case)
        count += 1
    assert count == 240, count
    check_text(cairn, folder)
    print("%d cases verified, %d artefacts shown" % (count, check_inspect(cairn, folder)))


main()
