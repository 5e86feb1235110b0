#!/usr/bin/python3
"""usage: tools/edge_vectors.py

Writes test/vectors/cbor_modes.txt and test/vectors/ed25519_edges.txt: bytes and signatures on which
implementations of docs/protocol.md could disagree, each with the answer.
"""
import os

from ed25519_edges import cases

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../test/vectors')
LICENCE = '# Made by tools/edge_vectors.py. Licence: that of the project.\n'


def key_map(count, start=0):
    """The pairs of `count` keys, each with the value 0."""
    return ''.join((bytes([n]) if n < 24 else bytes([0x18, n])).hex() + '00'
                   for n in range(start, start + count))


# What is special, the bytes, whether a reader of our own and whether a foreign reader takes them.
CBOR = [
    ('-2^64 is an integer', '3bffffffffffffffff', True, True),
    ('bignum, positive', 'c24101', False, False),
    ('bignum, negative', 'c34101', False, False),
    ('the bignum tag over another type', 'c200', False, False),
    ('any other tag', 'c100', True, True),
    ('an empty array at level 8', '81' * 7 + '80', True, True),
    ('an empty array at level 9', '81' * 8 + '80', False, False),
    ('an empty map at level 9', '81' * 8 + 'a0', False, False),
    ('a tag counts as a level', 'c1' * 8 + '00', True, True),
    ('nine tags', 'c1' * 9 + '00', False, False),
    ('an integer longer than needed', '1801', False, True),
    ('a length longer than needed', '580101', False, True),
    ('keys in another order', 'a202000100', False, True),
    ('one key twice', 'a201000100', False, False),
    ('one key twice, not one after the other', 'a3010002000100', False, False),
    ('one key twice, in two lengths', 'a20100180100', False, False),
    ('one text key twice, in two lengths', 'a261610078016100', False, False),
    ('an integer and a text that look alike are two keys', 'a20100613100', True, True),
    ('a key that is a byte string', 'a1410100', False, False),
    ('a key that is a tag', 'a1c10100', False, False),
    ('indefinite array', '9fff', False, False),
    ('indefinite map', 'bfff', False, False),
    ('indefinite byte string', '5fff', False, False),
    ('undefined', 'f7', False, False),
    ('a float', 'f90000', False, False),
    ('a simple value', 'e0', False, False),
    ('false, true, null', '83f4f5f6', True, True),
    ('text that is a lone surrogate', '63eda080', False, False),
    ('64 keys', 'b840' + key_map(64), True, True),
    ('65 keys', 'b841' + key_map(65), True, False),
    ('64 keys, and one in the value of the last',
     'b840' + key_map(63) + '183f' + 'a10000', True, False),
    ('the keys of a map that is closed do not count',
     'b828' + '00' + 'b81e' + key_map(30) + key_map(39, 1), True, True),
]


def write(name, lines):
    with open(os.path.join(VECTORS, name), 'w', encoding='utf-8') as file:
        file.writelines(lines)


def main():
    word = {True: 'good', False: 'bad'}
    lines = ['# Encodings at the edges of section 0. Each line: bytes, the answer of a reader of our own\n'
             '# bytes, that of a reader in foreign mode. The comment before it says what is special.\n',
             LICENCE]
    for what, text, own, foreign in CBOR:
        lines.append('# %s\n%s %s %s\n' % (what, text, word[own], word[foreign]))
    write('cbor_modes.txt', lines)
    lines = ['# Ed25519 signatures that verifiers disagree about. Each line: answer, public key, message,\n'
             '# signature. The comment before it names the rule that decides.\n', LICENCE]
    for rule, good, (key, message, signature) in cases():
        lines.append('# %s\n%s %s %s %s\n'
                     % (rule, word[good], key.hex(), message.hex(), signature.hex()))
    write('ed25519_edges.txt', lines)


main()
