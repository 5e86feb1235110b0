#!/usr/bin/env python3
"""usage: runbook.py CAIRN SOURCES

The texts for operators hold what they say: every command line of cairn in them is one (verb, options,
number of arguments), every block of settings passes 'cairn config check', every drop-in is one that
systemd reads, every event, metric and file that they name is there.
"""
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

CAIRN = sys.argv[1]
SOURCES = pathlib.Path(sys.argv[2])
TEXTS = ("docs/operations.md", "docs/alerts.md")
# Programs of the system that the texts may name.
PROGRAMS = {"systemctl", "journalctl", "curl", "make", "install", "mv", "cp", "systemd-sysusers",
            "systemd-analyze", "sh", "openssl", "sha256sum"}


def run(*words):
    return subprocess.run([CAIRN, *map(str, words)], capture_output=True, text=True, timeout=60,
                          check=False)


def verbs():
    return re.findall(r"^  (\S+(?: \S+)?)  +\S", run("help").stdout, re.M)


VERBS = verbs()


def check_cairn(words, line, whole):
    verb = " ".join(words[:2]) if " ".join(words[:2]) in VERBS else words[0]
    assert verb in VERBS, "no such verb: " + line
    help_text = run("help", *verb.split()).stdout
    takes_value = {match.group(1): bool(match.group(2)) for match in
                   re.finditer(r"^  (--[a-z0-9-]+)( [A-Z:\[])?", help_text, re.M)}
    operands, rest = 0, words[len(verb.split()):]
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            assert word in takes_value, "%s has no %s: %s" % (verb, word, line)
            if takes_value[word]:
                assert rest, line
                rest.pop(0)
        else:
            operands += 1
    usage = help_text.split("\n", 1)[0]
    wanted = re.sub(r"^usage: cairn %s" % verb, "", usage).split(" --")[0].split(" [options]")[0]
    least = len([word for word in wanted.split() if not word.startswith("[")])
    assert operands >= least or not whole, "too few arguments: " + line
    assert operands <= len(wanted.split()) or "..." in wanted, "too many arguments: " + line


def check_command(line, whole=True):
    words = shlex.split(line)
    if words[:2] == ["sudo", "-u"]:
        words = words[3:]
    if words[0] == "cairn":
        check_cairn(words[1:], line, whole)
    else:
        assert words[0] in PROGRAMS, "not a program that the texts may use: " + line


def check_settings(text):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "cairn.conf").write_text(text)
        done = run("config", "check", folder)
        assert done.returncode == 0, (text, done.stderr)


def check_drop_in(text):
    """The unit with what the drop-in adds, read by systemd."""
    if not shutil.which("systemd-analyze"):
        return
    unit = (SOURCES / "packaging/systemd/cairn@.service.in").read_text()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "cairn@court.service"
        path.write_text(unit.replace("@bindir@/cairn", "/bin/true").replace("[Install]", text +
                                                                            "\n[Install]"))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True,
                              text=True, check=False)
        assert "nknown" not in done.stderr and "nvalid" not in done.stderr, done.stderr


def names(path, pattern):
    return set(re.findall(pattern, (SOURCES / path).read_text(), re.M))


def check_names(text):
    events = names("docs/events.md", r"^\| `([a-z0-9_.]+)` \|")
    metrics = names("docs/metrics.md", r"^\| `(cairn_[a-z0-9_]+)` \|")
    with tempfile.TemporaryDirectory() as folder:
        settings = set(json.loads(run("config", "show", folder, "--json").stdout))
    for event in re.findall(r"event `([a-z0-9_.]+)`", text):
        assert event in events, "no such event: " + event
    for metric in re.findall(r"`(cairn_[a-z0-9_]+)`", text):
        assert metric in metrics, "no such metric: " + metric
    for setting in re.findall(r"`([a-z0-9_]+) = ", text):
        assert setting in settings, "no such setting: " + setting
    for link in re.findall(r"\]\(([a-z]+\.md)\)", text):
        assert (SOURCES / "docs" / link).exists(), "no such text: " + link
    for inline in re.findall(r"`((?:sudo -u cairn )?cairn [^`]+)`", text):
        check_command(inline, whole=False)


def check(path):
    text = (SOURCES / path).read_text()
    commands = 0
    for kind, block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        if kind == "sh":
            for line in block.strip().split("\n"):
                check_command(line)
                commands += 1
        elif kind == "conf":
            check_settings(block)
        elif kind == "ini":
            check_drop_in(block)
    check_names(text)
    return commands


COUNT = sum(check(path) for path in TEXTS)
assert COUNT > 20, "the commands of the texts were not found"
print("%d command lines" % COUNT)
