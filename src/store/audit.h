/* The audit log of operators' acts, DIR/audit.log: one line an act, each with the hash of the line
 * before it, so that whoever knows the newest hash knows all of them. docs/audit.md has the format.
 *
 * A line is a JSON array and a newline:
 *     [number, time, act, who, {name: value, ...}, SHA-256 of the line before]
 * Its hash covers the newline; the first line, number 1, follows 64 zeros. A file that is full gets
 * the name audit.FIRST.log, FIRST being the number of its first act in 12 digits, and a new one
 * goes on. DIR/audit.head holds number and hash of the last line; its lock orders the processes
 * that write. */
#ifndef CAIRN_STORE_AUDIT_H
#define CAIRN_STORE_AUDIT_H

#include "base/bytes.h"
#include "base/why.h"

#include <sys/types.h>

#define AUDIT_LOG  "audit.log"
#define AUDIT_HEAD "audit.head"

/* Every act: number, name, meaning (a sentence, as docs/audit.md has it). */
#define AUDIT_TABLE(X)                                                                           \
    X(AUDIT_NODE_START, "node.start",                                                            \
      "The node opened the ledger: chain, head, whether it only reads.")                         \
    X(AUDIT_NODE_STOP, "node.stop", "The node closed the ledger in order.")                      \
    X(AUDIT_CONFIG_LOAD, "config.load",                                                          \
      "Settings were read, at the start or anew: the file and its digest.")                      \
    X(AUDIT_CERTIFICATE_LOAD, "certificate.load",                                                \
      "The TLS certificate was read, at the start or anew: the file and its digest.")            \
    X(AUDIT_SESSION_REVOKE, "session.revoke",                                                    \
      "An operator ended a session, not the one it spoke in.")                                   \
    X(AUDIT_KEY_OPEN, "key.open", "A private key was opened: for what, and its kid.")            \
    X(AUDIT_CLOCK_ACCEPT, "clock.accept", "A step of the clock was accepted.")                   \
    X(AUDIT_LEDGER_RESTART, "ledger.restart", "A loss was declared and a new epoch began.")      \
    X(AUDIT_STATEMENT, "statement.taken",                                                        \
      "The ledger took a statement of an operator about members or governance; who is its kid.") \
    X(AUDIT_PEER_ACCUSED, "peer.accused",                                                        \
      "A receipt key of another node signed two heads, or another than ours; who is its kid.")   \
    X(AUDIT_BROKEN, "audit.broken",                                                              \
      "The log did not hold when it was opened; it goes on behind that.")

#define AUDIT_NUMBER(number, name, meaning) number,
enum audit_act { AUDIT_TABLE(AUDIT_NUMBER) AUDIT_ACT_COUNT };
#undef AUDIT_NUMBER

const char *audit_act_name(enum audit_act act);

/* Never a secret, never a person's name. */
struct audit_detail {
    const char *name;
    const char *value;
};
#define AUDIT_DETAILS_MAX 6
#define AUDIT_WHO_CAP     72

struct audit_entry {
    enum audit_act act;
    const char *who;                                /* a kid in hex, or audit_user */
    struct audit_detail details[AUDIT_DETAILS_MAX]; /* up to a NULL name */
};

/* Writes "user:NAME" of an account of this machine, or "uid:NUMBER". */
void audit_user(char out[AUDIT_WHO_CAP], uid_t uid);

/* Where the log ends: number and hash of its last line; 0 and zeros before the first. */
struct audit_head {
    uint64_t number;
    struct hash hash;
};

struct audit;

struct audit_options {
    const char *dir;
    size_t file_max;           /* bytes of one file; 0 = 8 MiB */
    uint64_t (*wall_ms)(void); /* NULL = clock_wall_ms */
};

/* Opens the log of a folder, making it if there is none, and verifies its newest file: what does
 * not hold becomes an act of its own, and the log goes on behind it. An unfinished last line, which
 * was never acknowledged, is dropped. ERR_IO. The caller closes *out. */
must_use enum err audit_open(struct audit **out, const struct audit_options *options,
                             struct why *why);
/* NULL is allowed. */
void audit_close(struct audit *audit);

/* Appends acts, one after another, and returns when they are on the disk. ERR_IO, which is logged
 * and counted, and then audit_failed is true until it succeeds again. Any thread, and several
 * processes at a time. */
enum err audit_add(struct audit *audit, const struct audit_entry *entries, size_t count);
/* Whether the last audit_add failed. */
bool audit_failed(const struct audit *audit);
/* Where the log ends now, and the last line's bytes appended to `line` (may be NULL). ERR_IO,
 * ERR_CORRUPT. */
must_use enum err audit_last(struct audit *audit, struct audit_head *out, struct buf *line);

/* ---- reading (audit_read.c) */

/* One line; texts are valid during the call. */
struct audit_line {
    uint64_t number;
    const char *time;
    const char *act;
    const char *who;
    const char *details; /* a JSON object */
    struct bytes bytes;  /* the whole line with its newline */
    struct hash hash;
};
/* Returns whether to go on. */
typedef bool audit_line_fn(void *context, const struct audit_line *line);

/* What audit_read found; of texts the times of first and last line. */
struct audit_report {
    uint64_t first;
    uint64_t count;
    struct audit_head head;
    char first_time[25];
    char last_time[25];
};

/* Reads a log and checks that each line follows the one before: `path` is a folder with all of its
 * files and audit.head, with which the end is compared, or one file, whose beginning is taken as it
 * is. `each` (may be NULL) is called for every line that holds. ERR_NOT_FOUND, ERR_IO; ERR_CORRUPT:
 * `why` names file, line and act, and *report what holds until there. */
must_use enum err audit_read(const char *path, audit_line_fn *each, void *context,
                             struct audit_report *report, struct why *why);

#endif
