/* What applying the statements of a block works on: the committed state behind two functions, the
 * changes on top of it, and where the statement at hand stands. This is the inside of `struct
 * rule_context`; rules see only rules.h. */
#ifndef CAIRN_LEDGER_CONTEXT_H
#define CAIRN_LEDGER_CONTEXT_H

#include "ledger/known.h"
#include "ledger/overlay.h"
#include "proof/header.h"

/* What was accepted before the statement at hand, and the state as it was committed. */
struct ledger_past {
    void *context;
    /* Appends the committed value of a whole state key. ERR_NOT_FOUND, ERR_IO, ERR_CORRUPT. */
    enum err (*get)(void *context, struct bytes state_key, struct buf *out);
    /* Where a statement of ours with this id stands, if it was accepted within the validity window
     * or in this block. ERR_NOT_FOUND, ERR_IO, ERR_CORRUPT. */
    enum err (*seen)(void *context, const struct hash *id, uint64_t *index);
    /* The height of the block that holds an index. */
    enum err (*height)(void *context, uint64_t index, uint64_t *height);
};

struct rule_context {
    const struct rules *rules;
    struct ledger_past past;
    struct overlay *overlay;
    struct known *known;
    /* Of the block. */
    uint64_t height;
    uint64_t time_ms;
    const struct header *previous;
    struct hash previous_hash;
    uint64_t accepted; /* statements so far */
    bool next_epoch;
    enum err fault; /* the first error of the store, after which nothing counts */
    /* Of the statement at hand, or the timer. */
    bool in_timer;
    uint64_t timer_due_ms; /* of the timer at hand */
    uint64_t index;
    struct bytes module;
    struct hash kid;
    struct bytes member;
    uint8_t member_at[MEMBER_ID_MAX];
    bool wants_next_epoch;
    size_t put_len;   /* bytes of keys and values that it has put or deleted */
    struct buf key;   /* scratch: a whole state key */
    struct buf value; /* scratch: a state value */
};

/* Writes the whole state key CBOR [module, key] into `out`, which it empties first. */
void state_key_write(struct buf *out, struct bytes module, struct bytes key);

/* Appends the value of a whole state key as the block has it so far. ERR_NOT_FOUND; an error of the
 * store, which also becomes context->fault. */
must_use enum err context_get(struct rule_context *context, struct bytes state_key,
                              struct buf *out);
/* The record of a kid, or of a member, decoded. Stays until the state changes under it.
 * ERR_NOT_FOUND; ERR_CORRUPT and ERR_IO become context->fault. */
must_use enum err context_key(struct rule_context *context, const struct known_record **out,
                              const struct hash *kid);
must_use enum err context_member(struct rule_context *context, const struct known_record **out,
                                 struct bytes member);
/* Takes a whole state key out of the state. */
void context_delete(struct rule_context *context, struct bytes state_key);
/* Forgets the changes since the last overlay_keep, or all of them. */
void context_undo(struct rule_context *context);
void context_clear(struct rule_context *context);

#endif
