#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static enum log_level lowest = LOG_INFO;

void log_set_level(enum log_level level)
{
    lowest = level;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (level < lowest) {
        return;
    }
    char now[25];
    clock_format(now, clock_wall_ms());
    char line[1024];
    int used = snprintf(line, sizeof line, "time=%s level=%s event=%s ", now, names[level], event);
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(line + used, sizeof line - (size_t)used - 1, format, arguments);
    va_end(arguments);
    size_t len = (size_t)used + (more > 0 ? (size_t)more : 0);
    if (len > sizeof line - 2) {
        len = sizeof line - 2;
    }
    line[len] = '\n';
    /* One write keeps lines of several threads apart. A lost line is not worth stopping for. */
    ssize_t ignored = write(STDERR_FILENO, line, len + 1);
    (void)ignored;
}
