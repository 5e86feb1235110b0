/* Key records: what the ledger knows of a key for ever (protocol.md 1), the state key under which
 * it stands, and proof of possession. */
#ifndef CAIRN_PROOF_KEYRECORD_H
#define CAIRN_PROOF_KEYRECORD_H

#include "codec/cose.h"
#include "crypto/signer.h"
#include "proof/id.h"

enum purpose {
    PURPOSE_MEMBER = 1,
    PURPOSE_FOREIGN,
    PURPOSE_RECEIPT,
    PURPOSE_CHECKPOINT,
    PURPOSE_CONSENSUS,
    PURPOSE_TRANSPORT
};

#define KEY_ORIGINS_MAX 16
#define KEY_NAMES_MAX   16
#define KEY_NAME_MAX    200
#define RP_ID_MAX       253
#define ORIGIN_MAX      300

struct key_record {
    struct bytes spki;
    enum alg alg;
    enum purpose purpose;
    struct bytes member; /* member id */
    uint64_t from;       /* log index of the registration; good after it */
    bool has_until;
    uint64_t until;     /* good before this log index */
    struct bytes rp_id; /* of WebAuthn keys; len 0 otherwise */
    size_t origin_count;
    struct bytes origins[KEY_ORIGINS_MAX];
    size_t name_count; /* of foreign keys: other kids; an x5t as its CBOR bytes */
    struct bytes names[KEY_NAMES_MAX];
};

/* Reads one encoded record exactly; ranges borrow from `in`. The SPKI is parsed as well, into *key
 * unless `key` is NULL (the caller frees it). ERR_VERSION, ERR_KEY, reader's errors. */
must_use enum err key_record_parse(struct key_record *out, struct pubkey **key, struct bytes in);
void key_record_write(struct buf *out, const struct key_record *record);

/* Appends the encoded state key ["key", kid] of module "member". */
void key_record_state_key(struct buf *out, const struct hash *kid);

/* A key request (NAME.req): a COSE_Sign1 of typ possession by the new key over
 * [1, chain id, member id, purpose, SPKI]. */
struct possession {
    struct sign1 sign1;
    struct hash chain;
    struct bytes member;
    enum purpose purpose;
    struct bytes spki;
    enum alg alg;
};
/* Parses and verifies; ranges borrow. ERR_SIGNATURE, ERR_KEY, reader's errors; ERR_UNSUPPORTED for
 * a WebAuthn key, which is for the next function. */
must_use enum err possession_parse(struct possession *out, struct bytes in, struct why *why);
/* The same for a key of alg -65538, whose signature is an assertion under these settings, those
 * that its record will have. ERR_UNSUPPORTED for another alg. */
must_use enum err possession_parse_webauthn(struct possession *out, struct bytes in,
                                            struct bytes rp_id, const struct bytes *origins,
                                            size_t origin_count, struct why *why);
must_use enum err possession_sign(struct buf *out, const struct hash *chain, struct bytes member,
                                  enum purpose purpose, const struct signer *signer);

#endif
