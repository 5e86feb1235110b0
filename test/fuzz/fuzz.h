/* What every fuzz target includes. A broken property is a BUG_ON: libFuzzer and the replay both see
 * the abort. */
#ifndef CAIRN_TEST_FUZZ_H
#define CAIRN_TEST_FUZZ_H

#include "base/bytes.h"

/* libFuzzer's entry (clang's documentation, "Fuzz Target"): always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
