#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"

static int run(const struct args *args)
{
    struct why why = {0};
    struct buf path = {0};
    struct client *client = NULL;
    buf_put(&path, bytes_text("/v1/sessions/"));
    path_segment(&path, args->operands[0]);
    buf_put_byte(&path, 0);
    enum err err = client_new(&client, args, &why);
    if (err == OK) {
        err = client_delete(client, (const char *)path.at, &why);
    }
    client_free(client);
    buf_clear(&path);
    if (err != OK) {
        return fail(err, &why);
    }
    printf("session %s has ended\n", args->operands[0]);
    return STATUS_OK;
}

static const struct arg options[] = {ARGS_READER, ARG_SERVER, {0}};

const struct verb verb_session_end = {
    .name = "session end",
    .operands = "SESSION",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "end a session",
    .text = "One of one's own member; an operator ends any.",
    .example = "cairn session end 5f0c6a1e3b9d7724 --key alice.key",
    .args = options,
    .run = run,
};
