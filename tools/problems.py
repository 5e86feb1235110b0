#!/usr/bin/python3
"""usage: problems.py FOLDER OUT.c DEPFILE

Makes of the pages in FOLDER (docs/problems/NAME.md), one for each `type` of a problem document, what
the server has in memory: each page as it stands and as HTML, and an index of all. Knows as much of
Markdown as these pages use: headings, paragraphs, lists, `code` and *emphasis*.
"""
import html
import pathlib
import re
import sys

from embed import literal

HEAD = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<main>
"""
TAIL = "</main>\n</html>\n"


def inline(text):
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)
    return re.sub(r"\[([^]]+)\]\(([^)]+)\)", r'<a href="\2">\1</a>', text)


def block(text):
    heading = re.fullmatch(r"(#+) (.*)", text)
    if heading:
        level = len(heading.group(1))
        return "<h%d>%s</h%d>\n" % (level, inline(heading.group(2)), level)
    if text.startswith("- "):
        items = re.split(r"^- ", text, flags=re.M)[1:]
        return "<ul>\n%s</ul>\n" % "".join(
            "<li>%s</li>\n" % inline(" ".join(item.split())) for item in items)
    return "<p>%s</p>\n" % inline(" ".join(text.split()))


def to_html(title, markdown):
    blocks = [part.strip() for part in markdown.split("\n\n") if part.strip()]
    return HEAD % html.escape(title) + "".join(block(part) for part in blocks) + TAIL


def index(pages):
    rows = ["- [%s](/problems/%s): %s" % (name, name, text.split("\n\n")[2].split(". ")[0].rstrip("."))
            for name, text in pages]
    return ("# Problems\n\nThe `type` of every problem document that this server sends is one of "
            "these.\n\n" + "\n".join(" ".join(row.split()) for row in rows) + "\n")


def main():
    folder, out, depfile = (pathlib.Path(word) for word in sys.argv[1:4])
    pages = [(path.stem, path.read_text()) for path in sorted(folder.glob("*.md"))]
    for name, text in pages:
        assert text.startswith("# %s\n\nStatus: " % name), name
        headings = re.findall(r"^## (.*)", text, re.M)
        assert headings == ["When", "Fields", "What to do"], (name, headings)
    rows = [("", index(pages))] + pages
    body = "".join('    {"%s",\n%s,\n%s},\n' % (
        name, literal(text), literal(to_html(name or "Problems", text))) for name, text in rows)
    out.write_text('/* Made by tools/problems.py from docs/problems. */\n#include "http/problems.h"\n\n'
                   "const struct problem_page problem_pages[] = {\n%s    {NULL, NULL, NULL},\n};\n"
                   % body)
    sources = [str(path) for path in [folder] + sorted(folder.glob("*.md"))]
    depfile.write_text("%s: %s\n" % (out, " ".join(sources)))


main()
