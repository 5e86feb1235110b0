#include "cli/request.h"

#include "base/file.h"
#include "codec/text.h"

#include <stdio.h>

static enum err settings_read(struct request *out, const struct args *args, struct why *why)
{
    const char *rp_id = args_text(args, "rp-id");
    out->key.rp_id = rp_id ? bytes_text(rp_id) : BYTES_NONE;
    const char *text;
    for (size_t i = 0; (text = args_nth(args, "origin", i)); i++) {
        if (i == KEY_ORIGINS_MAX) {
            return why_say(why, ERR_RANGE, "--origin", text, "is one too many", NULL);
        }
        out->key.origins[out->key.origin_count++] = bytes_text(text);
    }
    for (size_t i = 0; (text = args_nth(args, "name", i)); i++) {
        if (i == KEY_NAMES_MAX || hex_append(&out->names[i], bytes_text(text)) != OK) {
            return why_say(why, ERR_FORMAT, "--name", text, "is not hex, or one too many", NULL);
        }
        out->key.names[out->key.name_count++] = buf_bytes(&out->names[i]);
    }
    return OK;
}

static enum err possession_read(struct request *out, const char *path, struct why *why)
{
    struct why inner = {0};
    enum err err = possession_parse(&out->possession, out->key.possession, &inner);
    if (err == ERR_UNSUPPORTED) {
        err = possession_parse_webauthn(&out->possession, out->key.possession, out->key.rp_id,
                                        out->key.origins, out->key.origin_count, &inner);
    }
    if (err == OK) {
        return OK;
    }
    return why_sayf(why, err, "request", inner.problem, "Make it with 'cairn key request'.",
                    "%s: %s", path, inner.field);
}

enum err request_read(struct request *out, const char *path, const char *member,
                      const struct args *args, struct why *why)
{
    *out = (struct request){0};
    TRY(file_read(&out->bytes, path, KEY_REQUEST_MAX, why));
    out->key.possession = buf_bytes(&out->bytes);
    TRY(settings_read(out, args, why));
    TRY(possession_read(out, path, why));
    if (!bytes_equal(out->possession.member, bytes_text(member))) {
        char problem[160];
        snprintf(problem, sizeof problem, "is not '%.*s', for whom %.60s was made",
                 (int)out->possession.member.len, (const char *)out->possession.member.at, path);
        return why_say(why, ERR_MISMATCH, "member", member, problem,
                       "Give the member's own name, or have the request made again.");
    }
    return OK;
}

void request_clear(struct request *request)
{
    buf_clear(&request->bytes);
    for (size_t i = 0; i < KEY_NAMES_MAX; i++) {
        buf_clear(&request->names[i]);
    }
}

enum err roles_read(struct bytes roles[MEMBER_ROLES_MAX], size_t *count, const struct args *args,
                    struct why *why)
{
    const char *role;
    for (*count = 0; (role = args_nth(args, "role", *count)); ++*count) {
        if (*count == MEMBER_ROLES_MAX) {
            return why_say(why, ERR_RANGE, "--role", role, "is one too many",
                           "A member has at most 8 roles.");
        }
        roles[*count] = bytes_text(role);
    }
    return OK;
}
