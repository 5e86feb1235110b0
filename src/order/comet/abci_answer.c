/* The application's side of order/comet/abci.h: answers, each a whole frame. */
#include "codec/protobuf.h"
#include "order/comet/abci.h"

/* Appends the answer that stands under `number`, empties `body`. */
static void put_frame(struct buf *out, unsigned number, struct buf *body)
{
    pb_put_varint(out, pb_message_len(number, body->len));
    pb_put_message(out, number, buf_bytes(body));
    buf_clear(body);
}

static unsigned number_of(enum abci_kind kind)
{
    return (unsigned)kind + 1;
}

/* An answer that is one byte string under `field`, left out where it is empty. */
static void put_bytes_answer(struct buf *out, unsigned number, unsigned field, struct bytes value)
{
    struct buf body = {0};
    pb_put_bytes(&body, field, value);
    put_frame(out, number, &body);
}

void abci_answer_exception(struct buf *out, struct bytes text)
{
    put_bytes_answer(out, ABCI_EXCEPTION, 1, text);
}

void abci_answer_echo(struct buf *out, struct bytes text)
{
    put_bytes_answer(out, number_of(ABCI_ECHO), 1, text);
}

void abci_answer_flush(struct buf *out)
{
    put_bytes_answer(out, number_of(ABCI_FLUSH), 1, BYTES_NONE);
}

void abci_answer_list_snapshots(struct buf *out)
{
    put_bytes_answer(out, number_of(ABCI_LIST_SNAPSHOTS), 1, BYTES_NONE);
}

void abci_answer_info(struct buf *out, const struct abci_info_answer *answer)
{
    struct buf body = {0};
    pb_put_bytes(&body, 1, answer->data);
    pb_put_bytes(&body, 2, answer->version);
    pb_put_uint(&body, 3, answer->app_version);
    pb_put_uint(&body, 4, answer->height);
    pb_put_bytes(&body, 5, answer->app_hash);
    put_frame(out, number_of(ABCI_INFO), &body);
}

static void put_validator(struct buf *out, unsigned field, const struct abci_validator *validator)
{
    struct buf key = {0}, update = {0};
    pb_put_message(&key, validator->key_type, validator->key);
    pb_put_message(&update, 1, buf_bytes(&key));
    pb_put_uint(&update, 2, validator->power);
    pb_put_message(out, field, buf_bytes(&update));
    buf_clear(&key);
    buf_clear(&update);
}

void abci_answer_init_chain(struct buf *out, const struct abci_init_answer *answer)
{
    struct buf body = {0};
    for (size_t i = 0; i < answer->validator_count; i++) {
        put_validator(&body, 2, &answer->validators[i]);
    }
    pb_put_bytes(&body, 3, answer->app_hash);
    put_frame(out, number_of(ABCI_INIT_CHAIN), &body);
}

void abci_answer_query(struct buf *out, const struct abci_query_answer *answer)
{
    struct buf body = {0};
    pb_put_uint(&body, 1, answer->code);
    pb_put_bytes(&body, 3, answer->log);
    pb_put_bytes(&body, 6, answer->key);
    pb_put_bytes(&body, 7, answer->value);
    pb_put_uint(&body, 9, answer->height);
    put_frame(out, number_of(ABCI_QUERY), &body);
}

/* ResponseCheckTx and ExecTxResult begin alike. */
static void put_result(struct buf *out, const struct abci_result *result)
{
    pb_put_uint(out, 1, result->code);
    pb_put_bytes(out, 2, result->data);
    pb_put_bytes(out, 3, result->log);
}

void abci_answer_check_tx(struct buf *out, const struct abci_result *answer)
{
    struct buf body = {0};
    put_result(&body, answer);
    put_frame(out, number_of(ABCI_CHECK_TX), &body);
}

void abci_answer_prepare(struct buf *out, const struct abci_txs *answer)
{
    struct buf body = {0};
    for (size_t i = 0; i < answer->count; i++) {
        pb_put_message(&body, 1, answer->at[i]);
    }
    put_frame(out, number_of(ABCI_PREPARE_PROPOSAL), &body);
}

void abci_answer_process(struct buf *out, enum abci_verdict verdict)
{
    struct buf body = {0};
    pb_put_uint(&body, 1, (uint64_t)verdict);
    put_frame(out, number_of(ABCI_PROCESS_PROPOSAL), &body);
}

void abci_answer_finalize(struct buf *out, const struct abci_finalized *answer)
{
    struct buf body = {0}, result = {0};
    for (size_t i = 0; i < answer->result_count; i++) {
        result.len = 0;
        put_result(&result, &answer->results[i]);
        pb_put_message(&body, 2, buf_bytes(&result));
    }
    for (size_t i = 0; i < answer->validator_count; i++) {
        put_validator(&body, 3, &answer->validators[i]);
    }
    pb_put_bytes(&body, 5, answer->app_hash);
    buf_clear(&result);
    put_frame(out, number_of(ABCI_FINALIZE_BLOCK), &body);
}

void abci_answer_commit(struct buf *out, uint64_t retain_height)
{
    struct buf body = {0};
    pb_put_uint(&body, 3, retain_height);
    put_frame(out, number_of(ABCI_COMMIT), &body);
}

size_t abci_tx_cost(size_t len)
{
    return pb_message_len(1, len);
}
