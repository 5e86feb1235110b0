#include "ledger/genesis.h"

#include "proof/header.h"

#include <string.h>

static bool member_known(const struct genesis *genesis, size_t count, struct bytes id)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(genesis->members[i].id, id)) {
            return true;
        }
    }
    return false;
}

static bool key_known(const struct genesis *genesis, const struct genesis_key *key)
{
    for (size_t i = 0; i < genesis->member_count; i++) {
        const struct genesis_member *member = &genesis->members[i];
        for (size_t j = 0; j < member->key_count; j++) {
            if (&member->keys[j] == key) {
                return false;
            }
            if (bytes_equal(member->keys[j].spki, key->spki)) {
                return true;
            }
        }
    }
    return false;
}

static void read_key(struct cbor_reader *reader, struct genesis_key *out)
{
    cbor_array(reader, 3, 3);
    out->spki = cbor_bytes(reader, 1, SPKI_MAX);
    int64_t number = cbor_int(reader);
    enum err err = alg_parse(&out->alg, number);
    if (err != OK) {
        cbor_fail(reader, err);
    }
    uint64_t purpose = cbor_uint(reader);
    if (purpose < PURPOSE_MEMBER || purpose > PURPOSE_TRANSPORT) {
        cbor_fail(reader, ERR_RANGE);
    }
    out->purpose = (enum purpose)purpose;
}

static void read_member(struct cbor_reader *reader, struct genesis_member *out)
{
    cbor_array(reader, 5, 5);
    out->id = cbor_text(reader, 1, MEMBER_ID_MAX);
    out->role_count = member_standing_read(reader, &out->kind, &out->institution, out->roles);
    out->key_count = cbor_array(reader, 1, GENESIS_KEYS_MAX);
    for (size_t i = 0; i < out->key_count; i++) {
        read_key(reader, &out->keys[i]);
    }
}

static enum err read_document(struct genesis *out, struct bytes in)
{
    struct cbor_reader reader;
    cbor_init(&reader, in);
    cbor_array(&reader, 5, 5);
    cbor_version(&reader, 1);
    struct hash random = cbor_hash(&reader);
    memcpy(out->random32, random.at, sizeof out->random32);
    out->name = cbor_text(&reader, 1, LEDGER_NAME_MAX);
    out->suite = cbor_uint(&reader);
    if (out->suite != SUITE_1) {
        cbor_fail(&reader, ERR_UNSUPPORTED);
    }
    out->member_count = cbor_array(&reader, 1, GENESIS_MEMBERS_MAX);
    for (size_t i = 0; i < out->member_count; i++) {
        read_member(&reader, &out->members[i]);
    }
    return cbor_end(&reader);
}

static bool orders(enum purpose purpose)
{
    return purpose == PURPOSE_CONSENSUS || purpose == PURPOSE_TRANSPORT;
}

/* CometBFT takes Ed25519, and signs in the name of a node. */
static enum err check_ordering_key(const struct genesis_member *member,
                                   const struct genesis_key *key, struct why *why)
{
    if (!orders(key->purpose)) {
        return OK;
    }
    if (key->alg != ALG_ED25519) {
        return why_say(why, ERR_UNSUPPORTED, "genesis key", alg_name(key->alg),
                       "is no key for ordering blocks", "It must be an Ed25519 key.");
    }
    if (member->kind != MEMBER_NODE) {
        return why_sayf(why, ERR_KEY, "genesis key",
                        "is of a purpose that only members of kind node have", NULL, "%.*s",
                        (int)member->id.len, (const char *)member->id.at);
    }
    return OK;
}

/* A node takes part in ordering with one key for each of the two purposes, or not at all. */
static enum err check_ordering_keys(const struct genesis_member *member, struct why *why)
{
    size_t consensus = 0;
    size_t transport = 0;
    for (size_t i = 0; i < member->key_count; i++) {
        TRY(check_ordering_key(member, &member->keys[i], why));
        consensus += member->keys[i].purpose == PURPOSE_CONSENSUS;
        transport += member->keys[i].purpose == PURPOSE_TRANSPORT;
    }
    if (consensus != transport || consensus > 1) {
        return why_sayf(why, ERR_KEY, "genesis member",
                        "needs one consensus key and one transport key", NULL, "%.*s",
                        (int)member->id.len, (const char *)member->id.at);
    }
    return OK;
}

static enum err check_key(const struct genesis *genesis, const struct genesis_key *key,
                          struct why *why)
{
    if (key_known(genesis, key)) {
        return why_say(why, ERR_EXISTS, "genesis key", NULL, "is listed twice", NULL);
    }
    /* A WebAuthn key needs settings that this document has no place for. */
    struct pubkey *parsed;
    enum err err = pubkey_parse(&parsed, key->spki);
    if (err == OK) {
        err = pubkey_fits(parsed, key->alg) && key->alg != ALG_WEBAUTHN ? OK : ERR_KEY;
        pubkey_free(parsed);
    }
    return err == OK ? OK : why_say(why, err, "genesis key", alg_name(key->alg), NULL, NULL);
}

static enum err check_member(const struct genesis *genesis, size_t number, struct why *why)
{
    const struct genesis_member *member = &genesis->members[number];
    if (member_known(genesis, number, member->id)) {
        return why_sayf(why, ERR_EXISTS, "genesis member", "is listed twice", NULL, "%.*s",
                        (int)member->id.len, (const char *)member->id.at);
    }
    if (member->institution.len > 0 && !member_known(genesis, number, member->institution)) {
        return why_sayf(why, ERR_NOT_FOUND, "institution", "is not listed before its members", NULL,
                        "%.*s", (int)member->institution.len, (const char *)member->institution.at);
    }
    for (size_t i = 0; i < member->key_count; i++) {
        TRY(check_key(genesis, &member->keys[i], why));
    }
    return check_ordering_keys(member, why);
}

enum err genesis_parse(struct genesis *out, struct bytes in, struct why *why)
{
    *out = (struct genesis){0};
    if (in.len > GENESIS_MAX) {
        return why_say(why, ERR_RANGE, "genesis", NULL, "is larger than an entry may be", NULL);
    }
    enum err err = read_document(out, in);
    if (err != OK) {
        return why_say(why, err, "genesis", NULL, NULL, NULL);
    }
    for (size_t i = 0; i < out->member_count; i++) {
        TRY(check_member(out, i, why));
    }
    return OK;
}

static void write_member(struct buf *out, const struct genesis_member *member)
{
    cbor_put_array(out, 5);
    cbor_put_text(out, member->id);
    member_standing_write(out, member->kind, member->institution, member->roles,
                          member->role_count);
    cbor_put_array(out, member->key_count);
    for (size_t i = 0; i < member->key_count; i++) {
        cbor_put_array(out, 3);
        cbor_put_bytes(out, member->keys[i].spki);
        cbor_put_int(out, member->keys[i].alg);
        cbor_put_uint(out, member->keys[i].purpose);
    }
}

void genesis_write(struct buf *out, const struct genesis *genesis)
{
    cbor_put_array(out, 5);
    cbor_put_uint(out, 1);
    cbor_put_bytes(out, BYTES_OF(genesis->random32));
    cbor_put_text(out, genesis->name);
    cbor_put_uint(out, genesis->suite);
    cbor_put_array(out, genesis->member_count);
    for (size_t i = 0; i < genesis->member_count; i++) {
        write_member(out, &genesis->members[i]);
    }
}
