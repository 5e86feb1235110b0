#include "ledger/regime.h"

#include "codec/text.h"
#include "crypto/digest.h"
#include "ledger/genesis.h"
#include "ledger/view.h"

#include <stdlib.h>
#include <string.h>

#define CHAIN_DIGITS 16

void comet_address(uint8_t out[COMET_ADDRESS_LEN], const struct hash *key)
{
    struct hash digest;
    sha256(&digest, hash_bytes(key));
    memcpy(out, digest.at, COMET_ADDRESS_LEN);
}

/* CometBFT's order; 0 only for one and the same key. */
static int compare(const struct regime_validator *a, const struct regime_validator *b)
{
    uint8_t address[2][COMET_ADDRESS_LEN];
    if (a->power != b->power) {
        return a->power > b->power ? -1 : 1;
    }
    comet_address(address[0], &a->key);
    comet_address(address[1], &b->key);
    return memcmp(address[0], address[1], COMET_ADDRESS_LEN);
}

static int compare_at(const void *a, const void *b)
{
    return compare(a, b);
}

static bool key_seen(const struct regime *regime, size_t count, const struct hash *key)
{
    for (size_t i = 0; i < count; i++) {
        if (hash_equal(&regime->validators[i].key, key)) {
            return true;
        }
    }
    return false;
}

static void read_validator(struct cbor_reader *reader, struct regime *out, size_t number)
{
    struct regime_validator *validator = &out->validators[number];
    cbor_array(reader, 3, 3);
    validator->key = cbor_hash(reader);
    validator->power = cbor_uint_max(reader, COMET_POWER_MAX);
    validator->node = cbor_text(reader, 1, MEMBER_ID_MAX);
    if (reader->err == OK && validator->power == 0) {
        cbor_fail(reader, ERR_RANGE);
    }
    if (reader->err == OK && (key_seen(out, number, &validator->key) ||
                              (number > 0 && compare(validator - 1, validator) >= 0))) {
        cbor_fail(reader, ERR_FORMAT);
    }
}

enum err regime_parse(struct regime *out, struct bytes in)
{
    struct cbor_reader reader;
    uint64_t total = 0;
    *out = (struct regime){0};
    cbor_init(&reader, in);
    cbor_array(&reader, 4, 4);
    cbor_version(&reader, 1);
    out->chain = cbor_text(&reader, 1, COMET_CHAIN_MAX);
    out->from = cbor_uint(&reader);
    out->count = cbor_array(&reader, 1, VALIDATORS_MAX);
    for (size_t i = 0; i < out->count && reader.err == OK; i++) {
        read_validator(&reader, out, i);
        total += out->validators[i].power;
        if (total > COMET_POWER_MAX) {
            cbor_fail(&reader, ERR_RANGE);
        }
    }
    return cbor_end(&reader);
}

void regime_write(struct buf *out, const struct regime *regime)
{
    cbor_put_array(out, 4);
    cbor_put_uint(out, 1);
    cbor_put_text(out, regime->chain);
    cbor_put_uint(out, regime->from);
    cbor_put_array(out, regime->count);
    for (size_t i = 0; i < regime->count; i++) {
        cbor_put_array(out, 3);
        cbor_put_hash(out, &regime->validators[i].key);
        cbor_put_uint(out, regime->validators[i].power);
        cbor_put_text(out, regime->validators[i].node);
    }
}

void regime_sort(struct regime *regime)
{
    qsort(regime->validators, regime->count, sizeof *regime->validators, compare_at);
}

void regime_state_key(struct buf *out)
{
    cbor_put_array(out, 1);
    cbor_put_literal(out, "regime");
}

enum err regime_get(struct regime *out, struct buf *bytes, const struct view *view)
{
    struct buf key = {0};
    struct state_answer answer = {0};
    regime_state_key(&key);
    enum err err = view_state(view, bytes_text(REGIME_MODULE), buf_bytes(&key), &answer);
    bytes->len = 0;
    if (err == OK) {
        buf_put(bytes, buf_bytes(&answer.value));
        err = regime_parse(out, buf_bytes(bytes));
    }
    state_answer_clear(&answer);
    buf_clear(&key);
    return err;
}

void regime_chain_write(struct buf *out, const struct hash *chain, uint64_t from)
{
    uint8_t number[20];
    size_t at = sizeof number;
    buf_put(out, bytes_text("cairn-"));
    hex_put(out, (struct bytes){chain->at, CHAIN_DIGITS / 2});
    for (uint64_t left = from; left > 0; left /= 10) {
        number[--at] = (uint8_t)('0' + left % 10);
    }
    buf_put(out, bytes_text(from > 0 ? "-" : ""));
    buf_put(out, (struct bytes){number + at, sizeof number - at});
}

struct hash comet_key(struct bytes spki)
{
    struct hash key = {{0}};
    if (spki.len >= sizeof key.at) {
        memcpy(key.at, spki.at + spki.len - sizeof key.at, sizeof key.at);
    }
    return key;
}

bool regime_of_genesis(struct regime *out, const struct genesis *genesis, const struct hash *chain,
                       struct buf *chain_text)
{
    *out = (struct regime){0};
    for (size_t i = 0; i < genesis->member_count; i++) {
        const struct genesis_member *member = &genesis->members[i];
        for (size_t j = 0; j < member->key_count; j++) {
            if (member->keys[j].purpose == PURPOSE_CONSENSUS) {
                out->validators[out->count++] = (struct regime_validator){
                    .key = comet_key(member->keys[j].spki), .power = 1, .node = member->id};
            }
        }
    }
    regime_sort(out);
    chain_text->len = 0;
    regime_chain_write(chain_text, chain, 0);
    out->chain = buf_bytes(chain_text);
    return out->count > 0;
}
