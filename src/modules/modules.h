/* The rule books of this program, one folder each, and the table that the ledger is opened with. */
#ifndef CAIRN_MODULES_MODULES_H
#define CAIRN_MODULES_MODULES_H

#include "ledger/rules.h"

/* Every module, the rule for foreign statements, and the roles. */
extern const struct rules modules_rules;

#endif
