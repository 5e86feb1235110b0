#!/usr/bin/python3
"""usage: tools/cddl_check.py

Checks against docs/cairn.cddl: every example of test/vectors/examples.txt, and every proof and trust
file of test/vectors/cairn that a verifier can read. Then each example with one member of an array or
map dropped or changed, which must not match any more: a grammar that takes everything checks nothing.
"""
import os
import sys

from cddl import BASIC, Grammar, Malformed, Pairs, Tag, read_all

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VECTORS = os.path.join(PROJECT, 'test/vectors')
SEQUENCES = {'batch-proofs', 'batch-salts'}


def rows(name):
    with open(os.path.join(VECTORS, name), encoding='utf-8') as file:
        for line in file:
            if line.strip() and not line.startswith('#'):
                yield line.split()


def matches(grammar, rule, data):
    try:
        items = read_all(data)
    except (Malformed, UnicodeDecodeError):
        return False
    if rule in SEQUENCES:
        return grammar.matches(('name', rule), items)
    return len(items) == 1 and grammar.matches(('name', rule), items[0])


def mutations(value):
    """The value with one member of its outermost array or map gone, added or of another type."""
    if isinstance(value, Tag):
        for other in mutations(value.value):
            yield Tag(value.number, other)
        yield Tag(value.number + 1, value.value)
    elif isinstance(value, Pairs):
        yield Pairs(value + [('x', 0)])
    elif isinstance(value, list):
        yield value + [0]
        for i in range(len(value)):
            yield value[:i] + [1.5] + value[i + 1:]
        yield value[:-1]


def check_examples(grammar, complaints):
    count = 0
    for name, rule, *rest in rows('examples.txt'):
        if rule in ('bytes', 'text', 'lines'):
            continue
        text, = rest
        if rule not in grammar.rules:
            complaints.append('%s: there is no rule %s' % (name, rule))
            continue
        count += 1
        data = bytes.fromhex(text)
        if not matches(grammar, rule, data):
            complaints.append('%s does not match %s' % (name, rule))
            continue
        items = read_all(data)
        value = items if rule in SEQUENCES else items[0]
        for number, other in enumerate(mutations(value)):
            if rule == 'state-key' and len(other) == 2 and other[1] == 1.5:
                continue  # a key is any item
            if rule in SEQUENCES and len(other) < len(value):
                continue  # how many follow is said by a number
            if grammar.matches(('name', rule), other):
                complaints.append('%s: mutation %d still matches %s' % (name, number, rule))
    return count


def check_cairn(grammar, complaints):
    seen = set()
    for row in rows('cairn/index.txt'):
        if row[5] not in ('0', '1'):
            continue
        for name in (row[2], row[3]):
            if name == '-' or name in seen:
                continue
            seen.add(name)
            with open(os.path.join(VECTORS, 'cairn', name), 'rb') as file:
                data = file.read()
            rule = 'trust' if name.endswith('.trust') else 'proof-file'
            if not matches(grammar, rule, data):
                complaints.append('%s does not match %s' % (name, rule))
    return len(seen)


def main():
    complaints = []
    with open(os.path.join(PROJECT, 'docs/cairn.cddl'), encoding='utf-8') as file:
        grammar = Grammar(file.read())
    examples = check_examples(grammar, complaints)
    others = check_cairn(grammar, complaints)
    for complaint in complaints:
        print('docs/cairn.cddl: ' + complaint)
    unused = sorted(set(grammar.rules) - grammar.used)
    print('%d examples, %d files of others, %d rules, never asked: %s'
          % (examples, others, len(grammar.rules), ', '.join(unused) or 'none'))
    if examples < 20 or others < 100 or set(grammar.rules) & set(BASIC):
        sys.exit('docs/cairn.cddl: too little was checked')
    sys.exit(1 if complaints else 0)


main()
