#!/usr/bin/python3
"""usage: dist.py BUILD SOURCE

The archive, of the release that is built already and without Debian's packages: made twice alike,
signed, installed, upgraded and rolled back without a network. `make dist-test` does the whole of it
in a fresh Debian."""
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

from ledger import Ledger

NOT_PERMITTED = 77


class Case:
    def __init__(self, build, source, folder):
        self.build = build
        self.source = source
        self.folder = folder
        self.prefix = folder / "opt/cairn"
        self.key = folder / "release.key"
        self.public = folder / "release.pem"
        self.call(build / "cairn", "key", "new", self.key)
        self.call("openssl", "pkey", "-in", self.key, "-pubout", "-out", self.public)
        self.first = self.make("first")

    @staticmethod
    def call(*command, **environment):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False,
                              env={**os.environ, **environment})
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def make(self, name, *options):
        """Returns the archive; beside it are its sums and their signature."""
        out = self.folder / name
        self.call(self.source / "tools/dist/make.py", "--tree", self.build, "--out", out, *options,
                  DIST_KEY=str(self.key), SOURCE_DATE_EPOCH="1767225600")
        return next(out.glob("*.tar.gz"))

    def install(self, *arguments, wanted=0):
        done = subprocess.run(["sh", str(self.first.parent / "install.sh"), *map(str, arguments),
                               "--prefix", str(self.prefix)], capture_output=True, text=True,
                              check=False)
        assert done.returncode == wanted, (arguments, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def current(self):
        return os.readlink(self.prefix / "current")


def the_same_build_gives_the_same_bytes(case):
    second = case.make("second")
    assert case.first.read_bytes() == second.read_bytes()
    for name in ("SHA256SUMS", "SHA256SUMS.sig"):
        assert (case.first.parent / name).read_bytes() == (second.parent / name).read_bytes()
    shutil.rmtree(second.parent)


def nothing_of_the_building_machine_is_in_it(case):
    with tarfile.open(case.first) as tar:
        members = tar.getmembers()
        assert [one.name for one in members] == sorted(one.name for one in members)
        for one in members:
            owner = (one.uid, one.gid, one.uname, one.gname, one.mtime)
            assert owner == (0, 0, "", "", 1767225600), (one.name, owner)
            if one.isfile():
                content = tar.extractfile(one).read()
                for path in (case.source, case.build):
                    assert str(path).encode() not in content, (one.name, path)
        names = {one.name.split("/", 1)[-1] for one in members}
    for name in ("bin/cairn", "lib/libcairn-verify.so.0", "include/cairn_verify.h",
                 "share/man/man1/cairn.1.gz", "share/doc/cairn/docs/protocol.md",
                 "share/doc/cairn/sbom.cdx.json", "licences/cairn", "licences/libssl3",
                 "share/cairn/grafana/cairn.json", "share/cairn/systemd/cairn@.service",
                 "install.sh", "SHA256SUMS"):
        assert name in names, (name, sorted(names))


def what_is_not_signed_or_not_whole_is_refused(case):
    key = ("--key", case.public)
    assert "--key PUBLIC.pem is missing" in case.install("install", case.first, wanted=1)
    other = case.folder / "other"
    other.mkdir()
    case.call(case.build / "cairn", "key", "new", other / "key")
    case.call("openssl", "pkey", "-in", other / "key", "-pubout", "-out", other / "pem")
    said = case.install("install", "--key", other / "pem", case.first, wanted=1)
    assert "is not signed by" in said, said
    for name in ("SHA256SUMS", "SHA256SUMS.sig"):
        shutil.copy(case.first.parent / name, other / name)
    damaged = bytearray(case.first.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (other / case.first.name).write_bytes(damaged)
    said = case.install("install", *key, other / case.first.name, wanted=1)
    assert "is damaged" in said, said
    (other / case.first.name).rename(other / "renamed.tar.gz")
    said = case.install("install", *key, other / "renamed.tar.gz", wanted=1)
    assert "does not name" in said, said
    sums = other / "SHA256SUMS"
    sums.write_text(sums.read_text() + "0" * 64 + "  renamed.tar.gz\n")
    said = case.install("install", *key, other / "renamed.tar.gz", wanted=1)
    assert "is not signed by" in said, said
    assert "nothing is installed" in case.install("upgrade", *key, "--no-ledger", case.first,
                                                  wanted=1)
    assert not case.prefix.exists()


def it_is_installed_and_serves(case):
    case.install("install", "--key", case.public, case.first)
    version = case.current()
    assert sorted(os.listdir(case.prefix)) == sorted([version, "current"])
    program = case.prefix / "current/bin/cairn"
    assert case.call(program, "--version") == "cairn %s\n" % version
    again = case.install("install", "--key", case.public, case.first)
    assert "is there already" in again and "stays" in again, again
    ledger = Ledger(program)
    key = ledger.member("alice")
    ledger.write("a.txt", b"a")
    ledger.ok("deposit", "a.txt", "--key", key, "--out", ".")
    assert ledger.verify("a.txt", "a.txt.proof") == 0
    return ledger


def an_upgrade_is_rolled_back(case, ledger):
    before = case.current()
    newer = case.make("newer", "--version", "99.0.0")
    key = ("--key", case.public)
    said = case.install("upgrade", *key, newer, wanted=1)
    assert "--ledger" in said and case.current() == before, said
    said = case.install("upgrade", *key, "--ledger", ledger.folder, "--ledger",
                        case.folder / "none", newer, wanted=1)
    assert "does not read" in said and case.current() == before, said
    ledger_options = ("--ledger", ledger.folder)
    case.install("upgrade", *key, *ledger_options, newer)
    assert case.current() == "99.0.0"
    assert os.readlink(case.prefix / "previous") == before
    assert ledger.verify("a.txt", "a.txt.proof") == 0
    ledger.stop()
    ledger.start()
    listed = case.install("list")
    assert sorted(listed.split("\n")) == sorted(["", before, "99.0.0 (current)"]), listed
    assert "is not in" in case.install("rollback", *ledger_options, "1.2.3", wanted=1)
    case.install("rollback", *ledger_options)
    assert case.current() == before
    ledger.stop()
    ledger.start()
    assert ledger.verify("a.txt", "a.txt.proof") == 0
    case.install("rollback", "--no-ledger")
    assert case.current() == "99.0.0"
    assert sorted(os.listdir(case.prefix)) == sorted([before, "99.0.0", "current", "previous"])


def isolated(build, source):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cairn-dist-"))
    ledger = None
    try:
        case = Case(build, source, folder)
        the_same_build_gives_the_same_bytes(case)
        nothing_of_the_building_machine_is_in_it(case)
        what_is_not_signed_or_not_whole_is_refused(case)
        ledger = it_is_installed_and_serves(case)
        an_upgrade_is_rolled_back(case, ledger)
    finally:
        if ledger:
            ledger.close()
        shutil.rmtree(folder)


def main():
    build, source = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    if len(sys.argv) == 4:
        isolated(build, source)
        return 0
    helper = str(source / "tools/dist/isolated.py")
    command = [sys.executable, __file__, str(build), str(source), "isolated"]
    status = subprocess.run([helper, *command], check=False).returncode
    if status == NOT_PERMITTED:
        print("this machine permits no network namespace: tried with its network", file=sys.stderr)
        status = subprocess.run(command, check=False).returncode
    return status


if __name__ == "__main__":
    sys.exit(main())
