/* Receipts of other nodes: what is taken, kept, set aside, and held against whom. */
#include "node_world.h"

#include "crypto/digest.h"
#include "proof/fork.h"
#include "proof/receipt.h"

#include <dirent.h>

static struct buf header_bytes(const struct header *header)
{
    struct buf out = {0};
    header_write(&out, header);
    return out;
}

/* What the node with that receipt key says of a head, as if it were `id`. */
static enum err take_as(struct world *world, const char *id, const struct signer *signer,
                        const struct header *header, enum receipt_fate *fate)
{
    struct why why = {0};
    struct buf receipt = {0};
    struct buf bytes = header_bytes(header);
    CHECK_OK(receipt_sign(&receipt, header, bytes_text(id), signer));
    enum err err =
        node_take_receipt(world->node, buf_bytes(&bytes), buf_bytes(&receipt), fate, &why);
    CHECK(err == OK || (why.field[0] && why.remedy[0]) || err == ERR_MISMATCH ||
          err == ERR_SIGNATURE);
    buf_clear(&receipt);
    buf_clear(&bytes);
    return err;
}

static enum receipt_fate take(struct world *world, const struct world_node *node,
                              const struct header *header)
{
    enum receipt_fate fate;
    CHECK_OK(take_as(world, node->id, node->receipt, header, &fate));
    return fate;
}

/* How many receipts count for the newest head. */
static size_t counted(struct world *world)
{
    struct node_receipts receipts = {0};
    struct view *view = node_view(world->node);
    CHECK_OK(node_receipts_of(world->node, view, &receipts));
    size_t count = receipts.count;
    for (size_t i = 0; i < count; i++) {
        struct receipt receipt;
        CHECK_OK(receipt_parse(&receipt, buf_bytes(&receipts.at[i])));
        CHECK(hash_equal(&receipt.header_hash, view_header_hash(view)));
    }
    view_release(view);
    node_receipts_clear(&receipts);
    return count;
}

/* The header of a block that nobody made. */
static struct header forged(struct header header)
{
    header.state_root.at[0] ^= 1;
    return header;
}

static size_t count_files(struct world *world, const char *suffix)
{
    char *path = path_join(world->dir, NODE_ACCUSATIONS);
    DIR *dir = opendir(path);
    size_t count = 0;
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        count += strstr(entry->d_name, suffix) != NULL;
    }
    if (dir) {
        closedir(dir);
    }
    free(path);
    return count;
}

static void a_receipt_of_our_head_is_kept_and_outlives_a_restart(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct world_node one = world->nodes[0];
    struct world_node two = world->nodes[1];
    struct header head = world_header(world, world_height(world));
    CHECK_UINT(counted(world), 0);
    CHECK_UINT(take(world, &one, &head), RECEIPT_KEPT);
    CHECK_UINT(take(world, &one, &head), RECEIPT_KNOWN);
    CHECK_UINT(take(world, &two, &head), RECEIPT_KEPT);
    CHECK_UINT(counted(world), 2);
    CHECK_OK(node_write_receipts(world->node));
    CHECK_UINT(counted(world), 2); /* from memory and store, each once */
    node_close(world->node);
    world_open(world);
    CHECK_UINT(counted(world), 2);
    world_block(world);
    CHECK_UINT(counted(world), 0);
    world_free(world);
}

/* Makes the block that the ledger would make of nothing but time. */
static void what_comes_before_its_block_waits_for_it(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct world_node one = world->nodes[0];
    struct world_node two = world->nodes[1];
    struct header next = world_header(world, world_height(world));
    next.height++;
    CHECK_UINT(take(world, &one, &next), RECEIPT_WAITS);
    CHECK_UINT(take(world, &one, &next), RECEIPT_KNOWN);
    struct node_claim claims[4];
    CHECK_UINT(node_claims(world->node, next.height, claims, 4), 1);
    CHECK(!claims[0].ours && strcmp(claims[0].member, "org2-node") == 0);
    struct header far = next;
    far.height += RECEIPTS_AHEAD;
    CHECK_UINT(take(world, &two, &far), RECEIPT_FAR);
    CHECK_UINT(counted(world), 0);
    CHECK_UINT(node_known_height(world->node), far.height);
    world_block(world); /* another block than the one that was signed */
    CHECK_OK(node_write_receipts(world->node));
    CHECK_UINT(counted(world), 0);
    CHECK_UINT(count_files(world, ".half"), 1);
    struct node_accused accused[2];
    CHECK_UINT(node_accusations(world->node, accused, 2), 1);
    CHECK(!accused[0].whole && accused[0].counts); /* one node against one is no majority */
    CHECK_UINT(node_claims(world->node, next.height, claims, 4), 1);
    CHECK(!claims[0].ours);
    world_free(world);
}

static void who_signs_two_heads_is_accused_and_counts_no_more(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct world_node liar = world->nodes[0];
    struct world_node good = world->nodes[1];
    struct why why = {0};
    struct header head = world_header(world, world_height(world));
    struct header other = forged(head);
    CHECK_UINT(take(world, &good, &head), RECEIPT_KEPT);
    CHECK_UINT(take(world, &liar, &head), RECEIPT_KEPT);
    CHECK_UINT(take(world, &liar, &other), RECEIPT_DIFFERS);
    CHECK_UINT(take(world, &liar, &other), RECEIPT_DIFFERS); /* said once */
    CHECK_UINT(counted(world), 1);
    CHECK_UINT(count_files(world, ".fork"), 1);
    struct node_accused accused[2];
    CHECK_UINT(node_accusations(world->node, accused, 2), 1);
    CHECK(accused[0].whole && !accused[0].counts && strcmp(accused[0].member, "org2-node") == 0);

    struct buf header = {0};
    struct buf receipt = {0};
    struct fork_side sides[2];
    struct buf parts[4] = {{0}};
    for (size_t i = 0; i < 2; i++) {
        CHECK(node_contradicting(world->node, i, &parts[2 * i], &parts[2 * i + 1]));
        sides[i] = (struct fork_side){.header = buf_bytes(&parts[2 * i]),
                                      .receipt = buf_bytes(&parts[2 * i + 1])};
    }
    CHECK(!node_contradicting(world->node, 2, &header, &receipt));
    CHECK_OK(fork_heads_check(sides, signer_pubkey(liar.receipt), &why));
    for (size_t i = 0; i < 4; i++) {
        buf_clear(&parts[i]);
    }
    CHECK_OK(node_write_receipts(world->node));
    node_close(world->node);
    world_open(world);
    CHECK_UINT(counted(world), 1); /* the accusation was read again */
    world_free(world);
}

static void a_half_becomes_whole_with_the_other_head(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct world_node liar = world->nodes[0];
    struct header head = world_header(world, world_height(world));
    struct header other = forged(head);
    CHECK_UINT(take(world, &liar, &other), RECEIPT_DIFFERS);
    CHECK_UINT(count_files(world, ".half"), 1);
    CHECK_UINT(count_files(world, ".fork"), 0);
    CHECK_UINT(take(world, &liar, &head), RECEIPT_KEPT);
    CHECK_UINT(count_files(world, ".fork"), 1);
    CHECK_UINT(counted(world), 0);
    world_free(world);
}

static void two_heads_of_a_height_that_is_still_to_come_are_two_heads(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct world_node liar = world->nodes[0];
    struct header next = world_header(world, world_height(world));
    next.height += 2;
    struct header other = forged(next);
    CHECK_UINT(take(world, &liar, &next), RECEIPT_WAITS);
    CHECK_UINT(take(world, &liar, &other), RECEIPT_DIFFERS);
    CHECK_UINT(count_files(world, ".fork"), 1);
    world_free(world);
}

static void what_no_receipt_key_of_the_ledger_signed_is_refused(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct world_node one = world->nodes[0];
    enum receipt_fate fate;
    struct header head = world_header(world, world_height(world));
    struct signer *stranger = fresh_signer();
    CHECK_ERR(take_as(world, "org2-node", stranger, &head, &fate), ERR_KEY);
    CHECK_ERR(take_as(world, "org2-node", one.transport, &head, &fate), ERR_KEY);
    CHECK_ERR(take_as(world, "operator", world->operator_key, &head, &fate), ERR_KEY);
    CHECK_ERR(take_as(world, "org3-node", one.receipt, &head, &fate), ERR_KEY);
    const struct signer *late[] = {stranger};
    const enum purpose purposes[] = {PURPOSE_RECEIPT};
    world_register(world, "late-node", MEMBER_NODE, "node", late, purposes, 1);
    CHECK_ERR(take_as(world, "late-node", stranger, &head, &fate), ERR_KEY); /* not good there */
    struct header now = world_header(world, world_height(world));
    CHECK_OK(take_as(world, "late-node", stranger, &now, &fate));
    struct header foreign = head;
    foreign.chain.at[0] ^= 1;
    CHECK_ERR(take_as(world, "org2-node", one.receipt, &foreign, &fate), ERR_MISMATCH);
    foreign = head;
    foreign.epoch++;
    CHECK_ERR(take_as(world, "org2-node", one.receipt, &foreign, &fate), ERR_MISMATCH);
    CHECK_UINT(counted(world), 1);
    signer_free(stranger);
    world_free(world);
}

static void an_altered_receipt_or_header_is_refused(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct world_node one = world->nodes[0];
    enum receipt_fate fate;
    struct why why = {0};
    struct header head = world_header(world, world_height(world));
    struct buf bytes = header_bytes(&head);
    struct buf receipt = {0};
    CHECK_OK(receipt_sign(&receipt, &head, bytes_text(one.id), one.receipt));
    for (size_t i = 0; i < receipt.len; i++) {
        receipt.at[i] ^= 1;
        CHECK(node_take_receipt(world->node, buf_bytes(&bytes), buf_bytes(&receipt), &fate, &why) !=
              OK);
        receipt.at[i] ^= 1;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.at[i] ^= 1;
        CHECK(node_take_receipt(world->node, buf_bytes(&bytes), buf_bytes(&receipt), &fate, &why) !=
              OK);
        bytes.at[i] ^= 1;
    }
    buf_grow(&receipt, PUSHED_RECEIPT_MAX);
    CHECK_ERR(node_take_receipt(world->node, buf_bytes(&bytes), buf_bytes(&receipt), &fate, &why),
              ERR_RANGE);
    CHECK_UINT(counted(world), 0);
    CHECK_UINT(node_accusations(world->node, NULL, 0), 0);
    buf_clear(&bytes);
    buf_clear(&receipt);
    world_free(world);
}

static void our_own_receipt_is_made_once_for_each_block(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct why why = {0};
    world_block(world);
    for (uint64_t height = 0; height <= world_height(world); height++) {
        struct buf header = {0};
        struct buf first = {0};
        struct buf again = {0};
        struct receipt receipt;
        struct header want = world_header(world, height);
        struct hash hash;
        CHECK_OK(node_own_receipt(world->node, height, &header, &first, &why));
        CHECK_OK(node_own_receipt(world->node, height, &header, &again, &why));
        CHECK_BYTES(buf_bytes(&again), buf_bytes(&first));
        CHECK_OK(receipt_parse(&receipt, buf_bytes(&first)));
        header_hash(&hash, &want);
        CHECK(hash_equal(&receipt.header_hash, &hash));
        buf_clear(&header);
        buf_clear(&first);
        buf_clear(&again);
    }
    struct buf header = {0};
    struct buf receipt = {0};
    CHECK_ERR(node_own_receipt(world->node, world_height(world) + 1, &header, &receipt, &why),
              ERR_RANGE);
    CHECK_UINT(receipt.len, 0);
    buf_clear(&header);
    world_free(world);
}

static void a_node_far_behind_signs_nothing(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct world_node one = world->nodes[0];
    struct why why = {0};
    struct buf header = {0};
    struct buf receipt = {0};
    struct header far = world_header(world, world_height(world));
    far.height += 100;
    CHECK_UINT(take(world, &one, &far), RECEIPT_WAITS);
    CHECK_ERR(node_own_receipt(world->node, 0, &header, &receipt, &why), ERR_BUSY);
    CHECK(why.field[0] && why.remedy[0]);
    buf_clear(&header);
    buf_clear(&receipt);
    world_free(world);
}

static void a_transport_key_in_force_speaks_for_its_node(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct world_node one = world->nodes[0];
    struct node_transport_key key;
    struct why why = {0};
    const struct hash *kid = pubkey_kid(signer_pubkey(one.transport));
    CHECK_OK(node_transport_key(world->node, kid, &key, &why));
    CHECK(strcmp(key.member, "org2-node") == 0 && key.alg == ALG_ED25519);
    CHECK(hash_equal(pubkey_kid(key.key), kid));
    node_transport_key_clear(&key);
    kid = pubkey_kid(signer_pubkey(one.receipt));
    CHECK_ERR(node_transport_key(world->node, kid, &key, &why), ERR_KEY);
    struct hash nobody = {{1}};
    CHECK_ERR(node_transport_key(world->node, &nobody, &key, &why), ERR_KEY);

    struct buf payload = {0};
    struct member_revoke revoke = {.member = bytes_text(one.id),
                                   .has_kid = true,
                                   .kid = *pubkey_kid(signer_pubkey(one.transport)),
                                   .reason = bytes_text("lost")};
    member_revoke_write(&payload, &revoke);
    world_say(world, MEMBER_TYPE("revoke"), &payload);
    CHECK_ERR(node_transport_key(world->node, &revoke.kid, &key, &why), ERR_KEY);
    payload.len = 0;
    revoke.has_kid = false;
    revoke.member = bytes_text(world->nodes[1].id);
    member_revoke_write(&payload, &revoke);
    world_say(world, MEMBER_TYPE("revoke"), &payload);
    kid = pubkey_kid(signer_pubkey(world->nodes[1].transport));
    CHECK_ERR(node_transport_key(world->node, kid, &key, &why), ERR_KEY);
    buf_clear(&payload);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receipt_of_our_head_is_kept_and_outlives_a_restart),
        cmocka_unit_test(what_comes_before_its_block_waits_for_it),
        cmocka_unit_test(who_signs_two_heads_is_accused_and_counts_no_more),
        cmocka_unit_test(a_half_becomes_whole_with_the_other_head),
        cmocka_unit_test(two_heads_of_a_height_that_is_still_to_come_are_two_heads),
        cmocka_unit_test(what_no_receipt_key_of_the_ledger_signed_is_refused),
        cmocka_unit_test(an_altered_receipt_or_header_is_refused),
        cmocka_unit_test(our_own_receipt_is_made_once_for_each_block),
        cmocka_unit_test(a_node_far_behind_signs_nothing),
        cmocka_unit_test(a_transport_key_in_force_speaks_for_its_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
