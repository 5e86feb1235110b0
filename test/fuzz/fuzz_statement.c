/* Statements, ours and foreign: fields lie inside the input, an entry is read as what it was
 * written from, ours have one encoding, and the first of a sequence is read as if it stood alone.
 */
#include "fuzz.h"
#include "mutate.h"
#include "proof/statement.h"

const struct fuzz_shape fuzz_shape = {0, false};

static void check_same(const struct statement *a, const struct statement *b)
{
    struct hash kid = {{7}}, id_a, id_b;
    statement_id(&id_a, a, &kid);
    statement_id(&id_b, b, &kid);
    BUG_ON(!hash_equal(&id_a, &id_b));
    BUG_ON(a->foreign != b->foreign || a->alg != b->alg || a->iat != b->iat);
    BUG_ON(!bytes_equal(a->kid, b->kid) || !bytes_equal(a->iss, b->iss));
    BUG_ON(!bytes_equal(a->content_type, b->content_type) || !bytes_equal(a->sub, b->sub));
    BUG_ON(!bytes_equal(a->x5t, b->x5t) || a->envelope != b->envelope);
    BUG_ON(!bytes_equal(a->sign1.payload, b->sign1.payload));
    BUG_ON(!bytes_equal(a->sign1.signature, b->sign1.signature));
}

/* The entry of a statement of ours is the one thing that its fields can be written as. Whether the
 * alg is known is asked with the key. */
static void check_protected(const struct statement *statement)
{
    struct buf out = {0};
    enum alg alg;
    if (alg_of_header(&alg, statement->alg) != OK) {
        return;
    }
    char content_type[256] = {0};
    struct hash kid;
    BUG_ON(statement->kid.len != sizeof kid.at || statement->nonce.len != 16);
    BUG_ON(statement->content_type.len >= sizeof content_type);
    memcpy(content_type, statement->content_type.at, statement->content_type.len);
    memcpy(kid.at, statement->kid.at, sizeof kid.at);
    struct draft draft = {
        .content_type = content_type,
        .iss = statement->iss,
        .sub = statement->sub,
        .iat = statement->iat,
        .chain = statement->chain,
        .valid_until = statement->valid_until,
        .nonce16 = statement->nonce.at,
        .mandate = statement->has_mandate ? &statement->mandate : NULL,
        .payload = statement->sign1.payload,
    };
    statement_protected(&out, &draft, alg, &kid);
    BUG_ON(alg == statement->alg && !bytes_equal(buf_bytes(&out), statement->sign1.protected));
    buf_clear(&out);
}

static void check_action(const struct statement *statement)
{
    struct bytes module, action;
    if (statement_action(statement, &module, &action)) {
        struct buf whole = {0};
        buf_put(&whole, bytes_text(STATEMENT_TYPE_PREFIX));
        buf_put(&whole, module);
        buf_put(&whole, bytes_text("."));
        buf_put(&whole, action);
        buf_put(&whole, bytes_text(STATEMENT_TYPE_SUFFIX));
        BUG_ON(!bytes_equal(buf_bytes(&whole), statement->content_type));
        buf_clear(&whole);
    }
}

/* protocol.md 2 in numbers that can't overflow. */
static void check_validity(const struct statement *statement, uint64_t now_ms)
{
    __int128 until = statement->valid_until, now = now_ms;
    __int128 iat = (__int128)statement->iat * 1000;
    __int128 earlier = iat < now ? iat : now;
    bool valid = now <= until && until <= earlier + VALIDITY_MAX_MS;
    BUG_ON(valid != (statement_validity_check(statement, now_ms, NULL) == OK));
}

static void check_entry(const struct statement *statement)
{
    struct buf entry = {0};
    struct statement again;
    statement_entry(&entry, statement);
    BUG_ON(statement_parse(&again, buf_bytes(&entry), NULL) != OK);
    check_same(statement, &again);
    buf_clear(&entry);
}

static void check_statement(const struct statement *statement, struct bytes input)
{
    const struct bytes parts[] = {statement->content_type, statement->kid, statement->iss,
                                  statement->sub,          statement->x5t, statement->nonce,
                                  statement->sign1.payload};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        BUG_ON(!lies_inside(parts[i], input));
    }
    check_entry(statement);
    if (!statement->foreign) {
        check_protected(statement);
        check_action(statement);
        check_validity(statement, statement->valid_until);
        check_validity(statement, statement->iat * 1000);
        check_validity(statement, get_u64(statement->nonce.at));
    }
}

static enum err parse(struct bytes in)
{
    struct statement statement;
    return statement_parse(&statement, in, NULL);
}

static void check_first(const struct statement *whole, enum err whole_err, struct bytes input)
{
    struct statement first, alone;
    struct bytes rest;
    enum err err = statement_parse_first(&first, input, &rest, NULL);
    if (whole_err == OK && !whole->foreign) {
        BUG_ON(err != OK || rest.len != 0);
        check_same(&first, whole);
    }
    if (err == OK) {
        struct bytes head = {input.at, input.len - rest.len};
        BUG_ON(first.foreign || rest.len >= input.len);
        BUG_ON(statement_parse(&alone, head, NULL) != OK);
        check_same(&first, &alone);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct statement statement;
    struct why why = {0};
    enum err err = statement_parse(&statement, input, &why);
    if (err == OK) {
        check_statement(&statement, input);
        check_whole_only(parse, input);
    }
    check_first(&statement, err, input);
    return 0;
}
