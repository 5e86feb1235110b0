"""What Debian knows about the libraries that a program is linked with: their packages, what those
need, what even the smallest Debian has, and the packages' files and licences."""
import hashlib
import os
import re
import subprocess

FIELDS = ("Package", "Version", "Architecture", "Essential", "Priority", "Pre-Depends", "Depends",
          "Provides", "Source", "Homepage")


class Failure(Exception):
    """A sentence for the person who runs make dist."""


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise Failure("%s failed: %s" % (" ".join(command), done.stderr.strip()))
    return done.stdout


def architecture():
    return run("dpkg", "--print-architecture").strip()


class Packages:
    """The packages that are installed here, for this machine's own architecture."""

    def __init__(self):
        own = architecture()
        layout = "\x1f".join("${%s}" % field for field in FIELDS) + "\x1f${db:Status-Status}\x1e"
        self.at = {}
        self.providers = {}
        for record in run("dpkg-query", "-W", "-f", layout).split("\x1e"):
            values = record.split("\x1f")
            if len(values) == len(FIELDS) + 1 and values[-1] == "installed" and \
                    values[2] in (own, "all"):
                package = dict(zip(FIELDS, values))
                self.at[package["Package"]] = package
        for name, package in self.at.items():
            for provided in re.findall(r"[a-z0-9][a-z0-9+.-]+(?= *\(|,|$| )", package["Provides"]):
                self.providers.setdefault(provided, []).append(name)

    def needs(self, name):
        """The installed packages that fulfil what a package depends on."""
        package = self.at[name]
        found = set()
        for clause in (package["Pre-Depends"] + "," + package["Depends"]).split(","):
            alternatives = [re.split(r"[ (:]", text.strip())[0] for text in clause.split("|")]
            if alternatives == [""]:
                continue
            choice = [one for one in alternatives if one in self.at] or [
                provider for one in alternatives for provider in self.providers.get(one, ())]
            if not choice:
                raise Failure("%s depends on %s, which is not installed here" % (name, clause))
            found.add(choice[0])
        return found

    def closure(self, names):
        found, open_names = set(), set(names)
        while open_names:
            name = open_names.pop()
            if name not in self.at:
                raise Failure("package %s is not installed here" % name)
            if name not in found:
                found.add(name)
                open_names |= self.needs(name)
        return found

    def minimal(self):
        """What the smallest Debian that installs packages has."""
        return self.closure(name for name, package in self.at.items()
                            if package["Essential"] == "yes" or package["Priority"] == "required"
                            or name == "apt")


def needed_libraries(program):
    return re.findall(r"NEEDED\s+(\S+)", run("objdump", "-p", program))


def library_paths(program):
    """Names of libraries and where the dynamic linker finds them."""
    return dict(re.findall(r"^\s+(\S+) => (\S+) \(", run("ldd", program), re.M))


def owner(path):
    """The package of a file; where /lib is a link, dpkg may know it by either name."""
    real = os.path.realpath(path)
    for candidate in (path, real, real[len("/usr"):] if real.startswith("/usr/") else real):
        done = subprocess.run(["dpkg-query", "-S", candidate], capture_output=True, text=True,
                              check=False)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    raise Failure("no package owns " + path)


def linked_packages(programs):
    names = set()
    for program in programs:
        paths = library_paths(program)
        for library in needed_libraries(program):
            if not library.startswith("ld-linux"):
                names.add(owner(paths[library]))
    return names


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def candidate(name):
    """The newest version that apt knows of, its architecture and the digest of its file."""
    text = run("apt-cache", "show", "--no-all-versions", name)
    newest = text.split("\n\n", maxsplit=1)[0]
    found = dict(re.findall(r"^(Version|Architecture|SHA256): (\S+)$", newest, re.M))
    if len(found) != 3:
        raise Failure("apt knows no file of package %s: apt-get update" % name)
    return found


def download(packages, names, folder):
    """The .deb files, kept in `folder`: of the newest versions, which in a stable Debian differ
    from those linked with by mended defects alone. The packages' versions become theirs."""
    os.makedirs(folder, exist_ok=True)
    files = {}
    for name in sorted(names):
        newest = candidate(name)
        file = "%s_%s_%s.deb" % (name, newest["Version"].replace(":", "%3a"),
                                 newest["Architecture"])
        path = os.path.join(folder, file)
        if not os.path.exists(path):
            run("apt-get", "download", "-qq", "%s=%s" % (name, newest["Version"]), cwd=folder)
        if not os.path.exists(path) or sha256(path) != newest["SHA256"]:
            raise Failure("%s is not the file that apt's lists describe; remove it" % path)
        packages.at[name]["Version"] = newest["Version"]
        files[name] = file
    return files


def copyright_of(name, deb=None):
    """A package's copyright file, which Debian's policy asks of every package."""
    path = "/usr/share/doc/%s/copyright" % name
    if os.path.exists(path):
        with open(path, "rb") as file:
            return file.read()
    if deb:
        tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], capture_output=True, check=True)
        found = subprocess.run(["tar", "-xO", "." + path], input=tar.stdout, capture_output=True,
                               check=False)
        if found.returncode == 0:
            return found.stdout
    raise Failure("%s is missing: this system leaves documentation out" % path)


def licences_of(text):
    """The short names of a machine-readable copyright file, or none."""
    text = text.decode("utf-8", "replace")
    if not text.lstrip().lower().startswith("format"):
        return []
    return sorted({name.strip().rstrip(",") for name in re.findall(r"^License:\s*(\S[^\n]*)$", text,
                                                                   re.M)})
