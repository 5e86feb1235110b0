/* Inspection of anything: what it writes is UTF-8 without control characters but line ends. */
#include "fuzz.h"
#include "proof/inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct buf out = {0};
    if (inspect(&out, input, NULL) == OK) {
        BUG_ON(!bytes_is_utf8(buf_bytes(&out)));
        for (size_t i = 0; i < out.len; i++) {
            BUG_ON((out.at[i] < 0x20 && out.at[i] != '\n') || out.at[i] == 0x7f);
        }
    }
    buf_clear(&out);
    return 0;
}
