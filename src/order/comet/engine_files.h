/* The files of the engine's folder that we write; engine_prepare's parts. */
#ifndef CAIRN_ORDER_COMET_ENGINE_FILES_H
#define CAIRN_ORDER_COMET_ENGINE_FILES_H

#include "order/comet/engine.h"

/* Each appends one whole file. The options are good. */
void engine_config_write(struct buf *out, const struct engine_options *options);
void engine_genesis_write(struct buf *out, const struct engine_genesis *genesis);

#endif
