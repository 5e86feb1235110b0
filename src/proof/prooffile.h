/* Proof files (NAME.proof, protocol.md 5): an entry whose unprotected header holds receipts (394),
 * a time-stamp token (270) and the parts of its proof (-65803). */
#ifndef CAIRN_PROOF_PROOFFILE_H
#define CAIRN_PROOF_PROOFFILE_H

#include "base/arena.h"
#include "proof/commit.h"
#include "proof/deposit.h"
#include "proof/header.h"
#include "proof/parts.h"
#include "proof/statement.h"

#define PROOF_MAX          (1u << 20)
#define PROOF_RECEIPTS_MAX 64
#define PROOF_NOTES_MAX    64
#define NOTE_MAX           1024

/* What the file holds, as bytes; what is empty is absent. A reader leaves borrowed ranges here, a
 * writer sets them. */
struct proof_file {
    struct sign1 entry; /* its unprotected map is not used */
    size_t receipt_count;
    struct bytes receipts[PROOF_RECEIPTS_MAX];
    bool has_token;
    struct bytes token; /* 270, over the CBOR encoding of the entry's signature */
    struct bytes item;  /* 1 */
    uint16_t number;    /* of the item in its deposit */
    struct path item_path;
    uint64_t index; /* 2 */
    struct path log_path;
    struct bytes head;  /* 3: header */
    struct bytes block; /* 4: header of the entry's block */
    struct path block_path;
    struct bytes record; /* 5: key record */
    struct siblings record_path;
    struct bytes commit; /* 6 */
    size_t note_count;   /* 7 */
    struct bytes notes[PROOF_NOTES_MAX];
    struct bytes salt;   /* 8 */
    struct bytes clock;  /* 9: commit */
    struct bytes anchor; /* 10: header */
    struct path anchor_path;
    bool has_anchor_token;
    struct bytes anchor_token; /* over the bytes of that header */
    struct bytes mandate;      /* 11: entry */
    uint64_t mandate_index;
    struct path mandate_path;
};

/* Reads the outer shape: labels, parts, sizes and paths. ERR_VERSION, ERR_FORMAT, reader's errors.
 */
must_use enum err proof_file_read(struct proof_file *out, struct bytes in);
void proof_file_write(struct buf *out, const struct proof_file *file);
/* As proof_file_write, each receipt carrying the entry's inclusion path (396), which makes the file
 * a transparent statement of RFC 9943. ERR_FORMAT for a malformed receipt or head. */
must_use enum err proof_file_export(struct buf *out, const struct proof_file *file);

/* A proof with everything in it decoded, ready to be checked. */
struct proof {
    struct arena arena; /* a copy of the file, and the arrays of commits */
    struct proof_file file;
    struct statement statement;
    struct hash leaf; /* of the entry in the log */
    bool is_deposit;
    struct deposit deposit;
    bool has_item;
    struct item item;
    struct header head;
    bool has_block;
    struct header block; /* of the entry: the head where there is no part 4 */
    struct key_record record;
    struct pubkey *key; /* of the record */
    bool has_commit;
    struct commit commit;
    bool has_clock;
    struct commit clock;
    bool has_anchor;
    struct header anchor;
};

/* Reads a whole proof file; *out owns a copy and is freed with proof_free (NULL on error). Whatever
 * error this gives means "cannot be read"; `why` (may be NULL) names the part. */
must_use enum err proof_parse(struct proof **out, struct bytes in, struct why *why);
/* NULL is allowed. */
void proof_free(struct proof *proof);

#endif
