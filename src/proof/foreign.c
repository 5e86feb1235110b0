/* Foreign statements (protocol.md 2): a COSE_Sign1 that an RFC 9943 tool signed. Its protected
 * bytes are kept as received; keys may stand in any order, and labels that this code does not know
 * are let through unless crit names them. */
#include "crypto/digest.h"
#include "proof/protected.h"

#include <string.h>
#include <strings.h>

#define LABEL_X5T      34
#define LABEL_HASH_ALG 258
#define LABEL_VDS      395
#define LABEL_CAIRN    (-65800)
#define HASH_SHA256    (-16)

static const int64_t understood[] = {1, 2, 3, 4, 15, 16, 34, 258, 259, 260};
#define UNDERSTOOD (sizeof understood / sizeof understood[0])

/* Bits by position in `understood`. */
struct seen {
    unsigned labels;
    unsigned crit;
};

static unsigned understood_bit(int64_t label)
{
    for (unsigned i = 0; i < UNDERSTOOD; i++) {
        if (understood[i] == label) {
            return 1u << i;
        }
    }
    return 0;
}

/* Whether a media type claims to be one of ours; media types know no case. */
static bool claims_cairn(struct bytes type)
{
    static const char ours[] = "vnd.cairn";
    for (size_t i = 0; i + strlen(ours) <= type.len; i++) {
        if (strncasecmp((const char *)type.at + i, ours, strlen(ours)) == 0) {
            return true;
        }
    }
    return false;
}

/* A content type or typ: a media type, or a CoAP number. */
static struct bytes type_read(struct cbor_reader *reader)
{
    struct bytes type = BYTES_NONE;
    if (cbor_peek(reader) == CBOR_UINT) {
        cbor_uint(reader);
        return type;
    }
    type = cbor_text(reader, 1, SIZE_MAX);
    if (claims_cairn(type)) {
        cbor_fail(reader, ERR_REFUSED);
    }
    return type;
}

static void crit_read(struct cbor_reader *reader, struct seen *seen)
{
    size_t count = cbor_array(reader, 1, UNDERSTOOD);
    for (size_t i = 0; i < count; i++) {
        unsigned bit = cbor_peek(reader) == CBOR_TEXT ? 0 : understood_bit(cbor_int(reader));
        if (bit == 0) {
            cbor_fail(reader, ERR_UNSUPPORTED);
        }
        seen->crit |= bit;
    }
}

/* iss and sub for people to read; other claims are let through. */
static void foreign_claims_read(struct statement *out, struct cbor_reader *reader)
{
    size_t pairs = cbor_map(reader, 0, CBOR_FOREIGN_KEYS);
    for (size_t i = 0; i < pairs; i++) {
        int64_t claim = 0;
        if (cbor_peek(reader) == CBOR_TEXT) {
            cbor_text(reader, 0, SIZE_MAX);
        } else {
            claim = cbor_int(reader);
        }
        if (claim == 1) {
            out->iss = cbor_text(reader, 0, SIZE_MAX);
        } else if (claim == 2) {
            out->sub = cbor_text(reader, 0, SIZE_MAX);
        } else if (claim == 6 && cbor_peek(reader) == CBOR_UINT) {
            out->iat = cbor_uint(reader);
        } else {
            cbor_item(reader);
        }
    }
}

/* x5t is [hash algorithm, hash]; it is compared by its encoding. */
static struct bytes x5t_read(struct cbor_reader *reader)
{
    if (cbor_peek(reader) != CBOR_ARRAY) {
        cbor_fail(reader, ERR_TYPE);
    }
    struct bytes x5t = cbor_item(reader);
    if (x5t.len > KEY_NAME_MAX) {
        cbor_fail(reader, ERR_RANGE);
    }
    return x5t;
}

static void envelope_read(struct statement *out, struct cbor_reader *reader)
{
    if (cbor_int(reader) != HASH_SHA256) {
        cbor_fail(reader, ERR_UNSUPPORTED);
    }
    out->envelope = true;
}

static void label_read(struct statement *out, struct cbor_reader *reader, struct seen *seen)
{
    if (cbor_peek(reader) == CBOR_TEXT) {
        cbor_text(reader, 0, SIZE_MAX);
        cbor_item(reader);
        return;
    }
    int64_t label = cbor_int(reader);
    seen->labels |= understood_bit(label);
    switch (label) {
    case LABEL_ALG:
        out->alg = cbor_int(reader);
        break;
    case LABEL_CRIT:
        crit_read(reader, seen);
        break;
    case LABEL_CONTENT_TYPE:
        out->content_type = type_read(reader);
        break;
    case LABEL_KID:
        out->kid = cbor_bytes(reader, 1, KEY_NAME_MAX);
        break;
    case LABEL_CWT:
        foreign_claims_read(out, reader);
        break;
    case LABEL_TYP:
        type_read(reader);
        break;
    case LABEL_X5T:
        out->x5t = x5t_read(reader);
        break;
    case LABEL_HASH_ALG:
        envelope_read(out, reader);
        break;
    case LABEL_VDS:
    case LABEL_CAIRN:
        cbor_fail(reader, ERR_REFUSED);
        break;
    default:
        cbor_item(reader);
        break;
    }
}

enum err foreign_parse(struct statement *out, struct why *why)
{
    struct cbor_reader reader;
    struct seen seen = {0};
    cbor_init_foreign(&reader, out->sign1.protected);
    size_t pairs = cbor_map(&reader, 0, CBOR_FOREIGN_KEYS);
    for (size_t i = 0; i < pairs; i++) {
        label_read(out, &reader, &seen);
    }
    enum err err = cbor_end(&reader);
    if (err != OK) {
        return why_say(why, err, "protected header", NULL, NULL, NULL);
    }
    if ((seen.labels & understood_bit(LABEL_ALG)) == 0) {
        return why_say(why, ERR_FORMAT, "alg", NULL, "is absent", NULL);
    }
    if ((seen.crit & ~seen.labels) != 0) {
        return why_say(why, ERR_FORMAT, "crit", NULL, "names a label that is absent", NULL);
    }
    if (out->kid.len == 0 && out->x5t.len == 0) {
        return why_say(why, ERR_FORMAT, "kid", NULL, "and x5t are absent", NULL);
    }
    if (out->envelope && out->sign1.payload.len != sizeof(struct hash)) {
        return why_say(why, ERR_FORMAT, "payload", NULL, "is not a SHA-256", NULL);
    }
    return OK;
}

bool statement_foreign_digests(const struct statement *statement, struct hash *sha256_out,
                               struct hash *sm3_out)
{
    struct bytes payload = statement->sign1.payload;
    if (statement->envelope && payload.len == sizeof sha256_out->at) {
        memcpy(sha256_out->at, payload.at, sizeof sha256_out->at);
        return false;
    }
    sha256(sha256_out, payload);
    sm3(sm3_out, payload);
    return true;
}
