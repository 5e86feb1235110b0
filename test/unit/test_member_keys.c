#include "codec/cose.h"
#include "codec/text.h"
#include "member_world.h"

/* An assertion as an authenticator makes it, over the Sig_structure of a key request. */
static struct bytes assertion_sign(struct bytes message, const char *rp_id, const char *origin,
                                   const struct person *key)
{
    struct hash challenge;
    struct hash digest;
    uint8_t signed_bytes[37 + 32] = {0};
    uint8_t signature[64];
    struct buf client = {0};
    struct buf der = {0};
    struct buf out = {0};
    sha256(&challenge, message);
    buf_put(&client, bytes_text("{\"type\":\"webauthn.get\",\"challenge\":\""));
    base64url_put(&client, hash_bytes(&challenge));
    buf_put(&client, bytes_text("\",\"origin\":\""));
    buf_put(&client, bytes_text(origin));
    buf_put(&client, bytes_text("\",\"crossOrigin\":false}"));
    sha256(&digest, bytes_text(rp_id));
    memcpy(signed_bytes, digest.at, 32);
    signed_bytes[32] = 0x05; /* UP, UV */
    sha256(&digest, buf_bytes(&client));
    memcpy(signed_bytes + 37, digest.at, 32);
    CHECK_OK(signer_sign(key->signer, signature, BYTES_OF(signed_bytes)));
    for (unsigned half = 0; half < 2; half++) { /* r and s, as DER INTEGERs */
        struct bytes number = {signature + 32 * half, 32};
        while (number.at[0] == 0) {
            number = (struct bytes){number.at + 1, number.len - 1};
        }
        bool pad = number.at[0] >= 0x80;
        buf_put_byte(&der, 2);
        buf_put_byte(&der, (uint8_t)(number.len + pad));
        if (pad) {
            buf_put_byte(&der, 0);
        }
        buf_put(&der, number);
    }
    cbor_put_array(&out, 3);
    cbor_put_bytes(&out, (struct bytes){signed_bytes, 37});
    cbor_put_bytes(&out, buf_bytes(&client));
    cbor_put_bytes_head(&out, der.len + 2);
    buf_put_byte(&out, 0x30);
    buf_put_byte(&out, (uint8_t)der.len);
    buf_put(&out, buf_bytes(&der));
    struct bytes made = arena_copy(&arena, buf_bytes(&out));
    buf_clear(&client);
    buf_clear(&der);
    buf_clear(&out);
    return made;
}

/* A key request by a passkey: the same claims, another signature. */
static struct new_key passkey_request(const struct rule_context *world, const char *member,
                                      enum purpose purpose, const struct person *key)
{
    struct buf protected = {0};
    struct buf message = {0};
    struct buf bytes = {0};
    struct sign1 sign1;
    struct new_key out = request(world, member, purpose, key);
    CHECK_OK(sign1_parse(&sign1, out.possession));
    cbor_put_map(&protected, 3);
    cbor_put_int(&protected, 1);
    cbor_put_int(&protected, ALG_WEBAUTHN);
    cbor_put_int(&protected, 4);
    cbor_put_hash(&protected, &key->kid);
    cbor_put_int(&protected, 16);
    cbor_put_literal(&protected, "application/vnd.cairn.possession+cose");
    sign1.protected = buf_bytes(&protected);
    sig_structure_write(&message, sign1.protected, sign1.payload);
    sign1.signature =
        assertion_sign(buf_bytes(&message), "court.example", "https://court.example", key);
    sign1_write(&bytes, &sign1);
    out.possession = arena_copy(&arena, buf_bytes(&bytes));
    out.rp_id = bytes_text("court.example");
    out.origin_count = 2;
    out.origins[0] = bytes_text("https://other.example");
    out.origins[1] = bytes_text("https://court.example");
    buf_clear(&protected);
    buf_clear(&message);
    buf_clear(&bytes);
    return out;
}

static void a_passkey_is_registered_with_its_relying_party(void **state)
{
    (void)state;
    struct rule_context world = small_world();
    struct why why;
    struct member_register body = newcomer(&world, "judge", MEMBER_PERSON, "court", "court");
    struct new_key good = passkey_request(&world, "judge", PURPOSE_MEMBER, &spare[1]);

    body.keys[0] = good;
    body.keys[0].rp_id = BYTES_NONE;
    CHECK_REFUSED(SEND(&world, &court, register, &body, &why), ERR_UNSUPPORTED, "alg", why);
    body.keys[0] = good;
    body.keys[0].rp_id = bytes_text("bank.example");
    CHECK_REFUSED(SEND(&world, &court, register, &body, &why), ERR_SIGNATURE, "authenticatorData",
                  why);
    body.keys[0] = good;
    body.keys[0].origin_count = 1;
    CHECK_ERR(SEND(&world, &court, register, &body, &why), ERR_SIGNATURE);
    body.keys[0] = request(&world, "judge", PURPOSE_MEMBER, &spare[1]);
    body.keys[0].rp_id = good.rp_id;
    body.keys[0].origin_count = 1;
    body.keys[0].origins[0] = good.origins[1];
    CHECK_REFUSED(SEND(&world, &court, register, &body, &why), ERR_UNSUPPORTED, "alg", why);
    body.keys[0] = passkey_request(&world, "judge", PURPOSE_FOREIGN, &spare[1]);
    CHECK_REFUSED(SEND(&world, &court, register, &body, &why), ERR_REFUSED, "rp", why);

    body.keys[0] = good;
    CHECK_OK(SEND(&world, &court, register, &body, NULL));
    struct key_record key = key_of(&world, &spare[1]);
    CHECK(key.alg == ALG_WEBAUTHN);
    CHECK_BYTES(key.rp_id, bytes_text("court.example"));
    CHECK_UINT(key.origin_count, 2);
    CHECK_BYTES(key.origins[1], bytes_text("https://court.example"));
    fake_clear(&world);
}

/* xorshift64*, so that a failure can be run again. */
static uint64_t random_below(uint64_t *seed, uint64_t bound)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (*seed * 0x2545f4914f6cdd1dull >> 16) % bound;
}

/* One random statement about keys, from anybody, about anybody, with any of the spare keys. */
static enum err random_statement(struct rule_context *world, uint64_t *seed)
{
    static const char *const ids[] = {"op", "court", "bank", "teller", "lawyer", "new"};
    const struct person *signers[] = {&boss, &court, &bank, &teller, &lawyer};
    const struct person *keys[] = {&spare[0], &spare[1], &spare[2], &spare[3],
                                   &spare[4], &teller,   &lawyer,   &bank};
    const struct person *signer = signers[random_below(seed, 5)];
    const char *id = ids[random_below(seed, 6)];
    enum purpose purpose = random_below(seed, 4) == 0 ? PURPOSE_FOREIGN : PURPOSE_MEMBER;
    const struct person *key = keys[random_below(seed, 8)];
    struct new_key begin = request(world, id, purpose, key);
    struct member_register enter = newcomer(world, id, MEMBER_PERSON, "bank", "bank");
    struct member_add_key add = {bytes_text(id), begin};
    struct member_rotate rotate = {keys[random_below(seed, 8)]->kid, begin};
    struct member_revoke end = {bytes_text(id), random_below(seed, 3) > 0,
                                keys[random_below(seed, 8)]->kid, bytes_text("r")};
    enter.keys[0] = begin;
    switch (random_below(seed, 4)) {
    case 0:
        return SEND(world, signer, register, &enter, NULL);
    case 1:
        return SEND(world, signer, add_key, &add, NULL);
    case 2:
        return SEND(world, signer, rotate, &rotate, NULL);
    default:
        return SEND(world, signer, revoke, &end, NULL);
    }
}

/* A pair of the state that was a key record before is the same record after, or ended now. */
static void check_key_kept(struct rule_context *world, const struct fake_pair *before)
{
    size_t at;
    struct key_record old;
    struct key_record now;
    CHECK(fake_find(&world->state, buf_bytes(&before->key), &at));
    struct bytes value = buf_bytes(&world->state.pairs[at].value);
    if (bytes_equal(value, buf_bytes(&before->value))) {
        return;
    }
    CHECK_OK(key_record_parse(&old, NULL, buf_bytes(&before->value)));
    CHECK_OK(key_record_parse(&now, NULL, value));
    CHECK(!old.has_until && now.has_until && now.until == world->index);
    now.has_until = false;
    struct buf again = {0};
    key_record_write(&again, &now);
    CHECK_BYTES(buf_bytes(&again), buf_bytes(&before->value));
    buf_clear(&again);
}

static bool is_key_pair(const struct fake_pair *pair)
{
    static const uint8_t start[] = "member\0\x82\x63key";
    return pair->key.len > sizeof start && memcmp(pair->key.at, start, sizeof start - 1) == 0;
}

static void check_keys_kept(struct rule_context *world, const struct fake_state *before)
{
    for (size_t i = 0; i < before->count; i++) {
        if (is_key_pair(&before->pairs[i])) {
            check_key_kept(world, &before->pairs[i]);
        }
    }
}

/* Kids in force, counted from the key records and from the members; an operator among them. */
static void check_members_agree(struct rule_context *world)
{
    size_t in_force = 0;
    size_t listed = 0;
    for (size_t i = 0; i < world->state.count; i++) {
        struct fake_pair *pair = &world->state.pairs[i];
        struct key_record key;
        struct member_record member;
        if (is_key_pair(pair)) {
            CHECK_OK(key_record_parse(&key, NULL, buf_bytes(&pair->value)));
            in_force += key.has_until ? 0 : 1;
        } else if (member_record_parse(&member, buf_bytes(&pair->value)) == OK) {
            CHECK(!member.has_until || member.key_count == 0);
            listed += member.key_count;
        }
    }
    CHECK_UINT(in_force, listed);
    struct member_record op = member_of(world, "op");
    CHECK(!op.has_until && op.key_count > 0);
}

static void no_kid_is_ever_registered_twice(void **state)
{
    (void)state;
    uint64_t seed = 20261125;
    print_message("seed %llu\n", (unsigned long long)seed);
    unsigned accepted = 0;
    for (unsigned round = 0; round < 20; round++) {
        struct rule_context world = small_world();
        for (unsigned i = 0; i < 40; i++) {
            struct fake_state before = fake_state_copy(&world.state);
            enum err err = random_statement(&world, &seed);
            CHECK(err == OK || fake_state_equal(&before, &world.state));
            accepted += err == OK ? 1 : 0;
            check_keys_kept(&world, &before);
            check_members_agree(&world);
            fake_state_clear(&before);
        }
        fake_clear(&world);
    }
    CHECK(accepted > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_passkey_is_registered_with_its_relying_party),
        cmocka_unit_test(no_kid_is_ever_registered_twice),
    };
    return cmocka_run_group_tests_name("member keys", tests, make_cast, free_cast);
}
