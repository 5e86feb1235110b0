"""Judges what clients saw while nodes were killed and cut off.

The history is what test/e2e/record.c wrote down: each question with when it was asked, when
answered, by which client through which node. The logs are what every node holds at the end, after
all have healed. `check` names every contradiction, by rule:

  lost       a write was acknowledged, and a node's log has not this statement at this place
  twice      two statements have one place
  moved      one statement has two places
  order      a write was first asked after another was acknowledged, and stands before it
  refused    a write was answered with something else than a place, "busy" or "not in time"
  back       what a client saw of a node is older than what it had seen there before
  vanished   a client found a statement at a node, and later not
  fork       two heads of one height differ in what they hold
  differ     two nodes' logs or headers differ at the end

Times are nanoseconds of one monotonic clock.
"""
import collections
import hashlib

OPEN = (0, 503, 504)  # no answer; busy; not in time: stored or not, nobody was told
FOUND, STORED, ABSENT = 200, 201, 404
WRITES = ("write", "again")

Answer = collections.namedtuple(
    "Answer", "asked answered client node what of status index height")


def parse(line):
    words = line.split()
    assert len(words) == 9, line
    return Answer(int(words[0]), int(words[1]), int(words[2]), int(words[3]), words[4], words[5],
                  int(words[6]), int(words[7]), int(words[8]))


# ---- places

def _check_statuses(history, complain):
    for answer in history:
        if answer.what in WRITES and answer.status != STORED and answer.status not in OPEN:
            complain("refused", "%s" % (answer,))


def _places(history, complain):
    """Statement -> the place that clients were told."""
    places, owners = {}, {}
    for answer in history:
        if answer.index < 0 or answer.what == "head":
            continue
        place = (answer.index, answer.height)
        if places.setdefault(answer.of, place) != place:
            complain("moved", "%s stood at %s, then %s" % (answer.of, places[answer.of], answer))
        if owners.setdefault(answer.index, answer.of) != answer.of:
            complain("twice", "%s has the place of %s" % (answer, owners[answer.index]))
    return places


def _check_order(history, complain):
    """Whoever was told of a place before another one asked stands before it."""
    first_asked, first_told, index = {}, {}, {}
    for answer in history:
        if answer.what not in WRITES:
            continue
        first_asked[answer.of] = min(answer.asked, first_asked.get(answer.of, answer.asked))
        if answer.status == STORED:
            first_told[answer.of] = min(answer.answered,
                                        first_told.get(answer.of, answer.answered))
            index[answer.of] = answer.index
    # Told comes before asked only if it was strictly earlier.
    moments = sorted([(when, 1, of) for of, when in first_told.items()] +
                     [(first_asked[of], 0, of) for of in first_told])
    newest, holder = -1, None
    for _, told, of in moments:
        if told and index[of] > newest:
            newest, holder = index[of], of
        elif not told and index[of] < newest:
            complain("order", "%s at %d was asked after %s at %d was acknowledged" % (
                of, index[of], holder, newest))


# ---- reads

def _check_reads(history, complain):
    """Per client and node. A client asks one question after the other."""
    heads, found = {}, {}
    for answer in sorted(history, key=lambda answer: (answer.client, answer.asked)):
        who = (answer.client, answer.node)
        size, height = heads.get(who, (0, -1))
        if answer.what == "head" and answer.status == FOUND:
            if answer.index < size or answer.height < height:
                complain("back", "%s, after size %d, height %d" % (answer, size, height))
            heads[who] = (max(size, answer.index), max(height, answer.height))
        elif answer.what == "find" and answer.status == ABSENT and (who, answer.of) in found:
            complain("vanished", "%s; before: %s" % (answer, found[who, answer.of]))
        elif answer.index >= 0:
            heads[who] = (max(size, answer.index + 1), max(height, answer.height))
            if answer.what == "find":
                found[who, answer.of] = answer


def _check_heads(history, complain):
    heads = {}
    for answer in history:
        if answer.what == "head" and answer.status == FOUND:
            head = (answer.of, answer.index)
            if heads.setdefault(answer.height, head) != head:
                complain("fork", "%s; another answer: %s" % (answer, heads[answer.height]))
    return heads


# ---- what is there at the end

def _first_difference(one, other):
    for i, (left, right) in enumerate(zip(one, other)):
        if left != right:
            return i
    return min(len(one), len(other))


def _check_ends(ends, complain):
    nodes = sorted(ends)
    for node in nodes[1:]:
        for kind, one, other in zip(("log", "headers"), ends[nodes[0]], ends[node]):
            if one != other:
                complain("differ", "%s of nodes %s and %s, from %d on; %d and %d long" % (
                    kind, nodes[0], node, _first_difference(one, other), len(one), len(other)))


def _check_stored(places, ends, complain):
    for node, (log, headers) in ends.items():
        where = {}
        for index, statement in enumerate(log):
            if where.setdefault(statement, index) != index:
                complain("twice", "%s stands at %d and %d of node %s" % (
                    statement, where[statement], index, node))
        for statement, (index, height) in places.items():
            if where.get(statement) != index or height >= len(headers):
                complain("lost", "%s, told to stand at %d in block %d; node %s has it at %s" % (
                    statement, index, height, node, where.get(statement)))


def _check_known_heads(heads, ends, complain):
    for node, (_, headers) in ends.items():
        for height, (header_hash, _) in heads.items():
            if height >= len(headers) or headers[height] != header_hash:
                complain("fork", "a client saw head %s at height %d; node %s has not" % (
                    header_hash, height, node))


def check(history, ends):
    """`ends`: node -> (statement ids by place, header hashes by height). Returns the
    contradictions, each as (rule, words), and counts."""
    wrong = []

    def complain(rule, words):
        wrong.append((rule, words))
    _check_statuses(history, complain)
    places = _places(history, complain)
    _check_order(history, complain)
    _check_reads(history, complain)
    heads = _check_heads(history, complain)
    _check_ends(ends, complain)
    _check_stored(places, ends, complain)
    _check_known_heads(heads, ends, complain)
    return wrong, counts(history, ends)


def counts(history, ends):
    written = {answer.of for answer in history if answer.what == "write"}
    told = {answer.of for answer in history
            if answer.what in WRITES and answer.status == STORED}
    log = set(next(iter(ends.values()))[0]) if ends else set()
    return {
        "writes": len(written),
        "acknowledged": len(told),
        "open": len(written - told),
        "open but stored": len((written - told) & log),
        "resent": sum(answer.what == "again" for answer in history),
        "resent and answered": sum(answer.what == "again" and answer.status == STORED
                                   for answer in history),
        "found": sum(answer.what == "find" and answer.status == FOUND for answer in history),
        "heads read": sum(answer.what == "head" and answer.status == FOUND
                          for answer in history),
        "without an answer": sum(answer.status == 0 for answer in history),
    }


# ---- entries

def _cbor_head(data, at):
    """Major type, number and where its content begins; nothing longer than an entry is."""
    major, low = data[at] >> 5, data[at] & 31
    if low < 24:
        return major, low, at + 1
    size = 1 << (low - 24)
    return major, int.from_bytes(data[at + 1:at + 1 + size], "big"), at + 1 + size


def _cbor_bytes(data):
    length = len(data)
    for low, size in ((24, 1), (25, 2), (26, 4)):
        if length < 24:
            return bytes([0x40 | length]) + data
        if length < 1 << (8 * size):
            return bytes([0x40 | low]) + length.to_bytes(size, "big") + data
    raise ValueError("too long")


def statement_id(entry):
    """The id of one of our own statements, from its entry: SHA-256 of the Sig_structure of a
    COSE_Sign1 (RFC 9052, 4.4). Of the genesis document, the SHA-256 of the whole."""
    if entry[:2] != b"\xd2\x84":
        return hashlib.sha256(entry).hexdigest()
    _, length, at = _cbor_head(entry, 2)
    protected = entry[at:at + length]
    at += length
    assert entry[at] == 0xa0, "an entry has an empty unprotected header"
    major, length, at = _cbor_head(entry, at + 1)
    assert major == 2
    payload = entry[at:at + length]
    return hashlib.sha256(b"\x84\x6aSignature1" + _cbor_bytes(protected) + b"\x40" +
                          _cbor_bytes(payload)).hexdigest()
