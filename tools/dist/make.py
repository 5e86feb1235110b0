#!/usr/bin/python3
"""usage: tools/dist/make.py --tree BUILD --out FOLDER [--packages FOLDER|none] [--version VERSION]

Makes of a release build one archive that installs without a network: program, verifier library,
documentation, bill of materials, licences, and the Debian packages that a minimal Debian lacks. The
same build gives the same bytes. Beside it come install.sh and SHA256SUMS, which is signed with the
Ed25519 key in PEM that DIST_KEY names. --version names another version than the program's, for
tests of upgrades."""
import argparse
import gzip
import hashlib
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

import debian
import sbom
from debian import Failure, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What checks the signature of the next archive.
ALSO_BUNDLED = {"openssl"}
BIN_DIR = b"/opt/cairn/current/bin"
DOCUMENTS = ("README.md", "CHANGELOG.md", "LICENSE")
SHELLS = {"bash": "share/bash-completion/completions/cairn",
          "zsh": "share/zsh/site-functions/_cairn",
          "fish": "share/fish/vendor_completions.d/cairn.fish"}
PKG_CONFIG = """prefix=${pcfiledir}/../..
includedir=${prefix}/include
libdir=${prefix}/lib

Name: cairn-verify
Description: Checks proofs of the Cairn ledger, offline
Version: %s
Requires.private: libsodium, libcrypto
Libs: -L${libdir} -lcairn-verify
Cflags: -I${includedir}
"""


class Contents:
    """What goes into the archive: names below its one folder, bytes, modes."""

    def __init__(self):
        self.files = {}
        self.links = {}

    def add(self, name, content, mode=0o644):
        self.files[name] = (content, mode)

    def copy(self, name, path, mode=0o644):
        self.add(name, pathlib.Path(path).read_bytes(), mode)

    def folder(self, name, path):
        for file in sorted(pathlib.Path(path).rglob("*")):
            if file.is_file() and file.name != "meson.build":
                mode = 0o755 if os.access(file, os.X_OK) else 0o644
                place, content = str(file.relative_to(path)), file.read_bytes()
                if place.endswith(".in"):
                    place = place[:-len(".in")]
                    content = content.replace(b"@bindir@", BIN_DIR)
                self.add("%s/%s" % (name, place), content, mode)

    def sums(self):
        lines = ["%s  %s\n" % (hashlib.sha256(content).hexdigest(), name)
                 for name, (content, _) in sorted(self.files.items())]
        self.add("SHA256SUMS", "".join(lines).encode())

    def write(self, path, top, epoch):
        """A tar of fixed owners, modes, times and order, compressed without a name or a time."""
        tar_bytes = io.BytesIO()
        names = set(self.files) | set(self.links)
        folders = {top}
        for name in names:
            parts = name.split("/")[:-1]
            folders |= {"/".join([top] + parts[:i + 1]) for i in range(len(parts))}
        with tarfile.open(fileobj=tar_bytes, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for name in sorted(folders | {top + "/" + name for name in names}):
                info = tarfile.TarInfo(name)
                info.mtime = epoch
                below = name[len(top) + 1:]
                content = b""
                if name in folders:
                    info.type, info.mode = tarfile.DIRTYPE, 0o755
                elif below in self.links:
                    info.type, info.linkname, info.mode = tarfile.SYMTYPE, self.links[below], 0o777
                else:
                    content, info.mode = self.files[below]
                    info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        with open(path, "wb") as file:
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
                packed.write(tar_bytes.getvalue())


def stripped(path, *options):
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "stripped")
        shutil.copy(path, copy)
        run("strip", "--enable-deterministic-archives", *options, copy)
        return pathlib.Path(copy).read_bytes()


def add_build(contents, tree, version):
    contents.add("bin/cairn", stripped(tree / "cairn"), 0o755)
    libraries = tree / "src/proof"
    shared = [path for path in libraries.glob("libcairn-verify.so.*.*.*") if path.is_file()]
    if len(shared) != 1:
        raise Failure("%s holds no libcairn-verify.so; build it first" % libraries)
    name = shared[0].name
    contents.add("lib/" + name, stripped(shared[0], "--strip-unneeded"), 0o755)
    contents.links["lib/libcairn-verify.so.0"] = name
    contents.links["lib/libcairn-verify.so"] = "libcairn-verify.so.0"
    contents.add("lib/libcairn-verify.a", stripped(libraries / "libcairn-verify.a", "-S"))
    contents.copy("include/cairn_verify.h", ROOT / "src/proof/cairn_verify.h")
    contents.add("lib/pkgconfig/cairn-verify.pc", (PKG_CONFIG % version).encode())
    for shell, place in SHELLS.items():
        contents.add(place, run(str(tree / "cairn"), "completion", shell).encode())
    return [str(tree / "cairn"), str(shared[0])]


def add_documents(contents):
    contents.add("share/man/man1/cairn.1.gz",
                 gzip.compress((ROOT / "docs/cairn.1").read_bytes(), mtime=0))
    for name in DOCUMENTS:
        contents.copy("share/doc/cairn/" + name, ROOT / name)
    contents.folder("share/doc/cairn/docs", ROOT / "docs")
    contents.folder("share/cairn", ROOT / "packaging")
    contents.copy("share/doc/cairn/examples/verify.c", ROOT / "examples/verify.c")
    contents.copy("install.sh", ROOT / "tools/dist/install.sh", 0o755)
    contents.copy("licences/cairn", ROOT / "LICENSE")


def add_packages(contents, packages, names, folder):
    """Bundles the packages; returns the digests of their files."""
    digests = {}
    lines = []
    for name, file in debian.download(packages, names, folder).items():
        path = os.path.join(folder, file)
        digests[name] = debian.sha256(path)
        contents.copy("packages/" + file.replace("%3a", "_"), path)
        lines.append("%s %s %s %s\n" % (name, packages.at[name]["Version"], digests[name],
                                        file.replace("%3a", "_")))
    contents.add("packages/LIST", "".join(lines).encode())
    return digests


def add_bill(contents, packages, linked, bundled, digests, wanted):
    """Licences and the bill of materials, of what is linked and of what is bundled."""
    everything = packages.closure(linked) | bundled
    components, dependencies = [], {}
    program = "cairn@" + wanted.version
    dependencies[program] = [sbom.purl(packages.at[name]) for name in linked]
    for name in sorted(everything):
        text = debian.copyright_of(name)
        contents.add("licences/" + name, text)
        components.append(sbom.debian_component(packages.at[name], name in linked,
                                                debian.licences_of(text), digests.get(name)))
        dependencies[sbom.purl(packages.at[name])] = [
            sbom.purl(packages.at[one]) for one in packages.needs(name) & everything]
    components += sbom.pinned(str(ROOT / "tools/outside"))
    digest = hashlib.sha256(contents.files["bin/cairn"][0]).hexdigest()
    compiler = run("gcc", "-dumpfullversion").strip()
    contents.add("share/doc/cairn/sbom.cdx.json",
                 sbom.write(("cairn", wanted.version, digest, compiler), components, dependencies,
                            wanted.epoch))


def sign(out, key):
    """SHA256SUMS.sig, an Ed25519 signature of the whole file."""
    sums, signature = out / "SHA256SUMS", out / "SHA256SUMS.sig"
    signature.unlink(missing_ok=True)
    if not key:
        print("dist: not signed; DIST_KEY=FILE names an Ed25519 key ('cairn key new' makes one)")
        return
    done = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", str(sums),
                           "-out", str(signature)], check=False)
    if done.returncode != 0:
        raise Failure("openssl can't sign with DIST_KEY=" + key)


def commit_time():
    if os.environ.get("SOURCE_DATE_EPOCH"):
        return int(os.environ["SOURCE_DATE_EPOCH"])
    return int(run("git", "-C", str(ROOT), "log", "-1", "--format=%ct"))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--tree", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--packages", default="none")
    parser.add_argument("--version")
    wanted = parser.parse_args()
    wanted.tree = wanted.tree.resolve()
    if not wanted.version:
        wanted.version = run(str(wanted.tree / "cairn"), "--version").split()[1]
    wanted.epoch = commit_time()
    return wanted


def make(wanted):
    packages = debian.Packages()
    contents = Contents()
    programs = add_build(contents, wanted.tree, wanted.version)
    add_documents(contents)
    linked = debian.linked_packages(programs)
    bundled, digests = set(), {}
    if wanted.packages != "none":
        bundled = packages.closure(linked | ALSO_BUNDLED) - packages.minimal()
        digests = add_packages(contents, packages, bundled, wanted.packages)
    add_bill(contents, packages, linked, bundled, digests, wanted)
    arch = debian.architecture()
    contents.add("VERSION", ("version %s\narchitecture %s\n" % (wanted.version, arch)).encode())
    contents.sums()
    top = "cairn-%s-linux-%s" % (wanted.version, arch)
    wanted.out.mkdir(parents=True, exist_ok=True)
    archive = wanted.out / (top + ".tar.gz")
    contents.write(archive, top, wanted.epoch)
    shutil.copy(ROOT / "tools/dist/install.sh", wanted.out / "install.sh")
    sums = "".join("%s  %s\n" % (debian.sha256(wanted.out / name), name)
                   for name in (archive.name, "install.sh"))
    (wanted.out / "SHA256SUMS").write_text(sums)
    sign(wanted.out, os.environ.get("DIST_KEY"))
    print("%s  %d bytes, %d packages" % (archive, archive.stat().st_size, len(bundled)))


def main():
    try:
        make(arguments())
    except Failure as failure:
        print("dist: %s" % failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
