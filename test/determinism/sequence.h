/* A sequence of blocks in a file, and a ledger that plays it.
 *
 * The file: genesis document and time of block 0, then blocks: time and submissions, each an entry
 * with its items, if it has any, as a CBOR sequence. Every length is a u32, big-endian. */
#ifndef CAIRN_TEST_SEQUENCE_H
#define CAIRN_TEST_SEQUENCE_H

#include "ledger/ledger.h"

#define SEQUENCE_BLOCK_MAX 64

/* Stops the program unless the call succeeds. */
#define MUST(call) must_succeed((call), #call)
void must_succeed(enum err err, const char *call);

struct statement_bytes {
    struct buf entry;
    bool has_items;
    struct buf items;
};

struct block_bytes {
    uint64_t time_ms;
    size_t count;
    struct statement_bytes at[SEQUENCE_BLOCK_MAX];
};
void block_clear(struct block_bytes *block);

void sequence_put_start(struct buf *out, struct bytes genesis, uint64_t time_ms);
void sequence_put_block(struct buf *out, const struct block_bytes *block);

/* A ledger in a temporary folder. */
struct player;
struct player *player_new(struct bytes genesis, uint64_t time_ms);
void player_free(struct player *player);

enum fate { FATE_TAKEN, FATE_SEEN, FATE_REFUSED };
/* Plays one block; `fates` says what became of each statement. */
void player_play(struct player *player, const struct block_bytes *block,
                 enum fate fates[SEQUENCE_BLOCK_MAX]);
/* The head, retained for the caller. */
struct view *player_view(struct player *player);
/* Prints what every build must print alike: counts, the last header, one SHA-256 over every answer
 * and one over every key and value of every family that is not derived. */
void player_print(struct player *player);

/* Plays a whole file. */
void sequence_play(struct bytes file);

#endif
