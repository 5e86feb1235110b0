/* libcbor behind plain types: its header and ours can't be included together. */
#ifndef CAIRN_TEST_LIBCBOR_ORACLE_H
#define CAIRN_TEST_LIBCBOR_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oracle {
    bool taken;       /* libcbor loads the whole input as one item */
    bool same;        /* and writes it again to the same bytes */
    bool in_subset;   /* it holds only what protocol.md allows */
    bool in_shortest; /* and the shortest encoding of what was loaded is the input */
};

/* Asks libcbor about `input`. */
struct oracle oracle_ask(const uint8_t *input, size_t len);

#endif
