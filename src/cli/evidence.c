#include "cli/evidence.h"

#include "base/file.h"
#include "cli/output.h"
#include "cli/sign.h"
#include "codec/text.h"
#include "proof/id.h"
#include "proof/prooffile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX_LEN 64 /* of a digest or a statement id */

static bool digits_only(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) <= 5;
}

/* Whether text begins with 64 hex digits; *rest is what follows. */
static bool hex_begins(const char *text, const char **rest)
{
    if (strspn(text, "0123456789abcdefABCDEF") != HEX_LEN) {
        return false;
    }
    *rest = text + HEX_LEN;
    return true;
}

bool evidence_id_is(const char *text)
{
    uint8_t prefix[EVIDENCE_PREFIX_LEN];
    uint16_t number;
    const char *rest;
    if (hex_begins(text, &rest)) {
        return !*rest || (*rest == '.' && digits_only(rest + 1));
    }
    return evidence_id_read(prefix, &number, bytes_text(text)) == OK;
}

/* Asks one question; *records stays NULL where the ledger has nothing. */
static enum err ask(struct client *client, const char *question, const char *text, json_t **records,
                    struct why *why)
{
    struct buf path = {0};
    json_t *answer;
    buf_put(&path, bytes_text("/v1/evidence"));
    buf_put(&path, bytes_text(question));
    path_segment(&path, text);
    buf_put_byte(&path, 0);
    enum err err = client_get_json(client, (const char *)path.at, &answer, why);
    buf_clear(&path);
    if (err != OK) {
        return client_status(client) == 404 ? OK : err;
    }
    json_t *list = json_object_get(answer, "evidence");
    if (json_array_size(list) > 0) {
        *records = json_incref(list);
    }
    json_decref(answer);
    return OK;
}

static enum err by_file(struct client *client, const char *path, json_t **records, struct why *why)
{
    struct file_digest file = {.path = path};
    char hex[HEX_LEN + 1];
    TRY(file_digest_fill(&file, BLIND_NONE, why));
    hex_write(hex, hash_bytes(&file.sha256));
    *records = NULL;
    TRY(ask(client, "?sha256=", hex, records, why));
    return *records ? OK
                    : why_say(why, ERR_REFUSED, "file", path, "is not found by its digest",
                              "A blinded file is found with its salts or its proof alone: "
                              "--salts FILE, or FILE.proof beside it.");
}

enum err evidence_records(struct client *client, const char *text, json_t **records,
                          struct why *why)
{
    const char *rest;
    *records = NULL;
    if (!evidence_id_is(text)) {
        return by_file(client, text, records, why);
    }
    TRY(ask(client, "/", text, records, why));
    if (!*records && hex_begins(text, &rest) && !*rest) {
        TRY(ask(client, "?sha256=", text, records, why));
    }
    if (!*records && hex_begins(text, &rest) && !*rest) {
        TRY(ask(client, "?sm3=", text, records, why));
    }
    return *records ? OK
                    : why_say(why, ERR_REFUSED, "evidence", text, "is not on this ledger",
                              "Check the id, and that --server is the right ledger.");
}

enum err record_place(struct evidence_place *place, const json_t *record, struct why *why)
{
    json_int_t number = json_integer_value(json_object_get(record, "number"));
    TRY(hash_read(&place->statement, "statement", json_member(record, "statement"), why));
    if (number < 0 || number >= DEPOSIT_ITEMS_MAX) {
        return why_say(why, ERR_FORMAT, "server", NULL, "answered with an impossible number", NULL);
    }
    place->number = (uint16_t)number;
    return OK;
}

/* One record, or a refusal that shows how to name one of several. */
static enum err only_place(const json_t *records, struct evidence_place *place, struct why *why)
{
    const json_t *first = json_array_get(records, 0);
    TRY(record_place(place, first, why));
    if (json_array_size(records) > 1) {
        return why_sayf(why, ERR_MISMATCH, "evidence", "is one of several",
                        "Name it whole, as STATEMENT.NUMBER; see 'cairn show'.", "%s.%u",
                        json_member(first, "statement"), place->number);
    }
    return OK;
}

enum err evidence_place_get(struct client *client, const char *id, struct evidence_place *place,
                            struct why *why)
{
    json_t *records;
    if (!evidence_id_is(id)) {
        return why_say(why, ERR_FORMAT, "evidence", id, "is not an evidence id",
                       "Give the 25 characters or the statement id that a deposit answers with.");
    }
    TRY(evidence_records(client, id, &records, why));
    enum err err = only_place(records, place, why);
    json_decref(records);
    return err;
}

/* ---- a file */

struct search {
    struct hash bare;
    struct evidence_place place; /* what to look for where there is no file */
    bool by_place;
    struct located *out;
    bool found;
};

static bool search_one(void *context, const struct kept *kept)
{
    struct search *search = context;
    bool same = search->by_place ? hash_equal(&kept->statement, &search->place.statement) &&
                                       kept->number == search->place.number
                                 : hash_equal(&kept->bare, &search->bare);
    if (same) {
        search->found = true;
        search->out->place = (struct evidence_place){kept->statement, (uint16_t)kept->number};
        search->out->has_salt = true;
        memcpy(search->out->salt, kept->salt, SALT_LEN);
    }
    return same && search->by_place; /* of one file's deposits the newest counts */
}

static enum err by_salts(struct search *search, const char *path, struct why *why)
{
    struct buf file = {0};
    TRY(file_read(&file, path, SALTS_MAX, why));
    enum err err = salts_each(buf_bytes(&file), search_one, search);
    buf_clear(&file);
    return err == OK ? OK : why_say(why, err, "salts file", path, NULL, NULL);
}

/* Whether the proof beside a file names an item; such a file is one's own. */
static bool by_proof(struct located *out, const char *path)
{
    char name[4096];
    struct buf bytes = {0};
    struct proof *proof = NULL;
    snprintf(name, sizeof name, "%s.proof", path);
    bool found = file_read(&bytes, name, PROOF_MAX, NULL) == OK &&
                 proof_parse(&proof, buf_bytes(&bytes), NULL) == OK && proof->has_item;
    if (found) {
        statement_id(&out->place.statement, &proof->statement, pubkey_kid(proof->key));
        out->place.number = proof->file.number;
        out->has_salt = proof->file.salt.len == SALT_LEN;
        if (out->has_salt) {
            memcpy(out->salt, proof->file.salt.at, SALT_LEN);
        }
    }
    proof_free(proof);
    buf_clear(&bytes);
    return found;
}

static enum err locate_id(struct located *out, struct client *client, const char *id,
                          const char *salts, struct why *why)
{
    TRY(evidence_place_get(client, id, &out->place, why));
    struct search search = {.by_place = true, .place = out->place, .out = out};
    return salts ? by_salts(&search, salts, why) : OK;
}

enum err evidence_locate(struct located *out, struct client *client, const char *text,
                         const char *salts, struct why *why)
{
    *out = (struct located){0};
    if (evidence_id_is(text)) {
        return locate_id(out, client, text, salts, why);
    }
    struct file_digest file = {.path = text};
    TRY(file_digest_fill(&file, BLIND_NONE, why));
    struct search search = {.bare = file.bare, .out = out};
    if (salts) {
        TRY(by_salts(&search, salts, why));
    }
    if (search.found || by_proof(out, text)) {
        return OK;
    }
    json_t *records;
    TRY(by_file(client, text, &records, why));
    enum err err = record_place(&out->place, json_array_get(records, 0), why);
    json_decref(records);
    return err;
}
