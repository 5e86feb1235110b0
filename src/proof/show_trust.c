#include "proof/show.h"

#include <inttypes.h>

static void show_ended(struct show *show, bool has_ended, uint64_t ended_ms)
{
    if (has_ended) {
        show_time(show, "ended at", ended_ms);
    }
}

static const char *status_name(enum key_status status)
{
    switch (status) {
    case KEY_IN_FORCE:
        return "in force";
    case KEY_ROTATED:
        return "rotated";
    case KEY_STOLEN:
        return "stolen";
    }
    return "unknown";
}

static void show_key(struct show *show, const struct receipt_key *key)
{
    show_title(show, "receipt key");
    show->depth++;
    show_text(show, "node", key->node);
    show_hash(show, "kid", pubkey_kid(key->key));
    show_hex(show, "public key", key->spki);
    show_format(show, "from", "epoch %" PRIu64 ", height %" PRIu64, key->from.epoch,
                key->from.height);
    if (key->has_to) {
        show_format(show, "to", "epoch %" PRIu64 ", height %" PRIu64, key->to.epoch,
                    key->to.height);
    }
    show_ended(show, key->has_ended, key->ended_ms);
    show_format(show, "status", "%s", status_name(key->status));
    show->depth--;
}

static void show_range(struct show *show, const struct comet_range *range)
{
    show_title(show, "validators from CometBFT height %" PRIu64, range->from);
    show->depth++;
    if (range->has_to) {
        show_number(show, "to CometBFT height", range->to);
    }
    show_ended(show, range->has_ended, range->ended_ms);
    for (size_t i = 0; i < range->set.count; i++) {
        show_format(show, "power", "%" PRIu64, range->set.at[i].power);
        show_hash(show, "key", &range->set.at[i].key);
    }
    show->depth--;
}

static void show_regime(struct show *show, const struct trust_regime *regime)
{
    show_title(show, "regime from height %" PRIu64 ": %s", regime->from,
               regime->comet ? "a consortium" : "one operator");
    show->depth++;
    if (regime->comet) {
        show_text(show, "CometBFT chain id", regime->comet_chain);
    }
    for (size_t i = 0; i < regime->range_count; i++) {
        show_range(show, &regime->ranges[i]);
    }
    for (size_t i = 0; i < regime->key_count; i++) {
        show_key(show, &regime->keys[i]);
    }
    show->depth--;
}

void show_trust(struct show *show, const struct trust *trust)
{
    show_text(show, "name", trust->name);
    show_hash(show, "chain id", &trust->chain);
    for (size_t i = 0; i < trust->regime_count; i++) {
        show_regime(show, &trust->regimes[i]);
    }
    for (size_t i = 0; i < trust->head_count; i++) {
        const struct head *head = &trust->heads[i];
        show_title(show, "head of epoch %" PRIu64 ", height %" PRIu64 "%s", head->place.epoch,
                   head->place.height, head->lost ? ", lost" : "");
        show->depth++;
        show_hash(show, "header hash", &head->hash);
        show_number(show, "tree size", head->size);
        show_hash(show, "tree root", &head->root);
        show->depth--;
    }
    for (size_t i = 0; i < trust->authority_count; i++) {
        show_hex(show, "time authority", trust->authorities[i]);
    }
    for (size_t i = 0; i < trust->witness_count; i++) {
        show_text(show, "witness", trust->witnesses[i]);
    }
}
