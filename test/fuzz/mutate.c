/* A mutator that knows CBOR: it drops, doubles, replaces and swaps whole data items, and puts
 * lengths and counts around them right, so that a changed part is still reached. Byte strings that
 * hold CBOR are opened as well. A third of the time, and for what isn't CBOR, libFuzzer's own
 * mutations are used. */
#include "mutate.h"

#include "codec/cbor.h"

#include <stdlib.h>
#include <string.h>

#define NODES_MAX 4096
#define DEPTH_MAX 12

/* libFuzzer's, for a custom mutator to call and to define ("Structure-Aware Fuzzing"). */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum kind { KIND_ROOT, KIND_LEAF, KIND_ARRAY, KIND_MAP, KIND_TAG, KIND_HOLDER };

/* Nodes stand in the order of their bytes; `next` is the first that isn't below this one. */
struct node {
    enum kind kind;
    struct bytes head; /* of a leaf the whole item */
    size_t parent;
    size_t next;
};

static struct node nodes[NODES_MAX];
static size_t node_count;
static uint64_t random_state;

static size_t random_below(size_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(random_state >> 33) % limit;
}

/* ---- reading */

struct head {
    unsigned major;
    uint64_t value;
    size_t len;
};

static bool head_read(struct head *out, struct bytes in)
{
    unsigned info = in.len > 0 ? in.at[0] & 31u : 31u;
    size_t extra = info < 24 ? 0 : info < 28 ? (size_t)1 << (info - 24) : SIZE_MAX - 1;
    if (in.len == 0 || extra >= in.len) {
        return false;
    }
    *out = (struct head){in.at[0] >> 5, info < 24 ? info : 0, 1 + extra};
    for (size_t i = 0; i < extra; i++) {
        out->value = out->value << 8 | in.at[1 + i];
    }
    return true;
}

static bool items_read(struct bytes *rest, uint64_t count, size_t parent, unsigned depth);

/* Whether a string's content is CBOR from its first to its last byte. */
static bool content_read(struct bytes content, size_t parent, unsigned depth)
{
    size_t before = node_count;
    struct bytes rest = content;
    bool read = content.len > 1;
    while (read && rest.len > 0) {
        read = items_read(&rest, 1, parent, depth);
    }
    if (!read) {
        node_count = before;
    }
    return read;
}

static bool item_read(struct bytes *rest, size_t parent, unsigned depth)
{
    struct head head;
    if (depth == DEPTH_MAX || node_count == NODES_MAX || !head_read(&head, *rest)) {
        return false;
    }
    size_t self = node_count++;
    struct node *node = &nodes[self];
    *node = (struct node){.kind = KIND_LEAF, .head = {rest->at, head.len}, .parent = parent};
    *rest = (struct bytes){rest->at + head.len, rest->len - head.len};
    bool good = true;
    if (head.major == 2 || head.major == 3) {
        if (head.value > rest->len) {
            return false;
        }
        struct bytes content = {rest->at, (size_t)head.value};
        if (head.major == 2 && content_read(content, self, depth + 1)) {
            node->kind = KIND_HOLDER;
        } else {
            node->head.len += content.len;
        }
        *rest = (struct bytes){rest->at + content.len, rest->len - content.len};
    } else if (head.major >= 4 && head.major < 7) {
        node->kind = head.major == 4 ? KIND_ARRAY : head.major == 5 ? KIND_MAP : KIND_TAG;
        good = head.value < NODES_MAX || head.major == 6;
        uint64_t count = head.major == 6 ? 1 : head.value * (head.major == 5 ? 2u : 1u);
        good = good && items_read(rest, count, self, depth + 1);
    }
    node->next = node_count;
    return good;
}

static bool items_read(struct bytes *rest, uint64_t count, size_t parent, unsigned depth)
{
    bool good = true;
    for (uint64_t i = 0; i < count && good; i++) {
        good = item_read(rest, parent, depth);
    }
    return good;
}

/* ---- writing with one change */

/* The items from `first` up to `end`, neighbours under one parent, become `with`. */
struct change {
    size_t first;
    size_t end;
    struct bytes with;
    int more; /* items than before */
};

static void node_write(struct buf *out, size_t self, const struct change *change);

/* What is below a node; returns how many items that are. */
static size_t below_write(struct buf *out, size_t self, const struct change *change)
{
    size_t count = 0;
    for (size_t i = self + 1; i < nodes[self].next;) {
        if (i == change->first) {
            buf_put(out, change->with);
            count = (size_t)((long)count + change->more);
        }
        if (i < change->first || i >= change->end) {
            node_write(out, i, change);
        }
        count++;
        i = nodes[i].next;
    }
    return count;
}

static void node_write(struct buf *out, size_t self, const struct change *change)
{
    const struct node *node = &nodes[self];
    struct buf below = {0};
    size_t count = below_write(&below, self, change);
    switch (node->kind) {
    case KIND_ROOT:
        break;
    case KIND_LEAF:
    case KIND_TAG:
        buf_put(out, node->head);
        break;
    case KIND_ARRAY:
        cbor_put_array(out, count);
        break;
    case KIND_MAP:
        cbor_put_map(out, count / 2);
        break;
    case KIND_HOLDER:
        cbor_put_bytes_head(out, below.len);
        break;
    }
    buf_put(out, buf_bytes(&below));
    buf_clear(&below);
}

/* ---- changes */

static void number_put(struct buf *out)
{
    static const uint64_t values[] = {0,          1,         23,         24,        255,
                                      256,        1000,      65535,      65536,     UINT32_MAX,
                                      1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX};
    uint64_t value = values[random_below(sizeof values / sizeof *values)];
    switch (random_below(5)) {
    case 0:
        cbor_put_null(out);
        break;
    case 1:
        cbor_put_int(out, -1 - (int64_t)(value >> 1));
        break;
    case 2:
        cbor_put_bool(out, value & 1);
        break;
    default:
        cbor_put_uint(out, value + random_below(3) - 1);
    }
}

/* A string with other content, a number with another value. */
static void leaf_put(struct buf *out, const struct node *node)
{
    struct head head;
    if (!head_read(&head, node->head) || (head.major != 2 && head.major != 3)) {
        number_put(out);
        return;
    }
    size_t len = node->head.len - head.len;
    uint8_t *content = mem_alloc(len + 64);
    memcpy(content, node->head.at + head.len, len);
    size_t changed = LLVMFuzzerMutate(content, len, len + 1 + random_below(63));
    if (head.major == 3) {
        cbor_put_text(out, (struct bytes){content, changed});
    } else {
        cbor_put_bytes(out, (struct bytes){content, changed});
    }
    free(content);
}

static void copy_put(struct buf *out, size_t self)
{
    const struct change none = {NODES_MAX, NODES_MAX, BYTES_NONE, 0};
    node_write(out, self, &none);
}

/* One change at a random item; what it needs is appended to `with`. */
static struct change change_make(struct buf *with)
{
    size_t self = 1 + random_below(node_count - 1);
    size_t pair = nodes[self].next;
    bool in_map = nodes[nodes[self].parent].kind == KIND_MAP;
    bool has_pair = pair < nodes[nodes[self].parent].next;
    struct change change = {.first = self, .end = nodes[self].next};
    switch (random_below(6)) {
    case 0: /* dropped */
        change.end = in_map && has_pair ? nodes[pair].next : change.end;
        change.more = in_map && has_pair ? -2 : -1;
        break;
    case 1: /* doubled */
        copy_put(with, self);
        copy_put(with, in_map && has_pair ? pair : self);
        copy_put(with, self);
        change.more = 2;
        break;
    case 2: /* swapped with its neighbour */
        copy_put(with, has_pair ? pair : self);
        copy_put(with, self);
        change.end = has_pair ? nodes[pair].next : change.end;
        change.more = has_pair ? 0 : 1;
        break;
    case 3: /* replaced by another */
        copy_put(with, 1 + random_below(node_count - 1));
        break;
    default:
        leaf_put(with, &nodes[self]);
    }
    return change;
}

/* Reads what lies behind the prefix as a sequence of items. */
static bool tree_read(struct bytes input)
{
    nodes[0] = (struct node){.kind = KIND_ROOT};
    node_count = 1;
    bool read = content_read(input, 0, 0);
    nodes[0].next = node_count;
    return read && node_count > 1;
}

static size_t counted_len(void)
{
    struct buf first = {0};
    copy_put(&first, 1);
    size_t len = first.len;
    buf_clear(&first);
    return len;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    random_state = seed;
    size_t prefix = fuzz_shape.prefix;
    if (size <= prefix || random_below(3) == 0 ||
        !tree_read((struct bytes){data + prefix, size - prefix})) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    struct buf with = {0}, out = {0};
    struct change change = change_make(&with);
    change.with = buf_bytes(&with);
    node_write(&out, 0, &change);
    size_t len = prefix + out.len <= max_size ? prefix + out.len : 0;
    if (len > 0 && out.len > 0) {
        memcpy(data + prefix, out.at, out.len);
        bool counted =
            fuzz_shape.first_counted && tree_read((struct bytes){data + prefix, out.len});
        if (counted) {
            put_u16(data, (uint16_t)counted_len());
        }
    }
    buf_clear(&with);
    buf_clear(&out);
    return len > 0 ? len : LLVMFuzzerMutate(data, size, max_size);
}
