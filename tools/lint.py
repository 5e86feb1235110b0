#!/usr/bin/python3
"""usage: tools/lint.py [ROOT]

Lints that are our own: layers, banned calls, determinism, sizes, words. Each complaint is a line
`file:line: [rule] text`. test/lint/ holds an example that each rule must refuse. A line of C that
needs an exception says `/* allowed: reason */`.
"""
import os
import re
import sys

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

MAX_FUNCTION = 80
MAX_FILE = 900
MAX_COLUMNS = 100
MAX_NESTING = 3

# Folders whose code is a pure function of its input, and what it may see of the world.
PURE = ('src/ledger/', 'src/modules/')
PURE_SYSTEM = {'assert.h', 'inttypes.h', 'limits.h', 'stdarg.h', 'stdbool.h', 'stddef.h',
               'stdint.h', 'stdlib.h', 'string.h'}
PURE_REFUSED = {'base/clock.h', 'base/file.h', 'crypto/random.h', 'crypto/signer.h'}
# The ledger's edge moves state between memory and the store and lends heads to other threads.
LEDGER_EDGE = re.compile(r'src/ledger/(ledger|commit|view|internal)\w*\.[ch]$')
EDGE_SYSTEM = {'pthread.h', 'stdatomic.h'}

# name -> what to use instead. The second table holds calls that some layers may make.
BANNED = {
    'sprintf': 'snprintf', 'vsprintf': 'vsnprintf', 'strcpy': 'snprintf', 'strcat': 'struct buf',
    'stpcpy': 'snprintf', 'strncpy': 'snprintf', 'strncat': 'struct buf', 'gets': 'fgets',
    'atoi': 'a checked parser', 'atol': 'a checked parser', 'atoll': 'a checked parser',
    'atof': 'scaled integers', 'rand': 'crypto/random.h', 'srand': 'crypto/random.h',
    'random': 'crypto/random.h', 'drand48': 'crypto/random.h', 'system': 'posix_spawn',
    'popen': 'posix_spawn', 'alloca': 'struct arena', 'gmtime': 'gmtime_r',
    'localtime': 'clock_format', 'localtime_r': 'clock_format', 'ctime': 'clock_format',
    'asctime': 'clock_format', 'strtok': 'struct bytes', 'mktemp': 'mkstemp', 'tmpnam': 'mkstemp',
    'gethostbyname': 'getaddrinfo', 'inet_ntoa': 'inet_ntop', 'getpwnam': 'getpwnam_r',
    'getpwuid': 'getpwuid_r', 'setenv': 'an argument', 'putenv': 'an argument',
    'setlocale': 'the C locale', 'signal': 'sigaction',
}
LIMITED = {
    'malloc': ('mem_alloc', ('base',)), 'calloc': ('mem_zalloc', ('base',)),
    'realloc': ('mem_realloc', ('base',)), 'strdup': ('mem_strdup', ('base',)),
    'strndup': ('mem_strdup', ('base',)),
    'printf': ('log_event or a returned text', ('cli', 'main.c')),
    'puts': ('log_event or a returned text', ('cli', 'main.c')),
    'putchar': ('log_event or a returned text', ('cli', 'main.c')),
    'exit': ('an error code', ('cli', 'main.c')), '_exit': ('an error code', ('cli', 'main.c')),
    'abort': ('BUG_ON', ('base',)), 'getenv': ('an argument', ('cli', 'main.c')),
    'time': ('clock.h', ('base',)), 'gettimeofday': ('clock.h', ('base',)),
    'clock_gettime': ('clock.h', ('base',)),
}
CALL = re.compile(r'(?<![\w.>])(%s)\s*\(' % '|'.join(sorted({**BANNED, **LIMITED})))
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
# log_event(LOG_LEVEL, "event", "pairs", ...)
EVENT_CALL = re.compile(r'\blog_event\(\s*([^,]*),\s*([^,]*),\s*((?:"(?:\\.|[^"\\])*"|PRI\w+|\s)*)')
EVENT_NAME = re.compile(r'"[a-z0-9_]+(\.[a-z0-9_]+)+"$')
EVENT_VALUE = r'(?:[^ "%=]|%(?:\.\*)?s|%\d*(?:ll|l|z)?[dux])+'
EVENT_PAIRS = re.compile(r'(?:[a-z0-9_]+=(?:%s|"(?:%s|[ =])*") )+$' % (EVENT_VALUE, EVENT_VALUE))
EVENT_ROW = re.compile(r'\| `([a-z0-9_.]+)` \| (\w+) \|.*\| ([^|]*) \|$', re.M)
MACHINE = re.compile(r'/(?:work|root|home)/|\b(?:issue|session) #?\d')
TEXT = ('.c', '.h', '.md', '.py', '.sh', '.txt', '.build', '.yaml', '.yml', '.cddl', '.1', '.ts')


def layers():
    with open(os.path.join(PROJECT, 'meson.build'), encoding='utf-8') as file:
        table = re.search(r'^layers = \[(.*?)\]', file.read(), re.S | re.M).group(1)
    return re.findall(r"'(\w+)'", table)


LAYERS = layers()


def blank_out(match):
    """Comments and literals become blanks of the same shape, so that line numbers stay."""
    return re.sub(r'[^\n]', ' ', match.group(0))


NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


NOT_CODE_BUT_TEXT = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)


def blank_comment(match):
    return blank_out(match) if match.group(0).startswith('/*') else match.group(0)


class Lint:
    def __init__(self, root):
        self.root = root
        self.complaints = 0
        self.events = {}  # name -> (path, line, level, fields)

    def complain(self, path, line, rule, text):
        print('%s:%d: [%s] %s' % (path, line, rule, text))
        self.complaints += 1

    def run(self):
        for path in files(self.root):
            try:
                with open(os.path.join(self.root, path), encoding='utf-8') as file:
                    text = file.read()
            except UnicodeDecodeError:
                self.complain(path, 1, 'text', 'is not UTF-8')
                continue
            self.words(path, text)
            if path.endswith(('.c', '.h')):
                self.c_file(path, text)
            if path.endswith('.sh') or path == '.ci/run':
                self.script(path, text)
        self.events_are_listed()
        return self.complaints

    def words(self, path, text):
        if path.startswith('tools/lint.'):
            return
        for number, line in enumerate(text.split('\n'), 1):
            if re.search(r'\b(TODO|XXX)\b', line):
                self.complain(path, number, 'todo', 'finish it or file it; no TODO stays')
            if re.search(r'\bFIXME\b', line) and not re.search(
                    r'FIXME: .*\b(if|when|once|until|unless)\b', line):
                self.complain(path, number, 'todo', 'a FIXME names its condition (if, when, once)')
            if MACHINE.search(line):
                self.complain(path, number, 'machine', "names somebody's machine or work list")
            if line != line.rstrip():
                self.complain(path, number, 'space', 'blank at the end of a line')

    def script(self, path, text):
        if not re.search(r'^set -e?u', text, re.M):
            self.complain(path, 1, 'script', 'a script begins with set -eu')

    def c_file(self, path, text):
        lines = text.split('\n')
        code = NOT_CODE.sub(blank_out, text).split('\n')
        self.sizes(path, lines, code)
        if path.startswith('src/'):
            self.includes(path, lines)
            self.calls(path, lines, code)
            self.log_calls(path, text)
            self.purity(path, lines, code)
            self.header(path, text)

    def sizes(self, path, lines, code):
        if len(lines) - 1 > MAX_FILE:
            self.complain(path, len(lines), 'size', 'file has more than %d lines' % MAX_FILE)
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_COLUMNS:
                self.complain(path, number, 'size', 'more than %d columns' % MAX_COLUMNS)
            if '\t' in line:
                self.complain(path, number, 'space', 'a tab')
        self.functions(path, code)

    def functions(self, path, code):
        # The layout puts a function's braces, and no others that count, into column 1.
        start = None
        blocks = []
        for number, line in enumerate(code, 1):
            if line.startswith('{'):
                start, blocks = number, []
            elif line.startswith('}') and start is not None:
                if number - start - 1 > MAX_FUNCTION:
                    self.complain(path, start, 'size',
                                  'function has more than %d lines' % MAX_FUNCTION)
                start = None
            elif start is not None:
                blocks = self.nesting(path, number, line, blocks)

    def nesting(self, path, number, line, blocks):
        """Follows the braces of a line; of those open, a block of statements is True."""
        for match in re.finditer(r'[{}]', line):
            if match.group(0) == '}':
                blocks = blocks[:-1]
                continue
            blocks = blocks + [bool(re.search(r'(\) |\belse |\bdo )$', line[:match.start()]))]
            if blocks[-1] and sum(blocks) == MAX_NESTING + 1:
                self.complain(path, number, 'size', 'more than %d levels of nesting' % MAX_NESTING)
        return blocks

    def includes(self, path, lines):
        parts = path.split('/')
        layer = parts[1] if len(parts) > 2 else 'main.c'
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if not match or match.group(1) != '"':
                continue
            target = match.group(2)
            other = target.split('/')
            if len(other) < 2 or '..' in other or other[0] not in LAYERS + ['service']:
                self.complain(path, number, 'layer',
                              'an include is "layer/file.h", or <file.h> from outside')
                continue
            if layer in LAYERS and other[0] in LAYERS:
                if LAYERS.index(other[0]) > LAYERS.index(layer):
                    self.complain(path, number, 'layer',
                                  '%s lies above %s' % (other[0], layer))
            if layer == 'modules' and len(parts) > 3:
                if other[0] == 'modules' and (len(other) < 3 or other[1] != parts[2]):
                    self.complain(path, number, 'module', 'modules do not include each other')
            if other[0] == 'store' and (layer == 'modules' or (
                    layer == 'ledger' and not LEDGER_EDGE.match(path))):
                self.complain(path, number, 'module', 'this code does not see the store')
            if target == 'store/index.h' and path.startswith(PURE):
                self.complain(path, number, 'module', 'consensus never reads an index')

    def calls(self, path, lines, code):
        parts = path.split('/')
        layer = parts[1]
        for number, line in enumerate(code, 1):
            if '/* allowed:' in lines[number - 1]:
                continue
            for match in CALL.finditer(line):
                name = match.group(1)
                if name in BANNED:
                    self.complain(path, number, 'call', '%s: use %s' % (name, BANNED[name]))
                elif layer not in LIMITED[name][1]:
                    self.complain(path, number, 'call', '%s: use %s here' % (name, LIMITED[name][0]))
            if re.search(r'__(DATE|TIME|TIMESTAMP)__', line):
                self.complain(path, number, 'call', 'a build is the same at any time')
            if re.search(r'\btypedef\b[^(]*$', line):
                self.complain(path, number, 'typedef',
                              'struct x and enum x; only a function type gets a name')

    def log_calls(self, path, text):
        """Events are literals, so that a list of them can be checked."""
        for match in EVENT_CALL.finditer(NOT_CODE_BUT_TEXT.sub(blank_comment, text)):
            number = text.count('\n', 0, match.start()) + 1
            level, name, pairs = match.groups()
            if level.startswith('enum '):
                continue  # its declaration
            if not level.startswith('LOG_') or not EVENT_NAME.match(name.strip()) or '"' not in pairs:
                self.complain(path, number, 'event',
                              'level, event "area.word" and pairs stand in the call itself')
                continue
            text_of = ''.join(re.findall(r'"((?:\\.|[^"\\])*)"', re.sub(r'PRI[dux]64', '"llu"', pairs)))
            if not EVENT_PAIRS.match(text_of.replace('\\"', '"') + ' '):
                self.complain(path, number, 'event', 'pairs are key=VALUE with the conversions of log.h')
            fields = set(re.findall(r'(?:^|[" ])([a-z0-9_]+)=', re.sub(r'"\s*(PRI\w+)?\s*"', '', pairs)))
            level = level[4:].lower()
            known = self.events.setdefault(name.strip('" \n'), (path, number, level, set()))
            if known[2] != level:
                self.complain(path, number, 'event', 'has another level at %s:%d' % known[:2])
            known[3].update(fields)

    def events_are_listed(self):
        """docs/events.md names every event with its level and its fields, and no other."""
        path = 'docs/events.md'
        if not self.events and not os.path.exists(os.path.join(self.root, path)):
            return
        with open(os.path.join(self.root, path), encoding='utf-8') as file:
            rows = {name: (level, set(re.findall(r'`(\w+)`', fields)))
                    for name, level, fields in EVENT_ROW.findall(file.read())}
        for name, (where, number, level, fields) in sorted(self.events.items()):
            if rows.pop(name, None) != (level, fields):
                self.complain(where, number, 'event', '%s lacks the row: | `%s` | %s | ... | %s |' % (
                    path, name, level, ', '.join('`%s`' % field for field in sorted(fields))))
        for name in rows:
            self.complain(path, 1, 'event', 'nothing logs ' + name)

    def purity(self, path, lines, code):
        if not path.startswith(PURE):
            return
        system = PURE_SYSTEM | (EDGE_SYSTEM if LEDGER_EDGE.match(path) else set())
        for number, line in enumerate(code, 1):
            if '/* allowed:' in lines[number - 1]:
                continue
            match = INCLUDE.match(lines[number - 1])
            if match and match.group(1) == '<' and match.group(2) not in system:
                self.complain(path, number, 'pure', '<%s> is not for code that every node must '
                              'execute alike' % match.group(2))
            if match and match.group(2) in PURE_REFUSED:
                self.complain(path, number, 'pure', '%s is not for code that every node must '
                              'execute alike' % match.group(2))
            if re.search(r'\b(float|double)\b', line):
                self.complain(path, number, 'pure', 'scaled integers, no floating point')
            if '%p' in lines[number - 1]:
                self.complain(path, number, 'pure', 'an address differs from node to node')

    def header(self, path, text):
        if path.endswith('.h') and not path.endswith('/cairn_verify.h'):
            guard = 'CAIRN_' + re.sub(r'\W', '_', path[len('src/'):]).upper()
            if '#ifndef %s\n#define %s\n' % (guard, guard) not in text:
                self.complain(path, 1, 'guard', 'the guard is %s' % guard)
        own = path[len('src/'):-1] + 'h'
        if path.endswith('.c') and os.path.exists(os.path.join(self.root, 'src', own)):
            first = re.search(r'^#include ["<]([^">]+)', text, re.M)
            inner = (os.path.dirname(own) + '/internal.h', own[:-2] + '_internal.h')
            if not first or first.group(1) not in (own, *inner):
                self.complain(path, 1, 'guard', 'includes its own header first: it compiles alone')


def files(root):
    found = [name for name in sorted(os.listdir(root))
             if name.endswith(TEXT) or name in ('Makefile', '.clang-tidy', '.clang-format')]
    if os.path.exists(os.path.join(root, '.ci/run')):
        found.append('.ci/run')
    for top in ('src', 'test', 'tools', 'docs', 'examples'):
        for folder, below, names in os.walk(os.path.join(root, top)):
            here = os.path.relpath(folder, root)
            below[:] = sorted(name for name in below
                              if os.path.join(here, name) not in ('test/lint', 'test/vectors')
                              and name not in ('corpus', 'node_modules', '__pycache__'))
            found += [os.path.join(here, name) for name in sorted(names) if name.endswith(TEXT)]
    return found


def main():
    return 1 if Lint(sys.argv[1] if len(sys.argv) > 1 else PROJECT).run() else 0


if __name__ == '__main__':
    sys.exit(main())
