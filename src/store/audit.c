/* Every write: take the lock of audit.head, look whether another process has written since, append
 * the lines, make them durable, then the head. A crash between the two leaves a log that is longer
 * than its head, which holds; a head that is longer than its log means that lines were cut off. */
#include "store/audit_internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "codec/text.h"
#include "crypto/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_FILE_MAX ((size_t)8 << 20)
#define FILE_MODE        0600

/* Places in the label of METRIC_AUDIT_ERRORS. */
enum { ERROR_WRITE, ERROR_VERIFY };

struct audit {
    char *dir;
    char *path;
    int head_fd; /* open as long as the log is; its lock orders processes */
    size_t file_max;
    uint64_t (*wall_ms)(void);
    pthread_mutex_t lock; /* orders threads; guards what follows */
    struct audit_head head;
    ino_t ino; /* file and size as we left it: else another process has written since */
    off_t len;
    atomic_bool failed;
};

const char *audit_act_name(enum audit_act act)
{
    static const char *const names[] = {
#define AUDIT_NAME(number, name, meaning) name,
        AUDIT_TABLE(AUDIT_NAME)
#undef AUDIT_NAME
    };
    return names[act];
}

void audit_user(char out[AUDIT_WHO_CAP], uid_t uid)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char texts[4096];
    if (getpwuid_r(uid, &entry, texts, sizeof texts, &found) == 0 && found) {
        snprintf(out, AUDIT_WHO_CAP, "user:%s", entry.pw_name);
    } else {
        snprintf(out, AUDIT_WHO_CAP, "uid:%u", (unsigned)uid);
    }
}

/* ---- the head */

static enum err head_parse(struct audit_head *out, struct bytes text)
{
    char copy[AUDIT_HEAD_LEN + 1] = {0};
    if (text.len != AUDIT_HEAD_LEN) {
        return ERR_CORRUPT;
    }
    memcpy(copy, text.at, text.len);
    bool good = strspn(copy, "0123456789") == 20 && copy[20] == ' ' &&
                copy[AUDIT_HEAD_LEN - 1] == '\n' &&
                hex_read(out->hash.at, sizeof out->hash.at, (struct bytes){text.at + 21, 64}) == OK;
    out->number = good ? strtoull(copy, NULL, 10) : 0;
    return good ? OK : ERR_CORRUPT;
}

enum err audit_head_read(struct audit_head *out, const char *path, struct why *why)
{
    struct buf text = {0};
    enum err err = file_read(&text, path, AUDIT_HEAD_LEN, why);
    if (err == OK || err == ERR_RANGE) {
        err = err == OK ? head_parse(out, buf_bytes(&text)) : ERR_CORRUPT;
        if (err != OK) {
            why_say(why, err, AUDIT_HEAD, path, "does not hold a number and a hash",
                    "Compare the log with a copy of it, and with what was deposited of it last.");
        }
    }
    buf_clear(&text);
    return err;
}

static enum err head_write(struct audit *audit)
{
    char text[AUDIT_HEAD_LEN + 1];
    char hash[65];
    hex_write(hash, hash_bytes(&audit->head.hash));
    snprintf(text, sizeof text, "%020" PRIu64 " %s\n", audit->head.number, hash);
    ssize_t put = pwrite(audit->head_fd, text, AUDIT_HEAD_LEN, 0);
    return put == AUDIT_HEAD_LEN && fdatasync(audit->head_fd) == 0 ? OK : ERR_IO;
}

/* ---- the end of the log */

static bool take_last(void *context, const struct audit_line *line)
{
    struct buf *last = context;
    last->len = 0;
    buf_put(last, line->bytes);
    return true;
}

/* The newest file that holds lines: audit.log, or where that has none yet the last full one. NULL
 * if there is none at all. */
static char *newest_file(const struct audit *audit)
{
    struct stat info;
    if (stat(audit->path, &info) == 0 && info.st_size > 0) {
        return mem_strdup(audit->path);
    }
    struct dirent **names;
    int count = audit_full_files(audit->dir, &names);
    char *path = count > 0 ? path_join(audit->dir, names[count - 1]->d_name) : NULL;
    for (int i = 0; i < count; i++) {
        free(names[i]);
    }
    if (count >= 0) {
        free(names);
    }
    return path;
}

/* Where the log ends by its lines; 0 if it has none. The last line that holds is appended. */
static enum err read_end(const struct audit *audit, struct audit_head *out, struct buf *line,
                         struct why *why)
{
    struct audit_report report = {0};
    char *path = newest_file(audit);
    enum err err = path ? audit_read(path, take_last, line, &report, why) : OK;
    free(path);
    *out = report.head;
    return err;
}

/* Cuts off what a crash left of a line. */
static enum err drop_unfinished(const struct audit *audit)
{
    struct buf text = {0};
    enum err err = file_read(&text, audit->path, AUDIT_FILE_CAP, NULL);
    size_t len = text.len;
    while (err == OK && len > 0 && text.at[len - 1] != '\n') {
        len--;
    }
    bool cut = err == OK && len < text.len;
    if (cut) {
        log_event(LOG_WARN, "audit.unfinished", "dropped_bytes=%zu", text.len - len);
    }
    buf_clear(&text);
    if (cut && truncate(audit->path, (off_t)len) != 0) {
        return ERR_IO;
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

/* Compares the newest file's end with the head. The log goes on behind whatever is there, with the
 * higher of the two numbers, so that what is wrong stays visible for ever. */
static enum err find_end(struct audit *audit, bool has_head, struct why *broken)
{
    struct audit_head end;
    struct buf line = {0};
    enum err err = read_end(audit, &end, &line, broken);
    buf_clear(&line);
    if (err == ERR_IO) {
        return err;
    }
    struct audit_head head = audit->head;
    if (err == OK && has_head && end.number < head.number) {
        err = why_sayf(broken, ERR_CORRUPT, AUDIT_LOG, "ends too early", NULL, "act %llu of %llu",
                       (unsigned long long)end.number, (unsigned long long)head.number);
    } else if (err == OK && has_head && end.number == head.number &&
               !hash_equal(&end.hash, &head.hash)) {
        err = why_sayf(broken, ERR_CORRUPT, AUDIT_LOG, "is not the line that audit.head knows",
                       NULL, "act %llu", (unsigned long long)end.number);
    } else if (err == OK && !has_head && end.number > 0) {
        err = why_say(broken, ERR_CORRUPT, AUDIT_HEAD, NULL, "is missing or unreadable", NULL);
    }
    if (end.number >= head.number) {
        audit->head = end;
    }
    return err == OK ? OK : ERR_CORRUPT;
}

static void remember_file(struct audit *audit)
{
    struct stat info = {0};
    bool there = stat(audit->path, &info) == 0;
    audit->ino = there ? info.st_ino : 0;
    audit->len = there ? info.st_size : 0;
}

static bool is_as_we_left_it(const struct audit *audit)
{
    struct stat info;
    return stat(audit->path, &info) == 0 && info.st_ino == audit->ino && info.st_size == audit->len;
}

/* Finds the end anew. ERR_CORRUPT: `broken` says what does not hold, and the log can go on. */
static enum err refresh(struct audit *audit, struct why *broken)
{
    uint8_t text[AUDIT_HEAD_LEN];
    ssize_t got = pread(audit->head_fd, text, sizeof text, 0);
    struct audit_head head;
    bool has_head = got > 0 && head_parse(&head, (struct bytes){text, (size_t)got}) == OK;
    if (has_head && head.number > audit->head.number) {
        audit->head = head;
    }
    TRY(drop_unfinished(audit));
    enum err err = find_end(audit, has_head, broken);
    remember_file(audit);
    return err;
}

/* ---- lines */

static json_t *detail_text(const char *value)
{
    json_t *text = json_string(value);
    return text ? text : json_string("(not UTF-8)");
}

static void line_write(struct buf *out, const struct audit *audit, const struct audit_entry *entry,
                       const struct audit_head *after)
{
    char time[25];
    char hash[65];
    clock_format(time, audit->wall_ms());
    hex_write(hash, hash_bytes(&after->hash));
    json_t *details = json_object();
    for (size_t i = 0; i < AUDIT_DETAILS_MAX && entry->details[i].name; i++) {
        json_object_set_new(details, entry->details[i].name, detail_text(entry->details[i].value));
    }
    json_t *line = json_array();
    json_array_append_new(line, json_integer((json_int_t)after->number + 1));
    json_array_append_new(line, json_string(time));
    json_array_append_new(line, json_string(audit_act_name(entry->act)));
    json_array_append_new(line, detail_text(entry->who));
    json_array_append_new(line, details);
    json_array_append_new(line, json_string(hash));
    char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII);
    BUG_ON(!text);
    buf_put(out, bytes_text(text));
    buf_put_byte(out, '\n');
    free(text);
    json_decref(line);
}

/* Gives a full file its name; the next line begins a new one. */
static enum err rotate(const struct audit *audit)
{
    struct buf text = {0};
    char name[32];
    enum err err = file_read(&text, audit->path, AUDIT_FILE_CAP, NULL);
    uint64_t first = 0;
    if (err == OK) {
        buf_put_byte(&text, 0);
        first = strtoull((const char *)text.at + 1, NULL, 10); /* behind the bracket */
    }
    buf_clear(&text);
    TRY(err);
    snprintf(name, sizeof name, "audit.%012" PRIu64 ".log", first);
    char *path = path_join(audit->dir, name);
    int failed = file_exists(path) ? -1 : rename(audit->path, path);
    free(path);
    return failed ? ERR_IO : dir_sync(audit->dir);
}

static enum err append(const struct audit *audit, struct bytes lines)
{
    struct stat info;
    bool is_new = stat(audit->path, &info) != 0;
    if (!is_new && info.st_size > 0 && (size_t)info.st_size + lines.len > audit->file_max) {
        TRY(rotate(audit));
        is_new = true;
    }
    int fd = open(audit->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        return ERR_IO;
    }
    bool good = write(fd, lines.at, lines.len) == (ssize_t)lines.len && fdatasync(fd) == 0;
    close(fd);
    return !good ? ERR_IO : is_new ? dir_sync(audit->dir) : OK;
}

static enum err write_lines(struct audit *audit, const struct audit_entry *entries, size_t count)
{
    struct buf lines = {0};
    struct audit_head head = audit->head;
    for (size_t i = 0; i < count; i++) {
        size_t before = lines.len;
        line_write(&lines, audit, &entries[i], &head);
        head.number++;
        sha256(&head.hash, (struct bytes){lines.at + before, lines.len - before});
    }
    enum err err = append(audit, buf_bytes(&lines));
    buf_clear(&lines);
    if (err != OK) {
        audit->ino = 0; /* whatever stands there is to be looked at first */
        return err;
    }
    audit->head = head;
    remember_file(audit);
    return head_write(audit);
}

static enum err note_broken(struct audit *audit, const struct why *broken)
{
    char who[AUDIT_WHO_CAP];
    audit_user(who, geteuid());
    metric_add(METRIC_AUDIT_ERRORS, ERROR_VERIFY, 1);
    log_event(LOG_ERROR, "audit.broken", "field=\"%s\" value=\"%s\" problem=\"%s\"", broken->field,
              broken->value, broken->problem);
    struct audit_entry entry = {
        AUDIT_BROKEN,
        who,
        {{"field", broken->field}, {"value", broken->value}, {"problem", broken->problem}}};
    return write_lines(audit, &entry, 1);
}

/* Looks for the end where that may have moved; what does not hold is noted. Under the lock. */
static enum err find_place(struct audit *audit)
{
    struct why broken = {0};
    enum err err = is_as_we_left_it(audit) ? OK : refresh(audit, &broken);
    return err == ERR_CORRUPT ? note_broken(audit, &broken) : err;
}

static enum err add_locked(struct audit *audit, const struct audit_entry *entries, size_t count)
{
    TRY(find_place(audit));
    return write_lines(audit, entries, count);
}

enum err audit_add(struct audit *audit, const struct audit_entry *entries, size_t count)
{
    pthread_mutex_lock(&audit->lock);
    enum err err = flock(audit->head_fd, LOCK_EX) == 0 ? OK : ERR_IO;
    if (err == OK) {
        err = add_locked(audit, entries, count);
        flock(audit->head_fd, LOCK_UN);
    }
    pthread_mutex_unlock(&audit->lock);
    atomic_store(&audit->failed, err != OK);
    if (err == OK) {
        metric_add(METRIC_AUDIT_ACTS, 0, count);
    } else {
        metric_add(METRIC_AUDIT_ERRORS, ERROR_WRITE, 1);
        log_event(LOG_ERROR, "audit.failed", "act=%s acts=%zu errno=%d",
                  audit_act_name(entries[0].act), count, errno);
    }
    return err;
}

bool audit_failed(const struct audit *audit)
{
    return atomic_load(&audit->failed);
}

enum err audit_last(struct audit *audit, struct audit_head *out, struct buf *line)
{
    struct buf last = {0};
    pthread_mutex_lock(&audit->lock);
    enum err err = flock(audit->head_fd, LOCK_EX) == 0 ? OK : ERR_IO;
    if (err == OK) {
        err = read_end(audit, out, &last, NULL);
        flock(audit->head_fd, LOCK_UN);
    }
    pthread_mutex_unlock(&audit->lock);
    if (err == OK && line) {
        buf_put(line, buf_bytes(&last));
    }
    buf_clear(&last);
    return err;
}

/* ---- opening */

static enum err open_log(struct audit *audit, struct why *why)
{
    char *path = path_join(audit->dir, AUDIT_HEAD);
    audit->head_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    free(path);
    if (audit->head_fd < 0 || flock(audit->head_fd, LOCK_EX) != 0) {
        return why_say(why, ERR_IO, "audit log", audit->dir, strerror(errno),
                       "Check the permissions of the folder.");
    }
    enum err err = find_place(audit);
    flock(audit->head_fd, LOCK_UN);
    return err == OK ? OK
                     : why_say(why, err, "audit log", audit->dir, NULL,
                               "Check the disk and the permissions of the folder.");
}

enum err audit_open(struct audit **out, const struct audit_options *options, struct why *why)
{
    struct audit *audit = mem_zalloc(sizeof *audit);
    audit->dir = mem_strdup(options->dir);
    audit->path = path_join(options->dir, AUDIT_LOG);
    audit->head_fd = -1;
    audit->file_max = options->file_max ? options->file_max : DEFAULT_FILE_MAX;
    audit->wall_ms = options->wall_ms ? options->wall_ms : clock_wall_ms;
    pthread_mutex_init(&audit->lock, NULL);
    enum err err = open_log(audit, why);
    if (err != OK) {
        audit_close(audit);
        audit = NULL;
    }
    *out = audit;
    return err;
}

void audit_close(struct audit *audit)
{
    if (!audit) {
        return;
    }
    if (audit->head_fd >= 0) {
        close(audit->head_fd);
    }
    pthread_mutex_destroy(&audit->lock);
    free(audit->path);
    free(audit->dir);
    free(audit);
}
