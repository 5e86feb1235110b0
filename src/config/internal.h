/* What the files of this folder share. */
#ifndef CAIRN_CONFIG_INTERNAL_H
#define CAIRN_CONFIG_INTERNAL_H

#include "config/config.h"

/* ---- value.c */

/* Sets a setting from its text; a list gets one more value. `field` names where it was written.
 * ERR_FORMAT, ERR_RANGE. */
must_use enum err value_set(struct config *config, enum config_number number, const char *text,
                            const char *field, struct why *why);
/* Sets it to its default. */
void value_set_default(struct config *config, enum config_number number);
/* Frees what a setting holds and leaves it empty. */
void value_clear(struct config *config, enum config_number number);

/* Appends a size with the largest unit that leaves it whole. */
void value_put_size(struct buf *out, uint64_t size);

/* ---- check.c */

/* Checks what the values say together. */
must_use enum err config_check(const struct config *config, struct why *why);

#endif
