/* A ledger that comes out the same wherever it is made: every key, nonce and random number is the
 * SHA-256 of a label, every time is given. Only Ed25519 signs here, whose signatures follow from
 * key and message. */
#ifndef CAIRN_TEST_EXAMPLES_WORLD_H
#define CAIRN_TEST_EXAMPLES_WORLD_H

#include "ledger/ledger.h"

#define WORLD_START_MS  1767225600000u /* 2026-01-01T00:00:00Z */
#define WORLD_BLOCK_MAX 16

/* Stops the program if `err` is not OK; `what` says at which step. */
void must(enum err err, const char *what);

/* SHA-256 of a label. */
struct hash label_hash(const char *label);
/* The Ed25519 key whose seed is label_hash(label). The caller frees it. */
struct signer *label_signer(const char *label);

/* Who signs statements. */
struct person {
    const char *member;
    struct signer *signer;
};

struct world {
    char dir[64];
    struct store *store;
    struct ledger *ledger;
    struct hash chain;
    uint64_t time_ms;
    struct submission *block[WORLD_BLOCK_MAX];
    size_t count;
};

/* Makes the ledger of a genesis document in a folder of its own. */
void world_open(struct world *world, struct bytes genesis);
/* Removes the folder too. */
void world_close(struct world *world);

/* What a statement says; `type` is "evidence.deposit". */
struct saying {
    const char *label; /* of its nonce */
    const char *type;
    struct bytes body;
    const struct hash *mandate;
    struct items *items; /* taken over */
};
/* Puts a statement into the block that is being made; the submission stays the world's until the
 * block is closed. */
struct submission *world_say(struct world *world, const struct person *person,
                             const struct saying *saying);
/* The same for an entry that is signed already, and a foreign one's. */
struct submission *world_take(struct world *world, struct bytes entry, struct items *items);
/* Makes the block one second after the last; stops the program if anything is refused. The next
 * statement begins another. */
void world_commit(struct world *world);

/* Prints a line; `rule` is one of docs/cairn.cddl, or "bytes". */
void emit(const char *name, const char *rule, struct bytes value);
/* Prints and clears. */
void emit_buf(const char *name, const char *rule, struct buf *value);

#endif
