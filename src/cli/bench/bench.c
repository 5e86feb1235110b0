#include "cli/bench/bench.h"

#include "base/clock.h"
#include "base/file.h"
#include "cli/bench/machine.h"
#include "cli/bench/reference.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "crypto/key.h"

#include <ftw.h>
#include <openssl/crypto.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DEFAULT_DIR  "bench-data"
#define STATUS_NOISY 3
#define TRIES        20
#define TRIES_FULL   40
#define FSYNC_COUNT  500
#define OPEN_FOLDERS 16

void bench_step(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("measuring: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

/* ---- conditions */

static void machine_conditions(struct report *report)
{
    char model[120];
    char date[25];
    struct utsname kernel;
    machine_model(model, sizeof model);
    clock_format(date, clock_wall_ms());
    report_condition(report, "date", "%.10s", date);
    report_condition(report, "program", "cairn %s, compiled by %s", CAIRN_VERSION, __VERSION__);
    report_condition(report, "processor", "%s, %u cores, SHA instructions: %s", model,
                     machine_cores(), machine_has_sha() ? "yes" : "no");
    if (uname(&kernel) == 0) {
        report_condition(report, "kernel", "%s %s %s", kernel.sysname, kernel.release,
                         kernel.machine);
    }
    report_condition(report, "libraries",
                     "libsodium %s, OpenSSL %s, RocksDB " ROCKSDB_VERSION
                     ", libmicrohttpd " MICROHTTPD_VERSION,
                     sodium_version_string(), OpenSSL_version(OPENSSL_VERSION_STRING));
    report_condition(report, "load average at the start", "%.2f", machine_load());
}

static enum err figure_conditions(struct bench *bench, struct why *why)
{
    double fsyncs[FSYNC_COUNT];
    enum err err = reference_fsync(fsyncs, FSYNC_COUNT, 1, bench->dir);
    if (err != OK) {
        return why_say(why, err, "folder", bench->dir, NULL, NULL);
    }
    double p99 = percentile(fsyncs, FSYNC_COUNT, 0.99);
    double p50 = percentile(fsyncs, FSYNC_COUNT, 0.5);
    double verify = reference_verify(400, 1000, NULL);
    struct hashing hashing = reference_hashing(BATCH_ITEM_LEN, 1000);
    report_condition(&bench->report, "fdatasync of 512 bytes appended", "p50 %.3f ms, p99 %.3f ms",
                     p50 * 1e3, p99 * 1e3);
    report_condition(&bench->report, "verify", "%.1f us", verify * 1e6);
    report_condition(&bench->report, "two SHA-256 of a leaf",
                     "%.3f us as used, %.3f us with libsodium", hashing.in_use * 1e6,
                     hashing.portable * 1e6);
    return OK;
}

static void form_conditions(struct bench *bench)
{
    report_condition(&bench->report, "form", bench->full ? "long" : "short");
    report_condition(&bench->report, "durability",
                     "every block is on the disk (fsync) before its statements are answered");
    report_condition(&bench->report, "payload",
                     "singles: body and item 200 bytes; batches: 65,536 items of 88 bytes, both "
                     "digests indexed; all Ed25519");
}

/* ---- the run */

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

static void remove_folder(const char *dir)
{
    if (nftw(dir, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) != 0) {
        fprintf(stderr, "cairn bench: %s could not be removed\n", dir);
    }
}

static enum err make_folder(const char *dir, struct why *why)
{
    if (file_exists(dir)) {
        return why_say(why, ERR_EXISTS, "folder", dir, "is there already",
                       "Remove it, or choose another with --dir.");
    }
    return dir_make(dir, 0700, why);
}

static enum err measure(struct bench *bench, const char *only, struct why *why)
{
    machine_conditions(&bench->report);
    form_conditions(bench);
    TRY(figure_conditions(bench, why));
    if (!only || strcmp(only, "singles") == 0) {
        TRY(bench_singles(bench, why));
    }
    if (!only || strcmp(only, "tls") == 0) {
        TRY(bench_tls(bench, why));
    }
    if (!only || strcmp(only, "batches") == 0) {
        TRY(bench_batches(bench, why));
    }
    report_condition(&bench->report, "load average at the end", "%.2f", machine_load());
    return OK;
}

static enum err write_markdown(const char *path, const struct report *report, struct why *why)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out) {
        return why_say(why, ERR_IO, "file", path, NULL, NULL);
    }
    report_markdown(out, report);
    enum err err = fclose(out) == 0 ? OK : ERR_IO;
    if (err == OK) {
        err = file_write(path, (struct bytes){(const uint8_t *)text, len}, 0644, why);
    }
    free(text);
    return err;
}

static enum err say(const struct args *args, const struct report *report, struct why *why)
{
    const char *path = args_text(args, "write");
    if (args_flag(args, "json")) {
        put_json(report_json(report));
    } else {
        report_text(stdout, report);
    }
    return path ? write_markdown(path, report, why) : OK;
}

static size_t tries_wanted(const struct args *args)
{
    const char *text = args_text(args, "pairs");
    unsigned long tries = text ? strtoul(text, NULL, 10) : 0;
    if (tries == 0 || tries > PAIRS_MAX) {
        return args_flag(args, "full") ? TRIES_FULL : TRIES;
    }
    return tries;
}

static int run(const struct args *args)
{
    const char *dir = args_text(args, "dir");
    struct why why = {0};
    struct bench *bench = mem_zalloc(sizeof *bench);
    bench->dir = dir ? dir : DEFAULT_DIR;
    bench->full = args_flag(args, "full");
    bench->cores = machine_cores();
    bench->tries = tries_wanted(args);
    bench->rough = args_text(args, "pairs") != NULL;
    enum err err = make_folder(bench->dir, &why);
    if (err == OK) {
        err = measure(bench, args_text(args, "only"), &why);
        if (!args_flag(args, "keep")) {
            remove_folder(bench->dir);
        }
    }
    if (err == OK) {
        err = say(args, &bench->report, &why);
    }
    int status = STATUS_OK;
    if (err != OK) {
        fail(err, &why);
        status = 1;
    } else if (report_noisy(&bench->report)) {
        fputs("cairn bench: machine too noisy: some rows have fewer than ten pairs that count\n",
              stderr);
        status = STATUS_NOISY;
    }
    free(bench);
    return status;
}

static const struct arg options[] = {
    {"full", NULL, "the long form: 30 million items", NULL, false, false},
    {"only", "PART", "measure one part", "singles tls batches", false, false},
    {"pairs", "N", "try at most N pairs for a row: a rough look", NULL, false, false},
    {"dir", "DIR", "make the ledgers in this new folder; else in " DEFAULT_DIR, NULL, false, false},
    {"keep", NULL, "leave the folder there", NULL, false, false},
    {"write", "FILE", "write the report as Markdown too", NULL, false, false},
    ARG_JSON,
    {0},
};

const struct verb verb_bench = {
    .name = "bench",
    .operands = "",
    .summary = "measure this machine and this program",
    .text =
        "Exit status: 0 measured, whatever the figures say; 1 an error; 3 the machine is too\n"
        "noisy for some row. The short form takes a few minutes and 3 GB of disk, the long one\n"
        "half an hour and 12 GB; all of it is removed at the end.",
    .example = "cairn bench --write docs/benchmarks.md",
    .args = options,
    .run = run,
    .hidden = true,
};
