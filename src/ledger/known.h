/* Key records and member records that were read before, decoded: so that a statement of a busy key
 * costs no read of the store and no parsing of a key.
 *
 * Whoever changes the state under a key must drop it here, and drop it again when the change is
 * taken back: then what is found here is always what the state holds. */
#ifndef CAIRN_LEDGER_KNOWN_H
#define CAIRN_LEDGER_KNOWN_H

#include "ledger/members.h"

/* One of the two; ranges borrow from `record`. */
struct known_record {
    struct buf state_key;
    struct buf record;
    struct pubkey *pubkey;        /* of a key record, else NULL */
    struct key_record *key;       /* likewise */
    struct member_record *member; /* of a member record, else NULL */
    struct known_record *next;
};

struct known;
struct known *known_new(void);
void known_free(struct known *known);

/* NULL if it isn't here. Stays until it is dropped. */
const struct known_record *known_find(const struct known *known, struct bytes state_key);
/* Decodes a record and keeps it; it must not be here yet. The parsers' errors; *out is then
 * NULL. */
must_use enum err known_add_key(struct known *known, const struct known_record **out,
                                struct bytes state_key, struct bytes record);
must_use enum err known_add_member(struct known *known, const struct known_record **out,
                                   struct bytes state_key, struct bytes record);
/* Forgets what is known under a state key, if anything. */
void known_drop(struct known *known, struct bytes state_key);
/* Forgets everything if there is more than memory should hold. */
void known_trim(struct known *known);

#endif
