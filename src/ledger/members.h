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

/* State keys are of module "member" and encoded; value and key begin as shown.
 *
 * State key ["member", id]: [1, kind, institution or null, roles, kids in force, from index, until
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
/* What a record and the genesis document say alike of a member: kind, institution or null, roles.
 * Reads it and returns the number of roles; fails the reader with ERR_RANGE. */
size_t member_standing_read(struct cbor_reader *reader, enum member_kind *kind,
                            struct bytes *institution, struct bytes roles[MEMBER_ROLES_MAX]);
void member_standing_write(struct buf *out, enum member_kind kind, struct bytes institution,
                           const struct bytes *roles, size_t role_count);
void member_state_key(struct buf *out, struct bytes member);

/* State key ["mandate", statement id]: [1, principal, agent, actions, until ms, ended index or
 * null]. */
#define MANDATE_ACTIONS_MAX    32
#define MANDATE_ACTION_LEN_MAX 64
struct mandate_record {
    struct bytes principal;
    struct bytes agent;
    size_t action_count;
    struct bytes actions[MANDATE_ACTIONS_MAX]; /* "evidence.deposit" or "evidence.*" */
    uint64_t until_ms;
    bool ended;
    uint64_t ended_index; /* it does not hold from this log index on */
};
must_use enum err mandate_record_parse(struct mandate_record *out, struct bytes in);
void mandate_record_write(struct buf *out, const struct mandate_record *record);
void mandate_state_key(struct buf *out, const struct hash *statement_id);

/* State key ["void", kid, statement id], value [1]: the key of that kid has declared that it never
 * wants the statement taken. The kid is part of the key, so that nobody can void a statement that
 * another key signed: a statement is refused only if its own signer voided it. */
void void_state_key(struct buf *out, const struct hash *kid, const struct hash *statement_id);

/* State key ["name", name], value [1, kid]: the foreign key that a name (a kid of another tool, or
 * an x5t as its CBOR bytes) stands for, once and for ever. A foreign statement's key is looked for
 * under ["key", kid] where its kid has 32 bytes, then under the name of its kid, then of its
 * x5t. */
void name_state_key(struct buf *out, struct bytes name);
must_use enum err name_record_parse(struct hash *kid, struct bytes in);
void name_record_write(struct buf *out, const struct hash *kid);

/* Whether `pattern` ("evidence.deposit" or "evidence.*") covers module.action. */
bool action_matches(struct bytes pattern, struct bytes module, struct bytes action);
/* Whether one of the member's roles allows module.action under `rules`. */
bool member_may(const struct member_record *record, const struct rules *rules, struct bytes module,
                struct bytes action);

#endif
