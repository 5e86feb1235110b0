#include "proof/fork.h"

#include "proof/receipt.h"

#include <stdlib.h>

#define MEMBERS    5 /* of either form, and one more with tokens */
#define FORM_NOTES 2u

bool fork_evidence_is(struct bytes in)
{
    unsigned members = in.len > 0 && in.at[0] >> 5 == 4 ? in.at[0] & 31u : 0;
    return members == MEMBERS || members == MEMBERS + 1;
}

static void heads_read(struct fork_evidence *out, struct cbor_reader *reader)
{
    for (size_t i = 0; i < 2; i++) {
        out->sides[i].header = cbor_bytes(reader, 1, HEADER_MAX);
        out->sides[i].receipt = cbor_bytes(reader, 1, RECEIPT_MAX);
    }
}

static void notes_read(struct fork_evidence *out, struct cbor_reader *reader)
{
    if (cbor_uint_max(reader, FORM_NOTES) != FORM_NOTES) {
        cbor_fail(reader, ERR_VERSION);
    }
    out->checkpoints = true;
    for (size_t i = 0; i < 2; i++) {
        out->sides[i].note = cbor_text(reader, 1, FORK_NOTE_MAX);
    }
    out->key = cbor_bytes(reader, 1, SIZE_MAX);
}

static void tokens_read(struct fork_evidence *out, struct cbor_reader *reader)
{
    cbor_array(reader, 2, 2);
    for (size_t i = 0; i < 2; i++) {
        struct fork_side *side = &out->sides[i];
        side->has_token = !cbor_null(reader);
        if (side->has_token) {
            side->token = cbor_bytes(reader, 0, SIZE_MAX);
        }
    }
    /* Two nulls say nothing and would be a second encoding of the same. */
    if (!out->sides[0].has_token && !out->sides[1].has_token) {
        cbor_fail(reader, ERR_FORMAT);
    }
}

static enum err parts_parse(struct fork_evidence *evidence, struct why *why)
{
    if (evidence->checkpoints) {
        return state_proof_parse(&evidence->key_proof, evidence->key, why);
    }
    for (size_t i = 0; i < 2; i++) {
        enum err err = header_parse(&evidence->headers[i], evidence->sides[i].header);
        if (err != OK) {
            return why_say(why, err, "header", NULL, NULL, NULL);
        }
    }
    return OK;
}

enum err fork_evidence_parse(struct fork_evidence **out, struct bytes in, struct why *why)
{
    struct cbor_reader reader;
    *out = NULL;
    if (in.len > FORK_MAX) {
        return why_say(why, ERR_RANGE, "fork evidence", NULL, "has more than 1 MiB", NULL);
    }
    struct fork_evidence *evidence = mem_zalloc(sizeof *evidence);
    cbor_init(&reader, arena_copy(&evidence->arena, in));
    size_t members = cbor_array(&reader, MEMBERS, MEMBERS + 1);
    cbor_version(&reader, 1);
    if (cbor_peek(&reader) == CBOR_BYTES) {
        heads_read(evidence, &reader);
    } else {
        notes_read(evidence, &reader);
    }
    if (members > MEMBERS) {
        tokens_read(evidence, &reader);
    }
    enum err err = cbor_end(&reader);
    err = err == OK ? parts_parse(evidence, why)
                    : why_say(why, err, "fork evidence", NULL, NULL, NULL);
    if (err != OK) {
        fork_evidence_free(evidence);
        return err;
    }
    *out = evidence;
    return OK;
}

void fork_evidence_free(struct fork_evidence *evidence)
{
    if (evidence) {
        state_proof_free(evidence->key_proof);
        arena_clear(&evidence->arena);
        free(evidence);
    }
}

static void tokens_write(struct buf *out, const struct fork_evidence *evidence)
{
    cbor_put_array(out, 2);
    for (size_t i = 0; i < 2; i++) {
        if (evidence->sides[i].has_token) {
            cbor_put_bytes(out, evidence->sides[i].token);
        } else {
            cbor_put_null(out);
        }
    }
}

void fork_evidence_write(struct buf *out, const struct fork_evidence *evidence)
{
    const struct fork_side *sides = evidence->sides;
    bool tokens = sides[0].has_token || sides[1].has_token;
    cbor_put_array(out, MEMBERS + (tokens ? 1u : 0u));
    cbor_put_uint(out, 1);
    if (evidence->checkpoints) {
        cbor_put_uint(out, FORM_NOTES);
        cbor_put_text(out, sides[0].note);
        cbor_put_text(out, sides[1].note);
        cbor_put_bytes(out, evidence->key);
    } else {
        for (size_t i = 0; i < 2; i++) {
            cbor_put_bytes(out, sides[i].header);
            cbor_put_bytes(out, sides[i].receipt);
        }
    }
    if (tokens) {
        tokens_write(out, evidence);
    }
}

static enum err places_check(const struct header headers[2], struct why *why)
{
    struct hash hashes[2];
    for (size_t i = 0; i < 2; i++) {
        header_hash(&hashes[i], &headers[i]);
    }
    if (!hash_equal(&headers[0].chain, &headers[1].chain)) {
        return why_say(why, ERR_MISMATCH, "headers", NULL, "are of two ledgers", NULL);
    }
    if (place_compare(header_place(&headers[0]), header_place(&headers[1])) != 0) {
        return why_say(why, ERR_MISMATCH, "headers", NULL, "are not of one epoch and height", NULL);
    }
    return hash_equal(&hashes[0], &hashes[1])
               ? why_say(why, ERR_MISMATCH, "headers", NULL, "are one and the same", NULL)
               : OK;
}

enum err fork_heads_check(const struct fork_side sides[2], const struct pubkey *key,
                          struct why *why)
{
    struct header headers[2];
    for (size_t i = 0; i < 2; i++) {
        enum err err = header_parse(&headers[i], sides[i].header);
        if (err != OK) {
            return why_say(why, err, "header", NULL, NULL, NULL);
        }
    }
    TRY(places_check(headers, why));
    for (size_t i = 0; i < 2; i++) {
        struct receipt receipt;
        enum err err = receipt_parse(&receipt, sides[i].receipt);
        if (err != OK) {
            return why_say(why, err, "receipt", NULL, NULL, NULL);
        }
        TRY(receipt_check(&receipt, &headers[i], key, NULL, why));
    }
    return OK;
}
