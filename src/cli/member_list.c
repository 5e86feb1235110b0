#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"

#define PAGE 1000

/* Appends every member to `list`, page after page. */
static enum err members_get(struct client *client, json_t *list, struct why *why)
{
    size_t got;
    const char *after = "";
    do {
        struct buf path = {0};
        buf_put(&path, bytes_text("/v1/members?limit=1000&after="));
        path_segment(&path, after);
        buf_put_byte(&path, 0);
        json_t *page;
        enum err err = client_get_json(client, (const char *)path.at, &page, why);
        buf_clear(&path);
        TRY(err);
        json_t *members = json_object_get(page, "members");
        got = json_array_size(members);
        json_array_extend(list, members);
        json_decref(page);
        after = json_member(json_array_get(list, json_array_size(list) - 1), "id");
    } while (got >= PAGE && after[0]);
    return OK;
}

static void print_texts(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        printf("%s%s", i ? "," : "", json_string_value(json_array_get(list, i)));
    }
}

static void print_member(const json_t *member)
{
    const char *institution = json_member(member, "institution");
    bool ended = json_is_integer(json_object_get(member, "until"));
    printf("%-24s %-12s ", json_member(member, "id"), json_member(member, "kind"));
    print_texts(json_object_get(member, "roles"));
    printf("%s%s%s\n", institution[0] ? "  of " : "", institution, ended ? "  (ended)" : "");
    const json_t *keys = json_object_get(member, "keys");
    for (size_t i = 0; i < json_array_size(keys); i++) {
        printf("    key %s\n", json_string_value(json_array_get(keys, i)));
    }
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct client *client = NULL;
    json_t *list = json_array();
    enum err err = client_new(&client, args, &why);
    if (err == OK) {
        err = members_get(client, list, &why);
    }
    client_free(client);
    if (err != OK) {
        json_decref(list);
        return fail(err, &why);
    }
    if (args_flag(args, "json")) {
        put_json(json_pack("{s:o}", "members", list));
        return STATUS_OK;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        print_member(json_array_get(list, i));
    }
    json_decref(list);
    return STATUS_OK;
}

static const struct arg options[] = {ARGS_READER, ARG_SERVER, ARG_JSON, {0}};

const struct verb verb_member_list = {
    .name = "member list",
    .operands = "",
    .operands_min = 0,
    .operands_max = 0,
    .summary = "show the members, their roles and keys",
    .example = "cairn member list",
    .args = options,
    .run = run,
};
