/* Evidence by whatever name a person has for it. */
#ifndef CAIRN_CLI_EVIDENCE_H
#define CAIRN_CLI_EVIDENCE_H

#include "cli/bundle.h"
#include "cli/client.h"
#include "modules/evidence/evidence.h"

#define ARG_SALTS                                                                                 \
    {                                                                                             \
        "salts", "FILE", "the salts of blinded files, as 'cairn deposit' kept them", NULL, false, \
            false                                                                                 \
    }

/* Whether text has the form of an evidence id, a statement id, or STATEMENT.NUMBER. */
bool evidence_id_is(const char *text);

/* Asks the ledger for the records of an id, of a digest (SHA-256 or SM3), or of a file by its
 * digest; an array of one or more, which the caller releases. ERR_REFUSED if there are none; client
 * errors, and those of file_digest_fill. */
must_use enum err evidence_records(struct client *client, const char *text, json_t **records,
                                   struct why *why);
/* The one record that an id means. ERR_MISMATCH if there are several of that prefix. */
must_use enum err evidence_place_get(struct client *client, const char *id,
                                     struct evidence_place *place, struct why *why);
/* The place that a record states. ERR_FORMAT. */
must_use enum err record_place(struct evidence_place *place, const json_t *record, struct why *why);

/* One item that a file or an id stands for, with its salt where that is known. */
struct located {
    struct evidence_place place;
    bool has_salt;
    uint8_t salt[SALT_LEN];
};
/* Finds an item: an id by the ledger, a file by its digest in `salts` (path of a salts file, or
 * NULL), by the proof beside it, or by the ledger. Errors of the above. */
must_use enum err evidence_locate(struct located *out, struct client *client, const char *text,
                                  const char *salts, struct why *why);

#endif
