/* Ids, headers, deposits, statements, receipts and key records against the interop vectors. */
#include "vectors.h"

#include "crypto/digest.h"
#include "merkle/tree.h"
#include "proof/deposit.h"
#include "proof/header.h"
#include "proof/id.h"
#include "proof/receipt.h"
#include "proof/statement.h"

static struct hash hash_of(struct bytes bytes)
{
    struct hash hash;
    CHECK_UINT(bytes.len, sizeof hash.at);
    memcpy(hash.at, bytes.at, sizeof hash.at);
    return hash;
}

/* Every prefix of `in` and `in` with one byte more are refused by `parse`. */
static void check_ends(enum err (*parse)(struct bytes), struct bytes in)
{
    struct buf longer = {0};
    CHECK_OK(parse(in));
    for (size_t len = 0; len < in.len; len++) {
        CHECK(parse((struct bytes){in.at, len}) != OK);
    }
    buf_put(&longer, in);
    buf_put_byte(&longer, 0);
    CHECK(parse(buf_bytes(&longer)) != OK);
    buf_clear(&longer);
}

static void evidence_ids_agree_and_read_back(void **state)
{
    (void)state;
    unsigned rows = 0;
    struct vector table = vector_open("evidence_ids.txt");
    while (vector_next(&table)) {
        rows++;
        char got[EVIDENCE_ID_LEN + 1];
        uint8_t prefix[EVIDENCE_PREFIX_LEN];
        uint16_t number;
        struct hash statement = hash_of(vector_bytes(&table, 0));
        evidence_id_write(got, &statement, (uint16_t)strtoul(table.fields[1], NULL, 10));
        CHECK_BYTES(bytes_text(got), bytes_text(table.fields[2]));
        CHECK_OK(evidence_id_read(prefix, &number, bytes_text(table.fields[2])));
        CHECK(memcmp(prefix, statement.at, sizeof prefix) == 0);
        CHECK_UINT(number, strtoul(table.fields[1], NULL, 10));
    }
    CHECK(rows > 3);
}

static void an_evidence_id_with_one_wrong_or_swapped_character_is_refused(void **state)
{
    (void)state;
    char id[] = "DRT0Q7-7ZPDX9-H7558K-KBP0007";
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint8_t prefix[EVIDENCE_PREFIX_LEN];
    uint16_t number;
    CHECK_OK(evidence_id_read(prefix, &number, bytes_text("drto q77zpdx9h7558kkbp0oo7")));
    for (size_t i = 0; i < strlen(id); i++) {
        char kept = id[i];
        for (size_t d = 0; kept != '-' && d < strlen(digits); d++) {
            id[i] = digits[d];
            CHECK_ERR(evidence_id_read(prefix, &number, bytes_text(id)),
                      digits[d] == kept ? OK : ERR_MISMATCH);
        }
        id[i] = kept;
        if (i > 0 && id[i - 1] != '-' && kept != '-' && id[i - 1] != kept) {
            id[i] = id[i - 1];
            id[i - 1] = kept;
            CHECK_ERR(evidence_id_read(prefix, &number, bytes_text(id)), ERR_MISMATCH);
            id[i - 1] = id[i];
            id[i] = kept;
        }
    }
    CHECK_ERR(evidence_id_read(prefix, &number, bytes_text("DRT0Q7")), ERR_FORMAT);
    CHECK_ERR(evidence_id_read(prefix, &number, bytes_text("URT0Q7-7ZPDX9-H7558K-KBP0007")),
              ERR_FORMAT);
    CHECK_ERR(evidence_id_read(prefix, &number, bytes_text("DRT0Q7-7ZPDX9-H7558K-KBP00070")),
              ERR_FORMAT);
}

static void references_and_commitments_agree(void **state)
{
    (void)state;
    unsigned rows = 0;
    struct vector table = vector_open("refs.txt");
    while (vector_next(&table)) {
        rows++;
        uint8_t ref[REF_LEN];
        struct hash k;
        ref_write(ref, &k, vector_bytes(&table, 0), vector_bytes(&table, 1));
        CHECK_BYTES(hash_bytes(&k), vector_bytes(&table, 2));
        CHECK_BYTES(((struct bytes){ref, REF_LEN}), vector_bytes(&table, 3));
        ref_write(ref, NULL, vector_bytes(&table, 0), vector_bytes(&table, 1));
        CHECK_BYTES(((struct bytes){ref, REF_LEN}), vector_bytes(&table, 3));
    }
    table = vector_open("commitments.txt");
    while (vector_next(&table)) {
        rows++;
        struct hash got;
        struct hash salt = hash_of(vector_bytes(&table, 1));
        commitment_write(&got, bytes_text(table.fields[0]), &salt, vector_bytes(&table, 2));
        CHECK_BYTES(hash_bytes(&got), vector_bytes(&table, 3));
    }
    CHECK_UINT(rows, 8);
}

static enum err header_ok(struct bytes in)
{
    struct header header;
    return header_parse(&header, in);
}

static void headers_parse_hash_and_write_back(void **state)
{
    (void)state;
    unsigned rows = 0;
    struct vector table = vector_open("headers.txt");
    while (vector_next(&table)) {
        rows++;
        struct header header;
        struct hash hash;
        struct buf again = {0};
        CHECK_OK(header_parse(&header, vector_bytes(&table, 0)));
        header_hash(&hash, &header);
        CHECK_BYTES(hash_bytes(&hash), vector_bytes(&table, 1));
        CHECK_BYTES(hash_bytes(&header.history_root), vector_bytes(&table, 2));
        CHECK_BYTES(hash_bytes(&header.tree_root), vector_bytes(&table, 3));
        header_write(&again, &header);
        CHECK_BYTES(buf_bytes(&again), vector_bytes(&table, 0));
        buf_clear(&again);
        check_ends(header_ok, vector_bytes(&table, 0));
    }
    CHECK_UINT(rows, 7);
}

static void a_header_of_another_version_or_suite_is_refused(void **state)
{
    (void)state;
    struct header header = {.suite = SUITE_1};
    struct buf buf = {0};
    header_write(&buf, &header);
    CHECK_OK(header_ok(buf_bytes(&buf)));
    buf.at[1] = 2;
    CHECK_ERR(header_ok(buf_bytes(&buf)), ERR_VERSION);
    buf.at[1] = 1;
    buf.at[2] = 2;
    CHECK_ERR(header_ok(buf_bytes(&buf)), ERR_UNSUPPORTED);
    buf_reserve(&buf, HEADER_MAX);
    CHECK_ERR(header_ok((struct bytes){buf.at, HEADER_MAX + 1}), ERR_RANGE);
    buf_clear(&buf);
}

static enum err item_ok(struct bytes in)
{
    struct item item;
    return item_parse(&item, in);
}

/* The digests of salt || file are what the item says. */
static void check_digests(const struct item *item, struct bytes salt, struct bytes file)
{
    struct buf both = {0};
    struct hash digest;
    buf_put(&both, salt);
    buf_put(&both, file);
    sha256(&digest, buf_bytes(&both));
    CHECK(hash_equal(&digest, &item->sha256));
    sm3(&digest, buf_bytes(&both));
    CHECK(hash_equal(&digest, &item->sm3));
    buf_clear(&both);
}

static void items_parse_and_write_back(void **state)
{
    (void)state;
    unsigned rows = 0;
    struct vector table = vector_open("items.txt");
    while (vector_next(&table)) {
        rows++;
        struct item item;
        struct hash leaf;
        struct bytes rest;
        struct buf again = {0};
        CHECK_OK(item_parse(&item, vector_bytes(&table, 0)));
        leaf_hash(&leaf, vector_bytes(&table, 0));
        CHECK_BYTES(hash_bytes(&leaf), vector_bytes(&table, 1));
        check_digests(&item, vector_bytes(&table, 3), vector_bytes(&table, 2));
        item_write(&again, &item);
        CHECK_BYTES(buf_bytes(&again), vector_bytes(&table, 0));
        item_write(&again, &item);
        CHECK_OK(item_parse_first(&item, buf_bytes(&again), &rest));
        CHECK_BYTES(rest, vector_bytes(&table, 0));
        buf_clear(&again);
        check_ends(item_ok, vector_bytes(&table, 0));
    }
    CHECK_UINT(rows, 4);
}

/* Writes the item and gives what the parser says of it. */
static enum err reparse(const struct item *item)
{
    struct buf buf = {0};
    item_write(&buf, item);
    enum err err = item_ok(buf_bytes(&buf));
    buf_clear(&buf);
    return err;
}

static void an_item_holds_what_its_form_allows_and_no_more(void **state)
{
    (void)state;
    struct item plain = {.form = ITEM_PLAIN, .has_size = true, .media_type = bytes_text("a/b")};
    struct item blind = {.form = ITEM_BLINDED};
    CHECK_OK(reparse(&plain));
    CHECK_OK(reparse(&blind));
    plain.has_size = false;
    CHECK_ERR(reparse(&plain), ERR_FORMAT);
    blind.has_size = true;
    CHECK_ERR(reparse(&blind), ERR_FORMAT);
    blind.has_size = false;
    blind.media_type = bytes_text("a/b");
    CHECK_ERR(reparse(&blind), ERR_FORMAT);
    plain.has_size = true;
    plain.ref = bytes_text("fifteen bytes..");
    CHECK_ERR(reparse(&plain), ERR_RANGE);
    plain.ref = BYTES_NONE;
    plain.phase = bytes_text("twenty one characters");
    CHECK_ERR(reparse(&plain), ERR_RANGE);
    uint8_t large[ITEM_MAX + 1] = {0x89, 1, 0};
    CHECK_ERR(item_ok((struct bytes){large, sizeof large}), ERR_RANGE);
}

static enum err deposit_ok(struct bytes in)
{
    struct deposit deposit;
    return deposit_parse(&deposit, in);
}

static void a_deposit_writes_what_it_reads(void **state)
{
    (void)state;
    struct deposit deposit = {.count = 65536, .category = bytes_text("contract"), .flags = 7};
    for (int capture = 0; capture < 2; capture++) {
        struct deposit again;
        struct buf buf = {0};
        deposit.has_capture = capture;
        deposit_write(&buf, &deposit);
        CHECK_OK(deposit_parse(&again, buf_bytes(&buf)));
        CHECK_UINT(again.count, 65536);
        CHECK(again.has_capture == capture && again.flags == 7);
        check_ends(deposit_ok, buf_bytes(&buf));
        buf_clear(&buf);
    }
}

static void a_deposit_of_no_items_or_too_many_is_refused(void **state)
{
    (void)state;
    static const uint32_t counts[] = {0, 65537};
    for (size_t i = 0; i < 2; i++) {
        struct deposit deposit = {.count = counts[i], .category = bytes_text("c")};
        struct buf buf = {0};
        deposit_write(&buf, &deposit);
        CHECK_ERR(deposit_ok(buf_bytes(&buf)), ERR_RANGE);
        buf_clear(&buf);
    }
}

static enum err statement_ok(struct bytes in)
{
    struct statement statement;
    return statement_parse(&statement, in, NULL);
}

static void statements_have_the_ids_and_leaves_of_the_vectors(void **state)
{
    (void)state;
    unsigned rows = 0;
    struct vector table = vector_open("statements.txt");
    while (vector_next(&table)) {
        rows++;
        struct statement statement;
        struct hash id;
        struct hash leaf;
        struct buf entry = {0};
        bool foreign = strcmp(table.fields[2], "-") != 0;
        CHECK_OK(statement_parse(&statement, vector_bytes(&table, 0), NULL));
        CHECK(statement.foreign == foreign);
        struct hash kid = foreign ? hash_of(vector_bytes(&table, 2)) : (struct hash){0};
        statement_id(&id, &statement, foreign ? &kid : NULL);
        CHECK_BYTES(hash_bytes(&id), vector_bytes(&table, 3));
        statement_entry(&entry, &statement);
        CHECK_BYTES(buf_bytes(&entry), vector_bytes(&table, 0));
        if (strcmp(table.fields[1], "-") != 0) {
            leaf_hash(&leaf, buf_bytes(&entry));
            CHECK_BYTES(hash_bytes(&leaf), vector_bytes(&table, 1));
        }
        check_ends(statement_ok, vector_bytes(&table, 0));
        buf_clear(&entry);
    }
    CHECK_UINT(rows, 7);
}

static void a_receipt_checks_against_its_header_and_path(void **state)
{
    (void)state;
    unsigned rows = 0;
    struct vector table = vector_open("receipts.txt");
    while (vector_next(&table)) {
        rows++;
        struct receipt receipt;
        struct header header;
        struct pubkey *key;
        struct buf again = {0};
        CHECK_OK(pubkey_parse(&key, vector_bytes(&table, 0)));
        CHECK_OK(header_parse(&header, vector_bytes(&table, 4)));
        CHECK_OK(receipt_parse(&receipt, vector_bytes(&table, 1)));
        CHECK_OK(receipt_check(&receipt, &header, key, NULL, NULL));
        struct bytes with_path = vector_bytes(&table, 2);
        CHECK_OK(receipt_parse(&receipt, with_path));
        CHECK_UINT(receipt.index, strtoul(table.fields[3], NULL, 10));
        receipt_with_path(&again, &receipt, receipt.size, receipt.index, &receipt.path);
        CHECK_BYTES(buf_bytes(&again), with_path);
        struct hash leaf = {0};
        CHECK_ERR(receipt_check(&receipt, &header, key, &leaf, NULL), ERR_MISMATCH);
        header.time_ms += 1;
        CHECK_ERR(receipt_check(&receipt, &header, key, NULL, NULL), ERR_MISMATCH);
        pubkey_free(key);
        buf_clear(&again);
    }
    CHECK_UINT(rows, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_ids_agree_and_read_back),
        cmocka_unit_test(an_evidence_id_with_one_wrong_or_swapped_character_is_refused),
        cmocka_unit_test(references_and_commitments_agree),
        cmocka_unit_test(headers_parse_hash_and_write_back),
        cmocka_unit_test(a_header_of_another_version_or_suite_is_refused),
        cmocka_unit_test(items_parse_and_write_back),
        cmocka_unit_test(an_item_holds_what_its_form_allows_and_no_more),
        cmocka_unit_test(a_deposit_writes_what_it_reads),
        cmocka_unit_test(a_deposit_of_no_items_or_too_many_is_refused),
        cmocka_unit_test(statements_have_the_ids_and_leaves_of_the_vectors),
        cmocka_unit_test(a_receipt_checks_against_its_header_and_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
