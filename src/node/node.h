/* A node: one ledger of one folder, put together - store, ledger, admission, orderer, index - and
 * what the surfaces ask of it: submit, find, prove.
 *
 * Any thread may call any function but open and close. */
#ifndef CAIRN_NODE_NODE_H
#define CAIRN_NODE_NODE_H

#include "admit/admit.h"
#include "keystore/keystore.h"
#include "order/order.h"
#include "store/store.h"

struct node;

/* The files of a ledger's folder DIR. */
#define NODE_RECEIPT_KEY    "keys/receipt.key"
#define NODE_CHECKPOINT_KEY "keys/checkpoint.key"
#define NODE_AUDIT_KEY      "keys/audit.key"
#define NODE_OPERATOR_KEY   "operator.key"
#define NODE_CLOCK_ACCEPT   "clock.accept"
#define NODE_OPERATOR_ID    "operator"
#define NODE_ID             "node-1"
#define NODE_AUDIT_ID       "audit" /* the member that deposits the audit log's head */

/* In a ledger that several institutions run, each organisation NAME is the institution NAME (its
 * operator), with a node and an application for the audit log's head. */
#define NODE_MEMBER_SUFFIX "-node"
#define NODE_AUDIT_SUFFIX  "-audit"
#define NODE_CONSENSUS_KEY "keys/consensus.key"
#define NODE_TRANSPORT_KEY "keys/transport.key"

/* Makes DIR with a new ledger `name`: keys, genesis, block 0, DIR/NAME.trust and DIR/operator.key.
 * `passphrase` (may be NULL) encrypts the operator's key. ERR_EXISTS if DIR holds a ledger,
 * ERR_FORMAT for a name that is not 1 to 64 of a-z 0-9 . _ -; nothing is left behind on an error.
 */
must_use enum err node_create(const char *dir, const char *name, const char *passphrase,
                              struct why *why);

/* A ledger to be made. A key that is given (a key file that exists, a token's) is not copied into
 * DIR: whoever runs the node has to name it there. */
struct node_new {
    const char *dir;
    const char *name;
    const char *passphrase;            /* of the operator's key, if that is made; may be NULL */
    const struct signer *operator_key; /* these three may be NULL: a new file */
    const struct signer *receipt_key;
    const struct signer *checkpoint_key;
};
/* As node_create. ERR_REFUSED if one key is given twice, ERR_UNSUPPORTED for a checkpoint key that
 * is not Ed25519. */
must_use enum err node_create_as(const struct node_new *wanted, struct why *why);

/* Another node of a consortium, as the settings name it. */
struct node_peer {
    const char *organisation; /* its node is the member NODE_MEMBER_SUFFIX makes of it */
    const char *address;      /* HOST:PORT of its engine */
    const char *url;          /* of its HTTP interface */
};

struct node_options {
    const char *dir;
    size_t cache_len;       /* block cache, bytes; 0 = 256 MiB */
    size_t delta_pairs;     /* of the index; 0 = 4 million (64 MiB) */
    unsigned verifiers;     /* threads; 0 = one per core */
    uint64_t clock_step_ms; /* a larger step of the wall clock stops writing; 0 = 60,000 */
    /* The node's keys: files, below dir unless the path begins with a slash, or pkcs11: URIs.
     * NULL: NODE_RECEIPT_KEY, NODE_CHECKPOINT_KEY. */
    const char *receipt_key;
    const char *checkpoint_key;
    passphrase_fn *ask; /* for their passphrases and PINs; may be NULL */
    void *ask_context;
    /* Of a ledger that several institutions run. */
    const char *engine;     /* path of the cometbft program; NULL: it is looked for */
    const char *p2p_listen; /* ADDRESS:PORT where its engine hears the others; NULL: none */
    size_t peer_count;
    const struct node_peer *peers;
};

/* Opens the ledger of DIR and starts its threads. One process at a time may have it open:
 * ERR_BUSY. ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO, errors of keystore_open. A ledger that stands below
 * its head mark opens read-only (node_read_only). */
must_use enum err node_open(struct node **out, const struct node_options *options, struct why *why);
/* Commits what was taken, answers all, writes the index, closes. */
void node_close(struct node *node);

/* What 'cairn resume' is asked to do: to accept that everything after height `lost_after` is lost.
 */
struct node_resume_request {
    const char *dir;
    uint64_t lost_after;
    const struct signer *operator_key;
    const struct signer *receipt_key; /* new keys that exist; NULL: new files in DIR/keys */
    const struct signer *checkpoint_key;
    const char *reason; /* 1 to 200 bytes, for everybody to read */
};
/* Begins a new epoch after a loss (protocol.md 5, Restart): new receipt and checkpoint keys, block
 * lost_after + 1 with the operator's restart, a new DIR/NAME.trust. ERR_REFUSED if nothing is lost,
 * ERR_MISMATCH if the ledger ends elsewhere, and errors of node_open. */
must_use enum err node_resume(const struct node_resume_request *request, struct why *why);

/* What 'cairn key rotate-node' is asked to do. */
struct node_rotate_request {
    struct node_options options; /* with the node's keys in their files */
    bool checkpoint;             /* the checkpoint key, else the receipt key */
    const struct signer *operator_key;
};
/* Makes a new key of the node in the place of the old one, by a member.rotate of the operator; a
 * new receipt key stands in DIR/NAME.trust afterwards. *kid is its kid. ERR_REFUSED where the key
 * is no file of DIR/keys or the operator may not; ERR_READ_ONLY, errors of node_open. */
must_use enum err node_rotate(const struct node_rotate_request *request, struct hash *kid,
                              struct why *why);

/* Whether the node takes no statements, and why (not running, lost history, clock, disk, a token
 * that does not sign). */
bool node_read_only(struct node *node, struct why *why);
/* Whether the clock stepped, and by how much; and its acceptance. */
must_use enum err node_accept_clock(struct node *node);

/* Names that never change; borrowed from the node. */
struct bytes node_ledger_name(const struct node *node);
const struct hash *node_chain(const struct node *node);
struct bytes node_name(const struct node *node); /* empty where no key says which node it is */
struct bytes node_trust_file(const struct node *node);
/* The last committed head, retained for the caller: view_release. */
struct view *node_view(struct node *node);

/* The log of operators' acts in the node's folder, for those of other layers; borrowed. */
struct audit;
struct audit *node_audit(struct node *node);

/* ---- watching */

#define NODE_WATCHERS_MAX 4
/* Calls `changed` after every commit, when views show the new head; on the orderer's thread: must
 * not block, nor call these two. At most NODE_WATCHERS_MAX. */
typedef void node_changed_fn(void *context);
void node_watch(struct node *node, node_changed_fn *changed, void *context);
/* Ends what was begun with that context; it is not called any more once this returns. */
void node_unwatch(struct node *node, void *context);

/* ---- submitting */

#define NODE_SUBMIT_MAX 4096

/* What became of one statement of a submission. */
struct node_answer {
    enum err err; /* OK: stored, durable under `head` or before */
    bool seen;    /* it was stored before; the place is the first one's */
    struct hash id;
    uint64_t index;
    uint64_t height;
    uint32_t items; /* of a deposit */
    struct why why; /* where err is not OK */
};

struct node_answers {
    size_t count;
    struct header head; /* the newest head that any of them saw */
    struct node_answer at[];
};

/* Called once per submission, on a thread of the node: must not block. `answers` is the callee's,
 * to be released with free(). */
typedef void answered_fn(void *context, struct node_answers *answers);

/* Submits the statements of a CBOR sequence, at most NODE_SUBMIT_MAX, and borrows them until `done`
 * is called. ERR_RANGE, ERR_FORMAT (not a sequence of COSE_Sign1), ERR_READ_ONLY. Foreign
 * statements are taken only where `by_member` says that a member brings them: their answer is
 * ERR_SIGN_IN else. */
must_use enum err node_submit(struct node *node, struct bytes body, bool by_member,
                              answered_fn *done, void *context, struct why *why);
/* The same for a body that is one statement, whose outer encoding may be another tool's. Takes over
 * `body` and never fails but with ERR_READ_ONLY: what is wrong with it is in its answer. */
must_use enum err node_submit_one(struct node *node, struct buf *body, bool by_member,
                                  answered_fn *done, void *context, struct why *why);

/* A streamed batch: the statement first (admit_batch_head), then its items. Takes over both. */
must_use enum err node_batch_head(struct node *node, struct bytes statement,
                                  struct deposit *deposit, struct why *why);
must_use enum err node_submit_batch(struct node *node, struct buf *statement, struct items *items,
                                    answered_fn *done, void *context, struct why *why);

/* ---- finding */

/* One item of evidence, or a statement that is no deposit (`is_deposit` false). */
struct node_found {
    struct hash id;  /* statement id */
    struct hash kid; /* of its signer's record */
    uint64_t index;
    uint64_t height;
    uint64_t time_ms; /* of its block */
    bool is_deposit;
    uint32_t count;   /* of the deposit's items */
    uint16_t number;  /* of this item */
    struct buf entry; /* the whole entry */
    struct buf item;  /* the encoded item */
};
void node_found_clear(struct node_found *found);

enum node_find_by { NODE_BY_SHA256, NODE_BY_SM3, NODE_BY_REF, NODE_BY_STATEMENT, NODE_BY_TARGET };
/* Calls `each` for every place whose whole digest, reference or statement id is `key` (32 bytes; 16
 * for a reference), oldest first, until it returns false; by statement: the deposit's item 0, or
 * `number`. BY_TARGET finds what later statements said about a statement. *found is the callee's
 * for the length of the call. ERR_NOT_FOUND if there is none. */
typedef bool node_found_fn(void *context, struct node_found *found);
must_use enum err node_find(struct node *node, enum node_find_by by, struct bytes key,
                            uint16_t number, node_found_fn *each, void *context);
/* The same for many digests under one head, in their order: after the places of each of them, of
 * which there may be none, `each` is called once with NULL. The blocks' times are not looked up. */
must_use enum err node_find_each(struct node *node, enum node_find_by by,
                                 const struct hash *digests, size_t count, node_found_fn *each,
                                 void *context);
/* By the first 13 bytes of the statement id, as an evidence id holds them; two statements with one
 * prefix are both given. */
must_use enum err node_find_prefix(struct node *node, const uint8_t prefix13[13], uint16_t number,
                                   node_found_fn *each, void *context);

/* The entry at a log index under `view`, as node_find would give it (item 0 of a deposit).
 * ERR_NOT_FOUND for what is no statement (the genesis document); view_entry's errors. */
must_use enum err node_at(struct node *node, const struct view *view, uint64_t index,
                          struct node_found *found);
/* The member whose statement the entry at a log index is: of a foreign one the member that its key
 * was registered for. Errors as node_at. */
must_use enum err node_speaker(struct node *node, const struct view *view, uint64_t index,
                               char member[MEMBER_ID_MAX + 1]);

/* ---- proving */

/* Appends the proof file of item `number` of the statement at log `index`; without the item part
 * if `with_item` is false (the shared part of many proofs). ERR_NOT_FOUND, ERR_RANGE, ERR_READ_ONLY
 * where there is no key to sign a receipt with. */
must_use enum err node_prove(struct node *node, uint64_t index, uint16_t number, bool with_item,
                             struct buf *out, struct why *why);
/* Appends the state proof file of a key. */
must_use enum err node_prove_state(struct node *node, struct bytes module, struct bytes key,
                                   struct buf *out, struct why *why);
/* Appends the receipt of the entry at log `index` with its inclusion path under the newest head
 * (RFC 9942), or the entry as a transparent statement that carries it (RFC 9943). ERR_RANGE beyond
 * the head, ERR_READ_ONLY as node_prove. */
must_use enum err node_entry_receipt(struct node *node, uint64_t index, struct buf *out,
                                     struct why *why);
must_use enum err node_transparent(struct node *node, uint64_t index, struct buf *out,
                                   struct why *why);
/* Calls `each` for the receipt keys of this ledger, ended ones included: those that its trust file
 * lists, then those of the node that began since; or for the one of that kid, however old:
 * ERR_NOT_FOUND. The record is the callee's for the length of the call. */
typedef void node_key_fn(void *context, const struct hash *kid, const struct key_record *record);
must_use enum err node_receipt_keys(struct node *node, node_key_fn *each, void *context);
must_use enum err node_receipt_key(struct node *node, const struct hash *kid, node_key_fn *each,
                                   void *context);
/* Appends a trust update from the head (epoch, height) that the client trusts to the newest. */
must_use enum err node_trust_update(struct node *node, uint64_t epoch, uint64_t height,
                                    uint64_t size, struct buf *out, struct why *why);

/* ---- checkpoints and witnesses (protocol.md 6) */

/* Appends the checkpoint of the view's head as a signed note: our signature, made once per head,
 * and the lines of witnesses that are known. ERR_READ_ONLY where there is no key to sign with. */
must_use enum err node_checkpoint(struct node *node, struct view *view, struct buf *out,
                                  struct why *why);
/* Appends the vkey of the key that signs them. ERR_READ_ONLY. */
must_use enum err node_checkpoint_key(struct node *node, struct buf *vkey, struct why *why);
/* Stores witness lines over the checkpoint of the view's head, durable, and holds on to the view,
 * so that proofs can be made under it. Whoever calls it has verified them; of a key that has a line
 * already none is added. ERR_FORMAT, ERR_RANGE beyond 64, errors of the store. */
must_use enum err node_add_notes(struct node *node, struct view *view, struct bytes lines,
                                 struct why *why);

/* Appends the witness lines known of the head of a block. ERR_NOT_FOUND if there are none,
 * ERR_RANGE beyond the newest block. */
must_use enum err node_block_notes(struct node *node, uint64_t height, struct buf *out);

/* The member that a key is registered for, under the newest head. ERR_NOT_FOUND if it is not. */
must_use enum err node_key_member(struct node *node, const struct hash *kid,
                                  char member[MEMBER_ID_MAX + 1], struct why *why);

/* ---- figures for /healthz, metrics and benchmarks */

struct node_figures {
    uint64_t tree_size;
    uint64_t height;
    uint64_t index_height; /* up to which searches find everything */
    uint64_t delta_pairs;
    uint64_t queued_count;     /* statements that wait for a block */
    uint64_t queued_len;       /* their bytes */
    uint64_t queued_count_max; /* at either of which statements are refused; 0: read-only */
    uint64_t queued_len_max;
    uint64_t admit_waiting;          /* statements that wait for a verifier */
    int64_t clock_step_ms;           /* while a step of the clock stops writing */
    uint64_t pending_compaction_len; /* of the indexes */
    uint64_t background_jobs;        /* flushes and compactions of the database, running or due */
    struct store_figures store;
    uint64_t disk_free_len; /* of the folder's file system; both 0 if it can't be asked */
    uint64_t disk_len;
    bool audit_failed; /* the last act could not be written to the audit log */
    uint64_t accepted; /* statements since start */
    uint64_t items;
    uint64_t refused;
};
void node_figures(struct node *node, struct node_figures *out);

#endif
