#include "base/file.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"
#include "proof/trustupdate.h"

#define HTTP_CONFLICT 409

/* Asks for what leads on from a head; NULL is the genesis. ERR_EXISTS: it is the newest. */
static enum err update_from(struct buf *out, struct client *client, const struct head *head,
                            struct why *why)
{
    char path[160];
    snprintf(path, sizeof path, "/v1/trust-update?epoch=%llu&height=%llu&size=%llu",
             head ? (unsigned long long)head->place.epoch : 0,
             head ? (unsigned long long)head->place.height : 0,
             head ? (unsigned long long)head->size : 0);
    enum err err = client_get(client, path, TRUST_UPDATE_MAX, out, why);
    return client_status(client) == HTTP_CONFLICT ? ERR_EXISTS : err;
}

/* A ledger that lost blocks does not know the newest heads any more, but older ones. What is
 * complained about is the newest. */
static enum err update_ask(struct buf *out, struct client *client, const struct trust *trust,
                           struct why *why)
{
    if (trust->head_count == 0) {
        return update_from(out, client, NULL, why);
    }
    enum err err = ERR_REFUSED;
    for (size_t i = trust->head_count; i > 0 && err == ERR_REFUSED; i--) {
        struct why older = {0};
        if (!trust->heads[i - 1].lost) {
            err = update_from(out, client, &trust->heads[i - 1], &older);
            *why = why->field[0] == '\0' || err != ERR_REFUSED ? older : *why;
        }
    }
    return err;
}

static enum err update_get(struct buf *out, const struct args *args, const struct trust *trust,
                           struct why *why)
{
    const char *file = args_text(args, "from");
    if (file) {
        return file_read(out, file, TRUST_UPDATE_MAX, why);
    }
    struct client *client;
    TRY(client_new(&client, args, why));
    enum err err = update_ask(out, client, trust, why);
    client_free(client);
    return err;
}

static enum err apply(struct trust **out, const struct args *args, const struct trust *old,
                      struct bytes bytes, struct why *why)
{
    struct hash accepted;
    const char *hash = args_text(args, "accept-restart");
    if (hash) {
        TRY(hash_read(&accepted, "--accept-restart", hash, why));
    }
    struct trust_update *update;
    TRY(trust_update_parse(&update, bytes, why));
    enum err err = trust_update_apply(out, old, update, hash ? &accepted : NULL, why);
    trust_update_free(update);
    return err;
}

static enum err update(const struct args *args, struct trust **old, struct trust **new,
                       struct why *why)
{
    struct buf bytes = {0};
    TRY(trust_read(old, args->operands[0], why));
    enum err err = update_get(&bytes, args, *old, why);
    if (err == OK) {
        err = apply(new, args, *old, buf_bytes(&bytes), why);
    }
    buf_clear(&bytes);
    TRY(err);
    trust_write(&bytes, *new);
    err = file_write(args->operands[0], buf_bytes(&bytes), 0644, why);
    buf_clear(&bytes);
    return err;
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct trust *old = NULL;
    struct trust *new = NULL;
    enum err err = update(args, &old, &new, &why);
    if (err == OK) {
        const struct head *head = trust_newest(new);
        printf("%s: head of epoch %llu, height %llu; %zu heads known\n", args->operands[0],
               head ? (unsigned long long)head->place.epoch : 0,
               head ? (unsigned long long)head->place.height : 0, new->head_count);
    } else if (err == ERR_EXISTS) {
        printf("%s: there is nothing newer\n", args->operands[0]);
    }
    trust_free(old);
    trust_free(new);
    return err == OK || err == ERR_EXISTS ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {
    {"from", "FILE", "take the update from this file, not from the ledger", NULL, false, false},
    {"accept-restart", "HASH", "header hash of a restart that its operator has confirmed", NULL,
     false, false},
    ARGS_READER,
    ARG_SERVER,
    {0},
};

const struct verb verb_trust_update = {
    .name = "trust update",
    .operands = "NAME.trust",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "carry a trust file forward to the ledger's newest head",
    .text =
        "Each step must be vouched for by what the file lists already; heads that it knows are\n"
        "never dropped. After a restart of the ledger, ask its operator for the header hash by\n"
        "another way and give it with --accept-restart.",
    .example = "cairn trust update court.trust",
    .args = options,
    .run = run,
};
