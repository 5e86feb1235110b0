/* The pieces that proofs are made of: each has one encoding, so what a parser takes its writer
 * gives back byte for byte, and nothing shorter or longer is taken. Every input goes through every
 * parser. */
#include "fuzz.h"
#include "mutate.h"
#include "proof/commit.h"
#include "proof/deposit.h"
#include "proof/keyrecord.h"
#include "proof/receipt.h"

const struct fuzz_shape fuzz_shape = {0, false};

static void check_bytes(struct buf *out, struct bytes input)
{
    BUG_ON(!bytes_equal(buf_bytes(out), input));
    out->len = 0;
}

static enum err record_parse(struct bytes in)
{
    struct key_record record;
    return key_record_parse(&record, NULL, in);
}

static void check_record(struct bytes input, struct buf *out)
{
    struct key_record record;
    struct pubkey *key;
    enum err err = key_record_parse(&record, &key, input);
    BUG_ON(record_parse(input) != err || (err == OK) != (key != NULL));
    if (err == OK) {
        BUG_ON(!bytes_equal(pubkey_spki(key), record.spki) || !pubkey_fits(key, record.alg));
        key_record_write(out, &record);
        check_bytes(out, input);
        check_whole_only(record_parse, input);
    }
    pubkey_free(key);
}

static enum err one_receipt_parse(struct bytes in)
{
    struct receipt receipt;
    return receipt_parse(&receipt, in);
}

static void check_receipt(struct bytes input, struct buf *out)
{
    struct receipt receipt;
    if (receipt_parse(&receipt, input) == OK) {
        BUG_ON(!lies_inside(receipt.iss, input) || !lies_inside(receipt.sub, input));
        if (receipt.has_path) {
            receipt_with_path(out, &receipt, receipt.size, receipt.index, &receipt.path);
        } else {
            sign1_write(out, &receipt.sign1);
        }
        check_bytes(out, input);
        check_whole_only(one_receipt_parse, input);
    }
}

static enum err one_item_parse(struct bytes in)
{
    struct item item;
    return item_parse(&item, in);
}

static void check_item(struct bytes input, struct buf *out)
{
    struct item item;
    struct bytes rest;
    enum err err = item_parse_first(&item, input, &rest);
    BUG_ON((one_item_parse(input) == OK) != (err == OK && rest.len == 0));
    if (err == OK) {
        BUG_ON((item.form == ITEM_BLINDED) == item.has_size);
        item_write(out, &item);
        check_bytes(out, (struct bytes){input.at, input.len - rest.len});
        check_whole_only(one_item_parse, (struct bytes){input.at, input.len - rest.len});
    }
}

static enum err one_header_parse(struct bytes in)
{
    struct header header;
    return header_parse(&header, in);
}

static void check_header(struct bytes input, struct buf *out)
{
    struct header header;
    if (header_parse(&header, input) == OK) {
        header_write(out, &header);
        BUG_ON(out->len > HEADER_MAX);
        check_bytes(out, input);
        check_whole_only(one_header_parse, input);
    }
}

static enum err one_commit_parse(struct bytes in)
{
    struct commit commit;
    struct arena arena = {0};
    enum err err = commit_parse(&commit, in, &arena);
    arena_clear(&arena);
    return err;
}

static void check_commit(struct bytes input, struct buf *out)
{
    struct commit commit;
    struct arena arena = {0};
    if (commit_parse(&commit, input, &arena) == OK) {
        struct hash hash;
        commit_write(out, &commit);
        check_bytes(out, input);
        check_whole_only(one_commit_parse, input);
        comet_header_hash(&hash, &commit.header);
        for (size_t i = 0; i < commit.vote_count; i++) {
            comet_vote_bytes(out, &commit, &hash, i);
        }
        out->len = 0;
        validators_hash(&hash, &commit.set);
        struct bytes stated = commit.header.hashes[COMET_VALIDATORS];
        enum err err = commit_check(&commit, &commit.set, NULL);
        BUG_ON(err == OK && !bytes_equal(hash_bytes(&hash), stated));
    }
    arena_clear(&arena);
}

static void check_possession(struct bytes input, struct buf *out)
{
    struct possession possession;
    struct bytes origin = bytes_text("https://example.org");
    enum err err = possession_parse(&possession, input, NULL);
    if (err == OK) {
        struct pubkey *key;
        BUG_ON(pubkey_parse(&key, possession.spki) != OK || !pubkey_fits(key, possession.alg));
        pubkey_free(key);
        sign1_write(out, &possession.sign1);
        check_bytes(out, input);
    }
    enum err other =
        possession_parse_webauthn(&possession, input, bytes_text("example.org"), &origin, 1, NULL);
    BUG_ON(err == OK && other == OK);
}

/* A deposit's statement id is not known here: the prefix of one that has it is enough. */
static void check_evidence_id(struct bytes input)
{
    struct hash id = {{0}};
    struct hash again = {{0}};
    uint16_t number, number_again;
    char text[EVIDENCE_ID_LEN + 1];
    if (evidence_id_read(id.at, &number, input) == OK) {
        evidence_id_write(text, &id, number);
        BUG_ON(evidence_id_read(again.at, &number_again, bytes_text(text)) != OK);
        BUG_ON(!hash_equal(&id, &again) || number != number_again);
        text[input.at[0] % 6] ^= 1;
        BUG_ON(evidence_id_read(again.at, &number_again, bytes_text(text)) == OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct buf out = {0};
    check_record(input, &out);
    check_receipt(input, &out);
    check_item(input, &out);
    check_header(input, &out);
    check_commit(input, &out);
    check_possession(input, &out);
    check_evidence_id(input);
    buf_clear(&out);
    return 0;
}
