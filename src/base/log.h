/* The log: one line an event, logfmt or JSON, to stderr or to the system's log. Never a secret,
 * never a person's name; a member is named by the first digits of a key. docs/events.md lists every
 * event, and a lint compares. Thread-safe. */
#ifndef CAIRN_BASE_LOG_H
#define CAIRN_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_options {
    enum log_level level;
    bool json;               /* else logfmt */
    const char *syslog_path; /* a datagram socket that takes RFC 5424, "/dev/log"; NULL: stderr */
    const char *journal_stream; /* the environment's JOURNAL_STREAM, or NULL: where it names stderr,
                                   lines begin with the priority that journald reads */
};

/* Before it, lines go to stderr in logfmt from LOG_INFO. Call while there is one thread. */
void log_open(const struct log_options *options);
/* Lines below `level` are dropped. Any thread, any time. */
void log_set_level(enum log_level level);

/* Writes time, level, event and the pairs of `format`: `key=VALUE` parted by single blanks, where
 * VALUE is text and conversions, in double quotes if it holds blanks: "height=%llu reason=\"%s
 * %s\"". The values are escaped, so they may hold anything. Conversions: s, .*s, d, u, x with l, ll
 * or z, and a zero-padded width for x. What a line can't hold (about 8 KB) is left out, and the
 * pair cut=1 says so. */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
