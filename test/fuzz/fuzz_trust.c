/* Trust files: each has one encoding. */
#include "fuzz.h"
#include "proof/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct trust *trust;
    struct buf out = {0};
    if (trust_parse(&trust, input, NULL) == OK) {
        trust_write(&out, trust);
        BUG_ON(!bytes_equal(buf_bytes(&out), input));
        BUG_ON(trust_regime(trust, 0) != &trust->regimes[0]);
        (void)trust_newest(trust);
        trust_free(trust);
    }
    buf_clear(&out);
    return 0;
}
