#include "crypto/webauthn.h"
#include "crypto/digest.h"
#include "crypto/ecdsa.h"
#include "crypto/pubkey.h"

#include <string.h>

/* authenticatorData (Web Authentication Level 3, 6.1): rpIdHash, flags, signature counter. */
enum { FLAGS_AT = 32, HEAD_LEN = 37 };
enum { FLAG_UP = 0x01, FLAG_UV = 0x04, FLAG_AT = 0x40, FLAG_ED = 0x80 };

#define CHALLENGE_MAX 64

static enum err refuse(struct why *why, const char *field, const char *problem)
{
    return why_say(why, ERR_SIGNATURE, field, NULL, problem, NULL);
}

/* The counter is not judged: copies of one passkey share none. BE and BS say how the passkey is
 * kept, which is the institution's policy and no rule of the ledger. */
static enum err authenticator_data_check(struct bytes data, struct bytes rp_id, struct why *why)
{
    static const char field[] = "authenticatorData";
    if (data.len < HEAD_LEN) {
        return refuse(why, field, "is shorter than 37 bytes");
    }
    struct hash rp_hash;
    sha256(&rp_hash, rp_id);
    if (memcmp(data.at, rp_hash.at, sizeof rp_hash.at) != 0) {
        return refuse(why, field, "is for another relying party");
    }
    uint8_t flags = data.at[FLAGS_AT];
    if ((flags & FLAG_UP) == 0) {
        return refuse(why, field, "says that nobody was present");
    }
    if ((flags & FLAG_UV) == 0) {
        return refuse(why, field, "says that the user was not verified");
    }
    if ((flags & FLAG_AT) != 0) {
        return refuse(why, field, "carries a new credential");
    }
    /* Without AT the rest is the extension map. With ED set there is one, so at least a byte of
     * it; its contents mean nothing to the ledger and are covered by the signature. */
    bool extensions = (flags & FLAG_ED) != 0;
    if (extensions != (data.len > HEAD_LEN)) {
        return refuse(why, field, "has a length that its flags contradict");
    }
    return OK;
}

/* Takes `want` off the front of `rest`. */
static bool eat(struct bytes *rest, struct bytes want)
{
    if (rest->len < want.len || (want.len > 0 && memcmp(rest->at, want.at, want.len) != 0)) {
        return false;
    }
    *rest = (struct bytes){rest->at + want.len, rest->len - want.len};
    return true;
}

static bool eat_text(struct bytes *rest, const char *text)
{
    return eat(rest, bytes_text(text));
}

/* The string as CCDToString writes it (5.8.1.1): backslash before quote and backslash, controls
 * as \u and four lower-case digits, all else as it is. */
static bool eat_string(struct bytes *rest, struct bytes string)
{
    static const char digits[] = "0123456789abcdef";
    if (!eat_text(rest, "\"")) {
        return false;
    }
    for (size_t i = 0; i < string.len; i++) {
        uint8_t byte = string.at[i];
        char written[] = {(char)byte, 0, 0, 0, 0, 0, 0};
        if (byte == '"' || byte == '\\') {
            written[0] = '\\';
            written[1] = (char)byte;
        } else if (byte < 0x20) {
            memcpy(written, "\\u00", 4);
            written[4] = digits[byte >> 4];
            written[5] = digits[byte & 15];
        }
        if (!eat_text(rest, written)) {
            return false;
        }
    }
    return eat_text(rest, "\"");
}

/* Base64url without padding (RFC 4648, 5). */
static struct bytes base64url(char out[2 * CHALLENGE_MAX], struct bytes in)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    BUG_ON(in.len > CHALLENGE_MAX);
    size_t len = 0;
    unsigned held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < in.len; i++) {
        held = held << 8 | in.at[i];
        for (bits += 8; bits >= 6; bits -= 6) {
            out[len++] = digits[held >> (bits - 6) & 63];
        }
        held &= (1u << bits) - 1;
    }
    if (bits > 0) {
        out[len++] = digits[held << (6 - bits) & 63];
    }
    return (struct bytes){(const uint8_t *)out, len};
}

/* The limited verification algorithm (5.8.1.2): the text begins as the client must write it, and
 * `}` or `,` follows. A client writes topOrigin only after crossOrigin true, so with false there
 * is nothing else to expect before that byte. What comes after it is not looked at, as there. */
static enum err client_data_check(struct bytes json, const struct relying_party *party,
                                  struct bytes challenge, struct why *why)
{
    static const char field[] = "clientDataJSON";
    char text[2 * CHALLENGE_MAX];
    struct bytes rest = json;
    if (!eat_text(&rest, "{\"type\":\"webauthn.get\",\"challenge\":")) {
        return refuse(why, field, "does not begin as an assertion's");
    }
    if (!eat_string(&rest, base64url(text, challenge)) || !eat_text(&rest, ",\"origin\":")) {
        return refuse(why, field, "answers another challenge");
    }
    bool listed = false;
    for (size_t i = 0; i < party->origin_count && !listed; i++) {
        struct bytes after = rest;
        listed = eat_string(&after, party->origins[i]);
        rest = listed ? after : rest;
    }
    if (!listed) {
        return refuse(why, field, "has an origin that the key record does not list");
    }
    if (!eat_text(&rest, ",\"crossOrigin\":false")) {
        return refuse(why, field, "does not say that it is not cross-origin");
    }
    if (!eat_text(&rest, "}") && !eat_text(&rest, ",")) {
        return refuse(why, field, "does not go on as an assertion's");
    }
    return OK;
}

enum err webauthn_check(const struct pubkey *key, const struct relying_party *party,
                        struct bytes challenge, const struct webauthn *assertion, struct why *why)
{
    uint8_t rs64[SIGNATURE_RAW_LEN];
    if (pubkey_kind(key) != KEY_P256) {
        return refuse(why, "key", "is not a P-256 key");
    }
    TRY(authenticator_data_check(assertion->authenticator_data, party->id, why));
    TRY(client_data_check(assertion->client_data_json, party, challenge, why));
    if (ecdsa_der_read(rs64, assertion->signature_der) != OK) {
        return refuse(why, "signature", "is not strict DER");
    }
    if (!p256_low_s(rs64)) {
        return refuse(why, "signature", "has a high s");
    }
    struct hash client_data_hash;
    struct hash digest;
    sha256(&client_data_hash, assertion->client_data_json);
    sha256_parts(&digest,
                 (struct bytes[]){assertion->authenticator_data, hash_bytes(&client_data_hash)}, 2);
    if (p256_verify_digest(key, &digest, rs64) != OK) {
        return refuse(why, "signature", "does not verify");
    }
    return OK;
}

enum err webauthn_verify(const struct pubkey *key, const struct relying_party *party,
                         struct bytes message, const struct webauthn *assertion, struct why *why)
{
    struct hash challenge;
    sha256(&challenge, message);
    return webauthn_check(key, party, hash_bytes(&challenge), assertion, why);
}
