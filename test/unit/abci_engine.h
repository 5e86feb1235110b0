/* The engine's side of order/comet/abci.h, for tests: requests are written, answers are read, and a
 * connection asks as CometBFT does, every request with a flush after it. */
#ifndef CAIRN_TEST_ABCI_ENGINE_H
#define CAIRN_TEST_ABCI_ENGINE_H

#include "abci_requests.h"
#include "check.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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
