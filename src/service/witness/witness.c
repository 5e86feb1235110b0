#include "service/witness/witness.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "service/peer/peer.h"
#include "service/witness/ask.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ANSWER_MAX  ((size_t)64 << 10)
#define CONNECT_S   5
#define REQUEST_S   10
#define RETRY_MAX_S 600u
#define TICK_MS     250
#define URL_MAX     1024
#define A_SECOND_NS UINT64_C(1000000000)
#define USER_AGENT  "cairn/" CAIRN_VERSION
#define PROBLEM_MAX 96
#define HTTP_OK     200
#define HTTP_BEHIND 409 /* with the size that it has */

struct target {
    char *url; /* of its add-checkpoint */
    char *vkey;
    struct note_key key; /* borrows from vkey */
    uint64_t size;       /* of our log, as far as the witness is known to have seen it */
    struct hash done;    /* header hash of the head that it cosigned last */
    uint64_t not_before_ns;
    unsigned failures;         /* in a row */
    char problem[PROBLEM_MAX]; /* what was logged last; empty while all is well */

    CURL *curl;
    struct peer peer; /* where the URL is an https one */
    bool asking;
    bool asked_again;
    struct buf request;
    struct buf answer;
};

struct witnesses {
    struct node *node;
    uint64_t interval_ns;
    struct curl_slist *headers;
    struct peer_trust *trust; /* NULL where no URL is an https one */
    CURLM *multi;
    pthread_t thread;
    atomic_bool stopping;
    pthread_mutex_t lock; /* only so that the end is not slept through */
    pthread_cond_t wake;
    size_t count;
    struct target targets[WITNESSES_MAX];
};

/* One head that is being shown to witnesses. */
struct round {
    struct witnesses *witnesses;
    struct view *view;
    struct buf checkpoint; /* what they sign */
    struct buf note;       /* the same with our signature */
};

/* ---- targets */

static enum err refuse(struct why *why, enum err err, const char *target, const char *problem)
{
    return why_say(why, err, "witness", target, problem,
                   "Write it as " WITNESS_TARGET_FORM ", as the witness publishes them.");
}

/* Splits and checks; *key borrows from the target. */
static enum err target_parse(struct bytes *url, struct note_key *key, const char *target,
                             struct why *why)
{
    const char *blank = strchr(target, ' ');
    bool is_http = strncmp(target, "https://", 8) == 0 || strncmp(target, "http://", 7) == 0;
    if (!blank || !is_http || strchr(blank + 1, ' ')) {
        return refuse(why, ERR_FORMAT, target, "is not a URL, a blank and a vkey");
    }
    *url = (struct bytes){(const uint8_t *)target, (size_t)(blank - target)};
    while (url->at[url->len - 1] == '/') {
        url->len--;
    }
    if (url->len > URL_MAX) {
        return refuse(why, ERR_RANGE, target, "has a URL of more than 1,024 bytes");
    }
    enum err err = note_key_parse(key, bytes_text(blank + 1));
    if (err != OK) {
        return refuse(why, err, target, "has a vkey that can't be read");
    }
    return key->type == NOTE_COSIGNATURE
               ? OK
               : refuse(why, ERR_KEY, target, "has the vkey of a log, not of a witness");
}

enum err witness_target_check(const char *target, struct why *why)
{
    struct bytes url;
    struct note_key key;
    return target_parse(&url, &key, target, why);
}

static enum err target_init(struct target *target, const char *text, struct why *why)
{
    struct bytes url = BYTES_NONE;
    struct note_key key;
    TRY(target_parse(&url, &key, text, why));
    size_t cap = url.len + sizeof "/add-checkpoint";
    target->url = mem_alloc(cap);
    snprintf(target->url, cap, "%.*s/add-checkpoint", (int)url.len, (const char *)url.at);
    target->vkey = mem_strdup(strchr(text, ' ') + 1);
    return note_key_parse(&target->key, bytes_text(target->vkey));
}

/* ---- what came of asking */

static void succeed(struct round *round, struct target *target)
{
    if (target->problem[0] || hash_is_zero(&target->done)) {
        log_event(LOG_INFO, "witness.cosigned", "witness=%.*s size=%" PRIu64,
                  (int)target->key.name.len, (const char *)target->key.name.at,
                  view_header(round->view)->tree_size);
    }
    target->problem[0] = '\0';
    target->failures = 0;
    target->size = view_header(round->view)->tree_size;
    target->done = *view_header_hash(round->view);
    target->not_before_ns = clock_mono_ns() + round->witnesses->interval_ns;
}

/* The same problem is said once until something else comes of it. */
static void fail(struct round *round, struct target *target, const char *problem)
{
    metric_add(METRIC_SERVICE_WITNESS_FAILURES, 0, 1);
    if (strcmp(target->problem, problem) != 0) {
        log_event(LOG_WARN, "witness.failed", "witness=%.*s reason=\"%s\"",
                  (int)target->key.name.len, (const char *)target->key.name.at, problem);
        snprintf(target->problem, sizeof target->problem, "%s", problem);
    }
    uint64_t wait_ns = round->witnesses->interval_ns
                       << (target->failures < 16 ? target->failures : 16);
    uint64_t most_ns = RETRY_MAX_S * A_SECOND_NS;
    target->failures++;
    target->not_before_ns = clock_mono_ns() + (wait_ns < most_ns ? wait_ns : most_ns);
}

static void take_line(struct round *round, struct target *target)
{
    struct buf line = {0};
    struct why why = {0};
    enum err err = ask_line_take(&line, buf_bytes(&target->answer), &target->key,
                                 buf_bytes(&round->checkpoint));
    if (err != OK) {
        fail(round, target,
             err == ERR_SIGNATURE   ? "its cosignature is false"
             : err == ERR_NOT_FOUND ? "its answer has no line of the configured key"
                                    : "its answer can't be read");
    } else if (node_add_notes(round->witnesses->node, round->view, buf_bytes(&line), &why) != OK) {
        fail(round, target, "its cosignature could not be stored");
    } else {
        succeed(round, target);
    }
    buf_clear(&line);
}

static bool ask(struct round *round, struct target *target);

/* A witness that has another size than was thought is asked once more, from there. */
static void take_size(struct round *round, struct target *target)
{
    uint64_t size;
    uint64_t ours = view_header(round->view)->tree_size;
    if (ask_size_parse(&size, buf_bytes(&target->answer)) != OK) {
        fail(round, target, "its answer can't be read");
    } else if (size > ours) {
        fail(round, target, "it has seen a longer log than this one: is history lost?");
    } else if (target->asked_again) {
        fail(round, target, "it has seen another log of this name: is there a fork?");
    } else {
        target->asked_again = true;
        target->size = size;
        if (!ask(round, target)) {
            fail(round, target, "no path leads from what it has seen");
        }
    }
}

static void judge(struct round *round, struct target *target, CURLcode code)
{
    long status = 0;
    char problem[PROBLEM_MAX];
    curl_easy_getinfo(target->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK && target->peer.err != OK) {
        why_print(&target->peer.why, target->peer.err, problem, sizeof problem);
        fail(round, target, problem);
    } else if (code != CURLE_OK) {
        snprintf(problem, sizeof problem, "%s",
                 code == CURLE_WRITE_ERROR ? "its answer is too long" : curl_easy_strerror(code));
        fail(round, target, problem);
    } else if (status == HTTP_OK) {
        take_line(round, target);
    } else if (status == HTTP_BEHIND) {
        take_size(round, target);
    } else {
        snprintf(problem, sizeof problem, "it answered %ld%s", status,
                 status == 404   ? ": it does not know this log"
                 : status == 403 ? ": it does not know this log's key"
                 : status == 422 ? ": the path to this head does not convince it"
                                 : "");
        fail(round, target, problem);
    }
}

/* ---- asking */

static size_t take(char *at, size_t size, size_t count, void *context)
{
    struct target *target = context;
    size_t len = size * count;
    if (len > ANSWER_MAX - target->answer.len) {
        return 0;
    }
    buf_put(&target->answer, (struct bytes){(const uint8_t *)at, len});
    return len;
}

static void prepare(struct witnesses *witnesses, struct target *target)
{
    CURL *curl = target->curl;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, target->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, witnesses->headers);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)REQUEST_S);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)target->request.len);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, target->request.at);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, target);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, target);
    if (target->peer.trust) {
        peer_apply(&target->peer, curl);
    }
}

/* Starts a request; false if the log can't lead on from what the witness has. */
static bool ask(struct round *round, struct target *target)
{
    struct path path = {0};
    uint64_t size = view_header(round->view)->tree_size;
    if (target->size > 0 && target->size < size &&
        view_log_consistency(round->view, target->size, size, &path) != OK) {
        return false;
    }
    target->request.len = 0;
    target->answer.len = 0;
    ask_write(&target->request, target->size, &path, buf_bytes(&round->note));
    prepare(round->witnesses, target);
    target->asking = curl_multi_add_handle(round->witnesses->multi, target->curl) == CURLM_OK;
    return target->asking;
}

/* Judges what has been answered; requests that follow from that are under way. */
static void take_answers(struct round *round)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(round->witnesses->multi, &left)) != NULL) {
        struct target *target = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&target);
        curl_multi_remove_handle(round->witnesses->multi, target->curl);
        target->asking = false;
        judge(round, target, code);
    }
}

static bool is_asking(const struct witnesses *witnesses)
{
    for (size_t i = 0; i < witnesses->count; i++) {
        if (witnesses->targets[i].asking) {
            return true;
        }
    }
    return false;
}

static void run_round(struct round *round)
{
    struct witnesses *witnesses = round->witnesses;
    while (is_asking(witnesses) && !atomic_load(&witnesses->stopping)) {
        int running;
        CURLMcode code = curl_multi_perform(witnesses->multi, &running);
        take_answers(round);
        if (code == CURLM_OK && is_asking(witnesses)) {
            code = curl_multi_poll(witnesses->multi, NULL, 0, 1000, NULL);
        }
        BUG_ON(code != CURLM_OK);
    }
    for (size_t i = 0; i < witnesses->count; i++) {
        struct target *target = &witnesses->targets[i];
        if (target->asking) {
            curl_multi_remove_handle(witnesses->multi, target->curl);
            target->asking = false;
        }
    }
}

/* ---- the thread */

static bool is_due(const struct target *target, const struct view *view)
{
    return !hash_equal(&target->done, view_header_hash(view)) &&
           clock_mono_ns() >= target->not_before_ns;
}

static void ask_due(struct round *round)
{
    struct witnesses *witnesses = round->witnesses;
    struct why why = {0};
    enum err err = node_checkpoint(witnesses->node, round->view, &round->note, &why);
    checkpoint_write(&round->checkpoint, node_ledger_name(witnesses->node),
                     view_header(round->view));
    for (size_t i = 0; i < witnesses->count; i++) {
        struct target *target = &witnesses->targets[i];
        target->asked_again = false;
        if (!is_due(target, round->view)) {
            continue;
        }
        if (err != OK) {
            fail(round, target, "the node can't sign the checkpoint");
        } else if (!ask(round, target)) {
            fail(round, target, "no path leads from what it has seen");
        }
    }
}

/* Shows the newest head to the witnesses whose turn it is. */
static void show_head(struct witnesses *witnesses)
{
    struct round round = {.witnesses = witnesses, .view = node_view(witnesses->node)};
    size_t due = 0;
    for (size_t i = 0; i < witnesses->count; i++) {
        due += is_due(&witnesses->targets[i], round.view);
    }
    if (due > 0) {
        ask_due(&round);
        run_round(&round);
    }
    view_release(round.view);
    buf_clear(&round.checkpoint);
    buf_clear(&round.note);
}

static void wait_a_tick(struct witnesses *witnesses)
{
    struct timespec until;
    timespec_get(&until, TIME_UTC);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / (long)A_SECOND_NS;
    until.tv_nsec %= (long)A_SECOND_NS;
    pthread_mutex_lock(&witnesses->lock);
    if (!atomic_load(&witnesses->stopping)) {
        pthread_cond_timedwait(&witnesses->wake, &witnesses->lock, &until);
    }
    pthread_mutex_unlock(&witnesses->lock);
}

static void *run(void *context)
{
    struct witnesses *witnesses = context;
    while (!atomic_load(&witnesses->stopping)) {
        show_head(witnesses);
        wait_a_tick(witnesses);
    }
    return NULL;
}

static void release(struct witnesses *witnesses)
{
    for (size_t i = 0; i < witnesses->count; i++) {
        struct target *target = &witnesses->targets[i];
        curl_easy_cleanup(target->curl);
        buf_clear(&target->request);
        buf_clear(&target->answer);
        free(target->url);
        free(target->vkey);
    }
    peer_trust_free(witnesses->trust);
    curl_multi_cleanup(witnesses->multi);
    curl_slist_free_all(witnesses->headers);
    pthread_cond_destroy(&witnesses->wake);
    pthread_mutex_destroy(&witnesses->lock);
    free(witnesses);
}

static enum err fill(struct witnesses *witnesses, const struct witness_options *options,
                     struct why *why)
{
    struct buf vkey = {0};
    enum err err = node_checkpoint_key(options->node, &vkey, why);
    buf_clear(&vkey);
    TRY(err);
    if (options->count < 1 || options->count > WITNESSES_MAX) {
        return why_sayf(why, ERR_RANGE, "witness", "is too many", "Name at most 16 witnesses.",
                        "%zu", options->count);
    }
    for (size_t i = 0; i < options->count; i++) {
        struct target *target = &witnesses->targets[witnesses->count++];
        target->curl = curl_easy_init();
        BUG_ON(target->curl == NULL);
        TRY(target_init(target, options->targets[i], why));
        if (peer_is_tls(target->url) && !witnesses->trust) {
            TRY(peer_trust_open(&witnesses->trust, NULL, why));
        }
        if (peer_is_tls(target->url)) {
            TRY(peer_init(&target->peer, witnesses->trust, target->url, why));
        }
    }
    return OK;
}

enum err witness_start(struct witnesses **out, const struct witness_options *options,
                       struct why *why)
{
    struct witnesses *witnesses = mem_zalloc(sizeof *witnesses);
    unsigned interval_s = options->interval_s ? options->interval_s : WITNESS_INTERVAL_S;
    *out = NULL;
    BUG_ON(curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK);
    witnesses->node = options->node;
    witnesses->interval_ns = interval_s * A_SECOND_NS;
    witnesses->multi = curl_multi_init();
    witnesses->headers = curl_slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
    BUG_ON(witnesses->multi == NULL || witnesses->headers == NULL);
    pthread_mutex_init(&witnesses->lock, NULL);
    pthread_cond_init(&witnesses->wake, NULL);
    enum err err = fill(witnesses, options, why);
    if (err == OK && pthread_create(&witnesses->thread, NULL, run, witnesses) != 0) {
        err = why_say(why, ERR_IO, "witness", NULL, "has no thread", "Free memory.");
    }
    if (err != OK) {
        release(witnesses);
        return err;
    }
    *out = witnesses;
    return OK;
}

void witness_stop(struct witnesses *witnesses)
{
    if (!witnesses) {
        return;
    }
    pthread_mutex_lock(&witnesses->lock);
    atomic_store(&witnesses->stopping, true);
    pthread_cond_signal(&witnesses->wake);
    pthread_mutex_unlock(&witnesses->lock);
    curl_multi_wakeup(witnesses->multi);
    pthread_join(witnesses->thread, NULL);
    release(witnesses);
}
