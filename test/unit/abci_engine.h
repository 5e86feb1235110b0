/* The engine's side of order/comet/abci.h, for tests: requests are written, answers are read, and a
 * connection asks as CometBFT does, every request with a flush after it. */
#ifndef CAIRN_TEST_ABCI_ENGINE_H
#define CAIRN_TEST_ABCI_ENGINE_H

#include "check.h"

#include "codec/protobuf.h"
#include "order/comet/abci.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static inline void put_message(struct buf *out, unsigned field, struct buf *body)
{
    pb_put_message(out, field, buf_bytes(body));
    buf_clear(body);
}

static inline void put_time(struct buf *out, unsigned field, const struct comet_time *time)
{
    struct buf body = {0};
    pb_put_uint(&body, 1, (uint64_t)time->seconds);
    pb_put_uint(&body, 2, time->nanos);
    put_message(out, field, &body);
}

/* abci.Validator. */
static inline void put_address(struct buf *out, unsigned field, struct bytes address,
                               uint64_t power)
{
    struct buf body = {0};
    pb_put_bytes(&body, 1, address);
    pb_put_uint(&body, 3, power);
    put_message(out, field, &body);
}

static inline void put_votes(struct buf *out, unsigned field, const struct abci_votes *votes,
                             unsigned flag_number)
{
    struct buf body = {0};
    pb_put_uint(&body, 1, votes->round);
    for (size_t i = 0; i < votes->count; i++) {
        struct buf vote = {0};
        put_address(&vote, 1, votes->at[i].address, votes->at[i].power);
        pb_put_uint(&vote, flag_number, (uint64_t)votes->at[i].flag);
        put_message(&body, 2, &vote);
    }
    put_message(out, field, &body);
}

static inline void put_misbehavior(struct buf *out, unsigned field,
                                   const struct abci_misbehavior *misbehavior)
{
    struct buf body = {0};
    pb_put_uint(&body, 1, (uint64_t)misbehavior->offence);
    put_address(&body, 2, misbehavior->address, misbehavior->power);
    pb_put_uint(&body, 3, misbehavior->height);
    put_time(&body, 4, &misbehavior->time);
    pb_put_uint(&body, 5, misbehavior->total_power);
    put_message(out, field, &body);
}

static inline void put_txs(struct buf *out, unsigned field, const struct abci_block *block)
{
    for (size_t i = 0; i < block->tx_count; i++) {
        pb_put_message(out, field, block->txs[i]);
    }
}

static inline void put_votes_and_offences(struct buf *out, unsigned field,
                                          const struct abci_block *block, unsigned flag_number)
{
    put_votes(out, field, &block->last_commit, flag_number);
    for (size_t i = 0; i < block->misbehavior_count; i++) {
        put_misbehavior(out, field + 1, &block->misbehavior[i]);
    }
}

static inline void put_block(struct buf *out, enum abci_kind kind, const struct abci_block *block)
{
    unsigned height = 5;
    if (kind == ABCI_PREPARE_PROPOSAL) {
        pb_put_uint(out, 1, block->max_tx_bytes);
        put_txs(out, 2, block);
        put_votes_and_offences(out, 3, block, 5);
    } else if (kind == ABCI_EXTEND_VOTE) {
        pb_put_bytes(out, 1, block->hash);
        height = 2;
    } else {
        put_txs(out, 1, block);
        put_votes_and_offences(out, 2, block, 3);
        pb_put_bytes(out, 4, block->hash);
    }
    pb_put_uint(out, height, block->height);
    put_time(out, height + 1, &block->time);
    if (kind == ABCI_EXTEND_VOTE) {
        put_txs(out, 4, block);
        put_votes_and_offences(out, 5, block, 3);
    }
    pb_put_bytes(out, 7, block->next_validators_hash);
    pb_put_bytes(out, 8, block->proposer);
}

static inline void put_validator(struct buf *out, unsigned field,
                                 const struct abci_validator *validator)
{
    struct buf key = {0}, body = {0};
    pb_put_message(&key, validator->key_type, validator->key);
    put_message(&body, 1, &key);
    pb_put_uint(&body, 2, validator->power);
    put_message(out, field, &body);
}

static inline void put_section(struct buf *out, unsigned section, unsigned a, int64_t value,
                               unsigned b, int64_t other)
{
    struct buf body = {0};
    pb_put_uint(&body, a, (uint64_t)value);
    pb_put_uint(&body, b, (uint64_t)other);
    put_message(out, section, &body);
}

static inline void put_init_chain(struct buf *out, const struct abci_init_chain *init)
{
    struct buf params = {0};
    put_time(out, 1, &init->time);
    pb_put_bytes(out, 2, init->chain);
    if (init->params.there) {
        put_section(&params, 1, 1, init->params.block_max_bytes, 2, init->params.block_max_gas);
        put_section(&params, 2, 1, init->params.evidence_max_age, 3,
                    init->params.evidence_max_bytes);
        put_section(&params, 4, 1, init->params.app_version, 2, 0);
        put_section(&params, 5, 1, init->params.vote_extensions_height, 2, 0);
        put_message(out, 3, &params);
    }
    for (size_t i = 0; i < init->validator_count; i++) {
        put_validator(out, 4, &init->validators[i]);
    }
    pb_put_bytes(out, 5, init->app_state);
    pb_put_uint(out, 6, init->initial_height);
}

static inline void put_snapshot(struct buf *out, const struct abci_offer_snapshot *offer)
{
    struct buf body = {0};
    pb_put_uint(&body, 1, offer->snapshot.height);
    pb_put_uint(&body, 2, offer->snapshot.format);
    pb_put_uint(&body, 3, offer->snapshot.chunks);
    pb_put_bytes(&body, 4, offer->snapshot.hash);
    pb_put_bytes(&body, 5, offer->snapshot.metadata);
    put_message(out, 1, &body);
    pb_put_bytes(out, 2, offer->app_hash);
}

static inline void put_chunk(struct buf *out, enum abci_kind kind, const struct abci_chunk *chunk)
{
    if (kind == ABCI_LOAD_SNAPSHOT_CHUNK) {
        pb_put_uint(out, 1, chunk->height);
        pb_put_uint(out, 2, chunk->format);
        pb_put_uint(out, 3, chunk->index);
    } else {
        pb_put_uint(out, 1, chunk->index);
        pb_put_bytes(out, 2, chunk->chunk);
        pb_put_bytes(out, 3, chunk->sender);
    }
}

static inline void put_body(struct buf *out, const struct abci_request *request)
{
    switch (request->kind) {
    case ABCI_ECHO:
        pb_put_bytes(out, 1, request->echo);
        return;
    case ABCI_INFO:
        pb_put_bytes(out, 1, request->info.version);
        pb_put_uint(out, 2, request->info.block_version);
        pb_put_uint(out, 3, request->info.p2p_version);
        pb_put_bytes(out, 4, request->info.abci_version);
        return;
    case ABCI_INIT_CHAIN:
        put_init_chain(out, &request->init_chain);
        return;
    case ABCI_QUERY:
        pb_put_bytes(out, 1, request->query.data);
        pb_put_bytes(out, 2, request->query.path);
        pb_put_uint(out, 3, request->query.height);
        pb_put_uint(out, 4, request->query.prove);
        return;
    case ABCI_CHECK_TX:
    case ABCI_INSERT_TX:
        pb_put_bytes(out, 1, request->check_tx.tx);
        pb_put_uint(out, 2, request->check_tx.recheck);
        return;
    case ABCI_OFFER_SNAPSHOT:
        put_snapshot(out, &request->offer_snapshot);
        return;
    case ABCI_LOAD_SNAPSHOT_CHUNK:
    case ABCI_APPLY_SNAPSHOT_CHUNK:
        put_chunk(out, request->kind, &request->chunk);
        return;
    case ABCI_PREPARE_PROPOSAL:
    case ABCI_PROCESS_PROPOSAL:
    case ABCI_EXTEND_VOTE:
    case ABCI_FINALIZE_BLOCK:
        put_block(out, request->kind, &request->block);
        return;
    case ABCI_VERIFY_VOTE_EXTENSION:
        pb_put_bytes(out, 1, request->extension.hash);
        pb_put_bytes(out, 2, request->extension.address);
        pb_put_uint(out, 3, request->extension.height);
        pb_put_bytes(out, 4, request->extension.extension);
        return;
    case ABCI_REAP_TXS:
        pb_put_uint(out, 1, request->reap_txs.max_bytes);
        pb_put_uint(out, 2, request->reap_txs.max_gas);
        return;
    case ABCI_FLUSH:
    case ABCI_COMMIT:
    case ABCI_LIST_SNAPSHOTS:
        return;
    }
}

/* Appends a request, as a whole frame. */
static inline void abci_put_request(struct buf *out, const struct abci_request *request)
{
    struct buf body = {0};
    put_body(&body, request);
    pb_put_varint(out, pb_message_len((unsigned)request->kind, body.len));
    put_message(out, (unsigned)request->kind, &body);
}

/* An answer: the fields of all kinds, each filled where the kind has it. */
struct abci_answer {
    unsigned number;   /* in CometBFT's oneof */
    struct bytes text; /* of an exception or an echo; the log of a result */
    uint64_t code;
    struct bytes value; /* of a query; data of CheckTx */
    uint64_t height;    /* of info and query; commit's retain height */
    struct bytes app_hash;
    enum abci_verdict verdict;
    size_t tx_count;
    struct bytes *txs;
    size_t result_count;
    struct abci_result *results;
    size_t validator_count;
};

static inline void read_result(struct pb_reader *outer, const struct pb_field *field,
                               struct abci_result *out)
{
    struct pb_reader reader;
    struct pb_field part;
    pb_init(&reader, pb_bytes(outer, field, ABCI_FRAME_MAX));
    while (pb_next(&reader, &part)) {
        if (part.number == 1) {
            out->code = (uint32_t)pb_uint(&reader, &part, UINT32_MAX);
        } else if (part.number == 2) {
            out->data = pb_bytes(&reader, &part, ABCI_FRAME_MAX);
        } else if (part.number == 3) {
            out->log = pb_bytes(&reader, &part, ABCI_FRAME_MAX);
        }
    }
    pb_fail(outer, reader.err);
}

static inline void read_finalized(struct pb_reader *reader, const struct pb_field *field,
                                  struct abci_answer *out)
{
    if (field->number == 2) {
        read_result(reader, field, &out->results[out->result_count++]);
    } else if (field->number == 3) {
        out->validator_count++;
    } else if (field->number == 5) {
        out->app_hash = pb_bytes(reader, field, COMET_HASH_MAX);
    }
}

static inline void read_field(struct pb_reader *reader, const struct pb_field *field,
                              struct abci_answer *out)
{
    /* Number of the answer, number of its field. */
    switch (out->number * 100 + field->number) {
    case ABCI_EXCEPTION * 100 + 1:
    case (ABCI_ECHO + 1) * 100 + 1:
    case (ABCI_INFO + 1) * 100 + 1:
    case (ABCI_QUERY + 1) * 100 + 3:
    case (ABCI_CHECK_TX + 1) * 100 + 3:
        out->text = pb_bytes(reader, field, ABCI_FRAME_MAX);
        return;
    case (ABCI_QUERY + 1) * 100 + 1:
    case (ABCI_CHECK_TX + 1) * 100 + 1:
        out->code = pb_uint(reader, field, UINT32_MAX);
        return;
    case (ABCI_QUERY + 1) * 100 + 7:
    case (ABCI_CHECK_TX + 1) * 100 + 2:
        out->value = pb_bytes(reader, field, ABCI_FRAME_MAX);
        return;
    case (ABCI_INFO + 1) * 100 + 4:
    case (ABCI_QUERY + 1) * 100 + 9:
    case (ABCI_COMMIT + 1) * 100 + 3:
        out->height = pb_uint(reader, field, INT64_MAX);
        return;
    case (ABCI_INFO + 1) * 100 + 5:
    case (ABCI_INIT_CHAIN + 1) * 100 + 3:
        out->app_hash = pb_bytes(reader, field, COMET_HASH_MAX);
        return;
    case (ABCI_PREPARE_PROPOSAL + 1) * 100 + 1:
        out->txs[out->tx_count++] = pb_bytes(reader, field, ABCI_FRAME_MAX);
        return;
    case (ABCI_PROCESS_PROPOSAL + 1) * 100 + 1:
        out->verdict = (enum abci_verdict)pb_uint(reader, field, ABCI_REJECT);
        return;
    default:
        return;
    }
}

/* Reads the message of a frame, without its length; borrows from it. */
static inline enum err abci_answer_parse(struct abci_answer *out, struct bytes message,
                                         struct arena *arena)
{
    struct pb_reader reader;
    struct pb_field field;
    *out = (struct abci_answer){0};
    pb_init(&reader, message);
    bool there = pb_next(&reader, &field);
    struct bytes body = there ? pb_bytes(&reader, &field, ABCI_FRAME_MAX) : BYTES_NONE;
    TRY(pb_end(&reader));
    out->number = field.number;
    out->txs = arena_array(arena, pb_count(body, 1) + 1, sizeof *out->txs);
    out->results = arena_array(arena, pb_count(body, 2) + 1, sizeof *out->results);
    pb_init(&reader, body);
    while (pb_next(&reader, &field)) {
        if (out->number == ABCI_FINALIZE_BLOCK + 1) {
            read_finalized(&reader, &field, out);
        } else {
            read_field(&reader, &field, out);
        }
    }
    return pb_end(&reader);
}

/* A connection of the engine's. */
struct abci_engine {
    int fd;
    struct buf out;
    struct buf in;
    size_t at;
    struct arena arena; /* of the last answer */
};

static inline struct abci_engine abci_engine_connect(int dir_fd, const char *name)
{
    struct abci_engine engine = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "/proc/self/fd/%d/%s", dir_fd, name);
    if (connect(engine.fd, (struct sockaddr *)&to, sizeof to) != 0) {
        fail_msg("cannot connect to %s", name);
    }
    return engine;
}

static inline void abci_engine_close(struct abci_engine *engine)
{
    close(engine->fd);
    buf_clear(&engine->out);
    buf_clear(&engine->in);
    arena_clear(&engine->arena);
}

/* Puts a request into the engine's own buffer; abci_engine_flush sends what it holds. */
static inline void abci_engine_put(struct abci_engine *engine, const struct abci_request *request)
{
    abci_put_request(&engine->out, request);
}

static inline void abci_engine_send(struct abci_engine *engine)
{
    for (size_t done = 0; done < engine->out.len;) {
        ssize_t sent =
            send(engine->fd, engine->out.at + done, engine->out.len - done, MSG_NOSIGNAL);
        if (sent < 0) {
            break; /* the other side closed; what it said before is read yet */
        }
        done += (size_t)sent;
    }
    engine->out.len = 0;
}

static inline void abci_engine_flush(struct abci_engine *engine)
{
    abci_engine_put(engine, &(struct abci_request){.kind = ABCI_FLUSH});
    abci_engine_send(engine);
}

/* The next answer, valid until the following call; false where the connection has ended. */
static inline bool abci_engine_next(struct abci_engine *engine, struct abci_answer *out)
{
    for (;;) {
        struct bytes left = {engine->in.at + engine->at, engine->in.len - engine->at};
        size_t head = 0, len = 0;
        if (abci_frame_parse(left, &head, &len) == OK && left.len >= head + len) {
            arena_reset(&engine->arena);
            struct bytes message = arena_copy(&engine->arena, (struct bytes){left.at + head, len});
            engine->at += head + len;
            CHECK_OK(abci_answer_parse(out, message, &engine->arena));
            return true;
        }
        uint8_t *room = buf_grow(&engine->in, 65536);
        ssize_t got = recv(engine->fd, room, 65536, 0);
        engine->in.len -= 65536 - (got > 0 ? (size_t)got : 0);
        if (got <= 0) {
            return false;
        }
    }
}

/* Asks, flushes and waits as CometBFT does. False: an exception, whose text is in the answer, or
 * the end of the connection, with an answer of zeros. */
static inline bool abci_engine_call(struct abci_engine *engine, const struct abci_request *request,
                                    struct abci_answer *out)
{
    struct abci_answer flushed;
    *out = (struct abci_answer){0};
    abci_engine_put(engine, request);
    abci_engine_flush(engine);
    if (!abci_engine_next(engine, out) || out->number == ABCI_EXCEPTION) {
        return false;
    }
    CHECK_UINT(out->number, request->kind + 1);
    if (request->kind == ABCI_FLUSH) {
        return true;
    }
    /* The answer to the flush is read into an arena of its own, so that the first one stays. */
    struct arena kept = engine->arena;
    engine->arena = (struct arena){0};
    bool flush_came = abci_engine_next(engine, &flushed);
    CHECK(flush_came && flushed.number == ABCI_FLUSH + 1);
    arena_clear(&engine->arena);
    engine->arena = kept;
    return true;
}

#endif
