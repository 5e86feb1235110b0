/* The format is read here and not by printf: its pairs are taken apart before the values are put
 * in, so that no value can pass for another pair. */
#include "base/log.h"

#include "base/bytes.h"
#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_CAP  8192
#define VALUE_CAP 1024 /* what is longer is cut */
#define TAIL_LEN  16   /* room for what says that a line was cut, and its end */
#define FACILITY  3    /* daemon (RFC 5424, 6.2.1) */

static atomic_int lowest = LOG_INFO;
static bool as_json;
static bool with_priority;

static struct {
    pthread_mutex_t lock;
    const char *path; /* NULL: stderr */
    int fd;           /* -1: not connected */
    uint64_t dropped; /* lines that its full queue did not take */
} syslog_to = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static const struct {
    const char *name;
    unsigned severity; /* RFC 5424, 6.2.1 */
} levels[] = {{"debug", 7}, {"info", 6}, {"warn", 4}, {"error", 3}};

/* A line that grows up to its bound. */
struct line {
    char at[LINE_CAP];
    size_t len;
    bool full; /* something did not fit */
};

/* What is left of a format and its arguments. */
struct pairs {
    const char *format;
    va_list arguments;
};

/* ---- escaping */

static void put(struct line *line, const char *text, size_t len)
{
    if (line->len + len > sizeof line->at - TAIL_LEN) {
        line->full = true;
        return;
    }
    memcpy(line->at + line->len, text, len);
    line->len += len;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* The bytes of the UTF-8 character that `text` begins with, 0 if it begins with none. */
static size_t character_len(struct bytes text)
{
    for (size_t len = 1; len <= 4 && len <= text.len; len++) {
        if (bytes_is_utf8((struct bytes){text.at, len})) {
            return len;
        }
    }
    return 0;
}

/* Between double quotes, with the escapes of JSON (RFC 8259), which logfmt's readers know as well.
 * Control characters, those of C1 and of line ends too, can't break a line or a terminal. */
static void put_quoted(struct line *line, struct bytes text)
{
    put_text(line, "\"");
    while (text.len > 0) {
        size_t len = character_len(text);
        uint8_t c = text.at[0];
        char escape[8];
        if (c == '"' || c == '\\') {
            snprintf(escape, sizeof escape, "\\%c", c);
            put_text(line, escape);
        } else if (c < ' ' || c == 0x7f || (c == 0xc2 && len == 2 && text.at[1] < 0xa0)) {
            snprintf(escape, sizeof escape, "\\u%04x", len == 2 ? text.at[1] : c);
            put_text(line, escape);
        } else if (len == 0) {
            put_text(line, "\xef\xbf\xbd");
        } else {
            put(line, (const char *)text.at, len);
        }
        len += len == 0;
        text = (struct bytes){text.at + len, text.len - len};
    }
    put_text(line, "\"");
}

/* Whether a value of logfmt needs no quotes. */
static bool is_bare(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=') {
            return false;
        }
    }
    return text.len > 0;
}

static void put_pair(struct line *line, struct bytes key, struct bytes value, bool number)
{
    size_t before = line->len;
    if (as_json) {
        put_text(line, before == 0 || line->at[before - 1] == '{' ? "" : ",");
        put_quoted(line, key);
        put_text(line, ":");
    } else {
        put_text(line, before == 0 ? "" : " ");
        put(line, (const char *)key.at, key.len);
        put_text(line, "=");
    }
    if (number || (!as_json && is_bare(value))) {
        put(line, (const char *)value.at, value.len);
    } else {
        put_quoted(line, value);
    }
    if (line->full) {
        line->len = before;
    }
}

/* ---- the format */

/* A value on its way, cut at its bound. */
struct value {
    char at[VALUE_CAP];
    size_t len;
    bool number; /* one decimal conversion and nothing else */
};

static void value_add(struct value *value, const char *text, size_t len)
{
    size_t room = sizeof value->at - value->len;
    size_t take = len < room ? len : room;
    memcpy(value->at + value->len, text, take);
    value->len += take;
}

/* How a conversion gives an integer. */
enum width { WIDTH_INT, WIDTH_LONG, WIDTH_LONG_LONG, WIDTH_SIZE };

static enum width read_width(struct pairs *pairs)
{
    static const char *const names[] = {"", "l", "ll", "z"};
    size_t len = strspn(pairs->format, "lz");
    for (enum width width = WIDTH_INT; width <= WIDTH_SIZE; width++) {
        if (strlen(names[width]) == len && strncmp(pairs->format, names[width], len) == 0) {
            pairs->format += len;
            return width;
        }
    }
    BUG_ON(true);
}

static unsigned long long take_unsigned(struct pairs *pairs, enum width width)
{
    switch (width) {
    case WIDTH_INT:
        return va_arg(pairs->arguments, unsigned);
    case WIDTH_LONG:
        return va_arg(pairs->arguments, unsigned long);
    case WIDTH_LONG_LONG:
        return va_arg(pairs->arguments, unsigned long long);
    case WIDTH_SIZE:
        return va_arg(pairs->arguments, size_t);
    }
    BUG_ON(true);
}

static long long take_signed(struct pairs *pairs, enum width width)
{
    switch (width) {
    case WIDTH_INT:
        return va_arg(pairs->arguments, int);
    case WIDTH_LONG:
        return va_arg(pairs->arguments, long);
    case WIDTH_LONG_LONG:
        return va_arg(pairs->arguments, long long);
    case WIDTH_SIZE:
        return va_arg(pairs->arguments, ssize_t);
    }
    BUG_ON(true);
}

static void add_string(struct pairs *pairs, struct value *value, bool measured)
{
    int max = measured ? va_arg(pairs->arguments, int) : VALUE_CAP;
    const char *text = va_arg(pairs->arguments, const char *);
    value_add(value, text ? text : "", text && max > 0 ? strnlen(text, (size_t)max) : 0);
}

/* Reads one conversion behind its '%'. */
static void add_conversion(struct pairs *pairs, struct value *value)
{
    bool measured = strncmp(pairs->format, ".*", 2) == 0;
    pairs->format += measured ? 2 : 0;
    size_t digits = strspn(pairs->format, "0123456789");
    int pad = digits > 0 ? (int)strtoul(pairs->format, NULL, 10) : 1;
    pairs->format += digits;
    enum width width = read_width(pairs);
    char kind = *pairs->format++;
    char text[40];
    int len = 0;
    if (kind == 's') {
        add_string(pairs, value, measured);
    } else if (kind == 'u') {
        len = snprintf(text, sizeof text, "%llu", take_unsigned(pairs, width));
    } else if (kind == 'd') {
        len = snprintf(text, sizeof text, "%lld", take_signed(pairs, width));
    } else {
        BUG_ON(kind != 'x' || pad > 32);
        len = snprintf(text, sizeof text, "%0*llx", pad, take_unsigned(pairs, width));
    }
    value_add(value, text, (size_t)len);
    value->number = value->number && (kind == 'u' || kind == 'd');
}

/* Reads one VALUE. */
static void read_value(struct pairs *pairs, struct value *value)
{
    bool quoted = *pairs->format == '"';
    char end = quoted ? '"' : ' ';
    pairs->format += quoted;
    *value = (struct value){.number = pairs->format[0] == '%'};
    unsigned parts = 0;
    while (*pairs->format && *pairs->format != end) {
        const char *at = pairs->format++;
        if (*at == '%') {
            add_conversion(pairs, value);
        } else {
            value_add(value, at, 1);
        }
        parts++;
    }
    value->number = value->number && parts == 1;
    pairs->format += quoted && *pairs->format == '"';
}

static void put_pairs(struct line *line, struct pairs *pairs)
{
    while (*pairs->format && !line->full) {
        size_t len = strcspn(pairs->format, "=");
        struct bytes key = {(const uint8_t *)pairs->format, len};
        BUG_ON(len == 0 || pairs->format[len] != '=');
        pairs->format += len + 1;
        struct value value;
        read_value(pairs, &value);
        put_pair(line, key, (struct bytes){(const uint8_t *)value.at, value.len}, value.number);
        pairs->format += *pairs->format == ' ';
    }
}

/* ---- where lines go */

static void write_stderr(enum log_level level, struct line *line)
{
    /* One write keeps lines of several threads apart. A lost line is not worth stopping for. */
    char whole[LINE_CAP + 8];
    int len = with_priority ? snprintf(whole, 5, "<%u>", levels[level].severity) : 0;
    memcpy(whole + len, line->at, line->len);
    whole[(size_t)len + line->len] = '\n';
    ssize_t ignored = write(STDERR_FILENO, whole, (size_t)len + line->len + 1);
    (void)ignored;
}

static void syslog_connect(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", syslog_to.path);
    if (syslog_to.fd >= 0) {
        close(syslog_to.fd);
    }
    syslog_to.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (syslog_to.fd >= 0 && connect(syslog_to.fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(syslog_to.fd);
        syslog_to.fd = -1;
    }
}

enum sent { SENT, SENT_DROPPED, SENT_TO_NOBODY };

/* Sends a datagram without waiting. A logger that was started anew is found again. */
static enum sent syslog_send(const char *text, size_t len)
{
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        if (syslog_to.fd < 0 || attempt > 0) {
            syslog_connect();
        }
        if (syslog_to.fd < 0) {
            return SENT_TO_NOBODY;
        }
        if (send(syslog_to.fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
            return SENT;
        }
        if (errno == EAGAIN || errno == ENOBUFS) {
            syslog_to.dropped++;
            return SENT_DROPPED;
        }
    }
    return SENT_TO_NOBODY;
}

/* RFC 5424: the event is the MSGID, the line the MSG. Where nobody listens, lines go to stderr.
 * What was dropped is told by a line of its own, once for each time that lines were dropped.
 * NOLINTNEXTLINE(misc-no-recursion) */
static void write_syslog(enum log_level level, const char *now, const char *event,
                         struct line *line)
{
    char host[256] = "-";
    char whole[LINE_CAP + 512];
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0') {
        snprintf(host, sizeof host, "-");
    }
    int len = snprintf(whole, sizeof whole, "<%u>1 %s %s cairn %d %.32s - %.*s",
                       FACILITY * 8 + levels[level].severity, now, host, (int)getpid(), event,
                       (int)line->len, line->at);
    pthread_mutex_lock(&syslog_to.lock);
    enum sent sent = syslog_send(whole, (size_t)len);
    uint64_t dropped = sent == SENT ? syslog_to.dropped : 0;
    syslog_to.dropped -= dropped;
    pthread_mutex_unlock(&syslog_to.lock);
    if (sent == SENT_TO_NOBODY) {
        write_stderr(level, line);
    }
    if (dropped > 0) {
        log_event(LOG_WARN, "log.dropped", "lines=%" PRIu64, dropped);
    }
}

/* ---- */

static bool is_journal(const char *stream)
{
    struct stat stat;
    char text[64];
    if (!stream || fstat(STDERR_FILENO, &stat) != 0) {
        return false;
    }
    snprintf(text, sizeof text, "%ju:%ju", (uintmax_t)stat.st_dev, (uintmax_t)stat.st_ino);
    return strcmp(text, stream) == 0;
}

void log_open(const struct log_options *options)
{
    as_json = options->json;
    syslog_to.path = options->syslog_path;
    with_priority = !options->syslog_path && is_journal(options->journal_stream);
    log_set_level(options->level);
}

void log_set_level(enum log_level level)
{
    atomic_store(&lowest, (int)level);
}

/* NOLINTNEXTLINE(misc-no-recursion): see write_syslog */
void log_event(enum log_level level, const char *event, const char *format, ...)
{
    if ((int)level < atomic_load(&lowest)) {
        return;
    }
    char now[25];
    clock_format(now, clock_wall_ms());
    struct line line;
    line.len = 0;
    line.full = false;
    put_text(&line, as_json ? "{" : "");
    put_pair(&line, bytes_text("time"), bytes_text(now), false);
    put_pair(&line, bytes_text("level"), bytes_text(levels[level].name), false);
    put_pair(&line, bytes_text("event"), bytes_text(event), false);
    struct pairs pairs = {.format = format};
    va_start(pairs.arguments, format);
    put_pairs(&line, &pairs);
    va_end(pairs.arguments);
    const char *cut = !line.full ? "" : as_json ? ",\"cut\":1" : " cut=1";
    line.len += (size_t)snprintf(line.at + line.len, TAIL_LEN, "%s%s", cut, as_json ? "}" : "");
    if (syslog_to.path) {
        write_syslog(level, now, event, &line);
    } else {
        write_stderr(level, &line);
    }
}
