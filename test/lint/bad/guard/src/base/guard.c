#include <stdint.h>

#include "base/guard.h"
