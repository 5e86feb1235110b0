#include "base/file.h"
#include "cli/network.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>

static enum err read_joins(struct join_file *out, struct buf *files, const struct args *args,
                           struct why *why)
{
    for (size_t i = 1; i < args->operand_count; i++) {
        TRY(file_read(&files[i - 1], args->operands[i], JOIN_MAX, why));
        out[i - 1] = (struct join_file){args->operands[i], buf_bytes(&files[i - 1])};
    }
    return OK;
}

/* Whose folders are here; the others' are elsewhere. */
static bool is_here(const struct assembly *assembly, const char *dir, size_t number)
{
    char *folder = network_path(dir, assembly->joins[number].organisation, "/keys");
    bool here = file_exists(folder);
    free(folder);
    return here;
}

static enum err install_ours(const struct assembly *assembly, const char *dir, size_t *installed,
                             struct why *why)
{
    *installed = 0;
    for (size_t i = 0; i < assembly->count; i++) {
        if (is_here(assembly, dir, i)) {
            TRY(network_install(assembly, dir, i, why));
            ++*installed;
        }
    }
    return *installed > 0 ? OK
                          : why_say(why, ERR_NOT_FOUND, "folder", dir,
                                    "holds the keys of none of these organisations",
                                    "Give the folder in which 'cairn network init' made them.");
}

static void say_all(const struct assembly *assembly, const char *dir)
{
    printf("The ledger %s begins with %zu organisations:\n", assembly->name, assembly->count);
    for (size_t i = 0; i < assembly->count; i++) {
        const struct join *join = &assembly->joins[i];
        printf("  %.*s  %.*s  %.*s%s\n", (int)join->organisation.len,
               (const char *)join->organisation.at, (int)join->address.len,
               (const char *)join->address.at, (int)join->url.len, (const char *)join->url.at,
               is_here(assembly, dir, i) ? "  (here)" : "");
    }
}

static enum err assemble(const struct args *args, struct buf *files, struct why *why)
{
    struct join_file joins[ASSEMBLY_MAX];
    struct assembly *assembly = mem_zalloc(sizeof *assembly);
    const char *dir = args->operands[0];
    size_t installed;
    enum err err = read_joins(joins, files, args, why);
    if (err == OK) {
        err = assembly_make(assembly, joins, args->operand_count - 1, why);
    }
    if (err == OK) {
        err = install_ours(assembly, dir, &installed, why);
    }
    if (err == OK) {
        say_all(assembly, dir);
        err = network_say_trust(assembly, dir, why);
    }
    if (err == OK) {
        puts("Every organisation must have got the same; then each runs its node:");
    }
    for (size_t i = 0; err == OK && i < assembly->count; i++) {
        if (is_here(assembly, dir, i)) {
            printf("  cairn run %s/%.*s\n", dir, (int)assembly->joins[i].organisation.len,
                   (const char *)assembly->joins[i].organisation.at);
        }
    }
    assembly_clear(assembly);
    free(assembly);
    return err;
}

static int run(const struct args *args)
{
    struct buf files[ASSEMBLY_MAX] = {{0}};
    struct why why = {0};
    enum err err = assemble(args, files, &why);
    for (size_t i = 0; i < ASSEMBLY_MAX; i++) {
        buf_clear(&files[i]);
    }
    return err == OK ? STATUS_OK : fail(err, &why);
}

const struct verb verb_network_assemble = {
    .name = "network assemble",
    .operands = "DIR JOIN...",
    .operands_min = 2,
    .operands_max = ASSEMBLY_MAX + 1,
    .summary = "make the ledger of several organisations' join files",
    .text =
        "Checks every join file (its signatures, that its keys are held, one ledger's name, no\n"
        "organisation, address, URL or key twice) and makes the ledger in each folder DIR/NAME\n"
        "whose organisation is among them: block 0, the trust file, and cairn.conf with the\n"
        "other organisations as peers. From the same join files every organisation makes the\n"
        "same ledger, to the byte: compare the SHA-256 that it prints by another way.\n",
    .example = "cairn network assemble consortium consortium/bank.join court.join notary.join",
    .run = run,
};
