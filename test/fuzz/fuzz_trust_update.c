/* Trust updates: each has one encoding, and is applied to a trust file that lists nothing of it. */
#include "fuzz.h"
#include "proof/trustupdate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct trust_update *update;
    struct trust *after;
    struct buf out = {0};
    struct hash accept = {0};
    struct regime regime = {0};
    if (trust_update_parse(&update, input, NULL) == OK) {
        struct trust before = {.name = bytes_text("fuzz"),
                               .chain = update->chain,
                               .regime_count = 1,
                               .regimes = &regime};
        trust_update_write(&out, update);
        BUG_ON(!bytes_equal(buf_bytes(&out), input));
        BUG_ON(trust_update_apply(&after, &before, update, &accept, NULL) == OK);
        trust_update_free(update);
    }
    buf_clear(&out);
    return 0;
}
