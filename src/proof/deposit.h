/* The body of evidence.deposit and its items (protocol.md 3). */
#ifndef CAIRN_PROOF_DEPOSIT_H
#define CAIRN_PROOF_DEPOSIT_H

#include "codec/cbor.h"
#include "merkle/tree.h"
#include "proof/id.h"

#define DEPOSIT_TYPE      "application/vnd.cairn.evidence.deposit+cbor"
#define DEPOSIT_ITEMS_MAX 65536u
#define ITEM_MAX          256
#define BATCH_BYTES_MAX   (16u << 20)
#define CATEGORY_MAX      32
#define MEDIA_TYPE_MAX    100
#define PHASE_MAX         20

struct deposit {
    struct hash items_root;
    uint32_t count; /* 1 to 65,536 */
    struct bytes category;
    bool has_capture;
    struct hash capture;
    uint64_t flags;
};
must_use enum err deposit_parse(struct deposit *out, struct bytes payload);
void deposit_write(struct buf *out, const struct deposit *deposit);

enum item_form { ITEM_PLAIN = 0, ITEM_BLINDED = 1 };

struct item {
    enum item_form form;
    struct hash sha256;
    struct hash sm3;
    bool has_size; /* always for form 0, never for form 1 */
    uint64_t size;
    struct bytes media_type; /* len 0 if null; always null for form 1 */
    struct bytes ref;        /* 16 bytes, or len 0 if null */
    struct bytes phase;      /* len 0 if null */
    bool has_commitment;
    struct hash commitment;
};
/* Reads one encoded item exactly; ranges borrow. At most ITEM_MAX bytes. */
must_use enum err item_parse(struct item *out, struct bytes in);
/* Reads the first item of a sequence of them; *rest is what follows. */
must_use enum err item_parse_first(struct item *out, struct bytes in, struct bytes *rest);
void item_write(struct buf *out, const struct item *item);

#endif
