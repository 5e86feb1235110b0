#include "cli/doctor/growth.h"

#include "base/clock.h"

#include <inttypes.h>

#define DAY_MS     ((uint64_t)86400000)
#define HOUR_MS    ((uint64_t)3600000)
#define WINDOW_MS  (7 * DAY_MS)
#define SOON_DAYS  30
#define LATER_DAYS 180

/* The last block at or before a time, or block 0. */
static enum err find_block(const struct growth_source *source, uint64_t time_ms,
                           struct growth_block *out)
{
    uint64_t low = 0;
    uint64_t high = source->height;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        TRY(source->block(source->context, middle, out));
        if (out->time_ms <= time_ms) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return source->block(source->context, low, out);
}

enum err growth_a_day(const struct growth_source *source, uint64_t *out)
{
    struct growth_block first;
    struct growth_block last;
    uint64_t now_ms = clock_wall_ms();
    TRY(source->block(source->context, source->height, &last));
    TRY(find_block(source, now_ms > WINDOW_MS ? now_ms - WINDOW_MS : 0, &first));
    if (now_ms < first.time_ms + HOUR_MS || last.size == 0) {
        return ERR_RANGE;
    }
    uint64_t begin_ms = now_ms - first.time_ms > WINDOW_MS ? now_ms - WINDOW_MS : first.time_ms;
    double an_entry = (double)source->used_len / (double)last.size;
    double days = (double)(now_ms - begin_ms) / (double)DAY_MS;
    *out = (uint64_t)((double)(last.size - first.size) * an_entry / days);
    return OK;
}

void growth_find(const struct growth_source *source, struct findings *findings)
{
    uint64_t a_day;
    enum err err = growth_a_day(source, &a_day);
    if (err == ERR_RANGE) {
        finding(findings, FINDING_NOTE, "growth", NULL,
                "the ledger is younger than an hour: no forecast");
        return;
    }
    if (err != OK) {
        finding(findings, FINDING_WARN, "growth", "Check the disk, or the connection.",
                "blocks can't be read: %s", err_text(err));
        return;
    }
    uint64_t days = a_day > 0 ? source->free_len / a_day : UINT64_MAX;
    if (days > 36500) {
        finding(findings, FINDING_OK, "growth", NULL,
                "%" PRIu64 " KiB a day; the disk lasts for more than a hundred years", a_day >> 10);
        return;
    }
    finding(findings,
            days < SOON_DAYS    ? FINDING_ERROR
            : days < LATER_DAYS ? FINDING_WARN
                                : FINDING_OK,
            "growth", days < LATER_DAYS ? "Enlarge the disk; a ledger never shrinks." : NULL,
            "%" PRIu64 " MiB a day; the disk is full in %" PRIu64 " days", a_day >> 20, days);
}
