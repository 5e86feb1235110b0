/* cairn resume: a ledger that lost acknowledged blocks begins a new epoch (protocol.md 5, Restart).
 *
 * What must change together is one block in the ledger (the restart, and the keys of the new epoch)
 * and three files (two keys that are not in tokens, the trust file). The files are written first,
 * as NAME.next; the block is committed; then they get their names. Whoever opens the folder next
 * finishes or undoes this by one question: is the next receipt key registered? */
#include "node/internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/random.h"
#include "modules/governance/governance.h"
#include "modules/member/member.h"
#include "modules/modules.h"
#include "proof/trust.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEXT              ".next"
#define RECEIPT_KID       "keys/receipt.kid"
#define RESUME_CACHE_LEN  ((size_t)64 << 20)
#define RESUME_VALID_MS   600000u
#define RESUME_STATEMENTS 3

struct resume {
    const struct node_resume_request *request;
    struct node node; /* lock, mark, store, ledger, trust file: closed as a node is */
    struct trust *trust;
    struct header head;
    struct hash head_hash;
    uint64_t known_height; /* the highest that anybody is known to have seen in this epoch */
    const struct signer *receipt;
    const struct signer *checkpoint;
    struct signer *made[2]; /* those of the two that were made here */
    size_t made_count;
    struct submission *submissions[RESUME_STATEMENTS];
};

/* ---- what is lost */

static enum err check_lost(struct resume *resume, struct why *why)
{
    struct mark_head marked;
    enum err err = mark_read(resume->node.mark, &marked);
    if (err == OK && marked.epoch == resume->head.epoch) {
        bool differs = marked.height == resume->head.height &&
                       !hash_equal(&marked.header_hash, &resume->head_hash);
        resume->known_height = marked.height + (differs ? 1 : 0);
    }
    for (size_t i = 0; i < resume->trust->head_count; i++) {
        const struct head *head = &resume->trust->heads[i];
        if (head->place.epoch == resume->head.epoch && head->place.height > resume->known_height) {
            resume->known_height = head->place.height;
        }
    }
    if (resume->known_height <= resume->head.height) {
        return why_say(why, ERR_REFUSED, "ledger", resume->request->dir, "has lost nothing",
                       "Start it with 'cairn run'.");
    }
    if (resume->request->lost_after != resume->head.height) {
        return why_sayf(why, ERR_MISMATCH, "--lost-after", "is not the last height that is left",
                        "Give the height that is left, if you accept that loss.",
                        "%llu (the ledger ends at %llu; %llu is known)",
                        (unsigned long long)resume->request->lost_after,
                        (unsigned long long)resume->head.height,
                        (unsigned long long)resume->known_height);
    }
    return OK;
}

static enum err open_ledger(struct resume *resume, struct why *why)
{
    struct node *node = &resume->node;
    struct store_options options = {.cache_len = RESUME_CACHE_LEN};
    enum store_health health;
    TRY(node_lock_folder(node, why));
    TRY(mark_open(&node->mark, node->dir, false, why));
    TRY(store_recover(&node->store, &health, node->dir, &options, NULL, why));
    TRY(ledger_open(&node->ledger, node->store, &modules_rules, why));
    TRY(node_read_genesis(node, why));
    TRY(node_load_trust(node, &resume->trust, why));
    struct view *view = node_view(node);
    resume->head = *view_header(view);
    resume->head_hash = *view_header_hash(view);
    view_release(view);
    return OK;
}

/* ---- the keys of the new epoch */

/* Gives NAME.next, where there is one, its name, or removes it. */
static enum err settle(const char *path, bool keep, struct why *why)
{
    size_t cap = strlen(path) + sizeof NEXT;
    char *next = mem_alloc(cap);
    snprintf(next, cap, "%s" NEXT, path);
    int failed = !file_exists(next) ? 0 : keep ? rename(next, path) : unlink(next);
    free(next);
    return failed ? why_say(why, ERR_IO, "file", path, "could not be replaced",
                            "Check the permissions of the folder.")
                  : OK;
}

static enum err next_file(struct resume *resume, const char *file, struct bytes bytes,
                          struct why *why)
{
    char name[64];
    snprintf(name, sizeof name, "%s" NEXT, file);
    char *path = path_join(resume->node.dir, name);
    enum err err = file_write(path, bytes, 0600, why);
    free(path);
    return err;
}

static enum err make_key(struct resume *resume, const char *file, const struct signer **out,
                         struct why *why)
{
    struct signer **made = &resume->made[resume->made_count++];
    struct buf pem = {0};
    enum err err = key_generate(&pem, ALG_ED25519, NULL);
    if (err == OK) {
        err = next_file(resume, file, buf_bytes(&pem), why);
    }
    if (err == OK) {
        err = signer_parse(made, buf_bytes(&pem), NULL);
    }
    wipe(pem.at, pem.len);
    buf_clear(&pem);
    *out = *made;
    return err;
}

/* Forgets what a resume that never came to its block left. */
static enum err clear_next(struct resume *resume, struct why *why)
{
    static const char *const files[] = {NODE_RECEIPT_KEY, NODE_CHECKPOINT_KEY, RECEIPT_KID};
    enum err err = OK;
    for (size_t i = 0; err == OK && i < sizeof files / sizeof files[0]; i++) {
        char *path = path_join(resume->node.dir, files[i]);
        err = settle(path, false, why);
        free(path);
    }
    return err;
}

/* Of a receipt key that is no file of ours, the kid is kept for whoever finishes this. */
static enum err next_keys(struct resume *resume, struct why *why)
{
    TRY(clear_next(resume, why));
    resume->receipt = resume->request->receipt_key;
    resume->checkpoint = resume->request->checkpoint_key;
    if (resume->receipt) {
        const struct hash *kid = pubkey_kid(signer_pubkey(resume->receipt));
        TRY(next_file(resume, RECEIPT_KID, hash_bytes(kid), why));
    } else {
        TRY(make_key(resume, NODE_RECEIPT_KEY, &resume->receipt, why));
    }
    return resume->checkpoint ? OK
                              : make_key(resume, NODE_CHECKPOINT_KEY, &resume->checkpoint, why);
}

/* ---- the block */

static enum err admit_statement(struct resume *resume, struct admit *admit, size_t number,
                                const char *type, const struct buf *payload)
{
    uint8_t nonce[16];
    random_bytes(nonce, sizeof nonce);
    uint64_t now = clock_wall_ms();
    struct draft draft = {.content_type = type,
                          .iss = bytes_text(NODE_OPERATOR_ID),
                          .sub = resume->node.ledger_name,
                          .iat = now / 1000,
                          .chain = resume->node.chain,
                          .valid_until = now + RESUME_VALID_MS,
                          .nonce16 = nonce,
                          .payload = buf_bytes(payload)};
    struct buf entry = {0};
    enum err err = statement_sign(&entry, &draft, resume->request->operator_key);
    struct admission admission = {.statement = buf_bytes(&entry)};
    if (err == OK) {
        admit_one(admit, &admission);
        err = admission.err;
        resume->submissions[number] = admission.out;
    }
    buf_clear(&entry);
    return err;
}

/* Ends the receipt and checkpoint keys of the node that are in force. */
static enum err restart_body(struct resume *resume, struct buf *payload)
{
    struct restart restart = {.height = resume->head.height,
                              .header_hash = resume->head_hash,
                              .reason = bytes_text(resume->request->reason)};
    struct buf bytes = {0};
    struct member_record *record = mem_alloc(sizeof *record);
    struct view *view = node_view(&resume->node);
    enum err err = node_member_record(view, bytes_text(NODE_ID), &bytes, record);
    for (size_t i = 0; err == OK && i < record->key_count; i++) {
        restart.ended[restart.ended_count++] = record->keys[i];
    }
    if (err == OK) {
        restart_write(payload, &restart);
    }
    view_release(view);
    buf_clear(&bytes);
    free(record);
    return err;
}

static enum err add_key_body(struct resume *resume, struct buf *payload, enum purpose purpose,
                             const struct signer *signer)
{
    struct buf request = {0};
    enum err err =
        possession_sign(&request, &resume->node.chain, bytes_text(NODE_ID), purpose, signer);
    if (err == OK) {
        struct member_add_key body = {.member = bytes_text(NODE_ID),
                                      .key = {.possession = buf_bytes(&request)}};
        member_add_key_write(payload, &body);
    }
    buf_clear(&request);
    return err;
}

static enum err admit_all(struct resume *resume, struct admit *admit)
{
    struct buf bodies[RESUME_STATEMENTS] = {{0}};
    enum err err = restart_body(resume, &bodies[0]);
    if (err == OK) {
        err = add_key_body(resume, &bodies[1], PURPOSE_RECEIPT, resume->receipt);
    }
    if (err == OK) {
        err = add_key_body(resume, &bodies[2], PURPOSE_CHECKPOINT, resume->checkpoint);
    }
    for (size_t i = 0; err == OK && i < RESUME_STATEMENTS; i++) {
        err = admit_statement(resume, admit, i, i == 0 ? RESTART_TYPE : MEMBER_TYPE("add_key"),
                              &bodies[i]);
    }
    for (size_t i = 0; i < RESUME_STATEMENTS; i++) {
        buf_clear(&bodies[i]);
    }
    return err;
}

/* ---- the trust file of the new epoch */

static void end_keys(struct resume *resume, struct trust_regime *regime,
                     const struct header *header)
{
    for (size_t i = 0; i < regime->key_count; i++) {
        struct receipt_key *key = &regime->keys[i];
        if (!key->has_to) {
            key->has_to = true;
            key->to = (struct place){resume->head.epoch, resume->known_height};
            key->has_ended = true;
            key->ended_ms = header->time_ms;
            key->status = KEY_ROTATED;
        }
    }
}

static void add_key(struct resume *resume, struct trust_regime *regime, const struct header *header)
{
    struct receipt_key *keys =
        arena_array(&resume->trust->arena, regime->key_count + 1, sizeof *keys);
    memcpy(keys, regime->keys, regime->key_count * sizeof *keys);
    keys[regime->key_count++] =
        (struct receipt_key){.spki = pubkey_spki(signer_pubkey(resume->receipt)),
                             .node = bytes_text(NODE_ID),
                             .from = header_place(header)};
    regime->keys = keys;
}

static void add_head(struct resume *resume, const struct block_result *result)
{
    struct trust *trust = resume->trust;
    struct head *heads = arena_array(&trust->arena, trust->head_count + 1, sizeof *heads);
    for (size_t i = 0; i < trust->head_count; i++) {
        heads[i] = trust->heads[i];
        heads[i].lost = heads[i].lost || (heads[i].place.epoch == resume->head.epoch &&
                                          heads[i].place.height > resume->head.height);
    }
    heads[trust->head_count++] = (struct head){.place = header_place(&result->header),
                                               .hash = result->header_hash,
                                               .size = result->header.tree_size,
                                               .root = result->header.tree_root};
    trust->heads = heads;
}

static enum err write_next_trust(struct resume *resume, const struct block_result *result,
                                 struct why *why)
{
    struct trust_regime *regime = &resume->trust->regimes[resume->trust->regime_count - 1];
    size_t owned = regime->key_count; /* the added key's pubkey is the signer's */
    end_keys(resume, regime, &result->header);
    add_key(resume, regime, &result->header);
    add_head(resume, result);
    struct buf bytes = {0};
    trust_write(&bytes, resume->trust);
    regime->key_count = owned;
    char *path = node_trust_path(&resume->node, NEXT);
    enum err err = file_write(path, buf_bytes(&bytes), 0644, why);
    free(path);
    buf_clear(&bytes);
    return err;
}

/* ---- all of it */

static enum err execute(struct resume *resume, struct block_result *result, struct why *why)
{
    uint64_t now = clock_wall_ms();
    struct block_input input = {.time_ms = now > resume->head.time_ms ? now : resume->head.time_ms,
                                .submissions = resume->submissions,
                                .count = RESUME_STATEMENTS};
    TRY(ledger_execute(resume->node.ledger, &input, result));
    for (size_t i = 0; i < result->count; i++) {
        if (result->results[i].err != OK) {
            *why = result->results[i].why;
            return result->results[i].err;
        }
    }
    return OK;
}

static enum err commit(struct resume *resume, const struct block_result *result)
{
    struct mark_head head = {result->header.epoch, result->header.height, result->header_hash};
    TRY(ledger_commit(resume->node.ledger));
    return mark_write(resume->node.mark, &head);
}

static enum err restart_block(struct resume *resume, struct admit *admit, struct why *why)
{
    enum err err = admit_all(resume, admit);
    if (err != OK) {
        return why_say(why, err, "restart", NULL, "could not be signed",
                       "Give the operator's key of this ledger.");
    }
    struct block_result result;
    TRY(execute(resume, &result, why));
    TRY(write_next_trust(resume, &result, why));
    TRY(commit(resume, &result));
    log_event(LOG_WARN, "ledger.restart", "epoch=%llu height=%llu lost_to=%llu",
              (unsigned long long)result.header.epoch, (unsigned long long)result.header.height,
              (unsigned long long)resume->known_height);
    node_note_loss(&resume->node, &result.header, resume->known_height,
                   resume->request->operator_key);
    return node_finish_restart(&resume->node, why);
}

static enum err run(struct resume *resume, struct why *why)
{
    TRY(open_ledger(resume, why));
    TRY(check_lost(resume, why));
    TRY(next_keys(resume, why));
    struct admit *admit = admit_new(resume->node.ledger, &modules_rules, 1);
    enum err err = restart_block(resume, admit, why);
    admit_free(admit);
    return err;
}

enum err node_resume(const struct node_resume_request *request, struct why *why)
{
    struct resume *resume = mem_zalloc(sizeof *resume);
    resume->request = request;
    resume->node.dir = mem_strdup(request->dir);
    resume->node.lock_fd = -1;
    enum err err = run(resume, why);
    for (size_t i = 0; i < RESUME_STATEMENTS; i++) {
        if (resume->submissions[i]) {
            submission_free(resume->submissions[i]);
        }
    }
    for (size_t i = 0; i < resume->made_count; i++) {
        signer_free(resume->made[i]);
    }
    trust_free(resume->trust);
    node_clear(&resume->node);
    free(resume);
    return err;
}

/* ---- finishing or undoing */

static bool is_registered(struct node *node, const struct hash *kid)
{
    struct buf key = {0};
    struct state_answer answer = {0};
    key_record_state_key(&key, kid);
    struct view *view = node_view(node);
    bool found = view_state(view, bytes_text(MEMBER_MODULE), buf_bytes(&key), &answer) == OK;
    view_release(view);
    state_answer_clear(&answer);
    buf_clear(&key);
    return found;
}

/* The kid of the receipt key that a restart was to begin: of its file, or as it was written down.
 */
static enum err next_kid(struct node *node, struct hash *out)
{
    char *file = path_join(node->dir, NODE_RECEIPT_KEY NEXT);
    char *kid_file = path_join(node->dir, RECEIPT_KID NEXT);
    struct signer *signer = NULL;
    struct buf kid = {0};
    enum err err = file_exists(file) ? signer_open(&signer, file, NULL, NULL, NULL)
                                     : file_read(&kid, kid_file, sizeof *out, NULL);
    if (err == OK && signer) {
        *out = *pubkey_kid(signer_pubkey(signer));
    } else if (err == OK && kid.len == sizeof *out) {
        memcpy(out->at, kid.at, sizeof *out);
    } else if (err == OK) {
        err = ERR_TRUNCATED;
    }
    signer_free(signer);
    buf_clear(&kid);
    free(file);
    free(kid_file);
    return err;
}

enum err node_finish_restart(struct node *node, struct why *why)
{
    char *receipt = path_join(node->dir, NODE_RECEIPT_KEY);
    char *receipt_kid = path_join(node->dir, RECEIPT_KID);
    char *checkpoint = path_join(node->dir, NODE_CHECKPOINT_KEY);
    char *trust = node_trust_path(node, "");
    struct hash kid;
    bool keep = next_kid(node, &kid) == OK && is_registered(node, &kid);
    /* The receipt key last: it is what the question is asked of. */
    enum err err = settle(trust, keep, why);
    err = err == OK ? settle(checkpoint, keep, why) : err;
    err = err == OK ? dir_sync(node->dir) : err;
    err = err == OK ? settle(receipt, keep, why) : err;
    err = err == OK ? settle(receipt_kid, false, why) : err;
    char *keys = path_join(node->dir, "keys");
    err = err == OK ? dir_sync(keys) : err;
    free(keys);
    free(receipt);
    free(receipt_kid);
    free(checkpoint);
    free(trust);
    return err;
}
