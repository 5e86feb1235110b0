/* What the files of this rule book share. */
#ifndef CAIRN_MODULES_MEMBER_RULES_H
#define CAIRN_MODULES_MEMBER_RULES_H

#include "modules/member/member.h"

/* A member as it stands; the record borrows from `bytes`, which the owner clears. */
struct standing {
    struct buf bytes;
    struct member_record record;
};
/* Reads a member again into *out, whose buffer is reused; `field` is what the refusal names.
 * ERR_NOT_FOUND; ERR_REFUSED if the member has ended. */
must_use enum err standing_get(struct standing *out, struct rule_context *context,
                               const char *field, struct bytes member, struct why *why);
void standing_put(struct rule_context *context, struct bytes member,
                  const struct member_record *record);
void standing_clear(struct standing *standing);

/* Whether the member's roles allow to register anybody. */
bool is_operator(struct rule_context *context, const struct member_record *record);
/* ERR_NOT_FOUND unless all are roles of this ledger; `why` names the first that is not. */
must_use enum err roles_known(struct rule_context *context, const struct bytes *roles, size_t count,
                              struct why *why);

/* What the signer is to a member. */
enum authority { AUTHORITY_NONE, AUTHORITY_ITSELF, AUTHORITY_INSTITUTION, AUTHORITY_OPERATOR };
/* `signer` is the record of rule_member. An operator is one also towards itself, and no institution
 * has a say over an operator. */
enum authority authority_over(struct rule_context *context, const struct member_record *signer,
                              struct bytes member, const struct member_record *record);
/* The signer's authority over a member, ERR_REFUSED if it has none. */
must_use enum err authority_get(enum authority *out, struct rule_context *context,
                                struct bytes member, const struct member_record *record,
                                struct why *why);

/* The same for whoever brings a key: who holds a member's key has its roles, so an institution also
 * needs to have them. */
must_use enum err key_authority_get(enum authority *out, struct rule_context *context,
                                    struct bytes member, const struct member_record *record,
                                    struct why *why);
/* An institution gives no more than it has: ERR_REFUSED unless `giver` has each role of `taker`, or
 * it is MEMBER_ROLE_DEFAULT. */
must_use enum err grant_check(const struct member_record *giver, const struct member_record *taker,
                              struct why *why);

/* For whom, and by whose word, a key begins. */
struct key_owner {
    struct bytes member;
    struct member_record *record; /* gains the kid; the caller puts it into the state */
    enum authority by;
    enum purpose purpose; /* the only one allowed, or 0 for any */
};
/* Checks a key request and registers its key from this log index on. ERR_EXISTS (key or name),
 * ERR_MISMATCH (ledger, member or purpose), ERR_REFUSED, ERR_UNSUPPORTED, ERR_FORMAT,
 * possession_parse's errors. */
must_use enum err key_begin(struct rule_context *context, const struct key_owner *owner,
                            const struct new_key *key, struct why *why);
/* Reads the record of a key in force; `record` borrows from `bytes`. ERR_NOT_FOUND, ERR_EXISTS if
 * it was ended. */
must_use enum err key_in_force(struct key_record *record, struct buf *bytes,
                               struct rule_context *context, const struct hash *kid,
                               struct why *why);

/* Checks that need no state: the statement stands for its signer alone, its body reads. */
must_use enum err own_voice_check(const struct submission *submission, struct why *why);
enum err body_why(struct why *why, enum err err);
struct bytes body_of(const struct submission *submission);

/* The actions of register.c and mandates.c. */
enum err register_check(const struct submission *submission, struct why *why);
enum err register_apply(struct rule_context *context, const struct submission *submission,
                        struct why *why);
enum err void_check(const struct submission *submission, struct why *why);
enum err void_apply(struct rule_context *context, const struct submission *submission,
                    struct why *why);
enum err mandate_body_check(const struct submission *submission, struct why *why);
enum err mandate_apply(struct rule_context *context, const struct submission *submission,
                       struct why *why);
enum err end_mandate_apply(struct rule_context *context, const struct submission *submission,
                           struct why *why);

#endif
