/* The entry and what it deposits, against the head: signature, key, term, item, file, place. */
#include "proof/checks.h"

#define TEXT(bytes) (int)(bytes).len, (const char *)(bytes).at

/* Whether the record stands in the state of the head. */
static bool record_proved(const struct proof *proof)
{
    struct buf key = {0};
    struct hash key_hash;
    struct hash root;
    key_record_state_key(&key, pubkey_kid(proof->key));
    state_key_hash(&key_hash, bytes_text("member"), buf_bytes(&key));
    buf_clear(&key);
    const struct siblings *path = &proof->file.record_path;
    return state_presence_root(&root, &key_hash, proof->file.record, path->at, path->count) == OK &&
           hash_equal(&root, &proof->head.state_root);
}

/* A record of another key can't say anything about the signature. */
static bool record_is_signers(const struct proof *proof)
{
    return proof->statement.foreign ||
           bytes_equal(proof->statement.kid, hash_bytes(pubkey_kid(proof->key)));
}

static void signature_check(struct verdict *out, const struct proof *proof)
{
    struct why why = {0};
    if (!record_is_signers(proof)) {
        verdict_add(out, CHECK_SIGNATURE, OUTCOME_NOT_COUNTED,
                    "The signature was not checked: the proof holds the record of another key.");
        return;
    }
    enum err err = statement_verify(&proof->statement, &proof->record, proof->key, &why);
    if (err != OK) {
        verdict_fail_why(out, CHECK_SIGNATURE, "The statement's signature does not hold", err,
                         &why);
        return;
    }
    verdict_add(out, CHECK_SIGNATURE, OUTCOME_PASS, "The statement is signed with an %s key%s.",
                alg_name(proof->record.alg),
                proof->statement.foreign ? ", by a tool that is not Cairn" : "");
}

static void key_check(struct verdict *out, const struct proof *proof)
{
    struct why why = {0};
    if (!record_proved(proof)) {
        verdict_add(out, CHECK_KEY, OUTCOME_FAIL,
                    "The key's record does not stand in the ledger's state under the head.");
        return;
    }
    enum err err = statement_key_check(&proof->statement, &proof->record, proof->file.index, &why);
    if (err != OK) {
        verdict_fail_why(out, CHECK_KEY, "The key may not sign this statement", err, &why);
        return;
    }
    verdict_add(out, CHECK_KEY, OUTCOME_PASS,
                "It is a key of member %.*s, in force at entry %llu of the log.",
                TEXT(proof->record.member), (unsigned long long)proof->file.index);
}

static void validity_check(struct verdict *out, const struct proof *proof)
{
    struct why why = {0};
    if (proof->statement.foreign) {
        verdict_add(out, CHECK_VALIDITY, OUTCOME_NOT_COUNTED,
                    "A statement of another tool names no term.");
        return;
    }
    enum err err = statement_validity_check(&proof->statement, proof->block.time_ms, &why);
    if (err != OK) {
        verdict_fail_why(out, CHECK_VALIDITY, "The statement was taken outside its term", err,
                         &why);
        return;
    }
    verdict_add(out, CHECK_VALIDITY, OUTCOME_PASS, "It was taken within its term.");
}

static void item_check(struct verdict *out, const struct proof *proof)
{
    struct hash leaf;
    struct hash root;
    const struct proof_file *file = &proof->file;
    if (!proof->is_deposit) {
        if (proof->has_item) {
            verdict_add(out, CHECK_ITEM, OUTCOME_FAIL,
                        "The proof holds an item, but the statement deposits none.");
        }
        return;
    }
    if (!proof->has_item) {
        verdict_add(out, CHECK_ITEM, OUTCOME_FAIL,
                    "The item, which a deposit requires, is missing.");
        return;
    }
    leaf_hash(&leaf, file->item);
    enum err err = path_root(&root, &leaf, file->number, proof->deposit.count, file->item_path.at,
                             file->item_path.count);
    if (err != OK || !hash_equal(&root, &proof->deposit.items_root)) {
        verdict_add(out, CHECK_ITEM, OUTCOME_FAIL,
                    "The item is not number %u of the %u that the statement deposits.",
                    file->number, proof->deposit.count);
        return;
    }
    verdict_add(out, CHECK_ITEM, OUTCOME_PASS,
                "The item is number %u of the %u that the statement deposits.", file->number,
                proof->deposit.count);
}

static void head_check(struct verdict *out, const struct proof *proof)
{
    uint64_t index = proof->file.index;
    if (index < proof->block.first_index || index >= proof->block.tree_size) {
        verdict_add(out, CHECK_HEAD, OUTCOME_FAIL,
                    proof->has_block ? "Entry %llu is not in the block that the proof names."
                                     : "Entry %llu is not in the head's own block, and the proof "
                                       "names no other.",
                    (unsigned long long)index);
        return;
    }
    verdict_add(out, CHECK_HEAD, OUTCOME_PASS,
                "Entry %llu is in block %llu; the head is that of height %llu, epoch %llu.",
                (unsigned long long)index, (unsigned long long)proof->block.height,
                (unsigned long long)proof->head.height, (unsigned long long)proof->head.epoch);
}

static void log_check(struct verdict *out, const struct proof *proof)
{
    struct hash root;
    const struct proof_file *file = &proof->file;
    enum err err = path_root(&root, &proof->leaf, file->index, proof->head.tree_size,
                             file->log_path.at, file->log_path.count);
    if (err != OK || !hash_equal(&root, &proof->head.tree_root)) {
        verdict_add(out, CHECK_LOG, OUTCOME_FAIL,
                    "The statement is not entry %llu of the log of %llu under the head.",
                    (unsigned long long)file->index, (unsigned long long)proof->head.tree_size);
        return;
    }
    verdict_add(out, CHECK_LOG, OUTCOME_PASS,
                "The statement is entry %llu of the log of %llu under the head.",
                (unsigned long long)file->index, (unsigned long long)proof->head.tree_size);
}

static void history_check(struct verdict *out, const struct proof *proof)
{
    if (!proof->has_block) {
        return;
    }
    if (!history_holds(&proof->block, &proof->file.block_path, &proof->head)) {
        verdict_add(out, CHECK_HISTORY, OUTCOME_FAIL,
                    "The entry's block does not lie under the head.");
        return;
    }
    verdict_add(out, CHECK_HISTORY, OUTCOME_PASS, "The entry's block lies under the head.");
}

void entry_checks(struct verdict *out, const struct proof *proof)
{
    signature_check(out, proof);
    key_check(out, proof);
    validity_check(out, proof);
    item_check(out, proof);
    log_check(out, proof);
    head_check(out, proof);
    history_check(out, proof);
}

/* [1, agent, actions, until]: the body of member.mandate as people want it printed. */
static bool mandate_terms(struct buf *out, struct bytes body)
{
    struct cbor_reader reader;
    struct buf actions = {0};
    cbor_init(&reader, body);
    cbor_array(&reader, 4, 4);
    cbor_version(&reader, 1);
    struct bytes agent = cbor_text(&reader, 1, MEMBER_ID_MAX);
    size_t count = cbor_array(&reader, 1, 64);
    for (size_t i = 0; i < count; i++) {
        struct bytes action = cbor_text(&reader, 1, 128);
        buf_put(&actions, bytes_text(i > 0 ? ", " : ""));
        buf_put(&actions, action);
    }
    uint64_t until = cbor_uint(&reader);
    bool readable = cbor_end(&reader) == OK;
    if (readable) {
        buf_put(out, bytes_text(": "));
        buf_put(out, agent);
        buf_put(out, bytes_text(" may send "));
        buf_put(out, buf_bytes(&actions));
        buf_put(out, bytes_text(" until "));
        buf_put(out, bytes_text(time_text(until).at));
    }
    buf_clear(&actions);
    return readable;
}

/* The mandate part against the statement that names it; NULL, or what is wrong. */
static const char *mandate_fault(const struct proof *proof, struct statement *mandate)
{
    struct hash id;
    struct hash leaf;
    struct hash root;
    const struct proof_file *file = &proof->file;
    if (!proof->statement.has_mandate) {
        return "The proof holds a mandate, but the statement names none.";
    }
    if (statement_parse(mandate, file->mandate, NULL) != OK || mandate->foreign ||
        mandate->sign1.unprotected.len != 1) {
        return "The mandate is malformed.";
    }
    statement_id(&id, mandate, NULL);
    if (!hash_equal(&id, &proof->statement.mandate)) {
        return "The mandate is another statement than the one named.";
    }
    leaf_hash(&leaf, file->mandate);
    if (path_root(&root, &leaf, file->mandate_index, proof->head.tree_size, file->mandate_path.at,
                  file->mandate_path.count) != OK ||
        !hash_equal(&root, &proof->head.tree_root)) {
        return "The mandate is not in the log under the head.";
    }
    return file->mandate_index < file->index ? NULL : "The mandate stands after the statement.";
}

void mandate_check(struct verdict *out, const struct proof *proof)
{
    struct statement mandate;
    struct buf terms = {0};
    if (proof->file.mandate.len == 0) {
        if (proof->statement.has_mandate) {
            verdict_add(out, CHECK_MANDATE, OUTCOME_NOT_COUNTED,
                        "The statement was made under a mandate, which the proof does not hold.");
        }
        return;
    }
    const char *fault = mandate_fault(proof, &mandate);
    if (fault) {
        verdict_add(out, CHECK_MANDATE, OUTCOME_FAIL, "%s", fault);
        return;
    }
    mandate_terms(&terms, mandate.sign1.payload);
    verdict_add(out, CHECK_MANDATE, OUTCOME_PASS,
                "It was made under a mandate of member %.*s, entry %llu of the log%.*s.",
                TEXT(mandate.iss), (unsigned long long)proof->file.mandate_index, (int)terms.len,
                terms.at ? (const char *)terms.at : "");
    buf_clear(&terms);
}
