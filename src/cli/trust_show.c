#include "base/file.h"
#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"
#include "codec/text.h"
#include "crypto/digest.h"

static const char *status_name(enum key_status status)
{
    static const char *const names[] = {"in force", "rotated", "stolen"};
    return names[status];
}

static json_t *key_json(const struct receipt_key *key)
{
    json_t *json = json_object();
    json_object_set_new(json, "kid", json_hex(hash_bytes(pubkey_kid(key->key))));
    json_object_set_new(json, "node", json_text(key->node));
    json_object_set_new(json, "from_epoch", json_integer((json_int_t)key->from.epoch));
    json_object_set_new(json, "from_height", json_integer((json_int_t)key->from.height));
    json_object_set_new(json, "status", json_string(status_name(key->status)));
    if (key->has_to) {
        json_object_set_new(json, "to_epoch", json_integer((json_int_t)key->to.epoch));
        json_object_set_new(json, "to_height", json_integer((json_int_t)key->to.height));
    }
    return json;
}

static json_t *regime_json(const struct trust_regime *regime)
{
    json_t *keys = json_array();
    for (size_t i = 0; i < regime->key_count; i++) {
        json_array_append_new(keys, key_json(&regime->keys[i]));
    }
    json_t *json = json_pack("{s:I, s:s, s:o}", "from", (json_int_t)regime->from, "order",
                             regime->comet ? "comet" : "solo", "receipt_keys", keys);
    if (regime->comet) {
        json_object_set_new(json, "comet_chain", json_text(regime->comet_chain));
        json_object_set_new(json, "validator_sets", json_integer((json_int_t)regime->range_count));
    }
    return json;
}

static json_t *head_json(const struct head *head)
{
    json_t *json = json_object();
    json_object_set_new(json, "epoch", json_integer((json_int_t)head->place.epoch));
    json_object_set_new(json, "height", json_integer((json_int_t)head->place.height));
    json_object_set_new(json, "header_hash", json_hex(hash_bytes(&head->hash)));
    json_object_set_new(json, "size", json_integer((json_int_t)head->size));
    json_object_set_new(json, "lost", json_boolean(head->lost));
    return json;
}

static json_t *trust_json(const struct trust *trust, const struct hash *digest)
{
    json_t *json = json_object();
    json_t *regimes = json_array();
    json_t *heads = json_array();
    json_t *witnesses = json_array();
    for (size_t i = 0; i < trust->regime_count; i++) {
        json_array_append_new(regimes, regime_json(&trust->regimes[i]));
    }
    for (size_t i = 0; i < trust->witness_count; i++) {
        json_array_append_new(witnesses, json_text(trust->witnesses[i]));
    }
    for (size_t i = 0; i < trust->head_count; i++) {
        json_array_append_new(heads, head_json(&trust->heads[i]));
    }
    json_object_set_new(json, "name", json_text(trust->name));
    json_object_set_new(json, "chain", json_hex(hash_bytes(&trust->chain)));
    json_object_set_new(json, "sha256", json_hex(hash_bytes(digest)));
    json_object_set_new(json, "regimes", regimes);
    json_object_set_new(json, "heads", heads);
    json_object_set_new(json, "authorities", json_integer((json_int_t)trust->authority_count));
    json_object_set_new(json, "witnesses", json_integer((json_int_t)trust->witness_count));
    json_object_set_new(json, "witness_keys", witnesses);
    return json;
}

/* In groups of four digits, as it is read aloud. */
static void print_aloud(const struct hash *digest)
{
    char hex[65];
    hex_write(hex, hash_bytes(digest));
    for (unsigned i = 0; i < 64; i += 4) {
        printf("%s%.4s", i == 32 ? "\n            " : i ? " " : "", hex + i);
    }
    putchar('\n');
}

static void print_key(const struct receipt_key *key)
{
    char kid[65];
    hex_write(kid, hash_bytes(pubkey_kid(key->key)));
    fputs("receipt key ", stdout);
    printf("%s of %.*s, from epoch %llu height %llu", kid, (int)key->node.len,
           (const char *)key->node.at, (unsigned long long)key->from.epoch,
           (unsigned long long)key->from.height);
    if (key->has_to) {
        printf(" to epoch %llu height %llu", (unsigned long long)key->to.epoch,
               (unsigned long long)key->to.height);
    }
    printf(", %s\n", status_name(key->status));
}

static void print_trust(const struct trust *trust, const struct hash *digest)
{
    char chain[65];
    hex_write(chain, hash_bytes(&trust->chain));
    printf("ledger      %.*s\nchain id    %s\nSHA-256     ", (int)trust->name.len,
           (const char *)trust->name.at, chain);
    print_aloud(digest);
    for (size_t i = 0; i < trust->regime_count; i++) {
        const struct trust_regime *regime = &trust->regimes[i];
        printf("from height %llu: %s\n", (unsigned long long)regime->from,
               regime->comet ? "ordered by a set of validators" : "run by one operator");
        for (size_t j = 0; j < regime->key_count; j++) {
            print_key(&regime->keys[j]);
        }
    }
    const struct head *head = trust_newest(trust);
    if (head) {
        char hash[65];
        hex_write(hash, hash_bytes(&head->hash));
        printf("newest head epoch %llu height %llu, %llu entries, %s\n",
               (unsigned long long)head->place.epoch, (unsigned long long)head->place.height,
               (unsigned long long)head->size, hash);
    }
    printf("%zu heads known, %zu time authorities, %zu witnesses\n", trust->head_count,
           trust->authority_count, trust->witness_count);
    puts("Compare the SHA-256 with the ledger's operator by another way, once.");
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct buf bytes = {0};
    struct trust *trust = NULL;
    enum err err = file_read(&bytes, args->operands[0], TRUST_MAX, &why);
    if (err == OK) {
        err = trust_parse(&trust, buf_bytes(&bytes), &why);
    }
    if (err == OK) {
        struct hash digest;
        sha256(&digest, buf_bytes(&bytes));
        if (args_flag(args, "json")) {
            put_json(trust_json(trust, &digest));
        } else {
            print_trust(trust, &digest);
        }
    }
    trust_free(trust);
    buf_clear(&bytes);
    return err == OK ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {ARG_JSON, {0}};

const struct verb verb_trust_show = {
    .name = "trust show",
    .operands = "NAME.trust",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "show what a trust file says, and the digest to compare by telephone",
    .example = "cairn trust show court.trust",
    .args = options,
    .run = run,
};
