#include "ledger_case.h"

#include "ledger/ledger_internal.h"
#include "ledger/ledger_keys.h"

static void block_0_is_as_the_protocol_says(void **state)
{
    (void)state;
    struct view *view = ledger_view(maker.ledger);
    const struct header *header = view_header(view);
    struct hash leaf;
    struct hash root;
    struct buf document = {0};
    struct buf entry = {0};
    uint64_t height;
    maker_genesis(&document, &maker.keys);
    leaf_hash(&leaf, buf_bytes(&document));
    CHECK_OK(view_entry(view, 0, &entry, &height));
    CHECK_BYTES(buf_bytes(&entry), buf_bytes(&document));
    CHECK_UINT(height, 0);
    CHECK(hash_equal(&header->chain, &maker.chain));
    CHECK(hash_equal(&header->tree_root, &leaf));
    empty_root(&root);
    CHECK(hash_equal(&header->history_root, &root));
    CHECK(hash_is_zero(&header->previous));
    CHECK_UINT(header->epoch, 0);
    CHECK_UINT(header->height, 0);
    CHECK_UINT(header->time_ms, MAKER_TIME);
    CHECK_UINT(header->previous_time_ms, 0);
    CHECK_UINT(header->first_index, 0);
    CHECK_UINT(header->tree_size, 1);
    buf_clear(&document);
    buf_clear(&entry);
    view_release(view);
}

static void the_members_of_the_genesis_are_in_the_state(void **state)
{
    (void)state;
    struct view *view = ledger_view(maker.ledger);
    struct state_answer answer = {0};
    struct buf key = {0};
    struct member_record member;
    struct key_record record;
    struct hash key_hash;
    struct hash root;
    struct hash siblings[SIBLINGS_MAX];
    member_state_key(&key, bytes_text("alice"));
    CHECK_OK(view_state(view, bytes_text(MEMBER_MODULE), buf_bytes(&key), &answer));
    CHECK_OK(member_record_parse(&member, buf_bytes(&answer.value)));
    CHECK_UINT(member.key_count, MAKER_KEYS);
    CHECK_BYTES(member.institution, bytes_text("operator"));
    memcpy(siblings, answer.siblings.at, answer.siblings.len);
    state_key_hash(&key_hash, bytes_text(MEMBER_MODULE), buf_bytes(&key));
    CHECK_OK(state_presence_root(&root, &key_hash, buf_bytes(&answer.value), siblings,
                                 answer.siblings.len / 32));
    CHECK(hash_equal(&root, &view_header(view)->state_root));
    state_answer_clear(&answer);
    key.len = 0;
    key_record_state_key(&key, &maker.keys.kid[1][0]);
    CHECK_OK(view_state(view, bytes_text(MEMBER_MODULE), buf_bytes(&key), &answer));
    CHECK_OK(key_record_parse(&record, NULL, buf_bytes(&answer.value)));
    CHECK_BYTES(record.member, bytes_text("alice"));
    CHECK_UINT(record.from, 0);
    state_answer_clear(&answer);
    buf_clear(&key);
    view_release(view);
}

static void an_accepted_statement_has_a_place_and_a_header(void **state)
{
    (void)state;
    struct header before = head();
    struct hash previous;
    header_hash(&previous, &before);
    struct submission *submission = say(1, 0, "test.run", body(OP_PUT, key_a(), nothing()));
    struct block_result result = maker_execute(&maker, &submission, 1, MAKER_TIME + 5);
    CHECK(result.changed);
    CHECK_OK(result.results[0].err);
    CHECK_UINT(result.results[0].index, before.tree_size);
    CHECK_UINT(result.results[0].height, before.height + 1);
    CHECK(!result.results[0].seen);
    CHECK(hash_equal(&result.results[0].id, &submission->id));
    CHECK_UINT(result.header.height, before.height + 1);
    CHECK_UINT(result.header.time_ms, MAKER_TIME + 5);
    CHECK_UINT(result.header.previous_time_ms, before.time_ms);
    CHECK_UINT(result.header.first_index, before.tree_size);
    CHECK_UINT(result.header.tree_size, before.tree_size + 1);
    CHECK(hash_equal(&result.header.previous, &previous));
    CHECK_UINT(head().height, before.height);
    CHECK_OK(ledger_commit(maker.ledger));
    CHECK_UINT(head().height, before.height + 1);
    CHECK_OK(ledger_commit(maker.ledger));
    submission_free(submission);
    reopen();
    CHECK_UINT(head().height, before.height + 1);
}

static void time_never_runs_backwards(void **state)
{
    (void)state;
    struct submission *submission = say(1, 0, "test.run", nothing());
    struct block_result result = maker_execute(&maker, &submission, 1, MAKER_TIME + 5);
    CHECK_OK(ledger_commit(maker.ledger));
    struct block_input input = {MAKER_TIME + 4, &submission, 1};
    CHECK_ERR(ledger_execute(maker.ledger, &input, &result), ERR_RANGE);
    submission_free(submission);
}

static void a_block_without_an_accepted_statement_changes_nothing(void **state)
{
    (void)state;
    struct hash before = maker_dump(maker.store);
    struct submission *refused = say(1, 0, "test.run", body(OP_REFUSE, key_a(), nothing()));
    struct block_result result = maker_execute(&maker, &refused, 1, MAKER_TIME + 1000);
    CHECK(!result.changed);
    CHECK_UINT(result.header.height, 0);
    CHECK_UINT(result.header.time_ms, MAKER_TIME);
    CHECK_OK(ledger_commit(maker.ledger));
    result = maker_execute(&maker, NULL, 0, MAKER_TIME + 2000);
    CHECK(!result.changed);
    CHECK_OK(ledger_commit(maker.ledger));
    struct hash after = maker_dump(maker.store);
    CHECK(hash_equal(&before, &after));
    /* A refusal is of now: the same statement may come again, and no time has passed. */
    CHECK_ERR(maker_execute(&maker, &refused, 1, MAKER_TIME).results[0].err, ERR_REFUSED);
    submission_free(refused);
}

static void the_same_statement_is_answered_with_its_first_place(void **state)
{
    (void)state;
    struct submission *first = say(1, 0, "test.run", nothing());
    struct submission *other = say(2, 0, "test.run", nothing());
    struct submission *again = maker_again(first);
    struct submission *block[] = {first, other, again};
    struct block_result result = maker_execute(&maker, block, 3, MAKER_TIME);
    CHECK(!result.results[0].seen);
    CHECK(result.results[2].seen);
    CHECK_OK(result.results[2].err);
    CHECK_UINT(result.results[2].index, result.results[0].index);
    CHECK_UINT(result.results[2].height, 1);
    CHECK_UINT(result.header.tree_size, 3);
    CHECK_OK(ledger_commit(maker.ledger));
    for (unsigned i = 0; i < 2; i++) {
        result = maker_execute(&maker, &again, 1, MAKER_TIME + 1);
        CHECK(!result.changed);
        CHECK(result.results[0].seen);
        CHECK_UINT(result.results[0].index, 1);
        CHECK_UINT(result.results[0].height, 1);
        CHECK(hash_equal(&result.results[0].id, &first->id));
        reopen();
    }
    submission_free(first);
    submission_free(other);
    submission_free(again);
}

static void after_its_validity_a_statement_is_expired_and_its_id_forgotten(void **state)
{
    (void)state;
    struct maker_statement what = {.member = 1,
                                   .type = "test.run",
                                   .body = nothing(),
                                   .time_ms = MAKER_TIME,
                                   .valid_until = MAKER_TIME + 10};
    struct submission *brief = maker_submission(&maker, &what);
    what.valid_until = 0;
    struct submission *longer = maker_submission(&maker, &what);
    struct block_result result = maker_execute(&maker, &brief, 1, MAKER_TIME);
    CHECK_OK(result.results[0].err);
    CHECK_OK(ledger_commit(maker.ledger));
    struct cursor *cursor = cursor_open(maker.store, NULL, FAMILY_RECENT);
    CHECK(cursor_seek(cursor, BYTES_NONE));
    CHECK_UINT(get_u64(cursor_key(cursor).at), MAKER_TIME + 10);
    cursor_close(cursor);
    CHECK(maker_execute(&maker, &brief, 1, MAKER_TIME + 10).results[0].seen);
    CHECK_ERR(maker_execute(&maker, &brief, 1, MAKER_TIME + 11).results[0].err, ERR_EXPIRED);
    maker_execute(&maker, &longer, 1, MAKER_TIME + 11);
    CHECK_OK(ledger_commit(maker.ledger));
    cursor = cursor_open(maker.store, NULL, FAMILY_RECENT);
    CHECK(cursor_seek(cursor, BYTES_NONE));
    CHECK_UINT(get_u64(cursor_key(cursor).at), MAKER_TIME + 3600000);
    CHECK(!cursor_next(cursor));
    cursor_close(cursor);
    submission_free(brief);
    submission_free(longer);
}

static void an_id_is_known_in_the_very_millisecond_of_its_end(void **state)
{
    (void)state;
    struct submission *brief[2];
    for (unsigned i = 0; i < 2; i++) {
        struct maker_statement what = {.member = 1,
                                       .type = "test.run",
                                       .body = nothing(),
                                       .time_ms = MAKER_TIME,
                                       .valid_until = MAKER_TIME + 5 + 5 * i};
        brief[i] = maker_submission(&maker, &what);
    }
    struct submission *longer = say(1, 0, "test.run", nothing());
    maker_execute(&maker, brief, 2, MAKER_TIME);
    CHECK_OK(ledger_commit(maker.ledger));
    maker_execute(&maker, &longer, 1, MAKER_TIME + 10);
    CHECK_OK(ledger_commit(maker.ledger));
    CHECK_UINT(recent_count(maker.ledger->recent), 2);
    for (unsigned i = 0; i < 2; i++) {
        struct block_result result = maker_execute(&maker, brief, 2, MAKER_TIME + 10);
        CHECK_ERR(result.results[0].err, ERR_EXPIRED);
        CHECK(result.results[1].seen);
        CHECK_UINT(result.results[1].index, 2);
        reopen();
    }
    submission_free(brief[0]);
    submission_free(brief[1]);
    submission_free(longer);
}

static void every_refusal_has_its_reason_and_changes_nothing(void **state)
{
    (void)state;
    struct hash before = maker_dump(maker.store);
    struct hash other = {{1}};
    struct maker_statement what = {
        .member = 1, .type = "test.run", .body = nothing(), .time_ms = MAKER_TIME, .chain = &other};
    assert_string_equal(one(maker_submission(&maker, &what), ERR_MISMATCH).why.field, "chain id");
    what.chain = NULL;
    what.valid_until = MAKER_TIME + VALIDITY_MAX_MS + 1;
    one(maker_submission(&maker, &what), ERR_EXPIRED);
    what.valid_until = MAKER_TIME - 1;
    one(maker_submission(&maker, &what), ERR_EXPIRED);
    what.valid_until = 0;
    what.key = MAKER_KEYS - 1;
    assert_string_equal(one(maker_submission(&maker, &what), ERR_KEY).why.field, "purpose");
    what.key = 0;
    what.mandate = &other;
    assert_string_equal(one(maker_submission(&maker, &what), ERR_REFUSED).why.field, "mandate");
    what.mandate = NULL;
    what.type = "member.run";
    assert_string_equal(one(maker_submission(&maker, &what), ERR_REFUSED).why.field, "role");
    what.type = "test.run";
    what.member = 3;
    assert_string_equal(one(maker_submission(&maker, &what), ERR_REFUSED).why.field, "role");
    what.member = 1;
    what.type = "evidence.deposit";
    assert_string_equal(one(maker_submission(&maker, &what), ERR_REFUSED).why.field, "items");
    what.type = "test.run";
    struct submission *submission = maker_submission(&maker, &what);
    submission->items = items_new(1);
    assert_string_equal(one(submission, ERR_REFUSED).why.field, "items");
    submission = maker_submission(&maker, &what);
    submission->entry.at[submission->entry.len - 1] ^= 1;
    one(submission, ERR_SIGNATURE);
    struct bytes refuse = body(OP_REFUSE, key_a(), nothing());
    assert_string_equal(one(say(1, 0, "test.run", refuse), ERR_REFUSED).why.field, "body");
    struct hash after = maker_dump(maker.store);
    CHECK(hash_equal(&before, &after));
}

static void an_unregistered_key_is_refused(void **state)
{
    (void)state;
    struct maker stranger = maker;
    maker_keys_init(&stranger.keys);
    struct maker_statement what = {
        .member = 1, .type = "test.run", .body = nothing(), .time_ms = MAKER_TIME};
    assert_string_equal(one(maker_submission(&stranger, &what), ERR_KEY).why.field, "kid");
    maker_keys_clear(&stranger.keys);
}

static void a_verdict_counts_only_for_the_key_that_it_names(void **state)
{
    (void)state;
    struct submission *submission = say(1, 0, "test.run", nothing());
    submission->entry.at[submission->entry.len - 1] ^= 1;
    submission->verified = true;
    submission->verified_kid = maker.keys.kid[2][0];
    one(submission, ERR_SIGNATURE);
    submission = say(1, 0, "test.run", nothing());
    submission->entry.at[submission->entry.len - 1] ^= 1;
    submission->verified = true;
    one(submission, OK);
}

static void what_a_refused_rule_did_is_forgotten(void **state)
{
    (void)state;
    struct buf ops = {0};
    cbor_put_array(&ops, 2);
    cbor_put_uint(&ops, 1);
    cbor_put_array(&ops, 3);
    static const enum maker_op order[] = {OP_PUT, OP_NEXT_EPOCH, OP_REFUSE};
    for (unsigned i = 0; i < 3; i++) {
        cbor_put_array(&ops, 3);
        cbor_put_uint(&ops, order[i]);
        cbor_put_bytes(&ops, key_a());
        cbor_put_bytes(&ops, nothing());
    }
    struct submission *block[] = {
        say(1, 0, "test.run", body(OP_PUT, key_a(), hex("8101"))),
        say(1, 0, "test.run", buf_bytes(&ops)),
        say(1, 0, "test.run", body(OP_MUST_FIND, key_a(), hex("8101"))),
        say(1, 0, "test.run", body(OP_MUST_FIND, key_a(), nothing())),
        say(1, 0, "test.run", body(OP_DELETE, key_a(), nothing())),
        say(1, 0, "test.run", body(OP_MUST_FIND, key_a(), hex("8101"))),
    };
    static const enum err want[] = {OK, ERR_REFUSED, OK, ERR_MISMATCH, OK, ERR_NOT_FOUND};
    struct block_result result = maker_execute(&maker, block, 6, MAKER_TIME);
    for (unsigned i = 0; i < 6; i++) {
        CHECK_ERR(result.results[i].err, want[i]);
        submission_free(block[i]);
    }
    CHECK_UINT(result.header.epoch, 0);
    ledger_discard(maker.ledger);
    buf_clear(&ops);
}

static void a_restart_begins_the_next_epoch(void **state)
{
    (void)state;
    one(say(0, 0, "test.run", body(OP_NEXT_EPOCH, key_a(), nothing())), OK);
    CHECK_UINT(head().epoch, 1);
    one(say(0, 0, "test.run", nothing()), OK);
    CHECK_UINT(head().epoch, 1);
    reopen();
    one(say(0, 0, "test.run", nothing()), OK);
    CHECK_UINT(head().epoch, 1);
    CHECK_UINT(head().height, 3);
}

static void a_key_that_ends_within_a_block_is_good_before_and_not_after(void **state)
{
    (void)state;
    struct bytes end = body(OP_END_KEY, hash_bytes(&maker.keys.kid[1][0]), nothing());
    struct submission *block[] = {
        say(1, 0, "test.run", nothing()), say(0, 0, "member.run", end),
        say(1, 0, "test.run", nothing()), say(1, 1, "test.run", nothing()),
        say(0, 0, "member.run", end),
    };
    static const enum err want[] = {OK, OK, ERR_KEY, OK, ERR_EXISTS};
    for (unsigned round = 0; round < 2; round++) {
        struct block_result result = maker_execute(&maker, block, 5, MAKER_TIME);
        for (unsigned i = 0; i < 5; i++) {
            CHECK_ERR(result.results[i].err, want[i]);
        }
        ledger_discard(maker.ledger);
        /* A discarded end never was. */
        struct block_result alone = maker_execute(&maker, &block[2], 1, MAKER_TIME);
        CHECK_OK(alone.results[0].err);
    }
    struct block_result result = maker_execute(&maker, block, 5, MAKER_TIME);
    CHECK(result.changed);
    CHECK_OK(ledger_commit(maker.ledger));
    one(say(1, 0, "test.run", nothing()), ERR_KEY);
    one(say(1, 1, "test.run", nothing()), OK);
    struct view *view = ledger_view(maker.ledger);
    struct state_answer answer = {0};
    struct buf key = {0};
    struct member_record member;
    member_state_key(&key, bytes_text("alice"));
    CHECK_OK(view_state(view, bytes_text(MEMBER_MODULE), buf_bytes(&key), &answer));
    CHECK_OK(member_record_parse(&member, buf_bytes(&answer.value)));
    CHECK_UINT(member.key_count, MAKER_KEYS - 1);
    CHECK(hash_equal(&member.keys[0], &maker.keys.kid[1][1]));
    state_answer_clear(&answer);
    buf_clear(&key);
    view_release(view);
    for (unsigned i = 0; i < 5; i++) {
        submission_free(block[i]);
    }
}

static void a_refused_end_of_a_key_is_forgotten_with_what_was_read_of_it(void **state)
{
    (void)state;
    struct buf twice = {0};
    cbor_put_array(&twice, 2);
    cbor_put_uint(&twice, 1);
    cbor_put_array(&twice, 2);
    for (unsigned i = 0; i < 2; i++) {
        cbor_put_array(&twice, 3);
        cbor_put_uint(&twice, OP_END_KEY);
        cbor_put_bytes(&twice, hash_bytes(&maker.keys.kid[1][0]));
        cbor_put_bytes(&twice, BYTES_NONE);
    }
    struct submission *block[] = {
        say(0, 0, "member.run", buf_bytes(&twice)),
        say(1, 1, "test.run", nothing()),
        say(1, 0, "test.run", nothing()),
    };
    struct block_result result = maker_execute(&maker, block, 3, MAKER_TIME);
    CHECK_ERR(result.results[0].err, ERR_EXISTS);
    CHECK_OK(result.results[1].err);
    CHECK_OK(result.results[2].err);
    for (unsigned i = 0; i < 3; i++) {
        submission_free(block[i]);
    }
    buf_clear(&twice);
}

static void put_member_state(void (*write)(struct buf *out, const void *name), const void *name,
                             struct bytes value)
{
    struct buf key = {0};
    write(&key, name);
    one(say(0, 0, "member.run", body(OP_PUT, buf_bytes(&key), value)), OK);
    buf_clear(&key);
}

static void write_mandate(struct buf *out, const void *id)
{
    mandate_state_key(out, id);
}

static void write_member(struct buf *out, const void *id)
{
    member_state_key(out, bytes_text(id));
}

static enum err with_mandate(struct mandate_record record, unsigned member, const char *type,
                             uint64_t time_ms)
{
    struct buf value = {0};
    struct hash id = seeded_hash();
    mandate_record_write(&value, &record);
    put_member_state(write_mandate, &id, buf_bytes(&value));
    buf_clear(&value);
    struct maker_statement what = {
        .member = member, .type = type, .body = nothing(), .time_ms = MAKER_TIME, .mandate = &id};
    struct submission *submission = maker_submission(&maker, &what);
    enum err err = maker_execute(&maker, &submission, 1, time_ms).results[0].err;
    submission_free(submission);
    ledger_discard(maker.ledger);
    return err;
}

static void a_mandate_lets_the_agent_act_with_the_principals_roles(void **state)
{
    (void)state;
    struct mandate_record record = {.principal = bytes_text("operator"),
                                    .agent = bytes_text("carol"),
                                    .action_count = 2,
                                    .actions = {bytes_text("test.say"), bytes_text("member.*")},
                                    .until_ms = MAKER_TIME + 100};
    CHECK_OK(with_mandate(record, 3, "member.run", MAKER_TIME));
    CHECK_OK(with_mandate(record, 3, "test.say", MAKER_TIME + 100));
    CHECK_ERR(with_mandate(record, 3, "test.say", MAKER_TIME + 101), ERR_EXPIRED);
    CHECK_ERR(with_mandate(record, 3, "test.run", MAKER_TIME), ERR_REFUSED);
    CHECK_ERR(with_mandate(record, 2, "member.run", MAKER_TIME), ERR_REFUSED);
    record.principal = bytes_text("alice");
    CHECK_ERR(with_mandate(record, 3, "member.run", MAKER_TIME), ERR_REFUSED);
    record.principal = bytes_text("nobody");
    CHECK_ERR(with_mandate(record, 3, "member.run", MAKER_TIME), ERR_REFUSED);
    record.principal = bytes_text("operator");
    record.ended = true;
    record.ended_index = head().tree_size + 1;
    CHECK_ERR(with_mandate(record, 3, "member.run", MAKER_TIME), ERR_REFUSED);
    record.ended_index += 2;
    CHECK_OK(with_mandate(record, 3, "member.run", MAKER_TIME));
}

static void an_ended_member_may_do_nothing(void **state)
{
    (void)state;
    struct buf value = {0};
    struct member_record record = {.kind = MEMBER_PERSON,
                                   .role_count = 1,
                                   .roles = {bytes_text("all")},
                                   .has_until = true,
                                   .until = head().tree_size + 1};
    one(say(1, 0, "test.run", nothing()), OK);
    record.until = head().tree_size + 1;
    member_record_write(&value, &record);
    put_member_state(write_member, "alice", buf_bytes(&value));
    buf_clear(&value);
    assert_string_equal(one(say(1, 0, "test.run", nothing()), ERR_REFUSED).why.problem,
                        "has been ended");
}

static void own_keys_actions_need_no_role(void **state)
{
    (void)state;
    one(say(3, 0, "test.run", nothing()), ERR_REFUSED);
    one(say(3, 0, "test.own", nothing()), OK);
}

static void a_void_of_the_same_key_refuses_and_one_of_another_does_not(void **state)
{
    (void)state;
    struct submission *wanted = say(1, 0, "test.run", nothing());
    struct buf key = {0};
    void_state_key(&key, &maker.keys.kid[1][1], &wanted->id);
    one(say(0, 0, "member.run", body(OP_PUT, buf_bytes(&key), hex("8101"))), OK);
    CHECK_OK(maker_execute(&maker, &wanted, 1, MAKER_TIME).results[0].err);
    ledger_discard(maker.ledger);
    key.len = 0;
    void_state_key(&key, &maker.keys.kid[1][0], &wanted->id);
    one(say(0, 0, "member.run", body(OP_PUT, buf_bytes(&key), hex("8101"))), OK);
    one(wanted, ERR_REFUSED);
    buf_clear(&key);
}

static void foreign_statements_are_found_by_kid_and_by_name(void **state)
{
    (void)state;
    struct signer *signer = maker.keys.signer[1][MAKER_KEYS - 1];
    const struct hash *kid = &maker.keys.kid[1][MAKER_KEYS - 1];
    struct bytes x5t = hex("822f4104"); /* [-16, h'04'] */
    struct submission *by_kid =
        maker_foreign_submission(signer, hash_bytes(kid), BYTES_NONE, bytes_text("one"));
    CHECK(hash_is_zero(&by_kid->id));
    struct block_result result = maker_execute(&maker, &by_kid, 1, MAKER_TIME);
    CHECK_OK(result.results[0].err);
    CHECK_OK(ledger_commit(maker.ledger));
    struct hash id;
    statement_id(&id, &by_kid->statement, kid);
    CHECK(hash_equal(&result.results[0].id, &id));
    /* Sent again, years later. */
    result = maker_execute(&maker, &by_kid, 1, MAKER_TIME + 100000000000u);
    CHECK(result.results[0].seen);
    CHECK_UINT(result.results[0].index, 1);
    CHECK_UINT(result.results[0].height, 1);
    CHECK(hash_equal(&result.results[0].id, &id));
    submission_free(by_kid);
    /* By an x5t that is not listed, then by one that is. */
    struct submission *by_name =
        maker_foreign_submission(signer, BYTES_NONE, x5t, bytes_text("two"));
    one(by_name, ERR_KEY);
    struct buf key = {0};
    struct buf value = {0};
    name_state_key(&key, x5t);
    name_record_write(&value, kid);
    one(say(0, 0, "member.run", body(OP_PUT, buf_bytes(&key), buf_bytes(&value))), OK);
    struct buf record = {0};
    by_name = maker_foreign_submission(signer, BYTES_NONE, x5t, bytes_text("two"));
    CHECK_OK(ledger_signer(maker.ledger, &by_name->statement, &record));
    /* The record of the genesis lists no names, so the name alone does not make it good. */
    one(by_name, ERR_KEY);
    /* One listed name is enough, an unknown kid beside it does no harm. */
    struct key_record with_name;
    CHECK_OK(key_record_parse(&with_name, NULL, buf_bytes(&record)));
    with_name.name_count = 1;
    with_name.names[0] = x5t;
    key.len = 0;
    value.len = 0;
    key_record_state_key(&key, kid);
    key_record_write(&value, &with_name);
    one(say(0, 0, "member.run", body(OP_PUT, buf_bytes(&key), buf_bytes(&value))), OK);
    one(maker_foreign_submission(signer, BYTES_NONE, x5t, bytes_text("two")), OK);
    one(maker_foreign_submission(signer, hex("0102"), x5t, bytes_text("three")), OK);
    /* A 32-byte kid of a member key is no foreign key, so the x5t decides. */
    one(maker_foreign_submission(signer, hash_bytes(&maker.keys.kid[2][0]), x5t,
                                 bytes_text("four")),
        OK);
    one(maker_foreign_submission(maker.keys.signer[2][0], hash_bytes(&maker.keys.kid[2][0]),
                                 BYTES_NONE, bytes_text("five")),
        ERR_KEY);
    one(maker_foreign_submission(maker.keys.signer[2][0], hash_bytes(kid), BYTES_NONE,
                                 bytes_text("six")),
        ERR_SIGNATURE);
    buf_clear(&key);
    buf_clear(&value);
    buf_clear(&record);
}

static void the_signer_of_a_statement_is_found(void **state)
{
    (void)state;
    struct submission *submission = say(2, 1, "test.run", nothing());
    struct buf out = {0};
    struct key_record record;
    buf_put_byte(&out, 0xff);
    CHECK_OK(ledger_signer(maker.ledger, &submission->statement, &out));
    CHECK_OK(key_record_parse(&record, NULL, (struct bytes){out.at + 1, out.len - 1}));
    CHECK_BYTES(record.spki, pubkey_spki(signer_pubkey(maker.keys.signer[2][1])));
    struct hash unknown = {{3}};
    submission->statement.kid = hash_bytes(&unknown);
    size_t len = out.len;
    CHECK_ERR(ledger_signer(maker.ledger, &submission->statement, &out), ERR_NOT_FOUND);
    CHECK_UINT(out.len, len);
    buf_clear(&out);
    submission_free(submission);
}

static void a_block_takes_no_more_than_it_may_add_to_the_store(void **state)
{
    (void)state;
    struct submission *block[4];
    struct maker_statement what = {.member = 1, .time_ms = MAKER_TIME, .verified = true};
    for (unsigned i = 0; i < 4; i++) {
        block[i] = maker_deposit(&maker, what, 1);
    }
    /* As large as three of the largest batches. */
    for (unsigned i = 0; i < 3; i++) {
        block[i]->items->total_len = BLOCK_LEN_MAX / 2 - 1000;
    }
    struct block_result result = maker_execute(&maker, block, 4, MAKER_TIME);
    CHECK_OK(result.results[0].err);
    CHECK_OK(result.results[1].err);
    CHECK_ERR(result.results[2].err, ERR_BUSY);
    CHECK_OK(result.results[3].err);
    ledger_discard(maker.ledger);
    block[2]->items->total_len = BLOCK_LEN_MAX + 1;
    result = maker_execute(&maker, &block[2], 1, MAKER_TIME);
    CHECK_OK(result.results[0].err);
    ledger_discard(maker.ledger);
    for (unsigned i = 0; i < 4; i++) {
        submission_free(block[i]);
    }
}

static void what_rules_put_counts_toward_the_block(void **state)
{
    (void)state;
    struct maker_statement what = {.member = 1, .time_ms = MAKER_TIME, .verified = true};
    struct buf many = {0};
    cbor_put_array(&many, 2);
    cbor_put_uint(&many, 1);
    cbor_put_array(&many, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        cbor_put_array(&many, 3);
        cbor_put_uint(&many, OP_PUT);
        cbor_put_bytes(&many, key_a());
        cbor_put_bytes(&many, hex("8101"));
    }
    struct submission *block[] = {
        maker_deposit(&maker, what, 1),
        say(1, 0, "test.run", buf_bytes(&many)),
        say(1, 0, "test.run", nothing()),
    };
    block[0]->items->total_len = BLOCK_LEN_MAX - block[0]->entry.len - block[1]->entry.len - 3000;
    struct block_result result = maker_execute(&maker, block, 3, MAKER_TIME);
    CHECK_OK(result.results[0].err);
    CHECK_OK(result.results[1].err);
    CHECK_ERR(result.results[2].err, ERR_BUSY);
    CHECK_OK(maker_execute(&maker, &block[2], 1, MAKER_TIME).results[0].err);
    for (unsigned i = 0; i < 3; i++) {
        submission_free(block[i]);
    }
    buf_clear(&many);
}

/* Executes and commits a block of one as that of the engine's height. */
static void one_at(uint64_t engine_height, struct submission *submission)
{
    struct block_input input = {MAKER_TIME, &submission, 1, engine_height};
    struct block_result result;
    CHECK_OK(ledger_execute(maker.ledger, &input, &result));
    CHECK(result.changed);
    CHECK_OK(ledger_commit(maker.ledger));
    submission_free(submission);
}

static void the_engines_height_is_durable_with_the_block_that_it_brought(void **state)
{
    (void)state;
    struct buf value = {0};
    CHECK_UINT(ledger_engine_height(maker.ledger), 0);
    one(say(1, 0, "test.run", nothing()), OK); /* no engine brought this one */
    CHECK_UINT(ledger_engine_height(maker.ledger), 0);
    one_at(70, say(1, 0, "test.run", nothing()));
    CHECK_UINT(ledger_engine_height(maker.ledger), 70);
    reopen();
    CHECK_UINT(ledger_engine_height(maker.ledger), 70);
    struct disk_key key = engine_place_key(2);
    CHECK_OK(store_get(maker.store, NULL, FAMILY_ATTEST, disk_key_bytes(&key), &value));
    CHECK_UINT(get_u64(value.at), 70);
    key = engine_place_key(1);
    CHECK_ERR(store_get(maker.store, NULL, FAMILY_ATTEST, disk_key_bytes(&key), &value),
              ERR_NOT_FOUND);
    buf_clear(&value);
}

static void blocks_of_the_engine_that_changed_nothing_are_noted_now_and_then(void **state)
{
    (void)state;
    one_at(10, say(1, 0, "test.run", nothing()));
    CHECK_OK(ledger_passed(maker.ledger, 10 + ENGINE_NOTE_EVERY - 1));
    CHECK_UINT(ledger_engine_height(maker.ledger), 10);
    CHECK_OK(ledger_passed(maker.ledger, 10 + ENGINE_NOTE_EVERY));
    CHECK_UINT(ledger_engine_height(maker.ledger), 10 + ENGINE_NOTE_EVERY);
    reopen();
    CHECK_UINT(ledger_engine_height(maker.ledger), 10 + ENGINE_NOTE_EVERY);
    CHECK_UINT(ledger_timer_due(maker.ledger), UINT64_MAX);
}

static void a_damaged_height_of_the_engine_is_no_height(void **state)
{
    (void)state;
    struct batch *batch = batch_new();
    struct ledger *ledger;
    struct why why = {0};
    batch_put(batch, FAMILY_META, bytes_text(META_ENGINE_KEY), bytes_text("seven b"));
    CHECK_OK(store_commit(maker.store, batch));
    batch_free(batch);
    CHECK_ERR(ledger_open(&ledger, maker.store, &maker_rules, &why), ERR_CORRUPT);
}

static void a_store_has_one_ledger(void **state)
{
    (void)state;
    struct buf document = {0};
    struct hash hash;
    struct why why = {0};
    maker_genesis(&document, &maker.keys);
    CHECK_ERR(ledger_create(maker.store, buf_bytes(&document), MAKER_TIME, &hash, &why),
              ERR_EXISTS);
    buf_clear(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(block_0_is_as_the_protocol_says),
        CASE(the_members_of_the_genesis_are_in_the_state),
        CASE(an_accepted_statement_has_a_place_and_a_header),
        CASE(time_never_runs_backwards),
        CASE(a_block_without_an_accepted_statement_changes_nothing),
        CASE(the_same_statement_is_answered_with_its_first_place),
        CASE(after_its_validity_a_statement_is_expired_and_its_id_forgotten),
        CASE(an_id_is_known_in_the_very_millisecond_of_its_end),
        CASE(every_refusal_has_its_reason_and_changes_nothing),
        CASE(an_unregistered_key_is_refused),
        CASE(a_verdict_counts_only_for_the_key_that_it_names),
        CASE(what_a_refused_rule_did_is_forgotten),
        CASE(a_restart_begins_the_next_epoch),
        CASE(a_key_that_ends_within_a_block_is_good_before_and_not_after),
        CASE(a_refused_end_of_a_key_is_forgotten_with_what_was_read_of_it),
        CASE(a_mandate_lets_the_agent_act_with_the_principals_roles),
        CASE(an_ended_member_may_do_nothing),
        CASE(own_keys_actions_need_no_role),
        CASE(a_void_of_the_same_key_refuses_and_one_of_another_does_not),
        CASE(foreign_statements_are_found_by_kid_and_by_name),
        CASE(the_signer_of_a_statement_is_found),
        CASE(a_block_takes_no_more_than_it_may_add_to_the_store),
        CASE(what_rules_put_counts_toward_the_block),
        CASE(the_engines_height_is_durable_with_the_block_that_it_brought),
        CASE(blocks_of_the_engine_that_changed_nothing_are_noted_now_and_then),
        CASE(a_damaged_height_of_the_engine_is_no_height),
        CASE(a_store_has_one_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
