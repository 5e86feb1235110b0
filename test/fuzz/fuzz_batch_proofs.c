/* Batch proofs: every item of what is taken can be taken out and read. */
#include "fuzz.h"
#include "proof/batchproof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct batch_proofs *batch;
    if (batch_proofs_parse(&batch, input, NULL) == OK) {
        static struct proof_file file;
        struct buf out = {0};
        BUG_ON(batch_proofs_extract(&out, batch, batch->count - 1) != OK);
        BUG_ON(proof_file_read(&file, buf_bytes(&out)) != OK);
        buf_clear(&out);
        batch_proofs_free(batch);
    }
    return 0;
}
