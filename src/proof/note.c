/* Witness cosignatures: lines of a C2SP signed note over the head's checkpoint, of the kind
 * cosignature/v1 (C2SP tlog-cosignature). A witness key is a C2SP vkey in the trust file. */
#include "proof/checks.h"

#include "codec/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DASH           "\xe2\x80\x94 " /* an em dash and a blank begin a signature line */
#define COSIGNATURE_V1 4
#define KEY_HASH_LEN   ((size_t)4)
#define CHECKPOINT_MAX 512

struct witness {
    struct bytes name;
    uint8_t key_hash[KEY_HASH_LEN];
    uint8_t key[32];
};

/* NAME+HASH+BASE64, the key material being a type byte and an Ed25519 key. */
static bool witness_parse(struct witness *out, struct bytes vkey)
{
    struct buf material = {0};
    const uint8_t *first = memchr(vkey.at, '+', vkey.len);
    if (first == NULL) {
        return false;
    }
    out->name = (struct bytes){vkey.at, (size_t)(first - vkey.at)};
    struct bytes rest = {first + 1, vkey.len - out->name.len - 1};
    if (rest.len < 2 * KEY_HASH_LEN + 1 || rest.at[2 * KEY_HASH_LEN] != '+' ||
        hex_read(out->key_hash, KEY_HASH_LEN, (struct bytes){rest.at, 2 * KEY_HASH_LEN}) != OK) {
        return false;
    }
    struct bytes base64 = {rest.at + 2 * KEY_HASH_LEN + 1, rest.len - 2 * KEY_HASH_LEN - 1};
    bool good = base64_append(&material, base64) == OK && material.len == 33 &&
                material.at[0] == COSIGNATURE_V1;
    if (good) {
        memcpy(out->key, material.at + 1, sizeof out->key);
    }
    buf_clear(&material);
    return good;
}

/* Splits "— NAME BASE64" and decodes it: key hash, then timestamp and signature. */
static bool line_parse(struct bytes *name, struct buf *decoded, struct bytes line)
{
    size_t dash = strlen(DASH);
    if (line.len > 0 && line.at[line.len - 1] == '\n') {
        line.len--;
    }
    if (line.len < dash || memcmp(line.at, DASH, dash) != 0) {
        return false;
    }
    struct bytes rest = {line.at + dash, line.len - dash};
    const uint8_t *blank = memchr(rest.at, ' ', rest.len);
    if (blank == NULL) {
        return false;
    }
    *name = (struct bytes){rest.at, (size_t)(blank - rest.at)};
    struct bytes base64 = {blank + 1, rest.len - name->len - 1};
    return name->len > 0 && base64_append(decoded, base64) == OK;
}

/* The text that a witness signs: a line with its time, then the checkpoint. */
static void cosigned_write(struct buf *out, const struct trust *trust, const struct header *head,
                           uint64_t seconds)
{
    char text[CHECKPOINT_MAX];
    char chain[2 * sizeof head->chain.at + 1];
    hex_write(chain, hash_bytes(&head->chain));
    snprintf(text, sizeof text,
             "cosignature/v1\ntime %" PRIu64 "\n%.*s/%.16s/%" PRIu64 "\n%" PRIu64 "\n", seconds,
             (int)trust->name.len, (const char *)trust->name.at, chain, head->epoch,
             head->tree_size);
    buf_put(out, bytes_text(text));
    base64_put(out, hash_bytes(&head->tree_root));
    buf_put_byte(out, '\n');
}

static bool witness_find(struct witness *out, const struct trust *trust, struct bytes name,
                         const struct buf *decoded)
{
    for (size_t i = 0; i < trust->witness_count; i++) {
        if (witness_parse(out, trust->witnesses[i]) && bytes_equal(out->name, name) &&
            decoded->len >= KEY_HASH_LEN && memcmp(out->key_hash, decoded->at, KEY_HASH_LEN) == 0) {
            return true;
        }
    }
    return false;
}

static void note_check(struct verdict *out, const struct proof *proof, const struct trust *trust,
                       struct bytes line)
{
    struct bytes name;
    struct witness witness;
    struct buf decoded = {0};
    struct buf message = {0};
    if (!line_parse(&name, &decoded, line)) {
        verdict_add(out, CHECK_RECEIPT, OUTCOME_FAIL, "A note is not a cosignature line.");
    } else if (!witness_find(&witness, trust, name, &decoded)) {
        verdict_add(out, CHECK_RECEIPT, OUTCOME_NOT_COUNTED,
                    "A cosignature is by a witness that the trust file does not list.");
    } else if (decoded.len != KEY_HASH_LEN + 8 + 64) {
        verdict_add(out, CHECK_RECEIPT, OUTCOME_FAIL,
                    "A cosignature of a listed witness is "
                    "malformed.");
    } else {
        uint64_t seconds = get_u64(decoded.at + KEY_HASH_LEN);
        cosigned_write(&message, trust, &proof->head, seconds);
        struct bytes signature = {decoded.at + KEY_HASH_LEN + 8, 64};
        bool good = ed25519_verify(witness.key, buf_bytes(&message), signature) == OK;
        verdict_add(out, CHECK_RECEIPT, good ? OUTCOME_PASS : OUTCOME_FAIL,
                    good ? "Witness %.*s cosigned the head at %s."
                         : "The cosignature of the listed witness %.*s, of %s, is false.",
                    (int)name.len, (const char *)name.at,
                    time_text(seconds > UINT64_MAX / 1000 ? UINT64_MAX : seconds * 1000).at);
    }
    buf_clear(&decoded);
    buf_clear(&message);
}

void notes_check(struct verdict *out, const struct proof *proof, const struct trust *trust)
{
    for (size_t i = 0; i < proof->file.note_count; i++) {
        note_check(out, proof, trust, proof->file.notes[i]);
    }
}
