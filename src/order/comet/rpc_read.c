#include "order/comet/rpc_read.h"

#include "codec/text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SIGNATURE_LEN 64
#define STEP_LAST     RPC_COMMIT

/* BlockIDFlag of CometBFT. */
enum { FLAG_ABSENT = 1, FLAG_COMMIT, FLAG_NIL };

/* Reads members of objects; the first that is not what it should be is remembered, and everything
 * after it reads as nothing. */
struct reader {
    const char *bad; /* the member's name, or NULL */
    struct arena *arena;
};

static void fail(struct reader *reader, const char *name)
{
    reader->bad = reader->bad ? reader->bad : name;
}

static json_t *object_at(struct reader *reader, json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    if (!json_is_object(value)) {
        fail(reader, name);
        return NULL;
    }
    return value;
}

static json_t *array_at(struct reader *reader, json_t *object, const char *name, size_t max)
{
    json_t *value = json_object_get(object, name);
    if (!json_is_array(value) || json_array_size(value) > max) {
        fail(reader, name);
        return NULL;
    }
    return value;
}

static struct bytes text_at(struct reader *reader, json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    if (!json_is_string(value)) {
        fail(reader, name);
        return BYTES_NONE;
    }
    return (struct bytes){(const uint8_t *)json_string_value(value), json_string_length(value)};
}

static bool bool_at(struct reader *reader, json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    if (!json_is_boolean(value)) {
        fail(reader, name);
    }
    return json_is_true(value);
}

static bool digits_read(uint64_t *out, struct bytes text)
{
    *out = 0;
    bool good = text.len > 0 && (text.len == 1 || text.at[0] != '0');
    for (size_t i = 0; good && i < text.len; i++) {
        unsigned digit = (unsigned)text.at[i] - '0';
        good = digit <= 9 && *out <= (UINT64_MAX - digit) / 10;
        *out = *out * 10 + digit;
    }
    return good;
}

/* 64-bit numbers come as text, smaller ones as numbers. */
static uint64_t uint_at(struct reader *reader, json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    uint64_t out = 0;
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        return (uint64_t)json_integer_value(value);
    }
    if (!json_is_string(value) ||
        !digits_read(&out, (struct bytes){(const uint8_t *)json_string_value(value),
                                          json_string_length(value)})) {
        fail(reader, name);
        return 0;
    }
    return out;
}

/* Hex of at most COMET_HASH_MAX bytes, in the arena. */
static struct bytes hex_at(struct reader *reader, json_t *object, const char *name)
{
    struct bytes text = text_at(reader, object, name);
    size_t len = text.len / 2;
    uint8_t out[COMET_HASH_MAX];
    if (len > sizeof out || hex_read(out, len, text) != OK) {
        fail(reader, name);
        return BYTES_NONE;
    }
    return arena_copy(reader->arena, (struct bytes){out, len});
}

static void hash_at(struct reader *reader, struct hash *out, json_t *object, const char *name)
{
    *out = (struct hash){0};
    if (hex_read(out->at, sizeof out->at, text_at(reader, object, name)) != OK) {
        fail(reader, name);
    }
}

static bool is_digits(const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (at[i] < '0' || at[i] > '9') {
            return false;
        }
    }
    return true;
}

static int number_of(const uint8_t *at, size_t len)
{
    int value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value * 10 + (at[i] - '0');
    }
    return value;
}

/* The fraction ".123456789Z", of one to nine digits, or "Z". */
static bool nanos_read(uint32_t *out, struct bytes text)
{
    *out = 0;
    if (text.len == 1) {
        return text.at[0] == 'Z';
    }
    size_t digits = text.len - 2;
    if (text.len < 3 || digits > 9 || text.at[0] != '.' || text.at[text.len - 1] != 'Z' ||
        !is_digits(text.at + 1, digits)) {
        return false;
    }
    *out = (uint32_t)number_of(text.at + 1, digits);
    for (size_t i = digits; i < 9; i++) {
        *out *= 10;
    }
    return true;
}

/* RFC 3339 as Go writes it in UTC: "2026-11-25T04:41:15.018134848Z". */
static void time_at(struct reader *reader, struct comet_time *out, json_t *object, const char *name)
{
    static const char shape[] = "0000-00-00T00:00:00";
    struct bytes text = text_at(reader, object, name);
    bool good = text.len > sizeof shape - 1;
    for (size_t i = 0; good && i < sizeof shape - 1; i++) {
        good = shape[i] == '0' ? is_digits(text.at + i, 1) : text.at[i] == (uint8_t)shape[i];
    }
    *out = (struct comet_time){0};
    if (!good || !nanos_read(&out->nanos, (struct bytes){text.at + sizeof shape - 1,
                                                         text.len - (sizeof shape - 1)})) {
        fail(reader, name);
        return;
    }
    struct tm tm = {.tm_year = number_of(text.at, 4) - 1900,
                    .tm_mon = number_of(text.at + 5, 2) - 1,
                    .tm_mday = number_of(text.at + 8, 2),
                    .tm_hour = number_of(text.at + 11, 2),
                    .tm_min = number_of(text.at + 14, 2),
                    .tm_sec = number_of(text.at + 17, 2)};
    struct tm same = tm;
    out->seconds = timegm(&same);
    if (same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday || same.tm_hour != tm.tm_hour ||
        same.tm_min != tm.tm_min || same.tm_sec != tm.tm_sec) {
        fail(reader, name);
    }
}

static uint64_t time_ms_at(struct reader *reader, json_t *object, const char *name)
{
    struct comet_time time;
    time_at(reader, &time, object, name);
    return time.seconds < 0 ? 0 : comet_time_ms(&time);
}

/* A node's name into `out41`. */
static void id_at(struct reader *reader, char *out41, json_t *object, const char *name)
{
    struct bytes text = text_at(reader, object, name);
    uint8_t raw[20];
    out41[0] = 0;
    if (hex_read(raw, sizeof raw, text) != OK) {
        fail(reader, name);
    } else {
        hex_write(out41, (struct bytes){raw, sizeof raw});
    }
}

/* What its errors mean to us; the words are those of v0.40.0. */
static enum err error_of(const char *text)
{
    static const struct {
        const char *begins;
        enum err err;
    } known[] = {
        {"tx already exists in cache", ERR_EXISTS},
        {"mempool is full", ERR_BUSY},
        {"mempool is still rechecking", ERR_BUSY},
        {"Tx too large", ERR_RANGE},
        {"endpoint is closed while node is catching up", ERR_UNREACHABLE},
        {"height ", ERR_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strncmp(text, known[i].begins, strlen(known[i].begins)) == 0) {
            return known[i].err;
        }
    }
    return ERR_REFUSED;
}

static enum err say_corrupt(struct why *why, const char *field)
{
    return why_say(why, ERR_CORRUPT, field, NULL, "is not what the engine should answer",
                   "Check that it is the version that this Cairn was built with.");
}

/* Opens an answer. On success *result borrows from *answer, which the caller releases. */
static enum err answer_open(json_t **answer, json_t **result, struct bytes in, struct why *why)
{
    *answer = json_loadb((const char *)in.at, in.len, JSON_REJECT_DUPLICATES, NULL);
    json_t *error = json_object_get(*answer, "error");
    if (json_is_object(error)) {
        const char *data = json_string_value(json_object_get(error, "data"));
        const char *message = json_string_value(json_object_get(error, "message"));
        const char *text = data && data[0] ? data : message ? message : "";
        enum err err = error_of(text);
        (void)why_say(why, err, "engine", NULL, text, NULL);
        json_decref(*answer);
        return err;
    }
    *result = json_object_get(*answer, "result");
    if (json_is_null(*result)) {
        json_decref(*answer);
        return why_say(why, ERR_NOT_FOUND, "engine", NULL, "has nothing of it", NULL);
    }
    if (!json_is_object(*result)) {
        json_decref(*answer);
        return say_corrupt(why, "result");
    }
    return OK;
}

static enum err answer_close(json_t *answer, const struct reader *reader, struct why *why)
{
    enum err err = reader->bad ? say_corrupt(why, reader->bad) : OK;
    json_decref(answer);
    return err;
}

enum err rpc_read_check(struct rpc_check *out, struct bytes in, struct why *why)
{
    json_t *answer;
    json_t *result;
    TRY(answer_open(&answer, &result, in, why));
    struct reader reader = {0};
    uint64_t code = uint_at(&reader, result, "code");
    if (code > UINT32_MAX) {
        fail(&reader, "code");
    }
    struct bytes log = text_at(&reader, result, "log");
    out->code = (uint32_t)code;
    snprintf(out->log, sizeof out->log, "%.*s", (int)log.len, (const char *)log.at);
    return answer_close(answer, &reader, why);
}

/* A block's id: its hash, and the number and hash of its parts. */
static void block_id_at(struct reader *reader, json_t *object, const char *name, struct hash *hash,
                        uint64_t *total, struct hash *parts_hash)
{
    json_t *id = object_at(reader, object, name);
    json_t *parts = object_at(reader, id, "parts");
    hash_at(reader, hash, id, "hash");
    *total = uint_at(reader, parts, "total");
    hash_at(reader, parts_hash, parts, "hash");
}

static void header_read(struct reader *reader, struct comet_header *out, json_t *object)
{
    static const char *const names[COMET_HEADER_HASHES] = {
        [COMET_LAST_COMMIT] = "last_commit_hash",
        [COMET_DATA] = "data_hash",
        [COMET_VALIDATORS] = "validators_hash",
        [COMET_NEXT_VALIDATORS] = "next_validators_hash",
        [COMET_CONSENSUS] = "consensus_hash",
        [COMET_APP] = "app_hash",
        [COMET_LAST_RESULTS] = "last_results_hash",
        [COMET_EVIDENCE] = "evidence_hash",
        [COMET_PROPOSER] = "proposer_address",
    };
    json_t *version = object_at(reader, object, "version");
    out->block_version = uint_at(reader, version, "block");
    out->app_version = json_object_get(version, "app") ? uint_at(reader, version, "app") : 0;
    out->chain = arena_copy(reader->arena, text_at(reader, object, "chain_id"));
    out->height = uint_at(reader, object, "height");
    time_at(reader, &out->time, object, "time");
    json_t *last = object_at(reader, object, "last_block_id");
    out->has_last_block = text_at(reader, last, "hash").len > 0;
    if (out->has_last_block) {
        block_id_at(reader, object, "last_block_id", &out->last_block, &out->last_parts_total,
                    &out->last_parts_hash);
    }
    for (size_t i = 0; i < COMET_HEADER_HASHES; i++) {
        out->hashes[i] = hex_at(reader, object, names[i]);
    }
}

static void vote_read(struct reader *reader, struct comet_vote *out, json_t *object)
{
    uint64_t flag = uint_at(reader, object, "block_id_flag");
    if (flag < FLAG_ABSENT || flag > FLAG_NIL) {
        fail(reader, "block_id_flag");
    }
    out->there = flag == FLAG_COMMIT;
    if (!out->there) {
        return;
    }
    time_at(reader, &out->time, object, "timestamp");
    struct buf raw = {0};
    if (base64_append(&raw, text_at(reader, object, "signature")) != OK ||
        raw.len != SIGNATURE_LEN) {
        fail(reader, "signature");
    } else {
        out->signature = arena_copy(reader->arena, buf_bytes(&raw));
    }
    buf_clear(&raw);
}

/* The commit, and that it is one of this header. */
static void commit_fill(struct reader *reader, struct commit *out, json_t *signed_header)
{
    header_read(reader, &out->header, object_at(reader, signed_header, "header"));
    json_t *commit = object_at(reader, signed_header, "commit");
    struct hash signed_hash;
    struct hash hash;
    out->round = uint_at(reader, commit, "round");
    block_id_at(reader, commit, "block_id", &signed_hash, &out->parts_total, &out->parts_hash);
    json_t *votes = array_at(reader, commit, "signatures", VALIDATORS_MAX);
    out->vote_count = json_array_size(votes);
    out->votes = arena_array(reader->arena, out->vote_count, sizeof *out->votes);
    for (size_t i = 0; i < out->vote_count; i++) {
        vote_read(reader, &out->votes[i], json_array_get(votes, i));
    }
    if (reader->bad) {
        return;
    }
    comet_header_hash(&hash, &out->header);
    if (!hash_equal(&hash, &signed_hash) ||
        uint_at(reader, commit, "height") != out->header.height) {
        fail(reader, "block_id");
    }
}

enum err rpc_read_commit(struct commit *out, struct bytes in, struct arena *arena, struct why *why)
{
    *out = (struct commit){0};
    json_t *answer;
    json_t *result;
    TRY(answer_open(&answer, &result, in, why));
    struct reader reader = {.arena = arena};
    commit_fill(&reader, out, object_at(&reader, result, "signed_header"));
    return answer_close(answer, &reader, why);
}

enum err rpc_read_status(struct rpc_status *out, struct bytes in, struct why *why)
{
    *out = (struct rpc_status){0};
    json_t *answer;
    json_t *result;
    TRY(answer_open(&answer, &result, in, why));
    struct reader reader = {0};
    json_t *sync = object_at(&reader, result, "sync_info");
    id_at(&reader, out->id, object_at(&reader, result, "node_info"), "id");
    out->height = uint_at(&reader, sync, "latest_block_height");
    out->first_height = uint_at(&reader, sync, "earliest_block_height");
    out->time_ms = time_ms_at(&reader, sync, "latest_block_time");
    out->catching_up = bool_at(&reader, sync, "catching_up");
    struct bytes app_hash = text_at(&reader, sync, "latest_app_hash");
    if (app_hash.len == 2 * sizeof out->app_hash.at) {
        hash_at(&reader, &out->app_hash, sync, "latest_app_hash");
    }
    return answer_close(answer, &reader, why);
}

enum err rpc_read_net_info(struct rpc_peers *out, struct bytes in, struct why *why)
{
    out->count = 0;
    json_t *answer;
    json_t *result;
    TRY(answer_open(&answer, &result, in, why));
    struct reader reader = {0};
    json_t *peers = array_at(&reader, result, "peers", RPC_PEERS_MAX);
    out->count = json_array_size(peers);
    for (size_t i = 0; i < out->count; i++) {
        struct rpc_peer *peer = &out->at[i];
        json_t *object = json_array_get(peers, i);
        id_at(&reader, peer->id, object_at(&reader, object, "node_info"), "id");
        struct bytes ip = text_at(&reader, object, "remote_ip");
        snprintf(peer->address, sizeof peer->address, "%.*s", (int)ip.len, (const char *)ip.at);
        peer->outbound = bool_at(&reader, object, "is_outbound");
        json_t *connection = object_at(&reader, object, "connection_status");
        peer->connected_ms = uint_at(&reader, connection, "Duration") / 1000000;
    }
    return answer_close(answer, &reader, why);
}

/* "height/round/step": three numbers. */
static void step_at(struct reader *reader, struct rpc_consensus *out, json_t *state)
{
    static const char name[] = "height/round/step";
    struct bytes text = text_at(reader, state, name);
    uint64_t numbers[3] = {0};
    size_t from = 0;
    for (size_t i = 0; i < 3; i++) {
        size_t end = from;
        while (end < text.len && text.at[end] != '/') {
            end++;
        }
        if (from > text.len || (i == 2) != (end == text.len) ||
            !digits_read(&numbers[i], (struct bytes){text.at + from, end - from})) {
            fail(reader, name);
            return;
        }
        from = end + 1;
    }
    if (numbers[2] < RPC_NEW_HEIGHT || numbers[2] > STEP_LAST) {
        fail(reader, name);
        return;
    }
    out->height = numbers[0];
    out->round = numbers[1];
    out->step = (enum rpc_step)numbers[2];
}

/* "BA{4:x_x_} ...": who voted; blanks come in between where there are many. Returns how many there
 * are. */
static size_t bits_at(struct reader *reader, bool *out, json_t *object, const char *name)
{
    struct bytes text = text_at(reader, object, name);
    size_t at = 0;
    size_t count = 0;
    while (at < text.len && text.at[at] != ':') {
        at++;
    }
    for (at++; at < text.len && text.at[at] != '}' && count < VALIDATORS_MAX; at++) {
        if (text.at[at] == 'x' || text.at[at] == '_') {
            out[count++] = text.at[at] == 'x';
        } else if (text.at[at] != ' ' && text.at[at] != '\n') {
            fail(reader, name);
            return 0;
        }
    }
    if (at >= text.len || text.at[at] != '}' || text.len < 3 || memcmp(text.at, "BA{", 3) != 0) {
        fail(reader, name);
    }
    return count;
}

enum err rpc_read_consensus(struct rpc_consensus *out, struct bytes in, struct why *why)
{
    *out = (struct rpc_consensus){0};
    json_t *answer;
    json_t *result;
    TRY(answer_open(&answer, &result, in, why));
    struct reader reader = {0};
    json_t *state = object_at(&reader, result, "round_state");
    step_at(&reader, out, state);
    out->start_ms = time_ms_at(&reader, state, "start_time");
    out->has_proposal = text_at(&reader, state, "proposal_block_hash").len > 0;
    out->is_locked = text_at(&reader, state, "locked_block_hash").len > 0;
    out->proposer = uint_at(&reader, object_at(&reader, state, "proposer"), "index");
    json_t *rounds = json_object_get(state, "height_vote_set");
    json_t *round = json_array_get(rounds, (size_t)out->round);
    out->validators = bits_at(&reader, out->prevoted, round, "prevotes_bit_array");
    size_t also = bits_at(&reader, out->precommitted, round, "precommits_bit_array");
    if (also != out->validators || out->proposer >= out->validators) {
        fail(&reader, "height_vote_set");
    }
    return answer_close(answer, &reader, why);
}
