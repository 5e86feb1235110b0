#include "http/news.h"

#include "http/render.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RING        16u  /* blocks that are kept rendered */
#define ENTRIES_MAX 128u /* looked at in one call */
#define BLOCKS_MAX  64u
#define ID_LEN_MAX  62u /* three numbers of 20 digits */

/* A block as streams tell it. */
struct told {
    bool used;
    uint64_t height;
    uint64_t epoch;
    uint64_t first; /* log indexes of its entries: first .. end - 1 */
    uint64_t end;
    struct buf text;      /* of the block's event */
    uint64_t *speakers;   /* per entry: a number made of the member that speaks */
    size_t speaker_count; /* of those that were looked at so far */
};

struct news {
    struct node *node;
    struct told ring[RING];
};

struct news *news_new(struct node *node)
{
    struct news *news = mem_zalloc(sizeof *news);
    news->node = node;
    return news;
}

static void told_clear(struct told *told)
{
    buf_clear(&told->text);
    free(told->speakers);
    *told = (struct told){0};
}

void news_free(struct news *news)
{
    if (news) {
        for (size_t i = 0; i < RING; i++) {
            told_clear(&news->ring[i]);
        }
        free(news);
    }
}

/* ---- places */

/* Takes a decimal number off the front. */
static bool number_take(uint64_t *out, const char **text)
{
    const char *at = *text;
    uint64_t value = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (value > (UINT64_MAX - 9) / 10) {
            return false;
        }
        value = 10 * value + (uint64_t)(*at - '0');
    }
    bool some = at > *text;
    *text = at;
    *out = value;
    return some;
}

enum err news_id_read(struct news_id *out, const char *text)
{
    *out = (struct news_id){0};
    if (strlen(text) > ID_LEN_MAX || !number_take(&out->epoch, &text) || *text++ != '.' ||
        !number_take(&out->height, &text)) {
        return ERR_FORMAT;
    }
    out->has_index = *text == '.';
    if (out->has_index) {
        text++;
        if (!number_take(&out->index, &text)) {
            return ERR_FORMAT;
        }
    }
    return *text == '\0' ? OK : ERR_FORMAT;
}

static void put_number(struct buf *out, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    buf_put(out, bytes_text(text));
}

static void put_place(struct buf *out, uint64_t epoch, uint64_t height)
{
    put_number(out, epoch);
    buf_put_byte(out, '.');
    put_number(out, height);
}

void news_id_put(struct buf *out, const struct header *header)
{
    put_place(out, header->epoch, header->height);
}

/* ---- events */

/* Ends an event whose id was put; releases the JSON. */
static void put_data(struct buf *out, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    BUG_ON(text == NULL);
    buf_put(out, bytes_text("\ndata: "));
    buf_put(out, bytes_text(text));
    buf_put(out, bytes_text("\n\n"));
    free(text);
    json_decref(json);
}

static enum err load(struct told *told, const struct view *view, uint64_t height)
{
    struct header header;
    told_clear(told);
    TRY(view_header_at(view, height, &header));
    told->used = true;
    told->height = height;
    told->epoch = header.epoch;
    told->first = header.first_index;
    told->end = header.tree_size;
    buf_put(&told->text, bytes_text("event: block\nid: "));
    news_id_put(&told->text, &header);
    put_data(&told->text, render_header(&header));
    return OK;
}

static enum err told_of(struct news *news, const struct view *view, uint64_t height,
                        struct told **out)
{
    *out = &news->ring[height % RING];
    return (*out)->used && (*out)->height == height ? OK : load(*out, view, height);
}

/* ---- whose statements */

/* FNV-1a: only chooses what is looked at twice. */
static uint64_t number_of(const char *member)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *member; member++) {
        hash = (hash ^ (uint8_t)*member) * 0x100000001b3u;
    }
    return hash;
}

/* Looks at the next entry of the block: whoever speaks there. */
static enum err look(struct news *news, const struct view *view, struct told *told)
{
    char member[MEMBER_ID_MAX + 1];
    if (!told->speakers) {
        told->speakers = mem_alloc((size_t)(told->end - told->first) * sizeof *told->speakers);
    }
    uint64_t index = told->first + told->speaker_count;
    enum err err = node_speaker(news->node, view, index, member);
    if (err != OK && err != ERR_NOT_FOUND) {
        return err;
    }
    told->speakers[told->speaker_count++] = err == OK ? number_of(member) : 0;
    return OK;
}

static enum err put_statement(struct news *news, const struct view *view, const struct told *told,
                              uint64_t index, struct buf *out)
{
    struct node_found found = {0};
    enum err err = node_at(news->node, view, index, &found);
    if (err == OK) {
        buf_put(out, bytes_text("event: statement\nid: "));
        put_place(out, told->epoch, told->height);
        buf_put_byte(out, '.');
        put_number(out, index);
        put_data(out, render_found(&found));
    }
    node_found_clear(&found);
    return err;
}

/* Who listens, and how much may still be done for it. */
struct listening {
    const char *member;
    struct news_place *place;
    struct buf *out;
    unsigned entries_left;
};

/* Whether the entry at `index` is the member's: by its number, and where that fits by its name. */
static enum err is_own(struct news *news, const struct view *view, struct told *told,
                       uint64_t index, const char *member, bool *own)
{
    *own = false;
    if (index - told->first >= told->speaker_count) {
        TRY(look(news, view, told));
    }
    if (told->speakers[index - told->first] != number_of(member)) {
        return OK;
    }
    char speaker[MEMBER_ID_MAX + 1];
    TRY(node_speaker(news->node, view, index, speaker));
    *own = strcmp(speaker, member) == 0;
    return OK;
}

/* The member's statements of one block, as far as may be done now. */
static enum err tell_statements(struct news *news, const struct view *view, struct told *told,
                                struct listening *to)
{
    struct news_place *place = to->place;
    uint64_t index = place->index > told->first ? place->index : told->first;
    for (; index < told->end && to->entries_left > 0 && to->out->len < NEWS_PART; index++) {
        bool own;
        to->entries_left--;
        TRY(is_own(news, view, told, index, to->member, &own));
        if (own) {
            TRY(put_statement(news, view, told, index, to->out));
        }
    }
    place->index = index;
    return OK;
}

enum err news_tell(struct news *news, const struct view *view, const char *member,
                   struct news_place *place, struct buf *out, bool *more)
{
    uint64_t head = view_header(view)->height;
    struct listening to = {member, place, out, ENTRIES_MAX};
    for (unsigned blocks = 0; place->height <= head && blocks < BLOCKS_MAX && out->len < NEWS_PART;
         blocks++) {
        struct told *told;
        TRY(told_of(news, view, place->height, &told));
        if (member[0]) {
            TRY(tell_statements(news, view, told, &to));
            if (place->index < told->end) {
                break;
            }
        }
        buf_put(out, buf_bytes(&told->text));
        *place = (struct news_place){.height = place->height + 1};
    }
    *more = place->height <= head;
    return OK;
}
