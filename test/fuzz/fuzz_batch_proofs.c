/* Batch proofs: what is read is written again byte for byte; every item has a proof file of its own
 * that can be read, and is found by its digest or its name. */
#include "fuzz.h"
#include "mutate.h"
#include "proof/batchproof.h"

const struct fuzz_shape fuzz_shape = {0, false};

static enum err parse(struct bytes in)
{
    struct batch_proofs *batch;
    enum err err = batch_proofs_parse(&batch, in, NULL);
    BUG_ON((err == OK) != (batch != NULL));
    batch_proofs_free(batch);
    return err;
}

static void check_extract(const struct batch_proofs *batch, uint32_t number)
{
    const struct batch_item *item = &batch->items[number];
    struct proof_file *file = mem_zalloc(sizeof *file);
    struct buf out = {0};
    BUG_ON(batch_proofs_extract(&out, batch, number) != OK);
    BUG_ON(proof_file_read(file, buf_bytes(&out)) != OK);
    BUG_ON(file->number != number || !bytes_equal(file->item, item->item));
    BUG_ON(!bytes_equal(file->salt, item->salt));
    BUG_ON(file->index != batch->shared.index || !bytes_equal(file->head, batch->shared.head));
    buf_clear(&out);
    free(file);
}

static void check_find(const struct batch_proofs *batch, uint32_t number)
{
    struct item item;
    uint32_t found;
    BUG_ON(item_parse(&item, batch->items[number].item) != OK);
    if (item.form == ITEM_PLAIN) {
        BUG_ON(batch_proofs_find(batch, &item.sha256, NULL, &found) != OK || found > number);
    }
}

static void check_batch(const struct batch_proofs *batch, struct bytes input)
{
    struct buf out = {0};
    batch_proofs_begin(&out, &batch->shared, batch->count);
    for (uint32_t i = 0; i < batch->count; i++) {
        batch_proofs_item(&out, &batch->items[i]);
    }
    BUG_ON(!bytes_equal(buf_bytes(&out), input));
    for (uint32_t i = 0; i < batch->count && i < 4; i++) {
        check_extract(batch, i);
        check_find(batch, i);
    }
    out.len = 0;
    BUG_ON(batch_proofs_extract(&out, batch, batch->count) != ERR_RANGE || out.len != 0);
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct batch_proofs *batch;
    struct why why = {0};
    if (batch_proofs_parse(&batch, input, &why) == OK) {
        check_batch(batch, input);
        check_whole_only(parse, input);
    }
    batch_proofs_free(batch);
    return 0;
}
