/* The statement ids of the validity window, in memory: where in the log a statement that is sent
 * again stands.
 *
 * Only the first 8 bytes of an id are kept, 16 bytes a place in all; whoever finds a place compares
 * the whole id there. Answers don't depend on the order of additions. */
#ifndef CAIRN_LEDGER_RECENT_H
#define CAIRN_LEDGER_RECENT_H

#include "base/bytes.h"

struct recent;
struct recent *recent_new(void);
void recent_free(struct recent *recent);

void recent_add(struct recent *recent, const struct hash *id, uint64_t index);
/* Forgets one place; nothing if it isn't there. */
void recent_remove(struct recent *recent, const struct hash *id, uint64_t index);
uint64_t recent_count(const struct recent *recent);

/* A search for the places of one id. */
struct recent_search {
    uint64_t prefix;
    uint64_t slot;
};
void recent_find(const struct recent *recent, const struct hash *id, struct recent_search *out);
/* The next place that may be the id's; false after the last. */
bool recent_next(const struct recent *recent, struct recent_search *search, uint64_t *index);

#endif
