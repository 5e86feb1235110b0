/* usage: engine_keeper HOME PROGRAM PORT KEY
 *
 * Keeps an engine of a chain with one validator, whose keys are both in KEY, in HOME; another
 * program is its application, on HOME/abci.sock. Prints "prepared", or the error of engine_prepare.
 * Then one line of JSON for each word that comes on standard input: status, commit, peers,
 * consensus, send, again (the same transaction), restart, stop. */
#include "base/file.h"
#include "base/log.h"
#include "codec/text.h"
#include "order/comet/engine.h"
#include "order/comet/rpc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIME_MS UINT64_C(1700000000000)

static struct regime regime = {.chain = {(const uint8_t *)"cairn-keeper", 12}, .count = 1};

static void say_error(enum err err, const struct why *why)
{
    char text[600];
    why_print(why, err, text, sizeof text);
    printf("%s %s\n", err_name(err), text);
}

static void say_status(struct engine *engine, struct rpc *rpc)
{
    struct engine_process process;
    struct rpc_status status;
    struct why why = {0};
    engine_status(engine, &process);
    enum err err = rpc_status(rpc, &status, &why);
    printf("{\"pid\": %d, \"restarts\": %u, \"rpc\": \"%s\", \"height\": %" PRIu64
           ", \"catching_up\": %d, \"id\": \"%s\", \"problem\": \"%s\"}\n",
           (int)process.pid, process.restarts, err_name(err), err == OK ? status.height : 0,
           err == OK && status.catching_up, err == OK ? status.id : "", process.problem);
}

/* The commit of the newest height, checked against the one validator. */
static void say_commit(struct rpc *rpc)
{
    struct arena arena = {0};
    struct commit commit;
    struct rpc_status status;
    struct why why = {0};
    struct validator one = {.key = regime.validators[0].key, .power = 1};
    struct validators set = {.count = 1, .at = &one};
    enum err err = rpc_status(rpc, &status, &why);
    err = err == OK ? rpc_commit(rpc, status.height, &commit, &arena, &why) : err;
    if (err == OK) {
        commit.set = set;
        err = commit_check(&commit, &set, &why);
    }
    struct commit none;
    enum err later = rpc_commit(rpc, status.height + 1000, &none, &arena, NULL);
    printf("{\"checked\": \"%s\", \"height\": %" PRIu64 ", \"later\": \"%s\"}\n", err_name(err),
           status.height, err_name(later));
    arena_clear(&arena);
}

static void say_peers(struct rpc *rpc)
{
    static struct rpc_peers peers;
    struct why why = {0};
    enum err err = rpc_net_info(rpc, &peers, &why);
    printf("{\"err\": \"%s\", \"peers\": %zu}\n", err_name(err), peers.count);
}

static void say_consensus(struct rpc *rpc)
{
    struct rpc_consensus consensus;
    struct why why = {0};
    enum err err = rpc_consensus(rpc, &consensus, &why);
    printf("{\"err\": \"%s\", \"height\": %" PRIu64 ", \"validators\": %zu, \"step\": %d}\n",
           err_name(err), consensus.height, consensus.validators, (int)consensus.step);
}

static void send_one(struct rpc *rpc, unsigned number)
{
    char text[40];
    struct rpc_check check = {0};
    struct why why = {0};
    int len = snprintf(text, sizeof text, "key%u=value", number);
    enum err err =
        rpc_broadcast(rpc, (struct bytes){(const uint8_t *)text, (size_t)len}, &check, &why);
    printf("{\"err\": \"%s\", \"code\": %u}\n", err_name(err), check.code);
}

static void serve(struct engine *engine, struct rpc *rpc)
{
    char word[32];
    unsigned number = 0;
    while (fgets(word, sizeof word, stdin) && strcmp(word, "stop\n") != 0) {
        if (strcmp(word, "status\n") == 0) {
            say_status(engine, rpc);
        } else if (strcmp(word, "commit\n") == 0) {
            say_commit(rpc);
        } else if (strcmp(word, "peers\n") == 0) {
            say_peers(rpc);
        } else if (strcmp(word, "consensus\n") == 0) {
            say_consensus(rpc);
        } else if (strcmp(word, "send\n") == 0) {
            send_one(rpc, ++number);
        } else if (strcmp(word, "again\n") == 0) {
            send_one(rpc, number);
        } else {
            engine_restart(engine);
            printf("{}\n");
        }
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    BUG_ON(argc != 5);
    struct why why = {0};
    struct signer *signer;
    BUG_ON(signer_open(&signer, argv[4], NULL, NULL, &why) != OK);
    struct bytes spki = pubkey_spki(signer_pubkey(signer));
    regime.validators[0] = (struct regime_validator){.key = comet_key(spki), .power = 1};
    char listen[40];
    snprintf(listen, sizeof listen, "127.0.0.1:%s", argv[3]);
    struct engine_options options = {.home = argv[1],
                                     .program = argv[2],
                                     .net = {.listen = listen},
                                     .consensus = signer,
                                     .transport = signer,
                                     .genesis = {.regime = &regime, .time_ms = TIME_MS},
                                     .verbose = true};
    log_set_level(LOG_DEBUG);
    struct engine *engine;
    struct rpc *rpc;
    enum err err = engine_prepare(&options, &why);
    err = err == OK ? engine_start(&engine, &options, NULL, NULL, &why) : err;
    if (err != OK) {
        say_error(err, &why);
        signer_free(signer);
        return 1;
    }
    BUG_ON(rpc_new(&rpc, options.home, &why) != OK);
    printf("prepared\n");
    fflush(stdout);
    serve(engine, rpc);
    engine_stop(engine);
    rpc_free(rpc);
    signer_free(signer);
    return 0;
}
