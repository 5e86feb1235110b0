/* The ledger from the inside: what stands committed, and the block that was executed on top. */
#ifndef CAIRN_LEDGER_LEDGER_INTERNAL_H
#define CAIRN_LEDGER_LEDGER_INTERNAL_H

#include "ledger/context.h"
#include "ledger/ledger.h"
#include "ledger/recent.h"
#include "ledger/statetree.h"
#include "ledger/tiletree.h"

/* Where the tiles of one tree come from. */
struct tile_family {
    struct store *store;
    enum family tiles;
    enum err (*leaf)(struct store *store, uint64_t index, struct hash *out);
};

/* What stands on the disk. */
struct committed {
    struct header header;
    struct hash header_hash;
    struct tiletree *log;     /* header.tree_size leaves */
    struct tiletree *history; /* header.height + 1 leaves */
    struct statetree *state;
};

/* A statement that the executed block accepted. The submission itself is asked for its bytes only
 * when they are written. */
struct accepted {
    const struct submission *submission;
    struct hash id;
    bool foreign;
};

/* The block that was executed and is neither committed nor discarded. */
struct executed {
    bool standing;
    struct header header;
    struct hash header_hash;
    uint64_t engine_height; /* 0: no CometBFT block brought it */
    struct statetree *state;
    struct accepted *accepted; /* in the order of the log */
    size_t accepted_cap;
    size_t len;            /* of statements, items, state keys and values */
    uint64_t fired;        /* timers */
    uint64_t failed;       /* of these, whose rule gave an error */
    uint64_t timer_due_ms; /* of the earliest that then stands */
};

struct views;

struct ledger {
    struct store *store;
    bool failed; /* a commit failed: what is on the disk is not known */
    struct tile_family log_tiles;
    struct tile_family history_tiles;
    struct committed head;
    struct executed block;
    struct rule_context context;
    struct recent *recent;
    uint64_t expiry_ms;     /* no id in `recent` of the store is valid only until before */
    uint64_t engine_height; /* of the last CometBFT block that is durable */
    uint64_t timer_due_ms;  /* of the earliest timer in the committed state; UINT64_MAX: none */
    struct buf expired;     /* keys and values of `recent` that the batch deletes */
    struct statement_result *results;
    size_t results_cap;
    struct batch *batch;
    struct views *views;
};

/* The tree source of a family; `family` must live as long as the tree and its views. */
struct tile_source tile_family_source(struct tile_family *family);
/* Leaf hashes of the two trees, read from the store. ERR_CORRUPT, ERR_IO. */
must_use enum err log_leaf(struct store *store, uint64_t index, struct hash *out);
must_use enum err history_leaf(struct store *store, uint64_t height, struct hash *out);

/* Puts the state that the overlay describes on top of `state`. The caller owns the new version and
 * releases both. */
struct statetree *state_advance(struct statetree *state, const struct overlay *overlay);

/* Fires the timers that are due at the block's time, TIMERS_MAX at most, on a block that has begun;
 * counts in ledger->block. ERR_IO, ERR_CORRUPT; ERR_VERSION if a timer is of a module that these
 * rules don't have. */
must_use enum err timers_fire(struct ledger *ledger);
/* Notes in ledger->block when the earliest timer is due once the block is committed. ERR_IO,
 * ERR_CORRUPT. */
must_use enum err timers_seal(struct ledger *ledger);
/* Finds the earliest timer of the committed state. ERR_IO, ERR_CORRUPT. */
must_use enum err timers_load(struct ledger *ledger);

/* What execution reads of the past; its context is the ledger. */
struct ledger_past ledger_past(struct ledger *ledger);

/* Puts a block's own part into a batch: header, head, state changes, full tiles. */
struct block_part {
    const struct header *header;
    const struct hash *header_hash;
    const struct overlay *overlay;
    const struct tiletree *log;
    const struct tiletree *history;
    uint64_t engine_height; /* 0: none */
};
void batch_put_block(struct batch *batch, const struct block_part *part);
/* Puts the height of the last executed CometBFT block, or reads it: 0 if there is none. */
void batch_put_engine(struct batch *batch, uint64_t engine_height);
must_use enum err engine_height_load(struct store *store, uint64_t *out);
void batch_put_entry(struct batch *batch, uint64_t index, uint64_t height, struct bytes entry);

/* The published view. */
struct views *views_new(void);
void views_free(struct views *views);
/* Publishes the view of the committed head in place of the one before. */
void views_publish(struct views *views, const struct ledger *ledger);
struct view *views_current(struct views *views);

/* As of the view: the value of a whole state key. ERR_NOT_FOUND, ERR_IO, ERR_CORRUPT. */
must_use enum err view_state_get(const struct view *view, struct bytes state_key, struct buf *out);

#endif
