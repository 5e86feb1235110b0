/* The messages of ABCI 2.0 on the socket between CometBFT (0.38 to 0.40) and its application: what
 * the application is asked, and what it answers. A message is a frame, a varint with the length of
 * the protobuf message that follows it.
 *
 * Requests are parsed into structures that borrow from the frame; their arrays lie in an arena.
 * Unknown fields are skipped. A number that CometBFT types as signed and that can't be negative is
 * ERR_RANGE if it is. Answers are appended as whole frames. What this application never says has
 * no place here: events, gas, proofs of queries, vote extensions, changed consensus parameters. */
#ifndef CAIRN_ORDER_COMET_ABCI_H
#define CAIRN_ORDER_COMET_ABCI_H

#include "base/arena.h"
#include "proof/commit.h"

/* The number of the request in CometBFT's oneof; its answer has the next one. */
enum abci_kind {
    ABCI_ECHO = 1,
    ABCI_FLUSH = 2,
    ABCI_INFO = 3,
    ABCI_INIT_CHAIN = 5,
    ABCI_QUERY = 6,
    ABCI_CHECK_TX = 8,
    ABCI_COMMIT = 11,
    ABCI_LIST_SNAPSHOTS = 12,
    ABCI_OFFER_SNAPSHOT = 13,
    ABCI_LOAD_SNAPSHOT_CHUNK = 14,
    ABCI_APPLY_SNAPSHOT_CHUNK = 15,
    ABCI_PREPARE_PROPOSAL = 16,
    ABCI_PROCESS_PROPOSAL = 17,
    ABCI_EXTEND_VOTE = 18,
    ABCI_VERIFY_VOTE_EXTENSION = 19,
    ABCI_FINALIZE_BLOCK = 20,
    ABCI_INSERT_TX = 21,
    ABCI_REAP_TXS = 22
};
#define ABCI_EXCEPTION 1 /* the number of the one answer that fits every request */

/* Bounds. A block of ours has at most 4 MiB and a transaction takes two bytes or more of it, so
 * that no proposer reaches the first; the second is CometBFT's own, of validators. */
#define ABCI_TXS_MAX         (1u << 22)
#define ABCI_VOTES_MAX       10000
#define ABCI_MISBEHAVIOR_MAX 65536
#define ABCI_FRAME_MAX       (64u << 20)
#define ABCI_ADDRESS_LEN     20

/* BlockIDFlag. */
enum abci_flag { ABCI_FLAG_UNKNOWN, ABCI_FLAG_ABSENT, ABCI_FLAG_COMMIT, ABCI_FLAG_NIL };

struct abci_vote {
    struct bytes address; /* of the validator: the first 20 bytes of SHA-256 over its key */
    uint64_t power;
    enum abci_flag flag;
};

struct abci_votes {
    uint64_t round;
    size_t count;
    struct abci_vote *at;
};

enum abci_offence { ABCI_OFFENCE_UNKNOWN, ABCI_DUPLICATE_VOTE, ABCI_LIGHT_CLIENT_ATTACK };

struct abci_misbehavior {
    enum abci_offence offence;
    struct bytes address;
    uint64_t power;
    uint64_t height; /* CometBFT's, of the offence */
    struct comet_time time;
    uint64_t total_power;
};

struct abci_info {
    struct bytes version; /* CometBFT's; 0.40.0 says 0.39.0 */
    uint64_t block_version;
    uint64_t p2p_version;
    struct bytes abci_version;
};

/* A validator's key and its power. */
struct abci_validator {
    unsigned key_type; /* 1 is Ed25519; the others are CometBFT's numbers in its PublicKey */
    struct bytes key;
    uint64_t power;
};

/* Consensus parameters as far as this application looks at them. */
struct abci_params {
    bool there;
    int64_t block_max_bytes;
    int64_t block_max_gas;
    int64_t evidence_max_age; /* in blocks */
    int64_t evidence_max_bytes;
    int64_t app_version;
    int64_t vote_extensions_height;
};

struct abci_init_chain {
    struct comet_time time;
    struct bytes chain;
    struct abci_params params;
    size_t validator_count;
    struct abci_validator *validators;
    struct bytes app_state; /* JSON of the genesis file */
    uint64_t initial_height;
};

struct abci_query {
    struct bytes data;
    struct bytes path;
    uint64_t height;
    bool prove;
};

struct abci_check_tx {
    struct bytes tx;
    bool recheck;
};

/* PrepareProposal, ProcessProposal, FinalizeBlock and ExtendVote, which differ only in their field
 * numbers. */
struct abci_block {
    uint64_t max_tx_bytes; /* PrepareProposal only */
    size_t tx_count;
    struct bytes *txs;
    struct abci_votes last_commit;
    size_t misbehavior_count;
    struct abci_misbehavior *misbehavior;
    struct bytes hash; /* of the block; absent in PrepareProposal */
    uint64_t height;
    struct comet_time time;
    struct bytes next_validators_hash;
    struct bytes proposer; /* address */
};

struct abci_snapshot {
    uint64_t height;
    uint64_t format;
    uint64_t chunks;
    struct bytes hash;
    struct bytes metadata;
};

struct abci_offer_snapshot {
    struct abci_snapshot snapshot;
    struct bytes app_hash;
};

struct abci_chunk {
    uint64_t height; /* LoadSnapshotChunk only */
    uint64_t format; /* as above */
    uint64_t index;
    struct bytes chunk;  /* ApplySnapshotChunk only */
    struct bytes sender; /* as above */
};

struct abci_extension {
    struct bytes hash;
    struct bytes address;
    uint64_t height;
    struct bytes extension;
};

struct abci_reap_txs {
    uint64_t max_bytes;
    uint64_t max_gas;
};

struct abci_request {
    enum abci_kind kind;
    union {
        struct bytes echo;
        struct abci_info info;
        struct abci_init_chain init_chain;
        struct abci_query query;
        struct abci_check_tx check_tx; /* and InsertTx */
        struct abci_block block; /* PrepareProposal, ProcessProposal, ExtendVote, FinalizeBlock */
        struct abci_offer_snapshot offer_snapshot;
        struct abci_chunk chunk; /* LoadSnapshotChunk, ApplySnapshotChunk */
        struct abci_extension extension;
        struct abci_reap_txs reap_txs;
    };
};

/* Reads the message of a frame, without its length. ERR_UNSUPPORTED: a request of another number;
 * ERR_FORMAT: no request in it; else the reader's errors (codec/protobuf.h). */
must_use enum err abci_request_parse(struct abci_request *out, struct bytes message,
                                     struct arena *arena);
/* A kind's name as CometBFT has it, "FinalizeBlock". */
const char *abci_kind_name(enum abci_kind kind);

/* Where a frame of at most ABCI_FRAME_MAX bytes begins: its length and that of what announces it.
 * ERR_TRUNCATED: more bytes are needed to know; ERR_RANGE: longer than allowed. */
must_use enum err abci_frame_parse(struct bytes input, size_t *head_len, size_t *len);

struct abci_info_answer {
    struct bytes data;
    struct bytes version;
    uint64_t app_version;
    uint64_t height;       /* of the last block that is durable; CometBFT's */
    struct bytes app_hash; /* after it */
};

struct abci_init_answer {
    size_t validator_count; /* 0: those of the genesis file */
    const struct abci_validator *validators;
    struct bytes app_hash;
};

struct abci_query_answer {
    uint32_t code; /* 0 is good */
    struct bytes log;
    struct bytes key;
    struct bytes value;
    uint64_t height;
};

/* Of one transaction, checked or executed. */
struct abci_result {
    uint32_t code; /* 0 is good */
    struct bytes data;
    struct bytes log; /* of no weight: the only part of it that is not in the next header */
};

struct abci_txs {
    size_t count;
    const struct bytes *at;
};

enum abci_verdict { ABCI_ACCEPT = 1, ABCI_REJECT = 2 };

struct abci_finalized {
    size_t result_count; /* as many as transactions, or CometBFT halts */
    const struct abci_result *results;
    size_t validator_count;
    const struct abci_validator *validators; /* changed ones; power 0 removes */
    struct bytes app_hash;
};

/* Answers; each appends one frame. */
void abci_answer_exception(struct buf *out, struct bytes text);
void abci_answer_echo(struct buf *out, struct bytes text);
void abci_answer_flush(struct buf *out);
void abci_answer_info(struct buf *out, const struct abci_info_answer *answer);
void abci_answer_init_chain(struct buf *out, const struct abci_init_answer *answer);
void abci_answer_query(struct buf *out, const struct abci_query_answer *answer);
void abci_answer_check_tx(struct buf *out, const struct abci_result *answer);
void abci_answer_prepare(struct buf *out, const struct abci_txs *answer);
void abci_answer_process(struct buf *out, enum abci_verdict verdict);
void abci_answer_finalize(struct buf *out, const struct abci_finalized *answer);
/* `retain_height`: CometBFT may forget blocks below it; 0 keeps all. */
void abci_answer_commit(struct buf *out, uint64_t retain_height);
/* No snapshots. */
void abci_answer_list_snapshots(struct buf *out);

/* What a transaction of `len` bytes counts against `max_tx_bytes`. */
size_t abci_tx_cost(size_t len);

#endif
