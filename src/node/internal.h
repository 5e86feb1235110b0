/* What the files of this folder share. */
#ifndef CAIRN_NODE_INTERNAL_H
#define CAIRN_NODE_INTERNAL_H

#include "node/node.h"
#include "proof/keyrecord.h"
#include "store/mark.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

struct attested;
struct indexer;
struct index;
struct trust;
struct siblings;
struct stated;
struct trust_update;

/* What vouches for one head: made or read when it is first asked for, then kept. */
struct vouched {
    struct hash head;      /* header hash */
    struct buf receipt;    /* empty until it is made, as the next */
    struct buf checkpoint; /* the note with the node's own signature */
    struct buf notes;      /* lines of witnesses */
    bool notes_read;
};
#define VOUCHED_MAX 2 /* the newest head, and the newest that witnesses cosigned */

struct watcher {
    node_changed_fn *changed;
    void *context;
};

struct node {
    char *dir;
    int lock_fd;
    struct store *store;
    struct mark *mark;
    struct audit *audit;
    bool noted_start; /* the log has this start, and wants its stop */
    struct ledger *ledger;
    struct index *index;
    struct indexer *indexer;
    struct admit *admit;
    struct order *order;        /* NULL: read-only */
    struct node_engine *engine; /* NULL: one institution runs the ledger */
    struct signer *receipt;     /* NULL: read-only */
    struct signer *checkpoint;  /* as receipt */
    struct why read_only;       /* why it is, where order is NULL */
    pthread_t jobs;
    bool has_jobs;
    atomic_bool stopping;

    char name[MEMBER_ID_MAX + 1]; /* the node's member id, or "" as long as it is not known */
    struct buf genesis;           /* entry 0, from which ledger_name borrows */
    struct bytes ledger_name;
    struct hash chain;
    struct buf trust_file;

    pthread_mutex_t vouched_lock; /* of these four */
    struct vouched vouched[VOUCHED_MAX];
    struct view *witnessed;     /* the newest head that has notes, or NULL */
    uint64_t witnessed_ns;      /* since when, monotonic */
    pthread_mutex_t notes_lock; /* one writer of notes at a time */

    pthread_mutex_t key_lock; /* of the next two */
    bool key_failed;          /* a key in a token does not sign: no statement is taken */
    struct why key_why;
    struct hash probed_head; /* these two are the jobs thread's own */
    uint64_t probed_ns;

    struct buf receipt_kids; /* of the trust file's receipt keys, 32 bytes each */

    struct attested *attested; /* what other nodes say (attested.h) */

    pthread_mutex_t watch_lock; /* of the watchers */
    size_t watcher_count;
    struct watcher watchers[NODE_WATCHERS_MAX];

    atomic_uint_fast64_t accepted;
    atomic_uint_fast64_t items;
    atomic_uint_fast64_t refused;
};

/* ---- indexer.c: the thread that adds the pairs of committed blocks to the index */

/* One pair on its way. */
struct pair {
    uint64_t prefix;
    uint64_t index;
    uint16_t number;
    uint8_t kind;
};
struct pair_block;

/* Indexes what the index lacks up to the view's height, then starts the thread. ERR_IO. */
must_use enum err indexer_start(struct indexer **out, struct index *index, struct view *view);
void indexer_stop(struct indexer *indexer);
struct pair_block *pair_block_new(size_t capacity);
void pair_block_add(struct pair_block *block, struct pair pair);
/* Hands over the pairs of the block at `height`; waits while the indexer is far behind. */
void indexer_push(struct indexer *indexer, struct pair_block *block, uint64_t height);
/* Waits until searches find everything up to `height`. ERR_TIMEOUT after two to three seconds,
 * ERR_IO. */
must_use enum err indexer_wait(struct indexer *indexer, uint64_t height);

/* ---- node.c */

/* Notes why the node takes no statements. */
void node_set_read_only(struct node *node, const char *field, const char *problem,
                        const char *remedy);
/* Locks DIR/lock. ERR_BUSY while another process has it, ERR_NOT_FOUND. */
must_use enum err node_lock_folder(struct node *node, struct why *why);
/* Reads entry 0 into chain and name; the ledger is open. */
must_use enum err node_read_genesis(struct node *node, struct why *why);
/* Closes and frees all that the node holds, but not the node. */
void node_clear(struct node *node);

/* ---- create.c: what new ledgers of both kinds are made of */

/* ERR_FORMAT unless it is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit. */
must_use enum err node_check_ledger_name(const char *name, struct why *why);
/* Makes a new Ed25519 key in the file DIR/FILE. ERR_EXISTS, ERR_IO. */
must_use enum err node_make_key(struct signer **out, const char *dir, const char *file,
                                const char *passphrase, struct why *why);
/* Block 0 of a ledger. */
struct node_made {
    struct header header;
    struct hash hash;
};
/* Makes the ledger of a genesis document and its head mark in DIR. ledger_create's errors. */
must_use enum err node_make_ledger(struct node_made *made, const char *dir, struct bytes genesis,
                                   uint64_t time_ms, struct why *why);
struct trust_regime;
/* Appends the first trust file: one regime, and block 0 as a head. */
void node_first_trust(struct buf *out, const char *name, const struct node_made *made,
                      struct trust_regime *regime);
/* Writes it as DIR/NAME.trust. ERR_EXISTS, ERR_IO. */
must_use enum err node_make_trust(const char *dir, const char *name, struct bytes bytes,
                                  struct why *why);
/* Removes what was made of a ledger that could not be finished. */
void node_remove_folder(const char *dir);

/* ---- known.c */

/* DIR/NAME.trust followed by `suffix`, in new memory. */
char *node_trust_path(const struct node *node, const char *suffix);
/* Reads the trust file into the node and parses it; the caller frees *out. */
must_use enum err node_load_trust(struct node *node, struct trust **out, struct why *why);
/* Compares the heads that it lists with the ledger: one that is missing or differs makes the node
 * read-only (*writable false). ERR_IO, ERR_FORMAT. */
must_use enum err node_check_known_heads(struct node *node, bool *writable, struct why *why);

/* ---- checkpoint.c */

/* Appends the node's receipt for the view's head, made once per head. A node signs only heads that
 * it executed and made durable: those of its views. ERR_READ_ONLY, signer_sign's errors. */
must_use enum err node_receipt(struct node *node, const struct view *view, struct buf *out,
                               struct why *why);
/* Appends the checkpoint of the view's head as a note with our signature. signer_sign's errors. */
must_use enum err node_sign_checkpoint(struct node *node, const struct view *view, struct buf *out);
/* Whether a key of the node may sign: registered under the view for it and this purpose, good at
 * log index `index` - of a head's own block's first entry to sign that head, the log's size to sign
 * what comes next. ERR_READ_ONLY with the remedy. */
must_use enum err node_check_key(const struct node *node, const struct view *view,
                                 const struct signer *signer, enum purpose purpose, uint64_t index,
                                 struct why *why);
/* Appends the witness lines known of the view's head, each with its newline. */
must_use enum err node_notes(struct node *node, const struct view *view, struct buf *out);
/* The view under which the entry at `index` is best proved: the newest that witnesses cosigned, if
 * it holds the entry and is not old, else the newest. To be released. */
struct view *node_proof_view(struct node *node, uint64_t index);
/* Frees keys, locks and all that is kept of heads. */
void node_vouched_clear(struct node *node);

/* ---- keys.c: the node's own keys, which may lie in tokens */

/* Opens receipt and checkpoint key. *writable becomes false where one of them may not sign; then
 * the node keeps neither: it never signs with a key that nobody knows. Errors of keystore_open. */
must_use enum err node_open_keys(struct node *node, const struct node_options *options,
                                 bool *writable, struct why *why);
/* After a key did not sign: explains `err`, and if the key lies in a token the node takes no more
 * statements until it signs again. Returns err. */
enum err node_sign_failed(struct node *node, const struct signer *signer, enum err err,
                          struct why *why);
/* Whether a key does not sign, and why. */
bool node_key_failed(struct node *node, struct why *why);
/* Has keys in tokens sign: soon after a new block, every ten seconds, and every second while one
 * fails. On the jobs thread. */
void node_probe_keys(struct node *node);

/* ---- prove.c */

/* Siblings as a view gives them, into those of a proof. */
void node_take_siblings(struct siblings *out, const struct buf *siblings);

/* ---- receipts.c */

/* Remembers the kids of the receipt keys that a trust file lists. */
void node_note_receipt_keys(struct node *node, const struct trust *trust);

/* ---- update.c */

/* Writes down what shows the restart, or the receipt keys, that the newest block brought, if it is
 * not written yet. */
must_use enum err node_note_newest(struct node *node, struct why *why);

/* ---- rotate.c */

/* What the file of a key that is to follow ends in, until its block is in the ledger. */
#define NODE_NEW_KEY ".new"

/* ---- keysteps.c */

/* The record of a key under the view and its place in the state; borrows from `owner`. */
must_use enum err node_stated(const struct view *view, const struct hash *kid, struct stated *out,
                              struct state_answer *owner);
/* Writes down what shows the receipt keys that began or ended in the newest block, if any did and
 * it is not written yet, and takes them into the trust file. */
must_use enum err node_note_keys(struct node *node, struct why *why);
/* Where such a block stands. */
struct keystep {
    uint64_t epoch;
    uint64_t height;
};
/* The steps written above `after`, ascending; the caller frees *out. */
void node_keysteps(struct node *node, struct keystep after, struct keystep **out, size_t *count);
/* Reads one; the caller frees *out. */
must_use enum err node_keystep_read(struct node *node, struct keystep which,
                                    struct trust_update **out, struct why *why);

/* ---- resume.c */

/* Gives the files of a restart their names if its block is in the ledger, removes them if not. */
must_use enum err node_finish_restart(struct node *node, struct why *why);

/* ---- find.c */

/* The kid under which the signer's record stands: of a foreign statement whatever the ledger finds
 * by the names in its header. ledger_signer's errors. */
must_use enum err node_record_kid(struct node *node, const struct statement *statement,
                                  struct hash *kid);

/* Appends the record of a key under the view, and reads it; ranges borrow from `bytes`.
 * ERR_NOT_FOUND if no key of that kid was ever registered. */
must_use enum err node_key_record(const struct view *view, const struct hash *kid,
                                  struct buf *bytes, struct key_record *out);
/* The same for the record of a member. ERR_NOT_FOUND if there was never one of that id. */
must_use enum err node_member_record(const struct view *view, struct bytes member,
                                     struct buf *bytes, struct member_record *out);

/* ---- acts.c: what the audit log hears of */

/* Opens the log of the folder. audit_open's errors. */
must_use enum err node_open_audit(struct node *node, struct why *why);
void node_note_start(struct node *node);
void node_note_stop(struct node *node);
/* `uid` accepted a step. */
void node_note_clock(struct node *node, uid_t uid, int64_t step_ms);
/* Opens the log and notes that a restart gave up what was known up to `lost_to`. */
void node_note_loss(struct node *node, const struct header *head, uint64_t lost_to,
                    const struct signer *operator_key);
/* The head before a block that says something about members or governance; NULL if it does not. */
struct view *node_view_before(struct node *node, const struct block_input *input);
/* Notes what operators said in a block that is durable and followed `before`. */
void node_note_statements(struct node *node, const struct view *before,
                          const struct block_input *input, const struct block_result *result);

/* ---- attested.c: what other nodes say of our heads */

void node_attested_init(struct node *node);
void node_attested_clear(struct node *node);
/* Once the ledger and its genesis are read. ERR_IO; what is no evidence in DIR/accusations. */
must_use enum err node_attested_load(struct node *node, struct why *why);

/* ---- submit.c */

/* Where the statements of a sequence begin and end. Most have few. */
#define PARTS_FEW 16
struct parts {
    struct bytes few[PARTS_FEW];
    struct bytes *at; /* `few`, or allocated */
    size_t count;
    size_t cap;
};
/* Finds them in `body`, of which they borrow: 1 to NODE_SUBMIT_MAX. ERR_RANGE, ERR_TRUNCATED where
 * there is none, the reader's errors; to be cleared in any case. */
must_use enum err parts_split(struct parts *parts, struct bytes body, struct why *why);
void parts_clear(struct parts *parts);

/* ---- consortium.c: what the orderer of several institutions needs */

/* Reads the regime under the view: *out is NULL where one institution runs the ledger. ERR_CORRUPT
 * and the view's errors. The caller frees it. */
must_use enum err node_engine_new(struct node_engine **out, const struct view *view,
                                  struct why *why);
void node_engine_free(struct node_engine *engine);
/* Starts the orderer of node->engine on the head of the view. ERR_NOT_FOUND: a setting, a key of
 * the node or of a peer, or the engine's program; comet_start's errors. */
must_use enum err node_start_comet(struct node *node, const struct view *view,
                                   const struct node_options *options, struct why *why);

/* ---- blocks.c */

/* The orderer's way up: admit, execute, commit (ledger, head mark, index). */
struct order_app node_order_app(struct node *node);

#endif
