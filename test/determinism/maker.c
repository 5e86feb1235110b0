/* Makes a sequence of blocks with statements of every module: taken ones, refused ones, resent
 * ones, ends of keys and members, mandates, batches, foreign statements, restarts. The choices come
 * from a seed; keys and most signatures are fresh every time, which is why the file is made once
 * and played by every build. */
#include "maker.h"

#include "crypto/digest.h"
#include "modules/evidence/evidence.h"
#include "modules/governance/governance.h"
#include "modules/member/member.h"
#include "sequence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS   1764021429000u
#define HOUR_MS    3600000u
#define KEYS_MAX   400
#define IDS_MAX    8192
#define RECENT_MAX 256
#define FOUNDERS   6

struct key {
    char member[24];
    struct signer *signer;
    struct hash kid;
    enum purpose purpose;
    bool stands; /* registered and not ended yet, as far as the maker keeps track */
};

/* What becomes of keys if a statement of the block is taken. */
struct change {
    struct key *begins;
    struct key *ends;
};

static uint64_t random_state;
static struct key keys[KEYS_MAX];
static size_t key_count;
static struct hash ids[IDS_MAX]; /* of what was said so far */
static size_t id_count;
static struct hash mandates[IDS_MAX];
static const struct key *givers[IDS_MAX];
static const struct key *agents[IDS_MAX];
static size_t mandate_count;
static struct statement_bytes recent[RECENT_MAX];
static size_t recent_count;
static struct hash chain;
static struct block_bytes block;
static struct change changes[SEQUENCE_BLOCK_MAX];
static struct player *player;
static unsigned names;

/* ---- choices */

/* splitmix64. */
static uint64_t any(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t below(uint64_t limit)
{
    return any() % limit;
}

static bool one_in(uint64_t limit)
{
    return below(limit) == 0;
}

static struct hash any_hash(void)
{
    struct hash out;
    for (size_t i = 0; i < sizeof out.at; i += 8) {
        put_u64(out.at + i, any());
    }
    return out;
}

/* A statement that was made, rarely one that never was. */
static struct hash any_id(void)
{
    return id_count == 0 || one_in(20) ? any_hash() : ids[below(id_count)];
}

static struct bytes any_reason(void)
{
    static const char *const reasons[] = {"left", "replaced by a better scan", "\u9519\u8bef",
                                          "resident 11010519491231002X", "lost"};
    return bytes_text(reasons[below(5)]);
}

static struct bytes any_role(void)
{
    static const char *const roles[] = {"depositor", "lawyer",  "witness", "court",
                                        "operator",  "auditor", "nobody"};
    return bytes_text(roles[below(one_in(4) ? 7 : 4)]);
}

/* Mostly a key that may sign. */
static struct key *any_key(enum purpose purpose)
{
    bool live = !one_in(20);
    for (size_t tries = 0; tries < 1000; tries++) {
        struct key *key = &keys[below(key_count)];
        if (key->purpose == purpose && (key->stands || !live)) {
            return key;
        }
    }
    return &keys[0];
}

static struct key *operator_or_any(void)
{
    return one_in(4) ? any_key(PURPOSE_MEMBER) : &keys[0];
}

static struct key *key_new(const char *member, enum purpose purpose)
{
    static const enum alg algs[] = {ALG_ED25519, ALG_ES256, ALG_SM2};
    if (key_count == KEYS_MAX) {
        return any_key(purpose);
    }
    struct key *key = &keys[key_count++];
    struct buf pem = {0};
    *key = (struct key){.purpose = purpose};
    snprintf(key->member, sizeof key->member, "%s", member);
    MUST(key_generate(&pem, algs[below(3)], NULL));
    MUST(signer_parse(&key->signer, buf_bytes(&pem), NULL));
    key->kid = *pubkey_kid(signer_pubkey(key->signer));
    buf_clear(&pem);
    return key;
}

/* ---- statements */

static struct statement_bytes *next_statement(void)
{
    MUST(block.count == SEQUENCE_BLOCK_MAX ? ERR_RANGE : OK);
    changes[block.count] = (struct change){0};
    struct statement_bytes *out = &block.at[block.count++];
    *out = (struct statement_bytes){0};
    return out;
}

static void note_id(struct bytes entry)
{
    struct statement statement;
    MUST(statement_parse(&statement, entry, NULL));
    if (id_count < IDS_MAX) {
        statement_id(&ids[id_count++], &statement, NULL);
    }
}

/* Most statements are well made and fresh; some are of another chain, too old, or altered. */
static struct statement_bytes *say_for(const struct key *signer, const char *type,
                                       struct buf *payload, const struct hash *mandate)
{
    struct statement_bytes *out = next_statement();
    uint8_t nonce[16];
    put_u64(nonce, any());
    put_u64(nonce + 8, any());
    uint64_t life = one_in(40) ? 26 * HOUR_MS : 1 + below(one_in(10) ? 5000 : 12 * HOUR_MS);
    struct draft draft = {.content_type = type,
                          .iss = bytes_text(one_in(100) ? "operator" : signer->member),
                          .sub = bytes_text(one_in(3) ? "" : "case-17"),
                          .iat = block.time_ms / 1000,
                          .chain = one_in(60) ? any_hash() : chain,
                          .valid_until = block.time_ms + life,
                          .nonce16 = nonce,
                          .mandate = mandate,
                          .payload = buf_bytes(payload)};
    MUST(statement_sign(&out->entry, &draft, signer->signer));
    note_id(buf_bytes(&out->entry));
    if (one_in(60)) {
        out->entry.at[out->entry.len - 1 - below(60)] ^= 1;
    }
    buf_clear(payload);
    return out;
}

/* One in eight acts under a mandate. */
static struct statement_bytes *say(const struct key *signer, const char *type, struct buf *payload)
{
    if (mandate_count > 0 && one_in(8)) {
        size_t which = below(mandate_count);
        return say_for(one_in(6) ? signer : agents[which], type, payload, &mandates[which]);
    }
    return say_for(signer, type, payload, NULL);
}

static void any_item(struct buf *out, struct hash *leaf)
{
    static const char *const types[] = {"application/pdf", "text/plain", "image/tiff"};
    static const char *const phases[] = {"signing", "payment", "audit"};
    uint8_t ref[REF_LEN];
    put_u64(ref, any());
    put_u64(ref + 8, any());
    struct item item = {.form = one_in(2) ? ITEM_BLINDED : ITEM_PLAIN,
                        .sha256 = any_hash(),
                        .sm3 = any_hash(),
                        .has_commitment = one_in(4)};
    if (item.form == ITEM_PLAIN) {
        item.has_size = true;
        item.size = any() >> below(64);
        item.media_type = one_in(2) ? bytes_text(types[below(3)]) : BYTES_NONE;
    }
    if (one_in(2)) {
        item.ref = BYTES_OF(ref);
    }
    if (one_in(3)) {
        item.phase = bytes_text(phases[below(3)]);
    }
    if (item.has_commitment) {
        item.commitment = any_hash();
    }
    size_t start = out->len;
    item_write(out, &item);
    leaf_hash(leaf, (struct bytes){out->at + start, out->len - start});
}

static void say_deposit(void)
{
    struct buf payload = {0};
    struct buf items = {0};
    struct frontier frontier = {0};
    struct deposit body = {.category = bytes_text("contract"), .has_capture = one_in(5)};
    body.count = (uint32_t)(one_in(40) ? 1 + below(1500) : 1 + below(one_in(4) ? 40 : 3));
    body.capture = body.has_capture ? any_hash() : (struct hash){0};
    for (uint32_t i = 0; i < body.count; i++) {
        struct hash leaf;
        any_item(&items, &leaf);
        frontier_append(&frontier, &leaf);
    }
    frontier_root(&frontier, &body.items_root);
    if (one_in(30)) {
        body.count++;
    }
    deposit_write(&payload, &body);
    struct statement_bytes *out = say(any_key(PURPOSE_MEMBER), DEPOSIT_TYPE, &payload);
    out->has_items = true;
    out->items = items;
}

static struct evidence_place any_place(void)
{
    return (struct evidence_place){any_id(), (uint16_t)below(one_in(10) ? 65536 : 2)};
}

static void say_about_evidence(void)
{
    struct buf payload = {0};
    const char *type = NULL;
    switch (below(3)) {
    case 0:
        evidence_supersede_write(
            &payload, &(struct evidence_supersede){any_place(), any_place(), any_reason()});
        type = EVIDENCE_TYPE("supersede");
        break;
    case 1:
        evidence_withdraw_write(&payload, &(struct evidence_withdraw){any_place(), any_reason()});
        type = EVIDENCE_TYPE("withdraw");
        break;
    case 2:
        evidence_countersign_write(&payload,
                                   &(struct evidence_countersign){any_place(), any_role()});
        type = EVIDENCE_TYPE("countersign");
        break;
    }
    say(any_key(PURPOSE_MEMBER), type, &payload);
}

/* A key request of a new key, in a buffer that the caller clears. */
static struct new_key request(struct buf *out, const char *member, enum purpose purpose,
                              struct key **made)
{
    struct key *key = *made = key_new(member, purpose);
    MUST(possession_sign(out, &chain, bytes_text(one_in(30) ? "operator" : member), purpose,
                         key->signer));
    struct new_key new = {.possession = buf_bytes(out)};
    if (purpose == PURPOSE_FOREIGN) {
        new.name_count = 1;
        new.names[0] = hash_bytes(&key->kid);
    }
    return new;
}

static void say_register(void)
{
    static const enum member_kind kinds[] = {MEMBER_INSTITUTION, MEMBER_PERSON, MEMBER_PERSON,
                                             MEMBER_APPLICATION, MEMBER_NODE};
    struct buf payload = {0};
    struct buf possession = {0};
    struct key *key;
    char name[24];
    snprintf(name, sizeof name, "m%u", names++);
    const struct key *signer = operator_or_any();
    struct member_register body = {.member = bytes_text(name),
                                   .kind = kinds[below(5)],
                                   .role_count = 1,
                                   .roles = {any_role()},
                                   .key_count = 1};
    if (body.kind != MEMBER_INSTITUTION && !one_in(3)) {
        body.institution = bytes_text(signer == &keys[0] ? "bank" : signer->member);
    }
    body.keys[0] = request(&possession, name, PURPOSE_MEMBER, &key);
    member_register_write(&payload, &body);
    say_for(signer, MEMBER_TYPE("register"), &payload, NULL);
    changes[block.count - 1].begins = key;
    buf_clear(&possession);
}

static void say_add_key(const struct key *signer, const char *member, enum purpose purpose)
{
    struct buf payload = {0};
    struct buf possession = {0};
    struct key *key;
    struct member_add_key body = {bytes_text(member), request(&possession, member, purpose, &key)};
    if (body.key.name_count > 0) {
        body.key.names[0] = bytes_text("release-key");
    }
    member_add_key_write(&payload, &body);
    say_for(signer, MEMBER_TYPE("add_key"), &payload, NULL);
    changes[block.count - 1].begins = key;
    buf_clear(&possession);
}

static void say_rotate(void)
{
    struct buf payload = {0};
    struct buf possession = {0};
    struct key *old = any_key(one_in(6) ? PURPOSE_FOREIGN : PURPOSE_MEMBER);
    if (old == &keys[0] || key_count == KEYS_MAX) {
        return;
    }
    struct key *new;
    struct member_rotate body = {old->kid, request(&possession, old->member, old->purpose, &new)};
    member_rotate_write(&payload, &body);
    say_for(one_in(2) ? old : &keys[0], MEMBER_TYPE("rotate"), &payload, NULL);
    changes[block.count - 1] = (struct change){new, old};
    buf_clear(&possession);
}

static void say_revoke(void)
{
    struct buf payload = {0};
    struct key *key = any_key(PURPOSE_MEMBER);
    struct member_revoke body = {
        .member = bytes_text(key->member), .has_kid = !one_in(4), .reason = any_reason()};
    if (key < &keys[FOUNDERS] && !one_in(5)) {
        return;
    }
    body.kid = body.has_kid ? key->kid : (struct hash){0};
    member_revoke_write(&payload, &body);
    say_for(operator_or_any(), MEMBER_TYPE("revoke"), &payload, NULL);
    changes[block.count - 1].ends = key;
}

static void say_roles(void)
{
    struct buf payload = {0};
    struct member_roles body = {.member = bytes_text(any_key(PURPOSE_MEMBER)->member),
                                .role_count = 1,
                                .roles = {any_role()}};
    member_roles_write(&payload, &body);
    say_for(operator_or_any(), MEMBER_TYPE("roles"), &payload, NULL);
}

static void say_mandate(void)
{
    struct buf payload = {0};
    const struct key *agent = any_key(PURPOSE_MEMBER);
    struct member_mandate body = {
        .agent = bytes_text(agent->member),
        .action_count = 1,
        .actions = {bytes_text(one_in(2) ? "evidence.*" : "evidence.deposit")},
        .until_ms = block.time_ms + below(48 * HOUR_MS)};
    member_mandate_write(&payload, &body);
    const struct key *giver = any_key(PURPOSE_MEMBER);
    say_for(giver, MEMBER_TYPE("mandate"), &payload, NULL);
    givers[mandate_count] = giver;
    mandates[mandate_count] = ids[id_count - 1];
    agents[mandate_count++] = agent;
}

static void say_end_mandate(void)
{
    struct buf payload = {0};
    if (mandate_count == 0) {
        return;
    }
    size_t which = below(mandate_count);
    struct member_reference body = {mandates[which]};
    member_reference_write(&payload, &body);
    say_for(one_in(5) ? any_key(PURPOSE_MEMBER) : givers[which], MEMBER_TYPE("end_mandate"),
            &payload, NULL);
}

static void say_void(void)
{
    struct buf payload = {0};
    struct member_reference body = {any_id()};
    member_reference_write(&payload, &body);
    say_for(any_key(PURPOSE_MEMBER), MEMBER_TYPE("void"), &payload, NULL);
}

/* A statement of another tool, which need not be canonical and names its key as it likes. */
static void say_foreign(void)
{
    struct buf protected = {0};
    struct buf message = {0};
    struct buf payload = {0};
    uint8_t signature[64];
    const struct key *key = any_key(PURPOSE_FOREIGN);
    cbor_put_map(&protected, 3);
    cbor_put_int(&protected, 4);
    cbor_put_bytes(&protected, one_in(2) ? bytes_text("release-key") : hash_bytes(&key->kid));
    cbor_put_int(&protected, 1);
    cbor_put_int(&protected, signer_alg(key->signer));
    cbor_put_int(&protected, 15);
    cbor_put_map(&protected, 2);
    cbor_put_int(&protected, 1);
    cbor_put_literal(&protected, "https://issuer.example");
    cbor_put_int(&protected, 2);
    cbor_put_literal(&protected, "subject");
    cbor_put_uint(&payload, below(200));
    struct sign1 sign1 = {.protected = buf_bytes(&protected), .payload = buf_bytes(&payload)};
    sig_structure_write(&message, sign1.protected, sign1.payload);
    MUST(signer_sign(key->signer, signature, buf_bytes(&message)));
    sign1.signature = BYTES_OF(signature);
    sign1_write(&next_statement()->entry, &sign1);
    buf_clear(&protected);
    buf_clear(&message);
    buf_clear(&payload);
}

/* A restart ends the receipt keys so far and begins another in the same block. */
static void say_restart(void)
{
    struct buf payload = {0};
    struct view *view = player_view(player);
    struct restart body = {.height = view_header(view)->height - one_in(5),
                           .header_hash = *view_header_hash(view),
                           .reason = bytes_text("restored from a backup")};
    for (size_t i = 0; i < key_count && body.ended_count < RESTART_KEYS_MAX; i++) {
        if (keys[i].purpose == PURPOSE_RECEIPT && keys[i].stands) {
            body.ended[body.ended_count++] = keys[i].kid;
            keys[i].stands = false;
        }
    }
    if (body.ended_count > 0) {
        restart_write(&payload, &body);
        say_for(&keys[0], RESTART_TYPE, &payload, NULL);
    }
    say_add_key(&keys[0], "node-1", PURPOSE_RECEIPT);
    view_release(view);
}

static void say_again(void)
{
    if (recent_count == 0) {
        return;
    }
    const struct statement_bytes *old =
        &recent[below(recent_count < RECENT_MAX ? recent_count : RECENT_MAX)];
    struct statement_bytes *out = next_statement();
    buf_put(&out->entry, buf_bytes(&old->entry));
    buf_put(&out->items, buf_bytes(&old->items));
    out->has_items = old->has_items;
}

static void say_something(void)
{
    uint64_t choice = below(100);
    if (choice < 35) {
        say_deposit();
    } else if (choice < 55) {
        say_about_evidence();
    } else if (choice < 63) {
        say_again();
    } else if (choice < 71) {
        say_foreign();
    } else if (choice < 76) {
        say_register();
    } else if (choice < 80) {
        struct key *whose = any_key(PURPOSE_MEMBER);
        say_add_key(operator_or_any(), whose->member, one_in(3) ? PURPOSE_FOREIGN : PURPOSE_MEMBER);
    } else if (choice < 83) {
        say_rotate();
    } else if (choice < 86) {
        say_revoke();
    } else if (choice < 89) {
        say_roles();
    } else if (choice < 94) {
        say_mandate();
    } else if (choice < 96) {
        say_end_mandate();
    } else {
        say_void();
    }
}

/* ---- the whole */

static void remember(const struct statement_bytes *statement)
{
    struct statement_bytes *slot = &recent[recent_count++ % RECENT_MAX];
    slot->entry.len = 0;
    slot->items.len = 0;
    slot->has_items = statement->has_items;
    buf_put(&slot->entry, buf_bytes(&statement->entry));
    buf_put(&slot->items, buf_bytes(&statement->items));
}

static void found(struct genesis *genesis, const char *member, enum member_kind kind,
                  const char *role, enum purpose purpose)
{
    struct key *key = key_new(member, purpose);
    key->stands = true;
    genesis->members[genesis->member_count++] = (struct genesis_member){
        .id = bytes_text(key->member),
        .kind = kind,
        .role_count = 1,
        .roles = {bytes_text(role)},
        .key_count = 1,
        .keys = {{pubkey_spki(signer_pubkey(key->signer)), signer_alg(key->signer), purpose}}};
}

static void make_genesis(struct buf *out)
{
    struct genesis *genesis = mem_zalloc(sizeof *genesis);
    genesis->name = bytes_text("determinism");
    genesis->suite = SUITE_1;
    found(genesis, "operator", MEMBER_INSTITUTION, "operator", PURPOSE_MEMBER);
    found(genesis, "node-1", MEMBER_NODE, "node", PURPOSE_RECEIPT);
    found(genesis, "bank", MEMBER_INSTITUTION, "bank", PURPOSE_MEMBER);
    found(genesis, "court", MEMBER_INSTITUTION, "court", PURPOSE_MEMBER);
    found(genesis, "lawyer", MEMBER_PERSON, "lawyer", PURPOSE_MEMBER);
    found(genesis, "agency", MEMBER_INSTITUTION, "institution", PURPOSE_FOREIGN);
    genesis_write(out, genesis);
    sha256(&chain, buf_bytes(out));
    free(genesis);
}

static void note_changes(const enum fate *fates)
{
    for (size_t i = 0; i < block.count; i++) {
        if (fates[i] == FATE_TAKEN && changes[i].begins) {
            changes[i].begins->stands = true;
        }
        if (fates[i] == FATE_TAKEN && changes[i].ends) {
            changes[i].ends->stands = false;
        }
    }
}

static void make_block(struct buf *out, unsigned number)
{
    enum fate fates[SEQUENCE_BLOCK_MAX];
    block.time_ms += one_in(50) ? below(10 * HOUR_MS) : below(3000);
    if (number % 97 == 96) {
        say_restart();
    }
    for (uint64_t count = 1 + below(one_in(10) ? 40 : 8); count > 0; count--) {
        say_something();
    }
    for (size_t i = 0; i < block.count; i++) {
        remember(&block.at[i]);
    }
    player_play(player, &block, fates);
    note_changes(fates);
    sequence_put_block(out, &block);
    block_clear(&block);
}

void sequence_make(struct buf *out, uint64_t seed, unsigned blocks)
{
    struct buf genesis = {0};
    random_state = seed;
    make_genesis(&genesis);
    block.time_ms = START_MS;
    sequence_put_start(out, buf_bytes(&genesis), block.time_ms);
    player = player_new(buf_bytes(&genesis), block.time_ms);
    for (unsigned i = 0; i < blocks; i++) {
        make_block(out, i);
    }
    player_print(player);
    player_free(player);
    buf_clear(&genesis);
    for (size_t i = 0; i < RECENT_MAX; i++) {
        buf_clear(&recent[i].entry);
        buf_clear(&recent[i].items);
    }
    for (size_t i = 0; i < key_count; i++) {
        signer_free(keys[i].signer);
    }
}
