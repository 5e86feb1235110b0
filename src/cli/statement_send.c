#include "base/file.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "codec/cose.h"

#include <string.h>

#define STATEMENTS_MAX ((size_t)32 << 20)

static void print_one(const json_t *answer)
{
    if (json_is_true(json_object_get(answer, "ok"))) {
        put_coloured(stdout, COLOUR_GOOD, "stored ");
        printf(" %s at index %lld, block %lld%s\n", json_member(answer, "statement"),
               json_integer_value(json_object_get(answer, "index")),
               json_integer_value(json_object_get(answer, "height")),
               json_is_true(json_object_get(answer, "seen")) ? ", before" : "");
        return;
    }
    put_coloured(stdout, COLOUR_BAD, "refused");
    printf(" %s: ", json_member(answer, "statement"));
    put_coloured(stdout, COLOUR_NONE, json_member(json_object_get(answer, "problem"), "detail"));
    putchar('\n');
}

/* Prints the answers; false if any was refused. */
static bool print_answers(const struct args *args, json_t *all)
{
    const json_t *answers = json_object_get(all, "answers");
    bool good = true;
    for (size_t i = 0; i < json_array_size(answers); i++) {
        const json_t *answer = json_array_get(answers, i);
        good = good && json_is_true(json_object_get(answer, "ok"));
        if (!args_flag(args, "json")) {
            print_one(answer);
        }
    }
    if (args_flag(args, "json")) {
        put_json(json_incref(all));
    }
    return good;
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct buf body = {0};
    struct client *client = NULL;
    struct sign1 sign1;
    json_t *all = NULL;
    bool good = false;
    const char *path = strcmp(args->operands[0], "-") == 0 ? "/dev/stdin" : args->operands[0];
    enum err err = file_read(&body, path, STATEMENTS_MAX, &why);
    if (err == OK) {
        err = client_new(&client, args, &why);
    }
    if (err == OK) {
        bool one = sign1_parse(&sign1, buf_bytes(&body)) == OK;
        err =
            client_post(client, "/v1/statements", one ? "application/cose" : "application/cbor-seq",
                        buf_bytes(&body), &all, &why);
    }
    if (err == OK) {
        good = print_answers(args, all);
    }
    json_decref(all);
    client_free(client);
    buf_clear(&body);
    return err != OK ? fail(err, &why) : good ? STATUS_OK : STATUS_REFUSED;
}

static const struct arg options[] = {ARGS_READER, ARG_SERVER, ARG_JSON, {0}};

const struct verb verb_statement_send = {
    .name = "statement send",
    .operands = "FILE|-",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "send signed statements",
    .text = "FILE holds one statement, or several as a CBOR sequence. It is safe to send a\n"
            "statement again: the answer is then its first place.",
    .example = "cairn statement send deposit.cbor",
    .args = options,
    .run = run,
};
