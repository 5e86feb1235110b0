/* Streams that have told everything wait in one list a loop. Each of them stands at the head of the
 * time when it began to wait, so that the list is sorted by place, the longest waiting first; those
 * that were stopped in the middle of a long block stand before them. A commit is posted to the
 * loops; a loop wakes a part of its list at a time and posts the rest to itself, so that thousands
 * of streams leave room for requests between. */
#include "http/events.h"

#include "base/clock.h"
#include "http/api.h"
#include "http/news.h"
#include "http/problem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY     "retry: 2000\n"
#define COMMENT   ":\n\n"
#define SECOND_NS UINT64_C(1000000000)
/* Looked at once a second: a comment is at most 15 s after what came before it. */
#define QUIET_NS    (14 * SECOND_NS)
#define WAKE_MAX    256u
#define COMMENT_MAX 2048u
/* Then a stream ends, and whoever comes again is judged again. */
#define LIFE_NS (300 * SECOND_NS)

struct stream {
    struct exchange *exchange;
    struct streams *of;
    struct stream *previous; /* in the list, if it waits */
    struct stream *next;
    bool waits;
    bool quiet; /* a comment is due */
    bool more;  /* there is more to tell than was told */
    struct news_place place;
    uint64_t since_ns; /* it waits */
    uint64_t begun_ns;
    struct buf opening; /* what is told first */
    char member[MEMBER_ID_MAX + 1];
};

/* Of one loop; its thread's. */
struct streams {
    struct events *events;
    struct news *news;
    struct stream *first;
    struct stream *last;
};

struct events {
    struct node *node;
    pthread_mutex_t lock;
    struct server *server; /* NULL before it starts and once it stops; under `lock` */
    unsigned loop_count;
    struct streams loops[];
};

/* ---- the list */

static void list_remove(struct stream *stream)
{
    struct streams *of = stream->of;
    if (!stream->waits) {
        return;
    }
    *(stream->previous ? &stream->previous->next : &of->first) = stream->next;
    *(stream->next ? &stream->next->previous : &of->last) = stream->previous;
    stream->waits = false;
}

static void list_add(struct stream *stream)
{
    struct streams *of = stream->of;
    bool front = stream->more;
    stream->previous = front ? NULL : of->last;
    stream->next = front ? of->first : NULL;
    *(stream->previous ? &stream->previous->next : &of->first) = stream;
    *(stream->next ? &stream->next->previous : &of->last) = stream;
    stream->waits = true;
    stream->since_ns = clock_mono_ns();
}

static void wake(struct stream *stream)
{
    list_remove(stream);
    exchange_wake(stream->exchange);
}

/* ---- news */

static void post(struct events *events);

static bool has_news(const struct streams *streams, uint64_t head)
{
    return streams->first && (streams->first->more || streams->first->place.height <= head);
}

/* On a loop's thread. */
static void tell(void *context, void *argument, unsigned loop)
{
    (void)context;
    struct events *events = argument;
    struct streams *streams = &events->loops[loop];
    struct view *view = node_view(events->node);
    uint64_t head = view_header(view)->height;
    view_release(view);
    for (unsigned i = 0; i < WAKE_MAX && has_news(streams, head); i++) {
        wake(streams->first);
    }
    if (has_news(streams, head)) {
        post(events);
    }
}

static void every_second(void *context, void *argument, unsigned loop)
{
    (void)context;
    struct events *events = argument;
    struct streams *streams = &events->loops[loop];
    uint64_t now_ns = clock_mono_ns();
    for (unsigned i = 0; i < COMMENT_MAX && streams->first; i++) {
        struct stream *stream = streams->first;
        if (now_ns - stream->since_ns < QUIET_NS) {
            break;
        }
        stream->quiet = true;
        wake(stream);
    }
}

static void post(struct events *events)
{
    pthread_mutex_lock(&events->lock);
    if (events->server) {
        server_post(events->server, tell, events);
    }
    pthread_mutex_unlock(&events->lock);
}

/* On the orderer's thread. */
static void changed(void *context)
{
    post(context);
}

struct events *events_new(struct node *node, unsigned loops)
{
    struct events *events = mem_zalloc(sizeof *events + loops * sizeof events->loops[0]);
    events->node = node;
    events->loop_count = loops;
    pthread_mutex_init(&events->lock, NULL);
    for (unsigned i = 0; i < loops; i++) {
        events->loops[i] = (struct streams){.events = events, .news = news_new(node)};
    }
    node_watch(node, changed, events);
    return events;
}

void events_start(struct events *events, struct server *server)
{
    pthread_mutex_lock(&events->lock);
    events->server = server;
    pthread_mutex_unlock(&events->lock);
    server_every_second(server, every_second, events);
}

void events_stop(struct events *events)
{
    pthread_mutex_lock(&events->lock);
    events->server = NULL;
    pthread_mutex_unlock(&events->lock);
}

void events_free(struct events *events)
{
    node_unwatch(events->node, events);
    for (unsigned i = 0; i < events->loop_count; i++) {
        BUG_ON(events->loops[i].first);
        news_free(events->loops[i].news);
    }
    pthread_mutex_destroy(&events->lock);
    free(events);
}

/* ---- a stream */

static void stream_free(void *kept)
{
    struct stream *stream = kept;
    list_remove(stream);
    buf_clear(&stream->opening);
    free(stream);
}

static enum pull pull(void *context, struct exchange *exchange, struct buf *out)
{
    (void)context;
    struct stream *stream = exchange_kept(exchange);
    struct events *events = stream->of->events;
    list_remove(stream);
    buf_put(out, buf_bytes(&stream->opening));
    buf_clear(&stream->opening);
    struct view *view = node_view(events->node);
    enum err err =
        news_tell(stream->of->news, view, stream->member, &stream->place, out, &stream->more);
    view_release(view);
    if (err != OK) {
        return PULL_END; /* whoever comes again is told what is wrong, or goes on */
    }
    if (out->len == 0 && clock_mono_ns() - stream->begun_ns > LIFE_NS) {
        return PULL_END;
    }
    if (out->len == 0 && stream->quiet) {
        buf_put(out, bytes_text(COMMENT));
    }
    stream->quiet = false;
    if (out->len > 0) {
        return PULL_MORE;
    }
    list_add(stream);
    if (stream->more) {
        post(events);
    }
    return PULL_WAIT;
}

/* ---- where a stream begins */

/* Says that blocks are passed over, and that `next` is the first one told. */
static void put_gap(struct buf *out, const char *asked, const struct header *before)
{
    char data[256];
    buf_put(out, bytes_text("event: gap\nid: "));
    news_id_put(out, before);
    snprintf(data, sizeof data, "\ndata: {\"asked\":\"%s\",\"next\":%llu}\n\n", asked,
             (unsigned long long)before->height + 1);
    buf_put(out, bytes_text(data));
}

/* Whether the reader's last event is one of this ledger. */
static bool is_ours(const struct view *view, const struct news_id *id)
{
    struct header header;
    return id->height <= view_header(view)->height &&
           view_header_at(view, id->height, &header) == OK && header.epoch == id->epoch &&
           (!id->has_index || (id->index >= header.first_index && id->index < header.tree_size));
}

/* From the reader's last event on; where that can't be, from as far back as there may be told, and
 * it is said. `asked` was read into `id`. */
static enum err resume_at(struct stream *stream, const struct view *view, const char *asked,
                          const struct news_id *id)
{
    const struct header *head = view_header(view);
    struct header before = *head;
    bool ours = is_ours(view, id);
    if (ours && head->height - id->height <= EVENTS_REPLAY_MAX) {
        stream->place = id->has_index ? (struct news_place){id->height, id->index + 1}
                                      : (struct news_place){.height = id->height + 1};
        return OK;
    }
    if (ours) {
        TRY(view_header_at(view, head->height - EVENTS_REPLAY_MAX, &before));
    }
    put_gap(&stream->opening, asked, &before);
    stream->place.height = before.height + 1;
    return OK;
}

static enum err begin(struct stream *stream, const struct view *view, const char *asked,
                      struct why *why)
{
    struct news_id id;
    buf_put(&stream->opening, bytes_text(RETRY));
    if (!asked) {
        /* No event, but where to go on if the connection breaks before the first one. */
        buf_put(&stream->opening, bytes_text("id: "));
        news_id_put(&stream->opening, view_header(view));
        buf_put(&stream->opening, bytes_text("\n\n"));
        stream->place.height = view_header(view)->height + 1;
        return OK;
    }
    enum err err = news_id_read(&id, asked);
    if (err != OK) {
        return why_say(why, err, "Last-Event-ID", asked, "is not the id of an event",
                       "Send the id of the last event as it was, or none.");
    }
    buf_put(&stream->opening, bytes_text("\n"));
    err = resume_at(stream, view, asked, &id);
    return err == OK ? OK : why_say(why, err, "block", asked, NULL, "Ask the operator.");
}

void get_events(void *context, struct exchange *exchange)
{
    struct events *events = ((struct api *)context)->events;
    struct streams *streams = &events->loops[exchange_loop(exchange)];
    struct stream *stream = mem_zalloc(sizeof *stream);
    const char *asked = exchange_header(exchange, "Last-Event-ID");
    asked = asked ? asked : exchange_query(exchange, "after");
    stream->exchange = exchange;
    stream->of = streams;
    stream->begun_ns = clock_mono_ns();
    const struct reader *reader = access_member(exchange);
    if (reader) {
        snprintf(stream->member, sizeof stream->member, "%s", reader->member);
    }
    exchange_keep(exchange, stream, stream_free);
    struct why why = {0};
    struct view *view = node_view(events->node);
    enum err err = begin(stream, view, asked, &why);
    view_release(view);
    if (err != OK) {
        respond_problem(exchange, err, &why);
    } else if (exchange_stream(exchange, pull)) {
        struct response *response = exchange_response(exchange);
        response->status = 200;
        response->content_type = "text/event-stream";
        response_header(exchange, "X-Accel-Buffering", "no"); /* nginx would gather events */
    }
}
