/* The files that a client keeps of its batches: whoever goes through one sees each entry inside the
 * file, and a file that is whole is whole up to its last entry only. */
#include "cli/bundle.h"
#include "fuzz.h"
#include "mutate.h"

const struct fuzz_shape fuzz_shape = {0, false};

struct seen {
    struct bytes file;
    size_t count;
    size_t stop; /* after so many */
};

static bool see(void *context, const struct kept *kept)
{
    struct seen *seen = context;
    BUG_ON(!lies_inside(kept->name, seen->file) || kept->name.len == 0);
    seen->count++;
    return seen->count == seen->stop;
}

static void check_salts(struct bytes input)
{
    struct seen all = {.file = input};
    if (salts_each(input, see, &all) == OK && all.count > 0) {
        struct seen some = {.file = input, .stop = 1 + all.count / 2};
        BUG_ON(salts_each(input, see, &some) != OK || some.count != some.stop);
        struct seen twice = {.file = {NULL, 0}};
        struct buf doubled = {0};
        buf_put(&doubled, input);
        buf_put(&doubled, input);
        twice.file = buf_bytes(&doubled);
        BUG_ON(salts_each(twice.file, see, &twice) != OK || twice.count != 2 * all.count);
        twice.count = 0;
        BUG_ON(salts_each((struct bytes){doubled.at, doubled.len - 1}, see, &twice) == OK);
        buf_clear(&doubled);
    }
}

static void check_items(struct bytes input)
{
    struct bundle batch = {0};
    if (bundle_parse(&batch, input) == OK) {
        size_t len = 0;
        BUG_ON(batch.count == 0);
        for (uint32_t i = 0; i < batch.count; i++) {
            struct item item;
            struct bytes encoded = bundle_item(&batch, i);
            BUG_ON(item_parse(&item, encoded) != OK);
            len += encoded.len;
        }
        BUG_ON(len != input.len);
    }
    bundle_clear(&batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    check_salts(input);
    check_items(input);
    return 0;
}
