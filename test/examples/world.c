#include "world.h"

#include "codec/text.h"
#include "crypto/digest.h"
#include "modules/modules.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void must(enum err err, const char *what)
{
    if (err != OK) {
        fprintf(stderr, "examples: %s %s\n", what, err_text(err));
        exit(1);
    }
}

struct hash label_hash(const char *label)
{
    struct hash hash;
    sha256(&hash, bytes_text(label));
    return hash;
}

struct signer *label_signer(const char *label)
{
    /* PrivateKeyInfo of RFC 8410, up to the seed. */
    static const uint8_t head[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                   0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
    struct hash seed = label_hash(label);
    struct buf der = {0};
    struct buf pem = {0};
    struct signer *signer;
    buf_put(&der, BYTES_OF(head));
    buf_put(&der, hash_bytes(&seed));
    buf_put(&pem, bytes_text("-----BEGIN PRIVATE KEY-----\n"));
    base64_put(&pem, buf_bytes(&der));
    buf_put(&pem, bytes_text("\n-----END PRIVATE KEY-----\n"));
    must(signer_parse(&signer, buf_bytes(&pem), NULL), label);
    buf_clear(&der);
    buf_clear(&pem);
    return signer;
}

void world_open(struct world *world, struct bytes genesis)
{
    static const struct store_options options = {.cache_len = 1 << 20, .create = true};
    struct hash head;
    *world = (struct world){.dir = "/tmp/cairn-examples-XXXXXX", .time_ms = WORLD_START_MS};
    must(mkdtemp(world->dir) ? OK : ERR_IO, "the folder");
    must(store_open(&world->store, world->dir, &options, NULL), "the store");
    must(ledger_create(world->store, genesis, WORLD_START_MS, &head, NULL), "the genesis");
    must(ledger_open(&world->ledger, world->store, &modules_rules, NULL), "the ledger");
    sha256(&world->chain, genesis);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static void block_clear(struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        submission_free(world->block[i]);
    }
    world->count = 0;
}

void world_close(struct world *world)
{
    block_clear(world);
    ledger_close(world->ledger);
    store_close(world->store);
    nftw(world->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct submission *world_take(struct world *world, struct bytes entry, struct items *items)
{
    struct why why = {0};
    struct submission *out = mem_zalloc(sizeof *out);
    buf_put(&out->entry, entry);
    out->items = items;
    must(statement_parse(&out->statement, buf_bytes(&out->entry), &why), why.field);
    must(rules_find(&modules_rules, &out->statement, &out->action, &why), why.field);
    must(out->action->check(out, &why), why.field);
    if (!out->statement.foreign) {
        statement_id(&out->id, &out->statement, NULL);
    }
    leaf_hash(&out->leaf, buf_bytes(&out->entry));
    BUG_ON(world->count == WORLD_BLOCK_MAX);
    world->block[world->count++] = out;
    return out;
}

struct submission *world_say(struct world *world, const struct person *person,
                             const struct saying *saying)
{
    char type[128];
    struct buf entry = {0};
    struct hash nonce = label_hash(saying->label);
    snprintf(type, sizeof type, STATEMENT_TYPE_PREFIX "%s" STATEMENT_TYPE_SUFFIX, saying->type);
    struct draft draft = {.content_type = type,
                          .iss = bytes_text(person->member),
                          .sub = bytes_text("case-1"),
                          .iat = world->time_ms / 1000,
                          .chain = world->chain,
                          .valid_until = world->time_ms + 3600000,
                          .nonce16 = nonce.at,
                          .mandate = saying->mandate,
                          .payload = saying->body};
    must(statement_sign(&entry, &draft, person->signer), saying->label);
    struct submission *out = world_take(world, buf_bytes(&entry), saying->items);
    buf_clear(&entry);
    return out;
}

void world_commit(struct world *world)
{
    struct block_result result;
    world->time_ms += 1000;
    struct block_input input = {world->time_ms, world->block, world->count};
    must(ledger_execute(world->ledger, &input, &result), "the block");
    for (size_t i = 0; i < result.count; i++) {
        char why[600];
        why_print(&result.results[i].why, result.results[i].err, why, sizeof why);
        must(result.results[i].err, why);
    }
    must(ledger_commit(world->ledger), "the commit");
    block_clear(world);
}

void emit(const char *name, const char *rule, struct bytes value)
{
    struct buf hex = {0};
    hex_put(&hex, value);
    printf("%s %s %.*s\n", name, rule, (int)hex.len, (const char *)hex.at);
    buf_clear(&hex);
}

void emit_buf(const char *name, const char *rule, struct buf *value)
{
    emit(name, rule, buf_bytes(value));
    buf_clear(value);
}
