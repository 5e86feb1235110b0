/* Processes of this same program: the server, the echo, the load generator. */
#ifndef CAIRN_CLI_BENCH_CHILD_H
#define CAIRN_CLI_BENCH_CHILD_H

#include "base/bytes.h"
#include "base/why.h"

#include <jansson.h>
#include <sys/types.h>

struct child {
    pid_t pid; /* 0: none */
    int out;   /* its standard output */
};

/* Starts `cairn ARGV...`; argv ends with NULL and has no program name. ERR_IO. */
must_use enum err child_start(struct child *out, const char *const *argv, struct why *why);
/* Sends a signal (0: none), reads what is left of its output, waits for its end and returns its
 * exit status, or 128 plus the signal that ended it. Does nothing if there is no child. */
int child_end(struct child *child, int signal_number);

/* A child that serves: it has said at which port. */
struct served {
    struct child child;
    uint16_t port;
    uint64_t start_ns; /* from its start to that line */
};
/* Starts `cairn ARGV...` and reads "listening on http[s]://localhost:PORT". ERR_IO if it never says
 * so. */
must_use enum err served_start(struct served *out, const char *const *argv, struct why *why);

/* What the load generator reports. */
struct load_result {
    uint64_t units;      /* statements, items or requests that were accepted */
    uint64_t refused;    /* units that were not */
    uint64_t elapsed_ns; /* from the first byte sent to the last answer */
    uint64_t cpu_ns;     /* of the generator itself */
};
/* How the generator loads a server; it stops to begin requests after `ms`, or when all of `file`
 * was sent. */
struct load_plan {
    uint16_t port;
    const char *path;
    const char *type; /* content type */
    const char *file; /* of requests, load.h */
    unsigned connections;
    unsigned ms;
    bool tls;
};
/* Runs `cairn bench load` to its end. ERR_IO if it fails or says nothing useful. */
must_use enum err load_run(struct load_result *out, const struct load_plan *plan, struct why *why);

#endif
