#include "proof/show.h"

#include "base/clock.h"
#include "crypto/digest.h"
#include "proof/diag.h"
#include "proof/join.h"
#include "proof/protected.h"
#include "proof/receipt.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static void indent(struct show *show)
{
    for (unsigned i = 0; i < show->depth; i++) {
        buf_put(show->out, bytes_text("  "));
    }
}

static void name_put(struct show *show, const char *name)
{
    indent(show);
    buf_put(show->out, bytes_text(name));
    buf_put(show->out, bytes_text(": "));
}

static void line_end(struct show *show)
{
    buf_put_byte(show->out, '\n');
}

void show_title(struct show *show, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    indent(show);
    diag_put_text(show->out, bytes_text(text));
    line_end(show);
}

void show_format(struct show *show, const char *name, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    name_put(show, name);
    diag_put_text(show->out, bytes_text(text));
    line_end(show);
}

void show_number(struct show *show, const char *name, uint64_t value)
{
    show_format(show, name, "%" PRIu64, value);
}

void show_hex(struct show *show, const char *name, struct bytes bytes)
{
    name_put(show, name);
    diag_put_hex(show->out, bytes);
    line_end(show);
}

void show_hash(struct show *show, const char *name, const struct hash *hash)
{
    show_hex(show, name, hash_bytes(hash));
}

void show_text(struct show *show, const char *name, struct bytes text)
{
    name_put(show, name);
    diag_put_text(show->out, text);
    line_end(show);
}

void show_time(struct show *show, const char *name, uint64_t time_ms)
{
    char text[25];
    clock_format(text, time_ms);
    show_format(show, name, "%s (%" PRIu64 ")", text, time_ms);
}

void show_cbor(struct show *show, const char *name, struct bytes cbor)
{
    name_put(show, name);
    diag_put(show->out, cbor);
    line_end(show);
}

static void show_unreadable(struct show *show, const char *what, enum err err, struct bytes in)
{
    show_format(show, what, "%s", err_text(err));
    show->depth++;
    show_hex(show, "bytes", in);
    show->depth--;
}

void show_header(struct show *show, const char *title, const struct header *header)
{
    struct hash hash;
    header_hash(&hash, header);
    show_title(show, "%s", title);
    show->depth++;
    show_hash(show, "header hash", &hash);
    show_number(show, "suite", header->suite);
    show_hash(show, "chain id", &header->chain);
    show_number(show, "epoch", header->epoch);
    show_number(show, "height", header->height);
    show_time(show, "time", header->time_ms);
    show_hash(show, "previous header hash", &header->previous);
    show_time(show, "previous time", header->previous_time_ms);
    show_number(show, "first index", header->first_index);
    show_number(show, "tree size", header->tree_size);
    show_hash(show, "tree root", &header->tree_root);
    show_hash(show, "state root", &header->state_root);
    show_hash(show, "history root", &header->history_root);
    show->depth--;
}

void show_header_bytes(struct show *show, const char *title, struct bytes in)
{
    struct header header;
    enum err err = header_parse(&header, in);
    if (err == OK) {
        show_header(show, title, &header);
    } else {
        show_unreadable(show, title, err, in);
    }
}

void show_item(struct show *show, struct bytes in)
{
    struct item item;
    enum err err = item_parse(&item, in);
    if (err != OK) {
        show_unreadable(show, "item", err, in);
        return;
    }
    show_title(show, item.form == ITEM_PLAIN ? "item, digests of the bytes"
                                             : "item, blinded: digests of a salt and the bytes");
    show->depth++;
    show_hash(show, "sha-256", &item.sha256);
    show_hash(show, "sm3", &item.sm3);
    if (item.has_size) {
        show_number(show, "size", item.size);
    }
    if (item.media_type.len > 0) {
        show_text(show, "media type", item.media_type);
    }
    if (item.ref.len > 0) {
        show_hex(show, "ref", item.ref);
    }
    if (item.phase.len > 0) {
        show_text(show, "phase", item.phase);
    }
    if (item.has_commitment) {
        show_hash(show, "commitment", &item.commitment);
    }
    show->depth--;
}

static const char *purpose_name(enum purpose purpose)
{
    switch (purpose) {
    case PURPOSE_MEMBER:
        return "member";
    case PURPOSE_FOREIGN:
        return "foreign";
    case PURPOSE_RECEIPT:
        return "receipt";
    case PURPOSE_CHECKPOINT:
        return "checkpoint";
    case PURPOSE_CONSENSUS:
        return "consensus";
    case PURPOSE_TRANSPORT:
        return "transport";
    }
    return "unknown";
}

void show_record(struct show *show, struct bytes in)
{
    struct key_record record;
    struct hash kid;
    enum err err = key_record_parse(&record, NULL, in);
    if (err != OK) {
        show_unreadable(show, "key record", err, in);
        return;
    }
    sha256(&kid, record.spki);
    show_title(show, "key record");
    show->depth++;
    show_hash(show, "kid", &kid);
    show_hex(show, "public key", record.spki);
    show_format(show, "alg", "%d, %s", (int)record.alg, alg_name(record.alg));
    show_format(show, "purpose", "%s", purpose_name(record.purpose));
    show_text(show, "member", record.member);
    show_number(show, "registered at index", record.from);
    if (record.has_until) {
        show_number(show, "ended before index", record.until);
    }
    if (record.rp_id.len > 0) {
        show_text(show, "relying party", record.rp_id);
    }
    for (size_t i = 0; i < record.origin_count; i++) {
        show_text(show, "origin", record.origins[i]);
    }
    for (size_t i = 0; i < record.name_count; i++) {
        show_hex(show, "name", record.names[i]);
    }
    show->depth--;
}

static void statement_lines(struct show *show, const struct statement *statement)
{
    show_format(show, "alg", "%" PRId64, statement->alg);
    if (statement->content_type.len > 0) {
        show_text(show, "content type", statement->content_type);
    }
    show_hex(show, "kid", statement->kid);
    show_text(show, "iss", statement->iss);
    show_text(show, "sub", statement->sub);
    show_number(show, "iat", statement->iat);
    if (statement->foreign) {
        if (statement->x5t.len > 0) {
            show_cbor(show, "x5t", statement->x5t);
        }
        show_hex(show, statement->envelope ? "payload, a SHA-256" : "payload",
                 statement->sign1.payload);
        return;
    }
    struct hash id;
    statement_id(&id, statement, NULL);
    show_hash(show, "statement id", &id);
    show_hash(show, "chain id", &statement->chain);
    show_time(show, "valid until", statement->valid_until);
    show_hex(show, "nonce", statement->nonce);
    if (statement->has_mandate) {
        show_hash(show, "mandate", &statement->mandate);
    }
    show_cbor(show, "body", statement->sign1.payload);
}

void show_statement(struct show *show, struct bytes in)
{
    struct statement statement;
    enum err err = statement_parse(&statement, in, NULL);
    if (err != OK) {
        show_unreadable(show, "statement", err, in);
        return;
    }
    show_title(show, statement.foreign ? "statement of another tool" : "statement");
    show->depth++;
    statement_lines(show, &statement);
    show_hex(show, "signature", statement.sign1.signature);
    show->depth--;
}

void show_receipt(struct show *show, struct bytes in)
{
    struct receipt receipt;
    enum err err = receipt_parse(&receipt, in);
    if (err != OK) {
        show_unreadable(show, "receipt", err, in);
        return;
    }
    show_title(show, "receipt");
    show->depth++;
    show_format(show, "alg", "%" PRId64, receipt.alg);
    show_hash(show, "kid", &receipt.kid);
    show_text(show, "node", receipt.iss);
    show_text(show, "chain id", receipt.sub);
    show_number(show, "iat", receipt.iat);
    show_hash(show, "header hash", &receipt.header_hash);
    if (receipt.has_path) {
        show_format(show, "inclusion proof", "index %" PRIu64 " of %" PRIu64 ", %zu hashes",
                    receipt.index, receipt.size, receipt.path.count);
    }
    show_hex(show, "signature", receipt.sign1.signature);
    show->depth--;
}

void show_request(struct show *show, struct bytes in)
{
    struct possession request = {0};
    enum err err = possession_parse(&request, in, NULL);
    /* A request whose signature fails, or can't be judged here, is shown; alg is known by then. */
    if (err != OK && request.alg == 0) {
        show_unreadable(show, "key request", err, in);
        return;
    }
    show_title(show, "key request");
    show->depth++;
    struct hash kid;
    sha256(&kid, request.spki);
    show_hash(show, "kid", &kid);
    show_format(show, "alg", "%d, %s", (int)request.alg, alg_name(request.alg));
    show_hex(show, "public key", request.spki);
    show_hash(show, "chain id", &request.chain);
    show_text(show, "member", request.member);
    show_format(show, "purpose", "%s", purpose_name(request.purpose));
    show->depth--;
}

void show_join(struct show *show, struct bytes in)
{
    struct join join;
    enum err err = join_parse(&join, in, NULL);
    if (err != OK && err != ERR_SIGNATURE) {
        show_unreadable(show, "join file", err, in);
        return;
    }
    show_title(show, "join file");
    show->depth++;
    show_text(show, "ledger", join.ledger);
    show_text(show, "organisation", join.organisation);
    show_text(show, "address of its engine", join.address);
    show_text(show, "URL of its node", join.url);
    show_hex(show, "random", join.random32);
    show_time(show, "made", join.time_ms);
    for (size_t i = 0; i < JOIN_KEYS; i++) {
        char name[32];
        struct hash kid;
        sha256(&kid, join.keys[i].spki);
        snprintf(name, sizeof name, "%s key", join_key_name((enum join_key)i));
        show_hash(show, name, &kid);
    }
    show_format(show, "its six signatures", "%s", err == OK ? "verify" : "do not all verify");
    show->depth--;
}

void show_commit(struct show *show, const char *title, struct bytes in)
{
    static const char *const names[] = {"last commit hash",     "data hash",      "validators hash",
                                        "next validators hash", "consensus hash", "app hash",
                                        "last results hash",    "evidence hash",  "proposer"};
    struct arena arena = {0};
    struct commit commit;
    enum err err = commit_parse(&commit, in, &arena);
    if (err != OK) {
        show_unreadable(show, title, err, in);
        arena_clear(&arena);
        return;
    }
    size_t votes = 0;
    for (size_t i = 0; i < commit.vote_count; i++) {
        votes += commit.votes[i].there;
    }
    show_title(show, "%s", title);
    show->depth++;
    show_text(show, "CometBFT chain id", commit.header.chain);
    show_number(show, "CometBFT height", commit.header.height);
    show_time(show, "time", comet_time_ms(&commit.header.time));
    for (size_t i = 0; i < COMET_HEADER_HASHES; i++) {
        show_hex(show, names[i], commit.header.hashes[i]);
    }
    show_number(show, "round", commit.round);
    show_format(show, "signatures", "%zu of %zu", votes, commit.vote_count);
    for (size_t i = 0; i < commit.set.count; i++) {
        show_format(show, "validator power", "%" PRIu64, commit.set.at[i].power);
        show_hash(show, "validator key", &commit.set.at[i].key);
    }
    show->depth--;
    arena_clear(&arena);
}
