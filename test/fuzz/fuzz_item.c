/* Items and headers: each has one encoding. */
#include "fuzz.h"
#include "proof/deposit.h"
#include "proof/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct item item;
    struct header header;
    struct bytes rest;
    struct buf out = {0};
    if (item_parse_first(&item, input, &rest) == OK) {
        item_write(&out, &item);
        BUG_ON(!bytes_equal(buf_bytes(&out), (struct bytes){input.at, input.len - rest.len}));
        out.len = 0;
    }
    if (header_parse(&header, input) == OK) {
        header_write(&out, &header);
        BUG_ON(!bytes_equal(buf_bytes(&out), input));
    }
    buf_clear(&out);
    return 0;
}
