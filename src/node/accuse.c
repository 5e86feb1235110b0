/* Accusations: what stands against a receipt key, stored before it is believed. */
#include "node/attested_internal.h"

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "proof/fork.h"
#include "proof/receipt.h"
#include "store/audit.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE ".fork" /* fork evidence, for everybody */
#define HALF                                                                             \
    ".half" /* [1, header, receipt]: becomes evidence beside the receipt of another head \
             */

/* Places in the label of METRIC_NODE_CONTRADICTIONS. */
enum { TWO_HEADS, OTHER_HEAD };

static struct node_accused *find_accused(struct attested *attested, const struct hash *kid)
{
    for (size_t i = 0; i < attested->accused_count; i++) {
        if (hash_equal(&attested->accused[i].kid, kid)) {
            return &attested->accused[i];
        }
    }
    return NULL;
}

/* How many nodes signed another head than ours at that height. */
static size_t count_others(const struct attested *attested, uint64_t height)
{
    size_t count = 0;
    for (size_t i = 0; i < attested->accused_count; i++) {
        count += attested->accused[i].height == height;
    }
    return count;
}

bool is_accused(struct node *node, const struct hash *kid)
{
    const struct node_accused *accused = find_accused(node->attested, kid);
    return accused && (accused->whole ||
                       count_others(node->attested, accused->height) <= node->attested->liars_max);
}

/* ---- files */

static char *file_path(const struct node *node, uint64_t height, const struct hash *kid,
                       const char *suffix)
{
    char name[128];
    char hex[65];
    hex_write(hex, hash_bytes(kid));
    snprintf(name, sizeof name, NODE_ACCUSATIONS "/%" PRIu64 "-%s%s", height, hex, suffix);
    return path_join(node->dir, name);
}

static void write_half(struct buf *out, const struct contradiction *contradiction)
{
    cbor_put_array(out, 3);
    cbor_put_uint(out, 1);
    cbor_put_bytes(out, contradiction->sides[0].header);
    cbor_put_bytes(out, contradiction->sides[0].receipt);
}

static void write_whole(struct buf *out, const struct contradiction *contradiction)
{
    struct fork_evidence evidence = {0};
    for (size_t i = 0; i < 2; i++) {
        evidence.sides[i].header = contradiction->sides[i].header;
        evidence.sides[i].receipt = contradiction->sides[i].receipt;
    }
    fork_evidence_write(out, &evidence);
}

static enum err store_file(struct node *node, const struct contradiction *contradiction,
                           const char *suffix)
{
    struct why why = {0};
    struct buf bytes = {0};
    char *folder = path_join(node->dir, NODE_ACCUSATIONS);
    char *path = file_path(node, contradiction->height, contradiction->kid, suffix);
    if (contradiction->count == 2) {
        write_whole(&bytes, contradiction);
    } else {
        write_half(&bytes, contradiction);
    }
    enum err err = dir_make(folder, 0700, &why);
    if (err == OK) {
        err = file_create(path, buf_bytes(&bytes), 0644, &why);
        err = err == ERR_EXISTS ? OK : err;
    }
    if (err != OK) {
        log_event(LOG_ERROR, "peer.accusation_lost", "file=\"%s\" err=%s problem=\"%s\"", path,
                  err_name(err), why.problem);
    }
    free(path);
    free(folder);
    buf_clear(&bytes);
    return err;
}

/* ---- saying so */

static void note_act(struct node *node, const struct contradiction *contradiction,
                     const char *evidence)
{
    char kid[65];
    char height[24];
    hex_write(kid, hash_bytes(contradiction->kid));
    snprintf(height, sizeof height, "%" PRIu64, contradiction->height);
    struct audit_entry entry = {
        .act = AUDIT_PEER_ACCUSED,
        .who = kid,
        .details = {{"node", contradiction->member}, {"height", height}, {"evidence", evidence}}};
    audit_add(node->audit, &entry, 1);
}

static void say(struct node *node, const struct contradiction *contradiction)
{
    bool whole = contradiction->count == 2;
    if (whole) {
        log_event(LOG_ERROR, "peer.equivocated", "node=%s kid=%08x height=%llu file=\"%s\"",
                  contradiction->member, get_u32(contradiction->kid->at),
                  (unsigned long long)contradiction->height, NODE_ACCUSATIONS);
    } else {
        log_event(LOG_ERROR, "peer.differs", "node=%s kid=%08x height=%llu", contradiction->member,
                  get_u32(contradiction->kid->at), (unsigned long long)contradiction->height);
    }
    metric_add(METRIC_NODE_CONTRADICTIONS, whole ? TWO_HEADS : OTHER_HEAD, 1);
    note_act(node, contradiction, whole ? "two heads" : "another head");
}

/* Other nodes may have the rest of it. */
static void keep_sides(struct attested *attested, const struct contradiction *contradiction)
{
    for (size_t i = 0; i < contradiction->count; i++) {
        if (attested->contradicting_count == CONTRADICTING_MAX) {
            return;
        }
        struct pair_said *pair = &attested->contradicting[attested->contradicting_count++];
        buf_put(&pair->header, contradiction->sides[i].header);
        buf_put(&pair->receipt, contradiction->sides[i].receipt);
    }
}

static struct node_accused *add_accused(struct attested *attested,
                                        const struct contradiction *contradiction)
{
    if (attested->accused_count == SPEAKERS_MAX) {
        return NULL;
    }
    struct node_accused *accused = &attested->accused[attested->accused_count++];
    *accused = (struct node_accused){.kid = *contradiction->kid, .height = contradiction->height};
    snprintf(accused->member, sizeof accused->member, "%s", contradiction->member);
    sha256(&accused->head, contradiction->sides[0].header);
    return accused;
}

void accuse(struct node *node, const struct contradiction *contradiction)
{
    struct attested *attested = node->attested;
    bool whole = contradiction->count == 2;
    struct node_accused *accused = find_accused(attested, contradiction->kid);
    if (accused && (accused->whole || !whole)) {
        return;
    }
    accused = accused ? accused : add_accused(attested, contradiction);
    if (!accused) {
        return;
    }
    accused->whole = whole;
    keep_sides(attested, contradiction);
    /* What can't be stored was said all the same. */
    enum err err = store_file(node, contradiction, whole ? WHOLE : HALF);
    (void)err;
    say(node, contradiction);
}

void accusation_complete(struct node *node, const struct contradiction *good)
{
    struct attested *attested = node->attested;
    const struct node_accused *accused = find_accused(attested, good->kid);
    if (!accused || accused->whole || accused->height != good->height) {
        return;
    }
    for (size_t i = 0; i < attested->contradicting_count; i++) {
        struct hash head;
        const struct pair_said *pair = &attested->contradicting[i];
        sha256(&head, buf_bytes(&pair->header));
        if (hash_equal(&head, &accused->head)) {
            struct contradiction both = *good;
            both.count = 2;
            both.sides[1].header = buf_bytes(&pair->header);
            both.sides[1].receipt = buf_bytes(&pair->receipt);
            accuse(node, &both);
            return;
        }
    }
}

/* ---- reading them again */

static bool ends_in(const char *name, const char *suffix)
{
    size_t len = strlen(name);
    size_t suffix_len = strlen(suffix);
    return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

static void take_evidence(struct node *node, const struct fork_evidence *evidence)
{
    struct receipt receipt;
    struct attested *attested = node->attested;
    if (evidence->checkpoints || !hash_equal(&evidence->headers[0].chain, &node->chain) ||
        receipt_parse(&receipt, evidence->sides[0].receipt) != OK ||
        attested->accused_count == SPEAKERS_MAX || find_accused(attested, &receipt.kid)) {
        return;
    }
    struct node_accused *accused = &attested->accused[attested->accused_count++];
    *accused = (struct node_accused){
        .kid = receipt.kid, .height = evidence->headers[0].height, .whole = true};
    sha256(&accused->head, evidence->sides[0].header);
    if (receipt.iss.len <= MEMBER_ID_MAX) {
        memcpy(accused->member, receipt.iss.at, receipt.iss.len);
    }
}

static enum err load_one(struct node *node, const char *name, struct why *why)
{
    struct buf bytes = {0};
    struct fork_evidence *evidence = NULL;
    char *folder = path_join(node->dir, NODE_ACCUSATIONS);
    char *path = path_join(folder, name);
    enum err err = file_read(&bytes, path, FORK_MAX, why);
    if (err == OK) {
        err = fork_evidence_parse(&evidence, buf_bytes(&bytes), why);
        if (err != OK) {
            why_say(why, err, "accusation", path, NULL,
                    "Move the file elsewhere; the others are read without it.");
        }
    }
    if (err == OK) {
        take_evidence(node, evidence);
    }
    fork_evidence_free(evidence);
    free(path);
    free(folder);
    buf_clear(&bytes);
    return err;
}

enum err accusations_load(struct node *node, struct why *why)
{
    char *folder = path_join(node->dir, NODE_ACCUSATIONS);
    DIR *dir = opendir(folder);
    free(folder);
    enum err err = OK;
    struct dirent *entry = dir ? readdir(dir) : NULL;
    while (entry && err == OK) {
        if (ends_in(entry->d_name, WHOLE)) {
            err = load_one(node, entry->d_name, why);
        }
        entry = readdir(dir);
    }
    if (dir) {
        closedir(dir);
    }
    return err;
}

/* ---- asking */

size_t node_accusations(struct node *node, struct node_accused *out, size_t max)
{
    struct attested *attested = node->attested;
    size_t count = 0;
    pthread_mutex_lock(&attested->lock);
    for (size_t i = 0; i < attested->accused_count && count < max; i++) {
        out[count] = attested->accused[i];
        out[count].counts = !is_accused(node, &attested->accused[i].kid);
        count++;
    }
    pthread_mutex_unlock(&attested->lock);
    return count;
}

bool node_contradicting(struct node *node, size_t n, struct buf *header, struct buf *receipt)
{
    struct attested *attested = node->attested;
    pthread_mutex_lock(&attested->lock);
    bool found = n < attested->contradicting_count;
    if (found) {
        buf_put(header, buf_bytes(&attested->contradicting[n].header));
        buf_put(receipt, buf_bytes(&attested->contradicting[n].receipt));
    }
    pthread_mutex_unlock(&attested->lock);
    return found;
}
