/* The cast and the small world of the tests of member's rule book. */
#ifndef CAIRN_TEST_MEMBER_WORLD_H
#define CAIRN_TEST_MEMBER_WORLD_H

#include "base/arena.h"
#include "fake_rules.h"
#include "modules/member/member.h"

/* The keys are made once for all tests of a file. */
static struct person boss, court, bank, teller, lawyer, node, spare[8];
static struct arena arena; /* key requests and what else bodies borrow; cleared with the cast */

static inline int make_cast(void **state)
{
    (void)state;
    boss = person_new("op", ALG_ED25519);
    court = person_new("court", ALG_ES256);
    bank = person_new("bank", ALG_ED25519);
    teller = person_new("teller", ALG_SM2);
    lawyer = person_new("lawyer", ALG_ED25519);
    node = person_new("node-1", ALG_ED25519);
    for (size_t i = 0; i < 8; i++) {
        spare[i] = person_new("spare", i % 2 == 0 ? ALG_ED25519 : ALG_ES256);
    }
    return 0;
}

static inline int free_cast(void **state)
{
    (void)state;
    person_free(&boss);
    person_free(&court);
    person_free(&bank);
    person_free(&teller);
    person_free(&lawyer);
    person_free(&node);
    for (size_t i = 0; i < 8; i++) {
        person_free(&spare[i]);
    }
    arena_clear(&arena);
    return 0;
}

/* An operator, two institutions, a person of the bank, one of nobody, a node. */
static inline struct rule_context small_world(void)
{
    struct rule_context world = fake_ledger();
    fake_member(&world, &boss, MEMBER_INSTITUTION, NULL, "operator");
    fake_member(&world, &court, MEMBER_INSTITUTION, NULL, "court");
    fake_member(&world, &bank, MEMBER_INSTITUTION, NULL, "bank");
    fake_member(&world, &teller, MEMBER_PERSON, "bank", "bank");
    fake_member(&world, &lawyer, MEMBER_PERSON, NULL, "lawyer");
    fake_member(&world, &node, MEMBER_NODE, "court", "node");
    return world;
}

static inline struct new_key request(const struct rule_context *world, const char *member,
                                     enum purpose purpose, const struct person *key)
{
    struct buf bytes = {0};
    CHECK_OK(
        possession_sign(&bytes, &world->previous.chain, bytes_text(member), purpose, key->signer));
    struct new_key out = {.possession = arena_copy(&arena, buf_bytes(&bytes))};
    buf_clear(&bytes);
    return out;
}

/* Encodes a body with NAME_write and sends it as member.NAME. */
#define SEND(world, signer, name, body, why)                                           \
    ({                                                                                 \
        struct buf send_bytes = {0};                                                   \
        member_##name##_write(&send_bytes, body);                                      \
        enum err send_err =                                                            \
            fake_send(world, signer, MEMBER_TYPE(#name), buf_bytes(&send_bytes), why); \
        buf_clear(&send_bytes);                                                        \
        send_err;                                                                      \
    })

static inline enum err send_reference(struct rule_context *world, const struct person *signer,
                                      const char *type, const struct hash *id, struct why *why)
{
    struct buf bytes = {0};
    struct member_reference body = {*id};
    member_reference_write(&bytes, &body);
    enum err err = fake_send(world, signer, type, buf_bytes(&bytes), why);
    buf_clear(&bytes);
    return err;
}

static inline struct member_register newcomer(const struct rule_context *world, const char *id,
                                              enum member_kind kind, const char *institution,
                                              const char *role)
{
    return (struct member_register){.member = bytes_text(id),
                                    .kind = kind,
                                    .institution =
                                        institution ? bytes_text(institution) : BYTES_NONE,
                                    .role_count = 1,
                                    .roles = {bytes_text(role)},
                                    .key_count = 1,
                                    .keys = {request(world, id, PURPOSE_MEMBER, &spare[0])}};
}

static inline struct member_record member_of(struct rule_context *world, const char *id)
{
    struct buf bytes = {0};
    struct member_record record;
    CHECK_OK(rule_member_record(world, bytes_text(id), &bytes));
    CHECK_OK(member_record_parse(&record, arena_copy(&arena, buf_bytes(&bytes))));
    buf_clear(&bytes);
    return record;
}

static inline struct key_record key_of(struct rule_context *world, const struct person *key)
{
    struct buf bytes = {0};
    struct key_record record;
    CHECK_OK(rule_key_record(world, &key->kid, &bytes));
    CHECK_OK(key_record_parse(&record, NULL, arena_copy(&arena, buf_bytes(&bytes))));
    buf_clear(&bytes);
    return record;
}

#endif
