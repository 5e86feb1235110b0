/* What every fuzz target includes. A broken property is a BUG_ON: libFuzzer and the replay both see
 * the abort. */
#ifndef CAIRN_TEST_FUZZ_H
#define CAIRN_TEST_FUZZ_H

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

/* libFuzzer's entry (clang's documentation, "Fuzz Target"): always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes a byte, or a length of two bytes and that many, off the front; what isn't there is zero. */
static inline uint8_t take_byte(struct bytes *rest)
{
    uint8_t byte = rest->len > 0 ? rest->at[0] : 0;
    *rest = rest->len > 0 ? (struct bytes){rest->at + 1, rest->len - 1} : *rest;
    return byte;
}

static inline struct bytes take_block(struct bytes *rest)
{
    size_t len = (size_t)take_byte(rest) << 8;
    len |= take_byte(rest);
    len = len < rest->len ? len : rest->len;
    struct bytes block = {rest->at, len};
    *rest = (struct bytes){rest->at + len, rest->len - len};
    return block;
}

static inline bool lies_inside(struct bytes part, struct bytes whole)
{
    return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

/* What a format with one encoding of everything promises: nothing shorter or longer is good. Calls
 * `parse` with a few beginnings of `whole`, which is good, and with a byte behind it, each in a
 * block of exactly its size. */
static inline void check_whole_only(enum err (*parse)(struct bytes), struct bytes whole)
{
    size_t lens[] = {0, whole.len / 2, (whole.len * 31 + whole.at[whole.len / 2]) % whole.len,
                     whole.len - 1};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        uint8_t *copy = mem_alloc(lens[i]);
        memcpy(copy, whole.at, lens[i]);
        BUG_ON(parse((struct bytes){copy, lens[i]}) == OK);
        free(copy);
    }
    uint8_t *longer = mem_alloc(whole.len + 1);
    memcpy(longer, whole.at, whole.len);
    longer[whole.len] = whole.at[0];
    BUG_ON(parse((struct bytes){longer, whole.len + 1}) == OK);
    free(longer);
}

#endif
