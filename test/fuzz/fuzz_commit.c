/* CometBFT commits: each has one encoding, and rebuilding their bytes takes whatever was read. */
#include "fuzz.h"
#include "proof/commit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct arena arena = {0};
    struct commit commit;
    struct buf out = {0};
    if (commit_parse(&commit, input, &arena) == OK) {
        commit_write(&out, &commit);
        BUG_ON(!bytes_equal(buf_bytes(&out), input));
        BUG_ON(commit_check(&commit, &commit.set, NULL) == ERR_COUNT);
        (void)comet_time_ms(&commit.header.time);
    }
    buf_clear(&out);
    arena_clear(&arena);
    return 0;
}
