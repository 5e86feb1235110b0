/* Whether fork evidence accuses: what was signed, by whose key, and whether it still says something
 * of its holder after the key has ended. */
#include "codec/text.h"
#include "proof/checks.h"
#include "proof/fork.h"
#include "proof/note.h"
#include "proof/receipt.h"

#include <string.h>

#define TEXT(bytes) (int)(bytes).len, (const char *)(bytes).at

/* The earliest time at which one side was surely there. */
struct dated {
    bool known;
    uint64_t time_ms;
};

static void dated_take(struct dated *dated, uint64_t time_ms)
{
    if (!dated->known || time_ms < dated->time_ms) {
        *dated = (struct dated){true, time_ms};
    }
}

static void token_date(struct verdict *out, const struct trust *trust, const struct fork_side *side,
                       struct bytes stamped, struct dated *dated)
{
    if (!side->has_token) {
        return;
    }
    struct token token =
        token_check(side->token, stamped, trust->authorities, trust->authority_count);
    switch (token.state) {
    case TOKEN_MALFORMED:
    case TOKEN_WRONG:
        verdict_add(out, CHECK_TOKEN, OUTCOME_FAIL,
                    "A time-stamp token is malformed, false, or over something else.");
        break;
    case TOKEN_UNKNOWN:
        verdict_add(out, CHECK_TOKEN, OUTCOME_NOT_COUNTED,
                    "A time-stamp token is by an authority that the trust file does not list.");
        break;
    case TOKEN_GOOD:
        verdict_add(out, CHECK_TOKEN, OUTCOME_PASS, "A listed authority saw one of the two at %s.",
                    time_text(token.time_ms).at);
        dated_take(dated, token.time_ms);
        break;
    }
}

static bool both_before(const struct dated dated[2], uint64_t time_ms)
{
    return dated[0].known && dated[1].known && dated[0].time_ms < time_ms &&
           dated[1].time_ms < time_ms;
}

/* ---- two heads */

/* Whether what the key signed still accuses its node. */
static void holder_check(struct verdict *out, const struct receipt_key *key, struct place place,
                         const struct dated dated[2])
{
    if (key->status == KEY_IN_FORCE && receipt_key_covers(key, place)) {
        verdict_add(out, CHECK_KEY, OUTCOME_PASS,
                    "The receipt key is that of node %.*s. The accusation rests on it having "
                    "stayed secret until today.",
                    TEXT(key->node));
    } else if (place_compare(place, key->from) < 0) {
        verdict_add(out, CHECK_KEY, OUTCOME_FAIL,
                    "The receipt key of node %.*s began after this head.", TEXT(key->node));
    } else if (key->has_ended && both_before(dated, key->ended_ms)) {
        verdict_add(out, CHECK_KEY, OUTCOME_PASS,
                    "The receipt key of node %.*s ended at %s, and both receipts are older.",
                    TEXT(key->node), time_text(key->ended_ms).at);
    } else {
        verdict_add(out, CHECK_KEY, OUTCOME_FAIL,
                    "The receipt key of node %.*s has ended (%s), and nothing shows that both "
                    "receipts are older than that: whoever has had the key since may have made "
                    "them.",
                    TEXT(key->node), key->status == KEY_STOLEN ? "stolen" : "rotated");
    }
}

static void listed_line(struct verdict *out, const struct trust *trust,
                        const struct header headers[2])
{
    for (size_t i = 0; i < 2; i++) {
        if (trust_lists(trust, &headers[i])) {
            verdict_add(out, CHECK_HEAD, OUTCOME_PASS,
                        "The trust file lists the %s of the two heads.",
                        i == 0 ? "first" : "second");
        }
    }
}

static void hashes_line(struct verdict *out, const struct receipt_key *key,
                        const struct header headers[2])
{
    char hex[2][2 * sizeof(struct hash) + 1];
    for (size_t i = 0; i < 2; i++) {
        struct hash hash;
        header_hash(&hash, &headers[i]);
        hex_write(hex[i], hash_bytes(&hash));
    }
    verdict_add(out, CHECK_FORK, OUTCOME_PASS,
                "Node %.*s acknowledged two different heads of height %llu, epoch %llu: %s and %s.",
                TEXT(key->node), (unsigned long long)headers[0].height,
                (unsigned long long)headers[0].epoch, hex[0], hex[1]);
}

/* The key that both receipts name, as the trust file lists it for this place, or NULL. */
static const struct receipt_key *signer_find(struct verdict *out, const struct trust *trust,
                                             const struct fork_evidence *evidence)
{
    struct receipt receipts[2];
    struct place place = header_place(&evidence->headers[0]);
    for (size_t i = 0; i < 2; i++) {
        struct why why = {0};
        enum err err = receipt_parse(&receipts[i], evidence->sides[i].receipt);
        if (err != OK) {
            verdict_fail_why(out, CHECK_RECEIPT, "A receipt is malformed", err, &why);
            return NULL;
        }
    }
    if (!hash_equal(&receipts[0].kid, &receipts[1].kid)) {
        verdict_add(out, CHECK_RECEIPT, OUTCOME_FAIL, "The two receipts are by two keys.");
        return NULL;
    }
    const struct receipt_key *key =
        regime_key(trust_regime(trust, place.height), &receipts[0].kid, place);
    if (key == NULL) {
        verdict_add(out, CHECK_RECEIPT, OUTCOME_FAIL,
                    "The receipts are by a key that the trust file does not list.");
    } else if (!bytes_equal(receipts[0].iss, key->node) ||
               !bytes_equal(receipts[1].iss, key->node)) {
        verdict_add(out, CHECK_RECEIPT, OUTCOME_FAIL,
                    "A receipt names another node than %.*s, for which its key is listed.",
                    TEXT(key->node));
        key = NULL;
    }
    return key;
}

static void heads_verify(struct verdict *out, const struct fork_evidence *evidence,
                         const struct trust *trust)
{
    struct why why = {0};
    struct dated dated[2] = {{0}};
    const struct receipt_key *key = signer_find(out, trust, evidence);
    if (key == NULL) {
        return;
    }
    enum err err = fork_heads_check(evidence->sides, key->key, &why);
    if (err != OK) {
        verdict_fail_why(out, CHECK_RECEIPT, "The two do not stand against each other", err, &why);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        const struct fork_side *side = &evidence->sides[i];
        token_date(out, trust, side, side->receipt, &dated[i]);
    }
    holder_check(out, key, header_place(&evidence->headers[0]), dated);
    listed_line(out, trust, evidence->headers);
    hashes_line(out, key, evidence->headers);
}

/* ---- two checkpoints */

/* A signed note, cut apart; ranges borrow. */
struct signed_note {
    struct bytes text; /* up to and with the newline of the last line */
    struct bytes origin;
    struct bytes size;
    struct bytes root;
    struct bytes lines; /* of signatures */
};

/* Cuts at the first empty line (C2SP signed-note has one). */
static bool note_cut(struct signed_note *out, struct bytes note)
{
    struct bytes rest = note;
    struct bytes line = note_next(&rest);
    out->origin = line;
    out->size = note_next(&rest);
    out->root = note_next(&rest);
    const uint8_t *end = rest.at;
    for (line = note_next(&rest); line.len > 0; line = note_next(&rest)) {
        end = rest.at;
    }
    out->text = (struct bytes){note.at, (size_t)(end - note.at)};
    out->lines = rest;
    return out->origin.len > 0 && out->size.len > 0 && out->root.len > 0 && rest.len > 0;
}

/* NAME/C/EPOCH of the trust file's ledger, EPOCH being any number. */
static bool origin_fits(struct bytes origin, const struct trust *trust)
{
    struct buf want = {0};
    struct header none = {.chain = trust->chain};
    checkpoint_origin(&want, trust->name, &none);
    size_t len = want.len - 1; /* without the epoch's digit */
    bool fits = origin.len > len && memcmp(origin.at, want.at, len) == 0;
    for (size_t i = len; fits && i < origin.len; i++) {
        fits = origin.at[i] >= '0' && origin.at[i] <= '9';
    }
    buf_clear(&want);
    return fits;
}

/* Whether the key's own line is there and true. */
static bool log_line_holds(const struct signed_note *note, const struct note_key *key)
{
    struct bytes lines = note->lines;
    bool holds = false;
    while (lines.len > 0 && !holds) {
        struct note_line line;
        if (note_line_parse(&line, note_next(&lines)) == OK && note_line_is_by(&line, key)) {
            holds = note_verify(&line, key, note->text) == OK;
        }
        buf_clear(&line.decoded);
    }
    return holds;
}

/* The cosignatures of listed witnesses in a note: when the checkpoint was there. A false line says
 * nothing, anybody can add one. */
static void witnesses_date(struct verdict *out, const struct trust *trust,
                           const struct signed_note *note, struct dated *dated)
{
    struct bytes lines = note->lines;
    while (lines.len > 0) {
        struct note_line line;
        struct note_key witness;
        uint64_t seconds;
        if (note_line_parse(&line, note_next(&lines)) == OK &&
            witness_find(&witness, trust, &line) &&
            cosignature_verify(&seconds, &line, &witness, note->text) == OK &&
            seconds < UINT64_MAX / 1000) {
            verdict_add(out, CHECK_RECEIPT, OUTCOME_PASS,
                        "Witness %.*s cosigned one of the two at %s.", TEXT(line.name),
                        time_text(seconds * 1000).at);
            dated_take(dated, seconds * 1000);
        }
        buf_clear(&line.decoded);
    }
}

static bool notes_stand_apart(struct verdict *out, const struct trust *trust,
                              const struct signed_note notes[2], const struct note_key *key)
{
    if (!bytes_equal(notes[0].origin, notes[1].origin) || !origin_fits(notes[0].origin, trust)) {
        verdict_add(out, CHECK_FORK, OUTCOME_FAIL,
                    "The checkpoints are not of one epoch of the ledger.");
        return false;
    }
    if (!bytes_equal(notes[0].size, notes[1].size) || bytes_equal(notes[0].root, notes[1].root)) {
        verdict_add(out, CHECK_FORK, OUTCOME_FAIL,
                    "The checkpoints are not two roots of one size.");
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        if (!log_line_holds(&notes[i], key)) {
            verdict_add(out, CHECK_RECEIPT, OUTCOME_FAIL,
                        "The %s checkpoint is not signed by the key.", i == 0 ? "first" : "second");
            return false;
        }
    }
    return true;
}

/* As holder_check: the state proof shows when the key was good. */
static void record_check(struct verdict *out, const struct key_record *record,
                         const struct header *head, const struct dated dated[2])
{
    struct time_text as_of = time_text(head->time_ms);
    if (record->has_until) {
        verdict_add(out, CHECK_KEY, OUTCOME_FAIL,
                    "The checkpoint key of node %.*s had ended by %s. Whoever has had the key "
                    "since may have signed; a proof of its record from before the end would "
                    "accuse.",
                    TEXT(record->member), as_of.at);
    } else if (both_before(dated, head->time_ms + 1)) {
        verdict_add(out, CHECK_KEY, OUTCOME_PASS,
                    "The checkpoint key of node %.*s was in force at %s, and both checkpoints are "
                    "not younger.",
                    TEXT(record->member), as_of.at);
    } else {
        verdict_add(out, CHECK_KEY, OUTCOME_PASS,
                    "The checkpoint key is that of node %.*s, in force at %s. The accusation rests "
                    "on it having stayed secret until today.",
                    TEXT(record->member), as_of.at);
    }
}

static void notes_judge(struct verdict *out, const struct fork_evidence *evidence,
                        const struct trust *trust, const struct key_record *record,
                        const struct pubkey *key)
{
    struct signed_note notes[2];
    struct note_key named;
    struct dated dated[2] = {{0}};
    if (!note_cut(&notes[0], evidence->sides[0].note) ||
        !note_cut(&notes[1], evidence->sides[1].note) ||
        note_key_of(&named, notes[0].origin, NOTE_ED25519, key) != OK) {
        verdict_add(out, CHECK_FORK, OUTCOME_FAIL, "A checkpoint is no signed note.");
        return;
    }
    if (!notes_stand_apart(out, trust, notes, &named)) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        const struct fork_side *side = &evidence->sides[i];
        token_date(out, trust, side, side->note, &dated[i]);
        witnesses_date(out, trust, &notes[i], &dated[i]);
    }
    record_check(out, record, &evidence->key_proof->head_header, dated);
    verdict_add(out, CHECK_FORK, OUTCOME_PASS,
                "Node %.*s signed two checkpoints of %.*s entries with different roots: %.*s and "
                "%.*s.",
                TEXT(record->member), TEXT(notes[0].size), TEXT(notes[0].root),
                TEXT(notes[1].root));
}

/* Whether the state proof is one of a checkpoint key's record. */
static bool key_proved(const struct state_proof *proof, const struct key_record *record,
                       const struct pubkey *key)
{
    struct buf state_key = {0};
    key_record_state_key(&state_key, pubkey_kid(key));
    bool proved = bytes_equal(proof->module, bytes_text("member")) &&
                  bytes_equal(proof->key, buf_bytes(&state_key)) &&
                  record->purpose == PURPOSE_CHECKPOINT;
    buf_clear(&state_key);
    return proved;
}

static void notes_verify(struct verdict *out, const struct fork_evidence *evidence,
                         const struct trust *trust)
{
    struct key_record record;
    struct pubkey *key;
    const struct state_proof *proof = evidence->key_proof;
    BUG_ON(proof == NULL); /* evidence of notes has one */
    if (!proof->present || key_record_parse(&record, &key, proof->value) != OK) {
        verdict_add(out, CHECK_KEY, OUTCOME_FAIL, "The state proof shows no key.");
        return;
    }
    if (key_proved(proof, &record, key)) {
        notes_judge(out, evidence, trust, &record, key);
    } else {
        verdict_add(out, CHECK_KEY, OUTCOME_FAIL,
                    "The state proof is not that of a checkpoint key's record.");
    }
    pubkey_free(key);
}

/* ---- either */

/* The ledger of a side that isn't the trust file's, or NULL. */
static const struct hash *other_ledger(const struct fork_evidence *evidence,
                                       const struct trust *trust)
{
    for (size_t i = 0; i < 2; i++) {
        const struct hash *chain = evidence->checkpoints ? &evidence->key_proof->head_header.chain
                                                         : &evidence->headers[i].chain;
        if (trust == NULL || !hash_equal(chain, &trust->chain)) {
            return chain;
        }
    }
    return NULL;
}

void fork_evidence_verify(struct verdict *out, const struct fork_evidence *evidence,
                          const struct trust *trust)
{
    const struct hash *other = other_ledger(evidence, trust);
    if (other) {
        char chain[2 * sizeof *other + 1];
        hex_write(chain, hash_bytes(other));
        verdict_ledger_fails(out,
                             trust ? "The evidence is of the ledger"
                                   : "No trust file was given, so nobody is accused. The evidence "
                                     "is of the ledger",
                             chain, trust ? ", not a ledger that you listed." : ".");
        return;
    }
    if (evidence->checkpoints) {
        state_proof_verify(out, evidence->key_proof, trust);
        notes_verify(out, evidence, trust);
    } else {
        ledger_pass(out, trust, &evidence->headers[0]);
        heads_verify(out, evidence, trust);
    }
    verdict_finish(out, "The accusation holds: the key signed two histories.",
                   "The accusation does not hold.");
}
