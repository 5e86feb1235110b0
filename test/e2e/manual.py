#!/usr/bin/env python3
"""usage: manual.py CAIRN MANUAL [--write]

The verbs and options of the program, and nothing else, stand in its manual; every --help has an
example; completions are scripts that their shells read; mistyped verbs are answered with near ones.
The section of settings is made of the program's own table; --write brings it up to date.
"""
import json
import re
import subprocess
import sys
import tempfile
import textwrap

CAIRN, MANUAL = sys.argv[1:3]
# Verbs that take every setting as an option; the manual lists these once, as settings.
SETTING_VERBS = ("run", "config check", "config show")


def run(*arguments):
    return subprocess.run([CAIRN, *arguments], capture_output=True, text=True, timeout=60,
                          check=False)


def verbs():
    return re.findall(r"^  (\S+(?: \S+)?)  +\S", run("help").stdout, re.M)


def manual_sections():
    """Verb -> its options, as the manual has them."""
    sections = {}
    with open(MANUAL, encoding="utf-8") as file:
        for line in file:
            heading = re.match(r"\.Ss cairn ([a-z-]+(?: [a-z-]+)?)(?= |$)", line)
            if heading:
                current = sections.setdefault(heading.group(1), set())
            option = re.match(r"\.It Fl \\-([a-z0-9-]+)", line)
            if option and sections:
                current.add(option.group(1))
    return sections


def settings():
    with tempfile.TemporaryDirectory() as folder:
        return json.loads(run("config", "show", folder, "--json").stdout)


def settings_section():
    """What stands in the manual between the two comments that name this file."""
    lines = [".Bl -tag -width Ds"]
    for name, setting in settings().items():
        value = " Ar " + setting["takes"] if setting["takes"] else ""
        text = setting["text"][0].upper() + setting["text"][1:]
        if setting["words"]:
            text += ": " + setting["words"].replace(" ", ", ")
        lines += [".It Ic %s No =%s" % (name, value or " yes"), *textwrap.wrap(text + ".", 98)]
        lines.append("Default: %s; change: %s." % (setting["default"] or "none",
                                                   setting["change"]))
    return "\n".join(lines + [".El", ""])


def check_settings(write):
    with open(MANUAL, encoding="utf-8") as file:
        text = file.read()
    before, begin, rest = text.partition('.\\" settings: written by test/e2e/manual.py --write\n')
    section, end, after = rest.partition('.\\" end of settings\n')
    assert begin and end
    if write:
        with open(MANUAL, "w", encoding="utf-8") as file:
            file.write(before + begin + settings_section() + end + after)
    else:
        assert section == settings_section(), "run test/e2e/manual.py CAIRN MANUAL --write"


def check_help(sections):
    keys = {name.replace("_", "-") for name in settings()}
    for verb in verbs():
        done = run(*verb.split(), "--help")
        assert done.returncode == 0 and "\nexample:\n  " in done.stdout, verb
        assert run("help", *verb.split()).stdout == done.stdout, verb
        options = set(re.findall(r"^  --([a-z0-9-]+)", done.stdout, re.M)) - {"help"}
        assert verb in sections, "the manual lacks " + verb
        if verb in SETTING_VERBS:
            assert options >= keys, keys - options
            options -= keys
        assert sections[verb] == options, (verb, sections[verb] ^ options)
    assert set(sections) == set(verbs()), set(sections) ^ set(verbs())


def check_usage():
    assert re.fullmatch(r"cairn \d+\.\d+\.\d+\S*\n", run("--version").stdout)
    for typed, words in ((["depsoit"], "Did you mean: deposit?"), (["key"], "key new"),
                         (["nonsense"], "See cairn help"), (["membr", "add"], "member add")):
        done = run(*typed)
        assert done.returncode == 2 and words in done.stderr, (typed, done.stderr)
    assert run().returncode == 2
    done = subprocess.run("%s help > /dev/full" % CAIRN, shell=True, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 2 and "could not be written" in done.stderr, done.stderr


def check_completions():
    for shell in ("bash", "zsh", "fish"):
        text = run("completion", shell).stdout
        for verb in verbs():
            assert verb.split()[-1] in text, (shell, verb)
        if subprocess.run(["which", shell], capture_output=True, check=False).returncode == 0:
            subprocess.run([shell, "-n"], input=text, text=True, check=True)
    done = run("completion", "csh")
    assert done.returncode == 2 and "bash zsh fish" in done.stderr
    script = run("completion", "bash").stdout + """
        complete_it() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cairn; echo "${COMPREPLY[@]}"; }
        complete_it cairn dep
        complete_it cairn key ''
        complete_it cairn key new --a
        complete_it cairn deposit file --proofs ''
    """
    done = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=True)
    assert done.stdout == "deposit\nnew show request rotate-node\n--alg\neach one none\n", done.stdout


check_settings(sys.argv[3:] == ["--write"])
check_help(manual_sections())
check_usage()
check_completions()
