/* The rule book of members: who takes part, with which keys and roles, and who may act for whom.
 *
 * State, all in module "member" (ledger/members.h and proof/keyrecord.h have the records):
 *   ["member", id]          the member; nothing but its roles, keys and end ever changes
 *   ["key", kid]            the key record, for ever
 *   ["name", name]          the foreign key that a name stands for, for ever
 *   ["mandate", id]         the mandate that statement `id` gave
 *   ["void", kid, id]       [1]: statement `id` must not be taken from the key `kid`
 *
 * Who may do what. An *operator* is a member whose roles allow member.register: it registers
 * anybody. An *institution* registers persons and applications that belong to it, gives them roles
 * that it has itself, or `depositor`, and revokes them; it adds and rotates their keys while it has
 * all their roles, since who holds a key has the roles. No institution has a say over an operator.
 * Any member rotates and revokes its own keys and gives mandates. Receipt, checkpoint, consensus
 * and transport keys belong to nodes and begin by an operator's word alone. Nothing here is ever
 * done under a mandate: keys belong to people. An operator can end neither itself, nor its last
 * member key, nor its own role, so that a ledger always has one.
 *
 * A key that begins at log index i is good after i; one that ends there is good up to i. What ends
 * is named, never removed. An institution's end leaves its people to the operator. */
#ifndef CAIRN_MODULES_MEMBER_MEMBER_H
#define CAIRN_MODULES_MEMBER_MEMBER_H

#include "ledger/members.h"

extern const struct module member_module;

/* The content type of an action, "register". */
#define MEMBER_TYPE(action) "application/vnd.cairn.member." action "+cbor"

#define MEMBER_REASON_MAX   200
#define REGISTER_KEYS_MAX   8
#define KEY_REQUEST_MAX     4096
#define MEMBER_ROLE_DEFAULT "depositor" /* what any institution may give */

/* new-key = [possession: bstr .size (1..4096), rp: [tstr, [+ tstr]] / null, names: [+ bstr] / null]
 *
 * A key request (NAME.req) and what its record will hold beside it: `rp` exactly for WebAuthn keys,
 * `names` only for foreign keys. */
struct new_key {
    struct bytes possession; /* the bytes of a whole key request */
    struct bytes rp_id;      /* len 0 for null */
    size_t origin_count;
    struct bytes origins[KEY_ORIGINS_MAX];
    size_t name_count; /* 0 for null */
    struct bytes names[KEY_NAMES_MAX];
};

/* register = [1, member-id, kind: 1..4, institution: member-id / null, [1*8 role],
 *             [1*8 new-key]]
 * role = tstr .size (1..32)
 *
 * A member id given here has the characters A-Z a-z 0-9 . _ : @ - and begins with a letter or
 * digit. */
struct member_register {
    struct bytes member;
    enum member_kind kind;
    struct bytes institution; /* len 0 for null; always null for an institution */
    size_t role_count;
    struct bytes roles[MEMBER_ROLES_MAX];
    size_t key_count;
    struct new_key keys[REGISTER_KEYS_MAX];
};

/* add-key = [1, member-id, new-key] */
struct member_add_key {
    struct bytes member;
    struct new_key key;
};

/* rotate = [1, kid: digest, new-key]: the key `kid` ends, the new one of the same member and
 * purpose begins. */
struct member_rotate {
    struct hash kid;
    struct new_key key;
};

/* revoke = [1, member-id, kid: digest / null, reason: tstr .size (1..200)]: ends one key, or with
 * null the member and all its keys. */
struct member_revoke {
    struct bytes member;
    bool has_kid;
    struct hash kid;
    struct bytes reason;
};

/* roles = [1, member-id, [1*8 role]] */
struct member_roles {
    struct bytes member;
    size_t role_count;
    struct bytes roles[MEMBER_ROLES_MAX];
};

/* void = [1, statement: digest] and end-mandate = [1, mandate: digest] */
struct member_reference {
    struct hash statement;
};

/* mandate = [1, agent: member-id, [1*32 tstr .size (1..64)], until: time-ms]: the actions are
 * "evidence.deposit" or "evidence.*". */
struct member_mandate {
    struct bytes agent;
    size_t action_count;
    struct bytes actions[MANDATE_ACTIONS_MAX];
    uint64_t until_ms;
};

/* Each reads one body exactly; ranges borrow. ERR_VERSION, ERR_RANGE, the reader's errors, and
 * ERR_EXISTS for a role, an action or an origin that stands there twice. */
must_use enum err member_register_parse(struct member_register *out, struct bytes in);
must_use enum err member_add_key_parse(struct member_add_key *out, struct bytes in);
must_use enum err member_rotate_parse(struct member_rotate *out, struct bytes in);
must_use enum err member_revoke_parse(struct member_revoke *out, struct bytes in);
must_use enum err member_roles_parse(struct member_roles *out, struct bytes in);
must_use enum err member_reference_parse(struct member_reference *out, struct bytes in);
must_use enum err member_mandate_parse(struct member_mandate *out, struct bytes in);

void member_register_write(struct buf *out, const struct member_register *body);
void member_add_key_write(struct buf *out, const struct member_add_key *body);
void member_rotate_write(struct buf *out, const struct member_rotate *body);
void member_revoke_write(struct buf *out, const struct member_revoke *body);
void member_roles_write(struct buf *out, const struct member_roles *body);
void member_reference_write(struct buf *out, const struct member_reference *body);
void member_mandate_write(struct buf *out, const struct member_mandate *body);

#endif
