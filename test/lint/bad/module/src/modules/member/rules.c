#include "base/bytes.h"
#include "modules/evidence/evidence.h"
#include "modules/member/member.h"
#include "store/store.h"
