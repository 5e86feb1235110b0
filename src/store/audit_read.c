/* A line is taken if it is an array of the six members, if its number is the next one and if the
 * hash in it is that of the line before. So a changed line is found by the one behind it, and the
 * last line by audit.head. */
#include "store/audit_internal.h"

#include "base/file.h"
#include "codec/text.h"
#include "crypto/digest.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMEDY "Compare the log with a copy of it, and with what was deposited of it last."

struct reader {
    const char *dir;  /* NULL for a single file */
    const char *name; /* of the file that is read, for errors */
    uint64_t line;    /* in that file, from 1 */
    audit_line_fn *each;
    void *context;
    struct audit_report *report;
    bool ended; /* `each` had enough */
};

static enum err refuse(const struct reader *reader, const char *problem, struct why *why)
{
    return why_sayf(why, ERR_CORRUPT, reader->name, problem, REMEDY, "line %llu",
                    (unsigned long long)reader->line);
}

static enum err check_order(const struct reader *reader, const struct audit_line *line,
                            const struct hash *previous, struct why *why)
{
    const struct audit_report *report = reader->report;
    bool is_first = report->count == 0;
    if (is_first && (!reader->dir || line->number == 1)) {
        struct hash zeros = {{0}};
        return line->number != 1 || hash_equal(previous, &zeros)
                   ? OK
                   : refuse(reader, "is the first act but follows another line", why);
    }
    if (is_first) {
        return why_sayf(why, ERR_CORRUPT, reader->name, "is where the log begins, not with act 1",
                        "Put the older files back, or verify this file by itself.", "act %llu",
                        (unsigned long long)line->number);
    }
    if (line->number != report->head.number + 1) {
        char problem[128];
        snprintf(problem, sizeof problem,
                 "holds act %llu where act %llu belongs: lines are missing or moved",
                 (unsigned long long)line->number, (unsigned long long)report->head.number + 1);
        return refuse(reader, problem, why);
    }
    if (!hash_equal(previous, &report->head.hash)) {
        char problem[128];
        snprintf(problem, sizeof problem,
                 "does not follow act %llu as that stands: one of the two was changed",
                 (unsigned long long)report->head.number);
        return refuse(reader, problem, why);
    }
    return OK;
}

static const char *text_at(const json_t *array, size_t at)
{
    const char *text = json_string_value(json_array_get(array, at));
    return text ? text : "";
}

static void take(struct reader *reader, const struct audit_line *line)
{
    struct audit_report *report = reader->report;
    if (report->count == 0) {
        report->first = line->number;
        snprintf(report->first_time, sizeof report->first_time, "%s", line->time);
    }
    snprintf(report->last_time, sizeof report->last_time, "%s", line->time);
    report->count++;
    report->head = (struct audit_head){line->number, line->hash};
    reader->ended = reader->each && !reader->each(reader->context, line);
}

static enum err read_json(struct reader *reader, struct bytes bytes, json_t *json, struct why *why)
{
    struct hash previous;
    json_t *details = json_array_get(json, 4);
    bool good = json_array_size(json) == AUDIT_MEMBERS &&
                json_is_integer(json_array_get(json, 0)) &&
                json_integer_value(json_array_get(json, 0)) > 0 && json_is_object(details) &&
                strlen(text_at(json, 1)) == 24 && text_at(json, 2)[0] && text_at(json, 3)[0] &&
                hex_read(previous.at, sizeof previous.at, bytes_text(text_at(json, 5))) == OK;
    if (!good) {
        return refuse(reader, "is no line of an audit log", why);
    }
    char *text = json_dumps(details, JSON_COMPACT);
    BUG_ON(!text);
    struct audit_line line = {.number = (uint64_t)json_integer_value(json_array_get(json, 0)),
                              .time = text_at(json, 1),
                              .act = text_at(json, 2),
                              .who = text_at(json, 3),
                              .details = text,
                              .bytes = bytes};
    sha256(&line.hash, bytes);
    enum err err = check_order(reader, &line, &previous, why);
    if (err == OK) {
        take(reader, &line);
    }
    free(text);
    return err;
}

static enum err read_line(struct reader *reader, struct bytes bytes, struct why *why)
{
    reader->line++;
    if (bytes.at[bytes.len - 1] != '\n') {
        return refuse(reader, "is not finished", why);
    }
    json_t *json = json_loadb((const char *)bytes.at, bytes.len, JSON_REJECT_DUPLICATES, NULL);
    enum err err =
        json ? read_json(reader, bytes, json, why) : refuse(reader, "is no JSON array", why);
    json_decref(json);
    return err;
}

static enum err read_file(struct reader *reader, const char *path, struct why *why)
{
    struct buf file = {0};
    const char *slash = strrchr(path, '/');
    reader->name = slash ? slash + 1 : path;
    reader->line = 0;
    enum err err = file_read(&file, path, AUDIT_FILE_CAP, why);
    struct bytes rest = buf_bytes(&file);
    while (err == OK && rest.len > 0 && !reader->ended) {
        const uint8_t *end = memchr(rest.at, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.at) + 1 : rest.len;
        err = read_line(reader, (struct bytes){rest.at, len}, why);
        rest = (struct bytes){rest.at + len, rest.len - len};
    }
    buf_clear(&file);
    return err;
}

/* ---- a folder */

static int is_full_file(const struct dirent *entry)
{
    const char *name = entry->d_name;
    return strlen(name) == strlen("audit.000000000000.log") && strncmp(name, "audit.", 6) == 0 &&
           strspn(name + 6, "0123456789") == 12 && strcmp(name + 18, ".log") == 0;
}

int audit_full_files(const char *dir, struct dirent ***out)
{
    return scandir(dir, out, is_full_file, alphasort);
}

static enum err read_full_files(struct reader *reader, struct why *why)
{
    struct dirent **names;
    int count = audit_full_files(reader->dir, &names);
    if (count < 0) {
        return why_say(why, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "audit log", reader->dir,
                       NULL, "Give a ledger's folder, or a file.");
    }
    enum err err = OK;
    for (int i = 0; i < count; i++) {
        char *path = path_join(reader->dir, names[i]->d_name);
        err = err == OK && !reader->ended ? read_file(reader, path, why) : err;
        free(path);
        free(names[i]);
    }
    free(names);
    return err;
}

static enum err check_end(const struct reader *reader, struct why *why)
{
    struct audit_head head;
    char *path = path_join(reader->dir, AUDIT_HEAD);
    enum err err = audit_head_read(&head, path, why);
    free(path);
    TRY(err);
    const struct audit_report *report = reader->report;
    if (report->head.number < head.number) {
        return why_sayf(why, ERR_CORRUPT, AUDIT_LOG, "ends too early: lines were cut off", REMEDY,
                        "act %llu of %llu", (unsigned long long)report->head.number,
                        (unsigned long long)head.number);
    }
    /* A line more than the head knows is what a crash leaves between the two writes. */
    return report->head.number > head.number || hash_equal(&report->head.hash, &head.hash)
               ? OK
               : why_sayf(why, ERR_CORRUPT, AUDIT_LOG, "is not the line that audit.head knows",
                          REMEDY, "act %llu", (unsigned long long)head.number);
}

static enum err read_folder(struct reader *reader, struct why *why)
{
    TRY(read_full_files(reader, why));
    char *path = path_join(reader->dir, AUDIT_LOG);
    enum err err = reader->ended ? OK : read_file(reader, path, why);
    if (err == ERR_NOT_FOUND && reader->report->count > 0) {
        err = OK; /* what a crash leaves when a file was just closed; the head decides */
    }
    free(path);
    TRY(err);
    return reader->ended ? OK : check_end(reader, why);
}

enum err audit_read(const char *path, audit_line_fn *each, void *context,
                    struct audit_report *report, struct why *why)
{
    *report = (struct audit_report){0};
    struct reader reader = {.each = each, .context = context, .report = report};
    DIR *dir = opendir(path);
    if (!dir) {
        return read_file(&reader, path, why);
    }
    closedir(dir);
    reader.dir = path;
    return read_folder(&reader, why);
}
