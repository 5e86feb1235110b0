/* Signatures found good, remembered by the SHA-256 of the complete statement, so that a statement
 * that comes again, or is executed after it was judged, is not verified again. A bounded cache:
 * forgetting costs a verification, never a wrong answer. Thread-safe. */
#ifndef CAIRN_ADMIT_VERDICTS_H
#define CAIRN_ADMIT_VERDICTS_H

#include "base/bytes.h"

struct verdicts;

struct verdicts *verdicts_new(void);
void verdicts_free(struct verdicts *verdicts);
/* Whether exactly these bytes (by their digest) were verified with the key `kid`. */
bool verdicts_has(struct verdicts *verdicts, const struct hash *digest, const struct hash *kid);
void verdicts_add(struct verdicts *verdicts, const struct hash *digest, const struct hash *kid);

#endif
