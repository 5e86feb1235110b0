/* Requests of the engine: whatever comes, what was parsed lies inside the message and inside the
 * bounds, parses again to the same when written by the tests' engine, and a cut in the middle is
 * refused. */
#include "abci_requests.h"
#include "fuzz.h"

static void check_votes(const struct abci_votes *votes, struct bytes message)
{
    BUG_ON(votes->count > ABCI_VOTES_MAX || votes->round > INT32_MAX);
    for (size_t i = 0; i < votes->count; i++) {
        BUG_ON(!lies_inside(votes->at[i].address, message));
        BUG_ON(votes->at[i].address.len > ABCI_ADDRESS_LEN || votes->at[i].power > INT64_MAX);
    }
}

static void check_block(const struct abci_block *block, struct bytes message)
{
    BUG_ON(block->tx_count > message.len / 2 || block->misbehavior_count > message.len / 2);
    for (size_t i = 0; i < block->tx_count; i++) {
        BUG_ON(!lies_inside(block->txs[i], message));
    }
    for (size_t i = 0; i < block->misbehavior_count; i++) {
        BUG_ON(!lies_inside(block->misbehavior[i].address, message));
        BUG_ON(block->misbehavior[i].time.nanos > 999999999);
    }
    check_votes(&block->last_commit, message);
    BUG_ON(!lies_inside(block->hash, message) || !lies_inside(block->proposer, message));
    BUG_ON(block->proposer.len > ABCI_ADDRESS_LEN || block->hash.len > COMET_HASH_MAX);
    BUG_ON(block->height > INT64_MAX || block->time.nanos > 999999999);
}

/* Written once, a request is in the engine's own form and stays as it is. */
static void check_again(const struct abci_request *request, struct arena *arena)
{
    struct buf once = {0}, twice = {0};
    struct abci_request again;
    size_t head = 0, len = 0;
    abci_put_request(&once, request);
    BUG_ON(abci_frame_parse(buf_bytes(&once), &head, &len) != OK || once.len != head + len);
    BUG_ON(abci_request_parse(&again, (struct bytes){once.at + head, len}, arena) != OK);
    BUG_ON(again.kind != request->kind);
    abci_put_request(&twice, &again);
    BUG_ON(!bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
    BUG_ON(abci_request_parse(&again, (struct bytes){once.at + head, len - 1}, arena) == OK);
    buf_clear(&once);
    buf_clear(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes message = {data, size};
    struct arena arena = {0};
    struct abci_request request;
    size_t head = 0, len = 0;
    enum err err = abci_frame_parse(message, &head, &len);
    BUG_ON(err == OK && (head > size || len > ABCI_FRAME_MAX));
    if (abci_request_parse(&request, message, &arena) == OK) {
        switch (request.kind) {
        case ABCI_PREPARE_PROPOSAL:
        case ABCI_PROCESS_PROPOSAL:
        case ABCI_EXTEND_VOTE:
        case ABCI_FINALIZE_BLOCK:
            check_block(&request.block, message);
            break;
        case ABCI_CHECK_TX:
        case ABCI_INSERT_TX:
            BUG_ON(!lies_inside(request.check_tx.tx, message));
            break;
        case ABCI_QUERY:
            BUG_ON(!lies_inside(request.query.path, message));
            break;
        case ABCI_ECHO:
        case ABCI_FLUSH:
        case ABCI_INFO:
        case ABCI_INIT_CHAIN:
        case ABCI_COMMIT:
        case ABCI_LIST_SNAPSHOTS:
        case ABCI_OFFER_SNAPSHOT:
        case ABCI_LOAD_SNAPSHOT_CHUNK:
        case ABCI_APPLY_SNAPSHOT_CHUNK:
        case ABCI_VERIFY_VOTE_EXTENSION:
        case ABCI_REAP_TXS:
            break;
        }
        check_again(&request, &arena);
    }
    arena_clear(&arena);
    return 0;
}
