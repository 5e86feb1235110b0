#include "ledger/known.h"

#include <stdlib.h>

#define BUCKETS   16384 /* a power of two */
#define KNOWN_MAX 32768

struct known {
    size_t count;
    struct known_record *buckets[BUCKETS];
};

struct known *known_new(void)
{
    return mem_zalloc(sizeof(struct known));
}

static void record_free(struct known_record *record)
{
    buf_clear(&record->state_key);
    buf_clear(&record->record);
    pubkey_free(record->pubkey);
    free(record->key);
    free(record->member);
    free(record);
}

static void forget_all(struct known *known)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (known->buckets[i] != NULL) {
            struct known_record *record = known->buckets[i];
            known->buckets[i] = record->next;
            record_free(record);
        }
    }
    known->count = 0;
}

void known_free(struct known *known)
{
    if (known != NULL) {
        forget_all(known);
        free(known);
    }
}

/* FNV-1a. State keys end with a hash or a short name, so this spreads them well enough. */
static size_t bucket_of(struct bytes state_key)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < state_key.len; i++) {
        hash = (hash ^ state_key.at[i]) * 0x100000001b3u;
    }
    return (size_t)(hash ^ hash >> 32) & (BUCKETS - 1);
}

const struct known_record *known_find(const struct known *known, struct bytes state_key)
{
    const struct known_record *record = known->buckets[bucket_of(state_key)];
    while (record != NULL && !bytes_equal(buf_bytes(&record->state_key), state_key)) {
        record = record->next;
    }
    return record;
}

static struct known_record *record_new(struct bytes state_key, struct bytes bytes)
{
    struct known_record *record = mem_zalloc(sizeof *record);
    buf_put(&record->state_key, state_key);
    buf_put(&record->record, bytes);
    return record;
}

static enum err keep(struct known *known, const struct known_record **out,
                     struct known_record *record, enum err err)
{
    if (err != OK) {
        record_free(record);
        *out = NULL;
        return err;
    }
    size_t bucket = bucket_of(buf_bytes(&record->state_key));
    record->next = known->buckets[bucket];
    known->buckets[bucket] = record;
    known->count++;
    *out = record;
    return OK;
}

enum err known_add_key(struct known *known, const struct known_record **out, struct bytes state_key,
                       struct bytes bytes)
{
    struct known_record *record = record_new(state_key, bytes);
    record->key = mem_alloc(sizeof *record->key);
    enum err err = key_record_parse(record->key, &record->pubkey, buf_bytes(&record->record));
    if (err != OK) {
        record->pubkey = NULL;
    }
    return keep(known, out, record, err);
}

enum err known_add_member(struct known *known, const struct known_record **out,
                          struct bytes state_key, struct bytes bytes)
{
    struct known_record *record = record_new(state_key, bytes);
    record->member = mem_alloc(sizeof *record->member);
    enum err err = member_record_parse(record->member, buf_bytes(&record->record));
    return keep(known, out, record, err);
}

void known_drop(struct known *known, struct bytes state_key)
{
    struct known_record **link = &known->buckets[bucket_of(state_key)];
    while (*link != NULL && !bytes_equal(buf_bytes(&(*link)->state_key), state_key)) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        struct known_record *record = *link;
        *link = record->next;
        record_free(record);
        known->count--;
    }
}

void known_trim(struct known *known)
{
    if (known->count > KNOWN_MAX) {
        forget_all(known);
    }
}
