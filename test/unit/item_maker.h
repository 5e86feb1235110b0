/* Random items for tests, with every combination of fields. */
#ifndef CAIRN_TEST_ITEM_MAKER_H
#define CAIRN_TEST_ITEM_MAKER_H

#include "proof/deposit.h"
#include "seeded.h"

/* Texts point into this; so an item lives as long as its store. */
struct item_store {
    uint8_t media_type[MEDIA_TYPE_MAX];
    uint8_t phase[PHASE_MAX];
    uint8_t ref[REF_LEN];
};

static inline struct bytes maker_text(uint8_t *at, size_t max, uint64_t kinds)
{
    uint64_t kind = seeded_below(kinds);
    size_t len = 1 + (size_t)(kind * 37 % max);
    memset(at, (int)('a' + kind % 26), len);
    at[0] = (uint8_t)('A' + kind / 26);
    return (struct bytes){at, len};
}

/* An item whose bits of `fields` say which of its five optional fields it has; `kinds` bounds how
 * many different texts there are. */
static inline struct item maker_item(struct item_store *store, unsigned fields, uint64_t kinds)
{
    struct item item = {.form = fields & 1 ? ITEM_BLINDED : ITEM_PLAIN,
                        .sha256 = seeded_hash(),
                        .sm3 = seeded_hash(),
                        .has_size = !(fields & 1),
                        .has_commitment = fields & 16};
    if (item.has_size) {
        item.size = seeded_u64() >> seeded_below(64);
    }
    if ((fields & 2) && item.form == ITEM_PLAIN) {
        item.media_type = maker_text(store->media_type, MEDIA_TYPE_MAX, kinds);
    }
    if (fields & 4) {
        put_u64(store->ref, seeded_u64());
        put_u64(store->ref + 8, seeded_u64());
        item.ref = (struct bytes){store->ref, REF_LEN};
    }
    if (fields & 8) {
        item.phase = maker_text(store->phase, PHASE_MAX, kinds);
    }
    if (item.has_commitment) {
        item.commitment = seeded_hash();
    }
    return item;
}

#endif
