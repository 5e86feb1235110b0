#include "cli/evidence.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "codec/text.h"

#include <stdlib.h>

static void line(const char *name, const char *value)
{
    if (value[0]) {
        printf("  %-12s ", name);
        put_coloured(stdout, COLOUR_NONE, value);
        putchar('\n');
    }
}

static void print_said(const json_t *said)
{
    const json_t *next = json_object_get(said, "new");
    bool counts = json_is_true(json_object_get(said, "counts"));
    printf("  %-12s by ", json_member(said, "action"));
    put_coloured(stdout, COLOUR_NONE, json_member(said, "by"));
    printf(", %s", json_member(said, "time"));
    if (json_member(said, "role")[0]) {
        fputs(", as ", stdout);
        put_coloured(stdout, COLOUR_NONE, json_member(said, "role"));
    }
    if (json_member(said, "reason")[0]) {
        fputs(": ", stdout);
        put_coloured(stdout, COLOUR_NONE, json_member(said, "reason"));
    }
    if (next) {
        printf(" -> %s", json_member(next, "evidence"));
    }
    puts(counts ? "" : " (does not count: not the depositor's word)");
}

static void print_record(const json_t *record)
{
    const json_t *item = json_object_get(record, "item");
    put_coloured(stdout, COLOUR_GOOD, json_member(record, "evidence"));
    putchar('\n');
    printf("  %-12s %s, item %lld of %lld\n", "statement", json_member(record, "statement"),
           json_integer_value(json_object_get(record, "number")),
           json_integer_value(json_object_get(record, "count")));
    printf("  %-12s index %lld, block %lld, %s\n", "recorded",
           json_integer_value(json_object_get(record, "index")),
           json_integer_value(json_object_get(record, "height")), json_member(record, "time"));
    line("by", json_member(record, "submitter"));
    line("mandate", json_member(record, "mandate"));
    line("signer", json_member(record, "signer"));
    line("subject", json_member(record, "subject"));
    line("category", json_member(record, "category"));
    line("form", json_member(item, "form"));
    line("sha256", json_member(item, "sha256"));
    line("sm3", json_member(item, "sm3"));
    if (json_is_integer(json_object_get(item, "size"))) {
        printf("  %-12s %lld bytes\n", "size", json_integer_value(json_object_get(item, "size")));
    }
    line("media type", json_member(item, "media_type"));
    line("phase", json_member(item, "phase"));
    line("ref", json_member(item, "ref"));
    const json_t *said = json_object_get(record, "said");
    for (size_t i = 0; i < json_array_size(said); i++) {
        const json_t *one = json_array_get(said, i);
        if (json_equal(json_object_get(one, "number"), json_object_get(record, "number"))) {
            print_said(one);
        }
    }
}

/* A file that the ledger can't find by its digest may be known by its salt or its proof. */
static enum err find(struct client *client, const struct args *args, json_t **records,
                     struct why *why)
{
    const char *text = args->operands[0];
    if (evidence_id_is(text)) {
        return evidence_records(client, text, records, why);
    }
    struct located located;
    char id[80];
    char hex[65];
    *records = NULL;
    TRY(evidence_locate(&located, client, text, args_text(args, "salts"), why));
    hex_write(hex, hash_bytes(&located.place.statement));
    snprintf(id, sizeof id, "%s.%u", hex, located.place.number);
    return evidence_records(client, id, records, why);
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct client *client = NULL;
    json_t *records = NULL;
    enum err err = client_new(&client, args, &why);
    if (err == OK) {
        err = find(client, args, &records, &why);
    }
    client_free(client);
    if (err != OK) {
        return fail(err, &why);
    }
    if (args_flag(args, "json")) {
        put_json(json_pack("{s:o}", "evidence", records));
        return STATUS_OK;
    }
    for (size_t i = 0; i < json_array_size(records); i++) {
        print_record(json_array_get(records, i));
    }
    json_decref(records);
    return STATUS_OK;
}

static const struct arg options[] = {ARG_SALTS, ARGS_READER, ARG_SERVER, ARG_JSON, {0}};

const struct verb verb_show = {
    .name = "show",
    .operands = "ID|SHA256|SM3|FILE",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "show what the ledger says about evidence",
    .text = "This is the node's word. What is proved, 'cairn verify' says.",
    .example = "cairn show contract.pdf\ncairn show R6GZPD-S69ZJ4-NRQKGY-2E6000G",
    .args = options,
    .run = run,
};
