#!/usr/bin/env python3
"""usage: verify.py CAIRN VECTORS

Runs `cairn verify` over the interop vectors: every exit status and every failing check agrees, in
text and in JSON. `cairn inspect` shows every artefact that can be read.
"""
import json
import pathlib
import subprocess
import sys
import tempfile


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


def examples(vectors):
    """Name -> bytes of the examples of docs/protocol.md that are hex."""
    lines = (line.split(" ", 2) for line in (vectors / "examples.txt").read_text().splitlines()
             if not line.startswith("#"))
    return {name: bytes.fromhex(value) for name, rule, value in lines if rule not in ("text", "lines")}


def check_forks(cairn, vectors):
    """Fork evidence is a FILE that needs no proof; 0 is that the accusation holds."""
    known = examples(vectors)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        trust = folder / "example.trust"
        trust.write_bytes(known["trust"])
        for form in ("fork-heads", "fork-checkpoints"):
            file = folder / (form + ".fork")
            file.write_bytes(known[form])
            for command in ([file], ["--proof", file]):
                done = run(cairn, "verify", *command, "--trust", trust)
                assert done.returncode == 0 and "Node node-1" in done.stdout, done.stdout
            answer = json.loads(run(cairn, "verify", "--json", file, "--trust", trust).stdout)
            assert answer["exit"] == 0 and "accusation holds" in answer["summary"], answer
            assert run(cairn, "verify", file).returncode == 2
            spoiled = bytearray(known[form])
            spoiled[-1 if form == "fork-heads" else 20] ^= 1  # a signature, an origin
            file.write_bytes(spoiled)
            done = run(cairn, "verify", file, "--trust", trust)
            assert done.returncode == 1 and "does not hold" in done.stdout, (form, done.stdout)
            file.write_bytes(known[form][:-1])
            assert run(cairn, "verify", file, "--trust", trust).returncode == 2
            file.write_bytes(known[form])
            done = run(cairn, "inspect", file)
            assert done.returncode == 0 and "fork evidence: two" in done.stdout, done.stdout
            # A file that has a proof beside it is what the proof is for.
            (folder / (form + ".fork.proof")).write_bytes(known["proof"])
            done = run(cairn, "verify", file, "--trust", trust)
            assert done.returncode == 1 and "not the recorded one" in done.stdout, done.stdout


def main():
    cairn, folder = sys.argv[1], pathlib.Path(sys.argv[2]) / "cairn"
    count = 0
    for case in cases(folder):
        check_case(cairn, folder, case)
        count += 1
    assert count == 240, count
    check_text(cairn, folder)
    check_forks(cairn, pathlib.Path(sys.argv[2]))
    print("%d cases verified, %d artefacts shown" % (count, check_inspect(cairn, folder)))


main()
