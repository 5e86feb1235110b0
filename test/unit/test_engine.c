/* What we write for the engine, and what we read of its output. */
#include "check.h"

#include "base/file.h"
#include "codec/text.h"
#include "order/comet/engine_files.h"
#include "order/comet/engine_log.h"

#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

static const char id[] = "35b82fe635dafbc834506f9af09081642d68e47c";

/* A folder, keys and options that are good. */
struct world {
    char home[64];
    struct signer *signer;
    struct regime regime;
    struct engine_peer peer;
    struct engine_options options;
};

static void open_world(struct world *out, enum alg alg)
{
    struct buf pem = {0};
    *out = (struct world){.home = "/tmp/cairn-engine-XXXXXX"};
    CHECK(mkdtemp(out->home) != NULL);
    CHECK_OK(key_generate(&pem, alg, NULL));
    CHECK_OK(signer_parse(&out->signer, buf_bytes(&pem), NULL));
    buf_clear(&pem);
    out->regime = (struct regime){.chain = bytes_text("cairn-0011223344556677"), .count = 1};
    out->regime.validators[0] = (struct regime_validator){.key = {{7}}, .power = 1};
    out->peer = (struct engine_peer){.id = id, .address = "node.example.org:26656"};
    out->options = (struct engine_options){
        .home = out->home,
        .net = {.listen = "[::1]:26656", .peer_count = 1, .peers = &out->peer},
        .consensus = out->signer,
        .transport = out->signer,
        .genesis = {.regime = &out->regime, .time_ms = 1700000000123}};
}

static char *path_in(const struct world *world, const char *name)
{
    return path_join(world->home, name);
}

static void close_world(struct world *world)
{
    static const char *const names[] = {"config/config.toml",
                                        "config/genesis.json",
                                        "config/node_key.json",
                                        "config/priv_validator_key.json",
                                        "data/priv_validator_state.json",
                                        "config",
                                        "data",
                                        ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = path_in(world, names[i]);
        (void)remove(path);
        free(path);
    }
    signer_free(world->signer);
}

static json_t *read_json(const struct world *world, const char *name)
{
    char *path = path_in(world, name);
    struct buf text = {0};
    CHECK_OK(file_read(&text, path, 1 << 20, NULL));
    json_t *out = json_loadb((const char *)text.at, text.len, 0, NULL);
    CHECK(json_is_object(out));
    buf_clear(&text);
    free(path);
    return out;
}

static void the_folder_is_prepared_and_prepared_again(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, ALG_ED25519);
    struct why why = {0};
    CHECK_OK(engine_prepare(&world.options, &why));
    json_t *genesis = read_json(&world, "config/genesis.json");
    CHECK(strcmp(json_string_value(json_object_get(genesis, "genesis_time")),
                 "2023-11-14T22:13:20.123Z") == 0);
    CHECK(strcmp(json_string_value(json_object_get(genesis, "chain_id")),
                 "cairn-0011223344556677") == 0);
    CHECK_UINT(json_array_size(json_object_get(genesis, "validators")), 1);
    json_decref(genesis);
    CHECK_OK(engine_prepare(&world.options, &why));
    close_world(&world);
}

static void the_sign_state_is_never_touched_again(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, ALG_ED25519);
    CHECK_OK(engine_prepare(&world.options, NULL));
    char *path = path_in(&world, "data/priv_validator_state.json");
    CHECK_OK(file_write(path, bytes_text("{\"height\":\"7\"}"), 0600, NULL));
    CHECK_OK(engine_prepare(&world.options, NULL));
    struct buf text = {0};
    CHECK_OK(file_read(&text, path, 100, NULL));
    CHECK_BYTES(buf_bytes(&text), bytes_text("{\"height\":\"7\"}"));
    /* Lost, it stays lost: an empty one would let this validator sign twice. */
    CHECK(unlink(path) == 0);
    CHECK_OK(engine_prepare(&world.options, NULL));
    CHECK(!file_exists(path));
    buf_clear(&text);
    free(path);
    close_world(&world);
}

static void another_genesis_is_refused(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, ALG_ED25519);
    CHECK_OK(engine_prepare(&world.options, NULL));
    world.options.genesis.app_hash.at[0] = 1;
    CHECK_ERR(engine_prepare(&world.options, NULL), ERR_MISMATCH);
    world.options.genesis.app_hash.at[0] = 0;
    world.regime.validators[0].power = 2;
    CHECK_ERR(engine_prepare(&world.options, NULL), ERR_MISMATCH);
    world.regime.validators[0].power = 1;
    world.options.genesis.time_ms++;
    CHECK_ERR(engine_prepare(&world.options, NULL), ERR_MISMATCH);
    close_world(&world);
}

static void what_could_end_a_string_gets_nowhere(void **state)
{
    (void)state;
    static const char *const addresses[] = {
        "",        "host",  ":1",          "host:",   "host:0",  "host:65536",
        "host:1a", "h\":1", "host:1\nx=1", "host: 1", "host:+1", "a,b:1",
    };
    static const char *const ids[] = {"", "35b82fe635dafbc834506f9af09081642d68e47",
                                      "35B82FE635DAFBC834506F9AF09081642D68E47C",
                                      "35b82fe635dafbc834506f9af09081642d68e47\""};
    struct world world;
    open_world(&world, ALG_ED25519);
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        world.options.net.listen = addresses[i];
        CHECK_ERR(engine_prepare(&world.options, NULL), ERR_FORMAT);
        world.options.net.listen = "127.0.0.1:1";
        world.peer.address = addresses[i];
        CHECK_ERR(engine_prepare(&world.options, NULL), ERR_FORMAT);
        world.peer.address = "127.0.0.1:2";
    }
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        world.peer.id = ids[i];
        CHECK_ERR(engine_prepare(&world.options, NULL), ERR_FORMAT);
    }
    world.peer.id = id;
    static const char *const chains[] = {"", "a\"b", "A",
                                         "0123456789012345678901234567890123456789012345678901"};
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        world.regime.chain = bytes_text(chains[i]);
        CHECK_ERR(engine_prepare(&world.options, NULL), ERR_FORMAT);
    }
    close_world(&world);
}

static void another_kind_of_key_is_refused(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, ALG_ES256);
    struct why why = {0};
    CHECK_ERR(engine_prepare(&world.options, &why), ERR_KEY);
    CHECK(strcmp(why.field, "transport key") == 0);
    close_world(&world);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct world world;
    struct engine *engine;
    open_world(&world, ALG_ED25519);
    world.options.home = "/nowhere";
    CHECK_ERR(engine_prepare(&world.options, NULL), ERR_NOT_FOUND);
    world.options.program = "/bin/true";
    CHECK_ERR(engine_start(&engine, &world.options, NULL, NULL, NULL), ERR_IO);
    world.options.program = "/nowhere";
    CHECK_ERR(engine_start(&engine, &world.options, NULL, NULL, NULL), ERR_NOT_FOUND);
    engine_stop(NULL);
    close_world(&world);
}

static void a_nodes_name_is_a_hash_of_its_key(void **state)
{
    (void)state;
    /* As CometBFT v0.40.0 named the node of this key. */
    struct hash key;
    char out[41];
    CHECK_OK(
        hex_read(key.at, sizeof key.at,
                 bytes_text("f37fda81b05b28b64dad059466120b4841e8170f981307bd4ea954e41f3bce29")));
    engine_node_id(out, &key);
    CHECK(strcmp(out, id) == 0);
}

static void feed(struct engine_log *log, const char *text)
{
    engine_log_feed(log, bytes_text(text));
}

static void errors_are_remembered_and_a_failed_consensus_is_seen(void **state)
{
    (void)state;
    static struct engine_log log;
    feed(&log, "{\"_msg\":\"Stopping peer for error\",\"err\":\"EOF\",\"level\":\"error\",");
    CHECK(log.problem[0] == 0);
    feed(&log, "\"module\":\"p2p\",\"n\":3,\"nested\":{\"a\":1}}\n");
    CHECK(strcmp(log.problem, "Stopping peer for error: EOF") == 0);
    CHECK(!log.failed);
    feed(&log, "{\"_msg\":\"committed state\",\"level\":\"info\",\"module\":\"state\"}\n");
    CHECK(strcmp(log.problem, "Stopping peer for error: EOF") == 0);
    feed(&log, "{\"_msg\":\"CONSENSUS FAILURE!!!\",\"err\":\"the hash\",\"level\":\"error\"}\n");
    CHECK(log.failed);
    CHECK(strstr(log.problem, "the hash") != NULL);
}

static void a_panic_is_remembered_by_its_first_line(void **state)
{
    (void)state;
    static struct engine_log log;
    feed(&log, "panic: it is too late\n\ngoroutine 1 [running]:\n\tfile.go:7\n{not json\n[1]\n");
    CHECK(strcmp(log.problem, "[1]") == 0);
    feed(&log, "panic: once more\ngoroutine 1 [running]:\n\tfile.go:7");
    engine_log_end(&log);
    CHECK(strcmp(log.problem, "panic: once more") == 0);
}

static void a_line_without_an_end_and_too_many_lines_are_bounded(void **state)
{
    (void)state;
    static struct engine_log log;
    for (size_t i = 0; i < 3 * ENGINE_LINE_MAX / 4; i++) {
        feed(&log, "{\"a\"");
    }
    CHECK_UINT(log.len, ENGINE_LINE_MAX);
    feed(&log, "\n");
    CHECK_UINT(log.len, 0);
    for (size_t i = 0; i < 2000; i++) {
        feed(&log, "flood\n");
    }
    CHECK(log.omitted > 1000);
    CHECK(log.count <= 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folder_is_prepared_and_prepared_again),
        cmocka_unit_test(the_sign_state_is_never_touched_again),
        cmocka_unit_test(another_genesis_is_refused),
        cmocka_unit_test(what_could_end_a_string_gets_nowhere),
        cmocka_unit_test(another_kind_of_key_is_refused),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
        cmocka_unit_test(a_nodes_name_is_a_hash_of_its_key),
        cmocka_unit_test(errors_are_remembered_and_a_failed_consensus_is_seen),
        cmocka_unit_test(a_panic_is_remembered_by_its_first_line),
        cmocka_unit_test(a_line_without_an_end_and_too_many_lines_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
