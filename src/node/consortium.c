/* A node of a ledger that several institutions run: what its orderer needs to know, read from the
 * ledger itself where it stands there, and from the settings where it can't (addresses). */
#include "node/internal.h"

#include "base/file.h"
#include "order/comet/comet.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENGINE_PROGRAM "cometbft"
#define ENGINE_HOME    "engine"

struct node_engine {
    struct regime regime;
    struct buf record; /* from which the regime borrows */
    struct signer *consensus;
    struct signer *transport;
    char program[PATH_MAX];
    char *home;
    size_t id_count;
    char ids[VALIDATORS_MAX][ENGINE_ID_LEN + 1]; /* of the nodes that the regime names */
    const char *id_texts[VALIDATORS_MAX];
    struct engine_peer peers[VALIDATORS_MAX];
    size_t peer_count;
};

void node_engine_free(struct node_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    signer_free(engine->consensus);
    signer_free(engine->transport);
    buf_clear(&engine->record);
    free(engine->home);
    free(engine);
}

enum err node_engine_new(struct node_engine **out, const struct view *view, struct why *why)
{
    struct node_engine *engine = mem_zalloc(sizeof *engine);
    enum err err = regime_get(&engine->regime, &engine->record, view);
    if (err != OK && err != ERR_NOT_FOUND && err != ERR_IO) {
        err = why_say(why, ERR_CORRUPT, "regime", NULL, "is malformed", NULL);
    }
    *out = engine;
    if (err != OK) {
        node_engine_free(engine);
        *out = NULL;
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- who may speak to the engine */

/* The transport key in force of a node's member. ERR_NOT_FOUND. */
static enum err transport_of(const struct view *view, struct bytes member, struct hash *out)
{
    struct buf value = {0};
    struct member_record *record = mem_alloc(sizeof *record);
    enum err err = node_member_record(view, member, &value, record);
    bool found = false;
    for (size_t i = 0; err == OK && !found && i < record->key_count; i++) {
        struct buf bytes = {0};
        struct key_record one;
        err = node_key_record(view, &record->keys[i], &bytes, &one);
        found = err == OK && one.purpose == PURPOSE_TRANSPORT && !one.has_until;
        if (found) {
            *out = comet_key(one.spki);
        }
        buf_clear(&bytes);
    }
    free(record);
    buf_clear(&value);
    return err == OK && !found ? ERR_NOT_FOUND : err;
}

static enum err list_nodes(struct node_engine *engine, const struct view *view, struct why *why)
{
    for (size_t i = 0; i < engine->regime.count; i++) {
        struct bytes node = engine->regime.validators[i].node;
        struct hash key;
        enum err err = transport_of(view, node, &key);
        if (err != OK) {
            return why_sayf(why, err, "node", "has no transport key on the ledger", NULL, "%.*s",
                            (int)node.len, (const char *)node.at);
        }
        engine_node_id(engine->ids[engine->id_count], &key);
        engine->id_texts[engine->id_count] = engine->ids[engine->id_count];
        engine->id_count++;
    }
    return OK;
}

/* The settings say where the others are, the ledger who they are. */
static enum err list_peers(struct node_engine *engine, const struct node_options *options,
                           struct why *why)
{
    for (size_t i = 0; i < options->peer_count; i++) {
        const struct node_peer *peer = &options->peers[i];
        char member[MEMBER_ID_MAX + 1];
        snprintf(member, sizeof member, "%s" NODE_MEMBER_SUFFIX, peer->organisation);
        size_t at = 0;
        while (at < engine->regime.count &&
               !bytes_equal(engine->regime.validators[at].node, bytes_text(member))) {
            at++;
        }
        if (at == engine->regime.count || engine->peer_count == VALIDATORS_MAX) {
            return why_say(why, ERR_NOT_FOUND, "peer", peer->organisation,
                           "is no organisation of this ledger", "Correct peer in cairn.conf.");
        }
        engine->peers[engine->peer_count++] = (struct engine_peer){engine->ids[at], peer->address};
    }
    return OK;
}

/* ---- its keys and its program */

static enum err open_key(struct signer **out, const struct node *node, const char *name,
                         const struct node_options *options, struct why *why)
{
    char *path = path_join(node->dir, name);
    enum err err = keystore_open(out, path, options->ask, options->ask_context, why);
    free(path);
    return err;
}

static bool is_program(const char *path)
{
    return access(path, X_OK) == 0;
}

/* Beside the program that runs, in bin/ beside it, where a package puts it, or on the PATH. */
static bool find_program(char out[PATH_MAX])
{
    static const char *const beside[] = {"bin/" ENGINE_PROGRAM, ENGINE_PROGRAM,
                                         "../libexec/cairn/" ENGINE_PROGRAM};
    char self[PATH_MAX - 64];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    self[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(self, '/');
    for (size_t i = 0; slash && i < sizeof beside / sizeof *beside; i++) {
        snprintf(out, PATH_MAX, "%.*s/%s", (int)(slash - self), self, beside[i]);
        if (is_program(out)) {
            return true;
        }
    }
    const char *path = getenv("PATH"); /* allowed: programs are found there */
    while (path && *path) {
        int part = (int)strcspn(path, ":");
        if (part > 0 && part < PATH_MAX - 16) {
            snprintf(out, PATH_MAX, "%.*s/" ENGINE_PROGRAM, part, path);
            if (is_program(out)) {
                return true;
            }
        }
        path += part + (path[part] == ':');
    }
    return false;
}

static enum err choose_program(struct node_engine *engine, const struct node_options *options,
                               struct why *why)
{
    if (options->engine) {
        snprintf(engine->program, sizeof engine->program, "%s", options->engine);
        return OK;
    }
    return find_program(engine->program)
               ? OK
               : why_say(why, ERR_NOT_FOUND, "engine", ENGINE_PROGRAM, "is not installed",
                         "Build it with 'make engine', or name it by engine in cairn.conf.");
}

/* ---- starting */

/* The head from which the engine orders: block 0, or that which adopted the consortium. */
static enum err start_head(const struct node_engine *engine, const struct view *view,
                           struct comet_start_head *out)
{
    uint64_t height = engine->regime.from == 0 ? 0 : engine->regime.from - 1;
    struct header header;
    TRY(view_header_at(view, height, &header));
    out->time_ms = header.time_ms;
    header_hash(&out->hash, &header);
    return OK;
}

static enum err prepare(struct node *node, const struct view *view,
                        const struct node_options *options, struct why *why)
{
    struct node_engine *engine = node->engine;
    if (!options->p2p_listen) {
        return why_say(why, ERR_NOT_FOUND, "p2p_listen", NULL, "is not set",
                       "Say in cairn.conf where the engine listens for other nodes.");
    }
    engine->home = path_join(node->dir, ENGINE_HOME);
    TRY(choose_program(engine, options, why));
    TRY(open_key(&engine->consensus, node, NODE_CONSENSUS_KEY, options, why));
    TRY(open_key(&engine->transport, node, NODE_TRANSPORT_KEY, options, why));
    TRY(list_nodes(engine, view, why));
    return list_peers(engine, options, why);
}

enum err node_start_comet(struct node *node, const struct view *view,
                          const struct node_options *options, struct why *why)
{
    struct node_engine *engine = node->engine;
    TRY(prepare(node, view, options, why));
    struct comet_options comet = {
        .home = engine->home,
        .engine = engine->program,
        .net = {options->p2p_listen, engine->peer_count, engine->peers},
        .regime = &engine->regime,
        .consensus = engine->consensus,
        .transport = engine->transport,
        .engine_height = ledger_engine_height(node->ledger),
        .head = *view_header(view),
        .head_hash = *view_header_hash(view),
        .peer_count = engine->id_count,
        .peers = engine->id_texts,
    };
    enum err err = start_head(engine, view, &comet.start);
    if (err != OK) {
        return why_say(why, err, "ledger", NULL, "lacks the block from which its engine orders",
                       NULL);
    }
    struct order_app app = node_order_app(node);
    return comet_start(&node->order, &app, &comet, why);
}
