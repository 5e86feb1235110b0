/* What is said to a witness and what it answers (C2SP tlog-witness, add-checkpoint), as bytes. */
#ifndef CAIRN_SERVICE_WITNESS_ASK_H
#define CAIRN_SERVICE_WITNESS_ASK_H

#include "merkle/tree.h"
#include "proof/note.h"

/* Appends the body of a request: that the witness has `old` entries, the consistency path from
 * there to the checkpoint, and the signed checkpoint. */
void ask_write(struct buf *out, uint64_t old, const struct path *path, struct bytes note);
/* Reads what comes with a 409: the size that the witness has, a line. ERR_FORMAT. */
must_use enum err ask_size_parse(uint64_t *out, struct bytes body);
/* Finds the witness's line in what comes with a 200 and verifies it over the checkpoint (without
 * signatures). Appends it with its newline. ERR_NOT_FOUND, ERR_FORMAT, ERR_SIGNATURE. */
must_use enum err ask_line_take(struct buf *out, struct bytes body, const struct note_key *witness,
                                struct bytes checkpoint);

#endif
