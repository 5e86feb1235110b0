/* The roles of this program: which statements a member may send. */
#ifndef CAIRN_MODULES_ROLES_H
#define CAIRN_MODULES_ROLES_H

#include "ledger/rules.h"

/* Ends with a NULL name. A service that needs another role adds one row. */
extern const struct role modules_roles[];

#endif
