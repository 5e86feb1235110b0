/* Beginning a ledger that several institutions run (protocol.md 5, Beginning together): each makes
 * its own keys and a join file; from the same join files every one of them makes the same ledger.
 */
#ifndef CAIRN_NODE_ASSEMBLE_H
#define CAIRN_NODE_ASSEMBLE_H

#include "proof/join.h"

#define ASSEMBLY_MAX 16 /* organisations */

/* Makes DIR (which must not be there, or be empty) with the keys of one organisation's node and
 * DIR/operator.key, which `passphrase` (may be NULL) encrypts, and appends its join file;
 * join->keys, ->random32 and ->time_ms are not read. Nothing is left behind on an error.
 * ERR_EXISTS, ERR_FORMAT (names), ERR_IO. */
must_use enum err organisation_create(const char *dir, const struct join *join,
                                      const char *passphrase, struct buf *join_file,
                                      struct why *why);

struct join_file {
    const char *name; /* its path, for messages */
    struct bytes bytes;
};

/* All join files of one ledger, checked, by the names of their organisations. */
struct assembly {
    char name[LEDGER_NAME_MAX + 1];
    size_t count;
    struct join_file files[ASSEMBLY_MAX];
    struct join joins[ASSEMBLY_MAX];
    uint64_t time_ms; /* the latest of theirs: of block 0 */
    struct buf genesis;
};

/* Checks the files one by one (join_parse) and against each other: one ledger name, no
 * organisation, address, URL or key twice. All ranges borrow from the files. `why` names the file.
 * ERR_MISMATCH, ERR_EXISTS, ERR_RANGE (none, or too many), ERR_FORMAT and join_parse's errors. *out
 * is to be cleared in any case. */
must_use enum err assembly_make(struct assembly *out, const struct join_file *files, size_t count,
                                struct why *why);
void assembly_clear(struct assembly *assembly);

/* The organisation whose keys lie in DIR. ERR_NOT_FOUND if there is none of this assembly, ERR_KEY
 * if only some of its keys are those of the join file; node_make_key's files that can't be read.
 * Nobody is asked for the operator key's passphrase: that key is not looked at. */
must_use enum err assembly_find(const struct assembly *assembly, const char *dir, size_t *number,
                                struct why *why);

/* Makes the ledger in DIR, where the keys of one of the organisations lie, with its trust file,
 * DIR/NAME.trust. ERR_EXISTS if a ledger is there; errors of assembly_find. */
must_use enum err assembly_install(const struct assembly *assembly, const char *dir,
                                   struct why *why);

#endif
