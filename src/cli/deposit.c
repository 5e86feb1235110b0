#include "cli/deposit.h"

#include "base/file.h"
#include "cli/names.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "codec/privacy.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EACH_MAX    100 /* files up to which each gets its proof file */
#define REF_KEY_MIN 16
#define REF_KEY_MAX 4096

/* What the command line says, checked. */
struct order {
    struct names names;
    struct file_digest *files;
    enum blinding blinding;
    uint8_t ref[REF_LEN];
    struct item_common common;
};

static enum err text_check(const char *option, const char *text, size_t max, struct why *why)
{
    if (!text[0] || strlen(text) > max) {
        return why_sayf(why, ERR_RANGE, option, "has the wrong length", NULL,
                        "%s (limit %zu bytes)", text, max);
    }
    return clear_text_check(option, bytes_text(text), why);
}

static enum err ref_read(struct order *order, const struct args *args, struct why *why)
{
    const char *number = args_text(args, "ref");
    const char *path = args_text(args, "ref-key");
    if (!number && !path) {
        return OK;
    }
    if (!number || !path) {
        return why_say(why, ERR_FORMAT, number ? "--ref-key" : "--ref", NULL, "is missing",
                       "A reference is made of a number and a secret key.");
    }
    struct buf key = {0};
    TRY(file_read(&key, path, REF_KEY_MAX, why));
    enum err err = OK;
    if (key.len < REF_KEY_MIN) {
        err = why_say(why, ERR_RANGE, "--ref-key", path, "holds fewer than 16 bytes",
                      "Make one with: head -c 32 /dev/urandom > FILE");
    } else {
        ref_write(order->ref, NULL, buf_bytes(&key), bytes_text(number));
        order->common.ref = (struct bytes){order->ref, sizeof order->ref};
    }
    wipe(key.at, key.len);
    buf_clear(&key);
    return err;
}

static enum err proofs_read(enum proofs *out, const struct args *args, size_t count,
                            struct why *why)
{
    const char *text = args_text(args, "proofs");
    if (!text) {
        *out = count <= EACH_MAX ? PROOFS_EACH : PROOFS_ONE;
    } else {
        *out = strcmp(text, "each") == 0  ? PROOFS_EACH
               : strcmp(text, "one") == 0 ? PROOFS_ONE
                                          : PROOFS_NONE;
    }
    if (args_flag(args, "blind") && args_flag(args, "plain")) {
        return why_say(why, ERR_FORMAT, "--blind", NULL, "contradicts --plain",
                       "Give one of them, or none.");
    }
    return OK;
}

/* Blinded items whose salts nobody keeps can never be proved. */
static enum err salts_wanted(const struct order *order, const struct depositing *run,
                             struct why *why)
{
    for (size_t i = 0; i < order->names.count; i++) {
        if (order->files[i].blinded && run->proofs == PROOFS_NONE && !run->salts_path) {
            return why_say(why, ERR_REFUSED, "--proofs", "none",
                           "would lose the salts of blinded files",
                           "Keep them with --salts FILE, or deposit with --plain.");
        }
    }
    return OK;
}

static enum err order_read(struct order *order, struct depositing *run, const struct args *args,
                           struct why *why)
{
    const char *category = args_text(args, "category");
    const char *phase = args_text(args, "phase");
    const char *subject = args_text(args, "subject");
    const char *salts = args_text(args, "salts");
    run->category = category ? category : "document";
    run->subject = subject ? subject : "";
    run->dir = args_text(args, "out");
    order->blinding = args_flag(args, "blind")   ? BLIND_ALL
                      : args_flag(args, "plain") ? BLIND_NONE
                                                 : BLIND_SMALL;
    TRY(text_check("--category", run->category, CATEGORY_MAX, why));
    if (phase) {
        TRY(text_check("--phase", phase, PHASE_MAX, why));
        order->common.phase = bytes_text(phase);
    }
    TRY(ref_read(order, args, why));
    if (salts) {
        run->salts_path = mem_strdup(salts);
        TRY(salts_check(salts, why));
    }
    return run->dir ? dir_make(run->dir, 0755, why) : OK;
}

static enum err files_read(struct order *order, const struct depositing *run, struct why *why)
{
    size_t count = order->names.count;
    order->files = mem_zalloc(count * sizeof *order->files);
    for (size_t i = 0; i < count; i++) {
        order->files[i].path = order->names.at[i];
    }
    TRY(file_digests_fill(order->files, count, order->blinding, why));
    return salts_wanted(order, run, why);
}

/* What does not hold is said at the end: the files after it are deposited all the same. */
static enum err deposit_all(const struct order *order, struct depositing *run, struct why *why)
{
    enum err worst = OK;
    size_t count = order->names.count;
    progress_init(&run->progress, "depositing", count);
    for (size_t at = 0; at < count;) {
        struct bundle batch;
        struct why inner = {0};
        bundle_fill(&batch, order->files + at, count - at, &order->common);
        at += batch.count;
        enum err err = deposit_batch(run, &batch, &inner);
        bundle_clear(&batch);
        if (err != OK && worst == OK) {
            worst = err;
            *why = inner;
        }
        if (err != OK && err != ERR_MISMATCH) {
            break;
        }
    }
    progress_clear(&run->progress);
    return worst;
}

/* Salts that stand in proof files, or whose deposit was refused, are not kept twice. */
static void salts_tidy(struct depositing *run, enum err err)
{
    bool in_proofs = err == OK && run->proofs != PROOFS_NONE;
    bool of_nothing = err == ERR_REFUSED && run->stored == 0;
    if (run->salts_own && (in_proofs || of_nothing)) {
        unlink(run->salts_path);
        free(run->salts_path);
        run->salts_path = NULL;
    }
}

void deposit_print(const struct depositing *run)
{
    size_t count = json_array_size(run->files);
    for (size_t i = 0; i < count && count <= EACH_MAX; i++) {
        const json_t *file = json_array_get(run->files, i);
        const char *proof = json_member(file, "proof");
        printf("%s  %-7s  ", json_member(file, "evidence"), json_member(file, "form"));
        put_coloured(stdout, COLOUR_NONE, json_member(file, "file"));
        fputs(proof[0] ? "  -> " : "", stdout);
        put_coloured(stdout, COLOUR_NONE, proof);
        putchar('\n');
    }
    for (size_t i = 0; i < json_array_size(run->batches); i++) {
        const json_t *batch = json_array_get(run->batches, i);
        printf("%lld file%s at index %lld, block %lld: statement %s\n",
               json_integer_value(json_object_get(batch, "items")),
               json_integer_value(json_object_get(batch, "items")) == 1 ? "" : "s",
               json_integer_value(json_object_get(batch, "index")),
               json_integer_value(json_object_get(batch, "height")),
               json_member(batch, "statement"));
        if (json_member(batch, "proofs")[0]) {
            printf("shared proofs, yours alone: %s\n", json_member(batch, "proofs"));
        }
    }
}

static void print_rest(const struct depositing *run, enum err err)
{
    if (run->salts_path) {
        printf("salts, yours alone: %s\n", run->salts_path);
    }
    if (err == OK && run->proofs != PROOFS_NONE) {
        put_coloured(stdout, run->signing.trust ? COLOUR_GOOD : COLOUR_DIM,
                     run->signing.trust ? "verified under the trust file"
                                        : "not verified: no trust file was given (--trust)");
        putchar('\n');
    }
}

static void print_json(const struct depositing *run, enum err err)
{
    json_t *json = json_object();
    bool verified = run->signing.trust && run->proofs != PROOFS_NONE;
    json_object_set(json, "files", run->files);
    json_object_set(json, "batches", run->batches);
    json_object_set_new(json, "salts",
                        run->salts_path ? json_string_nocheck(run->salts_path) : json_null());
    json_object_set_new(json, "verified", verified ? json_boolean(err == OK) : json_null());
    put_json(json);
}

enum err deposit_run(struct depositing *run, const struct args *args, char *const *operands,
                     size_t count, struct why *why)
{
    struct order order = {0};
    enum err err = order_read(&order, run, args, why);
    if (err == OK) {
        err = names_read(&order.names, operands, count, why);
    }
    if (err == OK) {
        err = proofs_read(&run->proofs, args, order.names.count, why);
    }
    if (err == OK) {
        err = signing_open(&run->signing, args, "as", why);
    }
    if (err == OK) {
        err = files_read(&order, run, why);
    }
    if (err == OK) {
        err = deposit_all(&order, run, why);
        salts_tidy(run, err);
    }
    free(order.files);
    names_clear(&order.names);
    return err;
}

void depositing_clear(struct depositing *run)
{
    signing_close(&run->signing);
    json_decref(run->batches);
    json_decref(run->files);
    free(run->salts_path);
}

static int run_deposit(const struct args *args)
{
    struct why why = {0};
    struct depositing run = {.batches = json_array(), .files = json_array()};
    enum err err = deposit_run(&run, args, args->operands, args->operand_count, &why);
    if (run.stored > 0 && args_flag(args, "json")) {
        print_json(&run, err);
    } else if (run.stored > 0) {
        deposit_print(&run);
        print_rest(&run, err);
    }
    depositing_clear(&run);
    return err == OK ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {
    ARGS_DEPOSIT,
    ARGS_SIGNING,
    ARG_AS,
    {0},
};

const struct verb verb_deposit = {
    .name = "deposit",
    .operands = "FILE...",
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .summary = "deposit files and receive their proofs",
    .text =
        "Digests of the files go to the ledger, never the files. Files below 64 KiB are blinded\n"
        "with a random salt unless --plain is given, so that nobody guesses a short content;\n"
        "their proof files hold the salt and are as confidential as the files.\n\n"
        "Many files become one batch; @LIST reads names from a file, one a line. Up to 100 files\n"
        "get FILE.proof each; beyond that BATCH.proofs holds what their proofs share, and\n"
        "'cairn proof FILE --from BATCH.proofs' makes any of them later. No file that exists is\n"
        "replaced: the next is called FILE.2.proof. With --trust every proof is verified at once.",
    .example = "cairn deposit contract.pdf --key alice.key --trust court.trust\n"
               "cairn deposit @list.txt --key alice.key --category loan --out proofs",
    .args = options,
    .run = run_deposit,
};
