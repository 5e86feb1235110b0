#include "ledger/regime.h"

#include "check.h"
#include "crypto/digest.h"
#include "crypto/signer.h"
#include "ledger/genesis.h"

#include <stdlib.h>
#include <string.h>

#define NODES 5

static struct signer *signers[2 * NODES + 1];
static char names[NODES][16];

static int make_signers(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= 2 * NODES; i++) {
        struct buf pem = {0};
        CHECK_OK(key_generate(&pem, i < 2 * NODES ? ALG_ED25519 : ALG_ES256, NULL));
        CHECK_OK(signer_parse(&signers[i], buf_bytes(&pem), NULL));
        buf_clear(&pem);
    }
    for (unsigned i = 0; i < NODES; i++) {
        snprintf(names[i], sizeof names[i], "org%u-node", i + 1);
    }
    return 0;
}

static int free_signers(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= 2 * NODES; i++) {
        signer_free(signers[i]);
    }
    return 0;
}

static struct genesis_key key_of(unsigned number, enum purpose purpose)
{
    return (struct genesis_key){pubkey_spki(signer_pubkey(signers[number])),
                                signer_alg(signers[number]), purpose};
}

static struct genesis *consortium(void)
{
    struct genesis *out = mem_alloc(sizeof *out);
    *out = (struct genesis){.name = bytes_text("together"), .suite = 1, .member_count = NODES};
    for (unsigned i = 0; i < NODES; i++) {
        out->members[i] = (struct genesis_member){
            .id = bytes_text(names[i]),
            .kind = MEMBER_NODE,
            .role_count = 1,
            .roles = {bytes_text("node")},
            .key_count = 2,
            .keys = {key_of(2 * i, PURPOSE_CONSENSUS), key_of(2 * i + 1, PURPOSE_TRANSPORT)}};
    }
    return out;
}

static enum err parsed(const struct genesis *genesis, struct why *why)
{
    struct buf out = {0};
    struct genesis *back = mem_alloc(sizeof *back);
    genesis_write(&out, genesis);
    enum err err = genesis_parse(back, buf_bytes(&out), why);
    free(back);
    buf_clear(&out);
    return err;
}

/* Validators whose keys end in the given number; sorted. */
static void fill(struct regime *out, size_t count)
{
    *out = (struct regime){.chain = bytes_text("cairn-00"), .from = 7, .count = count};
    for (size_t i = 0; i < count; i++) {
        out->validators[i].key.at[31] = (uint8_t)i;
        out->validators[i].key.at[30] = (uint8_t)(i >> 8);
        out->validators[i].power = 1;
        out->validators[i].node = bytes_text("n");
    }
    regime_sort(out);
}

static enum err written(const struct regime *regime)
{
    struct buf out = {0};
    struct regime *back = mem_alloc(sizeof *back);
    regime_write(&out, regime);
    enum err err = regime_parse(back, buf_bytes(&out));
    free(back);
    buf_clear(&out);
    return err;
}

static void a_regime_comes_back_as_it_was_written(void **state)
{
    (void)state;
    struct regime *regime = mem_alloc(sizeof *regime);
    struct regime *back = mem_alloc(sizeof *back);
    struct buf out = {0};
    struct buf again = {0};
    fill(regime, 4);
    regime_write(&out, regime);
    CHECK_OK(regime_parse(back, buf_bytes(&out)));
    CHECK_BYTES(back->chain, bytes_text("cairn-00"));
    CHECK_UINT(back->from, 7);
    CHECK_UINT(back->count, 4);
    CHECK_BYTES(back->validators[3].node, bytes_text("n"));
    regime_write(&again, back);
    CHECK_BYTES(buf_bytes(&again), buf_bytes(&out));
    for (size_t len = 0; len < out.len; len++) {
        uint8_t *part = mem_alloc(len);
        memcpy(part, out.at, len);
        CHECK_ERR(regime_parse(back, (struct bytes){part, len}), ERR_TRUNCATED);
        free(part);
    }
    buf_put_byte(&out, 0);
    CHECK_ERR(regime_parse(back, buf_bytes(&out)), ERR_TRAILING);
    out.at[1] = 2;
    CHECK_ERR(regime_parse(back, buf_bytes(&out)), ERR_VERSION);
    buf_clear(&out);
    buf_clear(&again);
    free(regime);
    free(back);
}

static void validators_stand_in_comet_s_order_and_in_no_other(void **state)
{
    (void)state;
    struct regime *regime = mem_alloc(sizeof *regime);
    fill(regime, 9);
    regime->validators[5].power = 3;
    regime->validators[7].power = 2;
    regime_sort(regime);
    CHECK_UINT(regime->validators[0].power, 3);
    CHECK_UINT(regime->validators[1].power, 2);
    for (size_t i = 3; i < regime->count; i++) {
        struct hash before;
        struct hash here;
        sha256(&before, hash_bytes(&regime->validators[i - 1].key));
        sha256(&here, hash_bytes(&regime->validators[i].key));
        CHECK(memcmp(before.at, here.at, 20) < 0);
    }
    CHECK_OK(written(regime));
    struct regime_validator swapped = regime->validators[3];
    regime->validators[3] = regime->validators[4];
    regime->validators[4] = swapped;
    CHECK_ERR(written(regime), ERR_FORMAT);
    free(regime);
}

static void a_regime_out_of_bounds_is_refused(void **state)
{
    (void)state;
    struct regime *regime = mem_alloc(sizeof *regime);
    fill(regime, VALIDATORS_MAX);
    CHECK_OK(written(regime));
    fill(regime, 0);
    CHECK_ERR(written(regime), ERR_RANGE);
    fill(regime, 2);
    regime->validators[1].power = 0;
    CHECK_ERR(written(regime), ERR_RANGE);
    fill(regime, 2);
    regime->validators[0].power = COMET_POWER_MAX;
    CHECK_ERR(written(regime), ERR_RANGE);
    regime->validators[0].power = COMET_POWER_MAX - 1;
    CHECK_OK(written(regime));
    regime->validators[0].power = 2;
    regime->validators[1].key = regime->validators[0].key;
    CHECK_ERR(written(regime), ERR_FORMAT);
    fill(regime, 1);
    regime->validators[0].node = BYTES_NONE;
    CHECK_ERR(written(regime), ERR_RANGE);
    fill(regime, 1);
    regime->chain = BYTES_NONE;
    CHECK_ERR(written(regime), ERR_RANGE);
    regime->chain = bytes_text("123456789012345678901234567890123456789012345678901");
    CHECK_ERR(written(regime), ERR_RANGE);
    free(regime);
}

static void an_address_is_the_begin_of_the_key_s_hash(void **state)
{
    (void)state;
    uint8_t address[COMET_ADDRESS_LEN];
    struct hash key = {{0}};
    comet_address(address, &key);
    CHECK_BYTES(BYTES_OF(address), hex("66687aadf862bd776c8fc18b8e9f8e2008971485"));
}

static void the_chain_id_of_comet_is_made_of_ours(void **state)
{
    (void)state;
    struct buf text = {0};
    struct hash chain;
    memset(chain.at, 0xab, sizeof chain.at);
    regime_chain_write(&text, &chain, 0);
    CHECK_BYTES(buf_bytes(&text), bytes_text("cairn-abababababababab"));
    text.len = 0;
    regime_chain_write(&text, &chain, UINT64_MAX);
    CHECK_BYTES(buf_bytes(&text), bytes_text("cairn-abababababababab-18446744073709551615"));
    CHECK(text.len <= COMET_CHAIN_MAX);
    text.len = 0;
    regime_state_key(&text);
    CHECK_BYTES(buf_bytes(&text), hex("8166726567696d65"));
    buf_clear(&text);
}

static void a_genesis_with_consensus_keys_has_a_regime(void **state)
{
    (void)state;
    struct genesis *genesis = consortium();
    struct regime *regime = mem_alloc(sizeof *regime);
    struct buf text = {0};
    struct hash chain = {{1}};
    CHECK(regime_of_genesis(regime, genesis, &chain, &text));
    CHECK_UINT(regime->count, NODES);
    CHECK_UINT(regime->from, 0);
    CHECK_BYTES(regime->chain, bytes_text("cairn-0100000000000000"));
    CHECK_OK(written(regime));
    for (size_t i = 0; i < NODES; i++) {
        const struct regime_validator *validator = &regime->validators[i];
        unsigned number = (unsigned)(validator->node.at[3] - '1');
        struct bytes spki = pubkey_spki(signer_pubkey(signers[2 * number]));
        CHECK_UINT(validator->power, 1);
        CHECK_BYTES(hash_bytes(&validator->key), ((struct bytes){spki.at + spki.len - 32, 32}));
    }
    for (size_t i = 0; i < NODES; i++) {
        genesis->members[i].keys[0].purpose = PURPOSE_RECEIPT;
    }
    CHECK(!regime_of_genesis(regime, genesis, &chain, &text));
    buf_clear(&text);
    free(regime);
    free(genesis);
}

static void a_genesis_names_keys_that_can_t_order(void **state)
{
    (void)state;
    struct genesis *genesis = consortium();
    struct genesis_member *member = &genesis->members[1];
    struct why why = {0};
    CHECK_OK(parsed(genesis, &why));
    member->keys[0] = key_of(2 * NODES, PURPOSE_CONSENSUS);
    CHECK_ERR(parsed(genesis, &why), ERR_UNSUPPORTED);
    assert_string_equal(why.value, "es256");
    member->keys[0] = key_of(2, PURPOSE_CONSENSUS);
    member->kind = MEMBER_APPLICATION;
    CHECK_ERR(parsed(genesis, &why), ERR_KEY);
    assert_string_equal(why.value, "org2-node");
    member->kind = MEMBER_NODE;
    member->key_count = 1;
    CHECK_ERR(parsed(genesis, &why), ERR_KEY);
    assert_string_equal(why.problem, "needs one consensus key and one transport key");
    member->keys[0].purpose = PURPOSE_TRANSPORT;
    CHECK_ERR(parsed(genesis, &why), ERR_KEY);
    member->key_count = 2;
    member->keys[0].purpose = PURPOSE_CONSENSUS;
    member->keys[1].purpose = PURPOSE_CONSENSUS;
    CHECK_ERR(parsed(genesis, &why), ERR_KEY);
    free(genesis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_regime_comes_back_as_it_was_written),
        cmocka_unit_test(validators_stand_in_comet_s_order_and_in_no_other),
        cmocka_unit_test(a_regime_out_of_bounds_is_refused),
        cmocka_unit_test(an_address_is_the_begin_of_the_key_s_hash),
        cmocka_unit_test(the_chain_id_of_comet_is_made_of_ours),
        cmocka_unit_test(a_genesis_with_consensus_keys_has_a_regime),
        cmocka_unit_test(a_genesis_names_keys_that_can_t_order),
    };
    return cmocka_run_group_tests(tests, make_signers, free_signers);
}
