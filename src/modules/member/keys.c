#include "modules/member/rules.h"

#include "crypto/digest.h"

#include <string.h>

/* Whether the state has a value under `key`, which is cleared. */
static bool stands(struct rule_context *context, struct buf *key)
{
    struct buf value = {0};
    enum err err = rule_get(context, buf_bytes(key), &value);
    buf_clear(&value);
    buf_clear(key);
    return err == OK;
}

static bool key_stands(struct rule_context *context, const struct hash *kid)
{
    struct buf key = {0};
    key_record_state_key(&key, kid);
    return stands(context, &key);
}

enum err key_in_force(struct key_record *record, struct buf *bytes, struct rule_context *context,
                      const struct hash *kid, struct why *why)
{
    bytes->len = 0;
    enum err err = rule_key_record(context, kid, bytes);
    if (err != OK) {
        return why_say(why, err, "kid", NULL, "is not the kid of a registered key", NULL);
    }
    TRY(key_record_parse(record, NULL, buf_bytes(bytes)));
    if (record->has_until) {
        return why_say(why, ERR_EXISTS, "kid", NULL, "is of a key that was ended before", NULL);
    }
    return OK;
}

/* The request is a signature by the new key: for a WebAuthn key an assertion under the settings
 * that the record will have. */
static enum err possession_get(struct possession *out, const struct new_key *key, struct why *why)
{
    if (key->rp_id.len > 0) {
        return possession_parse_webauthn(out, key->possession, key->rp_id, key->origins,
                                         key->origin_count, why);
    }
    return possession_parse(out, key->possession, why);
}

static enum err purpose_check(const struct key_owner *owner, const struct possession *request,
                              const struct new_key *key, struct why *why)
{
    enum purpose purpose = request->purpose;
    bool order_key = purpose == PURPOSE_CONSENSUS || purpose == PURPOSE_TRANSPORT;
    bool node_key = purpose == PURPOSE_RECEIPT || purpose == PURPOSE_CHECKPOINT || order_key;
    if (owner->purpose != 0 && purpose != owner->purpose) {
        return why_say(why, ERR_MISMATCH, "purpose", NULL, "is not that of the key it replaces",
                       "Make a key request for the same purpose.");
    }
    if (node_key && owner->record->kind != MEMBER_NODE) {
        return why_say(why, ERR_REFUSED, "purpose", NULL, "is for members of kind node", NULL);
    }
    if (node_key && owner->by != AUTHORITY_OPERATOR) {
        return why_say(why, ERR_REFUSED, "purpose", NULL, "is for the operator to register", NULL);
    }
    if (order_key && request->alg != ALG_ED25519) {
        return why_say(why, ERR_REFUSED, "alg", NULL, "is not that of keys for ordering",
                       "Make an Ed25519 key.");
    }
    if (purpose != PURPOSE_MEMBER && request->alg == ALG_WEBAUTHN) {
        return why_say(why, ERR_REFUSED, "rp", NULL, "is for member keys",
                       "An authenticator signs for a person.");
    }
    if (purpose != PURPOSE_FOREIGN && key->name_count > 0) {
        return why_say(why, ERR_FORMAT, "names", NULL, "are for foreign keys", NULL);
    }
    return OK;
}

static enum err request_check(struct rule_context *context, const struct key_owner *owner,
                              const struct possession *request, const struct new_key *key,
                              struct why *why)
{
    if (!hash_equal(&request->chain, rule_chain(context))) {
        return why_say(why, ERR_MISMATCH, "key request", NULL, "was made for another ledger",
                       "Make one with this ledger's trust file.");
    }
    if (!bytes_equal(request->member, owner->member)) {
        return why_sayf(why, ERR_MISMATCH, "key request", "names another member",
                        "Make one for the member that it is sent for.", "%.*s",
                        (int)request->member.len, (const char *)request->member.at);
    }
    TRY(purpose_check(owner, request, key, why));
    if (owner->record->key_count >= MEMBER_KEYS_MAX) {
        return why_say(why, ERR_REFUSED, "member", NULL, "has as many keys as it may have",
                       "Revoke a key that is no longer used.");
    }
    return OK;
}

/* A name finds one key for ever; one that is the kid of a registered key would find that key. */
static enum err names_put(struct rule_context *context, const struct hash *kid,
                          const struct new_key *key, struct why *why)
{
    for (size_t i = 0; i < key->name_count; i++) {
        struct bytes name = key->names[i];
        struct buf state_key = {0};
        name_state_key(&state_key, name);
        bool taken = stands(context, &state_key);
        if (!taken && name.len == sizeof kid->at) {
            struct hash other;
            memcpy(other.at, name.at, sizeof other.at);
            taken = !hash_equal(&other, kid) && key_stands(context, &other);
        }
        if (taken) {
            return why_sayf(why, ERR_EXISTS, "names", "is the name of a key already", NULL,
                            "number %zu", i + 1);
        }
        struct buf value = {0};
        name_state_key(&state_key, name);
        name_record_write(&value, kid);
        rule_put(context, buf_bytes(&state_key), buf_bytes(&value));
        buf_clear(&state_key);
        buf_clear(&value);
    }
    return OK;
}

static void record_fill(struct key_record *record, const struct possession *request,
                        const struct new_key *key, uint64_t index)
{
    *record = (struct key_record){
        .spki = request->spki,
        .alg = request->alg,
        .purpose = request->purpose,
        .member = request->member,
        .from = index,
        .rp_id = key->rp_id,
        .origin_count = key->origin_count,
        .name_count = key->name_count,
    };
    memcpy(record->origins, key->origins, sizeof record->origins);
    memcpy(record->names, key->names, sizeof record->names);
}

/* What stands in the state must always read again, so the written record is read once. */
static enum err record_put(struct rule_context *context, const struct hash *kid,
                           const struct key_record *record)
{
    struct buf value = {0};
    struct buf state_key = {0};
    struct key_record again;
    key_record_write(&value, record);
    enum err err = key_record_parse(&again, NULL, buf_bytes(&value));
    if (err == OK) {
        key_record_state_key(&state_key, kid);
        rule_put(context, buf_bytes(&state_key), buf_bytes(&value));
    }
    buf_clear(&state_key);
    buf_clear(&value);
    return err;
}

enum err key_begin(struct rule_context *context, const struct key_owner *owner,
                   const struct new_key *key, struct why *why)
{
    struct possession request;
    struct key_record record;
    struct hash kid;
    TRY(possession_get(&request, key, why));
    TRY(request_check(context, owner, &request, key, why));
    sha256(&kid, request.spki);
    if (key_stands(context, &kid)) {
        return why_say(why, ERR_EXISTS, "key request", NULL, "is of a key that was registered",
                       "A key is registered once, for ever: make a new one.");
    }
    record_fill(&record, &request, key, rule_index(context));
    TRY(record_put(context, &kid, &record));
    TRY(names_put(context, &kid, key, why));
    owner->record->keys[owner->record->key_count++] = kid;
    return OK;
}
