/* Groups wait in one list; every verifier takes statements of the first group that has some left,
 * a few at a time, and whoever finishes the last one of a group calls its owner. */
#include "admit/admit.h"

#include "admit/keyring.h"
#include "admit/verdicts.h"
#include "base/metrics.h"
#include "crypto/digest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TAKE        8 /* statements that a verifier takes at a time: about 0.5 ms of work */
#define THREADS_MAX 64

/* Places in the label of METRIC_ADMIT_SIGNATURES. */
enum { SIGNATURE_GOOD, SIGNATURE_REMEMBERED, SIGNATURE_BAD, SIGNATURE_UNKNOWN_KEY };

struct group {
    struct group *next;
    struct admission *admissions;
    size_t count;
    size_t taken;
    size_t finished;
    admit_fn *done;
    void *context;
};

struct admit {
    const struct rules *rules;
    struct keyring *keyring;
    struct verdicts *verdicts;
    unsigned thread_count;
    pthread_t threads[THREADS_MAX];

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    struct group *first; /* groups with statements that nobody has taken */
    struct group **last;
    size_t waiting;  /* statements that nobody has taken */
    unsigned asleep; /* verifiers that wait for work */
    bool stopping;
};

void admit_wire(const struct submission *submission, struct buf *out)
{
    const struct items *items = submission->items;
    if (items == NULL) {
        buf_put(out, buf_bytes(&submission->entry));
        return;
    }
    const struct sign1 *sign1 = &submission->statement.sign1;
    buf_reserve(out, submission->entry.len + (size_t)items->total_len + WIRE_ITEMS_HEAD);
    cbor_put_tag(out, COSE_SIGN1_TAG);
    cbor_put_array(out, 4);
    cbor_put_bytes(out, sign1->protected);
    cbor_put_map(out, 1);
    cbor_put_int(out, LABEL_ITEMS);
    cbor_put_bytes_head(out, (size_t)items->total_len);
    for (uint32_t i = 0; i < items->chunk_count; i++) {
        BUG_ON(chunk_items(out, buf_bytes(&items->chunks[i])) != OK); /* we packed it */
    }
    cbor_put_bytes(out, sign1->payload);
    cbor_put_bytes(out, sign1->signature);
}

/* Finds the items in an unprotected map that may hold them and nothing else. */
static enum err find_items(struct bytes unprotected, struct bytes *items, struct why *why)
{
    *items = BYTES_NONE;
    struct cbor_reader reader;
    cbor_init(&reader, unprotected);
    size_t pairs = cbor_map(&reader, 0, 1);
    if (pairs == 1) {
        if (cbor_int(&reader) != LABEL_ITEMS) {
            cbor_fail(&reader, ERR_FORMAT);
        }
        *items = cbor_bytes(&reader, 1, BATCH_BYTES_MAX);
    }
    enum err err = cbor_end(&reader);
    return err == OK ? OK
                     : why_say(why, err, "unprotected header", NULL,
                               "may hold the items (-65801) and nothing else",
                               "Send the statement as it was signed.");
}

/* Parses the statement out of memory that the submission owns, with an empty unprotected map. */
static enum err own_entry(struct submission *submission, const struct statement *parsed,
                          struct why *why)
{
    statement_entry(&submission->entry, parsed);
    if (submission->entry.len > ENTRY_MAX) {
        return why_sayf(why, ERR_RANGE, "statement", "is larger than an entry may be (32,768)",
                        "Put contents into a file and deposit its digest.", "%zu bytes",
                        submission->entry.len);
    }
    return statement_parse(&submission->statement, buf_bytes(&submission->entry), why);
}

/* Brings the deposit's items in from wherever they travelled. */
static enum err own_items(struct submission *submission, struct items *streamed,
                          struct bytes inlined, struct why *why)
{
    submission->items = streamed;
    bool present = streamed || inlined.len > 0;
    if (!submission->action->takes_items) {
        return present ? why_say(why, ERR_FORMAT, "items", NULL, "belong to deposits only",
                                 "Send this statement without items.")
                       : OK;
    }
    if (!present || (streamed && inlined.len > 0)) {
        return why_say(why, ERR_FORMAT, "items", NULL, "must come with the deposit, once",
                       "Put the encoded items into label -65801, or stream them as a batch.");
    }
    struct deposit deposit;
    enum err err = deposit_parse(&deposit, submission->statement.sign1.payload);
    if (err != OK) {
        return why_say(why, err, "deposit", NULL, NULL, "Build the body by the protocol.");
    }
    if (!streamed) {
        submission->items = items_new(deposit.count);
        TRY(items_feed(submission->items, inlined, why));
    }
    return items_finish(submission->items, &deposit.items_root, why);
}

static enum err verify(struct admit *admit, struct submission *submission, struct why *why)
{
    struct ring_key *key;
    enum err err = keyring_get(admit->keyring, &submission->statement, &key);
    if (err == ERR_NOT_FOUND) {
        metric_add(METRIC_ADMIT_SIGNATURES, SIGNATURE_UNKNOWN_KEY, 1);
        return OK; /* the ledger decides, see the head of admit.h */
    }
    if (err != OK) {
        return why_say(why, err, "kid", NULL, "could not be looked up", "Try again later.");
    }
    const struct hash *kid = pubkey_kid(key->key);
    struct hash digest;
    sha256(&digest, buf_bytes(&submission->entry));
    bool remembered = verdicts_has(admit->verdicts, &digest, kid);
    if (!remembered) {
        err = statement_verify(&submission->statement, &key->record, key->key, why);
        if (err == OK) {
            verdicts_add(admit->verdicts, &digest, kid);
        }
    }
    metric_add(METRIC_ADMIT_SIGNATURES,
               remembered  ? SIGNATURE_REMEMBERED
               : err == OK ? SIGNATURE_GOOD
                           : SIGNATURE_BAD,
               1);
    submission->verified = err == OK;
    submission->verified_kid = *kid;
    ring_key_release(key);
    return err;
}

static enum err decode_into(struct admit *admit, struct admission *admission,
                            struct submission *submission)
{
    struct why *why = &admission->why;
    struct items *streamed = admission->items;
    admission->items = NULL;
    submission->items = streamed; /* so that every way out frees them */
    struct statement parsed;
    struct bytes inlined;
    TRY(statement_parse(&parsed, admission->statement, why));
    TRY(find_items(parsed.sign1.unprotected, &inlined, why));
    TRY(own_entry(submission, &parsed, why));
    TRY(rules_find(admit->rules, &submission->statement, &submission->action, why));
    TRY(own_items(submission, streamed, inlined, why));
    if (submission->action->check) {
        TRY(submission->action->check(submission, why));
    }
    if (!submission->statement.foreign) {
        statement_id(&submission->id, &submission->statement, NULL);
    }
    leaf_hash(&submission->leaf, buf_bytes(&submission->entry));
    return OK;
}

void admit_one(struct admit *admit, struct admission *admission)
{
    struct submission *submission = mem_zalloc(sizeof *submission);
    admission->err = decode_into(admit, admission, submission);
    bool decoded = admission->err == OK;
    if (decoded) {
        admission->err = verify(admit, submission, &admission->why);
    }
    if (admission->err == OK && admission->of_block && !submission->verified) {
        admission->err =
            why_say(&admission->why, ERR_KEY, "kid", NULL, "is not registered here", NULL);
    }
    bool given = decoded && (admission->err == OK || admission->of_block);
    admission->out = given ? submission : NULL;
    if (!given) {
        submission_free(submission);
    }
    if (admission->err != OK) {
        metric_add(METRIC_ADMIT_REFUSED, metric_reason(admission->err), 1);
    }
}

static enum err batch_head(struct admit *admit, struct bytes statement, struct deposit *deposit,
                           struct why *why)
{
    struct submission head = {0};
    struct statement parsed;
    TRY(statement_parse(&parsed, statement, why));
    const struct action *action;
    TRY(rules_find(admit->rules, &parsed, &action, why));
    if (!action->takes_items) {
        return why_say(why, ERR_TYPE, "statement", NULL, "is not a deposit",
                       "Send other statements to /v1/statements.");
    }
    enum err err = deposit_parse(deposit, parsed.sign1.payload);
    if (err != OK) {
        return why_say(why, err, "deposit", NULL, NULL, "Build the body by the protocol.");
    }
    err = own_entry(&head, &parsed, why);
    if (err == OK) {
        err = verify(admit, &head, why);
    }
    if (err == OK && !head.verified) {
        err = why_say(why, ERR_KEY, "kid", NULL, "is not a registered key",
                      "Register the key first, or sign with one that is.");
    }
    buf_clear(&head.entry);
    return err;
}

enum err admit_batch_head(struct admit *admit, struct bytes statement, struct deposit *deposit,
                          struct why *why)
{
    enum err err = batch_head(admit, statement, deposit, why);
    if (err != OK) {
        metric_add(METRIC_ADMIT_REFUSED, metric_reason(err), 1);
    }
    return err;
}

/* Waking a thread costs as much as a tenth of a verification, so another is woken only when those
 * awake have more than a few statements each before them. */
static void wake_verifiers(struct admit *admit)
{
    unsigned awake = admit->thread_count - admit->asleep;
    if (admit->asleep > 0 && admit->waiting > (size_t)awake * TAKE / 2) {
        pthread_cond_signal(&admit->wake);
    }
}

/* Takes up to TAKE statements of the first group; the group leaves the list with its last one. */
static struct group *take(struct admit *admit, size_t *from, size_t *count)
{
    pthread_mutex_lock(&admit->lock);
    while (!admit->first && !admit->stopping) {
        admit->asleep++;
        pthread_cond_wait(&admit->wake, &admit->lock);
        admit->asleep--;
    }
    struct group *group = admit->first;
    if (group) {
        *from = group->taken;
        *count = group->count - group->taken < TAKE ? group->count - group->taken : TAKE;
        group->taken += *count;
        admit->waiting -= *count;
        if (group->taken == group->count) {
            admit->first = group->next;
            if (!admit->first) {
                admit->last = &admit->first;
            }
        }
        wake_verifiers(admit);
    }
    pthread_mutex_unlock(&admit->lock);
    return group;
}

static void finish(struct admit *admit, struct group *group, size_t count)
{
    pthread_mutex_lock(&admit->lock);
    group->finished += count;
    bool last = group->finished == group->count;
    pthread_mutex_unlock(&admit->lock);
    if (last) {
        group->done(group->context);
        free(group);
    }
}

static void *verifier_run(void *context)
{
    struct admit *admit = context;
    struct group *group;
    size_t from;
    size_t count;
    while ((group = take(admit, &from, &count)) != NULL) {
        for (size_t i = from; i < from + count; i++) {
            admit_one(admit, &group->admissions[i]);
        }
        finish(admit, group, count);
    }
    return NULL;
}

void admit_group(struct admit *admit, struct admission *admissions, size_t count, admit_fn *done,
                 void *context)
{
    BUG_ON(count == 0);
    struct group *group = mem_zalloc(sizeof *group);
    *group =
        (struct group){.admissions = admissions, .count = count, .done = done, .context = context};
    pthread_mutex_lock(&admit->lock);
    *admit->last = group;
    admit->last = &group->next;
    admit->waiting += count;
    wake_verifiers(admit);
    pthread_mutex_unlock(&admit->lock);
}

size_t admit_waiting(struct admit *admit)
{
    pthread_mutex_lock(&admit->lock);
    size_t waiting = admit->waiting;
    pthread_mutex_unlock(&admit->lock);
    return waiting;
}

struct admit *admit_new(struct ledger *ledger, const struct rules *rules, unsigned threads)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned count = threads ? threads : cores > 0 ? (unsigned)cores : 1;
    struct admit *admit = mem_zalloc(sizeof *admit);
    admit->rules = rules;
    admit->keyring = keyring_new(ledger);
    admit->verdicts = verdicts_new();
    admit->last = &admit->first;
    pthread_mutex_init(&admit->lock, NULL);
    pthread_cond_init(&admit->wake, NULL);
    admit->thread_count = count < THREADS_MAX ? count : THREADS_MAX;
    for (unsigned i = 0; i < admit->thread_count; i++) {
        BUG_ON(pthread_create(&admit->threads[i], NULL, verifier_run, admit) != 0);
    }
    return admit;
}

void admit_free(struct admit *admit)
{
    pthread_mutex_lock(&admit->lock);
    admit->stopping = true;
    pthread_cond_broadcast(&admit->wake);
    pthread_mutex_unlock(&admit->lock);
    for (unsigned i = 0; i < admit->thread_count; i++) {
        pthread_join(admit->threads[i], NULL);
    }
    pthread_mutex_destroy(&admit->lock);
    pthread_cond_destroy(&admit->wake);
    keyring_free(admit->keyring);
    verdicts_free(admit->verdicts);
    free(admit);
}
