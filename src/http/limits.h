/* What bounds the server: one byte budget, connections by address, token buckets, rates. Pure: no
 * sockets and no clock; times are handed in. */
#ifndef CAIRN_HTTP_LIMITS_H
#define CAIRN_HTTP_LIMITS_H

#include "base/bytes.h"

/* Bounds of a server. 0 means the default that stands behind it, except where said otherwise. */
struct server_limits {
    size_t memory_len;                /* bodies, queues and answers together: 256 MiB */
    unsigned connections;             /* at a time: 1,024 */
    unsigned connections_per_address; /* 256 */
    bool count_loopback;              /* whether they count for loopback addresses as well */
    unsigned requests_per_second;     /* per key or address; 0: no limit */
    unsigned requests_burst;          /* 2 x requests_per_second */
    unsigned streams;                 /* answers without an end at a time: 10,000 */
    size_t header_max;                /* request line and headers: 16 KiB */
    size_t chunked_max;               /* a body without a length: 1 MiB */
    unsigned body_rate;               /* bytes a second of a body, either way, on average: 16 KiB */
    unsigned body_grace_s;            /* until that is asked for: 5 */
    unsigned header_wait_s;           /* for the whole of the headers: 10 */
    unsigned idle_s;                  /* between requests: 60 */
    unsigned answer_wait_s;           /* that a handler may suspend: 30 */
};
/* Puts the defaults where 0 stands. */
void limits_complete(struct server_limits *limits);

/* ---- rates */

/* Whether `done` bytes in `elapsed_ns` are enough: `rate` bytes a second once `grace_s` are over.
 */
bool rate_is_kept(uint64_t done, uint64_t elapsed_ns, unsigned rate, unsigned grace_s);

/* ---- bytes */

/* Shared by all loops; zero-initialised is unlimited until `max` is set. */
struct budget {
    size_t max;
    _Atomic size_t used;
};
/* False, taking nothing, if fewer than `len` are left. */
must_use bool budget_take(struct budget *budget, size_t len);
/* Takes what can't be refused any more. */
void budget_force(struct budget *budget, size_t len);
void budget_give(struct budget *budget, size_t len);

/* ---- connections by address; thread-safe */

struct addresses;
struct addresses *addresses_new(void);
void addresses_free(struct addresses *addresses);
/* Counts one more of `address` (numeric text) and returns how many there are. */
unsigned addresses_add(struct addresses *addresses, const char *address);
void addresses_remove(struct addresses *addresses, const char *address);

/* ---- token buckets; thread-safe
 *
 * A bucket holds up to `burst` tokens and gets `per_second` back. They stand in a table of fixed
 * size: where it is full, the fullest of a few is forgotten, which can only be in its owner's
 * favour. */
struct buckets;
struct buckets *buckets_new(unsigned per_second, unsigned burst);
void buckets_free(struct buckets *buckets);
/* From now on another rate; 0 per second: whoever asks gets a token. */
void buckets_set_rate(struct buckets *buckets, unsigned per_second, unsigned burst);
/* Takes a token of `who`. Returns 0, or the seconds (at least 1) until there will be one. */
must_use unsigned buckets_take(struct buckets *buckets, struct bytes who, uint64_t now_ns);

#endif
