/* Files of requests: what the load generator sends. */
#ifndef CAIRN_CLI_BENCH_LOAD_H
#define CAIRN_CLI_BENCH_LOAD_H

#include "base/bytes.h"

/* A file is a row of these, each followed by its body; numbers in the machine's order. */
struct request_head {
    uint32_t units; /* statements or items in the body */
    uint32_t len;   /* of the body */
};

#endif
