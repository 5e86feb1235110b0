#include "http/sessions.h"

#include "crypto/digest.h"
#include "crypto/random.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEFAULT         16384
#define MAX_PER_KEY_DEFAULT 16
#define BUCKETS             4096

/* In a chain of its bucket, which the token's digest chooses, and in the queue of all: every
 * session lives equally long, so that the oldest end first. */
struct entry {
    struct entry *next;
    struct entry *younger;
    struct entry *older;
    struct hash token_hash;
    struct session session;
};

struct sessions {
    pthread_mutex_t lock;
    struct sessions_limits limits;
    size_t count;
    struct entry *oldest;
    struct entry *youngest;
    struct entry *buckets[BUCKETS];
};

struct sessions *sessions_new(const struct sessions_limits *limits)
{
    struct sessions *sessions = mem_zalloc(sizeof *sessions);
    pthread_mutex_init(&sessions->lock, NULL);
    sessions->limits.max = limits->max ? limits->max : MAX_DEFAULT;
    sessions->limits.max_per_key = limits->max_per_key ? limits->max_per_key : MAX_PER_KEY_DEFAULT;
    sessions->limits.life_ms = limits->life_ms ? limits->life_ms : SESSION_LIFE_MS;
    return sessions;
}

static struct entry **bucket_of(struct sessions *sessions, const struct hash *token_hash)
{
    return &sessions->buckets[get_u16(token_hash->at) % BUCKETS];
}

static void remove_entry(struct sessions *sessions, struct entry *entry)
{
    struct entry **slot = bucket_of(sessions, &entry->token_hash);
    while (*slot != entry) {
        slot = &(*slot)->next;
    }
    *slot = entry->next;
    *(entry->older ? &entry->older->younger : &sessions->oldest) = entry->younger;
    *(entry->younger ? &entry->younger->older : &sessions->youngest) = entry->older;
    sessions->count--;
    free(entry);
}

static void sweep(struct sessions *sessions, uint64_t now_ms)
{
    while (sessions->oldest && sessions->oldest->session.ends_ms <= now_ms) {
        BUG_ON(sessions->oldest->older);
        remove_entry(sessions, sessions->oldest);
    }
}

void sessions_free(struct sessions *sessions)
{
    if (sessions) {
        sweep(sessions, UINT64_MAX);
        pthread_mutex_destroy(&sessions->lock);
        free(sessions);
    }
}

static size_t count_of(const struct sessions *sessions, const struct hash *kid)
{
    size_t count = 0;
    for (const struct entry *entry = sessions->oldest; entry; entry = entry->younger) {
        count += hash_equal(&entry->session.kid, kid);
    }
    return count;
}

static enum err bounds_check(const struct sessions *sessions, const struct hash *kid,
                             struct why *why)
{
    if (sessions->count >= sessions->limits.max) {
        return why_say(why, ERR_BUSY, "sessions", NULL, "are as many as this node keeps",
                       "Try again in a few minutes, or sign each request.");
    }
    if (count_of(sessions, kid) >= sessions->limits.max_per_key) {
        return why_say(why, ERR_BUSY, "sessions", NULL, "of this key are as many as it may have",
                       "End one of them, or wait until one is over.");
    }
    return OK;
}

static void add_entry(struct sessions *sessions, const struct session *session,
                      const uint8_t *token32)
{
    struct entry *entry = mem_zalloc(sizeof *entry);
    entry->session = *session;
    sha256(&entry->token_hash, (struct bytes){token32, SESSION_TOKEN_LEN});
    struct entry **bucket = bucket_of(sessions, &entry->token_hash);
    entry->next = *bucket;
    *bucket = entry;
    entry->older = sessions->youngest;
    *(entry->older ? &entry->older->younger : &sessions->oldest) = entry;
    sessions->youngest = entry;
    sessions->count++;
}

enum err sessions_open(struct sessions *sessions, struct session *session, uint64_t now_ms,
                       uint8_t *token32, struct why *why)
{
    pthread_mutex_lock(&sessions->lock);
    sweep(sessions, now_ms);
    enum err err = bounds_check(sessions, &session->kid, why);
    if (err == OK) {
        random_bytes(token32, SESSION_TOKEN_LEN);
        random_bytes(session->id, sizeof session->id);
        session->ends_ms = now_ms + sessions->limits.life_ms;
        add_entry(sessions, session, token32);
    }
    pthread_mutex_unlock(&sessions->lock);
    return err;
}

bool sessions_find(struct sessions *sessions, const uint8_t *token32, uint64_t now_ms,
                   struct session *out)
{
    struct hash token_hash;
    sha256(&token_hash, (struct bytes){token32, SESSION_TOKEN_LEN});
    pthread_mutex_lock(&sessions->lock);
    struct entry *entry = *bucket_of(sessions, &token_hash);
    while (entry && !hash_equal(&entry->token_hash, &token_hash)) {
        entry = entry->next;
    }
    bool found = entry && entry->session.ends_ms > now_ms;
    if (found) {
        *out = entry->session;
    }
    pthread_mutex_unlock(&sessions->lock);
    return found;
}

static bool is_of(const struct entry *entry, const char *member)
{
    return !member || strcmp(entry->session.member, member) == 0;
}

size_t sessions_list(struct sessions *sessions, const char *member, uint64_t now_ms,
                     struct session *out, size_t cap)
{
    size_t count = 0;
    pthread_mutex_lock(&sessions->lock);
    sweep(sessions, now_ms);
    for (const struct entry *entry = sessions->oldest; entry && count < cap;
         entry = entry->younger) {
        if (is_of(entry, member)) {
            out[count++] = entry->session;
        }
    }
    pthread_mutex_unlock(&sessions->lock);
    return count;
}

enum err sessions_end(struct sessions *sessions, const uint8_t *id, const char *member,
                      uint64_t now_ms)
{
    pthread_mutex_lock(&sessions->lock);
    sweep(sessions, now_ms);
    struct entry *entry = sessions->oldest;
    while (entry && memcmp(entry->session.id, id, SESSION_ID_LEN) != 0) {
        entry = entry->younger;
    }
    bool found = entry && is_of(entry, member);
    if (found) {
        remove_entry(sessions, entry);
    }
    pthread_mutex_unlock(&sessions->lock);
    return found ? OK : ERR_NOT_FOUND;
}
