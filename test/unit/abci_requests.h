/* Writes the requests of order/comet/abci.h as CometBFT does, for tests and fuzzing. */
#ifndef CAIRN_TEST_ABCI_REQUESTS_H
#define CAIRN_TEST_ABCI_REQUESTS_H

#include "codec/protobuf.h"
#include "order/comet/abci.h"

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

#endif
