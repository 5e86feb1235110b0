/* Numbers that may be used once: what was taken is remembered for a while, in bounded memory.
 *
 * Two generations of a growing hash set, each as long as a number must be remembered. What is taken
 * goes into the younger one and is looked for in both; when the younger one's time is over it
 * becomes the elder one and the elder one is forgotten. So a number is remembered for at least
 * `keep_ms` and at most twice that. A full generation takes no more: forgetting early would let a
 * number be used twice.
 *
 * Thread-safe. Time is any clock that never runs backwards, in milliseconds. */
#ifndef CAIRN_HTTP_NONCES_H
#define CAIRN_HTTP_NONCES_H

#include "base/bytes.h"

struct nonces;

/* Remembers up to `max` numbers a generation, 16 bytes each with some room (at most 64 bytes each
 * in both together). */
struct nonces *nonces_new(size_t max, uint64_t keep_ms);
void nonces_free(struct nonces *nonces);

/* Takes the number that SHA-256 of (kid, nonce) stands for. ERR_EXISTS if it was taken before,
 * ERR_BUSY if there is no room. */
must_use enum err nonces_take(struct nonces *nonces, const struct hash *kid, struct bytes nonce,
                              uint64_t now_ms);

#endif
