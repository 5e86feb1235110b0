#include "service/audit/deposits.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "codec/text.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "proof/deposit.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_S          10u
#define RETRY_MS        600000u
#define VALID_MS        600000u
#define DAY_MS          86400000u
#define DEPOSITS_MAX    ((size_t)16 << 20) /* bytes of AUDIT_DEPOSITS: a century of days */
#define NANOS_A_SECOND  1000000000u
#define DEPOSIT_MEMBERS 5u

/* Places in the label of METRIC_AUDIT_DEPOSITS. */
enum { RESULT_MADE, RESULT_FAILED };

struct audit_deposits {
    struct node *node;
    char *path;
    struct signer *key;
    uint64_t (*wall_ms)(void);
    struct audit_deposit last;
    uint64_t retry_ns; /* monotonic; before it nothing is tried. 0: at once */
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    bool stopping;
    bool answered;
    struct node_answer answer;
};

bool audit_deposit_due(const struct audit_deposit *last, const struct audit_head *head,
                       uint64_t now_ms)
{
    bool changed = head->number > 0 && (head->number != last->head.number ||
                                        !hash_equal(&head->hash, &last->head.hash));
    return changed && now_ms / DAY_MS > last->time_ms / DAY_MS;
}

/* ---- what was deposited before */

static enum err parse_line(struct audit_deposit *out, struct bytes line)
{
    json_t *json = json_loadb((const char *)line.at, line.len, JSON_REJECT_DUPLICATES, NULL);
    const char *hash = json_string_value(json_array_get(json, 1));
    bool good = json_array_size(json) == DEPOSIT_MEMBERS &&
                json_is_integer(json_array_get(json, 0)) &&
                json_is_integer(json_array_get(json, 2)) && hash &&
                hex_read(out->head.hash.at, sizeof out->head.hash.at, bytes_text(hash)) == OK;
    out->head.number = (uint64_t)json_integer_value(json_array_get(json, 0));
    out->time_ms = (uint64_t)json_integer_value(json_array_get(json, 2));
    json_decref(json);
    return good ? OK : ERR_CORRUPT;
}

/* The last line that is finished. */
static struct bytes last_line(struct bytes text)
{
    while (text.len > 0 && text.at[text.len - 1] != '\n') {
        text.len--;
    }
    size_t from = text.len > 0 ? text.len - 1 : 0;
    while (from > 0 && text.at[from - 1] != '\n') {
        from--;
    }
    return (struct bytes){text.at + from, text.len - from};
}

static enum err read_genesis_time(struct audit_deposits *deposits)
{
    struct header header;
    struct view *view = node_view(deposits->node);
    enum err err = view_header_at(view, 0, &header);
    if (err == OK) {
        deposits->last.time_ms = header.time_ms;
    }
    view_release(view);
    return err;
}

static enum err read_last(struct audit_deposits *deposits, struct why *why)
{
    struct buf text = {0};
    enum err err = file_read(&text, deposits->path, DEPOSITS_MAX, why);
    struct bytes line = last_line(buf_bytes(&text));
    if (err == OK && line.len > 0) {
        err = parse_line(&deposits->last, line);
        metric_set(METRIC_AUDIT_DEPOSITED, 0, deposits->last.time_ms);
    } else if (err == OK || err == ERR_NOT_FOUND) {
        err = read_genesis_time(deposits);
    }
    buf_clear(&text);
    return err == OK ? OK
                     : why_say(why, err, AUDIT_DEPOSITS, deposits->path, NULL,
                               "Move it away: then the log is deposited once more.");
}

static enum err append_line(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) {
        return ERR_IO;
    }
    size_t len = strlen(text);
    bool good = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    close(fd);
    return good ? OK : ERR_IO;
}

static void note_made(struct audit_deposits *deposits, const struct audit_head *head)
{
    char hash[65];
    char statement[65];
    char line[256];
    deposits->last = (struct audit_deposit){deposits->wall_ms(), *head};
    hex_write(hash, hash_bytes(&head->hash));
    hex_write(statement, hash_bytes(&deposits->answer.id));
    snprintf(line, sizeof line, "[%llu,\"%s\",%llu,\"%s\",%llu]\n",
             (unsigned long long)head->number, hash, (unsigned long long)deposits->last.time_ms,
             statement, (unsigned long long)deposits->answer.index);
    metric_add(METRIC_AUDIT_DEPOSITS, RESULT_MADE, 1);
    metric_set(METRIC_AUDIT_DEPOSITED, 0, deposits->last.time_ms);
    log_event(LOG_INFO, "audit.deposited", "act=%llu statement=%s index=%llu",
              (unsigned long long)head->number, statement,
              (unsigned long long)deposits->answer.index);
    if (append_line(deposits->path, line) != OK) {
        log_event(LOG_WARN, "audit.deposit_unnoted", "path=\"%s\"", deposits->path);
    }
}

/* ---- one deposit */

/* The one item: the line as plain content. Appends its encoding; returns the root of its tree. */
static struct hash item_of(struct buf *out, struct bytes line)
{
    struct item item = {.form = ITEM_PLAIN,
                        .has_size = true,
                        .size = line.len,
                        .media_type = bytes_text("application/json")};
    struct hash root;
    sha256(&item.sha256, line);
    sm3(&item.sm3, line);
    item_write(out, &item);
    leaf_hash(&root, buf_bytes(out));
    return root;
}

/* Signs the deposit and puts the item where POST /v1/statements has it. */
static enum err write_statement(const struct audit_deposits *deposits, const char *member,
                                struct bytes line, struct buf *out)
{
    struct buf items = {0};
    struct buf payload = {0};
    struct buf entry = {0};
    struct buf unprotected = {0};
    uint8_t nonce[16];
    struct deposit deposit = {
        .items_root = item_of(&items, line), .count = 1, .category = bytes_text("audit")};
    deposit_write(&payload, &deposit);
    random_bytes(nonce, sizeof nonce);
    uint64_t now_ms = clock_wall_ms();
    struct draft draft = {.content_type = DEPOSIT_TYPE,
                          .iss = bytes_text(member),
                          .sub = bytes_text("audit log"),
                          .iat = now_ms / 1000,
                          .chain = *node_chain(deposits->node),
                          .valid_until = now_ms + VALID_MS,
                          .nonce16 = nonce,
                          .payload = buf_bytes(&payload)};
    enum err err = statement_sign(&entry, &draft, deposits->key);
    struct sign1 sign1;
    if (err == OK) {
        err = sign1_parse(&sign1, buf_bytes(&entry));
    }
    if (err == OK) {
        cbor_put_map(&unprotected, 1);
        cbor_put_int(&unprotected, LABEL_ITEMS);
        cbor_put_bytes(&unprotected, buf_bytes(&items));
        sign1.unprotected = buf_bytes(&unprotected);
        sign1_write(out, &sign1);
    }
    buf_clear(&items);
    buf_clear(&payload);
    buf_clear(&entry);
    buf_clear(&unprotected);
    return err;
}

static void take_answer(void *context, struct node_answers *answers)
{
    struct audit_deposits *deposits = context;
    pthread_mutex_lock(&deposits->lock);
    deposits->answer = answers->at[0];
    deposits->answered = true;
    pthread_cond_signal(&deposits->wake);
    pthread_mutex_unlock(&deposits->lock);
    free(answers);
}

/* The node answers every statement, at the latest when it stops writing. */
static enum err submit(struct audit_deposits *deposits, struct bytes statement, struct why *why)
{
    deposits->answered = false;
    TRY(node_submit(deposits->node, statement, true, take_answer, deposits, why));
    pthread_mutex_lock(&deposits->lock);
    while (!deposits->answered) {
        pthread_cond_wait(&deposits->wake, &deposits->lock);
    }
    pthread_mutex_unlock(&deposits->lock);
    *why = deposits->answer.why;
    return deposits->answer.err;
}

static bool deposit(struct audit_deposits *deposits, const struct audit_head *head,
                    struct bytes line)
{
    struct buf statement = {0};
    struct why why = {0};
    char member[MEMBER_ID_MAX + 1];
    const struct hash *kid = pubkey_kid(signer_pubkey(deposits->key));
    enum err err = node_key_member(deposits->node, kid, member, &why);
    if (err == OK) {
        err = write_statement(deposits, member, line, &statement);
        if (err != OK) {
            signer_explain(deposits->key, err, &why);
        } else {
            err = submit(deposits, buf_bytes(&statement), &why);
        }
    }
    buf_clear(&statement);
    if (err == OK) {
        note_made(deposits, head);
        return true;
    }
    metric_add(METRIC_AUDIT_DEPOSITS, RESULT_FAILED, 1);
    log_event(
        LOG_WARN, "audit.deposit_failed",
        "err=%s field=\"%s\" problem=\"%s\" remedy=\"'cairn audit enable' registers the key\"",
        err_name(err), why.field, why.problem);
    deposits->retry_ns = clock_mono_ns() + (uint64_t)RETRY_MS * 1000000u;
    return false;
}

bool audit_deposits_check(struct audit_deposits *deposits)
{
    struct audit_head head;
    struct buf line = {0};
    if (clock_mono_ns() < deposits->retry_ns) {
        return false;
    }
    bool made = audit_last(node_audit(deposits->node), &head, &line) == OK &&
                audit_deposit_due(&deposits->last, &head, deposits->wall_ms()) &&
                deposit(deposits, &head, buf_bytes(&line));
    buf_clear(&line);
    return made;
}

/* ---- the thread */

static bool wait_a_while(struct audit_deposits *deposits)
{
    struct timespec until;
    uint64_t at_ns = clock_mono_ns() + (uint64_t)LOOK_S * NANOS_A_SECOND;
    until.tv_sec = (time_t)(at_ns / NANOS_A_SECOND);
    until.tv_nsec = (long)(at_ns % NANOS_A_SECOND);
    pthread_mutex_lock(&deposits->lock);
    while (!deposits->stopping && clock_mono_ns() < at_ns) {
        pthread_cond_timedwait(&deposits->wake, &deposits->lock, &until);
    }
    bool go_on = !deposits->stopping;
    pthread_mutex_unlock(&deposits->lock);
    return go_on;
}

static void *run(void *context)
{
    struct audit_deposits *deposits = context;
    do {
        audit_deposits_check(deposits);
    } while (wait_a_while(deposits));
    return NULL;
}

enum err audit_deposits_new(struct audit_deposits **out,
                            const struct audit_deposits_options *options, struct why *why)
{
    struct audit_deposits *deposits = mem_zalloc(sizeof *deposits);
    pthread_condattr_t monotonic;
    deposits->node = options->node;
    deposits->key = options->key;
    deposits->wall_ms = options->wall_ms ? options->wall_ms : clock_wall_ms;
    deposits->path = path_join(options->dir, AUDIT_DEPOSITS);
    pthread_mutex_init(&deposits->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&deposits->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    enum err err = read_last(deposits, why);
    if (err != OK) {
        audit_deposits_free(deposits);
        deposits = NULL;
    }
    *out = deposits;
    return err;
}

enum err audit_deposits_start(struct audit_deposits *deposits, struct why *why)
{
    deposits->has_thread = pthread_create(&deposits->thread, NULL, run, deposits) == 0;
    return deposits->has_thread
               ? OK
               : why_say(why, ERR_IO, "audit log", NULL, "has no thread", "Free memory.");
}

void audit_deposits_free(struct audit_deposits *deposits)
{
    if (!deposits) {
        return;
    }
    if (deposits->has_thread) {
        pthread_mutex_lock(&deposits->lock);
        deposits->stopping = true;
        pthread_cond_signal(&deposits->wake);
        pthread_mutex_unlock(&deposits->lock);
        pthread_join(deposits->thread, NULL);
    }
    pthread_cond_destroy(&deposits->wake);
    pthread_mutex_destroy(&deposits->lock);
    signer_free(deposits->key);
    free(deposits->path);
    free(deposits);
}
