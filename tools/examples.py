#!/usr/bin/python3
"""usage: tools/examples.py [--write] PROGRAM

Compares what PROGRAM (test/examples) prints with test/vectors/examples.txt and with docs/protocol.md,
where each example stands between `<!-- example NAME -->` and `<!-- /example -->`, or all whose names
begin alike in a place `NAME*`. With --write both are written anew.
"""
import os
import re
import subprocess
import sys

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEXT = os.path.join(PROJECT, 'docs/protocol.md')
VECTORS = os.path.join(PROJECT, 'test/vectors/examples.txt')
WIDTH = 96
PLACE = re.compile(r'<!-- example ([a-z0-9-]+\*?) -->\n(.*?)<!-- /example -->', re.S)
HEAD = """\
# The examples of docs/protocol.md, made by test/examples with tools/examples.py --write. Each line:
# name, rule of docs/cairn.cddl (or "bytes", "text", "lines"), hex (or the text). Keys are Ed25519; a seed
# is the SHA-256 of "cairn example: NAME". Licence: that of the project.
"""


def read_examples(program):
    out = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout
    examples = {}
    for line in out.splitlines():
        name, rule, value = line.split(' ', 2)
        if name in examples:
            sys.exit('examples: %s is printed twice' % name)
        examples[name] = (rule, value)
    return examples


def wrap(value, indent=''):
    width = WIDTH - len(indent)
    return '\n'.join(indent + value[i:i + width] for i in range(0, len(value), width))


def fill(text, examples):
    """The text with every place filled; complains of places and examples without each other. A place
    `NAME*` holds all examples that begin so."""
    left = set(examples)

    def one(name):
        rule, value = examples[name]
        if rule == 'lines':
            return '`%s`:\n```\n%s```' % (name, value.replace('\\n', '\n'))
        size = '' if rule == 'text' else ', %d bytes' % (len(value) // 2)
        return '`%s`%s:\n```\n%s\n```' % (name, size, wrap(value))

    def place(match):
        name = match.group(1)
        names = [name]
        if name.endswith('*'):
            names = [other for other in examples if other.startswith(name[:-1])]
        if not names or names[0] not in examples:
            sys.exit('docs/protocol.md: there is no example %s' % name)
        left.difference_update(names)
        inner = one(name) if names == [name] else '```\n%s\n```' % '\n'.join(
            '%s\n%s' % (other, wrap(examples[other][1], '  ')) for other in names)
        return '<!-- example %s -->\n%s\n<!-- /example -->' % (name, inner)

    text = PLACE.sub(place, text)
    if left:
        sys.exit('docs/protocol.md: has no place for ' + ', '.join(sorted(left)))
    return text


def settle(path, want, write):
    with open(path, encoding='utf-8') as file:
        have = file.read()
    if have == want:
        return True
    if write:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(want)
        return True
    have_lines, want_lines = have.splitlines(), want.splitlines()
    at = next((i for i, pair in enumerate(zip(have_lines, want_lines)) if pair[0] != pair[1]),
              min(len(have_lines), len(want_lines)))
    print('%s:%d: differs from what the code makes; after a change that is meant: '
          'tools/examples.py --write PROGRAM' % (os.path.relpath(path, PROJECT), at + 1))
    return False


def main():
    arguments = sys.argv[1:]
    write = arguments[:1] == ['--write']
    program = arguments[-1] if arguments else sys.exit(__doc__)
    examples = read_examples(program)
    vectors = HEAD + ''.join('%s %s %s\n' % (name, rule, value)
                             for name, (rule, value) in examples.items())
    with open(TEXT, encoding='utf-8') as file:
        text = fill(file.read(), examples)
    if write and not os.path.exists(VECTORS):
        open(VECTORS, 'w', encoding='utf-8').close()
    good = [settle(VECTORS, vectors, write), settle(TEXT, text, write)]
    sys.exit(0 if all(good) else 1)


main()
