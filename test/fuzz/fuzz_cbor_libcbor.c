/* Our reader against libcbor: what ours takes, libcbor takes and writes again to the same bytes;
 * what libcbor takes, whose shortest encoding it is and which holds only what protocol.md allows,
 * ours takes. */
#include "codec/cbor.h"
#include "fuzz.h"
#include "libcbor_oracle.h"

#include <stdlib.h>
#include <string.h>

static bool ours_takes(struct bytes input)
{
    struct cbor_reader reader;
    cbor_init(&reader, input);
    (void)cbor_item(&reader);
    return cbor_end(&reader) == OK;
}

/* libcbor 0.8 refuses the tags 6 to 20, which had no meaning when it was written (18 is
 * COSE_Sign1). It is asked about tag 5 in their place, whose head has the same length. */
static void replace_tags(uint8_t *copy, struct bytes input)
{
    struct cbor_reader reader;
    cbor_init(&reader, input);
    for (enum cbor_type next; (next = cbor_peek(&reader)) != CBOR_NONE;) {
        size_t place = (size_t)(reader.at - input.at);
        if (next == CBOR_TAG) {
            uint64_t number = cbor_tag(&reader);
            copy[place] = number >= 6 && number <= 20 ? 0xc5 : copy[place];
        } else if (next == CBOR_ARRAY) {
            (void)cbor_array(&reader, 0, SIZE_MAX);
        } else if (next == CBOR_MAP) {
            (void)cbor_map(&reader, 0, SIZE_MAX);
        } else {
            (void)cbor_item(&reader);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    uint8_t *copy = mem_alloc(size);
    memcpy(copy, data, size);
    replace_tags(copy, (struct bytes){data, size});
    bool taken = ours_takes((struct bytes){data, size});
    struct oracle oracle = oracle_ask(copy, size);
    BUG_ON(taken && !(oracle.taken && oracle.same && oracle.in_shortest));
    BUG_ON(!taken && oracle.in_shortest);
    free(copy);
    return 0;
}
