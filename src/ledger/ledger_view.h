/* What the files behind view.h share. */
#ifndef CAIRN_LEDGER_LEDGER_VIEW_H
#define CAIRN_LEDGER_LEDGER_VIEW_H

#include "ledger/ledger_keys.h"
#include "ledger/rules.h"
#include "ledger/statetree.h"
#include "ledger/tiletree.h"
#include "ledger/view.h"
#include "store/store.h"

struct view {
    uint64_t references; /* atomic */
    struct store *store;
    const struct rules *rules;
    struct snapshot *snapshot;
    struct header header;
    struct hash header_hash;
    struct buf header_bytes;
    struct tileview *log;
    struct tileview *history;
    struct statetree *state;
};

/* Appends a value as of the view. The second takes a missing one for damage. */
must_use enum err view_get(const struct view *view, enum family family, struct disk_key key,
                           struct buf *out);
must_use enum err view_get_known(const struct view *view, enum family family, struct disk_key key,
                                 struct buf *out);

/* The record that ledger_signer gives, and its kid. */
must_use enum err view_signer(const struct view *view, const struct statement *statement,
                              struct hash *kid, struct buf *record);

#endif
