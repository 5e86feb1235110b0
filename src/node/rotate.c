/* cairn key rotate-node: the operator gives the node another key. The new key's file is written
 * first, then a member.rotate is submitted like any statement; whoever opens the folder next gives
 * the file its place, or removes it if the block did not come to be (keys.c). */
#include "node/internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "crypto/random.h"
#include "modules/member/member.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROTATE_VALID_MS 600000u

struct rotation {
    const struct node_rotate_request *request;
    struct node *node;
    enum purpose purpose;
    struct signer *next;
    char *path; /* of the new key's file */
    pthread_mutex_t lock;
    pthread_cond_t answered;
    struct node_answers *answers;
};

static void take_answer(void *context, struct node_answers *answers)
{
    struct rotation *rotation = context;
    pthread_mutex_lock(&rotation->lock);
    rotation->answers = answers;
    pthread_cond_signal(&rotation->answered);
    pthread_mutex_unlock(&rotation->lock);
}

static enum err make_key(struct rotation *rotation, struct why *why)
{
    struct buf pem = {0};
    enum err err = key_generate(&pem, ALG_ED25519, NULL);
    if (err == OK) {
        err = file_write(rotation->path, buf_bytes(&pem), 0600, why);
    }
    if (err == OK) {
        err = signer_parse(&rotation->next, buf_bytes(&pem), NULL);
    }
    wipe(pem.at, pem.len);
    buf_clear(&pem);
    return err;
}

/* The statement by which the key that is in use ends and the next one begins. */
static enum err make_statement(struct rotation *rotation, struct buf *out)
{
    struct node *node = rotation->node;
    const struct signer *old =
        rotation->purpose == PURPOSE_RECEIPT ? node->receipt : node->checkpoint;
    struct buf possession = {0};
    struct buf payload = {0};
    uint8_t nonce[16];
    uint64_t now = clock_wall_ms();
    enum err err = possession_sign(&possession, &node->chain, node_name(node), rotation->purpose,
                                   rotation->next);
    if (err == OK) {
        struct member_rotate body = {.kid = *pubkey_kid(signer_pubkey(old)),
                                     .key = {.possession = buf_bytes(&possession)}};
        member_rotate_write(&payload, &body);
        random_bytes(nonce, sizeof nonce);
        struct draft draft = {.content_type = MEMBER_TYPE("rotate"),
                              .iss = bytes_text(NODE_OPERATOR_ID),
                              .sub = node_name(node),
                              .iat = now / 1000,
                              .chain = node->chain,
                              .valid_until = now + ROTATE_VALID_MS,
                              .nonce16 = nonce,
                              .payload = buf_bytes(&payload)};
        err = statement_sign(out, &draft, rotation->request->operator_key);
    }
    buf_clear(&possession);
    buf_clear(&payload);
    return err;
}

static enum err submit(struct rotation *rotation, struct why *why)
{
    struct buf statement = {0};
    enum err err = make_statement(rotation, &statement);
    if (err != OK) {
        buf_clear(&statement);
        return why_say(why, err, "operator key", NULL, "could not sign",
                       "Give the operator's key.");
    }
    err = node_submit_one(rotation->node, &statement, false, take_answer, rotation, why);
    if (err != OK) {
        buf_clear(&statement);
        return err;
    }
    pthread_mutex_lock(&rotation->lock);
    while (!rotation->answers) {
        pthread_cond_wait(&rotation->answered, &rotation->lock);
    }
    pthread_mutex_unlock(&rotation->lock);
    err = rotation->answers->at[0].err;
    if (err != OK) {
        *why = rotation->answers->at[0].why;
    }
    free(rotation->answers);
    return err;
}

static enum err check_files(const struct node_options *options, struct why *why)
{
    return options->receipt_key || options->checkpoint_key
               ? why_say(why, ERR_REFUSED, "key", NULL, "is not a file of the ledger's own folder",
                         "Register its follower with 'cairn member rotate' and name that in "
                         "cairn.conf.")
               : OK;
}

static enum err rotate(struct rotation *rotation, struct why *why)
{
    if (node_read_only(rotation->node, why)) {
        return ERR_READ_ONLY;
    }
    TRY(make_key(rotation, why));
    enum err err = submit(rotation, why);
    if (err != OK && unlink(rotation->path) != 0) {
        return why_say(why, ERR_IO, "file", rotation->path, "could not be removed again",
                       "Remove it by hand; the old key stays in force.");
    }
    return err;
}

enum err node_rotate(const struct node_rotate_request *request, struct hash *kid, struct why *why)
{
    char name[64];
    struct rotation rotation = {.request = request,
                                .purpose =
                                    request->checkpoint ? PURPOSE_CHECKPOINT : PURPOSE_RECEIPT,
                                .lock = PTHREAD_MUTEX_INITIALIZER,
                                .answered = PTHREAD_COND_INITIALIZER};
    TRY(check_files(&request->options, why));
    TRY(node_open(&rotation.node, &request->options, why));
    snprintf(name, sizeof name, "%s" NODE_NEW_KEY,
             request->checkpoint ? NODE_CHECKPOINT_KEY : NODE_RECEIPT_KEY);
    rotation.path = path_join(request->options.dir, name);
    enum err err = rotate(&rotation, why);
    node_close(rotation.node);
    if (err == OK) { /* the next start puts everything in its place; this is it */
        *kid = *pubkey_kid(signer_pubkey(rotation.next));
        err = node_open(&rotation.node, &request->options, why);
        if (err == OK) {
            node_close(rotation.node);
        }
    }
    signer_free(rotation.next);
    free(rotation.path);
    return err;
}
