/* Keys that signatures are checked with, parsed once and kept: a bounded cache in front of the
 * ledger. What is kept of a key (SPKI, alg, WebAuthn settings, names) never changes. Thread-safe.
 */
#ifndef CAIRN_ADMIT_KEYRING_H
#define CAIRN_ADMIT_KEYRING_H

#include "ledger/ledger.h"

#include <stdatomic.h>

struct keyring;

/* A parsed key, shared; read-only. */
struct ring_key {
    struct buf bytes; /* the encoded record, from which `record` borrows */
    struct key_record record;
    struct pubkey *key;
    atomic_uint holders;
};

struct keyring *keyring_new(struct ledger *ledger);
void keyring_free(struct keyring *keyring);
/* The key that the statement names. ERR_NOT_FOUND if the ledger knows none, or its errors. The
 * caller gives *out back with ring_key_release. */
must_use enum err keyring_get(struct keyring *keyring, const struct statement *statement,
                              struct ring_key **out);
void ring_key_release(struct ring_key *key);

#endif
