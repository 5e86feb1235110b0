#include "admit/keyring.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Direct-mapped: a key that meets another in its slot takes its place. Members of a ledger are
 * thousands, so that collisions are rare and cost one parse. */
#define SLOTS 16384

struct keyring {
    struct ledger *ledger;
    pthread_rwlock_t lock;
    struct ring_key *slots[SLOTS];
};

struct keyring *keyring_new(struct ledger *ledger)
{
    struct keyring *keyring = mem_zalloc(sizeof *keyring);
    keyring->ledger = ledger;
    pthread_rwlock_init(&keyring->lock, NULL);
    return keyring;
}

void ring_key_release(struct ring_key *key)
{
    if (key && atomic_fetch_sub(&key->holders, 1) == 1) {
        pubkey_free(key->key);
        buf_clear(&key->bytes);
        free(key);
    }
}

void keyring_free(struct keyring *keyring)
{
    for (size_t i = 0; i < SLOTS; i++) {
        ring_key_release(keyring->slots[i]);
    }
    pthread_rwlock_destroy(&keyring->lock);
    free(keyring);
}

static enum err load(struct keyring *keyring, const struct statement *statement,
                     struct ring_key **out)
{
    struct ring_key *key = mem_zalloc(sizeof *key);
    atomic_init(&key->holders, 1);
    enum err err = ledger_signer(keyring->ledger, statement, &key->bytes);
    if (err == OK) {
        err = key_record_parse(&key->record, &key->key, buf_bytes(&key->bytes));
    }
    if (err != OK) {
        ring_key_release(key);
        return err;
    }
    *out = key;
    return OK;
}

static struct ring_key *lookup(struct keyring *keyring, struct bytes kid, size_t slot)
{
    pthread_rwlock_rdlock(&keyring->lock);
    struct ring_key *key = keyring->slots[slot];
    if (key && bytes_equal(hash_bytes(pubkey_kid(key->key)), kid)) {
        atomic_fetch_add(&key->holders, 1);
    } else {
        key = NULL;
    }
    pthread_rwlock_unlock(&keyring->lock);
    return key;
}

static void keep(struct keyring *keyring, struct ring_key *key, size_t slot)
{
    atomic_fetch_add(&key->holders, 1);
    pthread_rwlock_wrlock(&keyring->lock);
    struct ring_key *old = keyring->slots[slot];
    keyring->slots[slot] = key;
    pthread_rwlock_unlock(&keyring->lock);
    ring_key_release(old);
}

enum err keyring_get(struct keyring *keyring, const struct statement *statement,
                     struct ring_key **out)
{
    /* Foreign statements name keys in several ways; only the ledger can tell which record it is. */
    if (statement->foreign) {
        return load(keyring, statement, out);
    }
    size_t slot = get_u32(statement->kid.at) % SLOTS;
    *out = lookup(keyring, statement->kid, slot);
    if (*out) {
        return OK;
    }
    TRY(load(keyring, statement, out));
    keep(keyring, *out, slot);
    return OK;
}
