#include "proof/trust.h"

#include <stdlib.h>

int place_compare(struct place a, struct place b)
{
    if (a.epoch != b.epoch) {
        return a.epoch < b.epoch ? -1 : 1;
    }
    return a.height < b.height ? -1 : a.height > b.height;
}

struct place header_place(const struct header *header)
{
    return (struct place){header->epoch, header->height};
}

static struct place place_read(struct cbor_reader *reader)
{
    struct place place;
    cbor_array(reader, 2, 2);
    place.epoch = cbor_uint(reader);
    place.height = cbor_uint(reader);
    return place;
}

static void receipt_key_read(struct cbor_reader *reader, struct receipt_key *out)
{
    cbor_array(reader, 6, 6);
    out->spki = cbor_bytes(reader, 1, SPKI_MAX);
    if (reader->err == OK) {
        cbor_fail(reader, pubkey_parse(&out->key, out->spki));
    }
    out->node = cbor_text(reader, 1, NODE_NAME_MAX);
    out->from = place_read(reader);
    out->has_to = !cbor_null(reader);
    if (out->has_to) {
        out->to = place_read(reader);
    }
    out->has_ended = !cbor_null(reader);
    if (out->has_ended) {
        out->ended_ms = cbor_uint(reader);
    }
    if (cbor_null(reader)) {
        out->status = KEY_IN_FORCE;
    } else {
        out->status = cbor_uint_max(reader, 1) == 0 ? KEY_ROTATED : KEY_STOLEN;
    }
}

size_t trust_room(size_t count)
{
    size_t room = 8;
    while (room <= count) {
        room *= 2;
    }
    return room;
}

static void keys_read(struct cbor_reader *reader, struct trust_regime *out, struct arena *arena)
{
    size_t count = cbor_array(reader, out->comet ? 0 : 1, TRUST_KEYS_MAX);
    out->keys = arena_array(arena, trust_room(count), sizeof *out->keys);
    for (size_t i = 0; i < count && reader->err == OK; i++) {
        out->key_count = i + 1;
        receipt_key_read(reader, &out->keys[i]);
    }
}

/* Ranges ascend and don't overlap, so that a height has one set at most. */
static void ranges_read(struct cbor_reader *reader, struct trust_regime *out, struct arena *arena)
{
    out->range_count = cbor_array(reader, 1, TRUST_RANGES_MAX);
    out->ranges = arena_array(arena, trust_room(out->range_count), sizeof *out->ranges);
    for (size_t i = 0; i < out->range_count; i++) {
        struct comet_range *range = &out->ranges[i];
        cbor_array(reader, 4, 4);
        range->from = cbor_uint(reader);
        range->has_to = !cbor_null(reader);
        if (range->has_to) {
            range->to = cbor_uint(reader);
        }
        validators_read(reader, &range->set, arena, true);
        range->has_ended = !cbor_null(reader);
        if (range->has_ended) {
            range->ended_ms = cbor_uint(reader);
        }
        const struct comet_range *last = i > 0 ? range - 1 : NULL;
        if ((last && (!last->has_to || last->to >= range->from)) ||
            (range->has_to && range->to < range->from)) {
            cbor_fail(reader, ERR_FORMAT);
        }
    }
}

static void regimes_read(struct cbor_reader *reader, struct trust *out)
{
    size_t count = cbor_array(reader, 1, TRUST_REGIMES_MAX);
    out->regimes = arena_array(&out->arena, count + 1, sizeof *out->regimes);
    for (size_t i = 0; i < count && reader->err == OK; i++) {
        struct trust_regime *regime = &out->regimes[i];
        size_t members = cbor_array(reader, 3, 5);
        regime->from = cbor_uint(reader);
        uint64_t kind = cbor_uint(reader);
        regime->comet = kind == 2;
        if ((kind != 1 && kind != 2) || members != (regime->comet ? 5u : 3u) ||
            (i == 0 ? regime->from != 0 : regime->from <= regime[-1].from)) {
            cbor_fail(reader, ERR_FORMAT);
        }
        out->regime_count = i + 1;
        if (regime->comet) {
            regime->comet_chain = cbor_text(reader, 1, COMET_CHAIN_MAX);
            ranges_read(reader, regime, &out->arena);
        }
        keys_read(reader, regime, &out->arena);
    }
}

static void heads_read(struct cbor_reader *reader, struct trust *out)
{
    out->head_count = cbor_array(reader, 0, TRUST_HEADS_MAX);
    out->heads = arena_array(&out->arena, trust_room(out->head_count), sizeof *out->heads);
    for (size_t i = 0; i < out->head_count; i++) {
        struct head *head = &out->heads[i];
        cbor_array(reader, 6, 6);
        head->place.epoch = cbor_uint(reader);
        head->place.height = cbor_uint(reader);
        head->hash = cbor_hash(reader);
        head->size = cbor_uint(reader);
        head->root = cbor_hash(reader);
        head->lost = cbor_bool(reader);
        if (i > 0 && place_compare(head[-1].place, head->place) >= 0) {
            cbor_fail(reader, ERR_FORMAT);
        }
    }
}

static void trust_read(struct cbor_reader *reader, struct trust *out)
{
    cbor_array(reader, 7, 7);
    cbor_version(reader, 1);
    out->name = cbor_text(reader, 1, LEDGER_NAME_MAX);
    out->chain = cbor_hash(reader);
    regimes_read(reader, out);
    heads_read(reader, out);
    out->authority_count = cbor_array(reader, 0, TRUST_OTHERS_MAX);
    out->authorities = arena_array(&out->arena, TRUST_OTHERS_MAX, sizeof *out->authorities);
    for (size_t i = 0; i < out->authority_count; i++) {
        out->authorities[i] = cbor_bytes(reader, 1, AUTHORITY_MAX);
    }
    out->witness_count = cbor_array(reader, 0, TRUST_OTHERS_MAX);
    out->witnesses = arena_array(&out->arena, TRUST_OTHERS_MAX, sizeof *out->witnesses);
    for (size_t i = 0; i < out->witness_count; i++) {
        out->witnesses[i] = cbor_text(reader, 1, WITNESS_MAX);
    }
}

enum err trust_parse(struct trust **out, struct bytes in, struct why *why)
{
    struct cbor_reader reader;
    *out = NULL;
    if (in.len > TRUST_MAX) {
        return why_say(why, ERR_RANGE, "trust file", NULL, "has more than 1 MiB", NULL);
    }
    struct trust *trust = mem_zalloc(sizeof *trust);
    cbor_init(&reader, arena_copy(&trust->arena, in));
    trust_read(&reader, trust);
    enum err err = cbor_end(&reader);
    if (err != OK) {
        trust_free(trust);
        return why_say(why, err, "trust file", NULL, NULL, NULL);
    }
    *out = trust;
    return OK;
}

void trust_free(struct trust *trust)
{
    if (trust == NULL) {
        return;
    }
    for (size_t i = 0; i < trust->regime_count; i++) {
        for (size_t k = 0; k < trust->regimes[i].key_count; k++) {
            pubkey_free(trust->regimes[i].keys[k].key);
        }
    }
    arena_clear(&trust->arena);
    free(trust);
}

static void put_uint_or_null(struct buf *out, bool there, uint64_t value)
{
    if (there) {
        cbor_put_uint(out, value);
    } else {
        cbor_put_null(out);
    }
}

static void place_write(struct buf *out, struct place place)
{
    cbor_put_array(out, 2);
    cbor_put_uint(out, place.epoch);
    cbor_put_uint(out, place.height);
}

static void receipt_key_write(struct buf *out, const struct receipt_key *key)
{
    cbor_put_array(out, 6);
    cbor_put_bytes(out, key->spki);
    cbor_put_text(out, key->node);
    place_write(out, key->from);
    if (key->has_to) {
        place_write(out, key->to);
    } else {
        cbor_put_null(out);
    }
    put_uint_or_null(out, key->has_ended, key->ended_ms);
    put_uint_or_null(out, key->status != KEY_IN_FORCE, key->status == KEY_STOLEN ? 1 : 0);
}

static void regime_write(struct buf *out, const struct trust_regime *regime)
{
    cbor_put_array(out, regime->comet ? 5 : 3);
    cbor_put_uint(out, regime->from);
    cbor_put_uint(out, regime->comet ? 2 : 1);
    if (regime->comet) {
        cbor_put_text(out, regime->comet_chain);
        cbor_put_array(out, regime->range_count);
        for (size_t i = 0; i < regime->range_count; i++) {
            const struct comet_range *range = &regime->ranges[i];
            cbor_put_array(out, 4);
            cbor_put_uint(out, range->from);
            put_uint_or_null(out, range->has_to, range->to);
            validators_write(out, &range->set);
            put_uint_or_null(out, range->has_ended, range->ended_ms);
        }
    }
    cbor_put_array(out, regime->key_count);
    for (size_t i = 0; i < regime->key_count; i++) {
        receipt_key_write(out, &regime->keys[i]);
    }
}

static void head_write(struct buf *out, const struct head *head)
{
    cbor_put_array(out, 6);
    cbor_put_uint(out, head->place.epoch);
    cbor_put_uint(out, head->place.height);
    cbor_put_hash(out, &head->hash);
    cbor_put_uint(out, head->size);
    cbor_put_hash(out, &head->root);
    cbor_put_bool(out, head->lost);
}

void trust_write(struct buf *out, const struct trust *trust)
{
    cbor_put_array(out, 7);
    cbor_put_uint(out, 1);
    cbor_put_text(out, trust->name);
    cbor_put_hash(out, &trust->chain);
    cbor_put_array(out, trust->regime_count);
    for (size_t i = 0; i < trust->regime_count; i++) {
        regime_write(out, &trust->regimes[i]);
    }
    cbor_put_array(out, trust->head_count);
    for (size_t i = 0; i < trust->head_count; i++) {
        head_write(out, &trust->heads[i]);
    }
    cbor_put_array(out, trust->authority_count);
    for (size_t i = 0; i < trust->authority_count; i++) {
        cbor_put_bytes(out, trust->authorities[i]);
    }
    cbor_put_array(out, trust->witness_count);
    for (size_t i = 0; i < trust->witness_count; i++) {
        cbor_put_text(out, trust->witnesses[i]);
    }
}

const struct trust_regime *trust_regime(const struct trust *trust, uint64_t height)
{
    size_t i = trust->regime_count - 1;
    while (i > 0 && trust->regimes[i].from > height) {
        i--;
    }
    return &trust->regimes[i];
}

bool receipt_key_covers(const struct receipt_key *key, struct place place)
{
    return place_compare(key->from, place) <= 0 &&
           (!key->has_to || place_compare(place, key->to) <= 0);
}

const struct receipt_key *regime_key(const struct trust_regime *regime, const struct hash *kid,
                                     struct place place)
{
    const struct receipt_key *found = NULL;
    for (size_t i = 0; i < regime->key_count; i++) {
        const struct receipt_key *key = &regime->keys[i];
        if (!hash_equal(pubkey_kid(key->key), kid)) {
            continue;
        }
        found = key;
        if (receipt_key_covers(key, place)) {
            break;
        }
    }
    return found;
}

const struct comet_range *regime_range(const struct trust_regime *regime, uint64_t comet_height)
{
    for (size_t i = 0; i < regime->range_count; i++) {
        const struct comet_range *range = &regime->ranges[i];
        if (range->from <= comet_height && (!range->has_to || comet_height <= range->to)) {
            return range;
        }
    }
    return NULL;
}

const struct head *trust_head(const struct trust *trust, struct place place)
{
    for (size_t i = 0; i < trust->head_count; i++) {
        if (place_compare(trust->heads[i].place, place) == 0) {
            return &trust->heads[i];
        }
    }
    return NULL;
}

bool trust_lists(const struct trust *trust, const struct header *header)
{
    struct hash hash;
    const struct head *head = trust_head(trust, header_place(header));
    if (head == NULL) {
        return false;
    }
    header_hash(&hash, header);
    return hash_equal(&hash, &head->hash);
}

const struct head *trust_newest(const struct trust *trust)
{
    for (size_t i = trust->head_count; i > 0; i--) {
        if (!trust->heads[i - 1].lost) {
            return &trust->heads[i - 1];
        }
    }
    return NULL;
}

uint64_t trust_restarts(const struct trust *trust, uint64_t epoch)
{
    uint64_t last = epoch;
    for (size_t i = 0; i < trust->head_count; i++) {
        last = trust->heads[i].place.epoch > last ? trust->heads[i].place.epoch : last;
    }
    for (size_t i = 0; i < trust->regime_count; i++) {
        for (size_t k = 0; k < trust->regimes[i].key_count; k++) {
            uint64_t from = trust->regimes[i].keys[k].from.epoch;
            last = from > last ? from : last;
        }
    }
    return last;
}
