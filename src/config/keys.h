/* The one table of settings: what reads cairn.conf, the options of 'cairn run', the file that
 * 'cairn init' writes, 'cairn config show' and the test of the manual are made from it. */
#ifndef CAIRN_CONFIG_KEYS_H
#define CAIRN_CONFIG_KEYS_H

#include "base/bytes.h"

/* What the texts of a setting mean. */
enum config_kind {
    CONFIG_TEXT,    /* any text; `min` and `max` bound its bytes. "": not set */
    CONFIG_LIST,    /* the same, any number of times */
    CONFIG_WORD,    /* one of `words`, stored as its number */
    CONFIG_SWITCH,  /* yes or no; as an option it stands alone and means yes */
    CONFIG_COUNT,   /* a whole number from `min` to `max` */
    CONFIG_SECONDS, /* the same, in seconds; the name ends in _s */
    CONFIG_SIZE,    /* bytes, written with a unit: B, KiB, MiB, GiB */
};

#define CONFIG_LIST_MAX 64u

struct config_list {
    size_t count;
    char **at;
};

/* The type that each kind has in struct config. */
#define CONFIG_TYPE_TEXT    char *
#define CONFIG_TYPE_LIST    struct config_list
#define CONFIG_TYPE_WORD    unsigned
#define CONFIG_TYPE_SWITCH  bool
#define CONFIG_TYPE_COUNT   uint64_t
#define CONFIG_TYPE_SECONDS uint64_t
#define CONFIG_TYPE_SIZE    uint64_t

#define CONFIG_MIB ((uint64_t)1 << 20)
#define CONFIG_TIB ((uint64_t)1 << 40)

/* Numbers of the words of each CONFIG_WORD, in the order of the table. */
enum config_read { CONFIG_READ_PUBLIC, CONFIG_READ_MEMBERS, CONFIG_READ_ROLES };
enum config_metrics { CONFIG_METRICS_LOOPBACK, CONFIG_METRICS_PUBLIC, CONFIG_METRICS_MEMBERS };
enum config_log_format { CONFIG_LOG_LOGFMT, CONFIG_LOG_JSON };
enum config_log_to { CONFIG_LOG_STDERR, CONFIG_LOG_SYSLOG };

/* kind, name, option, what its value is called, default, words, min, max, when a change takes
 * effect (RELOAD: at SIGHUP, RESTART: when the node starts anew), half a sentence. */
/* clang-format off */
#define CONFIG_TABLE(X)                                                                            \
    X(TEXT, listen, "listen", "ADDRESS:PORT", "127.0.0.1:8420", NULL, 1, 80, RESTART,              \
      "where to serve; port 0 takes any free one")                                                 \
    X(TEXT, origin, "origin", "https://NAME", "", NULL, 0, 300, RESTART,                           \
      "the name under which clients reach the node; needed off loopback")                          \
    X(SWITCH, plain, "plain", NULL, "no", NULL, 0, 0, RESTART,                                     \
      "serve without TLS off loopback, behind a proxy that has it")                                \
    X(TEXT, tls_certificate, "tls-certificate", "FILE", "", NULL, 0, 4000, RELOAD,                 \
      "PEM file, the node's certificate first; its contents are read anew at SIGHUP")              \
    X(TEXT, tls_key, "tls-key", "KEY", "", NULL, 0, 4000, RELOAD,                                  \
      "PEM file of its private key, or a pkcs11: URI")                                             \
    X(TEXT, tls_client_ca, "tls-client-ca", "FILE", "", NULL, 0, 4000, RELOAD,                     \
      "PEM file; certificates that clients show are judged against it")                            \
    X(WORD, read, "read", "WHO", "public", "public members roles", 0, 0, RELOAD,                   \
      "who may read the ledger")                                                                   \
    X(TEXT, read_roles, "read-roles", "ROLES", "court,auditor,operator", NULL, 1, 300, RELOAD,     \
      "with read = roles, the roles that may read everything")                                     \
    X(WORD, metrics, "metrics", "WHO", "loopback", "loopback public members", 0, 0, RELOAD,        \
      "who may read /metrics")                                                                     \
    X(COUNT, http_threads, "http-threads", "N", "1", NULL, 1, 64, RESTART,                         \
      "event loops that serve connections")                                                        \
    X(SIZE, memory, "memory", "SIZE", "256 MiB", NULL, 64 * CONFIG_MIB, CONFIG_TIB, RESTART,       \
      "bodies, queues and answers together")                                                       \
    X(COUNT, connections, "connections", "N", "1024", NULL, 1, 65536, RESTART,                     \
      "connections at a time")                                                                     \
    X(COUNT, connections_per_address, "connections-per-address", "N", "256", NULL, 1, 65536,       \
      RESTART, "connections at a time from one address other than loopback") \
    X(COUNT, requests_per_second, "requests-per-second", "N", "0", NULL, 0, 1000000, RELOAD,       \
      "requests of one key, or one address where there is no key; 0 = no limit")                   \
    X(COUNT, requests_burst, "requests-burst", "N", "0", NULL, 0, 1000000, RELOAD,                 \
      "requests that may come at once before the rate counts; 0 = two seconds of it")              \
    X(COUNT, streams, "streams", "N", "10000", NULL, 1, 65536, RESTART,                            \
      "event streams at a time")                                                                   \
    X(SIZE, header_max, "header-max", "SIZE", "16 KiB", NULL, 4096, CONFIG_MIB, RESTART,           \
      "request line and headers together")                                                         \
    X(SIZE, chunked_max, "chunked-max", "SIZE", "1 MiB", NULL, 4096, 32 * CONFIG_MIB, RESTART,     \
      "a body that comes without saying its length")                                               \
    X(SIZE, body_rate, "body-rate", "SIZE", "16 KiB", NULL, 1, CONFIG_MIB, RESTART,                \
      "a body that comes more slowly than this in a second is given up")                           \
    X(SECONDS, body_grace_s, "body-grace-s", "SECONDS", "5", NULL, 1, 3600, RESTART,               \
      "seconds before body_rate counts")                                                           \
    X(SECONDS, header_wait_s, "header-wait-s", "SECONDS", "10", NULL, 1, 3600, RESTART,            \
      "seconds for a request's headers to be complete")                                            \
    X(SECONDS, idle_s, "idle-s", "SECONDS", "60", NULL, 1, 3600, RESTART,                          \
      "seconds until a silent connection is closed")                                               \
    X(SECONDS, answer_wait_s, "answer-wait-s", "SECONDS", "30", NULL, 1, 3600, RESTART,            \
      "seconds until a statement that waits for its block is answered with 504")                   \
    X(SIZE, cache, "cache", "SIZE", "256 MiB", NULL, 8 * CONFIG_MIB, CONFIG_TIB, RESTART,          \
      "cache of the database")                                                                     \
    X(COUNT, verifiers, "verifiers", "N", "0", NULL, 0, 256, RESTART,                              \
      "threads that check signatures; 0 = one per core")                                           \
    X(SECONDS, clock_step_s, "clock-step-s", "SECONDS", "60", NULL, 1, 3600, RESTART,              \
      "a clock that was set by more than this stops writing until 'cairn clock accept'")           \
    X(TEXT, receipt_key, "receipt-key", "KEY", "keys/receipt.key", NULL, 1, 4000, RESTART,         \
      "the key that signs receipts: a PEM file, below DIR unless it begins with a slash, "         \
      "or a pkcs11: URI")                                                                          \
    X(TEXT, checkpoint_key, "checkpoint-key", "KEY", "keys/checkpoint.key", NULL, 1, 4000,         \
      RESTART, "the key that signs checkpoints, written alike")                                    \
    X(TEXT, audit_key, "audit-key", "KEY", "keys/audit.key", NULL, 1, 4000, RESTART,               \
      "the key that deposits the audit log's head, written alike; nothing is deposited where "     \
      "this was not set and there is no such file")                                                \
    X(TEXT, passphrase_file, "passphrase-file", "FILE", "", NULL, 0, 4000, RESTART,                \
      "first line: the passphrase of the node's key files; else the systemd credential "           \
      "key-passphrase")                                                                            \
    X(TEXT, pkcs11_pin_file, "pkcs11-pin-file", "FILE", "", NULL, 0, 4000, RESTART,                \
      "first line: the PIN of the PKCS#11 token; else the systemd credential pkcs11-pin")          \
    X(LIST, witness, "witness", "URL VKEY", "", NULL, 10, 1000, RELOAD,                            \
      "a witness that is asked to sign checkpoints, and its verifier key")                         \
    X(SECONDS, witness_interval_s, "witness-interval-s", "SECONDS", "10", NULL, 1, 86400, RELOAD,  \
      "seconds between two checkpoints that witnesses are asked to sign")                          \
    X(TEXT, p2p_listen, "p2p-listen", "ADDRESS:PORT", "", NULL, 0, 80, RESTART,                    \
      "where the engine of a consortium's node takes connections of the other nodes")              \
    X(LIST, peer, "peer", "NAME HOST:PORT URL", "", NULL, 10, 1000, RESTART,                       \
      "another organisation of the consortium, its engine's address, and its node's URL")          \
    X(TEXT, engine, "engine", "PATH", "", NULL, 0, 4000, RESTART,                                  \
      "the cometbft program; else it is looked for beside cairn, in libexec/cairn and in PATH")    \
    X(WORD, log_format, "log-format", "FORMAT", "logfmt", "logfmt json", 0, 0, RESTART,            \
      "how a line of the log is written")                                                          \
    X(WORD, log_level, "log-level", "LEVEL", "info", "debug info warn error", 0, 0, RELOAD,        \
      "the lowest level that is written")                                                          \
    X(WORD, log_to, "log-to", "WHERE", "stderr", "stderr syslog", 0, 0, RESTART,                   \
      "standard error, or RFC 5424 to /dev/log")                                                   \
    X(SWITCH, log_requests, "log-requests", NULL, "no", NULL, 0, 0, RELOAD,                        \
      "write a line for every request that is answered")
/* clang-format on */

/* ---- the same as data */

enum config_when { CONFIG_RESTART, CONFIG_RELOAD };

struct config_key {
    enum config_kind kind;
    enum config_when when;
    const char *name;     /* "tls_key" */
    const char *option;   /* "tls-key" */
    const char *value;    /* what its value is called, "FILE"; NULL for a switch */
    const char *standard; /* the default, as it would be written; "": none */
    const char *words;    /* of a CONFIG_WORD, parted by blanks; else NULL */
    uint64_t min;
    uint64_t max;
    const char *text;
    size_t offset; /* in struct config */
};

#define CONFIG_NUMBER(kind, name, ...) CONFIG_KEY_##name,
enum config_number { CONFIG_TABLE(CONFIG_NUMBER) CONFIG_KEY_COUNT };

/* By enum config_number. */
extern const struct config_key config_keys[CONFIG_KEY_COUNT];

#endif
