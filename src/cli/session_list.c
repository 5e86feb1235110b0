#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"

static int run(const struct args *args)
{
    struct why why = {0};
    struct client *client = NULL;
    json_t *answer = NULL;
    enum err err = client_new(&client, args, &why);
    if (err == OK) {
        err = client_get_json(client, "/v1/sessions", &answer, &why);
    }
    client_free(client);
    if (err != OK) {
        return fail(err, &why);
    }
    if (args_flag(args, "json")) {
        put_json(answer);
        return STATUS_OK;
    }
    const json_t *sessions = json_object_get(answer, "sessions");
    for (size_t i = 0; i < json_array_size(sessions); i++) {
        const json_t *session = json_array_get(sessions, i);
        printf("%s %s until %s, key %s\n", json_member(session, "session"),
               json_member(session, "member"), json_member(session, "ends"),
               json_member(session, "kid"));
    }
    json_decref(answer);
    return STATUS_OK;
}

static const struct arg options[] = {ARGS_READER, ARG_SERVER, ARG_JSON, {0}};

const struct verb verb_session_list = {
    .name = "session list",
    .operands = "",
    .operands_min = 0,
    .operands_max = 0,
    .summary = "show the sessions of one's member, or to an operator all",
    .example = "cairn session list --key alice.key",
    .args = options,
    .run = run,
};
