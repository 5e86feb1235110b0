/* Every message of ABCI against bytes that CometBFT's own code wrote. */
#include "abci_engine.h"
#include "vectors.h"

/* The frame of this name, without its length. */
static struct bytes message_of(const char *name, struct arena *arena)
{
    struct vector table = vector_open("abci.txt");
    struct bytes message = BYTES_NONE;
    while (vector_next(&table)) {
        if (strcmp(table.fields[0], name) == 0) {
            size_t head = 0, len = 0;
            struct bytes frame = vector_bytes(&table, 1);
            CHECK_OK(abci_frame_parse(frame, &head, &len));
            CHECK_UINT(frame.len, head + len);
            message = arena_copy(arena, (struct bytes){frame.at + head, len});
        }
    }
    CHECK(message.len > 0);
    return message;
}

static struct bytes filled(struct arena *arena, uint8_t value, size_t len)
{
    uint8_t *at = arena_alloc(arena, len);
    memset(at, value, len);
    return (struct bytes){at, len};
}

/* Parses a request, which the engine of the tests must write to the same bytes if `whole`. */
static struct abci_request request_of(const char *name, struct arena *arena, bool whole)
{
    struct abci_request request;
    struct bytes message = message_of(name, arena);
    CHECK_OK(abci_request_parse(&request, message, arena));
    CHECK(strcmp(abci_kind_name(request.kind), strchr(name, ':') + 1) == 0);
    if (whole) {
        struct buf again = {0};
        abci_put_request(&again, &request);
        size_t head = 0, len = 0;
        CHECK_OK(abci_frame_parse(buf_bytes(&again), &head, &len));
        CHECK_BYTES(((struct bytes){again.at + head, len}), message);
        buf_clear(&again);
    }
    return request;
}

static void small_requests_are_read(void **state)
{
    (void)state;
    struct arena arena = {0};
    CHECK_BYTES(request_of("request:Echo", &arena, true).echo, bytes_text("hello"));
    CHECK_UINT(request_of("request:Flush", &arena, true).kind, ABCI_FLUSH);
    CHECK_UINT(request_of("request:Commit", &arena, true).kind, ABCI_COMMIT);
    CHECK_UINT(request_of("request:ListSnapshots", &arena, true).kind, ABCI_LIST_SNAPSHOTS);
    struct abci_info info = request_of("request:Info", &arena, true).info;
    CHECK_BYTES(info.version, bytes_text("0.39.0"));
    CHECK(info.block_version == 11 && info.p2p_version == 8);
    CHECK_BYTES(info.abci_version, bytes_text("2.0.0"));
    struct abci_query query = request_of("request:Query", &arena, true).query;
    CHECK_BYTES(query.data, bytes_text("data"));
    CHECK_BYTES(query.path, bytes_text("/p2p/filter/id/aa"));
    CHECK(query.height == 9 && query.prove);
    struct abci_check_tx check = request_of("request:CheckTx", &arena, true).check_tx;
    CHECK(check.recheck);
    CHECK_BYTES(check.tx, bytes_text("tx"));
    CHECK_BYTES(request_of("request:InsertTx", &arena, true).check_tx.tx, bytes_text("tx"));
    struct abci_reap_txs reap = request_of("request:ReapTxs", &arena, true).reap_txs;
    CHECK(reap.max_bytes == 10 && reap.max_gas == 11);
    arena_clear(&arena);
}

static void the_genesis_is_read(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct abci_init_chain init = request_of("request:InitChain", &arena, false).init_chain;
    CHECK(init.time.seconds == 1700000000 && init.time.nanos == 123456789);
    CHECK_BYTES(init.chain, bytes_text("cairn-0123"));
    CHECK(init.params.there && init.params.block_max_bytes == 4194304);
    CHECK(init.params.block_max_gas == -1 && init.params.evidence_max_age == 100000);
    CHECK(init.params.evidence_max_bytes == 1048576 && init.params.app_version == 2);
    CHECK(init.params.vote_extensions_height == 12);
    CHECK_UINT(init.validator_count, 2);
    CHECK(init.validators[1].key_type == 1 && init.validators[1].power == 7);
    CHECK_BYTES(init.validators[1].key, filled(&arena, 0xee, 32));
    CHECK_BYTES(init.app_state, bytes_text("{\"a\":1}"));
    CHECK_UINT(init.initial_height, 1);
    arena_clear(&arena);
}

static void requests_about_snapshots_and_extensions_are_read(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct abci_offer_snapshot offer =
        request_of("request:OfferSnapshot", &arena, true).offer_snapshot;
    CHECK(offer.snapshot.height == 1ull << 40 && offer.snapshot.format == 2);
    CHECK_UINT(offer.snapshot.chunks, 3);
    CHECK_BYTES(offer.snapshot.hash, filled(&arena, 4, 32));
    CHECK_BYTES(offer.snapshot.metadata, bytes_text("meta"));
    CHECK_BYTES(offer.app_hash, filled(&arena, 5, 32));
    struct abci_chunk load = request_of("request:LoadSnapshotChunk", &arena, true).chunk;
    CHECK(load.height == 6 && load.format == 7 && load.index == 8);
    struct abci_chunk apply = request_of("request:ApplySnapshotChunk", &arena, true).chunk;
    CHECK_UINT(apply.index, 9);
    CHECK_BYTES(apply.chunk, bytes_text("chunk"));
    CHECK_BYTES(apply.sender, bytes_text("sender"));
    struct abci_extension extension =
        request_of("request:VerifyVoteExtension", &arena, true).extension;
    CHECK_BYTES(extension.hash, filled(&arena, 2, 32));
    CHECK_BYTES(extension.address, filled(&arena, 0xa1, 20));
    CHECK_UINT(extension.height, 77);
    CHECK_BYTES(extension.extension, bytes_text("ext"));
    arena_clear(&arena);
}

/* What the four requests with a block have in common in the vectors. */
static void check_block(const struct abci_block *block, struct arena *arena)
{
    CHECK_UINT(block->tx_count, 3);
    CHECK_BYTES(block->txs[0], bytes_text("one"));
    CHECK_UINT(block->txs[1].len, 0);
    CHECK_BYTES(block->txs[2], filled(arena, 0x33, 200));
    CHECK(block->last_commit.round == 3 && block->last_commit.count == 2);
    CHECK_BYTES(block->last_commit.at[0].address, filled(arena, 0xa1, 20));
    CHECK(block->last_commit.at[0].power == 10);
    CHECK_UINT(block->last_commit.at[0].flag, ABCI_FLAG_COMMIT);
    CHECK_BYTES(block->last_commit.at[1].address, filled(arena, 0xa2, 20));
    CHECK_UINT(block->misbehavior_count, 2);
    CHECK_UINT(block->misbehavior[0].offence, ABCI_DUPLICATE_VOTE);
    CHECK_BYTES(block->misbehavior[0].address, filled(arena, 0xa1, 20));
    CHECK(block->misbehavior[0].power == 10 && block->misbehavior[0].height == 5);
    CHECK(block->misbehavior[0].time.nanos == 123456789);
    CHECK_UINT(block->misbehavior[0].total_power, 40);
    CHECK_UINT(block->misbehavior[1].offence, ABCI_LIGHT_CLIENT_ATTACK);
    CHECK(block->misbehavior[1].time.seconds == -62135596800);
    CHECK_UINT(block->height, 77);
    CHECK(block->time.seconds == 1700000000 && block->time.nanos == 123456789);
    CHECK_BYTES(block->next_validators_hash, filled(arena, 1, 32));
    CHECK_BYTES(block->proposer, filled(arena, 0xa1, 20));
}

static void the_four_requests_with_a_block_are_read(void **state)
{
    (void)state;
    struct arena arena = {0};
    static const char *const names[] = {"request:ProcessProposal", "request:ExtendVote",
                                        "request:FinalizeBlock"};
    for (size_t i = 0; i < 3; i++) {
        struct abci_block block = request_of(names[i], &arena, true).block;
        check_block(&block, &arena);
        CHECK_BYTES(block.hash, filled(&arena, 2, 32));
        CHECK_UINT(block.last_commit.at[1].flag, ABCI_FLAG_ABSENT);
    }
    struct abci_block block = request_of("request:PrepareProposal", &arena, false).block;
    check_block(&block, &arena);
    CHECK_UINT(block.max_tx_bytes, 4000000);
    CHECK_UINT(block.hash.len, 0);
    CHECK_UINT(block.last_commit.at[1].flag, ABCI_FLAG_NIL);
    arena_clear(&arena);
}

/* Wraps what an answer's writer made: it must be the frame of this name. */
static void check_answer(const char *name, struct buf *frame)
{
    struct arena arena = {0};
    size_t head = 0, len = 0;
    CHECK_OK(abci_frame_parse(buf_bytes(frame), &head, &len));
    CHECK_BYTES(((struct bytes){frame->at + head, frame->len - head}), message_of(name, &arena));
    arena_clear(&arena);
    buf_clear(frame);
}

static void small_answers_are_the_bytes_of_cometbft(void **state)
{
    (void)state;
    struct buf out = {0};
    struct arena arena = {0};
    struct bytes hash = filled(&arena, 3, 32);
    abci_answer_exception(&out, bytes_text("not used"));
    check_answer("answer:Exception", &out);
    abci_answer_echo(&out, bytes_text("hello"));
    check_answer("answer:Echo", &out);
    abci_answer_flush(&out);
    check_answer("answer:Flush", &out);
    abci_answer_list_snapshots(&out);
    check_answer("answer:ListSnapshots", &out);
    abci_answer_info(&out, &(struct abci_info_answer){.data = bytes_text("cairn"),
                                                      .version = bytes_text("0.1.0"),
                                                      .app_version = 2,
                                                      .height = 77,
                                                      .app_hash = hash});
    check_answer("answer:Info", &out);
    abci_answer_query(&out, &(struct abci_query_answer){.code = 1,
                                                        .log = bytes_text("log"),
                                                        .key = bytes_text("key"),
                                                        .value = bytes_text("value"),
                                                        .height = 77});
    check_answer("answer:Query", &out);
    abci_answer_check_tx(&out, &(struct abci_result){5, bytes_text("data"), bytes_text("log")});
    check_answer("answer:CheckTx", &out);
    abci_answer_commit(&out, 70);
    check_answer("answer:Commit", &out);
    abci_answer_process(&out, ABCI_REJECT);
    check_answer("answer:ProcessProposal", &out);
    arena_clear(&arena);
}

static void answers_with_lists_are_the_bytes_of_cometbft(void **state)
{
    (void)state;
    struct buf out = {0};
    struct arena arena = {0};
    struct bytes hash = filled(&arena, 3, 32);
    struct abci_validator update = {.key_type = 1, .key = filled(&arena, 0xee, 32), .power = 7};
    abci_answer_init_chain(&out, &(struct abci_init_answer){1, &update, hash});
    check_answer("answer:InitChain", &out);
    struct bytes txs[] = {bytes_text("one"), BYTES_NONE, filled(&arena, 0x33, 200)};
    abci_answer_prepare(&out, &(struct abci_txs){3, txs});
    check_answer("answer:PrepareProposal", &out);
    struct abci_result results[3] = {
        {0}, {.code = 5, .data = bytes_text("data"), .log = bytes_text("log")}, {0}};
    abci_answer_finalize(&out, &(struct abci_finalized){3, results, 1, &update, hash});
    check_answer("answer:FinalizeBlock", &out);
    arena_clear(&arena);
}

static void a_transaction_costs_its_bytes_and_what_announces_them(void **state)
{
    (void)state;
    CHECK_UINT(abci_tx_cost(0), 2);
    CHECK_UINT(abci_tx_cost(127), 129);
    CHECK_UINT(abci_tx_cost(128), 131);
    CHECK_UINT(abci_tx_cost(720912), 720916);
}

/* Parses a message in a block of exactly its size, so that a read beyond it is seen. */
static enum err parse_exactly(struct bytes message)
{
    struct abci_request request;
    struct arena arena = {0};
    uint8_t *copy = mem_alloc(message.len);
    memcpy(copy, message.at, message.len);
    enum err err = abci_request_parse(&request, (struct bytes){copy, message.len}, &arena);
    free(copy);
    arena_clear(&arena);
    return err;
}

static void a_request_that_is_cut_is_truncated(void **state)
{
    (void)state;
    struct vector table = vector_open("abci.txt");
    while (vector_next(&table)) {
        if (strncmp(table.fields[0], "request:", 8) != 0) {
            continue;
        }
        size_t head = 0, len = 0;
        struct bytes frame = vector_bytes(&table, 1);
        CHECK_OK(abci_frame_parse(frame, &head, &len));
        for (size_t cut = 0; cut < len; cut++) {
            enum err err = parse_exactly((struct bytes){frame.at + head, cut});
            CHECK_ERR(err, cut == 0 ? ERR_FORMAT : ERR_TRUNCATED);
        }
        /* The body cut, and its length mended: it ends inside a field, or is a shorter request. */
        struct pb_reader reader;
        struct pb_field field;
        pb_init(&reader, (struct bytes){frame.at + head, len});
        CHECK(pb_next(&reader, &field));
        for (size_t cut = 0; cut < field.bytes.len; cut++) {
            struct buf message = {0};
            pb_put_message(&message, field.number, (struct bytes){field.bytes.at, cut});
            enum err err = parse_exactly(buf_bytes(&message));
            CHECK(err == OK || err == ERR_TRUNCATED);
            buf_clear(&message);
        }
    }
}

static void what_is_no_request_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        enum err err;
    } cases[] = {
        {"2200", ERR_UNSUPPORTED},                   /* number 4, SetOption of old */
        {"0a070a0568656c6c6f00", ERR_TRAILING},      /* a byte behind it */
        {"12001200", ERR_TRAILING},                  /* two requests */
        {"0801", ERR_TYPE},                          /* Echo as a number */
        {"0a020801", ERR_TYPE},                      /* its text as a number */
        {"42021002", ERR_RANGE},                     /* CheckTx of type 2 */
        {"a2010b28ffffffffffffffffff01", ERR_RANGE}, /* FinalizeBlock at height -1 */
        {"a2010432020880", ERR_TRUNCATED},           /* its time cut inside */
        {"a201083206108094ebdc03", ERR_RANGE},       /* a thousand million nanoseconds */
        {"a201174215000102030405060708090a0b0c0d0e0f1011121314", ERR_RANGE}, /* 21 bytes */
        {"a201041a020803", ERR_RANGE},     /* an unknown offence */
        {"a20106120412021804", ERR_RANGE}, /* an unknown flag */
        {"520100", ERR_UNSUPPORTED},       /* number 10 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct abci_request request;
        enum err err = abci_request_parse(&request, hex(cases[i].message), &arena);
        if (err != cases[i].err) {
            fail_msg("%s is %s, want %s", cases[i].message, err_name(err), err_name(cases[i].err));
        }
        arena_clear(&arena);
    }
}

static void unknown_fields_are_skipped(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct abci_request request;
    /* CheckTx with two fields of numbers that nobody knows around the transaction. */
    CHECK_OK(abci_request_parse(&request, hex("420df807010a027478fa0701ff1001"), &arena));
    CHECK_BYTES(request.check_tx.tx, bytes_text("tx"));
    CHECK(request.check_tx.recheck);
    arena_clear(&arena);
}

static void more_of_a_list_than_allowed_is_refused(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct abci_request request;
    struct buf votes = {0}, block = {0}, message = {0};
    for (size_t i = 0; i <= ABCI_VOTES_MAX; i++) {
        pb_put_message(&votes, 2, BYTES_NONE);
    }
    pb_put_message(&block, 2, buf_bytes(&votes));
    pb_put_message(&message, ABCI_FINALIZE_BLOCK, buf_bytes(&block));
    CHECK_ERR(abci_request_parse(&request, buf_bytes(&message), &arena), ERR_RANGE);
    votes.len -= 2;
    block.len = message.len = 0;
    pb_put_message(&block, 2, buf_bytes(&votes));
    pb_put_message(&message, ABCI_FINALIZE_BLOCK, buf_bytes(&block));
    CHECK_OK(abci_request_parse(&request, buf_bytes(&message), &arena));
    CHECK_UINT(request.block.last_commit.count, ABCI_VOTES_MAX);
    /* As many transactions as no block of 4 MiB holds. */
    block.len = message.len = 0;
    for (size_t i = 0; i <= ABCI_TXS_MAX; i++) {
        pb_put_message(&block, 1, BYTES_NONE);
    }
    pb_put_message(&message, ABCI_FINALIZE_BLOCK, buf_bytes(&block));
    CHECK_ERR(abci_request_parse(&request, buf_bytes(&message), &arena), ERR_RANGE);
    block.len -= 2;
    message.len = 0;
    pb_put_message(&message, ABCI_FINALIZE_BLOCK, buf_bytes(&block));
    CHECK_OK(abci_request_parse(&request, buf_bytes(&message), &arena));
    CHECK_UINT(request.block.tx_count, ABCI_TXS_MAX);
    buf_clear(&votes);
    buf_clear(&block);
    buf_clear(&message);
    arena_clear(&arena);
}

static void a_frame_is_bounded_before_it_is_there(void **state)
{
    (void)state;
    size_t head = 0, len = 0;
    CHECK_ERR(abci_frame_parse(BYTES_NONE, &head, &len), ERR_TRUNCATED);
    CHECK_ERR(abci_frame_parse(hex("8080"), &head, &len), ERR_TRUNCATED);
    CHECK_OK(abci_frame_parse(hex("80808020"), &head, &len));
    CHECK(head == 4 && len == ABCI_FRAME_MAX);
    CHECK_ERR(abci_frame_parse(hex("81808020"), &head, &len), ERR_RANGE);
    CHECK_ERR(abci_frame_parse(hex("ffffffffffffffffff7f"), &head, &len), ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_requests_are_read),
        cmocka_unit_test(the_genesis_is_read),
        cmocka_unit_test(requests_about_snapshots_and_extensions_are_read),
        cmocka_unit_test(the_four_requests_with_a_block_are_read),
        cmocka_unit_test(small_answers_are_the_bytes_of_cometbft),
        cmocka_unit_test(answers_with_lists_are_the_bytes_of_cometbft),
        cmocka_unit_test(a_transaction_costs_its_bytes_and_what_announces_them),
        cmocka_unit_test(a_request_that_is_cut_is_truncated),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(unknown_fields_are_skipped),
        cmocka_unit_test(more_of_a_list_than_allowed_is_refused),
        cmocka_unit_test(a_frame_is_bounded_before_it_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
