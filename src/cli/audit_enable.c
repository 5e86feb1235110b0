/* cairn audit enable: registers the key that deposits the audit log's head, where the ledger was
 * made without one. */
#include "base/file.h"
#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"
#include "crypto/random.h"
#include "modules/member/member.h"
#include "node/node.h"

#include <stdlib.h>

#define RECORD_MAX ((size_t)65536)

/* The key of DIR, made if there is none. */
static enum err own_key(struct signer **out, const char *dir, struct why *why)
{
    char *path = path_join(dir, NODE_AUDIT_KEY);
    struct buf pem = {0};
    enum err err = OK;
    if (!file_exists(path)) {
        err = key_generate(&pem, ALG_ED25519, NULL);
        err = err == OK ? file_create(path, buf_bytes(&pem), 0600, why) : err;
    }
    if (err == OK) {
        err = signer_open(out, path, NULL, NULL, why);
    }
    if (pem.len > 0) {
        wipe(pem.at, pem.len);
    }
    buf_clear(&pem);
    free(path);
    return err;
}

static enum err audit_key(struct signer **out, const struct args *args, struct why *why)
{
    const char *name = args_text(args, "audit-key");
    return name ? key_open(out, name, args, why) : own_key(out, args->operands[0], why);
}

/* Whether there is such a member already: then the key is one more of its keys. */
static enum err is_member(bool *out, const struct signing *signing, const char *member,
                          struct why *why)
{
    struct buf record = {0};
    struct buf path = {0};
    buf_put(&path, bytes_text("/v1/members/"));
    path_segment(&path, member);
    buf_put_byte(&path, 0);
    enum err err = client_get(signing->client, (const char *)path.at, RECORD_MAX, &record, why);
    buf_clear(&record);
    buf_clear(&path);
    *out = err == OK;
    return client_status(signing->client) == 404 ? OK : err;
}

/* Where several institutions run the ledger, each has an application of its own for this. */
static enum err find_member(char *out, size_t cap, bool *exists, const struct signing *signing,
                            struct why *why)
{
    snprintf(out, cap, "%s" NODE_AUDIT_SUFFIX, signing->member);
    TRY(is_member(exists, signing, out, why));
    if (!*exists) {
        snprintf(out, cap, "%s", NODE_AUDIT_ID);
        TRY(is_member(exists, signing, out, why));
    }
    return OK;
}

static void body_write(struct buf *out, const struct signing *signing, const char *member,
                       bool exists, const struct new_key *key)
{
    if (exists) {
        struct member_add_key body = {.member = bytes_text(member), .key = *key};
        member_add_key_write(out, &body);
        return;
    }
    struct member_register body = {.member = bytes_text(member),
                                   .kind = MEMBER_APPLICATION,
                                   .institution = bytes_text(signing->member),
                                   .role_count = 1,
                                   .roles = {bytes_text("application")},
                                   .key_count = 1,
                                   .keys = {*key}};
    member_register_write(out, &body);
}

/* Signs what makes the key known. */
static enum err statement_make(struct buf *out, const struct signing *signing,
                               const struct signer *audit, struct why *why)
{
    bool exists;
    struct buf request = {0};
    struct buf body = {0};
    struct hash id;
    char member[MEMBER_ID_MAX + sizeof NODE_AUDIT_SUFFIX];
    TRY(find_member(member, sizeof member, &exists, signing, why));
    enum err err =
        possession_sign(&request, &signing->chain, bytes_text(member), PURPOSE_MEMBER, audit);
    if (err != OK) {
        return why_say(why, err, "audit key", NULL, "can't sign", NULL);
    }
    struct new_key key = {.possession = buf_bytes(&request)};
    body_write(&body, signing, member, exists, &key);
    struct matter matter = {exists ? MEMBER_TYPE("add_key") : MEMBER_TYPE("register"), member,
                            buf_bytes(&body)};
    err = signing_sign(signing, &matter, out, &id, why);
    buf_clear(&request);
    buf_clear(&body);
    return err;
}

static enum err enable(const struct args *args, const struct signing *signing, struct why *why)
{
    struct signer *audit = NULL;
    struct buf statement = {0};
    json_t *answer = NULL;
    enum err err = audit_key(&audit, args, why);
    if (err == OK) {
        err = statement_make(&statement, signing, audit, why);
    }
    if (err == OK) {
        err = statement_post(signing->client, "/v1/statements", "application/cose",
                             buf_bytes(&statement), &answer, why);
    }
    if (err == OK) {
        answer_print(args, answer);
    }
    signer_free(audit);
    buf_clear(&statement);
    return err;
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct signing signing = {0};
    enum err err = signing_open(&signing, args, "as", &why);
    if (err == OK) {
        err = enable(args, &signing, &why);
    }
    signing_close(&signing);
    return err == OK ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {
    {"audit-key", "FILE", "a key that exists; else DIR/keys/audit.key, made if need be", NULL,
     false, false},
    ARGS_SIGNING,
    ARG_AS,
    {0},
};

const struct verb verb_audit_enable = {
    .name = "audit enable",
    .operands = "DIR",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "register the key that deposits an audit log's head",
    .text =
        "For ledgers made by a version that had no audit log ('cairn init' does it by itself), "
        "and\n"
        "for a key that was lost. Makes the member audit, an application that can deposit and\n"
        "nothing else, or brings it one more key. Run it as the user that the node runs as; the\n"
        "node takes the key at its next start.",
    .example = "cairn audit enable court --key operator.key",
    .args = options,
    .run = run,
};
