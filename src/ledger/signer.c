#include "ledger/signer.h"

#include "ledger/context.h"

#include <string.h>

static enum err kid_of_name(struct hash *kid, struct bytes name, const struct state_reader *reader)
{
    struct buf key = {0};
    struct buf value = {0};
    state_key_write(&key, bytes_text(MEMBER_MODULE), BYTES_NONE);
    name_state_key(&key, name);
    enum err err = reader->get(reader->context, buf_bytes(&key), &value);
    if (err == OK && name_record_parse(kid, buf_bytes(&value)) != OK) {
        err = ERR_CORRUPT;
    }
    buf_clear(&key);
    buf_clear(&value);
    return err;
}

static enum err foreign_candidate(struct hash *kid, unsigned step,
                                  const struct statement *statement,
                                  const struct state_reader *reader)
{
    struct bytes name = step < 2 ? statement->kid : statement->x5t;
    if (step == 0 && name.len == sizeof kid->at) {
        memcpy(kid->at, name.at, sizeof kid->at);
        return OK;
    }
    return step == 0 || name.len == 0 ? ERR_NOT_FOUND : kid_of_name(kid, name, reader);
}

enum err signer_candidate(struct hash *kid, unsigned *step, const struct statement *statement,
                          const struct state_reader *reader)
{
    if (!statement->foreign) {
        if ((*step)++ > 0 || statement->kid.len != sizeof kid->at) {
            return ERR_NOT_FOUND;
        }
        memcpy(kid->at, statement->kid.at, sizeof kid->at);
        return OK;
    }
    enum err err = ERR_NOT_FOUND;
    while (err == ERR_NOT_FOUND && *step < 3) {
        err = foreign_candidate(kid, (*step)++, statement, reader);
    }
    return err;
}

bool signer_fits(const struct statement *statement, const struct key_record *record)
{
    return !statement->foreign || record->purpose == PURPOSE_FOREIGN;
}
