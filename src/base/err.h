/* Error codes: one table for the whole program.
 *
 * Three kinds of failure are never mixed. Our own bug aborts (BUG_ON). Bad input returns a code
 * from this table and is never logged above debug. A broken machine (disk, fsync) returns ERR_IO
 * or ERR_CORRUPT and stops the writer, loudly. Running out of memory aborts.
 *
 * What a person will read travels beside the code in a `struct why` (why.h). */
#ifndef CAIRN_BASE_ERR_H
#define CAIRN_BASE_ERR_H

#include <stdbool.h>

#define ERR_TABLE(X)                                                 \
    X(OK, "ok")                                                      \
    X(ERR_TRUNCATED, "ends before it is complete")                   \
    X(ERR_TRAILING, "has bytes after its end")                       \
    X(ERR_NOT_CANONICAL, "is not in the one deterministic encoding") \
    X(ERR_TYPE, "has another type than the format asks for")         \
    X(ERR_RANGE, "is outside the allowed range")                     \
    X(ERR_DEPTH, "is nested too deeply")                             \
    X(ERR_FORMAT, "is malformed")                                    \
    X(ERR_VERSION, "has an unknown version")                         \
    X(ERR_UNSUPPORTED, "is not supported")                           \
    X(ERR_KEY, "is not an acceptable key")                           \
    X(ERR_PASSPHRASE, "needs another passphrase")                    \
    X(ERR_SIGNATURE, "has a signature that does not verify")         \
    X(ERR_MISMATCH, "does not match")                                \
    X(ERR_NOT_FOUND, "was not found")                                \
    X(ERR_EXISTS, "exists already")                                  \
    X(ERR_REFUSED, "is refused by a rule")                           \
    X(ERR_EXPIRED, "is past its time")                               \
    X(ERR_SIGN_IN, "is for members who have signed in")              \
    X(ERR_BUSY, "is busy")                                           \
    X(ERR_TIMEOUT, "took too long")                                  \
    X(ERR_CLOSED, "is closed")                                       \
    X(ERR_READ_ONLY, "is read-only")                                 \
    X(ERR_UNREACHABLE, "could not be reached")                       \
    X(ERR_IO, "could not be read or written")                        \
    X(ERR_CORRUPT, "is damaged")

#define ERR_CODE(name, text) name,
enum err { ERR_TABLE(ERR_CODE) ERR_COUNT };

#define must_use __attribute__((warn_unused_result))

/* Returns the code's name, for example "ERR_RANGE". */
const char *err_name(enum err err);

/* Returns the code as the end of a sentence whose subject is the thing at fault. */
const char *err_text(enum err err);

/* Returns from the calling function, which owns nothing, unless `call` is OK. */
#define TRY(call)                  \
    do {                           \
        enum err try_err = (call); \
        if (try_err != OK) {       \
            return try_err;        \
        }                          \
    } while (0)

/* Aborts with file and line if our own code is wrong. Always on. */
#define BUG_ON(condition)                              \
    do {                                               \
        if (__builtin_expect(!!(condition), 0)) {      \
            bug_abort(__FILE__, __LINE__, #condition); \
        }                                              \
    } while (0)

__attribute__((noreturn)) void bug_abort(const char *file, int line, const char *condition);

#endif
