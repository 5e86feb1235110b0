/* A ledger of one institution with further nodes and their keys: for tests of what
 * nodes say to each other. */
#ifndef CAIRN_TEST_NODE_WORLD_H
#define CAIRN_TEST_NODE_WORLD_H

#include "check.h"
#include "fresh_signer.h"

#include "base/clock.h"
#include "base/file.h"
#include "crypto/random.h"
#include "ledger/members.h"
#include "modules/member/member.h"
#include "node/attested.h"
#include "proof/keyrecord.h"
#include "proof/receipt.h"
#include "proof/statement.h"

#include <pthread.h>

#define WORLD_NODES 2

/* Another node of the ledger with its keys. */
struct world_node {
    const char *id;
    struct signer *receipt;
    struct signer *transport;
};

struct world {
    char dir[64];
    struct node *node;
    struct signer *operator_key;
    struct signer *transport; /* of the node itself */
    struct world_node nodes[WORLD_NODES];
    struct hash chain;
};

struct world_waiting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct node_answers *answers;
};

static inline void world_answered(void *context, struct node_answers *answers)
{
    struct world_waiting *waiting = context;
    pthread_mutex_lock(&waiting->lock);
    waiting->answers = answers;
    pthread_cond_signal(&waiting->changed);
    pthread_mutex_unlock(&waiting->lock);
}

/* Submits one statement of the operator and waits until it is in a block. */
static inline void world_say(struct world *world, const char *type, const struct buf *payload)
{
    struct world_waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL};
    struct why why = {0};
    struct buf body = {0};
    uint8_t nonce[16];
    random_bytes(nonce, sizeof nonce);
    uint64_t now = clock_wall_ms();
    struct draft draft = {.content_type = type,
                          .iss = bytes_text("operator"),
                          .sub = bytes_text("test"),
                          .iat = now / 1000,
                          .chain = world->chain,
                          .valid_until = now + 60000,
                          .nonce16 = nonce,
                          .payload = buf_bytes(payload)};
    CHECK_OK(statement_sign(&body, &draft, world->operator_key));
    CHECK_OK(node_submit(world->node, buf_bytes(&body), true, world_answered, &waiting, &why));
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.answers) {
        pthread_cond_wait(&waiting.changed, &waiting.lock);
    }
    pthread_mutex_unlock(&waiting.lock);
    if (waiting.answers->at[0].err != OK) {
        fail_msg("%s: %s %s", type, waiting.answers->at[0].why.field,
                 waiting.answers->at[0].why.problem);
    }
    free(waiting.answers);
    buf_clear(&body);
}

static inline void world_register(struct world *world, const char *id, enum member_kind kind,
                                  const char *role, const struct signer *const *keys,
                                  const enum purpose *purposes, size_t count)
{
    struct buf requests[4] = {{0}};
    struct buf payload = {0};
    struct member_register member = {.member = bytes_text(id),
                                     .kind = kind,
                                     .institution = bytes_text("operator"),
                                     .role_count = 1,
                                     .roles = {bytes_text(role)},
                                     .key_count = count};
    for (size_t i = 0; i < count; i++) {
        CHECK_OK(
            possession_sign(&requests[i], &world->chain, bytes_text(id), purposes[i], keys[i]));
        member.keys[i].possession = buf_bytes(&requests[i]);
    }
    member_register_write(&payload, &member);
    world_say(world, MEMBER_TYPE("register"), &payload);
    for (size_t i = 0; i < count; i++) {
        buf_clear(&requests[i]);
    }
    buf_clear(&payload);
}

/* One more block. */
static inline void world_block(struct world *world)
{
    static unsigned number;
    char id[32];
    struct signer *key = fresh_signer();
    const struct signer *keys[] = {key};
    const enum purpose purposes[] = {PURPOSE_MEMBER};
    snprintf(id, sizeof id, "person-%u", number++);
    world_register(world, id, MEMBER_PERSON, "depositor", keys, purposes, 1);
    signer_free(key);
}

static inline void world_open(struct world *world)
{
    struct why why = {0};
    struct node_options options = {
        .dir = world->dir, .cache_len = 8 << 20, .delta_pairs = 4096, .verifiers = 1};
    if (node_open(&world->node, &options, &why) != OK) {
        fail_msg("node_open: %s %s %s", why.field, why.value, why.problem);
    }
    world->chain = *node_chain(world->node);
}

/* Registers the node's own transport key. */
static inline void world_add_transport(struct world *world)
{
    struct buf request = {0};
    struct buf payload = {0};
    CHECK_OK(possession_sign(&request, &world->chain, bytes_text(NODE_ID), PURPOSE_TRANSPORT,
                             world->transport));
    struct member_add_key body = {.member = bytes_text(NODE_ID),
                                  .key = {.possession = buf_bytes(&request)}};
    member_add_key_write(&payload, &body);
    world_say(world, MEMBER_TYPE("add_key"), &payload);
    buf_clear(&request);
    buf_clear(&payload);
}

static inline struct world *world_new(void)
{
    static const char *const ids[WORLD_NODES] = {"org2-node", "org3-node"};
    static const enum purpose purposes[] = {PURPOSE_RECEIPT, PURPOSE_TRANSPORT};
    struct world *world = mem_zalloc(sizeof *world);
    struct why why = {0};
    snprintf(world->dir, sizeof world->dir, "/tmp/cairn-world-XXXXXX");
    CHECK(mkdtemp(world->dir) != NULL);
    if (node_create(world->dir, "court", NULL, &why) != OK) {
        fail_msg("node_create: %s %s %s", why.field, why.value, why.problem);
    }
    char *path = path_join(world->dir, NODE_OPERATOR_KEY);
    CHECK_OK(signer_open(&world->operator_key, path, NULL, NULL, &why));
    free(path);
    world->transport = fresh_signer();
    world_open(world);
    world_add_transport(world);
    for (size_t i = 0; i < WORLD_NODES; i++) {
        world->nodes[i] = (struct world_node){ids[i], fresh_signer(), fresh_signer()};
        const struct signer *keys[] = {world->nodes[i].receipt, world->nodes[i].transport};
        world_register(world, ids[i], MEMBER_NODE, "node", keys, purposes, 2);
    }
    return world;
}

static inline void world_free(struct world *world)
{
    char command[128];
    node_close(world->node);
    signer_free(world->operator_key);
    signer_free(world->transport);
    for (size_t i = 0; i < WORLD_NODES; i++) {
        signer_free(world->nodes[i].receipt);
        signer_free(world->nodes[i].transport);
    }
    snprintf(command, sizeof command, "rm -rf %s", world->dir);
    CHECK(system(command) == 0);
    free(world);
}

static inline struct header world_header(struct world *world, uint64_t height)
{
    struct header header;
    struct view *view = node_view(world->node);
    CHECK_OK(view_header_at(view, height, &header));
    view_release(view);
    return header;
}

static inline uint64_t world_height(struct world *world)
{
    struct view *view = node_view(world->node);
    uint64_t height = view_header(view)->height;
    view_release(view);
    return height;
}

#endif
