/* Trust files, and what carries them forward. */
#include "interop.h"
#include "mini_ledger.h"

#include "proof/checks.h"
#include "proof/trustupdate.h"

#include <dirent.h>

#define ROTATE  "application/vnd.cairn.member.rotate+cbor"
#define REVOKE  "application/vnd.cairn.member.revoke+cbor"
#define RESTART "application/vnd.cairn.governance.restart+cbor"
#define OTHER   "application/vnd.cairn.member.register+cbor"

/* A ledger whose receipt key changes in block 2, and what a reader knew at block 1. */
struct scene {
    struct mini mini;
    struct signer *operator;
    struct signer *old;
    struct signer *new;
    struct trust *trust;
    struct arena arena;
    struct trust_update update;
};

static void body_any(struct buf *out)
{
    cbor_put_array(out, 1);
    cbor_put_uint(out, 1);
}

static void trust_first(struct scene *scene)
{
    struct receipt_key key = {.spki = pubkey_spki(signer_pubkey(scene->old)),
                              .node = bytes_text("node-1")};
    struct trust_regime regime = {.key_count = 1, .keys = &key};
    struct header *known = &scene->mini.headers[1];
    struct head head = {
        .place = header_place(known), .size = known->tree_size, .root = known->tree_root};
    struct trust trust = {.name = bytes_text("Test"),
                          .chain = scene->mini.chain,
                          .regime_count = 1,
                          .regimes = &regime,
                          .head_count = 1,
                          .heads = &head};
    struct buf bytes = {0};
    header_hash(&head.hash, known);
    trust_write(&bytes, &trust);
    CHECK_OK(trust_parse(&scene->trust, buf_bytes(&bytes), NULL));
    buf_clear(&bytes);
}

/* Blocks 0 and 1; `type` is what the statement that ends the key in block 2 will be. */
static void scene_begin(struct scene *scene)
{
    struct buf body = {0};
    struct mini *mini = &scene->mini;
    *scene = (struct scene){.mini = {.chain = {{7}}},
                            .operator= mini_signer(),
                            .old = mini_signer(),
                            .new = mini_signer()};
    body_any(&body);
    mini_entry(mini, bytes_text("genesis"));
    mini_put_key(mini, scene->operator, "op", PURPOSE_MEMBER, 0, 0);
    mini_put_key(mini, scene->old, "node-1", PURPOSE_RECEIPT, 0, 0);
    mini_block(mini, 0);
    mini_statement(mini, scene->operator, "op", OTHER, buf_bytes(&body));
    mini_block(mini, 0);
    trust_first(scene);
    scene->update =
        (struct trust_update){.name = bytes_text("Test"),
                              .chain = mini->chain,
                              .steps = arena_array(&scene->arena, 4, sizeof(struct trust_step))};
    buf_clear(&body);
}

static struct bytes keep(struct scene *scene, struct buf *buf)
{
    struct bytes kept = arena_copy(&scene->arena, buf_bytes(buf));
    buf_clear(buf);
    return kept;
}

/* A step from height `from` to the newest block, acknowledged by `by`. */
static struct trust_step *step_add(struct scene *scene, size_t from, const struct signer *by)
{
    struct mini *mini = &scene->mini;
    size_t height = mini->height - 1;
    struct header *header = &mini->headers[height];
    struct trust_step *step = &scene->update.steps[scene->update.step_count++];
    struct buf bytes = {0};
    header_write(&bytes, header);
    step->header_bytes = keep(scene, &bytes);
    step->history = mini_path(mini->history, from, height);
    CHECK_OK(consistency_build(&step->consistency, mini->headers[from].tree_size, header->tree_size,
                               mini_subtree, mini->leaves));
    CHECK_OK(receipt_sign(&bytes, header, bytes_text("node-1"), by));
    step->receipts[0] = keep(scene, &bytes);
    step->receipt_count = 1;
    step->keys = arena_array(&scene->arena, 4, sizeof *step->keys);
    return step;
}

static struct logged logged(struct scene *scene, uint64_t index)
{
    struct mini *mini = &scene->mini;
    return (struct logged){.entry = buf_bytes(&mini->entries[index]),
                           .index = index,
                           .path = mini_path(mini->leaves, index, mini->size)};
}

static void key_change_add(struct scene *scene, struct trust_step *step,
                           const struct signer *signer, uint64_t ended_by)
{
    struct trust_key *change = &step->keys[step->key_count++];
    struct bytes record = mini_record(&scene->mini, signer, &change->key.siblings);
    change->key.record = arena_copy(&scene->arena, record);
    if (ended_by > 0) {
        change->ending = logged(scene, ended_by);
    }
}

/* Block 2, in which a statement of `type` replaces the old key by the new one. */
static struct trust_step *rotate(struct scene *scene, const char *type, const struct signer *by)
{
    struct buf body = {0};
    struct mini *mini = &scene->mini;
    body_any(&body);
    uint64_t index = mini->size;
    mini_statement(mini, scene->operator, "op", type, buf_bytes(&body));
    mini_put_key(mini, scene->old, "node-1", PURPOSE_RECEIPT, 0, index + 1);
    mini_put_key(mini, scene->new, "node-1", PURPOSE_RECEIPT, index, 0);
    mini_block(mini, 0);
    struct trust_step *step = step_add(scene, 1, by);
    key_change_add(scene, step, scene->old, index);
    key_change_add(scene, step, scene->new, 0);
    buf_clear(&body);
    return step;
}

/* Block 3, an ordinary one. */
static struct trust_step *go_on(struct scene *scene, const struct signer *by)
{
    struct buf body = {0};
    body_any(&body);
    mini_statement(&scene->mini, scene->operator, "op", OTHER, buf_bytes(&body));
    mini_block(&scene->mini, 0);
    buf_clear(&body);
    return step_add(scene, scene->mini.height - 2, by);
}

/* Writes the update, reads it and applies it. */
static enum err apply(struct scene *scene, struct trust **out, const struct hash *accept,
                      struct why *why)
{
    struct buf bytes = {0};
    struct buf again = {0};
    struct trust_update *update;
    trust_update_write(&bytes, &scene->update);
    CHECK_OK(trust_update_parse(&update, buf_bytes(&bytes), NULL));
    trust_update_write(&again, update);
    CHECK_BYTES(buf_bytes(&again), buf_bytes(&bytes));
    enum err err = trust_update_apply(out, scene->trust, update, accept, why);
    trust_update_free(update);
    buf_clear(&bytes);
    buf_clear(&again);
    return err;
}

static void scene_end(struct scene *scene)
{
    mini_clear(&scene->mini);
    signer_free(scene->operator);
    signer_free(scene->old);
    signer_free(scene->new);
    trust_free(scene->trust);
    arena_clear(&scene->arena);
}

static void golden_update(const struct scene *scene, const char *update, const char *trust)
{
    struct buf bytes = {0};
    trust_update_write(&bytes, &scene->update);
    golden_write(update, buf_bytes(&bytes));
    bytes.len = 0;
    trust_write(&bytes, scene->trust);
    golden_write(trust, buf_bytes(&bytes));
    buf_clear(&bytes);
}

/* Applies an update of test/vectors/golden/ and returns how many heads are known then. */
static size_t golden_heads(const char *update_name, const char *trust_name,
                           const struct hash *accept)
{
    struct buf bytes = {0};
    struct trust_update *update;
    struct trust *before;
    struct trust *after;
    golden_read(&bytes, update_name);
    CHECK_OK(trust_update_parse(&update, buf_bytes(&bytes), NULL));
    bytes.len = 0;
    golden_read(&bytes, trust_name);
    CHECK_OK(trust_parse(&before, buf_bytes(&bytes), NULL));
    CHECK_OK(trust_update_apply(&after, before, update, accept, NULL));
    size_t heads = after->head_count;
    trust_update_free(update);
    trust_free(before);
    trust_free(after);
    buf_clear(&bytes);
    return heads;
}

static void updates_of_every_version_apply(void **state)
{
    (void)state;
    struct buf accept = {0};
    struct hash hash;
    CHECK_UINT(golden_heads("rotation.trust-update", "before.trust", NULL), 3);
    golden_read(&accept, "restart.hash");
    CHECK_UINT(accept.len, sizeof hash.at);
    memcpy(hash.at, accept.at, sizeof hash.at);
    CHECK_UINT(golden_heads("restart.trust-update", "restart.trust", &hash), 3);
    buf_clear(&accept);
}

static void an_update_follows_a_rotated_key(void **state)
{
    (void)state;
    struct scene scene;
    struct trust *after;
    scene_begin(&scene);
    rotate(&scene, ROTATE, scene.old);
    go_on(&scene, scene.new);
    golden_update(&scene, "rotation.trust-update", "before.trust");
    CHECK_OK(apply(&scene, &after, NULL, NULL));
    CHECK_UINT(after->head_count, 3);
    CHECK(trust_lists(after, &scene.mini.headers[3]));
    const struct trust_regime *regime = trust_regime(after, 3);
    CHECK_UINT(regime->key_count, 2);
    CHECK(regime->keys[0].status == KEY_ROTATED && regime->keys[0].has_to);
    CHECK(regime->keys[0].to.height == 2 && regime->keys[0].ended_ms == 1700000002000);
    CHECK(regime->keys[1].from.height == 2 && !regime->keys[1].has_to);
    CHECK_BYTES(regime->keys[1].node, bytes_text("node-1"));
    trust_free(scene.trust);
    scene.trust = after;
    CHECK_ERR(apply(&scene, &after, NULL, NULL), ERR_EXISTS);
    scene_end(&scene);
}

static void a_key_joins_lists_of_any_length(void **state)
{
    (void)state;
    struct scene scene;
    struct trust *after;
    struct receipt_key keys[17];
    scene_begin(&scene);
    rotate(&scene, ROTATE, scene.old);
    struct trust_regime *regime = &scene.trust->regimes[0];
    struct receipt_key *own = regime->keys;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        keys[i] = (struct receipt_key){.spki = pubkey_spki(signer_pubkey(scene.operator)),
                                       .node = bytes_text("node-9")};
    }
    keys[0] = own[0];
    regime->keys = keys;
    for (size_t count = 1; count <= sizeof keys / sizeof *keys; count++) {
        regime->key_count = count;
        CHECK_OK(apply(&scene, &after, NULL, NULL));
        CHECK_UINT(after->regimes[0].key_count, count + 1);
        CHECK(after->regimes[0].keys[0].has_to);
        CHECK_BYTES(after->regimes[0].keys[count].spki, pubkey_spki(signer_pubkey(scene.new)));
        trust_free(after);
    }
    regime->keys = own;
    regime->key_count = 1;
    scene_end(&scene);
}

static void a_revoked_key_is_held_for_stolen(void **state)
{
    (void)state;
    struct scene scene;
    struct trust *after;
    scene_begin(&scene);
    rotate(&scene, REVOKE, scene.old);
    CHECK_OK(apply(&scene, &after, NULL, NULL));
    CHECK(trust_regime(after, 2)->keys[0].status == KEY_STOLEN);
    trust_free(after);
    scene_end(&scene);
}

/* Builds the scene anew, spoils its first step and wants this error. */
static void check_spoiled(void (*spoil)(struct scene *, struct trust_step *), enum err want)
{
    struct scene scene;
    struct trust *after = NULL;
    struct why why = {0};
    scene_begin(&scene);
    spoil(&scene, rotate(&scene, ROTATE, scene.old));
    CHECK_ERR(apply(&scene, &after, NULL, &why), want);
    CHECK(strlen(why.field) > 0 && after == NULL);
    scene_end(&scene);
}

static void spoil_signer(struct scene *scene, struct trust_step *step)
{
    struct buf bytes = {0};
    CHECK_OK(receipt_sign(&bytes, &scene->mini.headers[2], bytes_text("node-1"), scene->new));
    step->receipts[0] = keep(scene, &bytes);
}

static void spoil_node(struct scene *scene, struct trust_step *step)
{
    struct buf bytes = {0};
    CHECK_OK(receipt_sign(&bytes, &scene->mini.headers[2], bytes_text("node-2"), scene->old));
    step->receipts[0] = keep(scene, &bytes);
}

static void spoil_receipts(struct scene *scene, struct trust_step *step)
{
    (void)scene;
    step->receipt_count = 0;
}

static void spoil_history(struct scene *scene, struct trust_step *step)
{
    (void)scene;
    step->history.at[0].at[0] ^= 1;
}

static void spoil_consistency(struct scene *scene, struct trust_step *step)
{
    (void)scene;
    step->consistency.at[0].at[0] ^= 1;
}

static void spoil_record(struct scene *scene, struct trust_step *step)
{
    (void)scene;
    step->keys[1].key.siblings.at[0].at[0] ^= 1;
}

static void spoil_ending(struct scene *scene, struct trust_step *step)
{
    step->keys[0].ending = logged(scene, 1);
}

static void spoil_no_ending(struct scene *scene, struct trust_step *step)
{
    (void)scene;
    step->keys[0].ending.entry = BYTES_NONE;
}

static void spoil_purpose(struct scene *scene, struct trust_step *step)
{
    step->key_count = 0;
    key_change_add(scene, step, scene->operator, 0);
}

static void spoil_chain(struct scene *scene, struct trust_step *step)
{
    (void)step;
    scene->update.chain.at[0] ^= 1;
}

static void spoil_order(struct scene *scene, struct trust_step *step)
{
    struct header early = scene->mini.headers[1];
    struct buf bytes = {0};
    early.height = 0;
    header_write(&bytes, &early);
    step->header_bytes = keep(scene, &bytes);
}

static void spoil_fork(struct scene *scene, struct trust_step *step)
{
    struct header twin = scene->mini.headers[1];
    struct buf bytes = {0};
    twin.time_ms++;
    header_write(&bytes, &twin);
    step->header_bytes = keep(scene, &bytes);
}

static void spoil_next(struct scene *scene, struct trust_step *step)
{
    step->has_next = true;
    step->next.count = 1;
    step->next.at = arena_alloc(&scene->arena, sizeof *step->next.at);
}

static void nothing_enters_that_is_not_vouched_for(void **state)
{
    (void)state;
    check_spoiled(spoil_signer, ERR_SIGNATURE);
    check_spoiled(spoil_node, ERR_SIGNATURE);
    check_spoiled(spoil_receipts, ERR_SIGNATURE);
    check_spoiled(spoil_history, ERR_MISMATCH);
    check_spoiled(spoil_consistency, ERR_MISMATCH);
    check_spoiled(spoil_record, ERR_MISMATCH);
    check_spoiled(spoil_ending, ERR_MISMATCH);
    check_spoiled(spoil_no_ending, ERR_MISMATCH);
    check_spoiled(spoil_purpose, ERR_MISMATCH);
    check_spoiled(spoil_chain, ERR_MISMATCH);
    check_spoiled(spoil_order, ERR_MISMATCH);
    check_spoiled(spoil_fork, ERR_MISMATCH);
    check_spoiled(spoil_next, ERR_MISMATCH);
}

/* A restart in block 2, after a block 2 of the old epoch that the reader knows. */
static struct hash restart_scene(struct scene *scene)
{
    struct buf body = {0};
    struct mini *mini = &scene->mini;
    struct hash accept;
    struct trust *after;
    scene_begin(scene);
    go_on(scene, scene->old);
    CHECK_OK(apply(scene, &after, NULL, NULL));
    trust_free(scene->trust);
    scene->trust = after;
    scene->update.step_count = 0;
    scene->update.steps[0] = (struct trust_step){0};
    mini->height = 2;
    mini->size = 2;
    buf_clear(&mini->entries[2]);
    cbor_put_array(&body, 5);
    cbor_put_uint(&body, 1);
    cbor_put_uint(&body, 1);
    header_hash(&accept, &mini->headers[1]);
    cbor_put_hash(&body, &accept);
    cbor_put_array(&body, 1);
    cbor_put_hash(&body, pubkey_kid(signer_pubkey(scene->old)));
    cbor_put_literal(&body, "disk lost");
    mini_statement(mini, scene->operator, "op", RESTART, buf_bytes(&body));
    mini_put_key(mini, scene->old, "node-1", PURPOSE_RECEIPT, 0, 3);
    mini_put_key(mini, scene->new, "node-1", PURPOSE_RECEIPT, 2, 0);
    header_hash(&accept, mini_block(mini, 1));
    struct trust_step *step = step_add(scene, 1, scene->new);
    key_change_add(scene, step, scene->new, 0);
    step->restart.entry = logged(scene, 2);
    struct bytes record = mini_record(mini, scene->operator, & step->restart.signer.siblings);
    step->restart.signer.record = arena_copy(&scene->arena, record);
    buf_clear(&body);
    return accept;
}

static void a_restart_needs_to_be_accepted_and_keeps_what_was_lost(void **state)
{
    (void)state;
    struct scene scene;
    struct trust *after;
    struct why why = {0};
    struct hash accept = restart_scene(&scene);
    golden_update(&scene, "restart.trust-update", "restart.trust");
    golden_write("restart.hash", hash_bytes(&accept));
    CHECK_ERR(apply(&scene, &after, NULL, &why), ERR_REFUSED);
    struct hash other = {{1}};
    CHECK_ERR(apply(&scene, &after, &other, &why), ERR_REFUSED);
    CHECK(strlen(why.value) == 64);
    CHECK_OK(apply(&scene, &after, &accept, NULL));
    CHECK_UINT(after->head_count, 3);
    CHECK(!after->heads[0].lost && after->heads[1].lost && !after->heads[2].lost);
    CHECK(after->heads[2].place.epoch == 1 && after->heads[2].place.height == 2);
    const struct receipt_key *keys = trust_regime(after, 2)->keys;
    CHECK(keys[0].status == KEY_ROTATED && keys[0].to.epoch == 0 && keys[0].to.height == 2);
    CHECK(keys[1].from.epoch == 1 && keys[1].from.height == 2);
    CHECK_UINT(trust_restarts(after, 0), 1);
    trust_free(after);
    scene_end(&scene);
}

static void a_restart_that_is_not_signed_or_not_first_is_refused(void **state)
{
    (void)state;
    struct scene scene;
    struct trust *after;
    struct hash accept = restart_scene(&scene);
    struct trust_step *step = &scene.update.steps[0];
    struct logged kept = step->restart.entry;
    step->restart.entry = logged(&scene, 1);
    CHECK_ERR(apply(&scene, &after, &accept, NULL), ERR_MISMATCH);
    step->restart.entry = kept;
    struct bytes record = mini_record(&scene.mini, scene.new, &step->restart.signer.siblings);
    step->restart.signer.record = record;
    CHECK_ERR(apply(&scene, &after, &accept, NULL), ERR_SIGNATURE);
    step->restart.signer.siblings.count = 0;
    CHECK_ERR(apply(&scene, &after, &accept, NULL), ERR_MISMATCH);
    scene_end(&scene);
}

static struct validators set_of(struct scene *scene, const struct signer *signer)
{
    struct validators set = {1, arena_alloc(&scene->arena, sizeof *set.at)};
    struct bytes spki = pubkey_spki(signer_pubkey(signer));
    memcpy(set.at[0].key.at, spki.at + spki.len - 32, 32);
    set.at[0].power = 10;
    return set;
}

/* A commit by one validator at CometBFT height 20 that carries the step's header and names `next`.
 */
static void commit_make(struct scene *scene, struct trust_step *step, const struct signer *by,
                        const struct validators *next)
{
    struct hash app;
    struct hash set_hash;
    struct hash next_hash;
    struct hash header_hash_comet;
    uint8_t signature[64];
    struct buf bytes = {0};
    struct comet_vote vote = {.there = true, .time = {1700000010, 0}};
    struct commit commit = {
        .header = {.chain = bytes_text("c-1"), .height = 20, .time = {1700000009, 0}},
        .vote_count = 1,
        .votes = &vote,
        .set = set_of(scene, by)};
    header_hash(&app, &scene->mini.headers[scene->mini.height - 1]);
    validators_hash(&set_hash, &commit.set);
    validators_hash(&next_hash, next);
    commit.header.hashes[COMET_APP] = hash_bytes(&app);
    commit.header.hashes[COMET_VALIDATORS] = hash_bytes(&set_hash);
    commit.header.hashes[COMET_NEXT_VALIDATORS] = hash_bytes(&next_hash);
    comet_header_hash(&header_hash_comet, &commit.header);
    comet_vote_bytes(&bytes, &commit, &header_hash_comet, 0);
    CHECK_OK(signer_sign(by, signature, buf_bytes(&bytes)));
    vote.signature = (struct bytes){signature, sizeof signature};
    bytes.len = 0;
    commit_write(&bytes, &commit);
    step->commit = keep(scene, &bytes);
}

/* The scene's ledger is a consortium's, with one range. */
static void order_by(struct scene *scene, struct comet_range *range)
{
    struct trust_regime *regime = &scene->trust->regimes[0];
    regime->comet = true;
    regime->comet_chain = bytes_text("c-1");
    regime->ranges = range;
    regime->range_count = 1;
}

static void a_commit_of_the_old_validators_brings_in_the_new_ones(void **state)
{
    (void)state;
    struct scene scene;
    struct trust *after;
    scene_begin(&scene);
    struct comet_range range = {.set = set_of(&scene, scene.old)};
    order_by(&scene, &range);
    struct trust_step *step = go_on(&scene, scene.old);
    struct validators next = set_of(&scene, scene.new);
    CHECK_ERR(apply(&scene, &after, NULL, NULL), ERR_SIGNATURE);
    commit_make(&scene, step, scene.new, &next);
    CHECK_ERR(apply(&scene, &after, NULL, NULL), ERR_MISMATCH);
    commit_make(&scene, step, scene.old, &next);
    step->has_next = true;
    step->next = set_of(&scene, scene.old);
    CHECK_ERR(apply(&scene, &after, NULL, NULL), ERR_MISMATCH);
    step->next = next;
    CHECK_OK(apply(&scene, &after, NULL, NULL));
    const struct trust_regime *grown = trust_regime(after, 2);
    CHECK_UINT(grown->range_count, 2);
    CHECK(grown->ranges[0].has_to && grown->ranges[0].to == 20);
    CHECK_UINT(grown->ranges[0].ended_ms, 1700000009000);
    CHECK(grown->ranges[1].from == 21 && validators_equal(&grown->ranges[1].set, &next));
    trust_free(after);
    range.has_to = true;
    range.to = 20;
    CHECK_ERR(apply(&scene, &after, NULL, NULL), ERR_SIGNATURE);
    scene_end(&scene);
}

/* A set that changed may not be kept back, and none may be made a former one by itself. */
static void a_next_set_is_told_exactly_where_there_is_one(void **state)
{
    (void)state;
    struct scene scene;
    struct trust *after;
    struct why why = {0};
    scene_begin(&scene);
    struct comet_range range = {.set = set_of(&scene, scene.old)};
    order_by(&scene, &range);
    struct trust_step *step = go_on(&scene, scene.old);
    struct validators next = set_of(&scene, scene.new);
    commit_make(&scene, step, scene.old, &next);
    CHECK_ERR(apply(&scene, &after, NULL, &why), ERR_MISMATCH);
    CHECK_BYTES(bytes_text(why.field), bytes_text("next validators"));
    commit_make(&scene, step, scene.old, &range.set);
    step->has_next = true;
    step->next = range.set;
    CHECK_ERR(apply(&scene, &after, NULL, &why), ERR_MISMATCH);
    CHECK_BYTES(bytes_text(why.problem), bytes_text("are those there are"));
    step->has_next = false;
    CHECK_OK(apply(&scene, &after, NULL, NULL));
    CHECK_UINT(trust_regime(after, 2)->range_count, 1);
    trust_free(after);
    scene_end(&scene);
}

static enum err update_ok(struct bytes in)
{
    struct trust_update *update;
    enum err err = trust_update_parse(&update, in, NULL);
    trust_update_free(update);
    return err;
}

static void an_update_cut_short_or_lengthened_is_unreadable(void **state)
{
    (void)state;
    struct scene scene;
    struct buf bytes = {0};
    restart_scene(&scene);
    trust_update_write(&bytes, &scene.update);
    for (size_t len = 0; len < bytes.len; len++) {
        CHECK(update_ok((struct bytes){bytes.at, len}) != OK);
    }
    buf_put_byte(&bytes, 0);
    CHECK_ERR(update_ok(buf_bytes(&bytes)), ERR_TRAILING);
    bytes.at[1] = 2;
    CHECK_ERR(update_ok(buf_bytes(&bytes)), ERR_VERSION);
    buf_clear(&bytes);
    scene_end(&scene);
}

/* A flipped bit anywhere in an update is refused, or changes nothing that enters the trust file. */
static void an_update_of_too_many_keys_is_unreadable(void **state)
{
    (void)state;
    struct header header = {.suite = SUITE_1};
    struct buf encoded = {0};
    header_write(&encoded, &header);
    struct trust_key *keys = mem_zalloc(STEP_KEYS_MAX * sizeof *keys);
    for (size_t i = 0; i < STEP_KEYS_MAX; i++) {
        keys[i].key.record = bytes_text("r");
    }
    size_t count = UPDATE_KEYS_MAX / STEP_KEYS_MAX + 1;
    struct trust_step *steps = mem_zalloc(count * sizeof *steps);
    for (size_t i = 0; i < count; i++) {
        steps[i].header_bytes = buf_bytes(&encoded);
        steps[i].keys = keys;
        steps[i].key_count = i + 1 < count ? STEP_KEYS_MAX : 0;
    }
    for (size_t more = 0; more < 2; more++) {
        struct trust_update update = {
            .name = bytes_text("Test"), .step_count = count, .steps = steps};
        struct trust_update *read;
        struct buf bytes = {0};
        steps[count - 1].key_count = more;
        trust_update_write(&bytes, &update);
        CHECK_ERR(trust_update_parse(&read, buf_bytes(&bytes), NULL), more ? ERR_RANGE : OK);
        trust_update_free(read);
        buf_clear(&bytes);
    }
    free(keys);
    free(steps);
    buf_clear(&encoded);
}

static void no_flipped_bit_of_an_update_enters(void **state)
{
    (void)state;
    struct scene scene;
    struct buf bytes = {0};
    struct buf want = {0};
    struct trust *after;
    scene_begin(&scene);
    rotate(&scene, ROTATE, scene.old);
    trust_update_write(&bytes, &scene.update);
    CHECK_OK(apply(&scene, &after, NULL, NULL));
    trust_write(&want, after);
    trust_free(after);
    for (size_t at = 0; at < bytes.len; at++) {
        struct trust_update *update;
        struct buf got = {0};
        bytes.at[at] ^= (uint8_t)(1u << at % 8);
        if (trust_update_parse(&update, buf_bytes(&bytes), NULL) == OK) {
            if (trust_update_apply(&after, scene.trust, update, NULL, NULL) == OK) {
                trust_write(&got, after);
                CHECK_BYTES(buf_bytes(&got), buf_bytes(&want));
                trust_free(after);
            }
            trust_update_free(update);
        }
        bytes.at[at] ^= (uint8_t)(1u << at % 8);
        buf_clear(&got);
    }
    buf_clear(&bytes);
    buf_clear(&want);
    scene_end(&scene);
}

static void trust_files_are_written_as_they_were_read(void **state)
{
    (void)state;
    unsigned read = 0;
    char folder[512];
    snprintf(folder, sizeof folder, "%s/cairn/trust", VECTORS);
    DIR *dir = opendir(folder);
    CHECK(dir != NULL);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char name[300];
        struct buf in = {0};
        struct buf out = {0};
        struct trust *trust;
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, "unreadable", 10) == 0) {
            continue;
        }
        snprintf(name, sizeof name, "trust/%s", entry->d_name);
        interop_read(&in, name);
        CHECK_OK(trust_parse(&trust, buf_bytes(&in), NULL));
        trust_write(&out, trust);
        CHECK_BYTES(buf_bytes(&out), buf_bytes(&in));
        trust_free(trust);
        for (size_t len = 0; len < in.len; len++) {
            CHECK(trust_parse(&trust, (struct bytes){in.at, len}, NULL) != OK && trust == NULL);
        }
        buf_clear(&in);
        buf_clear(&out);
        read++;
    }
    closedir(dir);
    CHECK_UINT(read, 17);
}

/* The kinds are 1 and 2; a kind that nobody knows must not be read as one of them. */
static void a_regime_of_an_unknown_kind_is_unreadable(void **state)
{
    (void)state;
    struct scene scene;
    struct trust *trust;
    struct buf bytes = {0};
    restart_scene(&scene);
    trust_write(&bytes, scene.trust);
    /* [1, "Test", chain, [[0, 1, keys], ...: the kind stands behind 1 + 1 + 5 + 34 + 3 bytes. */
    const size_t kind = 1 + 1 + 5 + 34 + 3;
    CHECK_UINT(bytes.at[kind], 1);
    for (uint8_t other = 0; other < 24; other++) {
        bytes.at[kind] = other;
        CHECK_ERR(trust_parse(&trust, buf_bytes(&bytes), NULL), other == 1 ? OK : ERR_FORMAT);
        trust_free(trust);
    }
    buf_clear(&bytes);
    scene_end(&scene);
}

static enum outcome fork_of(const struct trust *trust, uint64_t height, uint64_t size, uint8_t root)
{
    struct verdict verdict = {0};
    struct header header = {
        .height = height, .tree_size = size, .tree_root = {{root}}, .chain = trust->chain};
    fork_check(&verdict, trust, &header, "head");
    enum outcome outcome = verdict_fails(&verdict, CHECK_FORK) ? OUTCOME_FAIL : OUTCOME_PASS;
    verdict_clear(&verdict);
    return outcome;
}

static void a_log_grows_or_stays_between_heads(void **state)
{
    (void)state;
    struct head head = {.place = {0, 5}, .size = 10, .root = {{1}}};
    struct trust_regime regime = {0};
    struct trust trust = {.regime_count = 1, .regimes = &regime, .head_count = 1, .heads = &head};
    CHECK(fork_of(&trust, 6, 11, 2) == OUTCOME_PASS);
    CHECK(fork_of(&trust, 4, 9, 2) == OUTCOME_PASS);
    CHECK(fork_of(&trust, 6, 10, 1) == OUTCOME_PASS); /* timers alone fired in block 6 */
    CHECK(fork_of(&trust, 4, 10, 1) == OUTCOME_PASS);
    CHECK(fork_of(&trust, 6, 10, 2) == OUTCOME_FAIL);
    CHECK(fork_of(&trust, 4, 10, 2) == OUTCOME_FAIL);
    CHECK(fork_of(&trust, 6, 9, 2) == OUTCOME_FAIL);
    CHECK(fork_of(&trust, 4, 11, 2) == OUTCOME_FAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trust_files_are_written_as_they_were_read),
        cmocka_unit_test(a_regime_of_an_unknown_kind_is_unreadable),
        cmocka_unit_test(updates_of_every_version_apply),
        cmocka_unit_test(a_log_grows_or_stays_between_heads),
        cmocka_unit_test(an_update_follows_a_rotated_key),
        cmocka_unit_test(a_key_joins_lists_of_any_length),
        cmocka_unit_test(a_revoked_key_is_held_for_stolen),
        cmocka_unit_test(nothing_enters_that_is_not_vouched_for),
        cmocka_unit_test(a_restart_needs_to_be_accepted_and_keeps_what_was_lost),
        cmocka_unit_test(a_restart_that_is_not_signed_or_not_first_is_refused),
        cmocka_unit_test(a_commit_of_the_old_validators_brings_in_the_new_ones),
        cmocka_unit_test(a_next_set_is_told_exactly_where_there_is_one),
        cmocka_unit_test(an_update_cut_short_or_lengthened_is_unreadable),
        cmocka_unit_test(an_update_of_too_many_keys_is_unreadable),
        cmocka_unit_test(no_flipped_bit_of_an_update_enters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
