/* Lines of an inspection: each part of an artefact appends its own, indented. */
#ifndef CAIRN_PROOF_SHOW_H
#define CAIRN_PROOF_SHOW_H

#include "proof/batchproof.h"
#include "proof/stateproof.h"
#include "proof/trustupdate.h"

struct show {
    struct buf *out;
    unsigned depth;
};

void show_title(struct show *show, const char *format, ...) __attribute__((format(printf, 2, 3)));
void show_format(struct show *show, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void show_number(struct show *show, const char *name, uint64_t value);
void show_hex(struct show *show, const char *name, struct bytes bytes);
void show_hash(struct show *show, const char *name, const struct hash *hash);
void show_text(struct show *show, const char *name, struct bytes text);
void show_time(struct show *show, const char *name, uint64_t time_ms);
void show_cbor(struct show *show, const char *name, struct bytes cbor);

void show_header(struct show *show, const char *title, const struct header *header);
void show_header_bytes(struct show *show, const char *title, struct bytes in);
void show_item(struct show *show, struct bytes in);
void show_record(struct show *show, struct bytes in);
void show_statement(struct show *show, struct bytes in);
void show_receipt(struct show *show, struct bytes in);
void show_request(struct show *show, struct bytes in);
void show_join(struct show *show, struct bytes in);
void show_commit(struct show *show, const char *title, struct bytes in);
void show_trust(struct show *show, const struct trust *trust);

#endif
