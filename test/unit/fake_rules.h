/* A ledger for rule books under test: a state in memory, one statement at a time, and nothing of
 * the real one but its records. It checks the role and rolls back what is refused; keys, mandates
 * and validity are the real ledger's to check. It stands in for src/ledger's rule_* functions, so
 * one test includes it once. */
#ifndef CAIRN_TEST_FAKE_RULES_H
#define CAIRN_TEST_FAKE_RULES_H

#include "check.h"
#include "crypto/digest.h"
#include "crypto/signer.h"
#include "ledger/members.h"
#include "modules/modules.h"
#include "proof/header.h"

struct fake_pair {
    struct buf key; /* module, a zero byte, encoded key */
    struct buf value;
};

struct fake_state {
    struct fake_pair *pairs; /* sorted by key */
    size_t count;
};

struct rule_context {
    const struct rules *rules;
    struct fake_state state;
    struct header previous;
    struct hash previous_hash;
    uint64_t time_ms;
    uint64_t index;    /* of the statement at hand, or the next */
    uint64_t accepted; /* in this block */
    unsigned epochs;   /* that were begun */
    const char *module;
    struct bytes member;
    struct hash kid;
};

static inline bool fake_find(const struct fake_state *state, struct bytes key, size_t *at)
{
    for (*at = 0; *at < state->count; ++*at) {
        int order = bytes_compare(buf_bytes(&state->pairs[*at].key), key);
        if (order >= 0) {
            return order == 0;
        }
    }
    return false;
}

static inline void fake_put(struct fake_state *state, struct bytes key, struct bytes value)
{
    size_t at;
    if (!fake_find(state, key, &at)) {
        state->pairs = mem_realloc(state->pairs, (state->count + 1) * sizeof *state->pairs);
        memmove(state->pairs + at + 1, state->pairs + at,
                (state->count - at) * sizeof *state->pairs);
        state->pairs[at] = (struct fake_pair){0};
        buf_put(&state->pairs[at].key, key);
        state->count++;
    }
    state->pairs[at].value.len = 0;
    buf_put(&state->pairs[at].value, value);
}

static inline void fake_state_clear(struct fake_state *state)
{
    for (size_t i = 0; i < state->count; i++) {
        buf_clear(&state->pairs[i].key);
        buf_clear(&state->pairs[i].value);
    }
    free(state->pairs);
    *state = (struct fake_state){0};
}

static inline struct fake_state fake_state_copy(const struct fake_state *state)
{
    struct fake_state copy = {0};
    for (size_t i = 0; i < state->count; i++) {
        fake_put(&copy, buf_bytes(&state->pairs[i].key), buf_bytes(&state->pairs[i].value));
    }
    return copy;
}

static inline bool fake_state_equal(const struct fake_state *a, const struct fake_state *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++) {
        equal = bytes_equal(buf_bytes(&a->pairs[i].key), buf_bytes(&b->pairs[i].key)) &&
                bytes_equal(buf_bytes(&a->pairs[i].value), buf_bytes(&b->pairs[i].value));
    }
    return equal;
}

static inline void fake_key(struct buf *out, const char *module, struct bytes key)
{
    buf_put(out, bytes_text(module));
    buf_put_byte(out, 0);
    buf_put(out, key);
}

static inline enum err fake_get(struct rule_context *context, const char *module, struct bytes key,
                                struct buf *out)
{
    struct buf whole = {0};
    size_t at;
    fake_key(&whole, module, key);
    bool found = fake_find(&context->state, buf_bytes(&whole), &at);
    buf_clear(&whole);
    if (!found) {
        return ERR_NOT_FOUND;
    }
    buf_put(out, buf_bytes(&context->state.pairs[at].value));
    return OK;
}

static inline void fake_put_of(struct rule_context *context, const char *module, struct bytes key,
                               struct bytes value)
{
    struct buf whole = {0};
    BUG_ON(key.len == 0 || key.len > 256 || value.len == 0 || value.len > 32768);
    fake_key(&whole, module, key);
    fake_put(&context->state, buf_bytes(&whole), value);
    buf_clear(&whole);
}

enum err rule_get(struct rule_context *context, struct bytes key, struct buf *out)
{
    return fake_get(context, context->module, key, out);
}

void rule_put(struct rule_context *context, struct bytes key, struct bytes value)
{
    fake_put_of(context, context->module, key, value);
}

uint64_t rule_index(const struct rule_context *context)
{
    return context->index;
}

uint64_t rule_height(const struct rule_context *context)
{
    return context->previous.height + 1;
}

uint64_t rule_time_ms(const struct rule_context *context)
{
    return context->time_ms;
}

const struct hash *rule_chain(const struct rule_context *context)
{
    return &context->previous.chain;
}

const struct header *rule_previous(const struct rule_context *context)
{
    return &context->previous;
}

const struct hash *rule_previous_hash(const struct rule_context *context)
{
    return &context->previous_hash;
}

bool rule_is_first(const struct rule_context *context)
{
    return context->accepted == 0;
}

void rule_next_epoch(struct rule_context *context)
{
    context->epochs++;
}

struct bytes rule_member(const struct rule_context *context)
{
    return context->member;
}

const struct hash *rule_kid(const struct rule_context *context)
{
    return &context->kid;
}

const struct rules *rule_rules(const struct rule_context *context)
{
    return context->rules;
}

enum err rule_member_record(struct rule_context *context, struct bytes member, struct buf *out)
{
    struct buf key = {0};
    member_state_key(&key, member);
    enum err err = fake_get(context, MEMBER_MODULE, buf_bytes(&key), out);
    buf_clear(&key);
    return err;
}

enum err rule_key_record(struct rule_context *context, const struct hash *kid, struct buf *out)
{
    struct buf key = {0};
    key_record_state_key(&key, kid);
    enum err err = fake_get(context, MEMBER_MODULE, buf_bytes(&key), out);
    buf_clear(&key);
    return err;
}

static inline void fake_put_member(struct rule_context *context, struct bytes id,
                                   const struct member_record *record)
{
    struct buf key = {0};
    struct buf value = {0};
    member_state_key(&key, id);
    member_record_write(&value, record);
    fake_put_of(context, MEMBER_MODULE, buf_bytes(&key), buf_bytes(&value));
    buf_clear(&key);
    buf_clear(&value);
}

static inline void fake_put_key(struct rule_context *context, const struct key_record *record)
{
    struct buf key = {0};
    struct buf value = {0};
    struct hash kid;
    sha256(&kid, record->spki);
    key_record_state_key(&key, &kid);
    key_record_write(&value, record);
    fake_put_of(context, MEMBER_MODULE, buf_bytes(&key), buf_bytes(&value));
    buf_clear(&key);
    buf_clear(&value);
}

enum err rule_key_end(struct rule_context *context, const struct hash *kid)
{
    struct buf key_bytes = {0};
    struct buf member_bytes = {0};
    struct key_record key;
    struct member_record member;
    enum err err = rule_key_record(context, kid, &key_bytes);
    if (err == OK) {
        CHECK_OK(key_record_parse(&key, NULL, buf_bytes(&key_bytes)));
        err = key.has_until ? ERR_EXISTS : OK;
    }
    if (err == OK) {
        key.has_until = true;
        key.until = context->index + 1;
        fake_put_key(context, &key);
        CHECK_OK(rule_member_record(context, key.member, &member_bytes));
        CHECK_OK(member_record_parse(&member, buf_bytes(&member_bytes)));
        size_t kept = 0;
        for (size_t i = 0; i < member.key_count; i++) {
            if (!hash_equal(&member.keys[i], kid)) {
                member.keys[kept++] = member.keys[i];
            }
        }
        member.key_count = kept;
        fake_put_member(context, key.member, &member);
    }
    buf_clear(&key_bytes);
    buf_clear(&member_bytes);
    return err;
}

/* Somebody who signs. */
struct person {
    struct bytes id;
    struct signer *signer;
    struct hash kid;
};

static inline struct person person_new(const char *id, enum alg alg)
{
    struct person person = {.id = bytes_text(id)};
    struct buf pem = {0};
    CHECK_OK(key_generate(&pem, alg, NULL));
    CHECK_OK(signer_parse(&person.signer, buf_bytes(&pem), NULL));
    person.kid = *pubkey_kid(signer_pubkey(person.signer));
    buf_clear(&pem);
    return person;
}

static inline void person_free(struct person *person)
{
    signer_free(person->signer);
}

/* Puts a member with one key into the state, as the genesis does. */
static inline void fake_member(struct rule_context *context, const struct person *person,
                               enum member_kind kind, const char *institution, const char *role)
{
    struct member_record member = {.kind = kind,
                                   .institution =
                                       institution ? bytes_text(institution) : BYTES_NONE,
                                   .role_count = 1,
                                   .roles = {bytes_text(role)},
                                   .key_count = 1,
                                   .keys = {person->kid}};
    struct key_record key = {.spki = pubkey_spki(signer_pubkey(person->signer)),
                             .alg = signer_alg(person->signer),
                             .purpose = PURPOSE_MEMBER,
                             .member = person->id};
    fake_put_member(context, person->id, &member);
    fake_put_key(context, &key);
}

static inline struct rule_context fake_ledger(void)
{
    struct rule_context context = {.rules = &modules_rules, .time_ms = 1764021429000, .index = 10};
    memset(context.previous.chain.at, 0xc4, 32);
    context.previous.height = 41;
    memset(context.previous_hash.at, 0x41, 32);
    return context;
}

static inline void fake_clear(struct rule_context *context)
{
    fake_state_clear(&context->state);
}

/* A submission as admit makes it, of a type such as MEMBER_TYPE("void"). */
static inline struct submission fake_submission(const struct rule_context *context,
                                                const struct person *signer, const char *type,
                                                struct bytes payload)
{
    struct submission submission = {.verified = true, .verified_kid = signer->kid};
    uint8_t nonce[16] = {0};
    put_u64(nonce, context->index);
    struct draft draft = {.content_type = type,
                          .iss = signer->id,
                          .sub = bytes_text("test"),
                          .iat = context->time_ms / 1000,
                          .chain = context->previous.chain,
                          .valid_until = context->time_ms + 1000,
                          .nonce16 = nonce,
                          .payload = payload};
    CHECK_OK(statement_sign(&submission.entry, &draft, signer->signer));
    CHECK_OK(statement_parse(&submission.statement, buf_bytes(&submission.entry), NULL));
    CHECK_OK(rules_find(context->rules, &submission.statement, &submission.action, NULL));
    statement_id(&submission.id, &submission.statement, NULL);
    return submission;
}

/* What the real ledger does with the rule: the role, check, apply, and nothing kept of what is
 * refused. An accepted statement takes the next index. */
static inline enum err fake_apply(struct rule_context *context, const struct submission *submission,
                                  struct why *why)
{
    struct bytes module = bytes_text(FOREIGN_MODULE);
    struct bytes action;
    struct buf bytes = {0};
    struct member_record record;
    char name[32];
    bool ours = statement_action(&submission->statement, &module, &action);
    snprintf(name, sizeof name, "%.*s", (int)module.len, (const char *)module.at);
    context->module = name;
    context->member = submission->statement.iss;
    context->kid = submission->verified_kid;
    struct fake_state before = fake_state_copy(&context->state);
    enum err err = submission->action->check(submission, why);
    if (err == OK && ours && !submission->action->own_keys) {
        CHECK_OK(rule_member_record(context, context->member, &bytes));
        CHECK_OK(member_record_parse(&record, buf_bytes(&bytes)));
        if (!member_may(&record, context->rules, module, action)) {
            err = why_say(why, ERR_REFUSED, "role", NULL, NULL, NULL);
        }
    }
    if (err == OK && submission->action->apply) {
        err = submission->action->apply(context, submission, why);
    }
    if (err == OK) {
        fake_state_clear(&before);
        context->index++;
        context->accepted++;
    } else {
        fake_state_clear(&context->state);
        context->state = before;
    }
    buf_clear(&bytes);
    return err;
}

/* Signs, checks and applies one body; what `why` has is for the caller to look at. */
static inline enum err fake_send(struct rule_context *context, const struct person *signer,
                                 const char *type, struct bytes payload, struct why *why)
{
    struct submission submission = fake_submission(context, signer, type, payload);
    if (why) {
        *why = (struct why){0};
    }
    enum err err = fake_apply(context, &submission, why);
    buf_clear(&submission.entry);
    return err;
}

/* A refusal must be of this code and name this field. */
#define CHECK_REFUSED(call, want, want_field, why)                                      \
    do {                                                                                \
        CHECK_ERR(call, want);                                                          \
        if (strcmp((why).field, want_field) != 0) {                                     \
            fail_msg("%s:%d: %s names '%s' (%s), want '%s'", __FILE__, __LINE__, #call, \
                     (why).field, (why).problem, want_field);                           \
        }                                                                               \
    } while (0)

/* A parser reads `body`, refuses it cut at every byte and with a byte behind it. */
#define CHECK_WHOLE(parse, out, body)                                          \
    do {                                                                       \
        struct buf whole = {0};                                                \
        buf_put(&whole, body);                                                 \
        CHECK_OK(parse(out, buf_bytes(&whole)));                               \
        for (size_t cut = 0; cut < whole.len; cut++) {                         \
            uint8_t *copy = mem_alloc(cut + 1);                                \
            memcpy(copy, whole.at, cut);                                       \
            CHECK_ERR(parse(out, ((struct bytes){copy, cut})), ERR_TRUNCATED); \
            free(copy);                                                        \
        }                                                                      \
        buf_put_byte(&whole, 0);                                               \
        CHECK_ERR(parse(out, buf_bytes(&whole)), ERR_TRAILING);                \
        buf_clear(&whole);                                                     \
    } while (0)

#endif
