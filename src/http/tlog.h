/* The log as a C2SP transparency log (protocol.md 6): checkpoint and tiles under /tlog/, and the
 * cosignatures of a block. */
#ifndef CAIRN_HTTP_TLOG_H
#define CAIRN_HTTP_TLOG_H

#include "http/server.h"

route_fn get_checkpoint;
route_fn get_tile;
route_fn get_entry_bundle;
route_fn get_block_notes;

/* Which tile of a level, and how many of its entries. */
struct tile_path {
    uint64_t number;
    unsigned width; /* 1 to 256 */
};
/* Reads N or N.p/W as tlog-tiles writes it: N in groups of three digits, all but the last behind an
 * x, none of them needless; W from 1 to 255. ERR_FORMAT. */
must_use enum err tile_path_parse(struct tile_path *out, const char *text);

#endif
