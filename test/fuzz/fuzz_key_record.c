/* Key records and key requests. */
#include "fuzz.h"
#include "proof/keyrecord.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct key_record record;
    struct possession request;
    struct pubkey *key;
    struct buf out = {0};
    if (key_record_parse(&record, &key, input) == OK) {
        key_record_write(&out, &record);
        BUG_ON(!bytes_equal(buf_bytes(&out), input));
        pubkey_free(key);
    }
    if (possession_parse(&request, input, NULL) == OK) {
        BUG_ON(request.alg == ALG_WEBAUTHN);
    }
    buf_clear(&out);
    return 0;
}
