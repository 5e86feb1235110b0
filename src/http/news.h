/* What event streams tell (docs/protocol.md 8), rendered once for all streams of a loop.
 *
 * A place in the stream is "EPOCH.HEIGHT", everything of that block was told, or
 * "EPOCH.HEIGHT.INDEX", within the block everything up to that log index was. */
#ifndef CAIRN_HTTP_NEWS_H
#define CAIRN_HTTP_NEWS_H

#include "node/node.h"

/* Where a stream goes on. */
struct news_place {
    uint64_t height;
    uint64_t index; /* the first log index of that block that was not told; 0: all of it */
};

/* What a reader remembers of the last event. */
struct news_id {
    uint64_t epoch;
    uint64_t height;
    bool has_index;
    uint64_t index;
};
/* ERR_FORMAT for anything but a place. */
must_use enum err news_id_read(struct news_id *out, const char *text);
/* Appends a place: "0.17". */
void news_id_put(struct buf *out, const struct header *header);

/* The newest blocks of a loop, rendered. One thread. */
struct news;
struct news *news_new(struct node *node);
void news_free(struct news *news);

/* Appends what a stream has not told yet, up to the head of `view`, and moves `place` on: at most
 * about NEWS_PART bytes, and no longer than a few milliseconds. With `member` ("": nobody) its
 * statements are told too, before the block that holds them. *more: there is more, whether or not
 * something was appended. */
#define NEWS_PART 8192u
must_use enum err news_tell(struct news *news, const struct view *view, const char *member,
                            struct news_place *place, struct buf *out, bool *more);

#endif
