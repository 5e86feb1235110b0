/* Proof files: the outer shape has one encoding. */
#include "fuzz.h"
#include "proof/prooffile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    static struct proof_file file;
    struct buf out = {0};
    struct proof *proof;
    if (proof_file_read(&file, input) == OK) {
        proof_file_write(&out, &file);
        BUG_ON(!bytes_equal(buf_bytes(&out), input));
        out.len = 0;
        BUG_ON(proof_file_export(&out, &file) == OK &&
               proof_file_read(&file, buf_bytes(&out)) != OK);
    }
    if (proof_parse(&proof, input, NULL) == OK) {
        proof_free(proof);
    }
    buf_clear(&out);
    return 0;
}
