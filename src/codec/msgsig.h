/* HTTP message signatures (RFC 9421) as this API takes them: requests that a program signs with its
 * member's key, for reads only, and what nodes of one ledger say to each other (protocol.md 8).
 *
 * A member's signature covers @method, @authority, @path, @query and, where there is a body,
 * content-digest (RFC 9530); a node's covers cairn-to, the field that names node and ledger, in the
 * place of @authority: exactly these, in any order, without parameters. Its own parameters are
 * created (within 60 s of the server's clock), nonce (1 to 64 characters, counts once), keyid (the
 * kid in lower-case hex), tag "cairn" or "cairn-node", and perhaps alg and expires. Of several
 * signatures of a request the one with that tag counts.
 *
 * A node signs its answers to nodes as well: @status, content-digest and the request's own
 * signature, so that an answer belongs to one request and is as fresh as that request's nonce. */
#ifndef CAIRN_CODEC_MSGSIG_H
#define CAIRN_CODEC_MSGSIG_H

#include "base/why.h"
#include "codec/sfields.h"
#include "crypto/signer.h"

#define MSGSIG_NONCE_MAX   64
#define MSGSIG_CREATED_MAX 60 /* seconds that `created` may lie from now, either way */

/* ---- the signature base of RFC 9421 section 2.5 */

/* Appends the value of a covered component. ERR_UNSUPPORTED if there is none such. */
typedef enum err component_fn(void *context, const struct sf_node *component, struct buf *out);
/* Appends the signature base for an inner list of components with its parameters. ERR_TYPE for what
 * is no list of strings, ERR_EXISTS for a component that stands there twice, and errors of
 * `value`. */
must_use enum err signature_base_write(struct buf *out, const struct sf_node *input,
                                       component_fn *value, void *context);

/* ---- requests */

/* Who signs: it decides the tag and what must be covered. */
enum signed_by { SIGNED_BY_MEMBER, SIGNED_BY_NODE };
/* The field that a node's requests name the receiver in. */
#define MSGSIG_TO_FIELD "Cairn-To"
#define MSGSIG_TO_MAX   160 /* bytes of its value */

/* What is covered of a request; all borrow. */
struct signed_request {
    enum signed_by by;
    const char *method;
    struct bytes authority;      /* of a member: lower case, without the scheme's own port */
    struct bytes to;             /* of a node: the value of Cairn-To */
    struct bytes target;         /* path and query as they are sent */
    struct bytes content_digest; /* the field's value; len 0: no body */
};

/* What a signature says of itself; borrows from the fields it was read from. */
struct request_signature {
    struct sf_dictionary inputs;
    const struct sf_node *input;
    struct hash kid;
    struct bytes nonce;
    uint64_t created_s;
    bool has_expires;
    uint64_t expires_s;
    struct bytes alg; /* len 0 if it is not named */
    uint8_t signature[64];
};

/* Reads the fields Signature-Input and Signature, several of one name joined with commas.
 * ERR_NOT_FOUND if no signature has our tag; ERR_EXISTS if two have; ERR_FORMAT, ERR_RANGE,
 * ERR_UNSUPPORTED (a component or parameter that is not taken); `why` names the field. */
must_use enum err request_signature_parse(struct request_signature *out, enum signed_by by,
                                          struct bytes input, struct bytes signature,
                                          struct why *why);
/* ERR_EXPIRED unless it was made within a minute of now and is not past its end. */
must_use enum err request_signature_time_check(const struct request_signature *signature,
                                               uint64_t now_ms, struct why *why);
/* Checks that it covers what the request has, and the signature with a key of `alg`. ERR_FORMAT
 * (content-digest is covered without a body, or not covered with one), ERR_SIGNATURE,
 * ERR_UNSUPPORTED (a WebAuthn key); `why` says which. */
must_use enum err request_signature_verify(const struct request_signature *signature,
                                           const struct signed_request *request,
                                           const struct pubkey *key, enum alg alg, struct why *why);

/* Appends the values of the fields Signature-Input and Signature for a request. Errors of
 * signer_sign. */
must_use enum err request_signature_write(struct buf *input, struct buf *signature,
                                          const struct signed_request *request,
                                          const struct signer *signer, uint64_t created_s);

/* Appends the value of Cairn-To: the node's member id, a blank, the chain id in hex. */
void request_to_write(struct buf *out, struct bytes node, const struct hash *chain);

/* ---- answers of nodes */

/* What is covered of an answer; borrows. */
struct signed_answer {
    unsigned status;
    struct bytes content_digest;      /* the field's value */
    const uint8_t *request_signature; /* the 64 bytes that the request was signed with */
};

/* What an answer's signature says of itself; borrows as request_signature does. */
struct answer_signature {
    struct sf_dictionary inputs;
    const struct sf_node *input;
    struct hash kid;
    uint64_t created_s;
    struct bytes alg;
    uint8_t signature[64];
};

/* Appends the values of Signature-Input and Signature for an answer. Errors of signer_sign. */
must_use enum err answer_signature_write(struct buf *input, struct buf *signature,
                                         const struct signed_answer *answer,
                                         const struct signer *signer, uint64_t created_s);
/* As request_signature_parse, for the fields of an answer. */
must_use enum err answer_signature_parse(struct answer_signature *out, struct bytes input,
                                         struct bytes signature, struct why *why);
/* ERR_SIGNATURE, ERR_UNSUPPORTED; `why` says which. */
must_use enum err answer_signature_verify(const struct answer_signature *signature,
                                          const struct signed_answer *answer,
                                          const struct pubkey *key, enum alg alg, struct why *why);

/* The name of an alg here: "ed25519", "ecdsa-p256-sha256", and ours "sm2-sm3"; NULL for
 * WebAuthn. */
const char *message_alg_name(enum alg alg);

/* ---- digests of bodies (RFC 9530) */

/* Appends a Content-Digest of SHA-256. */
void content_digest_write(struct buf *out, struct bytes body);
/* Whether the field has the body's SHA-256. ERR_FORMAT, ERR_UNSUPPORTED (no sha-256 in it),
 * ERR_MISMATCH. */
must_use enum err content_digest_check(struct bytes field, struct bytes body, struct why *why);

#endif
