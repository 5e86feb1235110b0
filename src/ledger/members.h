/* Members, their roles and their mandates: the records in `state` under module "member" that the
 * ledger itself reads before any rule runs. Key records are in proof/keyrecord.h. */
#ifndef CAIRN_LEDGER_MEMBERS_H
#define CAIRN_LEDGER_MEMBERS_H

#include "ledger/rules.h"

#define MEMBER_MODULE    "member"
#define MEMBER_ROLES_MAX 8
#define MEMBER_KEYS_MAX  64 /* keys in force at a time */
#define ROLE_MAX         32

enum member_kind { MEMBER_INSTITUTION = 1, MEMBER_PERSON, MEMBER_APPLICATION, MEMBER_NODE };

/* State key ["member", id]: [1, kind, institution or null, roles, kids in force, from index, until
 * index or null]. */
struct member_record {
    enum member_kind kind;
    struct bytes institution; /* member id of the one it belongs to, or len 0 */
    size_t role_count;
    struct bytes roles[MEMBER_ROLES_MAX];
    size_t key_count;
    struct hash keys[MEMBER_KEYS_MAX];
    uint64_t from;
    bool has_until;
    uint64_t until;
};
must_use enum err member_record_parse(struct member_record *out, struct bytes in);
void member_record_write(struct buf *out, const struct member_record *record);
void member_state_key(struct buf *out, struct bytes member);

/* State key ["mandate", statement id]: [1, principal, agent, actions, until ms, ended index or
 * null]. */
#define MANDATE_ACTIONS_MAX 32
struct mandate_record {
    struct bytes principal;
    struct bytes agent;
    size_t action_count;
    struct bytes actions[MANDATE_ACTIONS_MAX]; /* "evidence.deposit" or "evidence.*" */
    uint64_t until_ms;
    bool ended;
    uint64_t ended_index;
};
must_use enum err mandate_record_parse(struct mandate_record *out, struct bytes in);
void mandate_record_write(struct buf *out, const struct mandate_record *record);
void mandate_state_key(struct buf *out, const struct hash *statement_id);

/* State key ["void", statement id], value [1]: the statement may never be taken. */
void void_state_key(struct buf *out, const struct hash *statement_id);

/* Whether `pattern` ("evidence.deposit" or "evidence.*") covers module.action. */
bool action_matches(struct bytes pattern, struct bytes module, struct bytes action);
/* Whether one of the member's roles allows module.action under `rules`. */
bool member_may(const struct member_record *record, const struct rules *rules, struct bytes module,
                struct bytes action);

#endif
