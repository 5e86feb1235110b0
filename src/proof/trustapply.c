/* Applies a trust update: nothing enters a trust file that isn't vouched for by what it holds. */
#include "proof/checks.h"
#include "proof/protected.h"
#include "proof/receipt.h"
#include "proof/restart.h"
#include "proof/trustupdate.h"

#include "codec/text.h"

#include <string.h>

#define ROTATE_TYPE "application/vnd.cairn.member.rotate+cbor"

/* Appends one element of `size` to an array that trust_parse made and returns where it is now. */
static void *array_grow(struct arena *arena, void *array, size_t *count, size_t size)
{
    size_t room = trust_room(*count + 1);
    if (room > trust_room(*count)) {
        void *grown = arena_array(arena, room, size);
        memcpy(grown, array, *count * size);
        array = grown;
    }
    (*count)++;
    return array;
}

static enum err head_add(struct trust *trust, const struct header *header)
{
    if (trust->head_count == TRUST_HEADS_MAX) {
        return ERR_RANGE;
    }
    struct head head = {
        .place = header_place(header),
        .size = header->tree_size,
        .root = header->tree_root,
    };
    header_hash(&head.hash, header);
    trust->heads = array_grow(&trust->arena, trust->heads, &trust->head_count, sizeof head);
    trust->heads[trust->head_count - 1] = head;
    return OK;
}

/* The known head lies under the step's header, and the log only grew. */
static enum err growth_check(const struct trust_step *step, const struct head *known,
                             struct why *why)
{
    struct hash leaf;
    struct hash root;
    const struct header *header = &step->header;
    if (known == NULL) {
        return OK;
    }
    leaf_hash(&leaf, hash_bytes(&known->hash));
    if (path_root(&root, &leaf, known->place.height, header->height, step->history.at,
                  step->history.count) != OK ||
        !hash_equal(&root, &header->history_root)) {
        return why_sayf(why, ERR_MISMATCH, "history",
                        "does not lead from the newest head you know to this one", NULL, "%llu",
                        (unsigned long long)header->height);
    }
    if (consistency_check(known->size, &known->root, header->tree_size, &header->tree_root,
                          step->consistency.at, step->consistency.count) != OK) {
        return why_sayf(why, ERR_MISMATCH, "log", "did not grow out of the one you know", NULL,
                        "%llu entries", (unsigned long long)header->tree_size);
    }
    return OK;
}

/* At least one good receipt by a listed key that isn't stolen, and no false one by any listed key.
 */
static enum err receipts_judge(const struct trust *trust, const struct trust_step *step,
                               struct why *why)
{
    const struct trust_regime *regime = trust_regime(trust, step->header.height);
    struct place place = header_place(&step->header);
    bool good = false;
    for (size_t i = 0; i < step->receipt_count; i++) {
        struct receipt receipt;
        enum err err = receipt_parse(&receipt, step->receipts[i]);
        if (err != OK) {
            return why_say(why, err, "receipt", NULL, NULL, NULL);
        }
        const struct receipt_key *key = regime_key(regime, &receipt.kid, place);
        if (key == NULL) {
            continue;
        }
        if (!receipt_key_covers(key, place) || !bytes_equal(receipt.iss, key->node)) {
            return why_say(why, ERR_SIGNATURE, "receipt", NULL, "is not of a listed node and range",
                           NULL);
        }
        TRY(receipt_check(&receipt, &step->header, key->key, NULL, why));
        good = good || key->status != KEY_STOLEN;
    }
    return good ? OK
                : why_say(why, ERR_SIGNATURE, "receipt", NULL, "of a key that you list is missing",
                          NULL);
}

/* A commit by the listed set, which may name the next one; that answers from one height later. */
static enum err commit_judge(struct trust *trust, const struct trust_step *step, struct why *why)
{
    const struct comet_range *range;
    struct hash next;
    size_t index = 0;
    while (&trust->regimes[index] != trust_regime(trust, step->header.height)) {
        index++;
    }
    struct trust_regime *regime = &trust->regimes[index];
    const struct commit *commit = &step->commit_decoded;
    if (step->commit.len == 0) {
        return why_say(why, ERR_SIGNATURE, "commit", NULL, "is missing", NULL);
    }
    TRY(commit_trusted(commit, regime, &step->header, &range, why));
    if (range->has_to) {
        return why_say(why, ERR_SIGNATURE, "commit", NULL, "is by a former validator set", NULL);
    }
    validators_hash(&next, step->has_next ? &step->next : &range->set);
    if (!bytes_equal(commit->header.hashes[COMET_NEXT_VALIDATORS], hash_bytes(&next))) {
        return why_say(why, ERR_MISMATCH, "next validators", NULL, "are not those of the commit",
                       NULL);
    }
    if (!step->has_next) {
        return OK;
    }
    if (validators_equal(&step->next, &range->set)) {
        /* Else anybody could make a former set of the one in force. */
        return why_say(why, ERR_MISMATCH, "next validators", NULL, "are those there are", NULL);
    }
    if (regime->range_count == TRUST_RANGES_MAX) {
        return why_say(why, ERR_RANGE, "next validators", NULL, "are one set too many", NULL);
    }
    regime->ranges =
        array_grow(&trust->arena, regime->ranges, &regime->range_count, sizeof *regime->ranges);
    struct comet_range *last = &regime->ranges[regime->range_count - 2];
    last->has_to = true;
    last->to = commit->header.height;
    last->has_ended = true;
    last->ended_ms = comet_time_ms(&commit->header.time);
    last[1] = (struct comet_range){.from = commit->header.height + 1, .set = step->next};
    return OK;
}

static bool stated_holds(const struct stated *stated, const struct pubkey *key,
                         const struct header *header)
{
    struct buf state_key = {0};
    struct hash key_hash;
    struct hash root;
    key_record_state_key(&state_key, pubkey_kid(key));
    state_key_hash(&key_hash, bytes_text("member"), buf_bytes(&state_key));
    buf_clear(&state_key);
    return state_presence_root(&root, &key_hash, stated->record, stated->siblings.at,
                               stated->siblings.count) == OK &&
           hash_equal(&root, &header->state_root);
}

/* An entry of the step's own block. */
static enum err logged_parse(struct statement *out, const struct logged *logged,
                             const struct header *header, struct why *why)
{
    struct hash leaf;
    struct hash root;
    TRY(statement_parse(out, logged->entry, why));
    leaf_hash(&leaf, logged->entry);
    if (out->foreign || out->sign1.unprotected.len != 1 || logged->index < header->first_index ||
        path_root(&root, &leaf, logged->index, header->tree_size, logged->path.at,
                  logged->path.count) != OK ||
        !hash_equal(&root, &header->tree_root)) {
        return why_say(why, ERR_MISMATCH, "entry", NULL, "is not one of the block", NULL);
    }
    return OK;
}

static enum err key_add(struct trust *trust, struct trust_regime *regime,
                        const struct key_record *record, const struct header *header,
                        struct why *why)
{
    struct hash kid;
    struct receipt_key key = {.spki = record->spki, .node = record->member};
    sha256(&kid, record->spki);
    if (regime_key(regime, &kid, header_place(header))) {
        return why_say(why, ERR_EXISTS, "key", NULL, "is listed already", NULL);
    }
    if (record->from < header->first_index || record->from >= header->tree_size ||
        regime->key_count == TRUST_KEYS_MAX) {
        return why_say(why, ERR_MISMATCH, "key", NULL, "was not registered in the step's block",
                       NULL);
    }
    key.from = header_place(header);
    TRY(pubkey_parse(&key.key, key.spki));
    regime->keys = array_grow(&trust->arena, regime->keys, &regime->key_count, sizeof key);
    regime->keys[regime->key_count - 1] = key;
    return OK;
}

/* Ends every open listing of a key. */
static bool key_end(struct trust_regime *regime, const struct hash *kid, struct receipt_key end)
{
    bool found = false;
    for (size_t i = 0; i < regime->key_count; i++) {
        struct receipt_key *key = &regime->keys[i];
        if (!key->has_to && hash_equal(pubkey_kid(key->key), kid)) {
            key->has_to = true;
            key->to = end.to;
            key->has_ended = true;
            key->ended_ms = end.ended_ms;
            key->status = end.status;
            found = true;
        }
    }
    return found;
}

static enum err key_ended(struct trust_regime *regime, const struct trust_key *change,
                          const struct key_record *record, const struct header *header,
                          struct why *why)
{
    struct statement statement;
    struct hash kid;
    if (change->ending.entry.len == 0 || change->ending.index + 1 != record->until) {
        return why_say(why, ERR_MISMATCH, "key", NULL, "lacks the entry that ended it", NULL);
    }
    TRY(logged_parse(&statement, &change->ending, header, why));
    bool rotated = bytes_equal(statement.content_type, bytes_text(ROTATE_TYPE));
    struct receipt_key end = {
        .to = header_place(header),
        .ended_ms = header->time_ms,
        .status = rotated ? KEY_ROTATED : KEY_STOLEN,
    };
    sha256(&kid, record->spki);
    return key_end(regime, &kid, end)
               ? OK
               : why_say(why, ERR_NOT_FOUND, "key", NULL, "that ended is not a listed one", NULL);
}

static enum err key_change_apply(struct trust *trust, struct trust_regime *regime,
                                 const struct trust_key *change, const struct header *header,
                                 struct why *why)
{
    struct key_record record;
    struct pubkey *key;
    struct bytes kept = arena_copy(&trust->arena, change->key.record);
    enum err err = key_record_parse(&record, &key, kept);
    if (err != OK) {
        return why_say(why, err, "key record", NULL, NULL, NULL);
    }
    bool stated = stated_holds(&change->key, key, header);
    pubkey_free(key);
    if (!stated || record.purpose != PURPOSE_RECEIPT || record.alg == ALG_WEBAUTHN) {
        return why_say(why, ERR_MISMATCH, "key record", NULL,
                       "is not that of a receipt key in the state", NULL);
    }
    return record.has_until ? key_ended(regime, change, &record, header, why)
                            : key_add(trust, regime, &record, header, why);
}

static enum err key_changes_apply(struct trust *trust, const struct trust_step *step,
                                  struct why *why)
{
    size_t index = 0;
    while (&trust->regimes[index] != trust_regime(trust, step->header.height)) {
        index++;
    }
    for (size_t i = 0; i < step->key_count; i++) {
        TRY(key_change_apply(trust, &trust->regimes[index], &step->keys[i], &step->header, why));
    }
    return OK;
}

/* The restart's entry: first of its block, signed by a key that stands in the state, and naming the
 * header that this block builds on. */
static enum err restart_entry_check(const struct trust_step *step, struct restart *restart,
                                    struct why *why)
{
    struct statement statement;
    struct key_record record;
    struct pubkey *key;
    const struct header *header = &step->header;
    const struct logged *entry = &step->restart.entry;
    TRY(logged_parse(&statement, entry, header, why));
    if (!bytes_equal(statement.content_type, bytes_text(RESTART_TYPE)) ||
        restart_parse(restart, statement.sign1.payload) != OK ||
        entry->index != header->first_index || header->height == 0 ||
        restart->height != header->height - 1 ||
        !hash_equal(&restart->header_hash, &header->previous)) {
        return why_say(why, ERR_MISMATCH, "restart", NULL, "does not begin the step's block", NULL);
    }
    enum err err = key_record_parse(&record, &key, step->restart.signer.record);
    if (err != OK) {
        return why_say(why, err, "key record", NULL, NULL, NULL);
    }
    err = stated_holds(&step->restart.signer, key, header)
              ? statement_verify(&statement, &record, key, why)
              : why_say(why, ERR_MISMATCH, "key record", NULL, "does not stand in the state", NULL);
    pubkey_free(key);
    TRY(err);
    return statement_key_check(&statement, &record, entry->index, why);
}

/* Marks heads above the restart as lost and returns the newest that is not above it. */
static const struct head *heads_part(struct trust *trust, const struct restart *restart,
                                     uint64_t *highest)
{
    const struct head *under = NULL;
    *highest = restart->height;
    for (size_t i = 0; i < trust->head_count; i++) {
        struct head *head = &trust->heads[i];
        if (head->place.height <= restart->height) {
            under = head->lost ? under : head;
            continue;
        }
        head->lost = true;
        *highest = head->place.height > *highest ? head->place.height : *highest;
    }
    return under;
}

static enum err restart_accepted(const struct header *header, const struct hash *accept,
                                 struct why *why)
{
    struct hash hash;
    char text[2 * sizeof hash.at + 1];
    header_hash(&hash, header);
    hex_write(text, hash_bytes(&hash));
    if (accept && hash_equal(accept, &hash)) {
        return OK;
    }
    return why_say(
        why, ERR_REFUSED, "restart", text, "was not accepted",
        "Ask the operator for this hash by another way, then pass --accept-restart HASH.");
}

static enum err restart_apply(struct trust *trust, const struct trust_step *step,
                              const struct hash *accept, struct why *why)
{
    struct restart restart = {0};
    uint64_t highest;
    const struct header *header = &step->header;
    if (trust_regime(trust, header->height)->comet ||
        header->epoch != trust_restarts(trust, 0) + 1) {
        return why_say(why, ERR_MISMATCH, "restart", NULL, "is not the next of one operator", NULL);
    }
    TRY(restart_accepted(header, accept, why));
    TRY(restart_entry_check(step, &restart, why));
    TRY(growth_check(step, heads_part(trust, &restart, &highest), why));
    size_t index = 0;
    while (&trust->regimes[index] != trust_regime(trust, header->height)) {
        index++;
    }
    const struct receipt_key end = {
        .to = {header->epoch - 1, highest},
        .ended_ms = header->time_ms,
        .status = KEY_ROTATED,
    };
    for (size_t i = 0; i < restart.ended_count; i++) {
        key_end(&trust->regimes[index], &restart.ended[i], end);
    }
    TRY(key_changes_apply(trust, step, why));
    return receipts_judge(trust, step, why);
}

static enum err ordinary_apply(struct trust *trust, const struct trust_step *step, struct why *why)
{
    const struct head *newest = trust_newest(trust);
    const struct header *header = &step->header;
    if (newest && (header->epoch != newest->place.epoch ||
                   place_compare(header_place(header), newest->place) <= 0)) {
        return why_sayf(why, ERR_MISMATCH, "head", "does not follow the newest head you know", NULL,
                        "%llu", (unsigned long long)header->height);
    }
    TRY(growth_check(step, newest, why));
    bool comet = trust_regime(trust, header->height)->comet;
    TRY(comet ? commit_judge(trust, step, why) : receipts_judge(trust, step, why));
    if (!comet && step->has_next) {
        return why_say(why, ERR_MISMATCH, "next validators", NULL, "stand in no consortium", NULL);
    }
    return key_changes_apply(trust, step, why);
}

static enum err step_apply(struct trust *trust, const struct trust_step *step,
                           const struct hash *accept, bool *changed, struct why *why)
{
    const struct head *same = trust_head(trust, header_place(&step->header));
    if (!hash_equal(&step->header.chain, &trust->chain)) {
        return why_say(why, ERR_MISMATCH, "chain id", NULL, "is another ledger's", NULL);
    }
    if (same && trust_lists(trust, &step->header)) {
        return OK;
    }
    if (same) {
        return why_sayf(why, ERR_MISMATCH, "fork", "is a second header of a height that you know",
                        "Keep both files: they are evidence.", "%llu",
                        (unsigned long long)step->header.height);
    }
    TRY(step->restart.entry.entry.len > 0 ? restart_apply(trust, step, accept, why)
                                          : ordinary_apply(trust, step, why));
    *changed = true;
    return head_add(trust, &step->header);
}

static enum err steps_apply(struct trust *trust, const struct trust_update *update,
                            const struct hash *accept, struct why *why)
{
    bool changed = false;
    if (!hash_equal(&update->chain, &trust->chain)) {
        return why_say(why, ERR_MISMATCH, "chain id", NULL, "is another ledger's", NULL);
    }
    for (size_t i = 0; i < update->step_count; i++) {
        TRY(step_apply(trust, &update->steps[i], accept, &changed, why));
    }
    return changed ? OK : why_say(why, ERR_EXISTS, "trust update", NULL, "holds nothing new", NULL);
}

enum err trust_update_apply(struct trust **out, const struct trust *old,
                            const struct trust_update *update, const struct hash *accept_restart,
                            struct why *why)
{
    struct buf bytes = {0};
    struct trust *working = NULL;
    *out = NULL;
    trust_write(&bytes, old);
    enum err err = trust_parse(&working, buf_bytes(&bytes), why);
    if (err == OK) {
        err = steps_apply(working, update, accept_restart, why);
    }
    if (err == OK) {
        /* Read back what was made, so that no update can leave a file that can't be read. */
        bytes.len = 0;
        trust_write(&bytes, working);
        err = trust_parse(out, buf_bytes(&bytes), why);
    }
    trust_free(working);
    buf_clear(&bytes);
    return err;
}
