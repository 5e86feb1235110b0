#!/usr/bin/env python3
"""usage: http_fuzz.py CAIRN SOURCES FOLDER

Other people's protocol fuzzer sends what looks like HTTP. Installs it below FOLDER, at the very
version that SOURCES/tools/outside pins, and goes on in http_fuzz_cases.py with its Python.
"""
import os
import pathlib
import subprocess
import sys
import venv

from pinned import install


def main():
    cairn, sources, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    requirements = sources / "tools/outside/fuzzer.txt"

    def python(where):
        venv.create(where, with_pip=True)
        subprocess.run([where / "bin/python", "-m", "pip", "install", "--quiet",
                        "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:",
                        "-r", requirements], check=True)

    install(folder / "fuzzer", requirements.read_text(), python)
    cases = pathlib.Path(__file__).with_name("http_fuzz_cases.py")
    interpreter = str(folder / "fuzzer/bin/python")
    os.execv(interpreter, [interpreter, str(cases), cairn] + sys.argv[4:])


main()
