#!/usr/bin/python3
"""usage: description.py CAIRN SOURCES FOLDER [OPTION...]

Schemathesis asks a real server everything that docs/openapi.yaml describes, and what it forbids, and
compares the answers with it. Installed below FOLDER at the version that SOURCES/tools/outside pins.
Further options go to it: a longer run by hand is --max-examples=500 --seed=7.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import venv

from harness import Ledger
from pinned import install

TIME_S = 240  # ends what hangs
HERE = pathlib.Path(__file__).parent


def main():
    cairn, sources, folder = [pathlib.Path(word).resolve() for word in sys.argv[1:4]]
    requirements = sources / "tools/outside/schemathesis.txt"

    def python(where):
        venv.create(where, with_pip=True)
        subprocess.run([where / "bin/python", "-m", "pip", "install", "--quiet",
                        "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:",
                        "-r", requirements], check=True)

    install(folder / "schemathesis", requirements.read_text(), python)
    with tempfile.TemporaryDirectory(prefix="cairn-e2e-") as work:
        ledger = Ledger(cairn, work).init().start()
        key = ledger.member("clerk")
        paper = pathlib.Path(work) / "paper.txt"
        paper.write_text("paper")
        ledger.cli("deposit", paper, "--key", key, "--out", work)
        url = "http://127.0.0.1:%d" % ledger.port
        done = subprocess.run(
            [folder / "schemathesis/bin/schemathesis",
             "--config-file", HERE / "description.toml", "run", sources / "docs/openapi.yaml",
             "--url", url, "--max-examples=5", "--seed=1", "--no-color"] + sys.argv[4:],
            cwd=work, timeout=TIME_S, check=False,
            env=dict(os.environ, SCHEMATHESIS_HOOKS="description_hooks", PYTHONPATH=str(HERE)))
        assert ledger.json("/v1/ledger")["read_only"] is None
        ledger.stop()
    sys.exit(done.returncode)


main()
