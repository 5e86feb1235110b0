/* What the engine prints, line by line, made into events of our log. */
#ifndef CAIRN_ORDER_COMET_ENGINE_LOG_H
#define CAIRN_ORDER_COMET_ENGINE_LOG_H

#include "base/bytes.h"

/* The longest line that is looked at whole. */
#define ENGINE_LINE_MAX 16384

/* Zero-initialised is before the first line. One thread. */
struct engine_log {
    char line[ENGINE_LINE_MAX];
    size_t len;
    bool cut;        /* the line is longer than that; its rest is left out */
    uint64_t second; /* monotonic, in which `count` lines were logged */
    unsigned count;
    unsigned omitted;
    bool failed;       /* its consensus stopped: it must be started again */
    char problem[160]; /* the last error, for a person */
};

/* Takes what was read of the engine's output. Its "info" and "debug" become debug of ours, its
 * "error" a warning, since most are about other nodes, and what is not in its log's format (a
 * panic) a warning too. At most 50 lines a second are logged, the rest is counted. */
void engine_log_feed(struct engine_log *log, struct bytes part);
/* The output has ended: takes a last line without an end. */
void engine_log_end(struct engine_log *log);

#endif
