"""A checker for the part of CDDL (RFC 8610) that docs/cairn.cddl uses, and a strict CBOR reader.

Types: literals, ranges a..b, names, tstr bstr uint int bool null any, [ ], { }, #6.N(type), choices
with /, and the controls .size, .cbor and .cborseq. Keys in arrays are names for the reader only.
"""
import re


class Malformed(Exception):
    pass


class Tag:
    def __init__(self, number, value):
        self.number, self.value = number, value


class Pairs(list):
    """A map, as pairs in their order."""


def head(data, at):
    if at >= len(data):
        raise Malformed('truncated')
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if info < 24:
        return major, info, at
    if info > 27:
        raise Malformed('indefinite or reserved')
    width = 1 << (info - 24)
    if at + width > len(data):
        raise Malformed('truncated')
    value = int.from_bytes(data[at:at + width], 'big')
    if major != 7 and value < (24, 1 << 8, 1 << 16, 1 << 32)[info - 24]:
        raise Malformed('longer than needed')
    return major, value, at + width


def read(data, at=0):
    """Reads one item; returns it and where it ends."""
    start = at
    major, value, at = head(data, at)
    if major == 0:
        return value, at
    if major == 1:
        return -1 - value, at
    if major in (2, 3):
        if at + value > len(data):
            raise Malformed('truncated')
        content = bytes(data[at:at + value])
        return (content if major == 2 else content.decode('utf-8')), at + value
    if major == 4:
        out = []
        for _ in range(value):
            item, at = read(data, at)
            out.append(item)
        return out, at
    if major == 5:
        pairs, last = Pairs(), b''
        for _ in range(value):
            key_at = at
            key, at = read(data, at)
            if bytes(data[key_at:at]) <= last:
                raise Malformed('keys out of order')
            last = bytes(data[key_at:at])
            item, at = read(data, at)
            pairs.append((key, item))
        return pairs, at
    if major == 6:
        item, at = read(data, at)
        return Tag(value, item), at
    if data[start] in (0xf4, 0xf5, 0xf6):
        return {0xf4: False, 0xf5: True, 0xf6: None}[data[start]], at
    raise Malformed('simple value or float')


def read_all(data):
    out, at = [], 0
    while at < len(data):
        item, at = read(data, at)
        out.append(item)
    return out


TOKEN = re.compile(r'\s*(?:(;[^\n]*)|("[^"]*")|(#6\.\d+)|(\.\.)|(\.[a-z]+)|(-?\d+)'
                   r'|([A-Za-z][A-Za-z0-9-]*)|([\[\]{}()/=:,?*+]))')


def tokens(text):
    at, out = 0, []
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise SyntaxError('at %r' % text[at:at + 30])
        at = match.end()
        if not match.group(1):
            out.append(match.group(0).strip())
    return out


NAME = re.compile(r'[A-Za-z][A-Za-z0-9-]*$')
NUMBER = re.compile(r'-?\d+$')


class Parser:
    def __init__(self, text):
        self.tokens, self.at, self.rules = tokens(text), 0, {}
        while self.at < len(self.tokens):
            name = self.take()
            if not NAME.match(name) or self.take() != '=' or name in self.rules:
                raise SyntaxError('rule %s' % name)
            self.rules[name] = self.choice()

    def peek(self, ahead=0):
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else ''

    def take(self, want=None):
        token = self.peek()
        if want is not None and token != want:
            raise SyntaxError('%r where %r is due' % (token, want))
        self.at += 1
        return token

    def choice(self):
        options = [self.controlled()]
        while self.peek() == '/':
            self.take()
            options.append(self.controlled())
        return options[0] if len(options) == 1 else ('choice', options)

    def controlled(self):
        kind = self.simple()
        if self.peek() in ('.size', '.cbor', '.cborseq'):
            control = self.take()[1:]
            return (control, kind, self.simple())
        return kind

    def simple(self):
        token = self.take()
        if token == '(':
            kind = self.choice()
            self.take(')')
            return kind
        if token in '[{':
            return ('array' if token == '[' else 'map', self.group(']' if token == '[' else '}'))
        if token.startswith('#6.'):
            self.take('(')
            kind = self.choice()
            self.take(')')
            return ('tag', int(token[3:]), kind)
        if token.startswith('"'):
            return ('literal', token[1:-1])
        if NUMBER.match(token):
            if self.peek() == '..':
                self.take()
                return ('range', int(token), int(self.take()))
            return ('literal', int(token))
        if NAME.match(token):
            return ('name', token)
        raise SyntaxError('type at %r' % token)

    def occurrence(self):
        if self.peek() == '?':
            self.take()
            return 0, 1
        if self.peek() == '+':
            self.take()
            return 1, None
        if self.peek() == '*' or (NUMBER.match(self.peek()) and self.peek(1) == '*'):
            low = 0 if self.peek() == '*' else int(self.take())
            self.take('*')
            return low, int(self.take()) if NUMBER.match(self.peek()) else None
        return 1, 1

    def group(self, end):
        members = []
        while self.peek() != end:
            low, high = self.occurrence()
            key = None
            if self.peek(1) == ':':
                token = self.take()
                key = int(token) if NUMBER.match(token) else token
                self.take(':')
            members.append((low, high, key, self.choice()))
            if self.peek() != end:
                self.take(',')
        self.take(end)
        return members


BASIC = {
    'any': lambda value: True,
    'tstr': lambda value: isinstance(value, str),
    'bstr': lambda value: isinstance(value, bytes),
    'bool': lambda value: isinstance(value, bool),
    'null': lambda value: value is None,
    'int': lambda value: isinstance(value, int) and not isinstance(value, bool),
    'uint': lambda value: BASIC['int'](value) and value >= 0,
}


class Grammar:
    def __init__(self, text):
        self.rules = Parser(text).rules
        self.used = set()
        for rule in self.rules.values():
            self.visit(rule)

    def visit(self, kind):
        """Every name has a rule."""
        if isinstance(kind, (list, tuple)):
            if kind and kind[0] == 'name':
                if kind[1] not in self.rules and kind[1] not in BASIC:
                    raise SyntaxError('there is no rule %s' % kind[1])
                return
            for part in kind:
                self.visit(part)

    def matches(self, kind, value):
        return getattr(self, 'is_' + kind[0])(value, *kind[1:])

    def is_name(self, value, name):
        if name in self.rules:
            self.used.add(name)
            return self.matches(self.rules[name], value)
        return BASIC[name](value)

    def is_literal(self, value, want):
        return type(value) is type(want) and value == want

    def is_range(self, value, low, high):
        return BASIC['int'](value) and low <= value <= high

    def is_choice(self, value, options):
        return any(self.matches(option, value) for option in options)

    def is_size(self, value, kind, size):
        low, high = size[1:] if size[0] == 'range' else (size[1], size[1])
        if not self.matches(kind, value):
            return False
        return low <= len(value.encode() if isinstance(value, str) else value) <= high

    def is_cbor(self, value, kind, content):
        try:
            items = read_all(value) if self.matches(kind, value) else []
        except (Malformed, UnicodeDecodeError):
            return False
        return len(items) == 1 and self.matches(content, items[0])

    def is_cborseq(self, value, kind, content):
        try:
            return self.matches(kind, value) and self.matches(content, read_all(value))
        except (Malformed, UnicodeDecodeError):
            return False

    def is_tag(self, value, number, kind):
        return isinstance(value, Tag) and value.number == number and self.matches(kind, value.value)

    def is_array(self, value, members):
        return isinstance(value, list) and not isinstance(value, Pairs) and self.fits(value, members)

    def fits(self, values, members):
        """Greedy, which is enough where what repeats stands last or differs from what follows."""
        at = 0
        for low, high, _, kind in members:
            count = 0
            while at < len(values) and (high is None or count < high) \
                    and self.matches(kind, values[at]):
                at, count = at + 1, count + 1
            if count < low:
                return False
        return at == len(values)

    def is_map(self, value, members):
        if not isinstance(value, Pairs):
            return False
        left = dict(value)
        for low, _, key, kind in members:
            if key in left:
                if not self.matches(kind, left.pop(key)):
                    return False
            elif low > 0:
                return False
        return not left
