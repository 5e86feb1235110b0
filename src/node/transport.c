/* Which node of the ledger a transport key speaks for. */
#include "node/attested.h"
#include "node/internal.h"

#include "ledger/members.h"

#include <stdlib.h>
#include <string.h>

static enum err refuse(struct why *why, const char *problem)
{
    return why_say(why, ERR_KEY, "keyid", NULL, problem,
                   "Use the transport key of a node that the ledger lists; see 'cairn member "
                   "list'.");
}

/* Whether the member is a node and has not ended. */
static enum err member_check(const struct view *view, struct bytes member, struct why *why)
{
    struct buf bytes = {0};
    struct member_record *record = mem_alloc(sizeof *record);
    enum err err = node_member_record(view, member, &bytes, record);
    if (err == OK && record->kind != MEMBER_NODE) {
        err = refuse(why, "is the key of a member that is no node");
    } else if (err == OK && record->has_until) {
        err = refuse(why, "belongs to a node that has ended");
    }
    buf_clear(&bytes);
    free(record);
    return err;
}

static enum err find(const struct view *view, const struct hash *kid,
                     struct node_transport_key *out, struct why *why)
{
    struct buf bytes = {0};
    struct key_record record;
    enum err err = node_key_record(view, kid, &bytes, &record);
    if (err == ERR_NOT_FOUND) {
        err = refuse(why, "is not registered on this ledger");
    } else if (err == OK && record.purpose != PURPOSE_TRANSPORT) {
        err = refuse(why, "is no transport key");
    } else if (err == OK && record.has_until) {
        err = refuse(why, "has ended");
    }
    if (err == OK) {
        err = member_check(view, record.member, why);
    }
    if (err == OK) {
        err = pubkey_parse(&out->key, record.spki);
    }
    if (err == OK) {
        out->alg = record.alg;
        memcpy(out->member, record.member.at, record.member.len);
        out->member[record.member.len] = '\0';
    }
    buf_clear(&bytes);
    return err;
}

enum err node_transport_key(struct node *node, const struct hash *kid,
                            struct node_transport_key *out, struct why *why)
{
    *out = (struct node_transport_key){0};
    struct view *view = node_view(node);
    enum err err = find(view, kid, out, why);
    view_release(view);
    return err;
}

void node_transport_key_clear(struct node_transport_key *key)
{
    pubkey_free(key->key);
    *key = (struct node_transport_key){0};
}
