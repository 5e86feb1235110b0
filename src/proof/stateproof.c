#include "proof/stateproof.h"

#include "codec/text.h"
#include "proof/checks.h"
#include "proof/diag.h"

#include <stdlib.h>

#define MEMBERS 8

bool state_proof_is(struct bytes in)
{
    return in.len > 0 && in.at[0] == (0x80 | MEMBERS);
}

/* [value, siblings] or [other leaf or null, siblings]. */
static void answer_read(struct state_proof *out, struct cbor_reader *reader)
{
    cbor_array(reader, 2, 2);
    out->present = cbor_peek(reader) == CBOR_BYTES;
    if (out->present) {
        out->value = cbor_bytes(reader, 1, STATE_VALUE_MAX);
    } else {
        out->has_other = !cbor_null(reader);
        if (out->has_other) {
            cbor_array(reader, 2, 2);
            out->other_key = cbor_hash(reader);
            out->other_value = cbor_hash(reader);
        }
    }
    siblings_read(reader, &out->siblings);
}

static void anchor_read(struct state_proof *out, struct cbor_reader *reader)
{
    if (cbor_null(reader)) {
        return;
    }
    cbor_array(reader, 3, 3);
    out->anchor = cbor_bytes(reader, 1, HEADER_MAX);
    path_read(reader, &out->anchor_path);
    out->has_anchor_token = !cbor_null(reader);
    if (out->has_anchor_token) {
        out->anchor_token = cbor_bytes(reader, 0, SIZE_MAX);
    }
}

static void file_read_parts(struct state_proof *out, struct cbor_reader *reader)
{
    cbor_array(reader, MEMBERS, MEMBERS);
    cbor_version(reader, 1);
    out->module = cbor_text(reader, 1, STATE_MODULE_MAX);
    out->key = cbor_bytes(reader, 1, STATE_KEY_MAX);
    answer_read(out, reader);
    out->head = cbor_bytes(reader, 1, HEADER_MAX);
    out->receipt_count = cbor_array(reader, 0, PROOF_RECEIPTS_MAX);
    for (size_t i = 0; i < out->receipt_count; i++) {
        out->receipts[i] = cbor_bytes(reader, 0, SIZE_MAX);
    }
    if (!cbor_null(reader)) {
        out->commit = cbor_item(reader);
    }
    anchor_read(out, reader);
}

/* The key is one encoded item. */
static enum err key_check(struct bytes key)
{
    struct cbor_reader reader;
    cbor_init(&reader, key);
    cbor_item(&reader);
    return cbor_end(&reader);
}

static enum err parts_parse(struct state_proof *proof, struct why *why)
{
    enum err err = key_check(proof->key);
    if (err != OK) {
        return why_say(why, err, "key", NULL, NULL, NULL);
    }
    err = header_parse(&proof->head_header, proof->head);
    if (err == OK && proof->anchor.len > 0) {
        err = header_parse(&proof->anchor_header, proof->anchor);
    }
    if (err != OK) {
        return why_say(why, err, "head", NULL, NULL, NULL);
    }
    if (proof->commit.len > 0) {
        err = commit_parse(&proof->commit_decoded, proof->commit, &proof->arena);
    }
    return err == OK ? OK : why_say(why, err, "commit", NULL, NULL, NULL);
}

enum err state_proof_parse(struct state_proof **out, struct bytes in, struct why *why)
{
    struct cbor_reader reader;
    *out = NULL;
    if (in.len > PROOF_MAX) {
        return why_say(why, ERR_RANGE, "state proof", NULL, "has more than 1 MiB", NULL);
    }
    struct state_proof *proof = mem_zalloc(sizeof *proof);
    cbor_init(&reader, arena_copy(&proof->arena, in));
    file_read_parts(proof, &reader);
    enum err err = cbor_end(&reader);
    if (err != OK) {
        why_say(why, err, "state proof", NULL, NULL, NULL);
    } else {
        err = parts_parse(proof, why);
    }
    if (err != OK) {
        state_proof_free(proof);
        return err;
    }
    *out = proof;
    return OK;
}

void state_proof_free(struct state_proof *proof)
{
    if (proof) {
        arena_clear(&proof->arena);
        free(proof);
    }
}

static void answer_write(struct buf *out, const struct state_proof *proof)
{
    cbor_put_array(out, 2);
    if (proof->present) {
        cbor_put_bytes(out, proof->value);
    } else if (proof->has_other) {
        cbor_put_array(out, 2);
        cbor_put_hash(out, &proof->other_key);
        cbor_put_hash(out, &proof->other_value);
    } else {
        cbor_put_null(out);
    }
    siblings_write(out, &proof->siblings);
}

void state_proof_write(struct buf *out, const struct state_proof *proof)
{
    cbor_put_array(out, MEMBERS);
    cbor_put_uint(out, 1);
    cbor_put_text(out, proof->module);
    cbor_put_bytes(out, proof->key);
    answer_write(out, proof);
    cbor_put_bytes(out, proof->head);
    cbor_put_array(out, proof->receipt_count);
    for (size_t i = 0; i < proof->receipt_count; i++) {
        cbor_put_bytes(out, proof->receipts[i]);
    }
    if (proof->commit.len > 0) {
        buf_put(out, proof->commit);
    } else {
        cbor_put_null(out);
    }
    if (proof->anchor.len == 0) {
        cbor_put_null(out);
        return;
    }
    cbor_put_array(out, 3);
    cbor_put_bytes(out, proof->anchor);
    path_write(out, &proof->anchor_path);
    if (proof->has_anchor_token) {
        cbor_put_bytes(out, proof->anchor_token);
    } else {
        cbor_put_null(out);
    }
}

static bool answer_holds(const struct state_proof *proof)
{
    struct hash key_hash;
    struct hash root;
    state_key_hash(&key_hash, proof->module, proof->key);
    enum err err =
        proof->present
            ? state_presence_root(&root, &key_hash, proof->value, proof->siblings.at,
                                  proof->siblings.count)
            : state_absence_root(&root, &key_hash, proof->has_other ? &proof->other_key : NULL,
                                 proof->has_other ? &proof->other_value : NULL, proof->siblings.at,
                                 proof->siblings.count);
    return err == OK && hash_equal(&root, &proof->head_header.state_root);
}

static void state_check(struct verdict *out, const struct state_proof *proof)
{
    struct buf key = {0};
    struct buf value = {0};
    const struct header *head = &proof->head_header;
    diag_put(&key, proof->key);
    diag_put(&value, proof->value);
    if (!answer_holds(proof)) {
        verdict_add(out, CHECK_STATE, OUTCOME_FAIL,
                    "The state under the head does not %s module %.*s, key %.*s.",
                    proof->present ? "hold this value of" : "lack", (int)proof->module.len,
                    (const char *)proof->module.at, (int)key.len, (const char *)key.at);
    } else if (proof->present) {
        verdict_add(out, CHECK_STATE, OUTCOME_PASS,
                    "As of height %llu, %s, module %.*s holds under key %.*s: %.*s",
                    (unsigned long long)head->height, time_text(head->time_ms).at,
                    (int)proof->module.len, (const char *)proof->module.at, (int)key.len,
                    (const char *)key.at, (int)value.len, (const char *)value.at);
    } else {
        verdict_add(out, CHECK_STATE, OUTCOME_PASS,
                    "As of height %llu, %s, module %.*s holds nothing under key %.*s.",
                    (unsigned long long)head->height, time_text(head->time_ms).at,
                    (int)proof->module.len, (const char *)proof->module.at, (int)key.len,
                    (const char *)key.at);
    }
    buf_clear(&key);
    buf_clear(&value);
}

/* A state proof answers for its head only. */
static void later_head_line(struct verdict *out, const struct trust *trust,
                            const struct header *head)
{
    const struct head *newest = trust_newest(trust);
    if (newest && place_compare(newest->place, header_place(head)) > 0) {
        verdict_add(out, CHECK_HEAD, OUTCOME_NOT_COUNTED,
                    "You know a later head, of height %llu: the state may have changed since.",
                    (unsigned long long)newest->place.height);
    }
}

void state_proof_verify(struct verdict *out, const struct state_proof *proof,
                        const struct trust *trust)
{
    char chain[2 * sizeof proof->head_header.chain.at + 1];
    struct head_finding finding;
    const struct header *head = &proof->head_header;
    hex_write(chain, hash_bytes(&head->chain));
    if (trust == NULL) {
        verdict_ledger_fails(
            out, "No trust file was given, so nothing is said to hold. The proof is of the ledger",
            chain, ".");
        return;
    }
    if (!hash_equal(&head->chain, &trust->chain)) {
        verdict_ledger_fails(out, "The proof is of the ledger", chain,
                             ", not a ledger that you listed.");
        return;
    }
    const struct head_evidence evidence = {
        .head = head,
        .receipt_count = proof->receipt_count,
        .receipts = proof->receipts,
        .commit = proof->commit.len > 0 ? &proof->commit_decoded : NULL,
        .anchor = proof->anchor.len > 0 ? &proof->anchor_header : NULL,
        .anchor_path = &proof->anchor_path,
        .has_anchor_token = proof->has_anchor_token,
        .anchor_token = proof->anchor_token,
        .anchor_bytes = proof->anchor,
    };
    ledger_pass(out, trust, head);
    state_check(out, proof);
    later_head_line(out, trust, head);
    head_vouched_check(out, trust, &evidence, &finding);
    anchor_check(out, trust, &evidence, &finding);
    fork_check(out, trust, head, "head");
    if (evidence.anchor) {
        fork_check(out, trust, evidence.anchor, "anchor");
    }
    lost_check(out, trust, head, &finding);
    verdict_finish(out, "The state was as the proof says, as of its head.",
                   "The proof of the state does not hold.");
}
