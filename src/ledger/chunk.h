/* A chunk of items as it lies on the disk.
 *
 * An item takes its digests, a byte of flags, a number of varying length and a byte for each text:
 * about 69 bytes where its encoding has 90 to 110. Texts (media types, phases) are written out
 * where they first stand in the chunk and are a one-byte reference afterwards.
 *
 *   chunk = format (1), item*
 *   item  = flags, sha256 (32), sm3 (32), [size: LEB128], [media type: text], [ref (16)],
 *           [phase: text], [commitment (32)], each where its flag is set
 *   text  = number of a text that stands earlier in the chunk, from 0 in order of appearance, or
 *           255, length (1 byte), bytes; only the first CHUNK_WORDS texts have numbers */
#ifndef CAIRN_LEDGER_CHUNK_H
#define CAIRN_LEDGER_CHUNK_H

#include "ledger/items.h"

/* Appends an item to a chunk, which may be empty. `words` belongs to the chunk, zeroed with it. */
void chunk_pack(struct buf *chunk, struct chunk_words *words, const struct item *item);

void item_prefixes(struct item_prefixes *out, const struct item *item);

/* Reads a chunk from its front. */
struct chunk_reader {
    struct bytes packed;
    size_t at;
    struct chunk_words words;
};

/* ERR_CORRUPT for another format. */
must_use enum err chunk_open(struct chunk_reader *out, struct bytes packed);
/* ERR_NOT_FOUND after the last item, ERR_CORRUPT. Ranges borrow from the packed chunk. */
must_use enum err chunk_next(struct chunk_reader *reader, struct item *out);

#endif
