#include "proof/cosekey.h"

#define KEY_KTY   1
#define KEY_KID   2
#define KEY_ALG   3
#define KEY_CURVE (-1)
#define KEY_X     (-2)
#define KEY_Y     (-3)

#define KTY_OKP       1
#define KTY_EC2       2
#define CURVE_P256    1
#define CURVE_ED25519 6
#define COORDINATE    32

/* The last bytes of an SPKI are the key: 32 of Ed25519, or both coordinates of a point. */
static struct bytes tail(struct bytes spki, size_t from_end)
{
    BUG_ON(spki.len < from_end);
    return (struct bytes){spki.at + spki.len - from_end, COORDINATE};
}

static int64_t curve_of(enum alg alg)
{
    switch (alg) {
    case ALG_ED25519:
        return CURVE_ED25519;
    case ALG_ES256:
    case ALG_WEBAUTHN:
        return CURVE_P256;
    case ALG_SM2:
        return COSE_CURVE_SM2;
    }
    BUG_ON(true);
}

void cose_key_write(struct buf *out, const struct hash *kid, const struct key_record *record)
{
    bool okp = record->alg == ALG_ED25519;
    cbor_put_map(out, okp ? 5 : 6);
    cbor_put_uint(out, KEY_KTY);
    cbor_put_uint(out, okp ? KTY_OKP : KTY_EC2);
    cbor_put_uint(out, KEY_KID);
    cbor_put_hash(out, kid);
    cbor_put_uint(out, KEY_ALG);
    cbor_put_int(out, record->alg);
    cbor_put_int(out, KEY_CURVE);
    cbor_put_int(out, curve_of(record->alg));
    cbor_put_int(out, KEY_X);
    cbor_put_bytes(out, tail(record->spki, okp ? COORDINATE : 2 * COORDINATE));
    if (!okp) {
        cbor_put_int(out, KEY_Y);
        cbor_put_bytes(out, tail(record->spki, COORDINATE));
    }
}
