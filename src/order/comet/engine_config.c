#include "order/comet/engine_files.h"
#include "order/comet/tx.h"

#include <inttypes.h>
#include <stdio.h>

/* What we set of the engine's configuration. Everything else is its default; test/e2e/engine.py
 * holds each key against those that the engine knows, since it ignores a misspelt one without a
 * word. */

/* A block is proposed when there is something to order and the last one is this old: the pace, at
 * which statements gather and in which late votes still count. */
#define PACE "20ms"
/* How long to wait for a proposal and for votes before a round is given up, and how much longer in
 * each further round: enough for a full block on a busy machine. A proposer that is gone costs the
 * first whenever it would be its turn. */
#define PROPOSE       "1500ms"
#define PROPOSE_DELTA "500ms"
#define VOTE          "500ms"
#define VOTE_DELTA    "500ms"
/* The engine polls: how long it sleeps when it had nothing to tell another node. */
#define GOSSIP_SLEEP "5ms"
/* What waits to be sent is sent after this at the latest. */
#define FLUSH "5ms"
/* Bytes in a packet: large ones cost less, and votes still come between those of a block. Bytes per
 * second of a connection: no bound that a local net would feel. */
#define PACKET_LEN 32768
#define RATE       200000000
/* Transactions that wait for a block. Each is a group of statements, and our orderer bounds what it
 * hands over itself: this is for what comes from other nodes. */
#define MEMPOOL_COUNT 10000
#define MEMPOOL_LEN   (UINT64_C(64) << 20)
#define MEMPOOL_CACHE 20000
/* A transaction in base64, and the request around it. */
#define RPC_BODY_MAX ((TX_MAX + 2) / 3 * 4 + 4096)

/* Nothing of it listens but the p2p port and two sockets that only this user reaches. */
static const char general[] = "abci = \"socket\"\n"
                              "proxy_app = \"unix://" ENGINE_APP_SOCKET "\"\n"
                              "moniker = \"cairn\"\n"
                              "db_backend = \"goleveldb\"\n"
                              "log_format = \"json\"\n"
                              "filter_peers = true\n" /* our Query says who may come */
                              "\n[rpc]\n"
                              "laddr = \"unix://" ENGINE_RPC_SOCKET "\"\n"
                              "grpc_laddr = \"\"\n"
                              "pprof_laddr = \"\"\n"
                              "unsafe = false\n"
                              "max_open_connections = 64\n";

/* Peers are those that are named, whatever their addresses: nobody is looked for. */
static const char p2p[] = "pex = false\n"
                          "seed_mode = false\n"
                          "seeds = \"\"\n"
                          "addr_book_strict = false\n"
                          "allow_duplicate_ip = true\n"
                          "flush_throttle_timeout = \"" FLUSH "\"\n"
                          /* A node that was away for long is dialled again within seconds. */
                          "persistent_peers_max_dial_period = \"5s\"\n";

/* Statements are checked again after each block only as far as their first bytes; ticks are
 * dropped when they are past. */
static const char mempool[] = "\n[mempool]\n"
                              "type = \"flood\"\n"
                              "broadcast = true\n"
                              "recheck = true\n"
                              "wal_dir = \"\"\n";

static const char rest[] = "\n[p2p.libp2p]\n" /* would pass by filter_peers */
                           "enabled = false\n"
                           "\n[statesync]\n"
                           "enable = false\n"
                           "\n[blocksync]\n"
                           "adaptive_sync = false\n" /* could make a validator sign twice */
                           "\n[consensus]\n"
                           "timeout_propose = \"" PROPOSE "\"\n"
                           "timeout_propose_delta = \"" PROPOSE_DELTA "\"\n"
                           "timeout_prevote = \"" VOTE "\"\n"
                           "timeout_prevote_delta = \"" VOTE_DELTA "\"\n"
                           "timeout_precommit = \"" VOTE "\"\n"
                           "timeout_precommit_delta = \"" VOTE_DELTA "\"\n"
                           "timeout_commit = \"" PACE "\"\n"
                           "skip_timeout_commit = false\n"
                           "create_empty_blocks = false\n" /* an idle ledger stands still */
                           "create_empty_blocks_interval = \"0s\"\n"
                           "peer_gossip_sleep_duration = \"" GOSSIP_SLEEP "\"\n"
                           /* Refuses to start soon after a stop, and we restart at once. */
                           "double_sign_check_height = 0\n"
                           "\n[storage]\n"
                           "discard_abci_responses = true\n" /* of all blocks but the last */
                           "\n[tx_index]\n"
                           "indexer = \"null\"\n"
                           "\n[instrumentation]\n"
                           "prometheus = false\n";

static void put(struct buf *out, const char *text)
{
    buf_put(out, bytes_text(text));
}

static void line(struct buf *out, const char *key, const char *value)
{
    put(out, key);
    put(out, " = \"");
    put(out, value);
    put(out, "\"\n");
}

static void line_uint(struct buf *out, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    put(out, key);
    put(out, " = ");
    put(out, text);
    put(out, "\n");
}

/* The peers of the mesh, ID@HOST:PORT, or their ids alone. */
static void line_peers(struct buf *out, const char *key, const struct engine_net *net,
                       bool addresses)
{
    put(out, key);
    put(out, " = \"");
    for (size_t i = 0; i < net->peer_count; i++) {
        put(out, i > 0 ? "," : "");
        put(out, net->peers[i].id);
        put(out, addresses ? "@" : "");
        put(out, addresses ? net->peers[i].address : "");
    }
    put(out, "\"\n");
}

void engine_config_write(struct buf *out, const struct engine_options *options)
{
    line(out, "log_level", options->verbose ? "info" : "error");
    put(out, general);
    line_uint(out, "max_body_bytes", RPC_BODY_MAX);
    put(out, "\n[p2p]\nladdr = \"tcp://");
    put(out, options->net.listen);
    put(out, "\"\n");
    line_peers(out, "persistent_peers", &options->net, true);
    line_peers(out, "unconditional_peer_ids", &options->net, false);
    line_uint(out, "max_packet_msg_payload_size", PACKET_LEN);
    line_uint(out, "send_rate", RATE);
    line_uint(out, "recv_rate", RATE);
    put(out, p2p);
    put(out, mempool);
    line_uint(out, "size", MEMPOOL_COUNT);
    line_uint(out, "max_txs_bytes", MEMPOOL_LEN);
    line_uint(out, "cache_size", MEMPOOL_CACHE);
    line_uint(out, "max_tx_bytes", TX_MAX);
    put(out, rest);
}
