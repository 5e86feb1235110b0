#include "cli/output.h"
#include "cli/request.h"
#include "cli/sign.h"
#include "cli/verbs.h"

#include <stdlib.h>
#include <string.h>

static enum member_kind kind_of(const char *name)
{
    if (!name || strcmp(name, "person") == 0) {
        return MEMBER_PERSON;
    }
    return strcmp(name, "institution") == 0   ? MEMBER_INSTITUTION
           : strcmp(name, "application") == 0 ? MEMBER_APPLICATION
                                              : MEMBER_NODE;
}

/* Everything of the body but its keys. */
static enum err member_fill(struct member_register *out, const struct args *args, struct why *why)
{
    const char *institution = args_text(args, "institution");
    *out = (struct member_register){
        .member = bytes_text(args->operands[0]),
        .kind = kind_of(args_text(args, "kind")),
        .institution = institution ? bytes_text(institution) : BYTES_NONE,
    };
    return roles_read(out->roles, &out->role_count, args, why);
}

static enum err body_make(struct buf *out, struct request requests[REGISTER_KEYS_MAX],
                          const struct args *args, struct why *why)
{
    struct member_register body;
    TRY(member_fill(&body, args, why));
    const char *path;
    for (size_t i = 0; (path = args_nth(args, "request", i)); i++) {
        if (i == REGISTER_KEYS_MAX) {
            return why_say(why, ERR_RANGE, "--request", path, "is one too many",
                           "Add the other keys with 'cairn member add-key'.");
        }
        TRY(request_read(&requests[i], path, args->operands[0], args, why));
        body.keys[body.key_count++] = requests[i].key;
    }
    member_register_write(out, &body);
    return OK;
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct buf body = {0};
    struct request *requests = mem_zalloc(REGISTER_KEYS_MAX * sizeof *requests);
    enum err err = body_make(&body, requests, args, &why);
    struct matter matter = {MEMBER_TYPE("register"), args->operands[0], buf_bytes(&body)};
    int status = err == OK ? signing_do(args, "as", &matter) : fail(err, &why);
    for (size_t i = 0; i < REGISTER_KEYS_MAX; i++) {
        request_clear(&requests[i]);
    }
    free(requests);
    buf_clear(&body);
    return status;
}

static const struct arg options[] = {
    {"request", "KEY.req", "the member's key request", NULL, true, true},
    {"role", "ROLE", "what the member may do: depositor, witness, bank, ...", NULL, true, true},
    {"kind", "KIND", "person unless said", "institution person application node", false, false},
    {"institution", "MEMBER", "the institution that the member belongs to", NULL, false, false},
    ARGS_NEW_KEY,
    ARGS_SIGNING,
    ARG_AS,
    {0},
};

const struct verb verb_member_add = {
    .name = "member add",
    .operands = "NAME",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "register a member with its key and roles",
    .text = "NAME is the member id that the key request was made for. An operator registers\n"
            "anybody; an institution registers people and applications of its own.",
    .example = "cairn member add alice --request alice.req --role depositor --key operator.key",
    .args = options,
    .run = run,
};
