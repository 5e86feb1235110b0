/* What mutate.c must know of a target's inputs. */
#ifndef CAIRN_TEST_FUZZ_MUTATE_H
#define CAIRN_TEST_FUZZ_MUTATE_H

#include <stdbool.h>
#include <stddef.h>

struct fuzz_shape {
    size_t prefix;      /* bytes before the first data item */
    bool first_counted; /* the first two bytes are that item's length */
};

/* Every target that mutate.c is linked to defines it. */
extern const struct fuzz_shape fuzz_shape;

#endif
