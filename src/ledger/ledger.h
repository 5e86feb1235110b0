/* The ledger: apply(state, block) -> state, results. A pure function of its blocks; durable when
 * commit says so.
 *
 * One thread, the owner, executes and commits. Execution happens in memory, may be repeated and
 * discarded. Any thread may hold a view (view.h) of the last committed head. */
#ifndef CAIRN_LEDGER_LEDGER_H
#define CAIRN_LEDGER_LEDGER_H

#include "ledger/genesis.h"
#include "ledger/rules.h"
#include "ledger/view.h"
#include "store/store.h"

struct ledger;

/* Writes block 0 with the genesis document at `time_ms` into an empty store and returns when it is
 * on the disk. ERR_EXISTS if the store has a ledger; genesis_parse's errors. */
must_use enum err ledger_create(struct store *store, struct bytes genesis, uint64_t time_ms,
                                struct hash *header_hash, struct why *why);

/* Opens the ledger of a store, which must outlive it; `rules` likewise. Reads the whole state, and
 * takes nothing whose roots differ from the last header's. ERR_NOT_FOUND if the store
 * has none, ERR_VERSION, ERR_CORRUPT. The caller closes *out. */
must_use enum err ledger_open(struct ledger **out, struct store *store, const struct rules *rules,
                              struct why *why);
void ledger_close(struct ledger *ledger);
/* The number of the store's ledger format; ERR_VERSION if this program does not read it,
 * ERR_NOT_FOUND if there is no ledger. */
must_use enum err ledger_format(uint64_t *out, struct store *store, struct why *why);

/* How many bytes a block may bring: entries, encoded items, and the keys and values that rules put
 * or delete. Statements that would go beyond are refused with ERR_BUSY (the first one always
 * fits). */
#define BLOCK_LEN_MAX ((size_t)40 << 20)

/* What the orderer decided. Time is at least the last header's. Submissions stay until the block is
 * committed, or will not be; the ledger notes verdicts and the ids of foreign statements in them.
 */
struct block_input {
    uint64_t time_ms;
    struct submission *const *submissions;
    size_t count;
    uint64_t engine_height; /* of the CometBFT block that this is; 0: none ordered it */
};

/* What became of one statement. */
struct statement_result {
    enum err err; /* OK: it stands in the log, from now or from before */
    bool seen;    /* it was there before: the places are those of the first time */
    struct hash id;
    uint64_t index;  /* log index */
    uint64_t height; /* of its block */
    struct why why;  /* where err is not OK */
};

struct block_result {
    bool changed; /* false: nothing accepted, no timer fired: no header, nothing to commit */
    struct header header; /* the new head if changed, else the standing one */
    struct hash header_hash;
    struct statement_result *results; /* one per submission, in order; owned by the ledger, valid
                                         until the next execute */
    size_t count;
    uint64_t timers_fired;  /* before the statements */
    uint64_t timers_failed; /* of these: their rule gave an error, what it changed is forgotten */
};

/* Executes a block on the committed state; whatever an earlier execute left is discarded. Timers
 * that are due at the block's time fire first (rules.h), then come the statements; refused ones
 * change nothing. Signatures not yet verified are verified here. ERR_IO or ERR_CORRUPT if the store
 * fails; ERR_RANGE if time runs backwards; ERR_VERSION if a timer is of a module that the rules
 * don't have. */
must_use enum err ledger_execute(struct ledger *ledger, const struct block_input *input,
                                 struct block_result *out);
/* Makes the executed block durable (one fsync) and publishes the view of its head; without one that
 * changed anything, does nothing. ERR_IO, ERR_CORRUPT: the ledger takes no more blocks. */
must_use enum err ledger_commit(struct ledger *ledger);
/* Forgets the executed block. */
void ledger_discard(struct ledger *ledger);

/* The height of the last CometBFT block that is known to be executed and durable here; 0 before the
 * first. Of one that changed the ledger it is written in the block's own batch, under `attest` too
 * (4, height -> the CometBFT height that brought it); of others now and then. Owner's thread. */
uint64_t ledger_engine_height(const struct ledger *ledger);
/* Notes that the CometBFT block at this height changed nothing; durable every ENGINE_NOTE_EVERY of
 * them. ERR_IO: as ledger_commit. */
#define ENGINE_NOTE_EVERY 64
must_use enum err ledger_passed(struct ledger *ledger, uint64_t engine_height);

/* When the earliest timer of the committed state is due, ms; UINT64_MAX if there is none. The
 * owner's thread. */
uint64_t ledger_timer_due(const struct ledger *ledger);

/* The view of the last committed head, retained for the caller. Any thread. */
struct view *ledger_view(struct ledger *ledger);

/* SPKI, alg and WebAuthn settings of a registered key, as of the last commit, whether or not it is
 * still in force: what a signature check needs and what never changes. Appends the encoded key
 * record. ERR_NOT_FOUND. Any thread. For a foreign statement, the record that lists one of its
 * names. */
must_use enum err ledger_signer(struct ledger *ledger, const struct statement *statement,
                                struct buf *record);

#endif
