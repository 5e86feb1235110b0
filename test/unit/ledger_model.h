/* The ledger again, the slow and obvious way: lists, recursion and no undo. */
#ifndef CAIRN_TEST_LEDGER_MODEL_H
#define CAIRN_TEST_LEDGER_MODEL_H

#include "ledger_maker.h"
#include "merkle/statemap.h"

struct model_entry {
    struct hash id;
    struct hash leaf;
    uint64_t height;
    bool foreign;
    uint32_t item_count;
    struct buf bytes;
    struct buf items;
};

struct model_pair {
    struct buf key;
    struct buf value;
};

#define MODEL_PAIRS 1000

struct model_state {
    size_t count;
    struct model_pair pairs[MODEL_PAIRS];
};

struct model {
    struct maker *maker;
    size_t entry_count;
    struct model_entry entries[20000];
    struct model_state state;
    size_t header_count;
    struct hash headers[5000];
    struct header head;
    uint64_t key_until[MAKER_MEMBERS][MAKER_KEYS];
};

/* What the test knows of a submission beyond its bytes. */
struct model_case {
    struct submission *submission;
    unsigned member;
    unsigned key;
    bool bad_signature;
};

/* RFC 9162 2.1.1, word for word. */
static inline struct hash model_tree(const struct hash *leaves, size_t count)
{
    struct hash out;
    if (count == 0) {
        empty_root(&out);
        return out;
    }
    if (count == 1) {
        return leaves[0];
    }
    size_t split = 1;
    while (2 * split < count) {
        split *= 2;
    }
    struct hash left = model_tree(leaves, split);
    struct hash right = model_tree(leaves + split, count - split);
    node_hash(&out, &left, &right);
    return out;
}

struct model_leaf {
    struct hash key;
    struct hash value;
};

static inline struct hash model_map(const struct model_leaf *leaves, size_t count, unsigned depth)
{
    struct hash out = {{0}};
    if (count == 0) {
        return out;
    }
    if (count == 1) {
        state_leaf_hash(&out, &leaves[0].key, &leaves[0].value);
        return out;
    }
    struct model_leaf *sides[2] = {mem_alloc(count * sizeof *leaves),
                                   mem_alloc(count * sizeof *leaves)};
    size_t counts[2] = {0, 0};
    for (size_t i = 0; i < count; i++) {
        unsigned bit = state_bit(&leaves[i].key, depth);
        sides[bit][counts[bit]++] = leaves[i];
    }
    struct hash left = model_map(sides[0], counts[0], depth + 1);
    struct hash right = model_map(sides[1], counts[1], depth + 1);
    state_node_hash(&out, &left, &right);
    free(sides[0]);
    free(sides[1]);
    return out;
}

static inline struct hash model_state_root(const struct model_state *state)
{
    struct model_leaf leaves[MODEL_PAIRS];
    for (size_t i = 0; i < state->count; i++) {
        sha256(&leaves[i].key, buf_bytes(&state->pairs[i].key));
        sha256(&leaves[i].value, buf_bytes(&state->pairs[i].value));
    }
    return model_map(leaves, state->count, 0);
}

static inline struct model_pair *model_find(struct model_state *state, struct bytes key)
{
    for (size_t i = 0; i < state->count; i++) {
        if (bytes_equal(buf_bytes(&state->pairs[i].key), key)) {
            return &state->pairs[i];
        }
    }
    return NULL;
}

static inline void model_put(struct model_state *state, struct bytes key, struct bytes value)
{
    struct model_pair *pair = model_find(state, key);
    if (pair == NULL) {
        CHECK(state->count < MODEL_PAIRS);
        pair = &state->pairs[state->count++];
        *pair = (struct model_pair){{0}, {0}};
        buf_put(&pair->key, key);
    }
    pair->value.len = 0;
    buf_put(&pair->value, value);
}

static inline void model_remove(struct model_state *state, struct bytes key)
{
    struct model_pair *pair = model_find(state, key);
    if (pair != NULL) {
        buf_clear(&pair->key);
        buf_clear(&pair->value);
        *pair = state->pairs[--state->count];
    }
}

static inline void model_state_clear(struct model_state *state)
{
    while (state->count > 0) {
        model_remove(state, buf_bytes(&state->pairs[0].key));
    }
}

static inline void model_state_copy(struct model_state *out, const struct model_state *state)
{
    out->count = 0;
    for (size_t i = 0; i < state->count; i++) {
        model_put(out, buf_bytes(&state->pairs[i].key), buf_bytes(&state->pairs[i].value));
    }
}

/* Whole state keys, written out by hand. */
static inline struct bytes model_key(struct buf *out, const char *module, struct bytes key)
{
    out->len = 0;
    cbor_put_array(out, 2);
    cbor_put_literal(out, module);
    buf_put(out, key);
    return buf_bytes(out);
}

static inline void model_member_key(struct buf *out, const char *kind, struct bytes name)
{
    struct buf key = {0};
    cbor_put_array(&key, 2);
    cbor_put_literal(&key, kind);
    if (name.len == 32) {
        cbor_put_bytes(&key, name);
    } else {
        cbor_put_text(&key, name);
    }
    model_key(out, "member", buf_bytes(&key));
    buf_clear(&key);
}

static inline void model_put_records(struct model *model, unsigned m)
{
    struct buf key = {0};
    struct buf value = {0};
    struct member_record member = {.kind = m == 0 ? MEMBER_INSTITUTION : MEMBER_PERSON,
                                   .role_count = 1};
    member.institution = m == 0 ? BYTES_NONE : bytes_text(maker_ids[0]);
    member.roles[0] = bytes_text(m == 0 ? "all" : m == 3 ? "none" : "some");
    for (unsigned k = 0; k < MAKER_KEYS; k++) {
        struct key_record record = {
            .spki = pubkey_spki(signer_pubkey(model->maker->keys.signer[m][k])),
            .alg = ALG_ED25519,
            .purpose = k + 1 == MAKER_KEYS ? PURPOSE_FOREIGN : PURPOSE_MEMBER,
            .member = bytes_text(maker_ids[m]),
            .has_until = model->key_until[m][k] != UINT64_MAX,
            .until = model->key_until[m][k]};
        value.len = 0;
        key_record_write(&value, &record);
        model_member_key(&key, "key", hash_bytes(&model->maker->keys.kid[m][k]));
        model_put(&model->state, buf_bytes(&key), buf_bytes(&value));
        if (!record.has_until) {
            member.keys[member.key_count++] = model->maker->keys.kid[m][k];
        }
    }
    value.len = 0;
    member_record_write(&value, &member);
    model_member_key(&key, "member", bytes_text(maker_ids[m]));
    model_put(&model->state, buf_bytes(&key), buf_bytes(&value));
    buf_clear(&key);
    buf_clear(&value);
}

static inline void model_append(struct model *model, struct bytes bytes, const struct hash *id,
                                uint64_t height)
{
    CHECK(model->entry_count < 20000);
    struct model_entry *entry = &model->entries[model->entry_count++];
    *entry = (struct model_entry){.height = height};
    entry->id = *id;
    leaf_hash(&entry->leaf, bytes);
    buf_put(&entry->bytes, bytes);
}

static inline void model_seal(struct model *model, uint64_t height, uint64_t time_ms,
                              uint64_t epoch)
{
    struct header *head = &model->head;
    struct hash *leaves = mem_alloc((model->entry_count + model->header_count) * sizeof *leaves);
    struct hash zero = {{0}};
    *head = (struct header){.suite = 1,
                            .chain = model->maker->chain,
                            .epoch = epoch,
                            .height = height,
                            .time_ms = time_ms,
                            .previous = height == 0 ? zero : model->headers[height - 1],
                            .previous_time_ms = height == 0 ? 0 : head->time_ms,
                            .first_index = head->tree_size,
                            .tree_size = model->entry_count};
    for (size_t i = 0; i < model->entry_count; i++) {
        leaves[i] = model->entries[i].leaf;
    }
    head->tree_root = model_tree(leaves, model->entry_count);
    for (size_t i = 0; i < model->header_count; i++) {
        leaf_hash(&leaves[i], hash_bytes(&model->headers[i]));
    }
    head->history_root = model_tree(leaves, model->header_count);
    head->state_root = model_state_root(&model->state);
    header_hash(&model->headers[model->header_count++], head);
    free(leaves);
}

static inline struct model *model_new(struct maker *maker)
{
    struct model *model = mem_zalloc(sizeof *model);
    struct buf document = {0};
    model->maker = maker;
    memset(model->key_until, 0xff, sizeof model->key_until);
    for (unsigned m = 0; m < MAKER_MEMBERS; m++) {
        model_put_records(model, m);
    }
    maker_genesis(&document, &maker->keys);
    model_append(model, buf_bytes(&document), &maker->chain, 0);
    model_seal(model, 0, MAKER_TIME, 0);
    buf_clear(&document);
    return model;
}

static inline void model_free(struct model *model)
{
    for (size_t i = 0; i < model->entry_count; i++) {
        buf_clear(&model->entries[i].bytes);
        buf_clear(&model->entries[i].items);
    }
    model_state_clear(&model->state);
    free(model);
}

static inline enum err model_end_key(struct model *model, struct bytes kid)
{
    for (unsigned i = 0; i < MAKER_MEMBERS * MAKER_KEYS; i++) {
        unsigned m = i / MAKER_KEYS;
        unsigned k = i % MAKER_KEYS;
        if (bytes_equal(hash_bytes(&model->maker->keys.kid[m][k]), kid) &&
            model->key_until[m][k] == UINT64_MAX) {
            model->key_until[m][k] = model->entry_count + 1;
            model_put_records(model, m);
            return OK;
        }
    }
    return ERR_EXISTS;
}

/* Timers: any pair whose key looks like one, written out and read by hand. */
static inline struct bytes model_timer_key(struct buf *out, const char *module, uint64_t due_ms,
                                           struct bytes id)
{
    out->len = 0;
    buf_put(out, bytes_text("\x82\x65timer\x83\x1b"));
    put_u64(buf_grow(out, 8), due_ms);
    cbor_put_literal(out, module);
    buf_put_byte(out, (uint8_t)(0x40 + id.len));
    buf_put(out, id);
    return buf_bytes(out);
}

static inline void model_timer_set(struct model *model, const char *module, uint64_t due_ms,
                                   struct bytes id)
{
    struct buf key = {0};
    model_put(&model->state, model_timer_key(&key, module, due_ms, id), hex("8101"));
    buf_clear(&key);
}

static inline void model_timer_clear(struct model *model, const char *module, uint64_t due_ms,
                                     struct bytes id)
{
    struct buf key = {0};
    model_remove(&model->state, model_timer_key(&key, module, due_ms, id));
    buf_clear(&key);
}

/* The lowest timer's key, copied to `out`, and when it is due; false if there is none. */
static inline bool model_timer_first(const struct model *model, struct buf *out, uint64_t *due_ms)
{
    struct bytes start = bytes_text("\x82\x65timer\x83\x1b");
    out->len = 0;
    for (size_t i = 0; i < model->state.count; i++) {
        struct bytes key = buf_bytes(&model->state.pairs[i].key);
        if (key.len > start.len && memcmp(key.at, start.at, start.len) == 0 &&
            (out->len == 0 || bytes_compare(key, buf_bytes(out)) < 0)) {
            out->len = 0;
            buf_put(out, key);
        }
    }
    *due_ms = out->len > 0 ? get_u64(out->at + start.len) : UINT64_MAX;
    return out->len > 0;
}

static inline uint64_t model_timer_due(const struct model *model)
{
    struct buf key = {0};
    uint64_t due_ms;
    model_timer_first(model, &key, &due_ms);
    buf_clear(&key);
    return due_ms;
}

/* What maker_on_timer does. */
static inline void model_timer_run(struct model *model, const char *module, uint64_t due_ms,
                                   const uint8_t *id)
{
    uint8_t key[2];
    uint8_t value[2];
    uint8_t other[MAKER_TIMER_ID] = {id[0], (uint8_t)(id[1] - 1), id[2]};
    struct buf whole = {0};
    if (id[0] == TIMER_FAIL || id[0] == TIMER_LATE) {
        return;
    }
    maker_timer_pair(key, value, due_ms, id);
    model_put(&model->state, model_key(&whole, module, BYTES_OF(key)), BYTES_OF(value));
    if (id[0] == TIMER_AGAIN && id[1] > 0) {
        model_timer_set(model, module, due_ms + MAKER_TIMER_STEP, BYTES_OF(other));
    } else if (id[0] == TIMER_CLEAR) {
        other[0] = TIMER_PUT;
        other[1] = id[1];
        model_timer_clear(model, module, due_ms, BYTES_OF(other));
    }
    buf_clear(&whole);
}

/* Returns how many fired. */
static inline unsigned model_timers(struct model *model, uint64_t time_ms)
{
    struct buf key = {0};
    uint64_t due_ms;
    unsigned fired = 0;
    while (fired < 1024 && model_timer_first(model, &key, &due_ms) && due_ms <= time_ms) {
        const char *module = memmem(key.at, key.len, "dtest", 5) != NULL ? "test" : "member";
        model_remove(&model->state, buf_bytes(&key));
        model_timer_run(model, module, due_ms, key.at + key.len - MAKER_TIMER_ID);
        fired++;
    }
    buf_clear(&key);
    return fired;
}

/* The operations of a body on the model; what they did stays, whatever they return. */
static inline enum err model_run(struct model *model, const char *module, struct bytes body,
                                 uint64_t *epoch)
{
    struct cbor_reader reader;
    struct buf key = {0};
    enum err err = OK;
    cbor_init(&reader, body);
    cbor_array(&reader, 2, 2);
    cbor_uint(&reader);
    size_t count = cbor_array(&reader, 0, 1000);
    uint64_t start = model->head.epoch;
    for (size_t i = 0; i < count && err == OK; i++) {
        cbor_array(&reader, 3, 3);
        uint64_t op = cbor_uint(&reader);
        struct bytes name = cbor_bytes(&reader, 0, 256);
        struct bytes value = cbor_bytes(&reader, 0, 32768);
        struct bytes whole = model_key(&key, module, name);
        const struct model_pair *pair = model_find(&model->state, whole);
        if (op == OP_PUT) {
            model_put(&model->state, whole, value);
        } else if (op == OP_DELETE) {
            model_remove(&model->state, whole);
        } else if (op == OP_REFUSE) {
            err = ERR_REFUSED;
        } else if (op == OP_MUST_FIND) {
            err = pair == NULL                                  ? ERR_NOT_FOUND
                  : bytes_equal(buf_bytes(&pair->value), value) ? OK
                                                                : ERR_MISMATCH;
        } else if (op == OP_NEXT_EPOCH) {
            *epoch = start + 1;
        } else if (op == OP_SET_TIMER) {
            model_timer_set(model, module, get_u64(value.at), name);
        } else if (op == OP_CLEAR_TIMER) {
            model_timer_clear(model, module, get_u64(value.at), name);
        } else {
            err = model_end_key(model, name);
        }
    }
    buf_clear(&key);
    return err;
}

static inline enum err model_validity(const struct statement *statement, uint64_t time_ms)
{
    uint64_t start = statement->iat * 1000 < time_ms ? statement->iat * 1000 : time_ms;
    return time_ms <= statement->valid_until && statement->valid_until <= start + 86400000
               ? OK
               : ERR_EXPIRED;
}

static inline bool model_seen(const struct model *model, const struct hash *id, bool foreign,
                              struct statement_result *out)
{
    for (size_t i = 1; i < model->entry_count; i++) {
        const struct model_entry *entry = &model->entries[i];
        if (entry->foreign == foreign && hash_equal(&entry->id, id)) {
            out->seen = true;
            out->index = i;
            out->height = entry->height;
            return true;
        }
    }
    return false;
}

static inline enum err model_check(struct model *model, const struct model_case *at,
                                   uint64_t time_ms, uint64_t *epoch, struct statement_result *out)
{
    const struct statement *statement = &at->submission->statement;
    struct bytes module = bytes_text("evidence");
    struct bytes action = bytes_text("foreign");
    struct hash id;
    statement_id(&id, statement, &model->maker->keys.kid[at->member][at->key]);
    if (!statement->foreign) {
        if (!hash_equal(&statement->chain, &model->maker->chain)) {
            return ERR_MISMATCH;
        }
        TRY(model_validity(statement, time_ms));
        CHECK(statement_action(statement, &module, &action));
    }
    out->id = id;
    if (model_seen(model, &id, statement->foreign, out)) {
        return OK;
    }
    if (model->entry_count >= model->key_until[at->member][at->key] ||
        (at->key == MAKER_KEYS - 1) != statement->foreign) {
        return ERR_KEY;
    }
    if (at->bad_signature) {
        return ERR_SIGNATURE;
    }
    bool test = bytes_equal(module, bytes_text("test"));
    bool member = bytes_equal(module, bytes_text("member"));
    if ((at->member == 3 && !bytes_equal(action, bytes_text("own"))) ||
        (at->member != 0 && member)) {
        return ERR_REFUSED;
    }
    return test || member
               ? model_run(model, test ? "test" : "member", statement->sign1.payload, epoch)
               : OK;
}

static inline void model_accept(struct model *model, const struct model_case *at,
                                const struct hash *id, uint64_t height)
{
    const struct submission *submission = at->submission;
    uint64_t index = model->entry_count;
    model_append(model, buf_bytes(&submission->entry), id, height);
    struct model_entry *entry = &model->entries[index];
    entry->foreign = submission->statement.foreign;
    if (submission->items != NULL) {
        entry->item_count = submission->items->count;
        for (uint32_t i = 0; i < submission->items->chunk_count; i++) {
            CHECK_OK(chunk_items(&entry->items, buf_bytes(&submission->items->chunks[i])));
        }
    }
    if (entry->foreign) {
        struct buf key = {0};
        struct buf whole = {0};
        struct buf value = {0};
        foreign_state_key(&key, id);
        cbor_put_array(&value, 2);
        cbor_put_uint(&value, 1);
        cbor_put_uint(&value, index);
        model_put(&model->state, model_key(&whole, "evidence", buf_bytes(&key)), buf_bytes(&value));
        buf_clear(&key);
        buf_clear(&whole);
        buf_clear(&value);
    }
}

/* Executes and commits a block on the model; `want` receives the outcome of each. Returns how many
 * timers fired. */
static inline unsigned model_block(struct model *model, const struct model_case *cases,
                                   size_t count, uint64_t time_ms, struct statement_result *want)
{
    uint64_t height = model->head.height + 1;
    uint64_t epoch = model->head.epoch;
    size_t before = model->entry_count;
    unsigned fired = model_timers(model, time_ms);
    for (size_t i = 0; i < count; i++) {
        struct model_state saved;
        uint64_t until[MAKER_MEMBERS][MAKER_KEYS];
        uint64_t epoch_before = epoch;
        want[i] = (struct statement_result){0};
        model_state_copy(&saved, &model->state);
        memcpy(until, model->key_until, sizeof until);
        want[i].err = model_check(model, &cases[i], time_ms, &epoch, &want[i]);
        if (want[i].err != OK) {
            model_state_clear(&model->state);
            model_state_copy(&model->state, &saved);
            memcpy(model->key_until, until, sizeof until);
            epoch = epoch_before;
        } else if (!want[i].seen) {
            want[i].index = model->entry_count;
            want[i].height = height;
            model_accept(model, &cases[i], &want[i].id, height);
        }
        model_state_clear(&saved);
    }
    if (model->entry_count > before || fired > 0) {
        model_seal(model, height, time_ms, epoch);
    }
    return fired;
}

#endif
