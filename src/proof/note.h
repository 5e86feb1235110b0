/* C2SP signed notes over the checkpoint of a head (protocol.md 6): what a checkpoint says, the keys
 * of its log and its witnesses as vkeys, and the signature lines of both. */
#ifndef CAIRN_PROOF_NOTE_H
#define CAIRN_PROOF_NOTE_H

#include "crypto/signer.h"
#include "proof/header.h"

#define NOTE_NAME_MAX   128 /* bytes of a key's name; an origin is a name */
#define VKEY_MAX        256
#define CHECKPOINT_MAX  512  /* bytes of a checkpoint without its signatures */
#define NOTE_LINE_MAX   1024 /* bytes of a signature line */
#define NOTE_KEY_ID_LEN 4

enum note_type { NOTE_ED25519 = 1, NOTE_COSIGNATURE = 4 };

/* Who signs: NAME+ID+BASE64 in a vkey, the base64 being a type byte and an Ed25519 key. */
struct note_key {
    struct bytes name; /* borrows */
    enum note_type type;
    uint8_t id[NOTE_KEY_ID_LEN]; /* SHA-256(name, newline, type, key), cut off */
    uint8_t key32[32];
};

/* Reads a vkey of a log (type 1) or a witness (type 4). ERR_FORMAT, ERR_KEY (another kind of key),
 * ERR_MISMATCH (the id is not that of name and key). */
must_use enum err note_key_parse(struct note_key *out, struct bytes vkey);
/* The note key of an Ed25519 signer; `name` is borrowed. ERR_UNSUPPORTED for another kind. */
must_use enum err note_key_of(struct note_key *out, struct bytes name, enum note_type type,
                              const struct pubkey *key);
/* Appends the vkey. */
void note_key_write(struct buf *out, const struct note_key *key);

/* Appends NAME/C/EPOCH: the origin of a head's checkpoint, and the name of the key that signs it.
 */
void checkpoint_origin(struct buf *out, struct bytes ledger, const struct header *head);
/* Appends the checkpoint of a head without signatures: origin, tree size and root, a line each. */
void checkpoint_write(struct buf *out, struct bytes ledger, const struct header *head);

/* Cuts off and returns the first line of a text, without its newline. */
struct bytes note_next(struct bytes *text);

/* A signature line, as far as it can be read without knowing whose it is. */
struct note_line {
    struct bytes name;  /* borrows */
    struct buf decoded; /* key id, then what its type says; to be cleared in any case */
};
/* Reads "— NAME BASE64", with or without its newline. ERR_FORMAT. */
must_use enum err note_line_parse(struct note_line *out, struct bytes line);
/* Whether the line names this key. */
bool note_line_is_by(const struct note_line *line, const struct note_key *key);
/* Appends the line by which a log signs a checkpoint, with newline. signer_sign's errors. */
must_use enum err note_sign(struct buf *out, const struct note_key *key,
                            const struct signer *signer, struct bytes checkpoint);
/* Verifies the line of a log over a checkpoint. ERR_FORMAT, ERR_SIGNATURE. */
must_use enum err note_verify(const struct note_line *line, const struct note_key *key,
                              struct bytes checkpoint);
/* Verifies a witness's line (C2SP tlog-cosignature, cosignature/v1) over a checkpoint; *seconds is
 * the time that it states. ERR_FORMAT, ERR_SIGNATURE. */
must_use enum err cosignature_verify(uint64_t *seconds, const struct note_line *line,
                                     const struct note_key *key, struct bytes checkpoint);

#endif
