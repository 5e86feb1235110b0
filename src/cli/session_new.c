#include "cli/client.h"
#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"

static enum err sign_in(const struct args *args, json_t **session, struct why *why)
{
    const char *path = args_text(args, "trust");
    struct trust *trust = NULL;
    struct client *client;
    TRY(client_new(&client, args, why));
    enum err err = path ? trust_read(&trust, path, why) : OK;
    if (err == OK && trust) {
        client_expect_chain(client, &trust->chain);
    }
    if (err == OK) {
        err = client_sign_in(client, session, why);
    }
    trust_free(trust);
    client_free(client);
    return err;
}

static int run(const struct args *args)
{
    struct why why = {0};
    json_t *session = NULL;
    enum err err = sign_in(args, &session, &why);
    if (err != OK) {
        return fail(err, &why);
    }
    if (args_flag(args, "json")) {
        put_json(session);
        return STATUS_OK;
    }
    printf("session %s of %s until %s\n%s\n", json_member(session, "session"),
           json_member(session, "member"), json_member(session, "ends"),
           json_member(session, "token"));
    json_decref(session);
    return STATUS_OK;
}

static const struct arg options[] = {
    ARGS_READER,
    ARG_TRUST("sign in to no other ledger than that of this trust file"),
    ARG_SERVER,
    ARG_JSON,
    {0}};

const struct verb verb_session_new = {
    .name = "session new",
    .operands = "",
    .operands_min = 0,
    .operands_max = 0,
    .summary = "sign in to a ledger for fifteen minutes",
    .text = "Prints the session's token, for programs that show it as 'Authorization: Bearer\n"
            "TOKEN'. This program needs none: it signs its requests where the ledger asks for it.",
    .example = "cairn session new --key alice.key --trust court.trust",
    .args = options,
    .run = run,
};
