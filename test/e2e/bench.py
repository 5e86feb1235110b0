#!/usr/bin/env python3
"""usage: bench.py CAIRN

The benchmark runs to its end and reports every row; what its figures say is no matter here. One pair
a row is too few to count, which it must say with exit status 3.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

ROWS = ["latency of one deposit", "many per request: rate", "many per request: server CPU",
        "one per request, 64 connections: server CPU", "echo:", "TLS 1.3",
        "the same without TLS", "against libsodium's SHA-256",
        "against the SHA-256 in use", "the whole run", "space of an item with a reference",
        "space of an item", "server memory", "a proof for a random evidence id",
        "size of a proof file", "over HTTP, one connection", "digests looked up over HTTP",
        "proofs of random items over HTTP", "checked natively", "digest, present",
        "digest, absent", "after a clean stop", "after a kill"]


def main():
    cairn = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        page = folder / "page.md"
        command = [cairn, "bench", "--pairs", "1", "--json", "--write", page, "--dir",
                   folder / "data"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 3, done
        report = json.loads(done.stdout)
        names = [row["name"] for row in report["rows"]]
        for wanted in ROWS:
            assert any(wanted in name for name in names), (wanted, names)
            assert wanted in page.read_text(encoding="utf-8"), wanted
        assert report["noisy"]
        for row in report["rows"]:
            assert row["figure"]["median"] > 0, row
        assert not (folder / "data").exists()
        (folder / "data").mkdir()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "is there already" in done.stderr, done
    print(len(names), "rows")


main()
