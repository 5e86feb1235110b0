#include "base/bytes.h"
#include "codec/cbor.h"
#include "../crypto/key.h"
#include "bytes.h"
