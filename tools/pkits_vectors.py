#!/usr/bin/env python3
"""usage: tools/pkits_vectors.py FOLDER > test/vectors/pkits.txt

Takes the tests of NIST's Public Key Interoperability Test Suite that need no revocation list out of
FOLDER, which holds `certs/` and the list of paths `vectors.json` in the form in which Go's
crypto/x509 keeps them (testdata/nist-pkits).
"""
import json
import pathlib
import sys

# Signatures, times, names, basic constraints, key usage, policies, name constraints, extensions.
FAMILIES = ("1", "2", "3", "6", "7", "9", "12", "13", "16")
ABOUT_LISTS = ("4.7.4 ", "4.7.5 ")


def plain(test):
    """Whether path validation begins with nothing asked for, as ours does."""
    return test["InitialPolicySet"] == ["anyPolicy"] and not (
        test["InitialPolicyMappingInhibit"] or test["InitialExplicitPolicy"] or
        test["InitialAnyPolicyInhibit"])


def main():
    folder = pathlib.Path(sys.argv[1])
    tests = json.loads((folder / "vectors.json").read_text(encoding="utf-8"))
    names, rows = {}, []
    for test in tests:
        name = test["Name"]
        if name.split(".")[1] not in FAMILIES or name.startswith(ABOUT_LISTS) or not plain(test):
            continue
        path = [file[:-len(".crt")] for file in test["CertPath"]]
        names.update(dict.fromkeys(path))
        rows.append((name.split()[0], "valid" if test["ShouldValidate"] else "invalid", path[0],
                     ",".join(reversed(path[1:]))))
    print("# Source: NIST, Public Key Interoperability Test Suite 1.0.1 (PKITS),")
    print("#   https://csrc.nist.gov/projects/pki-testing; public domain (17 U.S.C. 105).")
    print("# Taken from it by tools/pkits_vectors.py: the tests without revocation lists.")
    print("# certificate, name, DER in hex")
    print("# pkits, number, valid or invalid by NIST, anchor, chain")
    for name in names:
        print("certificate", name, (folder / "certs" / (name + ".crt")).read_bytes().hex())
    for row in rows:
        print("pkits", *row)


main()
