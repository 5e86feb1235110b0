#include "order/comet/engine_files.h"

#include "base/clock.h"
#include "base/file.h"
#include "codec/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_LEN   64 /* as the engine writes an Ed25519 key: seed, public key */
#define GENESIS_MAX  ((size_t)256 << 10)
#define KEY_FILE_MAX 1024

/* Equivocations are acted upon for this long, and as many blocks: both must have passed. */
#define EVIDENCE_BLOCKS 100000
#define EVIDENCE_NS     UINT64_C(172800000000000)
#define EVIDENCE_MAX    65536 /* bytes in a block */

static void put(struct buf *out, const char *text)
{
    buf_put(out, bytes_text(text));
}

static void put_uint(struct buf *out, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "\"%" PRIu64 "\"", value);
    put(out, text);
}

static void put_address(struct buf *out, const struct hash *key)
{
    uint8_t address[COMET_ADDRESS_LEN];
    char text[2 * COMET_ADDRESS_LEN + 1];
    comet_address(address, key);
    hex_write(text, (struct bytes){address, sizeof address});
    for (char *at = text; *at; at++) {
        *at = *at >= 'a' ? (char)(*at - 'a' + 'A') : *at;
    }
    put(out, "\"");
    put(out, text);
    put(out, "\"");
}

void engine_node_id(char *out41, const struct hash *transport_key)
{
    uint8_t address[COMET_ADDRESS_LEN];
    comet_address(address, transport_key);
    hex_write(out41, (struct bytes){address, sizeof address});
}

static void put_key(struct buf *out, const char *type, struct bytes key)
{
    put(out, "{\"type\":\"tendermint/");
    put(out, type);
    put(out, "\",\"value\":\"");
    base64_put(out, key);
    put(out, "\"}");
}

void engine_genesis_write(struct buf *out, const struct engine_genesis *genesis)
{
    char time[25];
    clock_format(time, genesis->time_ms);
    put(out, "{\"genesis_time\":\"");
    put(out, time);
    put(out, "\",\"chain_id\":\"");
    buf_put(out, genesis->regime->chain);
    put(out, "\",\"initial_height\":\"1\",\"consensus_params\":{\"block\":{\"max_bytes\":");
    put_uint(out, ENGINE_BLOCK_MAX);
    put(out, ",\"max_gas\":\"-1\"},\"evidence\":{\"max_age_num_blocks\":");
    put_uint(out, EVIDENCE_BLOCKS);
    put(out, ",\"max_age_duration\":");
    put_uint(out, EVIDENCE_NS);
    put(out, ",\"max_bytes\":");
    put_uint(out, EVIDENCE_MAX);
    put(out, "},\"validator\":{\"pub_key_types\":[\"ed25519\"]},\"version\":{\"app\":\"0\"},"
             "\"abci\":{\"vote_extensions_enable_height\":\"0\"}},\"validators\":[");
    for (size_t i = 0; i < genesis->regime->count; i++) {
        const struct regime_validator *validator = &genesis->regime->validators[i];
        put(out, i > 0 ? ",{\"address\":" : "{\"address\":");
        put_address(out, &validator->key);
        put(out, ",\"pub_key\":");
        put_key(out, "PubKeyEd25519", hash_bytes(&validator->key));
        put(out, ",\"power\":");
        put_uint(out, validator->power);
        put(out, ",\"name\":\"\"}");
    }
    char hash[2 * sizeof genesis->app_hash.at + 1];
    hex_write(hash, hash_bytes(&genesis->app_hash));
    put(out, "],\"app_hash\":\"");
    put(out, hash);
    put(out, "\"}\n");
}

/* Whether the text is a host and a port, of characters that need no quotes anywhere. */
static bool is_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t len = strlen(text);
    if (!colon || colon == text || len > 300) {
        return false;
    }
    char *end;
    unsigned long port = strtoul(colon + 1, &end, 10);
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") ==
               len &&
           colon[1] >= '0' && colon[1] <= '9' && *end == 0 && port > 0 && port <= 65535;
}

/* Whether the engine's name of a chain needs no quotes in JSON. */
static bool is_chain(struct bytes chain)
{
    for (size_t i = 0; i < chain.len; i++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", chain.at[i]) || chain.at[i] == 0) {
            return false;
        }
    }
    return chain.len > 0 && chain.len <= COMET_CHAIN_MAX;
}

static enum err check_address(const char *field, const char *text, struct why *why)
{
    return is_address(text) ? OK
                            : why_say(why, ERR_FORMAT, field, text, "is not a host and a port",
                                      "Write it as HOST:PORT, an IPv6 address in brackets.");
}

static enum err check_options(const struct engine_options *options, struct why *why)
{
    if (!is_chain(options->genesis.regime->chain)) {
        return why_say(why, ERR_FORMAT, "chain id", NULL, "is not of letters, digits and hyphens",
                       NULL);
    }
    TRY(check_address("p2p_listen", options->net.listen, why));
    for (size_t i = 0; i < options->net.peer_count; i++) {
        const struct engine_peer *peer = &options->net.peers[i];
        TRY(check_address("peer", peer->address, why));
        if (strlen(peer->id) != ENGINE_ID_LEN ||
            strspn(peer->id, "0123456789abcdef") != ENGINE_ID_LEN) {
            return why_say(why, ERR_FORMAT, "peer id", peer->id, "is not 40 digits of hex", NULL);
        }
    }
    return OK;
}

/* Writes HOME/NAME and wipes `text`. */
static enum err write_secret(const char *home, const char *name, struct buf *text, struct why *why)
{
    char *path = path_join(home, name);
    enum err err = file_write(path, buf_bytes(text), 0600, why);
    free(path);
    wipe(text->at, text->len);
    buf_clear(text);
    return err;
}

static enum err secret_of(const struct signer *signer, const char *name, uint8_t *secret64,
                          struct why *why)
{
    enum err err = signer_ed25519_secret(signer, secret64);
    if (err == ERR_UNSUPPORTED) {
        return why_say(why, err, name, NULL, "lies in a token, and the engine must have it itself",
                       "Use a key in a file for this purpose.");
    }
    return err == OK ? OK : why_say(why, err, name, NULL, "is not an Ed25519 key", NULL);
}

static enum err write_node_key(const struct engine_options *options, struct why *why)
{
    uint8_t secret[SECRET_LEN];
    TRY(secret_of(options->transport, "transport key", secret, why));
    struct buf text = {0};
    buf_reserve(&text, KEY_FILE_MAX); /* so that it does not move, and leaves no copy */
    put(&text, "{\"priv_key\":");
    put_key(&text, "PrivKeyEd25519", (struct bytes){secret, sizeof secret});
    put(&text, "}\n");
    wipe(secret, sizeof secret);
    return write_secret(options->home, "config/node_key.json", &text, why);
}

static enum err write_validator_key(const struct engine_options *options, struct why *why)
{
    uint8_t secret[SECRET_LEN];
    TRY(secret_of(options->consensus, "consensus key", secret, why));
    struct hash key;
    memcpy(key.at, secret + SECRET_LEN - sizeof key.at, sizeof key.at);
    struct buf text = {0};
    buf_reserve(&text, KEY_FILE_MAX);
    put(&text, "{\"address\":");
    put_address(&text, &key);
    put(&text, ",\"pub_key\":");
    put_key(&text, "PubKeyEd25519", hash_bytes(&key));
    put(&text, ",\"priv_key\":");
    put_key(&text, "PrivKeyEd25519", (struct bytes){secret, sizeof secret});
    put(&text, "}\n");
    wipe(secret, sizeof secret);
    return write_secret(options->home, "config/priv_validator_key.json", &text, why);
}

static enum err write_config(const struct engine_options *options, struct why *why)
{
    struct buf text = {0};
    engine_config_write(&text, options);
    char *path = path_join(options->home, "config/config.toml");
    enum err err = file_write(path, buf_bytes(&text), 0600, why);
    free(path);
    buf_clear(&text);
    return err;
}

/* A genesis that differs is another chain: its data would be taken for this one's. */
static enum err write_genesis(const struct engine_options *options, struct why *why)
{
    struct buf text = {0};
    struct buf there = {0};
    engine_genesis_write(&text, &options->genesis);
    char *path = path_join(options->home, "config/genesis.json");
    enum err err = file_read(&there, path, GENESIS_MAX, why);
    if (err == ERR_NOT_FOUND) {
        err = file_write(path, buf_bytes(&text), 0600, why);
    } else if (err == ERR_RANGE ||
               (err == OK && !bytes_equal(buf_bytes(&text), buf_bytes(&there)))) {
        err = why_say(why, ERR_MISMATCH, "genesis", path, "is that of another ledger or regime",
                      "Check that this folder belongs to this node; do not delete it.");
    }
    free(path);
    buf_clear(&text);
    buf_clear(&there);
    return err;
}

/* The engine does not start without its sign state, so that a lost one is never taken for an empty
 * one: an empty one is written with the folder, whole or not at all, and never again. */
static enum err make_data(const struct engine_options *options, struct why *why)
{
    static const char state[] = "{\"height\":\"0\",\"round\":0,\"step\":0}\n";
    char *data = path_join(options->home, "data");
    char *fresh = path_join(options->home, "data.new");
    char *file = path_join(fresh, "priv_validator_state.json");
    enum err err = OK;
    if (!file_exists(data)) {
        err = dir_make(fresh, 0700, why);
        err = err == OK ? file_write(file, bytes_text(state), 0600, why) : err;
        if (err == OK && (rename(fresh, data) != 0 || dir_sync(options->home) != OK)) {
            err = why_say(why, ERR_IO, "engine", data, "could not be made", NULL);
        }
    }
    free(data);
    free(fresh);
    free(file);
    return err;
}

enum err engine_prepare(const struct engine_options *options, struct why *why)
{
    TRY(check_options(options, why));
    char *config = path_join(options->home, "config");
    enum err err = dir_make(config, 0700, why);
    free(config);
    TRY(err);
    TRY(write_genesis(options, why));
    TRY(write_config(options, why));
    TRY(write_node_key(options, why));
    TRY(write_validator_key(options, why));
    return make_data(options, why);
}
