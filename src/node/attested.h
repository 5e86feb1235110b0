/* What the other nodes of a ledger say about its heads: the receipts that they push.
 *
 * A receipt counts for a head of ours if a receipt key that is good there signed exactly that head.
 * It is kept in memory while it is among the newest, and in `attest` under [2, height, first 8
 * bytes of the kid] for ever. What comes before its block was executed here waits in memory.
 *
 * Two heads of one height by one key are an accusation (protocol.md 5, Fork evidence), which is
 * stored in DIR/accusations; a head that is not ours is kept there as its half until the other one
 * comes. Receipts of that key count no more from then on, and everything goes on. Where more nodes
 * than may be lying sign another head than ours, it is not they who are set aside.
 *
 * Any thread. */
#ifndef CAIRN_NODE_ATTESTED_H
#define CAIRN_NODE_ATTESTED_H

#include "crypto/key.h"
#include "node/node.h"
#include "proof/prooffile.h"

#define NODE_ACCUSATIONS   "accusations" /* the folder in DIR */
#define PUSHED_RECEIPT_MAX 1024          /* bytes; ours have about 250 */
#define RECEIPTS_AHEAD     512           /* heights above the head whose receipts wait */
#define RECEIPTS_BELOW     256           /* heights below the head whose receipts are taken */

/* What became of a receipt. */
enum receipt_fate {
    RECEIPT_KEPT,   /* it is of a head of ours */
    RECEIPT_WAITS,  /* until the block of its height is executed here */
    RECEIPT_KNOWN,  /* it was there before, or its signer does not count any more */
    RECEIPT_FAR,    /* of a height too far above or below the head to be kept */
    RECEIPT_DIFFERS /* it signs another head than ours, or than it signed before */
};

/* Takes a receipt of another node with the header that it signs, both encoded. ERR_MISMATCH
 * (another ledger or epoch, a header that is not the receipt's), ERR_KEY (no receipt key of this
 * ledger that is good at that place), ERR_SIGNATURE, ERR_RANGE (longer than PUSHED_RECEIPT_MAX, too
 * many nodes), reader's errors, errors of the store. */
must_use enum err node_take_receipt(struct node *node, struct bytes header, struct bytes receipt,
                                    enum receipt_fate *fate, struct why *why);
/* Makes durable what was kept since the last call: one batch; nothing is written where nothing
 * came. Errors of the store. */
must_use enum err node_write_receipts(struct node *node);

/* Receipts of other nodes, one of a key each. */
struct node_receipts {
    size_t count;
    struct buf at[PROOF_RECEIPTS_MAX - 1]; /* there is room for the node's own in a proof */
};
/* All that count for the head of a view, in the order of their kids; `out` is empty before, and to
 * be cleared. Errors of the store. */
must_use enum err node_receipts_of(struct node *node, const struct view *view,
                                   struct node_receipts *out);
void node_receipts_clear(struct node_receipts *receipts);

/* Appends the header of a block of ours and the node's own receipt for it, signed once while it is
 * among the newest. ERR_RANGE beyond the head; ERR_BUSY before the node has caught up with what
 * others signed; ERR_READ_ONLY; errors of signer_sign. */
must_use enum err node_own_receipt(struct node *node, uint64_t height, struct buf *header,
                                   struct buf *receipt, struct why *why);
/* The height up to which blocks are known to exist: what more nodes signed than may be lying, or
 * our own. */
uint64_t node_known_height(struct node *node);

/* What a node said about one height. */
struct node_claim {
    char member[MEMBER_ID_MAX + 1];
    struct hash kid;
    uint64_t height;
    struct hash head; /* header hash */
    bool ours;        /* it is that of our block */
};
/* The newest claims about a height, at most `max`; returns how many. A height above the head has
 * those that wait. */
size_t node_claims(struct node *node, uint64_t height, struct node_claim *out, size_t max);

/* ---- accusations (accuse.c) */

/* A signer of what contradicts our head or itself: its receipts do not count. */
struct node_accused {
    char member[MEMBER_ID_MAX + 1];
    struct hash kid;
    uint64_t height;  /* of the first contradiction */
    struct hash head; /* what it signed there */
    bool whole;       /* there is evidence of two heads; else it signed a head that is not ours */
    bool counts; /* its receipts count: more nodes signed another head than ours than may lie */
};
/* At most `max`; returns how many. */
size_t node_accusations(struct node *node, struct node_accused *out, size_t max);

/* A header and its receipt that belong to a contradiction, for the other nodes, which may have the
 * rest of it. The n-th since the start; false if there are not so many. */
bool node_contradicting(struct node *node, size_t n, struct buf *header, struct buf *receipt);

/* ---- who may speak for a node (transport.c) */

struct node_transport_key {
    char member[MEMBER_ID_MAX + 1]; /* the node's */
    struct pubkey *key;             /* to be freed with node_transport_key_clear */
    enum alg alg;
};
/* Finds the transport key of a kid under the newest head. ERR_KEY if there is none, it is for
 * another purpose, it or its member has ended, or the member is no node; ERR_IO, ERR_CORRUPT. */
must_use enum err node_transport_key(struct node *node, const struct hash *kid,
                                     struct node_transport_key *out, struct why *why);
void node_transport_key_clear(struct node_transport_key *key);

#endif
