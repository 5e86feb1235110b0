/* Receipts, with and without a path. */
#include "fuzz.h"
#include "proof/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct receipt receipt;
    struct buf out = {0};
    if (receipt_parse(&receipt, input) == OK) {
        if (receipt.has_path) {
            receipt_with_path(&out, &receipt, receipt.size, receipt.index, &receipt.path);
        } else {
            sign1_write(&out, &receipt.sign1);
        }
        BUG_ON(!bytes_equal(buf_bytes(&out), input));
    }
    buf_clear(&out);
    return 0;
}
