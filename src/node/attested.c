/* Receipts of other nodes, and when our own may be given.
 *
 * 1. What counts was verified: key, place, signature, and that our header of its height is the
 * same.
 * 2. One receipt of a key and height is held; another one for another head is an accusation.
 * 3. Memory is bounded: heights from RECEIPTS_BELOW under the head to RECEIPTS_AHEAD above it. */
#include "node/attested_internal.h"

#include "base/metrics.h"
#include "crypto/digest.h"
#include "ledger/regime.h"
#include "proof/receipt.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#define KEY_LEN     17
#define KEY_KID_LEN 8
#define FAR_BEHIND  64 /* blocks; so far behind what others signed the node does not sign */

/* ---- the object */

void node_attested_init(struct node *node)
{
    node->attested = mem_zalloc(sizeof *node->attested);
    pthread_mutex_init(&node->attested->lock, NULL);
}

static void said_free(struct said *said)
{
    buf_clear(&said->header);
    buf_clear(&said->receipt);
    free(said);
}

void node_attested_clear(struct node *node)
{
    struct attested *attested = node->attested;
    if (!attested) {
        return;
    }
    for (size_t i = 0; i < SAID_CHAINS; i++) {
        while (attested->chains[i]) {
            struct said *said = attested->chains[i];
            attested->chains[i] = said->next;
            said_free(said);
        }
    }
    for (size_t i = 0; i < OWN_KEPT; i++) {
        buf_clear(&attested->own[i].receipt);
    }
    for (size_t i = 0; i < attested->contradicting_count; i++) {
        buf_clear(&attested->contradicting[i].header);
        buf_clear(&attested->contradicting[i].receipt);
    }
    pthread_mutex_destroy(&attested->lock);
    free(attested);
}

/* How many of the nodes that order the ledger may lie without harm, which is less than a third of
 * them; 0 where one institution runs it. */
static size_t liars_max(const struct view *view)
{
    struct buf bytes = {0};
    struct regime *regime = mem_alloc(sizeof *regime);
    size_t liars = regime_get(regime, &bytes, view) == OK ? (regime->count - 1) / 3 : 0;
    buf_clear(&bytes);
    free(regime);
    return liars;
}

enum err node_attested_load(struct node *node, struct why *why)
{
    struct view *view = node_view(node);
    node->attested->settled = view_header(view)->height;
    node->attested->liars_max = liars_max(view);
    view_release(view);
    return accusations_load(node, why);
}

/* ---- what is held; all of this under the lock */

static struct said **chain_of(struct attested *attested, uint64_t height)
{
    return &attested->chains[height % SAID_CHAINS];
}

static struct said *find_said(struct attested *attested, uint64_t height, const struct hash *kid)
{
    struct said *said = *chain_of(attested, height);
    while (said && (said->height != height || !hash_equal(&said->kid, kid))) {
        said = said->next;
    }
    return said;
}

static void forget_below(struct attested *attested, uint64_t height)
{
    struct said **at = chain_of(attested, height);
    while (*at) {
        struct said *said = *at;
        if (said->height <= height && said->written) {
            *at = said->next;
            said_free(said);
        } else {
            at = &said->next;
        }
    }
}

static struct bytes attest_key(uint8_t key[KEY_LEN], uint64_t height, const struct hash *kid)
{
    key[0] = ATTEST_RECEIPT;
    put_u64(key + 1, height);
    memcpy(key + 9, kid->at, KEY_KID_LEN);
    return (struct bytes){key, KEY_LEN};
}

/* ---- comparing with our own blocks; under the lock */

/* A receipt and its header, read; all borrow. */
struct incoming {
    struct bytes header_bytes;
    struct bytes receipt_bytes;
    struct header header;
    struct hash head;
    struct receipt receipt;
    char member[MEMBER_ID_MAX + 1];
};

/* The receipt of the same key that counts for our head of that height, from memory or from the
 * store. ERR_NOT_FOUND. */
static enum err counted_receipt(struct node *node, uint64_t height, const struct hash *kid,
                                struct buf *out)
{
    uint8_t key[KEY_LEN];
    struct said *said = find_said(node->attested, height, kid);
    if (said && !said->waits) {
        buf_put(out, buf_bytes(&said->receipt));
        return OK;
    }
    return store_get(node->store, NULL, FAMILY_ATTEST, attest_key(key, height, kid), out);
}

/* It signs another head than ours: accuses its key of that, and of two heads where it signed ours
 * as well. */
static void accuse_other(struct node *node, const struct contradiction *one,
                         const struct buf *own_header)
{
    struct contradiction contradiction = *one;
    struct buf counted = {0};
    if (counted_receipt(node, one->height, one->kid, &counted) == OK) {
        contradiction.count = 2;
        contradiction.sides[1].header = buf_bytes(own_header);
        contradiction.sides[1].receipt = buf_bytes(&counted);
    }
    accuse(node, &contradiction);
    buf_clear(&counted);
}

/* Compares what waited with the block that has come. Errors of the store. */
static enum err settle_one(struct node *node, const struct view *view, struct said *said,
                           bool *differs)
{
    struct buf header = {0};
    struct hash head;
    TRY(view_block(view, said->height, &header));
    sha256(&head, buf_bytes(&header));
    *differs = !hash_equal(&head, &said->head);
    if (*differs) {
        struct contradiction contradiction = {
            .member = said->member,
            .kid = &said->kid,
            .height = said->height,
            .count = 1,
            .sides = {{buf_bytes(&said->header), buf_bytes(&said->receipt)}}};
        accuse_other(node, &contradiction, &header);
    } else {
        said->waits = false;
        buf_clear(&said->header);
        node->attested->unwritten++;
    }
    buf_clear(&header);
    return OK;
}

static enum err settle_height(struct node *node, const struct view *view, uint64_t height)
{
    struct said **at = chain_of(node->attested, height);
    while (*at) {
        struct said *said = *at;
        bool differs = false;
        if (said->waits && said->height == height) {
            TRY(settle_one(node, view, said, &differs));
        }
        if (differs) {
            *at = said->next;
            said_free(said);
        } else {
            at = &said->next;
        }
    }
    return OK;
}

/* Brings what is held up to the view's head. */
static enum err settle(struct node *node, const struct view *view)
{
    struct attested *attested = node->attested;
    uint64_t head = view_header(view)->height;
    /* Nothing waits further above what was settled last. */
    uint64_t last = head - attested->settled > RECEIPTS_AHEAD && head > attested->settled
                        ? attested->settled + RECEIPTS_AHEAD
                        : head;
    for (uint64_t height = attested->settled + 1; height <= last; height++) {
        TRY(settle_height(node, view, height));
    }
    if (head > attested->settled) {
        uint64_t first =
            attested->settled > RECEIPTS_BELOW ? attested->settled - RECEIPTS_BELOW : 0;
        uint64_t end = head > RECEIPTS_BELOW ? head - RECEIPTS_BELOW : 0;
        first = end > SAID_CHAINS && first < end - SAID_CHAINS ? end - SAID_CHAINS : first;
        for (uint64_t height = first; height < end; height++) {
            forget_below(attested, height);
        }
        attested->settled = head;
        attested->liars_max = liars_max(view);
    }
    return OK;
}

/* ---- taking */

static enum err incoming_parse(struct incoming *out, const struct view *view, struct bytes header,
                               struct bytes receipt, struct why *why)
{
    static const char help[] = "Run the same version of the program on every node.";
    out->header_bytes = header;
    out->receipt_bytes = receipt;
    if (receipt.len > PUSHED_RECEIPT_MAX) {
        return why_sayf(why, ERR_RANGE, "receipt", "is longer than 1,024 bytes", help, "%zu",
                        receipt.len);
    }
    enum err err = header_parse(&out->header, header);
    if (err != OK) {
        return why_say(why, err, "header", NULL, NULL, help);
    }
    err = receipt_parse(&out->receipt, receipt);
    if (err != OK) {
        return why_say(why, err, "receipt", NULL, NULL, help);
    }
    if (!hash_equal(&out->header.chain, &view_header(view)->chain) ||
        out->header.epoch != view_header(view)->epoch) {
        return why_say(why, ERR_MISMATCH, "header", NULL, "is of another ledger or epoch",
                       "Check which ledger the peers of cairn.conf serve.");
    }
    sha256(&out->head, header);
    return OK;
}

/* Whether a receipt key of this ledger made it that is good at its place. */
static enum err signer_check(struct incoming *in, const struct view *view, struct why *why)
{
    struct buf bytes = {0};
    struct key_record record;
    struct pubkey *key = NULL;
    enum err err = node_key_record(view, &in->receipt.kid, &bytes, &record);
    if (err == ERR_NOT_FOUND || (err == OK && record.purpose != PURPOSE_RECEIPT)) {
        err = why_say(why, ERR_KEY, "receipt", NULL, "is by no receipt key of this ledger",
                      "A key counts once its block was executed here.");
    } else if (err == OK && !bytes_equal(record.member, in->receipt.iss)) {
        err = why_say(why, ERR_KEY, "receipt", NULL, "is by the key of another node than it says",
                      "Put that node's own receipt key back into its place.");
    } else if (err == OK && (record.from >= in->header.tree_size ||
                             (record.has_until && record.until <= in->header.first_index))) {
        err = why_say(why, ERR_KEY, "receipt", NULL, "is by a key that is not good at its head",
                      "Put the key that is in force into its place.");
    }
    if (err == OK) {
        memcpy(in->member, record.member.at, record.member.len);
        in->member[record.member.len] = '\0';
        err = pubkey_parse(&key, record.spki);
    }
    if (err == OK) {
        err = receipt_check(&in->receipt, &in->header, key, NULL, why);
    }
    pubkey_free(key);
    buf_clear(&bytes);
    return err;
}

/* Under the lock from here on. */
static enum err note_speaker(struct attested *attested, const struct incoming *in, struct why *why)
{
    struct speaker *speaker = attested->speakers;
    struct speaker *end = speaker + attested->speaker_count;
    while (speaker < end && !hash_equal(&speaker->kid, &in->receipt.kid)) {
        speaker++;
    }
    if (speaker == end) {
        if (attested->speaker_count == SPEAKERS_MAX) {
            return why_say(why, ERR_RANGE, "receipt", NULL, "is by more keys than are remembered",
                           "Start the node anew.");
        }
        attested->speaker_count++;
        speaker->kid = in->receipt.kid;
        memcpy(speaker->member, in->member, sizeof speaker->member);
    }
    if (in->header.height > speaker->height) {
        speaker->height = in->header.height;
    }
    return OK;
}

static void hold(struct attested *attested, const struct incoming *in, bool waits)
{
    struct said *said = mem_zalloc(sizeof *said);
    struct said **chain = chain_of(attested, in->header.height);
    said->height = in->header.height;
    said->kid = in->receipt.kid;
    said->head = in->head;
    memcpy(said->member, in->member, sizeof said->member);
    said->waits = waits;
    buf_put(&said->receipt, in->receipt_bytes);
    if (waits) {
        buf_put(&said->header, in->header_bytes);
    } else {
        attested->unwritten++;
    }
    said->next = *chain;
    *chain = said;
}

/* It signs another head than the one that is held of its key. */
static void accuse_two(struct node *node, const struct incoming *in, const struct said *held,
                       const struct view *view)
{
    struct buf own = {0};
    struct contradiction contradiction = {
        .member = in->member,
        .kid = &in->receipt.kid,
        .height = in->header.height,
        .count = 2,
        .sides = {{in->header_bytes, in->receipt_bytes},
                  {buf_bytes(&held->header), buf_bytes(&held->receipt)}}};
    if (!held->waits && view_block(view, held->height, &own) == OK) {
        contradiction.sides[1].header = buf_bytes(&own);
    }
    accuse(node, &contradiction);
    buf_clear(&own);
}

/* Of a height that was executed here. */
static enum err place_below(struct node *node, const struct view *view, const struct incoming *in,
                            enum receipt_fate *fate)
{
    struct buf header = {0};
    TRY(view_block(view, in->header.height, &header));
    struct contradiction one = {.member = in->member,
                                .kid = &in->receipt.kid,
                                .height = in->header.height,
                                .count = 1,
                                .sides = {{in->header_bytes, in->receipt_bytes}}};
    if (!bytes_equal(buf_bytes(&header), in->header_bytes)) {
        accuse_other(node, &one, &header);
        *fate = RECEIPT_DIFFERS;
    } else if (view_header(view)->height - in->header.height > RECEIPTS_BELOW) {
        accusation_complete(node, &one);
        *fate = RECEIPT_FAR;
    } else {
        accusation_complete(node, &one);
        hold(node->attested, in, false);
        *fate = RECEIPT_KEPT;
    }
    buf_clear(&header);
    return OK;
}

static enum err place(struct node *node, const struct view *view, const struct incoming *in,
                      enum receipt_fate *fate)
{
    uint64_t head = view_header(view)->height;
    const struct said *held = find_said(node->attested, in->header.height, &in->receipt.kid);
    if (held && hash_equal(&held->head, &in->head)) {
        *fate = RECEIPT_KNOWN;
    } else if (held) {
        accuse_two(node, in, held, view);
        *fate = RECEIPT_DIFFERS;
    } else if (in->header.height <= head) {
        return place_below(node, view, in, fate);
    } else if (in->header.height - head > RECEIPTS_AHEAD) {
        *fate = RECEIPT_FAR;
    } else {
        hold(node->attested, in, true);
        *fate = RECEIPT_WAITS;
    }
    return OK;
}

/* Whether that very receipt's head is held already, so that nothing needs to be verified. */
static bool is_known(struct attested *attested, const struct incoming *in)
{
    pthread_mutex_lock(&attested->lock);
    const struct said *held = find_said(attested, in->header.height, &in->receipt.kid);
    bool known = held && hash_equal(&held->head, &in->head);
    pthread_mutex_unlock(&attested->lock);
    return known;
}

static enum err take(struct node *node, const struct view *view, struct incoming *in,
                     enum receipt_fate *fate, struct why *why)
{
    struct attested *attested = node->attested;
    if (is_known(attested, in)) {
        *fate = RECEIPT_KNOWN;
        return OK;
    }
    TRY(signer_check(in, view, why));
    pthread_mutex_lock(&attested->lock);
    enum err err = note_speaker(attested, in, why);
    if (err == OK) {
        err = settle(node, view);
        err = err == OK ? place(node, view, in, fate) : err;
        if (err != OK) {
            why_say(why, err, "block", NULL, NULL, "Check the disk.");
        }
    }
    pthread_mutex_unlock(&attested->lock);
    return err;
}

enum err node_take_receipt(struct node *node, struct bytes header, struct bytes receipt,
                           enum receipt_fate *fate, struct why *why)
{
    struct incoming *in = mem_zalloc(sizeof *in);
    struct view *view = node_view(node);
    enum err err = incoming_parse(in, view, header, receipt, why);
    if (err == OK) {
        err = take(node, view, in, fate, why);
    }
    if (err == OK) {
        metric_add(METRIC_NODE_RECEIPTS_TAKEN, *fate, 1);
    }
    view_release(view);
    free(in);
    return err;
}

/* ---- writing */

static void put_all(struct attested *attested, struct batch *batch)
{
    for (size_t i = 0; i < SAID_CHAINS; i++) {
        for (struct said *said = attested->chains[i]; said; said = said->next) {
            uint8_t key[KEY_LEN];
            if (!said->waits && !said->written) {
                batch_put(batch, FAMILY_ATTEST, attest_key(key, said->height, &said->kid),
                          buf_bytes(&said->receipt));
                said->written = true;
            }
        }
    }
    attested->unwritten = 0;
}

enum err node_write_receipts(struct node *node)
{
    struct attested *attested = node->attested;
    struct view *view = node_view(node);
    pthread_mutex_lock(&attested->lock);
    enum err err = settle(node, view);
    struct batch *batch = attested->unwritten > 0 ? batch_new() : NULL;
    if (batch) {
        put_all(attested, batch);
    }
    pthread_mutex_unlock(&attested->lock);
    view_release(view);
    if (batch) {
        enum err stored = store_commit(node->store, batch);
        err = err == OK ? stored : err;
        batch_free(batch);
    }
    return err;
}

/* ---- giving */

static bool holds_kid(const struct node_receipts *receipts, const struct hash *kids,
                      const struct hash *kid)
{
    for (size_t i = 0; i < receipts->count; i++) {
        if (hash_equal(&kids[i], kid)) {
            return true;
        }
    }
    return false;
}

/* Keeps the kids ascending. */
static void add_receipt(struct node_receipts *out, struct hash *kids, const struct hash *kid,
                        struct bytes receipt)
{
    if (out->count == sizeof out->at / sizeof *out->at || holds_kid(out, kids, kid)) {
        return;
    }
    size_t at = out->count++;
    while (at > 0 && memcmp(kids[at - 1].at, kid->at, sizeof kid->at) > 0) {
        kids[at] = kids[at - 1];
        out->at[at] = out->at[at - 1];
        at--;
    }
    kids[at] = *kid;
    out->at[at] = (struct buf){0};
    buf_put(&out->at[at], receipt);
}

/* What was written by this process or an earlier one; receipts that no longer count are left out.
 */
static enum err add_stored(struct node *node, const struct view *view, struct node_receipts *out,
                           struct hash *kids)
{
    uint8_t key[KEY_LEN];
    const struct hash none = {{0}};
    attest_key(key, view_header(view)->height, &none);
    struct cursor *cursor = cursor_open(node->store, NULL, FAMILY_ATTEST);
    bool found = cursor_seek(cursor, (struct bytes){key, KEY_LEN});
    while (found && cursor_key(cursor).len == KEY_LEN &&
           memcmp(cursor_key(cursor).at, key, KEY_LEN - KEY_KID_LEN) == 0) {
        struct receipt receipt;
        struct bytes value = cursor_value(cursor);
        if (receipt_parse(&receipt, value) == OK &&
            hash_equal(&receipt.header_hash, view_header_hash(view)) &&
            !is_accused(node, &receipt.kid)) {
            add_receipt(out, kids, &receipt.kid, value);
        }
        found = cursor_next(cursor);
    }
    enum err err = cursor_err(cursor);
    cursor_close(cursor);
    return err;
}

enum err node_receipts_of(struct node *node, const struct view *view, struct node_receipts *out)
{
    struct attested *attested = node->attested;
    uint64_t height = view_header(view)->height;
    struct hash *kids = mem_zalloc(PROOF_RECEIPTS_MAX * sizeof *kids);
    struct view *newest = node_view(node);
    pthread_mutex_lock(&attested->lock);
    enum err err = settle(node, newest);
    for (struct said *said = *chain_of(attested, height); said; said = said->next) {
        if (said->height == height && !said->waits &&
            hash_equal(&said->head, view_header_hash(view)) && !is_accused(node, &said->kid)) {
            add_receipt(out, kids, &said->kid, buf_bytes(&said->receipt));
        }
    }
    if (err == OK) {
        err = add_stored(node, view, out, kids);
    }
    pthread_mutex_unlock(&attested->lock);
    view_release(newest);
    free(kids);
    return err;
}

void node_receipts_clear(struct node_receipts *receipts)
{
    for (size_t i = 0; i < receipts->count; i++) {
        buf_clear(&receipts->at[i]);
    }
    receipts->count = 0;
}

/* ---- our own */

/* Of each node the highest head that one of its keys signed, descending. */
static size_t spoken_heights(struct attested *attested, uint64_t *out)
{
    size_t count = 0;
    for (size_t i = 0; i < attested->speaker_count; i++) {
        const struct speaker *speaker = &attested->speakers[i];
        uint64_t height = speaker->height;
        bool first = true;
        for (size_t k = 0; k < attested->speaker_count; k++) {
            const struct speaker *other = &attested->speakers[k];
            bool same = k != i && strcmp(other->member, speaker->member) == 0;
            first = first && !(same && k < i);
            height = same && other->height > height ? other->height : height;
        }
        size_t at = count;
        for (; first && at > 0 && out[at - 1] < height; at--) {
            out[at] = out[at - 1];
        }
        if (first) {
            out[at] = height;
            count++;
        }
    }
    return count;
}

uint64_t node_known_height(struct node *node)
{
    uint64_t heights[SPEAKERS_MAX];
    struct view *view = node_view(node);
    uint64_t known = view_header(view)->height;
    view_release(view);
    pthread_mutex_lock(&node->attested->lock);
    size_t liars = node->attested->liars_max;
    size_t count = spoken_heights(node->attested, heights);
    pthread_mutex_unlock(&node->attested->lock);
    return count > liars && heights[liars] > known ? heights[liars] : known;
}

/* A node that is far behind what others signed signs nothing until it has caught up. */
static enum err caught_up_check(struct node *node, uint64_t head, struct why *why)
{
    uint64_t known = node_known_height(node);
    struct attested *attested = node->attested;
    pthread_mutex_lock(&attested->lock);
    if (known <= head) {
        attested->caught_up = true;
    } else if (known - head > FAR_BEHIND) {
        attested->caught_up = false;
    }
    bool good = attested->caught_up;
    pthread_mutex_unlock(&attested->lock);
    return good ? OK
                : why_sayf(why, ERR_BUSY, "node", "has not caught up with what others signed",
                           "Wait until it has every block.", "height %llu of %llu",
                           (unsigned long long)head, (unsigned long long)known);
}

static enum err sign_own(struct node *node, const struct view *view, const struct header *header,
                         struct buf *out, struct why *why)
{
    TRY(node_check_key(node, view, node->receipt, PURPOSE_RECEIPT, header->first_index, why));
    size_t before = out->len;
    enum err err = receipt_sign(out, header, node_name(node), node->receipt);
    if (err != OK) {
        out->len = before;
        return node_sign_failed(node, node->receipt, err, why);
    }
    return OK;
}

static enum err own_receipt(struct node *node, const struct view *view, struct bytes header,
                            struct buf *out, struct why *why)
{
    struct header parsed;
    struct hash head;
    TRY(header_parse(&parsed, header));
    sha256(&head, header);
    struct own_receipt *kept = &node->attested->own[parsed.height % OWN_KEPT];
    pthread_mutex_lock(&node->attested->lock);
    bool found = hash_equal(&kept->head, &head);
    if (found) {
        buf_put(out, buf_bytes(&kept->receipt));
    }
    pthread_mutex_unlock(&node->attested->lock);
    if (found) {
        return OK;
    }
    size_t before = out->len;
    TRY(sign_own(node, view, &parsed, out, why));
    pthread_mutex_lock(&node->attested->lock);
    kept->head = head;
    kept->receipt.len = 0;
    buf_put(&kept->receipt, (struct bytes){out->at + before, out->len - before});
    pthread_mutex_unlock(&node->attested->lock);
    return OK;
}

enum err node_own_receipt(struct node *node, uint64_t height, struct buf *header,
                          struct buf *receipt, struct why *why)
{
    if (!node->receipt) {
        *why = node->read_only;
        return ERR_READ_ONLY;
    }
    struct view *view = node_view(node);
    size_t before = header->len;
    enum err err = caught_up_check(node, view_header(view)->height, why);
    if (err == OK) {
        err = view_block(view, height, header);
        if (err != OK) {
            why_say(why, err, "block", NULL, NULL, "Check the disk.");
        }
    }
    if (err == OK) {
        struct bytes bytes = {header->at + before, header->len - before};
        err = own_receipt(node, view, bytes, receipt, why);
    }
    view_release(view);
    return err;
}

/* ---- claims */

size_t node_claims(struct node *node, uint64_t height, struct node_claim *out, size_t max)
{
    struct attested *attested = node->attested;
    size_t count = 0;
    pthread_mutex_lock(&attested->lock);
    for (struct said *said = *chain_of(attested, height); said && count < max; said = said->next) {
        if (said->height != height) {
            continue;
        }
        struct node_claim *claim = &out[count++];
        *claim = (struct node_claim){
            .kid = said->kid, .height = height, .head = said->head, .ours = !said->waits};
        memcpy(claim->member, said->member, sizeof claim->member);
    }
    for (size_t i = 0; i < attested->accused_count && count < max; i++) {
        const struct node_accused *accused = &attested->accused[i];
        if (accused->height == height) {
            struct node_claim *claim = &out[count++];
            *claim =
                (struct node_claim){.kid = accused->kid, .height = height, .head = accused->head};
            memcpy(claim->member, accused->member, sizeof claim->member);
        }
    }
    pthread_mutex_unlock(&attested->lock);
    return count;
}
