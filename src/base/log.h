/* One line an event, logfmt, to stderr: time, level, event, then key=value pairs that the caller
 * formats. Never a secret, never a person's name. Thread-safe. */
#ifndef CAIRN_BASE_LOG_H
#define CAIRN_BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Lines below `level` are dropped. The default is LOG_INFO. Call before threads start. */
void log_set_level(enum log_level level);
/* `event` is a fixed word such as "block.commit"; `format` yields the pairs and may be "". */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
