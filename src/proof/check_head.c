/* Who vouches for a head, what anchors it, and whether the trust file contradicts it. */
#include "base/clock.h"
#include "proof/checks.h"
#include "proof/receipt.h"

#include <string.h>

#define TEXT(bytes) (int)(bytes).len, (const char *)(bytes).at

struct time_text time_text(uint64_t time_ms)
{
    struct time_text text;
    clock_format(text.at, time_ms);
    return text;
}

void ledger_pass(struct verdict *out, const struct trust *trust, const struct header *head)
{
    uint64_t restarts = trust_restarts(trust, head->epoch);
    verdict_add(out, CHECK_LEDGER, OUTCOME_PASS,
                "The ledger is the one that the trust file of %.*s "
                "names.",
                TEXT(trust->name));
    if (restarts > 0) {
        verdict_add(out, CHECK_LEDGER, OUTCOME_NOT_COUNTED,
                    "Its operator restarted it %llu time%s after a loss. No verifier can tell an "
                    "honest restart from a chosen one.",
                    (unsigned long long)restarts, restarts == 1 ? "" : "s");
    }
}

/* What one receipt is worth. */
enum worth { WORTH_FALSE, WORTH_UNKNOWN, WORTH_GOOD };

static enum worth receipt_worth(struct verdict *out, const struct trust_regime *regime,
                                const struct head_evidence *evidence, struct bytes encoded,
                                const struct receipt_key **by)
{
    struct receipt receipt;
    struct why why = {0};
    struct place place = header_place(evidence->head);
    enum err err = receipt_parse(&receipt, encoded);
    if (err != OK) {
        verdict_fail_why(out, CHECK_RECEIPT, "A receipt is malformed", err, &why);
        return WORTH_FALSE;
    }
    const struct receipt_key *key = regime_key(regime, &receipt.kid, place);
    if (key == NULL) {
        return WORTH_UNKNOWN;
    }
    if (!receipt_key_covers(key, place)) {
        verdict_add(out, CHECK_RECEIPT, OUTCOME_FAIL,
                    "The receipt of node %.*s is by a key that is not listed for this head.",
                    TEXT(key->node));
        return WORTH_FALSE;
    }
    if (!bytes_equal(receipt.iss, key->node)) {
        verdict_add(out, CHECK_RECEIPT, OUTCOME_FAIL,
                    "A receipt names node %.*s, but its key is listed for node %.*s.",
                    TEXT(receipt.iss), TEXT(key->node));
        return WORTH_FALSE;
    }
    err = receipt_check(&receipt, evidence->head, key->key, evidence->leaf, &why);
    if (err != OK) {
        verdict_fail_why(out, CHECK_RECEIPT, "A receipt under a listed key is false", err, &why);
        return WORTH_FALSE;
    }
    verdict_add(out, CHECK_RECEIPT, OUTCOME_PASS, "Node %.*s acknowledged the head%s.",
                TEXT(key->node),
                key->status == KEY_IN_FORCE  ? ""
                : key->status == KEY_ROTATED ? " with a key that was rotated since"
                                             : " with a key that was stolen since");
    *by = key;
    return WORTH_GOOD;
}

static void receipts_check(struct verdict *out, const struct trust_regime *regime,
                           const struct head_evidence *evidence, struct head_finding *finding)
{
    size_t unknown = 0;
    for (size_t i = 0; i < evidence->receipt_count; i++) {
        const struct receipt_key *by = NULL;
        enum worth worth = receipt_worth(out, regime, evidence, evidence->receipts[i], &by);
        unknown += worth == WORTH_UNKNOWN;
        if (by && (finding->by == NULL || finding->by->status == KEY_STOLEN)) {
            finding->by = by;
        }
    }
    if (unknown > 0) {
        verdict_add(out, CHECK_RECEIPT, OUTCOME_NOT_COUNTED,
                    "%zu receipt%s by a key that the trust file does not list.", unknown,
                    unknown == 1 ? " is" : "s are");
    }
}

enum err commit_trusted(const struct commit *commit, const struct trust_regime *regime,
                        const struct header *header, const struct comet_range **range,
                        struct why *why)
{
    struct hash hash;
    header_hash(&hash, header);
    *range = regime_range(regime, commit->header.height);
    if (!bytes_equal(commit->header.chain, regime->comet_chain)) {
        return why_say(why, ERR_MISMATCH, "CometBFT chain id", NULL, "is not the listed one", NULL);
    }
    if (!bytes_equal(commit->header.hashes[COMET_APP], hash_bytes(&hash))) {
        return why_say(why, ERR_MISMATCH, "app hash", NULL, "is not the header's hash", NULL);
    }
    if (*range == NULL) {
        return why_sayf(why, ERR_NOT_FOUND, "CometBFT height", "has no listed validator set", NULL,
                        "%llu", (unsigned long long)commit->header.height);
    }
    return commit_check(commit, &(*range)->set, why);
}

static void comet_check(struct verdict *out, const struct trust_regime *regime,
                        const struct head_evidence *evidence, struct head_finding *finding)
{
    struct why why = {0};
    const struct comet_range *range;
    if (evidence->commit == NULL) {
        verdict_add(out, CHECK_COMMIT, OUTCOME_FAIL,
                    "The commit of the validators, which this head requires, is missing.");
        return;
    }
    enum err err = commit_trusted(evidence->commit, regime, evidence->head, &range, &why);
    if (err != OK) {
        verdict_fail_why(out, CHECK_COMMIT, "The commit does not hold", err, &why);
        return;
    }
    finding->commit_good = true;
    finding->rests_on_set = true;
    finding->needs_anchor = range->has_to;
    finding->has_ended = range->has_ended;
    finding->ended_ms = range->ended_ms;
    verdict_add(out, CHECK_COMMIT, OUTCOME_PASS,
                "More than two thirds of the validators listed for CometBFT height %llu signed the "
                "head.",
                (unsigned long long)evidence->commit->header.height);
}

void head_vouched_check(struct verdict *out, const struct trust *trust,
                        const struct head_evidence *evidence, struct head_finding *finding)
{
    const struct trust_regime *regime = trust_regime(trust, evidence->head->height);
    *finding = (struct head_finding){0};
    receipts_check(out, regime, evidence, finding);
    if (regime->comet) {
        comet_check(out, regime, evidence, finding);
        return;
    }
    if (evidence->commit) {
        verdict_add(out, CHECK_COMMIT, OUTCOME_NOT_COUNTED,
                    "The head is of one operator's ledger; no validator set is listed for it.");
    }
    if (finding->by) {
        finding->needs_anchor = finding->by->status == KEY_STOLEN;
        finding->has_ended = finding->by->has_ended;
        finding->ended_ms = finding->by->ended_ms;
    } else if (!verdict_fails(out, CHECK_RECEIPT)) {
        verdict_add(out, CHECK_RECEIPT, OUTCOME_FAIL,
                    "A receipt by a key that the trust file lists, which this head requires, is "
                    "missing.");
    }
}

bool history_holds(const struct header *header, const struct path *path, const struct header *later)
{
    struct hash hash;
    struct hash leaf;
    struct hash root;
    header_hash(&hash, header);
    leaf_hash(&leaf, hash_bytes(&hash));
    return path_root(&root, &leaf, header->height, later->height, path->at, path->count) == OK &&
           hash_equal(&root, &later->history_root);
}

/* The token over the anchor's header; true if it shows the head to be older than the end of the key
 * or set it rests on. */
static bool anchor_token_check(struct verdict *out, const struct trust *trust,
                               const struct head_evidence *evidence,
                               const struct head_finding *finding)
{
    struct token token = token_check(evidence->anchor_token, evidence->anchor_bytes,
                                     trust->authorities, trust->authority_count);
    switch (token.state) {
    case TOKEN_MALFORMED:
        verdict_add(out, CHECK_TOKEN, OUTCOME_FAIL, "The anchor's time-stamp token is malformed.");
        return false;
    case TOKEN_WRONG:
        verdict_add(out, CHECK_TOKEN, OUTCOME_FAIL,
                    "The anchor's time-stamp token is false, or over something else.");
        return false;
    case TOKEN_UNKNOWN:
        verdict_add(out, CHECK_TOKEN, OUTCOME_NOT_COUNTED,
                    "The anchor's time-stamp token is by an authority that the trust file does not "
                    "list.");
        return false;
    case TOKEN_GOOD:
        break;
    }
    verdict_add(out, CHECK_TOKEN, OUTCOME_PASS,
                "A listed authority stamped the later head of height %llu at %s.",
                (unsigned long long)evidence->anchor->height, time_text(token.time_ms).at);
    return finding->has_ended && token.time_ms < finding->ended_ms;
}

/* Whether part 10 anchors the head. */
static bool anchor_part_check(struct verdict *out, const struct trust *trust,
                              const struct head_evidence *evidence,
                              const struct head_finding *finding)
{
    unsigned long long height = evidence->anchor->height;
    bool stamped = false;
    if (evidence->has_anchor_token) {
        stamped = anchor_token_check(out, trust, evidence, finding);
    }
    if (!hash_equal(&evidence->anchor->chain, &trust->chain) ||
        !history_holds(evidence->head, evidence->anchor_path, evidence->anchor)) {
        verdict_add(out, CHECK_ANCHOR, OUTCOME_FAIL,
                    "The head does not lie under the later head of height %llu.", height);
        return false;
    }
    if (trust_lists(trust, evidence->anchor) && !header_is_lost(trust, evidence->anchor)) {
        verdict_add(
            out, CHECK_ANCHOR, OUTCOME_PASS,
            "The head lies under the later head of height %llu, which the trust file lists.",
            height);
        return true;
    }
    if (stamped) {
        verdict_add(out, CHECK_ANCHOR, OUTCOME_PASS,
                    "The head lies under a later head that was stamped before the %s it rests on "
                    "ended.",
                    finding->rests_on_set ? "validator set" : "key");
        return true;
    }
    verdict_add(out, CHECK_ANCHOR, OUTCOME_NOT_COUNTED,
                "The later head of height %llu is not in the trust file.", height);
    return false;
}

void anchor_check(struct verdict *out, const struct trust *trust,
                  const struct head_evidence *evidence, const struct head_finding *finding)
{
    bool anchored = trust_lists(trust, evidence->head) && !header_is_lost(trust, evidence->head);
    if (anchored) {
        verdict_add(out, CHECK_ANCHOR, OUTCOME_PASS, "The trust file lists this head.");
    }
    if (evidence->anchor) {
        anchored = anchor_part_check(out, trust, evidence, finding) || anchored;
    }
    if (anchored || (finding->by == NULL && !finding->commit_good)) {
        return;
    }
    if (finding->needs_anchor) {
        verdict_add(out, CHECK_ANCHOR, OUTCOME_FAIL,
                    "The head is not anchored, and it rests on %s.",
                    finding->rests_on_set ? "a former validator set" : "a stolen key");
    } else if (finding->rests_on_set) {
        verdict_add(out, CHECK_ANCHOR, OUTCOME_NOT_COUNTED,
                    "Not anchored: rests on the keys of the validators having stayed secret until "
                    "today.");
    } else if (finding->by) {
        verdict_add(out, CHECK_ANCHOR, OUTCOME_NOT_COUNTED,
                    "Not anchored: rests on the receipt key of %.*s having stayed secret until "
                    "today.",
                    TEXT(finding->by->node));
    }
}

/* Whether the trust file shows that a restart has replaced this height: a key that may have signed
 * it is listed, and a key of a later epoch begins at or below it. */
static bool height_replaced(const struct trust *trust, struct place place)
{
    bool began = false;
    bool replaced = false;
    for (size_t i = 0; i < trust->regime_count; i++) {
        for (size_t k = 0; k < trust->regimes[i].key_count; k++) {
            struct place from = trust->regimes[i].keys[k].from;
            began = began || place_compare(from, place) <= 0;
            replaced = replaced || (from.epoch > place.epoch && from.height <= place.height);
        }
    }
    return began && replaced;
}

/* A head is lost if it is listed as lost, or if it belongs to an epoch that ended below it: nobody
 * need have told this trust file of every head that was lost. */
bool header_is_lost(const struct trust *trust, const struct header *header)
{
    struct place place = header_place(header);
    const struct head *listed = trust_head(trust, place);
    return (listed && listed->lost && trust_lists(trust, header)) || height_replaced(trust, place);
}

void lost_check(struct verdict *out, const struct trust *trust, const struct header *head,
                const struct head_finding *finding)
{
    if (!header_is_lost(trust, head)) {
        return;
    }
    const char *who = finding->by ? (const char *)finding->by->node.at : "nobody listed";
    size_t len = finding->by ? finding->by->node.len : strlen(who);
    bool ended = finding->by && finding->by->has_ended;
    verdict_add(
        out, CHECK_LOST, OUTCOME_FAIL,
        "Acknowledged by %.*s at height %llu of epoch %llu, declared lost%s%s. The proof is "
        "evidence against the operator.",
        (int)len, who, (unsigned long long)head->height, (unsigned long long)head->epoch,
        ended ? " at " : "", ended ? time_text(finding->by->ended_ms).at : "");
}

/* Whether of a listed head and a header at another place the later has the longer log, or the same
 * one: a block may bring no entry. `order` is the head's place compared with the header's. */
static bool grows(const struct head *head, int order, const struct header *header)
{
    return head->size == header->tree_size ? hash_equal(&head->root, &header->tree_root)
                                           : (order < 0) == (head->size < header->tree_size);
}

void fork_check(struct verdict *out, const struct trust *trust, const struct header *header,
                const char *what)
{
    struct place place = header_place(header);
    const struct head *same = trust_head(trust, place);
    if (same && !trust_lists(trust, header)) {
        verdict_add(
            out, CHECK_FORK, OUTCOME_FAIL,
            "The trust file lists another header for the height %llu of the %s: there are two "
            "histories.",
            (unsigned long long)place.height, what);
        return;
    }
    if (header_is_lost(trust, header)) {
        return;
    }
    for (size_t i = 0; i < trust->head_count; i++) {
        const struct head *head = &trust->heads[i];
        int order = place_compare(head->place, place);
        if (head->lost || order == 0 || grows(head, order, header)) {
            continue;
        }
        verdict_add(
            out, CHECK_FORK, OUTCOME_FAIL,
            "The listed head of height %llu has a log of %llu entries, the %s of height %llu "
            "has %llu%s: there are two histories.",
            (unsigned long long)head->place.height, (unsigned long long)head->size, what,
            (unsigned long long)place.height, (unsigned long long)header->tree_size,
            head->size == header->tree_size ? " others" : "");
        return;
    }
}
