/* What readers see, and what does not open. */
#include "ledger_case.h"

#include "store/index.h"

#include <pthread.h>

/* The ledger may not see the indexes, so this is the place that holds the two tables together. */
_Static_assert((int)PAIR_SHA256 == (int)INDEX_SHA256 && (int)PAIR_SM3 == (int)INDEX_SM3 &&
                   (int)PAIR_REF == (int)INDEX_REF && (int)PAIR_STATEMENT == (int)INDEX_STATEMENT &&
                   (int)PAIR_TARGET == (int)INDEX_TARGET,
               "pairs have the numbers of the indexes");

/* What view_pairs gave. */
struct given {
    size_t count;
    struct {
        enum pair_kind kind;
        uint64_t prefix;
        uint64_t index;
        uint16_t number;
    } at[4000];
};

static enum err take_pair(void *context, enum pair_kind kind, uint64_t prefix, uint64_t index,
                          uint16_t number)
{
    struct given *given = context;
    CHECK(given->count < 4000);
    given->at[given->count].kind = kind;
    given->at[given->count].prefix = prefix;
    given->at[given->count].index = index;
    given->at[given->count++].number = number;
    return OK;
}

static size_t times_given(const struct given *given, enum pair_kind kind, uint64_t prefix,
                          uint64_t index, uint16_t number)
{
    size_t times = 0;
    for (size_t i = 0; i < given->count; i++) {
        times += given->at[i].kind == kind && given->at[i].prefix == prefix &&
                 given->at[i].index == index && given->at[i].number == number;
    }
    return times;
}

static enum err refuse_pair(void *context, enum pair_kind kind, uint64_t prefix, uint64_t index,
                            uint16_t number)
{
    (void)context;
    (void)kind;
    (void)prefix;
    (void)index;
    (void)number;
    return ERR_BUSY;
}

static void check_item_pairs(const struct given *given, const struct items *items, uint64_t index)
{
    for (uint32_t i = 0; i < items->count; i++) {
        const struct item_prefixes *item = &items->prefixes[i];
        uint16_t number = (uint16_t)i;
        CHECK_UINT(times_given(given, PAIR_SHA256, item->sha256, index, number), 1);
        CHECK_UINT(times_given(given, PAIR_SM3, item->sm3, index, number), 1);
        CHECK_UINT(times_given(given, PAIR_REF, item->ref, index, number), item->has_ref);
    }
}

static void the_pairs_of_blocks_are_read_back(void **state)
{
    (void)state;
    struct maker_statement what = {.member = 1, .time_ms = MAKER_TIME};
    struct submission *deposit = maker_deposit(&maker, what, 700);
    struct buf about = {0};
    cbor_put_array(&about, 2);
    cbor_put_uint(&about, 1);
    cbor_put_hash(&about, &deposit->id);
    struct hash foreign_kid = maker.keys.kid[1][MAKER_KEYS - 1];
    struct submission *block[] = {
        deposit, say(1, 0, "test.say", buf_bytes(&about)), say(1, 0, "test.say", nothing()),
        maker_foreign_submission(maker.keys.signer[1][MAKER_KEYS - 1], hash_bytes(&foreign_kid),
                                 BYTES_NONE, bytes_text("payload"))};
    maker_execute(&maker, block, 4, MAKER_TIME);
    CHECK_OK(ledger_commit(maker.ledger));
    struct given *given = mem_zalloc(sizeof *given);
    struct view *view = ledger_view(maker.ledger);
    CHECK_OK(view_pairs(view, 0, 1, take_pair, given));
    check_item_pairs(given, deposit->items, 1);
    size_t refs = 0;
    for (uint32_t i = 0; i < 700; i++) {
        refs += deposit->items->prefixes[i].has_ref;
    }
    struct hash sha256_of_payload;
    struct hash sm3_of_payload;
    sha256(&sha256_of_payload, bytes_text("payload"));
    sm3(&sm3_of_payload, bytes_text("payload"));
    CHECK_UINT(times_given(given, PAIR_SHA256, get_u64(sha256_of_payload.at), 4, 0), 1);
    CHECK_UINT(times_given(given, PAIR_SM3, get_u64(sm3_of_payload.at), 4, 0), 1);
    CHECK_UINT(given->count, 2 * 700 + refs + 4 + 1 + 2);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_UINT(times_given(given, PAIR_STATEMENT, get_u64(block[i]->id.at), 1 + i, 0), 1);
    }
    CHECK_UINT(times_given(given, PAIR_TARGET, get_u64(deposit->id.at), 2, 0), 1);
    CHECK_ERR(view_pairs(view, 0, 2, take_pair, given), ERR_RANGE);
    CHECK_ERR(view_pairs(view, 0, 1, refuse_pair, NULL), ERR_BUSY);
    view_release(view);
    for (unsigned i = 0; i < 4; i++) {
        submission_free(block[i]);
    }
    buf_clear(&about);
    free(given);
}

/* Checks the bundle against the entries, and level 0 of the tiles against their leaf hashes. */
static void check_bundle(const struct view *view, uint64_t number, unsigned width)
{
    struct buf bundle = {0};
    struct buf tile = {0};
    CHECK_OK(view_entry_bundle(view, number, width, &bundle));
    CHECK_OK(view_tile(view, 0, number, width, &tile));
    CHECK_UINT(tile.len, width * sizeof(struct hash));
    size_t at = 0;
    for (unsigned i = 0; i < width; i++) {
        struct buf entry = {0};
        struct hash leaf;
        uint64_t height;
        CHECK_OK(view_entry(view, 256 * number + i, &entry, &height));
        CHECK(at + 2 + entry.len <= bundle.len);
        CHECK_UINT(get_u16(bundle.at + at), entry.len);
        CHECK_BYTES(((struct bytes){bundle.at + at + 2, entry.len}), buf_bytes(&entry));
        leaf_hash(&leaf, buf_bytes(&entry));
        CHECK_BYTES(((struct bytes){tile.at + i * sizeof leaf, sizeof leaf}), hash_bytes(&leaf));
        at += 2 + entry.len;
        buf_clear(&entry);
    }
    CHECK_UINT(at, bundle.len);
    buf_clear(&bundle);
    buf_clear(&tile);
}

static void check_no_bundle(const struct view *view, uint64_t number, unsigned width)
{
    struct buf out = {0};
    CHECK_ERR(view_entry_bundle(view, number, width, &out), ERR_RANGE);
    CHECK_ERR(view_tile(view, 0, number, width, &out), ERR_RANGE);
    CHECK_UINT(out.len, 0);
}

static void tiles_and_bundles_hold_the_log(void **state)
{
    (void)state;
    struct submission *block[300];
    for (unsigned i = 0; i < 300; i++) {
        block[i] = say(1, 0, "test.say", nothing());
    }
    maker_execute(&maker, block, 255, MAKER_TIME);
    CHECK_OK(ledger_commit(maker.ledger)); /* with the genesis 256 */
    struct view *full = ledger_view(maker.ledger);
    maker_execute(&maker, block + 255, 45, MAKER_TIME);
    CHECK_OK(ledger_commit(maker.ledger));
    struct view *view = ledger_view(maker.ledger);
    check_bundle(full, 0, 256);
    check_no_bundle(full, 1, 1);
    check_no_bundle(full, 1, 0);
    const unsigned widths[] = {1, 44, 45};
    for (unsigned i = 0; i < 3; i++) {
        check_bundle(view, 0, widths[i]);
        check_bundle(view, 1, widths[i]);
    }
    check_bundle(view, 0, 256);
    check_no_bundle(view, 1, 46);
    check_no_bundle(view, 0, 257);
    check_no_bundle(view, 0, 0);
    check_no_bundle(view, 2, 1);
    check_no_bundle(view, UINT64_MAX, 1);
    view_release(full);
    view_release(view);
    for (unsigned i = 0; i < 300; i++) {
        submission_free(block[i]);
    }
}

static void a_view_stays_as_it_is_while_the_ledger_goes_on(void **state)
{
    (void)state;
    struct buf out = {0};
    struct path path;
    struct header parsed;
    struct state_answer answer = {0};
    uint64_t height;
    one(say(1, 0, "test.run", body(OP_PUT, key_a(), hex("8101"))), OK);
    struct view *old = ledger_view(maker.ledger);
    one(say(1, 0, "test.run", body(OP_DELETE, key_a(), nothing())), OK);
    CHECK_UINT(view_header(old)->height, 1);
    CHECK_OK(header_parse(&parsed, view_header_bytes(old)));
    CHECK_UINT(parsed.height, 1);
    CHECK_ERR(view_entry(old, 2, &out, &height), ERR_RANGE);
    CHECK_ERR(view_block(old, 2, &out), ERR_RANGE);
    struct header header;
    CHECK_ERR(view_header_at(old, 2, &header), ERR_RANGE);
    CHECK_OK(view_header_at(old, 1, &header));
    CHECK_UINT(header.height, 1);
    CHECK_ERR(view_log_path(old, 2, 3, &path), ERR_RANGE);
    CHECK_ERR(view_history_path(old, 1, 2, &path), ERR_RANGE);
    CHECK_ERR(view_history_path(old, 1, 1, &path), ERR_RANGE);
    CHECK_ERR(view_item(old, 1, 1, 0, &out, NULL), ERR_NOT_FOUND);
    CHECK_ERR(view_items(old, 1, 1, &out), ERR_NOT_FOUND);
    CHECK_ERR(view_items(old, 1, 0, &out), ERR_RANGE);
    CHECK_OK(view_log_consistency(old, 1, 2, &path));
    CHECK_ERR(view_log_consistency(old, 1, 3, &path), ERR_RANGE);
    CHECK_OK(view_state(old, bytes_text("test"), key_a(), &answer));
    CHECK_BYTES(buf_bytes(&answer.value), hex("8101"));
    state_answer_clear(&answer);
    struct view *now = ledger_view(maker.ledger);
    CHECK_ERR(view_state(now, bytes_text("test"), key_a(), &answer), ERR_NOT_FOUND);
    state_answer_clear(&answer);
    view_release(view_retain(old));
    view_release(old);
    view_release(now);
    view_release(NULL);
    buf_clear(&out);
}

struct scanned {
    size_t count;
    size_t stop_at;
    uint8_t last;
};

static bool take_state(void *context, struct bytes key, struct bytes value)
{
    struct scanned *scanned = context;
    CHECK_UINT(key.len, 2);
    CHECK(scanned->count == 0 || key.at[1] > scanned->last);
    CHECK_UINT(value.at[1], key.at[1] - 'a');
    scanned->last = key.at[1];
    return ++scanned->count < scanned->stop_at;
}

static void the_state_of_a_module_is_walked_in_pages(void **state)
{
    (void)state;
    struct scanned scanned = {.stop_at = 100};
    for (uint8_t i = 0; i < 10; i++) {
        uint8_t key[2] = {0x61, (uint8_t)('a' + i)};
        uint8_t value[2] = {0x81, i};
        one(say(1, 0, "test.run", body(OP_PUT, BYTES_OF(key), BYTES_OF(value))), OK);
    }
    struct view *view = ledger_view(maker.ledger);
    struct bytes test = bytes_text("test");
    CHECK_OK(view_state_scan(view, test, BYTES_NONE, 100, take_state, &scanned));
    CHECK_UINT(scanned.count, 10);
    scanned.count = 0;
    CHECK_OK(view_state_scan(view, test, key_a(), 4, take_state, &scanned));
    CHECK_UINT(scanned.count, 4);
    CHECK_UINT(scanned.last, 'e');
    scanned.count = 0;
    scanned.stop_at = 2;
    CHECK_OK(view_state_scan(view, test, hex("6165"), 100, take_state, &scanned));
    CHECK_UINT(scanned.last, 'g');
    scanned.count = 0;
    CHECK_OK(view_state_scan(view, test, hex("616a"), 100, take_state, &scanned));
    CHECK_OK(view_state_scan(view, bytes_text("zzz"), BYTES_NONE, 100, take_state, &scanned));
    CHECK_OK(view_state_scan(view, bytes_text("none"), BYTES_NONE, 100, take_state, &scanned));
    CHECK_UINT(scanned.count, 0);
    view_release(view);
}

/* Changes one value of the closed ledger's store and tries to open it. */
static enum err open_with(enum family family, struct bytes key, struct bytes value)
{
    struct why why = {0};
    struct batch *batch = batch_new();
    struct buf before = {0};
    struct ledger *ledger;
    enum err there = store_get(maker.store, NULL, family, key, &before);
    batch_put(batch, family, key, value);
    CHECK_OK(store_commit(maker.store, batch));
    enum err err = ledger_open(&ledger, maker.store, &maker_rules, &why);
    CHECK(err == OK || (ledger == NULL && why.field[0] != '\0'));
    ledger_close(ledger);
    if (there == OK) {
        batch_put(batch, family, key, buf_bytes(&before));
    } else {
        batch_delete(batch, family, key);
    }
    CHECK_OK(store_commit(maker.store, batch));
    batch_free(batch);
    buf_clear(&before);
    return err;
}

static void nothing_opens_whose_roots_differ(void **state)
{
    (void)state;
    struct hash hash = seeded_hash();
    uint8_t zero[8] = {0};
    uint8_t format[8] = {0, 0, 0, 0, 0, 0, 0, 2};
    for (unsigned i = 0; i < 3; i++) {
        one(say(1, 0, "test.run", body(OP_PUT, key_a(), hex("8101"))), OK);
    }
    ledger_close(maker.ledger);
    maker.ledger = NULL;
    CHECK_OK(open_with(FAMILY_ATTEST, hex("00"), hex("00")));
    CHECK_ERR(open_with(FAMILY_META, bytes_text("format"), BYTES_OF(format)), ERR_VERSION);
    CHECK_ERR(open_with(FAMILY_META, bytes_text("format"), hex("01")), ERR_VERSION);
    struct mark_head head;
    CHECK_OK(store_head(maker.store, &head));
    uint8_t value[48] = {0};
    put_u64(value + 8, head.height);
    memcpy(value + 16, hash.at, 32);
    CHECK_ERR(open_with(FAMILY_META, bytes_text("head"), BYTES_OF(value)), ERR_CORRUPT);
    put_u64(value + 8, head.height + 1);
    memcpy(value + 16, head.header_hash.at, 32);
    CHECK_ERR(open_with(FAMILY_META, bytes_text("head"), BYTES_OF(value)), ERR_CORRUPT);
    CHECK_ERR(open_with(FAMILY_STATE,
                        hex("8261"
                            "7a"
                            "00"),
                        hex("8101")),
              ERR_CORRUPT);
    CHECK_ERR(open_with(FAMILY_STATE,
                        hex("8264"
                            "74657374"
                            "6161"),
                        hex("8102")),
              ERR_CORRUPT);
    put_u64(zero, 1);
    CHECK_ERR(open_with(FAMILY_LOG, BYTES_OF(zero), hex("000000000000000100")), ERR_CORRUPT);
    CHECK_ERR(open_with(FAMILY_LOG, BYTES_OF(zero), hex("00")), ERR_CORRUPT);
    CHECK_ERR(open_with(FAMILY_BLOCK, BYTES_OF(zero), hex("00")), ERR_CORRUPT);
    put_u64(zero, head.height);
    CHECK_ERR(open_with(FAMILY_BLOCK, BYTES_OF(zero), hex("00")), ERR_CORRUPT);
    CHECK_ERR(open_with(FAMILY_RECENT, hex("00"), BYTES_OF(zero)), ERR_CORRUPT);
    struct why why = {0};
    CHECK_OK(ledger_open(&maker.ledger, maker.store, &maker_rules, &why));
}

static void an_empty_store_has_no_ledger(void **state)
{
    (void)state;
    struct maker empty = {.keys = maker.keys};
    struct store_options options = {.cache_len = 1 << 20, .create = true};
    struct why why = {0};
    strcpy(empty.dir, "/tmp/cairn-ledger-XXXXXX");
    CHECK(mkdtemp(empty.dir) != NULL);
    CHECK_OK(store_open(&empty.store, empty.dir, &options, &why));
    CHECK_ERR(ledger_open(&empty.ledger, empty.store, &maker_rules, &why), ERR_NOT_FOUND);
    CHECK_ERR(ledger_create(empty.store, hex("85"), MAKER_TIME, &empty.chain, &why), ERR_TRUNCATED);
    CHECK_ERR(ledger_open(&empty.ledger, empty.store, &maker_rules, &why), ERR_NOT_FOUND);
    maker_destroy(&empty);
}

static void a_damaged_deposit_is_corrupt(void **state)
{
    (void)state;
    struct maker_statement what = {.member = 1, .time_ms = MAKER_TIME};
    struct buf out = {0};
    struct path path;
    one(maker_deposit(&maker, what, 600), OK);
    struct batch *batch = batch_new();
    uint8_t key[10] = {0};
    put_u64(key, 1);
    put_u16(key + 8, 0xffff);
    batch_put(batch, FAMILY_ITEMS, BYTES_OF(key), hex("00"));
    put_u16(key + 8, 1);
    batch_put(batch, FAMILY_ITEMS, BYTES_OF(key), hex("02"));
    put_u16(key + 8, 2);
    batch_put(batch, FAMILY_ITEMS, BYTES_OF(key), hex("01"));
    CHECK_OK(store_commit(maker.store, batch));
    batch_free(batch);
    reopen();
    struct view *view = ledger_view(maker.ledger);
    CHECK_OK(view_item(view, 1, 600, 5, &out, NULL));
    CHECK(out.len > 0);
    size_t len = out.len;
    CHECK_ERR(view_item(view, 1, 600, 5, &out, &path), ERR_CORRUPT);
    CHECK_ERR(view_item(view, 1, 600, 300, &out, NULL), ERR_CORRUPT);
    CHECK_ERR(view_item(view, 1, 600, 520, &out, NULL), ERR_CORRUPT);
    CHECK_ERR(view_item(view, 1, 600, 520, &out, &path), ERR_CORRUPT);
    CHECK_ERR(view_items(view, 1, 600, &out), ERR_CORRUPT);
    CHECK_UINT(out.len, len);
    CHECK_ERR(view_pairs(view, 1, 1, take_pair, &(struct given){0}), ERR_CORRUPT);
    view_release(view);
    buf_clear(&out);
}

/* Readers beside the ledger's thread. */

static int readers_stop;

static void *read_on(void *argument)
{
    size_t *count = argument;
    struct buf out = {0};
    struct path path;
    struct hash leaf;
    struct hash root;
    while (!__atomic_load_n(&readers_stop, __ATOMIC_RELAXED)) {
        struct view *view = ledger_view(maker.ledger);
        const struct header *header = view_header(view);
        struct state_answer answer = {0};
        uint64_t height;
        uint64_t index = *count % header->tree_size;
        out.len = 0;
        CHECK_OK(view_entry(view, index, &out, &height));
        leaf_hash(&leaf, buf_bytes(&out));
        CHECK_OK(view_log_path(view, index, header->tree_size, &path));
        CHECK_OK(path_root(&root, &leaf, index, header->tree_size, path.at, path.count));
        CHECK(hash_equal(&root, &header->tree_root));
        enum err err = view_state(view, bytes_text("test"), key_a(), &answer);
        CHECK(err == (header->height == 0 ? ERR_NOT_FOUND : OK));
        state_answer_clear(&answer);
        view_release(view);
        __atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
    }
    buf_clear(&out);
    return NULL;
}

static void readers_see_whole_heads_while_blocks_are_committed(void **state)
{
    (void)state;
    pthread_t threads[2];
    size_t counts[2] = {0};
    readers_stop = 0;
    for (unsigned i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, read_on, &counts[i]) == 0);
    }
    for (uint8_t i = 0; __atomic_load_n(&counts[0], __ATOMIC_RELAXED) < 300; i++) {
        uint8_t value[2] = {0x81, i % 20};
        one(say(1, 0, "test.run", body(OP_PUT, key_a(), BYTES_OF(value))), OK);
    }
    __atomic_store_n(&readers_stop, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < 2; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_pairs_of_blocks_are_read_back),
        CASE(tiles_and_bundles_hold_the_log),
        CASE(a_view_stays_as_it_is_while_the_ledger_goes_on),
        CASE(the_state_of_a_module_is_walked_in_pages),
        CASE(nothing_opens_whose_roots_differ),
        CASE(an_empty_store_has_no_ledger),
        CASE(a_damaged_deposit_is_corrupt),
        CASE(readers_see_whole_heads_while_blocks_are_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
