#!/usr/bin/python3
"""usage: outside.py CAIRN SOURCES FOLDER

Other people's verifiers look at what this ledger writes. Installs them below FOLDER, at the very
versions that SOURCES/tools/outside pins, and goes on in outside_cases.py with their Python.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import venv

from pinned import install


def main():
    cairn, sources, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    pinned = sources / "tools/outside"
    requirements = pinned / "requirements.txt"

    def python(where):
        venv.create(where, with_pip=True)
        subprocess.run([where / "bin/python", "-m", "pip", "install", "--quiet",
                        "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:",
                        "-r", requirements], check=True)

    def node(where):
        for name in ("package.json", "package-lock.json"):
            shutil.copy(pinned / name, where)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
                        "--loglevel=error"], cwd=where, check=True)

    install(folder / "python", requirements.read_text(), python)
    install(folder / "node", (pinned / "package-lock.json").read_text(), node)
    cases = pathlib.Path(__file__).with_name("outside_cases.py")
    interpreter = str(folder / "python/bin/python")
    os.execv(interpreter, [interpreter, str(cases), cairn, str(folder / "node")] + sys.argv[4:])


main()
