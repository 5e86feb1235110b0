/* A small ledger for tests: a store in a folder of its own, four members with a few keys each, a
 * rule book that does what a statement's body says, and statements for it.
 *
 * Member 0 is the operator and may do everything; 1 and 2 may use module "test" and evidence; 3 may
 * do nothing but what any member may. A body of action "run" is [1, [[op, key, value], ...]].
 * Timers have ids of three bytes: what they do, a number, and which key they put. */
#ifndef CAIRN_TEST_LEDGER_MAKER_H
#define CAIRN_TEST_LEDGER_MAKER_H

#include "crypto/digest.h"
#include "item_maker.h"
#include "ledger/ledger.h"

#include <ftw.h>
#include <unistd.h>

#define MAKER_MEMBERS 4
#define MAKER_KEYS    4 /* of each: three member keys, then a foreign one */
#define MAKER_TIME    1800000000000u

enum maker_op {
    OP_PUT,
    OP_DELETE,
    OP_REFUSE,    /* refuse the statement */
    OP_MUST_FIND, /* refuse it unless the key stands there with this value */
    OP_NEXT_EPOCH,
    OP_END_KEY,     /* key: a kid */
    OP_SET_TIMER,   /* key: its id; value: when it is due, 8 bytes */
    OP_CLEAR_TIMER, /* likewise */
    OP_OPS
};

static const char *const maker_ids[MAKER_MEMBERS] = {"operator", "alice", "bob", "carol"};

struct maker_keys {
    struct signer *signer[MAKER_MEMBERS][MAKER_KEYS];
    struct hash kid[MAKER_MEMBERS][MAKER_KEYS];
};

/* The rules. */

static inline enum err maker_op_run(struct rule_context *context, enum maker_op op,
                                    struct bytes key, struct bytes value, struct why *why)
{
    struct buf found = {0};
    struct hash kid;
    enum err err = OK;
    switch (op) {
    case OP_PUT:
        rule_put(context, key, value);
        break;
    case OP_DELETE:
        rule_delete(context, key);
        break;
    case OP_REFUSE:
        err = why_say(why, ERR_REFUSED, "body", NULL, "asks to be refused", NULL);
        break;
    case OP_MUST_FIND:
        err = rule_get(context, key, &found);
        err = err == OK && !bytes_equal(buf_bytes(&found), value) ? ERR_MISMATCH : err;
        break;
    case OP_NEXT_EPOCH:
        rule_next_epoch(context);
        break;
    case OP_END_KEY:
        memcpy(kid.at, key.at, sizeof kid.at);
        err = rule_key_end(context, &kid);
        break;
    case OP_SET_TIMER:
        err = rule_timer_set(context, get_u64(value.at), key);
        break;
    case OP_CLEAR_TIMER:
        rule_timer_clear(context, get_u64(value.at), key);
        break;
    case OP_OPS:
        break;
    }
    buf_clear(&found);
    return err;
}

static inline enum err maker_run(struct rule_context *context, const struct submission *submission,
                                 struct why *why)
{
    struct cbor_reader reader;
    cbor_init(&reader, submission->statement.sign1.payload);
    cbor_array(&reader, 2, 2);
    cbor_version(&reader, 1);
    size_t count = cbor_array(&reader, 0, 1000);
    enum err err = OK;
    for (size_t i = 0; i < count && err == OK && reader.err == OK; i++) {
        cbor_array(&reader, 3, 3);
        enum maker_op op = (enum maker_op)cbor_uint(&reader);
        struct bytes key = cbor_bytes(&reader, 0, 256);
        struct bytes value = cbor_bytes(&reader, 0, 32768);
        err = maker_op_run(context, op, key, value, why);
    }
    return err;
}

/* What a timer does beside putting its key. */
enum maker_timer {
    TIMER_PUT,
    TIMER_FAIL,  /* fail */
    TIMER_LATE,  /* set itself for the time at which it fires, which fails */
    TIMER_AGAIN, /* set itself for later, as often as its number says */
    TIMER_CLEAR, /* clear the one that only puts */
    TIMER_KINDS
};
#define MAKER_TIMER_STEP 700u /* ms until it comes again */
#define MAKER_TIMER_ID   3u

/* What it puts: a key of two bytes and a value of two bytes. */
static inline void maker_timer_pair(uint8_t key[2], uint8_t value[2], uint64_t due_ms,
                                    const uint8_t *id)
{
    key[0] = 0x61;
    key[1] = (uint8_t)('a' + id[2] % 20);
    value[0] = 0x81;
    value[1] = (uint8_t)(due_ms % 24);
}

static inline enum err maker_on_timer(struct rule_context *context, uint64_t due_ms,
                                      struct bytes id)
{
    uint8_t key[2];
    uint8_t value[2];
    uint8_t other[MAKER_TIMER_ID] = {id.at[0], id.at[1], id.at[2]};
    maker_timer_pair(key, value, due_ms, id.at);
    rule_put(context, BYTES_OF(key), BYTES_OF(value));
    switch (id.at[0]) {
    case TIMER_FAIL:
        return ERR_REFUSED;
    case TIMER_LATE:
        return rule_timer_set(context, due_ms, id);
    case TIMER_AGAIN:
        return other[1]-- > 0 ? rule_timer_set(context, due_ms + MAKER_TIMER_STEP, BYTES_OF(other))
                              : OK;
    case TIMER_CLEAR:
        other[0] = TIMER_PUT;
        rule_timer_clear(context, due_ms, BYTES_OF(other));
        return OK;
    default:
        return OK;
    }
}

static inline enum err maker_foreign(struct rule_context *context,
                                     const struct submission *submission, struct why *why)
{
    struct buf key = {0};
    struct buf value = {0};
    (void)why;
    foreign_state_key(&key, &submission->id);
    name_record_write(&value, rule_kid(context));
    value.len = 0;
    cbor_put_array(&value, 2);
    cbor_put_uint(&value, 1);
    cbor_put_uint(&value, rule_index(context));
    rule_put(context, buf_bytes(&key), buf_bytes(&value));
    buf_clear(&key);
    buf_clear(&value);
    return OK;
}

/* A body [1, statement id] speaks about that statement. */
static inline bool maker_target(const struct statement *statement, struct hash *out)
{
    struct cbor_reader reader;
    cbor_init(&reader, statement->sign1.payload);
    cbor_array(&reader, 2, 2);
    cbor_version(&reader, 1);
    *out = cbor_hash(&reader);
    return cbor_end(&reader) == OK;
}

static const struct action maker_test_actions[] = {
    {.name = "run", .apply = maker_run},
    {.name = "say", .target = maker_target},
    {.name = "own", .apply = maker_run, .own_keys = true},
};
static const struct action maker_member_actions[] = {{.name = "run", .apply = maker_run}};
static const struct action maker_evidence_actions[] = {{.name = "deposit", .takes_items = true}};
static const struct module maker_test = {"test", maker_test_actions, 3, maker_on_timer};
static const struct module maker_member = {"member", maker_member_actions, 1, maker_on_timer};
static const struct module maker_evidence = {"evidence", maker_evidence_actions, 1, NULL};
static const struct module *const maker_modules[] = {&maker_test, &maker_member, &maker_evidence,
                                                     NULL};
static const struct action maker_foreign_action = {.name = "foreign", .apply = maker_foreign};
static const char *const maker_all[] = {"test.*", "member.run", "evidence.*", NULL};
static const char *const maker_some[] = {"test.*", "evidence.deposit", "evidence.foreign", NULL};
static const char *const maker_none[] = {NULL};
static const struct role maker_roles[] = {
    {"all", maker_all}, {"some", maker_some}, {"none", maker_none}, {NULL, NULL}};
static const struct rules maker_rules = {maker_modules, &maker_foreign_action, maker_roles};

/* Keys and genesis. */

static inline void maker_keys_init(struct maker_keys *out)
{
    for (size_t i = 0; i < MAKER_MEMBERS; i++) {
        for (size_t j = 0; j < MAKER_KEYS; j++) {
            struct buf pem = {0};
            CHECK_OK(key_generate(&pem, ALG_ED25519, NULL));
            CHECK_OK(signer_parse(&out->signer[i][j], buf_bytes(&pem), NULL));
            out->kid[i][j] = *pubkey_kid(signer_pubkey(out->signer[i][j]));
            buf_clear(&pem);
        }
    }
}

static inline void maker_keys_clear(struct maker_keys *keys)
{
    for (size_t i = 0; i < MAKER_MEMBERS; i++) {
        for (size_t j = 0; j < MAKER_KEYS; j++) {
            signer_free(keys->signer[i][j]);
        }
    }
}

static inline void maker_genesis(struct buf *out, const struct maker_keys *keys)
{
    struct genesis *genesis = mem_zalloc(sizeof *genesis);
    memset(genesis->random32, 7, sizeof genesis->random32);
    genesis->name = bytes_text("Test ledger");
    genesis->suite = SUITE_1;
    genesis->member_count = MAKER_MEMBERS;
    for (size_t i = 0; i < MAKER_MEMBERS; i++) {
        struct genesis_member *member = &genesis->members[i];
        member->id = bytes_text(maker_ids[i]);
        member->kind = i == 0 ? MEMBER_INSTITUTION : MEMBER_PERSON;
        member->institution = i == 0 ? BYTES_NONE : bytes_text(maker_ids[0]);
        member->role_count = 1;
        member->roles[0] = bytes_text(i == 0 ? "all" : i == 3 ? "none" : "some");
        member->key_count = MAKER_KEYS;
        for (size_t j = 0; j < MAKER_KEYS; j++) {
            member->keys[j].spki = pubkey_spki(signer_pubkey(keys->signer[i][j]));
            member->keys[j].alg = ALG_ED25519;
            member->keys[j].purpose = j + 1 == MAKER_KEYS ? PURPOSE_FOREIGN : PURPOSE_MEMBER;
        }
    }
    genesis_write(out, genesis);
    free(genesis);
}

/* The store. */

static inline int maker_remove_one(const char *path, const struct stat *stat, int type,
                                   struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

struct maker {
    char dir[64];
    struct maker_keys keys;
    struct hash chain;
    struct store *store;
    struct ledger *ledger;
};

static inline void maker_open(struct maker *maker)
{
    struct why why = {0};
    struct store_options options = {.cache_len = 8 << 20};
    CHECK_OK(store_open(&maker->store, maker->dir, &options, &why));
    CHECK_OK(ledger_open(&maker->ledger, maker->store, &maker_rules, &why));
}

static inline void maker_close(struct maker *maker)
{
    ledger_close(maker->ledger);
    store_close(maker->store);
    maker->ledger = NULL;
    maker->store = NULL;
}

/* A new ledger of the keys in `maker`, which are not touched. */
static inline void maker_create(struct maker *maker)
{
    struct why why = {0};
    struct buf document = {0};
    struct hash header_hash;
    struct store_options options = {.cache_len = 8 << 20, .create = true};
    strcpy(maker->dir, "/tmp/cairn-ledger-XXXXXX");
    CHECK(mkdtemp(maker->dir) != NULL);
    maker_genesis(&document, &maker->keys);
    sha256(&maker->chain, buf_bytes(&document));
    CHECK_OK(store_open(&maker->store, maker->dir, &options, &why));
    CHECK_OK(ledger_create(maker->store, buf_bytes(&document), MAKER_TIME, &header_hash, &why));
    store_close(maker->store);
    buf_clear(&document);
    maker_open(maker);
}

static inline void maker_destroy(struct maker *maker)
{
    maker_close(maker);
    CHECK(nftw(maker->dir, maker_remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

/* Statements. */

struct maker_statement {
    unsigned member;
    unsigned key;
    const char *type; /* "test.run" */
    struct bytes body;
    uint64_t time_ms; /* of the client; valid for an hour from then unless valid_until is set */
    uint64_t valid_until;
    const struct hash *mandate;
    const struct hash *chain; /* another chain, or NULL */
    bool verified;
};

static inline void maker_submission_fill(struct submission *out, bool verified)
{
    struct why why = {0};
    CHECK_OK(statement_parse(&out->statement, buf_bytes(&out->entry), &why));
    CHECK_OK(rules_find(&maker_rules, &out->statement, &out->action, &why));
    leaf_hash(&out->leaf, buf_bytes(&out->entry));
    if (!out->statement.foreign) {
        statement_id(&out->id, &out->statement, NULL);
        memcpy(out->verified_kid.at, out->statement.kid.at, 32);
        out->verified = verified;
    }
}

static inline struct submission *maker_submission(const struct maker *maker,
                                                  const struct maker_statement *what)
{
    struct submission *out = mem_zalloc(sizeof *out);
    char type[128];
    uint8_t nonce[16];
    put_u64(nonce, seeded_u64());
    put_u64(nonce + 8, seeded_u64());
    snprintf(type, sizeof type, "application/vnd.cairn.%s+cbor", what->type);
    struct draft draft = {.content_type = type,
                          .iss = bytes_text(maker_ids[what->member]),
                          .sub = bytes_text("test"),
                          .iat = what->time_ms / 1000,
                          .chain = what->chain != NULL ? *what->chain : maker->chain,
                          .valid_until =
                              what->valid_until != 0 ? what->valid_until : what->time_ms + 3600000,
                          .nonce16 = nonce,
                          .mandate = what->mandate,
                          .payload = what->body};
    CHECK_OK(statement_sign(&out->entry, &draft, maker->keys.signer[what->member][what->key]));
    maker_submission_fill(out, what->verified);
    return out;
}

/* A second submission of the same bytes. */
static inline struct submission *maker_again(const struct submission *first)
{
    struct submission *out = mem_zalloc(sizeof *out);
    buf_put(&out->entry, buf_bytes(&first->entry));
    maker_submission_fill(out, false);
    return out;
}

/* A deposit with `count` random items. */
static inline struct submission *maker_deposit(const struct maker *maker,
                                               struct maker_statement what, uint32_t count)
{
    struct items *items = items_new(count);
    struct buf sequence = {0};
    struct frontier frontier = {0};
    struct deposit deposit = {.count = count, .category = bytes_text("test")};
    for (uint32_t i = 0; i < count; i++) {
        struct item_store store;
        struct item item = maker_item(&store, (unsigned)seeded_below(32), 3);
        struct hash leaf;
        size_t start = sequence.len;
        item_write(&sequence, &item);
        leaf_hash(&leaf, (struct bytes){sequence.at + start, sequence.len - start});
        frontier_append(&frontier, &leaf);
    }
    frontier_root(&frontier, &deposit.items_root);
    CHECK_OK(items_feed(items, buf_bytes(&sequence), NULL));
    CHECK_OK(items_finish(items, &deposit.items_root, NULL));
    struct buf body = {0};
    deposit_write(&body, &deposit);
    what.type = "evidence.deposit";
    what.body = buf_bytes(&body);
    struct submission *out = maker_submission(maker, &what);
    out->items = items;
    buf_clear(&body);
    buf_clear(&sequence);
    return out;
}

/* A foreign statement: kid and x5t as given (either may be empty), signed by a key. */
static inline struct submission *maker_foreign_submission(struct signer *signer, struct bytes kid,
                                                          struct bytes x5t, struct bytes payload)
{
    struct submission *out = mem_zalloc(sizeof *out);
    struct buf protected = {0};
    struct buf message = {0};
    uint8_t signature[64];
    cbor_put_map(&protected, 2u + (kid.len > 0 ? 1 : 0) + (x5t.len > 0 ? 1 : 0));
    cbor_put_int(&protected, 1);
    cbor_put_int(&protected, signer_alg(signer));
    if (kid.len > 0) {
        cbor_put_int(&protected, 4);
        cbor_put_bytes(&protected, kid);
    }
    cbor_put_int(&protected, 15);
    cbor_put_map(&protected, 2);
    cbor_put_int(&protected, 1);
    cbor_put_literal(&protected, "https://issuer.example");
    cbor_put_int(&protected, 2);
    cbor_put_literal(&protected, "thing");
    if (x5t.len > 0) {
        cbor_put_int(&protected, 34);
        buf_put(&protected, x5t);
    }
    sig_structure_write(&message, buf_bytes(&protected), payload);
    CHECK_OK(signer_sign(signer, signature, buf_bytes(&message)));
    struct sign1 sign1 = {.protected = buf_bytes(&protected),
                          .payload = payload,
                          .signature = {signature, sizeof signature}};
    sign1_write(&out->entry, &sign1);
    maker_submission_fill(out, false);
    buf_clear(&protected);
    buf_clear(&message);
    return out;
}

/* Executes a block of `count` submissions. */
static inline struct block_result
maker_execute(struct maker *maker, struct submission **submissions, size_t count, uint64_t time_ms)
{
    struct block_result result;
    struct block_input input = {time_ms, submissions, count};
    CHECK_OK(ledger_execute(maker->ledger, &input, &result));
    CHECK_UINT(result.count, count);
    return result;
}

/* SHA-256 over every key and value of every family. */
static inline struct hash maker_dump(struct store *store)
{
    struct sha256_state state;
    struct hash out;
    sha256_init(&state);
    for (unsigned family = 0; family < FAMILY_COUNT; family++) {
        struct cursor *cursor = cursor_open(store, NULL, (enum family)family);
        for (bool there = cursor_seek(cursor, BYTES_NONE); there; there = cursor_next(cursor)) {
            uint8_t head[9] = {(uint8_t)family};
            put_u32(head + 1, (uint32_t)cursor_key(cursor).len);
            put_u32(head + 5, (uint32_t)cursor_value(cursor).len);
            sha256_update(&state, BYTES_OF(head));
            sha256_update(&state, cursor_key(cursor));
            sha256_update(&state, cursor_value(cursor));
        }
        CHECK_OK(cursor_err(cursor));
        cursor_close(cursor);
    }
    sha256_final(&state, &out);
    return out;
}

#endif
