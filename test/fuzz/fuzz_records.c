/* The genesis document and the records in the state: each has one encoding, so what a parser takes
 * its writer gives back byte for byte. Every input goes through every parser. */
#include "fuzz.h"
#include "ledger/genesis.h"
#include "mutate.h"

const struct fuzz_shape fuzz_shape = {0, false};

static enum err genesis(struct bytes in)
{
    struct genesis *out = mem_zalloc(sizeof *out);
    struct buf again = {0};
    struct why why = {0};
    enum err err = genesis_parse(out, in, &why);
    if (err == OK) {
        genesis_write(&again, out);
        BUG_ON(!bytes_equal(buf_bytes(&again), in));
    }
    buf_clear(&again);
    free(out);
    return err;
}

static enum err member(struct bytes in)
{
    struct member_record *out = mem_zalloc(sizeof *out);
    struct buf again = {0};
    enum err err = member_record_parse(out, in);
    if (err == OK) {
        member_record_write(&again, out);
        BUG_ON(!bytes_equal(buf_bytes(&again), in));
    }
    buf_clear(&again);
    free(out);
    return err;
}

static enum err mandate(struct bytes in)
{
    struct mandate_record out;
    struct buf again = {0};
    enum err err = mandate_record_parse(&out, in);
    if (err == OK) {
        mandate_record_write(&again, &out);
        BUG_ON(!bytes_equal(buf_bytes(&again), in));
    }
    buf_clear(&again);
    return err;
}

static enum err name(struct bytes in)
{
    struct hash kid;
    struct buf again = {0};
    enum err err = name_record_parse(&kid, in);
    if (err == OK) {
        name_record_write(&again, &kid);
        BUG_ON(!bytes_equal(buf_bytes(&again), in));
    }
    buf_clear(&again);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum err (*const parsers[])(struct bytes) = {genesis, member, mandate, name};
    struct bytes input = {data, size};
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++) {
        if (parsers[i](input) == OK) {
            check_whole_only(parsers[i], input);
        }
    }
    return 0;
}
