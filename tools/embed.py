#!/usr/bin/python3
"""usage: embed.py SYMBOL TEXT OUT.c

Makes of a text a C source with `const char SYMBOL[]`.
"""
import pathlib
import sys


def literal(text):
    """The text as C string literals, a line each."""
    return "\n".join('    "%s"' % line.replace("\\", "\\\\").replace('"', '\\"')
                     .replace("\n", "\\n").replace("?", "\\?")
                     for line in text.splitlines(keepends=True))


def main():
    symbol, text, out = sys.argv[1:4]
    pathlib.Path(out).write_text("/* Made by tools/embed.py. */\nextern const char %s[];\n"
                                 "const char %s[] =\n%s;\n" % (
                                     symbol, symbol, literal(pathlib.Path(text).read_text())))


if __name__ == "__main__":
    main()
