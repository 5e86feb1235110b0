#!/usr/bin/env python3
"""usage: library.py LIBRARY EXAMPLE VECTORS

libcairn-verify as others meet it: what it exports, what it needs, and the example program.
"""
import pathlib
import re
import subprocess
import sys

NEEDED = re.compile(r"lib(sodium|crypto|c|asan|ubsan|m|pthread)\.so|ld-linux")
REFUSED = re.compile(r"^(socket|connect|bind|listen|accept|send|recv|getaddrinfo|rocksdb_|curl_|MHD_|"
                     r"json_|fork|exec|system|popen|dlopen)")


def lines(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def check_symbols(library):
    exported = [line.split()[-1] for line in lines("nm", "-D", "--defined-only", library)]
    strangers = [name for name in exported if not name.startswith("cairn_")]
    assert exported and not strangers, strangers
    wanted = [line.split()[-1].split("@")[0]
              for line in lines("nm", "-D", "--undefined-only", library)]
    refused = [name for name in wanted if REFUSED.match(name)]
    assert not refused, refused
    needed = [line for line in lines("readelf", "-d", library) if "(NEEDED)" in line]
    assert needed and all(NEEDED.search(line) for line in needed), needed
    return len(exported)


def check_example(example, folder):
    def status(file):
        done = subprocess.run(
            [example, folder / "files" / file, folder / "proofs/ed25519-0.proof",
             folder / "trust/alpha.trust"], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    code, text = status("contract.txt")
    assert code == 0 and "unchanged since" in text, (code, text)
    code, text = status("other.txt")
    assert code == 1 and "FAIL  file:" in text, (code, text)


def main():
    library, example, vectors = sys.argv[1:]
    exported = check_symbols(library)
    check_example(example, pathlib.Path(vectors) / "cairn")
    print("%d functions exported, the example agrees" % exported)


main()
