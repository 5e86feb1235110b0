/* What attested.c and accuse.c share. */
#ifndef CAIRN_NODE_ATTESTED_INTERNAL_H
#define CAIRN_NODE_ATTESTED_INTERNAL_H

#include "node/attested.h"
#include "node/internal.h"

#define ATTEST_RECEIPT    2 /* the first byte of a key in `attest`: height, kid -> receipt */
#define SAID_CHAINS       1024
#define SPEAKERS_MAX      256
#define OWN_KEPT          128 /* own receipts that are not signed anew */
#define CONTRADICTING_MAX 64

/* One receipt. */
struct said {
    struct said *next; /* in its chain */
    uint64_t height;
    struct hash kid;
    struct hash head;
    char member[MEMBER_ID_MAX + 1];
    bool waits; /* for the block of its height */
    bool written;
    struct buf header; /* while it waits */
    struct buf receipt;
};

/* A receipt key that was heard of, and the highest head that it signed. */
struct speaker {
    struct hash kid;
    char member[MEMBER_ID_MAX + 1];
    uint64_t height;
};

struct own_receipt {
    struct hash head; /* zero: none */
    struct buf receipt;
};

/* A header and a receipt. */
struct pair_said {
    struct buf header;
    struct buf receipt;
};

struct attested {
    pthread_mutex_t lock;             /* of all below */
    struct said *chains[SAID_CHAINS]; /* by height */
    uint64_t settled;                 /* height up to which nothing waits */
    size_t unwritten;
    size_t speaker_count;
    struct speaker speakers[SPEAKERS_MAX];
    struct own_receipt own[OWN_KEPT]; /* by height */
    bool caught_up;
    size_t liars_max; /* of the regime, as of `settled` */
    size_t accused_count;
    struct node_accused accused[SPEAKERS_MAX];
    size_t contradicting_count;
    struct pair_said contradicting[CONTRADICTING_MAX];
};

/* What stands against a key: one head that it signed and that is not ours, or two heads. */
struct contradiction {
    const char *member;
    const struct hash *kid;
    uint64_t height;
    size_t count;
    struct {
        struct bytes header;
        struct bytes receipt;
    } sides[2];
};

/* Stores, logs and counts it, and what it says of its key; what is known already changes nothing.
 * Under the lock. */
void accuse(struct node *node, const struct contradiction *contradiction);
/* Its key signed our head, `good->sides[0]`: that is the other half of what may stand against it.
 * Under the lock. */
void accusation_complete(struct node *node, const struct contradiction *good);
/* Whether receipts of the key do not count: evidence of two heads, or a head that is not ours and
 * that not more nodes signed than may be lying. Under the lock. */
bool is_accused(struct node *node, const struct hash *kid);
/* Reads DIR/accusations. ERR_IO, and what is no evidence there. */
must_use enum err accusations_load(struct node *node, struct why *why);

#endif
