#include "sequence.h"

#include "crypto/digest.h"
#include "modules/modules.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TALLIES_MAX 32

struct player {
    char dir[256];
    struct store *store;
    struct ledger *ledger;
    struct sha256_state answers;
    struct tally {
        const char *action;
        uint64_t fates[FATE_REFUSED + 1];
    } tallies[TALLIES_MAX];
};

void must_succeed(enum err err, const char *call)
{
    if (err != OK) {
        fprintf(stderr, "%s: %s\n", call, err_name(err));
        exit(2);
    }
}

void block_clear(struct block_bytes *block)
{
    for (size_t i = 0; i < block->count; i++) {
        buf_clear(&block->at[i].entry);
        buf_clear(&block->at[i].items);
    }
    block->count = 0;
}

/* ---- the file */

static void put_number(struct buf *out, uint64_t value)
{
    uint8_t bytes[8];
    put_u64(bytes, value);
    buf_put(out, BYTES_OF(bytes));
}

static void put_range(struct buf *out, struct bytes range)
{
    put_number(out, range.len);
    buf_put(out, range);
}

void sequence_put_start(struct buf *out, struct bytes genesis, uint64_t time_ms)
{
    put_range(out, genesis);
    put_number(out, time_ms);
}

void sequence_put_block(struct buf *out, const struct block_bytes *block)
{
    put_number(out, block->time_ms);
    put_number(out, block->count);
    for (size_t i = 0; i < block->count; i++) {
        put_range(out, buf_bytes(&block->at[i].entry));
        put_number(out, block->at[i].has_items);
        put_range(out, buf_bytes(&block->at[i].items));
    }
}

static uint64_t take_number(struct bytes *in)
{
    MUST(in->len < 8 ? ERR_TRUNCATED : OK);
    uint64_t value = get_u64(in->at);
    *in = (struct bytes){in->at + 8, in->len - 8};
    return value;
}

static struct bytes take_range(struct bytes *in)
{
    uint64_t len = take_number(in);
    MUST(in->len < len ? ERR_TRUNCATED : OK);
    struct bytes range = {in->at, (size_t)len};
    *in = (struct bytes){in->at + len, in->len - (size_t)len};
    return range;
}

void sequence_play(struct bytes file)
{
    struct bytes genesis = take_range(&file);
    struct player *player = player_new(genesis, take_number(&file));
    struct block_bytes block = {0};
    enum fate fates[SEQUENCE_BLOCK_MAX];
    while (file.len > 0) {
        block.time_ms = take_number(&file);
        block.count = (size_t)take_number(&file);
        MUST(block.count > SEQUENCE_BLOCK_MAX ? ERR_RANGE : OK);
        for (size_t i = 0; i < block.count; i++) {
            buf_put(&block.at[i].entry, take_range(&file));
            block.at[i].has_items = take_number(&file) != 0;
            buf_put(&block.at[i].items, take_range(&file));
        }
        player_play(player, &block, fates);
        block_clear(&block);
    }
    player_print(player);
    player_free(player);
}

/* ---- the ledger */

struct player *player_new(struct bytes genesis, uint64_t time_ms)
{
    struct player *player = mem_zalloc(sizeof *player);
    struct store_options options = {.cache_len = 8 << 20, .create = true};
    struct hash header_hash;
    struct why why = {0};
    const char *tmp = getenv("TMPDIR");
    snprintf(player->dir, sizeof player->dir, "%s/cairn-determinism-XXXXXX", tmp ? tmp : "/tmp");
    MUST(mkdtemp(player->dir) ? OK : ERR_IO);
    sha256_init(&player->answers);
    MUST(store_open(&player->store, player->dir, &options, &why));
    MUST(ledger_create(player->store, genesis, time_ms, &header_hash, &why));
    MUST(ledger_open(&player->ledger, player->store, &modules_rules, &why));
    return player;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

void player_free(struct player *player)
{
    ledger_close(player->ledger);
    store_close(player->store);
    MUST(nftw(player->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 ? OK : ERR_IO);
    free(player);
}

struct view *player_view(struct player *player)
{
    return ledger_view(player->ledger);
}

static void answer_number(struct player *player, uint64_t value)
{
    uint8_t bytes[8];
    put_u64(bytes, value);
    sha256_update(&player->answers, BYTES_OF(bytes));
}

static void answer(struct player *player, enum err err, const struct why *why)
{
    answer_number(player, (uint64_t)err);
    if (err != OK) {
        char text[1024];
        why_print(why, err, text, sizeof text);
        sha256_update(&player->answers, bytes_text(text));
    }
}

static enum err take_items(struct submission *out, struct bytes sequence, struct why *why)
{
    struct deposit deposit;
    TRY(deposit_parse(&deposit, out->statement.sign1.payload));
    out->items = items_new(deposit.count);
    TRY(items_feed(out->items, sequence, why));
    return items_finish(out->items, &deposit.items_root, why);
}

/* What stands before the ledger: all that needs no state. */
static enum err submission_fill(struct submission *out, const struct statement_bytes *bytes,
                                struct why *why)
{
    buf_put(&out->entry, buf_bytes(&bytes->entry));
    TRY(statement_parse(&out->statement, buf_bytes(&out->entry), why));
    TRY(rules_find(&modules_rules, &out->statement, &out->action, why));
    if (!out->statement.foreign) {
        statement_id(&out->id, &out->statement, NULL);
    }
    leaf_hash(&out->leaf, buf_bytes(&out->entry));
    if (bytes->has_items) {
        TRY(take_items(out, buf_bytes(&bytes->items), why));
    }
    return out->action->check ? out->action->check(out, why) : OK;
}

/* One row for each action, in the order in which they came. */
static void count(struct player *player, const struct action *action, enum fate fate)
{
    const char *name = action ? action->name : "unknown";
    for (size_t i = 0; i < TALLIES_MAX; i++) {
        struct tally *tally = &player->tallies[i];
        if (!tally->action || strcmp(tally->action, name) == 0) {
            tally->action = name;
            tally->fates[fate]++;
            return;
        }
    }
}

static void note_result(struct player *player, const struct statement_result *result,
                        enum fate *fate)
{
    answer(player, result->err, &result->why);
    if (result->err == OK) {
        sha256_update(&player->answers, hash_bytes(&result->id));
        answer_number(player, result->seen);
        answer_number(player, result->index);
        answer_number(player, result->height);
    }
    *fate = result->err != OK ? FATE_REFUSED : result->seen ? FATE_SEEN : FATE_TAKEN;
}

void player_play(struct player *player, const struct block_bytes *block,
                 enum fate fates[SEQUENCE_BLOCK_MAX])
{
    struct submission *submissions[SEQUENCE_BLOCK_MAX];
    size_t number[SEQUENCE_BLOCK_MAX];
    struct block_input input = {.time_ms = block->time_ms, .submissions = submissions};
    for (size_t i = 0; i < block->count; i++) {
        struct submission *submission = mem_zalloc(sizeof *submission);
        struct why why = {0};
        enum err err = submission_fill(submission, &block->at[i], &why);
        if (err == OK) {
            number[input.count] = i;
            submissions[input.count++] = submission;
        } else {
            answer(player, err, &why);
            fates[i] = FATE_REFUSED;
            count(player, submission->action, FATE_REFUSED);
            submission_free(submission);
        }
    }
    struct block_result result;
    MUST(ledger_execute(player->ledger, &input, &result));
    sha256_update(&player->answers, hash_bytes(&result.header_hash));
    for (size_t i = 0; i < result.count; i++) {
        note_result(player, &result.results[i], &fates[number[i]]);
        count(player, submissions[i]->action, fates[number[i]]);
    }
    MUST(ledger_commit(player->ledger));
    for (size_t i = 0; i < input.count; i++) {
        submission_free(submissions[i]);
    }
}

static void print_hash(const char *what, const struct hash *hash)
{
    char text[2 * sizeof hash->at + 1];
    for (size_t i = 0; i < sizeof hash->at; i++) {
        snprintf(text + 2 * i, 3, "%02x", hash->at[i]);
    }
    printf("%s %s\n", what, text);
}

static uint64_t family_update(struct sha256_state *state, struct store *store, enum family family)
{
    uint64_t count = 0;
    struct cursor *cursor = cursor_open(store, NULL, family);
    for (bool there = cursor_seek(cursor, BYTES_NONE); there; there = cursor_next(cursor)) {
        uint8_t lengths[9] = {(uint8_t)family};
        put_u32(lengths + 1, (uint32_t)cursor_key(cursor).len);
        put_u32(lengths + 5, (uint32_t)cursor_value(cursor).len);
        sha256_update(state, BYTES_OF(lengths));
        sha256_update(state, cursor_key(cursor));
        sha256_update(state, cursor_value(cursor));
        count++;
    }
    MUST(cursor_err(cursor));
    cursor_close(cursor);
    return count;
}

void player_print(struct player *player)
{
    struct view *view = ledger_view(player->ledger);
    const struct header *header = view_header(view);
    struct hash hash;
    puts("action           taken   seen refused");
    for (const struct tally *tally = player->tallies; tally->action; tally++) {
        printf("%-15s %6" PRIu64 " %6" PRIu64 " %7" PRIu64 "\n", tally->action,
               tally->fates[FATE_TAKEN], tally->fates[FATE_SEEN], tally->fates[FATE_REFUSED]);
    }
    printf("height %" PRIu64 ", epoch %" PRIu64 ", size %" PRIu64 "\n", header->height,
           header->epoch, header->tree_size);
    print_hash("header", view_header_hash(view));
    sha256_final(&player->answers, &hash);
    print_hash("answers", &hash);
    struct sha256_state state;
    uint64_t count = 0;
    sha256_init(&state);
    for (unsigned family = 0; family < FAMILY_COUNT; family++) {
        count += family_update(&state, player->store, (enum family)family);
    }
    sha256_final(&state, &hash);
    printf("keys %" PRIu64 "\n", count);
    print_hash("contents", &hash);
    view_release(view);
}
