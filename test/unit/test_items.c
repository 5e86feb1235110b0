#include "ledger/chunk.h"

#include "item_maker.h"

/* An encoded sequence of items, and where each ends. */
struct sequence {
    struct buf bytes;
    size_t *ends;
    uint32_t count;
};

static struct sequence sequence_make(uint32_t count, uint64_t kinds)
{
    struct sequence out = {.ends = mem_zalloc(count * sizeof(size_t)), .count = count};
    for (uint32_t i = 0; i < count; i++) {
        struct item_store store;
        struct item item = maker_item(&store, (unsigned)seeded_below(32), kinds);
        item_write(&out.bytes, &item);
        out.ends[i] = out.bytes.len;
    }
    return out;
}

static void sequence_clear(struct sequence *sequence)
{
    buf_clear(&sequence->bytes);
    free(sequence->ends);
}

static struct bytes sequence_item(const struct sequence *sequence, uint32_t number)
{
    size_t start = number == 0 ? 0 : sequence->ends[number - 1];
    return (struct bytes){sequence->bytes.at + start, sequence->ends[number] - start};
}

static struct hash sequence_root(const struct sequence *sequence)
{
    struct frontier frontier = {0};
    struct hash root;
    for (uint32_t i = 0; i < sequence->count; i++) {
        struct hash leaf;
        leaf_hash(&leaf, sequence_item(sequence, i));
        frontier_append(&frontier, &leaf);
    }
    frontier_root(&frontier, &root);
    return root;
}

/* Feeds the sequence in parts of at most `most` bytes. */
static struct items *feed_in_parts(const struct sequence *sequence, size_t most)
{
    struct items *items = items_new(sequence->count);
    for (size_t at = 0; at < sequence->bytes.len;) {
        size_t len = 1 + (size_t)seeded_below(most);
        len = len < sequence->bytes.len - at ? len : sequence->bytes.len - at;
        CHECK_OK(items_feed(items, (struct bytes){sequence->bytes.at + at, len}, NULL));
        at += len;
    }
    return items;
}

static void check_chunk(const struct items *items, uint32_t chunk, const struct sequence *sequence)
{
    struct bytes packed = buf_bytes(&items->chunks[chunk]);
    uint32_t first = chunk * CHUNK_ITEMS;
    uint32_t count = sequence->count - first < CHUNK_ITEMS ? sequence->count - first : CHUNK_ITEMS;
    struct hash leaves[CHUNK_ITEMS];
    struct item_prefixes prefixes[CHUNK_ITEMS];
    uint32_t leaf_count;
    uint32_t prefix_count;
    CHECK_OK(chunk_leaves(leaves, &leaf_count, packed));
    CHECK_OK(chunk_prefixes(prefixes, &prefix_count, packed));
    CHECK_UINT(leaf_count, count);
    CHECK_UINT(prefix_count, count);
    struct buf out = {0};
    for (uint32_t i = 0; i < count; i++) {
        struct bytes want = sequence_item(sequence, first + i);
        struct item item;
        struct hash leaf;
        out.len = 0;
        CHECK_OK(chunk_item(&out, packed, i));
        CHECK_BYTES(buf_bytes(&out), want);
        leaf_hash(&leaf, want);
        CHECK(hash_equal(&leaf, &leaves[i]));
        CHECK_OK(item_parse(&item, want));
        CHECK_UINT(prefixes[i].sha256, get_u64(item.sha256.at));
        CHECK_UINT(prefixes[i].sm3, get_u64(item.sm3.at));
        CHECK_UINT(prefixes[i].has_ref, item.ref.len > 0);
        CHECK_UINT(prefixes[i].ref, item.ref.len > 0 ? get_u64(item.ref.at) : 0);
        CHECK_UINT(items->prefixes[first + i].sha256, prefixes[i].sha256);
        CHECK_UINT(items->prefixes[first + i].sm3, prefixes[i].sm3);
        CHECK_UINT(items->prefixes[first + i].ref, prefixes[i].ref);
        CHECK_UINT(items->prefixes[first + i].has_ref, prefixes[i].has_ref);
    }
    CHECK_ERR(chunk_item(&out, packed, count), ERR_NOT_FOUND);
    buf_clear(&out);
}

static void items_come_back_byte_for_byte_however_they_were_cut(void **state)
{
    (void)state;
    seeded_start("items");
    static const uint32_t counts[] = {1, 2, 3, 255, 256, 257, 511, 512, 513, 1000, 1793};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct sequence sequence = sequence_make(counts[i], i % 2 == 0 ? 3 : 600);
        struct items *items = feed_in_parts(&sequence, i % 3 == 0 ? 7 : 70000);
        struct hash root = sequence_root(&sequence);
        CHECK_OK(items_finish(items, &root, NULL));
        CHECK_UINT(items->count, counts[i]);
        CHECK_UINT(items->total_len, sequence.bytes.len);
        CHECK(hash_equal(&items->root, &root));
        struct buf whole = {0};
        for (uint32_t chunk = 0; chunk < items->chunk_count; chunk++) {
            check_chunk(items, chunk, &sequence);
            CHECK_OK(chunk_items(&whole, buf_bytes(&items->chunks[chunk])));
        }
        CHECK_BYTES(buf_bytes(&whole), buf_bytes(&sequence.bytes));
        buf_clear(&whole);
        items_free(items);
        sequence_clear(&sequence);
    }
}

static void every_combination_of_fields_survives_packing(void **state)
{
    (void)state;
    seeded_start("fields");
    for (unsigned fields = 0; fields < 32; fields++) {
        struct item_store store;
        struct item item = maker_item(&store, fields, 26);
        struct buf encoded = {0};
        struct buf chunk = {0};
        struct buf out = {0};
        struct chunk_words words = {0};
        item_write(&encoded, &item);
        chunk_pack(&chunk, &words, &item);
        CHECK_OK(chunk_item(&out, buf_bytes(&chunk), 0));
        CHECK_BYTES(buf_bytes(&out), buf_bytes(&encoded));
        buf_clear(&encoded);
        buf_clear(&chunk);
        buf_clear(&out);
    }
}

static void a_plain_item_with_a_known_type_takes_seventy_bytes(void **state)
{
    (void)state;
    seeded_start("size");
    struct buf chunk = {0};
    struct chunk_words words = {0};
    for (unsigned i = 0; i < CHUNK_ITEMS; i++) {
        struct item item = {.sha256 = seeded_hash(),
                            .sm3 = seeded_hash(),
                            .has_size = true,
                            .size = 1u << 20,
                            .media_type = bytes_text("application/pdf")};
        chunk_pack(&chunk, &words, &item);
    }
    CHECK(chunk.len <= CHUNK_ITEMS * 70);
    buf_clear(&chunk);
}

static void a_damaged_chunk_is_never_read_beyond_its_end(void **state)
{
    (void)state;
    seeded_start("damage");
    struct sequence sequence = sequence_make(40, 600);
    struct items *items = feed_in_parts(&sequence, 70000);
    struct bytes packed = buf_bytes(&items->chunks[0]);
    struct hash leaves[CHUNK_ITEMS];
    struct item_prefixes prefixes[CHUNK_ITEMS];
    uint32_t count;
    struct buf out = {0};
    CHECK_ERR(chunk_items(&out, BYTES_NONE), ERR_CORRUPT);
    for (size_t len = 1; len < packed.len; len++) {
        uint8_t *copy = mem_alloc(len);
        memcpy(copy, packed.at, len);
        struct bytes cut = {copy, len};
        enum err err = chunk_leaves(leaves, &count, cut);
        CHECK(err == OK || err == ERR_CORRUPT);
        CHECK(count < 40);
        CHECK(chunk_prefixes(prefixes, &count, cut) == err);
        out.len = 0;
        CHECK(chunk_items(&out, cut) == err);
        free(copy);
    }
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t *copy = mem_alloc(packed.len);
        memcpy(copy, packed.at, packed.len);
        copy[seeded_below(packed.len)] ^= (uint8_t)(1 + seeded_below(255));
        out.len = 0;
        enum err err = chunk_items(&out, (struct bytes){copy, packed.len});
        CHECK(err == OK || err == ERR_CORRUPT);
        free(copy);
    }
    buf_clear(&out);
    items_free(items);
    sequence_clear(&sequence);
}

static void a_chunk_of_more_than_256_items_is_corrupt(void **state)
{
    (void)state;
    struct buf chunk = {0};
    struct chunk_words words = {0};
    struct item item = {.has_size = true};
    struct hash leaves[CHUNK_ITEMS];
    struct item_prefixes prefixes[CHUNK_ITEMS];
    uint32_t count;
    for (unsigned i = 0; i <= CHUNK_ITEMS; i++) {
        chunk_pack(&chunk, &words, &item);
    }
    CHECK_ERR(chunk_leaves(leaves, &count, buf_bytes(&chunk)), ERR_CORRUPT);
    CHECK_ERR(chunk_prefixes(prefixes, &count, buf_bytes(&chunk)), ERR_CORRUPT);
    chunk.at[0] = 2;
    CHECK_ERR(chunk_leaves(leaves, &count, buf_bytes(&chunk)), ERR_CORRUPT);
    buf_clear(&chunk);
}

static void too_few_items_and_a_cut_one_are_truncated(void **state)
{
    (void)state;
    seeded_start("truncated");
    struct sequence sequence = sequence_make(3, 3);
    struct hash root = sequence_root(&sequence);
    for (size_t len = 0; len < sequence.bytes.len; len++) {
        struct items *items = items_new(3);
        struct why why = {0};
        CHECK_OK(items_feed(items, (struct bytes){sequence.bytes.at, len}, &why));
        CHECK_ERR(items_finish(items, &root, &why), ERR_TRUNCATED);
        items_free(items);
    }
    sequence_clear(&sequence);
}

static void more_items_than_signed_are_refused(void **state)
{
    (void)state;
    seeded_start("more");
    struct sequence sequence = sequence_make(3, 3);
    struct items *items = items_new(2);
    struct why why = {0};
    CHECK_ERR(items_feed(items, buf_bytes(&sequence.bytes), &why), ERR_RANGE);
    assert_string_equal(why.field, "items");
    items_free(items);
    sequence_clear(&sequence);
}

static void a_bad_item_is_named_by_its_number(void **state)
{
    (void)state;
    seeded_start("bad");
    struct sequence sequence = sequence_make(5, 3);
    struct why why = {0};
    sequence.bytes.at[sequence.ends[2] + 1] = 7;
    for (unsigned cut = 0; cut < 2; cut++) {
        struct items *items = items_new(5);
        size_t first = cut == 0 ? 0 : sequence.ends[2] + 1;
        CHECK_OK(items_feed(items, (struct bytes){sequence.bytes.at, first}, &why));
        CHECK_ERR(items_feed(items,
                             (struct bytes){sequence.bytes.at + first, sequence.bytes.len - first},
                             &why),
                  ERR_VERSION);
        assert_string_equal(why.field, "item");
        assert_string_equal(why.value, "3");
        items_free(items);
    }
    sequence_clear(&sequence);
}

static void an_item_that_never_ends_is_refused_at_256_bytes(void **state)
{
    (void)state;
    uint8_t endless[400] = {0x89, 0x01, 0x00, 0x59, 0xff, 0xff};
    for (size_t part = 1; part <= sizeof endless; part *= 2) {
        struct items *items = items_new(5);
        enum err err = OK;
        for (size_t at = 0; at < sizeof endless && err == OK; at += part) {
            size_t len = part < sizeof endless - at ? part : sizeof endless - at;
            err = items_feed(items, (struct bytes){endless + at, len}, NULL);
        }
        CHECK_ERR(err, ERR_RANGE);
        items_free(items);
    }
}

static void another_root_does_not_match(void **state)
{
    (void)state;
    seeded_start("root");
    struct sequence sequence = sequence_make(300, 3);
    struct items *items = feed_in_parts(&sequence, 1000);
    struct hash root = sequence_root(&sequence);
    struct why why = {0};
    root.at[31] ^= 1;
    CHECK_ERR(items_finish(items, &root, &why), ERR_MISMATCH);
    assert_string_equal(why.field, "items root");
    items_free(items);
    sequence_clear(&sequence);
}

static void a_batch_has_at_most_16_mib(void **state)
{
    (void)state;
    struct items *items = items_new(DEPOSIT_ITEMS_MAX);
    struct why why = {0};
    items->total_len = BATCH_BYTES_MAX - 3;
    uint8_t part[4] = {0x89, 1, 0, 0x58};
    CHECK_ERR(items_feed(items, (struct bytes){part, 4}, &why), ERR_RANGE);
    CHECK_OK(items_feed(items, (struct bytes){part, 2}, &why));
    CHECK_OK(items_feed(items, (struct bytes){part + 2, 1}, &why));
    CHECK_ERR(items_feed(items, (struct bytes){part + 3, 1}, &why), ERR_RANGE);
    items_free(items);
    items_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_back_byte_for_byte_however_they_were_cut),
        cmocka_unit_test(every_combination_of_fields_survives_packing),
        cmocka_unit_test(a_plain_item_with_a_known_type_takes_seventy_bytes),
        cmocka_unit_test(a_damaged_chunk_is_never_read_beyond_its_end),
        cmocka_unit_test(a_chunk_of_more_than_256_items_is_corrupt),
        cmocka_unit_test(too_few_items_and_a_cut_one_are_truncated),
        cmocka_unit_test(more_items_than_signed_are_refused),
        cmocka_unit_test(a_bad_item_is_named_by_its_number),
        cmocka_unit_test(an_item_that_never_ends_is_refused_at_256_bytes),
        cmocka_unit_test(another_root_does_not_match),
        cmocka_unit_test(a_batch_has_at_most_16_mib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
