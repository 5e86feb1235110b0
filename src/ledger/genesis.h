/* The genesis document, entry 0 of every ledger; its SHA-256 is the chain id.
 *
 * [1, 32 random bytes, name, suite, members], a member being
 * [id, kind, institution or null, [+ role], [+ [SPKI, alg, purpose]]]. Members of kind node with a
 * consensus key and a transport key make it a consortium's (regime.h). */
#ifndef CAIRN_LEDGER_GENESIS_H
#define CAIRN_LEDGER_GENESIS_H

#include "ledger/members.h"

#define GENESIS_MAX         ENTRY_MAX
#define GENESIS_MEMBERS_MAX 64
#define GENESIS_KEYS_MAX    8
#define LEDGER_NAME_MAX     64

struct genesis_key {
    struct bytes spki;
    enum alg alg;
    enum purpose purpose;
};

struct genesis_member {
    struct bytes id;
    enum member_kind kind;
    struct bytes institution;
    size_t role_count;
    struct bytes roles[MEMBER_ROLES_MAX];
    size_t key_count;
    struct genesis_key keys[GENESIS_KEYS_MAX];
};

struct genesis {
    uint8_t random32[32];
    struct bytes name;
    uint64_t suite;
    size_t member_count;
    struct genesis_member members[GENESIS_MEMBERS_MAX];
};

/* Ranges borrow. ERR_VERSION, ERR_UNSUPPORTED (suite, a key for ordering that is not Ed25519),
 * ERR_KEY (also one for ordering that is not a node's, or without the other), ERR_EXISTS (a member
 * or key twice), reader's errors. */
must_use enum err genesis_parse(struct genesis *out, struct bytes in, struct why *why);
void genesis_write(struct buf *out, const struct genesis *genesis);

#endif
