#include "cli/output.h"
#include "cli/verbs.h"
#include "ledger/ledger.h"
#include "store/store.h"

#define FORMAT_CACHE_LEN ((size_t)8 << 20)

static enum err read_format(uint64_t *out, const char *dir, struct why *why)
{
    struct store *store;
    struct store_options options = {.cache_len = FORMAT_CACHE_LEN, .read_only = true};
    TRY(store_open(&store, dir, &options, why));
    enum err err = ledger_format(out, store, why);
    store_close(store);
    return err;
}

static int run(const struct args *args)
{
    struct why why = {0};
    uint64_t format;
    enum err err = read_format(&format, args->operands[0], &why);
    if (err != OK) {
        return fail(err, &why);
    }
    printf("%s: ledger format %llu, which this version reads\n", args->operands[0],
           (unsigned long long)format);
    return STATUS_OK;
}

const struct verb verb_format = {
    .name = "format",
    .operands = "DIR",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "say whether this version reads a ledger",
    .text = "Looks at the folder of a ledger without changing it, also while a node runs. Ask the\n"
            "new version before an upgrade.",
    .example = "cairn format court",
    .run = run,
};
