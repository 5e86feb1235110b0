/* Changes to the state that are not durable yet: those of a block, and among them those of the one
 * statement that is being applied, which can be taken back.
 *
 * 1. Entries are walked in the order of their keys (memcmp), whatever order they were made in.
 * 2. After overlay_undo the overlay gives the same answers as before the first change that followed
 *    the last overlay_keep. */
#ifndef CAIRN_LEDGER_OVERLAY_H
#define CAIRN_LEDGER_OVERLAY_H

#include "base/arena.h"

enum change {
    CHANGE_NONE, /* as the committed state has it */
    CHANGE_PUT,
    CHANGE_DELETE
};

/* Bytes live in the overlay until overlay_clear. */
struct overlay_entry {
    struct bytes key;
    struct bytes value; /* of CHANGE_PUT */
    enum change change;
    struct overlay_entry *next[];
};

struct overlay;
struct overlay *overlay_new(void);
void overlay_free(struct overlay *overlay);

/* What was last done to a key; CHANGE_NONE if nothing. *value borrows (CHANGE_PUT only). */
enum change overlay_get(const struct overlay *overlay, struct bytes key, struct bytes *value);
/* Copies key and value. */
void overlay_put(struct overlay *overlay, struct bytes key, struct bytes value);
void overlay_delete(struct overlay *overlay, struct bytes key);

/* Makes the changes since the last keep or undo lasting. */
void overlay_keep(struct overlay *overlay);
/* Takes them back, calling `each` (may be NULL) for every key that they touched. */
typedef void overlay_key_fn(void *context, struct bytes key);
void overlay_undo(struct overlay *overlay, overlay_key_fn *each, void *context);
/* Forgets everything, kept or not, calling `each` likewise. */
void overlay_clear(struct overlay *overlay, overlay_key_fn *each, void *context);

/* The first changed entry, and the next one; NULL after the last. */
const struct overlay_entry *overlay_first(const struct overlay *overlay);
const struct overlay_entry *overlay_next(const struct overlay_entry *entry);
/* The first changed entry whose key is not below `key`. */
const struct overlay_entry *overlay_seek(const struct overlay *overlay, struct bytes key);
#endif
