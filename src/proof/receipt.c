#include "proof/receipt.h"

#include "codec/text.h"
#include "proof/parts.h"
#include "proof/protected.h"

#include <string.h>

#define LABEL_VDS         395
#define LABEL_VDP         396
#define LABEL_HEADER_HASH (-65802)
#define VDS_RFC9162       1
#define INCLUSION         (-1)
#define CHAIN_HEX         (2 * sizeof(struct hash))

static enum err protected_parse(struct receipt *out)
{
    struct cbor_reader reader;
    cbor_init(&reader, out->sign1.protected);
    cbor_map(&reader, 6, 6);
    protected_key(&reader, LABEL_ALG);
    out->alg = cbor_int(&reader);
    protected_key(&reader, LABEL_KID);
    out->kid = cbor_hash(&reader);
    protected_key(&reader, LABEL_CWT);
    claims_read(&reader, &out->iss, &out->sub, &out->iat);
    protected_key(&reader, LABEL_TYP);
    if (!bytes_equal(cbor_text(&reader, 1, CONTENT_TYPE_MAX), bytes_text(RECEIPT_TYP))) {
        cbor_fail(&reader, ERR_FORMAT);
    }
    protected_key(&reader, LABEL_VDS);
    cbor_expect_uint(&reader, VDS_RFC9162);
    protected_key(&reader, LABEL_HEADER_HASH);
    out->header_hash = cbor_hash(&reader);
    return cbor_end(&reader);
}

static enum err inclusion_parse(struct receipt *out, struct bytes in)
{
    struct cbor_reader reader;
    cbor_init(&reader, in);
    cbor_array(&reader, 3, 3);
    out->size = cbor_uint(&reader);
    out->index = cbor_uint(&reader);
    path_read(&reader, &out->path);
    return cbor_end(&reader);
}

/* The unprotected map is empty or holds 396 with one inclusion proof. */
static enum err unprotected_parse(struct receipt *out)
{
    struct cbor_reader reader;
    struct bytes inclusion = BYTES_NONE;
    cbor_init(&reader, out->sign1.unprotected);
    out->has_path = cbor_map(&reader, 0, 1) == 1;
    if (out->has_path) {
        protected_key(&reader, LABEL_VDP);
        cbor_map(&reader, 1, 1);
        protected_key(&reader, INCLUSION);
        cbor_array(&reader, 1, 1);
        inclusion = cbor_bytes(&reader, 1, SIZE_MAX);
    }
    TRY(cbor_end(&reader));
    return out->has_path ? inclusion_parse(out, inclusion) : OK;
}

enum err receipt_parse(struct receipt *out, struct bytes in)
{
    *out = (struct receipt){0};
    if (in.len > RECEIPT_MAX) {
        return ERR_RANGE;
    }
    TRY(sign1_parse(&out->sign1, in));
    if (!out->sign1.detached) {
        return ERR_FORMAT;
    }
    TRY(protected_parse(out));
    return unprotected_parse(out);
}

enum err receipt_sign(struct buf *out, const struct header *header, struct bytes node,
                      const struct signer *signer)
{
    struct buf protected = {0};
    struct hash hash;
    char chain[CHAIN_HEX + 1];
    header_hash(&hash, header);
    hex_write(chain, hash_bytes(&header->chain));
    cbor_put_map(&protected, 6);
    cbor_put_int(&protected, LABEL_ALG);
    cbor_put_int(&protected, signer_alg(signer));
    cbor_put_int(&protected, LABEL_KID);
    cbor_put_hash(&protected, pubkey_kid(signer_pubkey(signer)));
    cbor_put_int(&protected, LABEL_CWT);
    claims_write(&protected, node, bytes_text(chain), header->time_ms / 1000);
    cbor_put_int(&protected, LABEL_TYP);
    cbor_put_literal(&protected, RECEIPT_TYP);
    cbor_put_int(&protected, LABEL_VDS);
    cbor_put_uint(&protected, VDS_RFC9162);
    cbor_put_int(&protected, LABEL_HEADER_HASH);
    cbor_put_hash(&protected, &hash);
    enum err err =
        sign1_sign(out, buf_bytes(&protected), hash_bytes(&header->tree_root), true, signer);
    buf_clear(&protected);
    return err;
}

void receipt_with_path(struct buf *out, const struct receipt *receipt, uint64_t size,
                       uint64_t index, const struct path *path)
{
    struct buf inclusion = {0};
    struct buf unprotected = {0};
    cbor_put_array(&inclusion, 3);
    cbor_put_uint(&inclusion, size);
    cbor_put_uint(&inclusion, index);
    path_write(&inclusion, path);
    cbor_put_map(&unprotected, 1);
    cbor_put_int(&unprotected, LABEL_VDP);
    cbor_put_map(&unprotected, 1);
    cbor_put_int(&unprotected, INCLUSION);
    cbor_put_array(&unprotected, 1);
    cbor_put_bytes(&unprotected, buf_bytes(&inclusion));
    struct sign1 sign1 = receipt->sign1;
    sign1.unprotected = buf_bytes(&unprotected);
    sign1_write(out, &sign1);
    buf_clear(&inclusion);
    buf_clear(&unprotected);
}

static enum err claims_check(const struct receipt *receipt, const struct header *header,
                             struct why *why)
{
    struct hash hash;
    char chain[CHAIN_HEX + 1];
    header_hash(&hash, header);
    hex_write(chain, hash_bytes(&header->chain));
    if (!hash_equal(&hash, &receipt->header_hash)) {
        return why_say(why, ERR_MISMATCH, "header hash", NULL, "is not the head's", NULL);
    }
    if (!bytes_equal(receipt->sub, bytes_text(chain))) {
        return why_say(why, ERR_MISMATCH, "sub", NULL, "is not the chain id", NULL);
    }
    if (receipt->iat != header->time_ms / 1000) {
        return why_say(why, ERR_MISMATCH, "iat", NULL, "is not the head's second", NULL);
    }
    return OK;
}

static enum err inclusion_check(const struct receipt *receipt, const struct header *header,
                                const struct hash *leaf, struct why *why)
{
    struct hash root;
    if (receipt->size != header->tree_size) {
        return why_say(why, ERR_MISMATCH, "396", NULL, "has another size than the head", NULL);
    }
    if (leaf == NULL) {
        return OK;
    }
    enum err err = path_root(&root, leaf, receipt->index, receipt->size, receipt->path.at,
                             receipt->path.count);
    if (err != OK || !hash_equal(&root, &header->tree_root)) {
        return why_say(why, ERR_MISMATCH, "396", NULL, "does not lead to the head's root", NULL);
    }
    return OK;
}

enum err receipt_check(const struct receipt *receipt, const struct header *header,
                       const struct pubkey *key, const struct hash *leaf, struct why *why)
{
    enum alg alg;
    struct buf message = {0};
    TRY(claims_check(receipt, header, why));
    if (!hash_equal(&receipt->kid, pubkey_kid(key))) {
        return why_say(why, ERR_MISMATCH, "kid", NULL, "is another key's", NULL);
    }
    if (alg_of_header(&alg, receipt->alg) != OK || alg == ALG_WEBAUTHN || !pubkey_fits(key, alg)) {
        return why_say(why, ERR_SIGNATURE, "alg", NULL, "does not fit the key", NULL);
    }
    sig_structure_write(&message, receipt->sign1.protected, hash_bytes(&header->tree_root));
    enum err err = pubkey_verify(key, buf_bytes(&message), receipt->sign1.signature);
    buf_clear(&message);
    if (err != OK) {
        return why_say(why, err, "signature", NULL, NULL, NULL);
    }
    return receipt->has_path ? inclusion_check(receipt, header, leaf, why) : OK;
}
