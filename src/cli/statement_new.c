#include "base/file.h"
#include "cli/bundle.h"
#include "cli/jsoncbor.h"
#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"
#include "codec/privacy.h"
#include "codec/text.h"
#include "proof/deposit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JSON_MAX    ((size_t)64 << 20)
#define TYPE_MAX    64
#define LABEL_ITEMS (-65801)

/* A statement as its JSON describes it. */
struct described {
    json_t *json;
    char content_type[TYPE_MAX + 64];
    struct buf body;
    struct buf items; /* of a deposit given by its items */
};

static enum err json_read(json_t **out, const char *path, struct why *why)
{
    struct buf text = {0};
    json_error_t error;
    TRY(file_read(&text, strcmp(path, "-") == 0 ? "/dev/stdin" : path, JSON_MAX, why));
    *out = json_loadb((const char *)text.at, text.len, JSON_REJECT_DUPLICATES, &error);
    buf_clear(&text);
    if (!json_is_object(*out)) {
        return why_sayf(why, ERR_FORMAT, "JSON", "is not an object",
                        "See cairn statement new --help.", "%s line %d: %s", path, error.line,
                        *out ? "" : error.text);
    }
    return OK;
}

static enum err digest_read(struct hash *out, bool *has, const json_t *item, const char *key,
                            struct why *why)
{
    const char *text = json_string_value(json_object_get(item, key));
    *has = text != NULL;
    return text ? hash_read(out, key, text, why) : OK;
}

/* The digests and size of an item that names a file; its form is plain. */
static enum err file_read_item(struct item *out, const char *path, struct why *why)
{
    struct file_digest file = {.path = path};
    TRY(file_digest_fill(&file, BLIND_NONE, why));
    out->sha256 = file.sha256;
    out->sm3 = file.sm3;
    out->size = file.size;
    out->media_type = bytes_text(file.media_type);
    return OK;
}

static enum err digests_read(struct item *out, const json_t *json, struct why *why)
{
    const char *file = json_string_value(json_object_get(json, "file"));
    bool has_sha256 = true;
    bool has_sm3 = true;
    if (file) {
        return file_read_item(out, file, why);
    }
    TRY(digest_read(&out->sha256, &has_sha256, json, "sha256", why));
    TRY(digest_read(&out->sm3, &has_sm3, json, "sm3", why));
    out->size = (uint64_t)json_integer_value(json_object_get(json, "size"));
    if (!has_sha256 || !has_sm3) {
        return why_say(why, ERR_FORMAT, "item", NULL, "lacks a digest",
                       "Give \"file\", or \"sha256\", \"sm3\" and \"size\".");
    }
    return OK;
}

static struct bytes text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? bytes_text(text) : BYTES_NONE;
}

static enum err item_read(struct buf *out, const json_t *json, struct why *why)
{
    struct item item = {0};
    uint8_t ref[REF_LEN];
    const char *ref_hex = json_string_value(json_object_get(json, "ref"));
    bool blinded = strcmp(json_member(json, "form"), "blinded") == 0;
    item.form = blinded ? ITEM_BLINDED : ITEM_PLAIN;
    item.has_size = !blinded;
    TRY(digests_read(&item, json, why));
    if (json_object_get(json, "media_type")) {
        item.media_type = text_of(json, "media_type");
    }
    item.phase = text_of(json, "phase");
    TRY(clear_text_check("phase", item.phase, why));
    TRY(digest_read(&item.commitment, &item.has_commitment, json, "commitment", why));
    if (ref_hex) {
        if (hex_read(ref, sizeof ref, bytes_text(ref_hex)) != OK) {
            return why_say(why, ERR_FORMAT, "ref", ref_hex, "is not 32 hex digits", NULL);
        }
        item.ref = (struct bytes){ref, sizeof ref};
    }
    size_t start = out->len;
    item_write(out, &item);
    enum err err = item_parse(&item, (struct bytes){out->at + start, out->len - start});
    return err == OK ? OK : why_say(why, err, "item", NULL, NULL, "Check sizes of its texts.");
}

static enum err deposit_read(struct described *out, const json_t *items, struct why *why)
{
    struct bytes category = text_of(out->json, "category");
    struct bundle bundle;
    category = category.len ? category : bytes_text("document");
    TRY(clear_text_check("category", category, why));
    for (size_t i = 0; i < json_array_size(items); i++) {
        TRY(item_read(&out->items, json_array_get(items, i), why));
    }
    enum err err = bundle_parse(&bundle, buf_bytes(&out->items));
    if (err == OK) {
        struct deposit deposit = {.items_root = bundle.root, .count = bundle.count};
        deposit.category = category;
        deposit_write(&out->body, &deposit);
    }
    bundle_clear(&bundle);
    return err == OK ? OK : why_say(why, err, "items", NULL, NULL, "Give 1 to 65,536 items.");
}

static enum err described_read(struct described *out, const char *path, struct why *why)
{
    TRY(json_read(&out->json, path, why));
    const json_t *items = json_object_get(out->json, "items");
    const json_t *body = json_object_get(out->json, "body");
    const char *type = json_member(out->json, "type");
    if (!type[0] && items) {
        type = "evidence.deposit";
    }
    if (!type[0] || strlen(type) > TYPE_MAX || !strchr(type, '.')) {
        return why_say(why, ERR_FORMAT, "type", type, "is not MODULE.ACTION",
                       "Give for example \"evidence.withdraw\".");
    }
    if (!body == !items) {
        return why_say(why, ERR_FORMAT, "body", NULL, "is missing, or given beside items",
                       "Give \"body\", or the \"items\" of a deposit.");
    }
    snprintf(out->content_type, sizeof out->content_type, "%s%s%s", STATEMENT_TYPE_PREFIX, type,
             STATEMENT_TYPE_SUFFIX);
    return items ? deposit_read(out, items, why) : json_to_cbor(&out->body, body, why);
}

/* The statement, a deposit's items travelling in its unprotected header. */
static void with_items(struct buf *out, struct bytes statement, struct bytes items)
{
    struct sign1 sign1;
    struct buf unprotected = {0};
    BUG_ON(sign1_parse(&sign1, statement) != OK);
    if (items.len > 0) {
        cbor_put_map(&unprotected, 1);
        cbor_put_int(&unprotected, LABEL_ITEMS);
        cbor_put_bytes(&unprotected, items);
        sign1.unprotected = buf_bytes(&unprotected);
    }
    sign1_write(out, &sign1);
    buf_clear(&unprotected);
}

static enum err sign(struct buf *out, const struct described *described, const struct args *args,
                     struct why *why)
{
    struct signing signing;
    struct buf statement = {0};
    struct hash id;
    struct matter matter = {described->content_type, json_member(described->json, "subject"),
                            buf_bytes(&described->body)};
    enum err err = args_text(args, "as") && args_text(args, "trust")
                       ? signing_open_offline(&signing, args, why)
                       : signing_open(&signing, args, "as", why);
    if (err == OK) {
        err = signing_sign(&signing, &matter, &statement, &id, why);
    }
    if (err == OK) {
        char hex[65];
        hex_write(hex, hash_bytes(&id));
        with_items(out, buf_bytes(&statement), buf_bytes(&described->items));
        fprintf(stderr, "statement %s\n", hex);
    }
    buf_clear(&statement);
    signing_close(&signing);
    return err;
}

static enum err put(const struct args *args, struct bytes bytes, struct why *why)
{
    const char *path = args_text(args, "out");
    if (path) {
        return file_write(path, bytes, 0644, why);
    }
    if (isatty(STDOUT_FILENO)) {
        return why_say(why, ERR_FORMAT, "standard output", NULL, "is a terminal",
                       "The statement is binary: send it into a file or give --out FILE.");
    }
    return fwrite(bytes.at, 1, bytes.len, stdout) == bytes.len
               ? OK
               : why_say(why, ERR_IO, "standard output", NULL, NULL, NULL);
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct described described = {0};
    struct buf statement = {0};
    enum err err = described_read(&described, args->operand_count ? args->operands[0] : "-", &why);
    if (err == OK) {
        err = sign(&statement, &described, args, &why);
    }
    if (err == OK) {
        err = put(args, buf_bytes(&statement), &why);
    }
    json_decref(described.json);
    buf_clear(&described.body);
    buf_clear(&described.items);
    buf_clear(&statement);
    return err == OK ? STATUS_OK : fail(err, &why);
}

static const struct arg options[] = {
    {"out", "FILE", "where to write the statement; else standard output", NULL, false, false},
    {"key", "FILE", "your private key", NULL, true, false},
    ARG_PASSPHRASE,
    {"mandate", "STATEMENT", "act under this mandate of another member", NULL, false, false},
    ARG_TRUST("the ledger; together with --as no node is asked"),
    ARG_SERVER,
    ARG_AS,
    {0},
};

const struct verb verb_statement_new = {
    .name = "statement new",
    .operands = "[FILE|-]",
    .operands_min = 0,
    .operands_max = 1,
    .summary = "sign a statement that JSON describes, without sending it",
    .text = "A deposit: {\"items\": [{\"file\": \"a.pdf\"}], \"category\": \"contract\"}, an item "
            "being\n"
            "{\"file\"} or {\"form\", \"sha256\", \"sm3\", \"size\", \"media_type\", \"ref\", "
            "\"phase\",\n"
            "\"commitment\"}. Anything else: {\"type\": \"evidence.withdraw\", \"subject\": \"\",\n"
            "\"body\": [1, {\"hex\": \"...\"}, 0, \"reason\"]}. It may be sent for ten minutes.",
    .example =
        "echo '{\"items\": [{\"file\": \"a.pdf\"}]}' | cairn statement new --key alice.key > "
        "a.cbor\n"
        "curl --data-binary @a.cbor -H 'Content-Type: application/cose' "
        "http://127.0.0.1:8420/v1/statements",
    .args = options,
    .run = run,
};
