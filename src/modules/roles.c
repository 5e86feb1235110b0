#include "modules/roles.h"

#include <stddef.h>

/* Rotating and revoking own keys, voiding own statements and giving mandates need no role.
 * Countersigning is speaking about the evidence of others. */
#define ACTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NOTHING      ((const char *const[]){NULL})

#define ENTER       "evidence.deposit", "evidence.foreign"
#define DEPOSIT     ENTER, "evidence.supersede", "evidence.withdraw"
#define COUNTERSIGN "evidence.countersign"

const struct role modules_roles[] = {
    {"operator", ACTIONS("member.*", "governance.*")},
    {"institution", ACTIONS(DEPOSIT, COUNTERSIGN)},
    {"bank", ACTIONS(DEPOSIT, COUNTERSIGN)},
    {"platform", ACTIONS(DEPOSIT, COUNTERSIGN)},
    {"rights_holder", ACTIONS(DEPOSIT, COUNTERSIGN)},
    {"lawyer", ACTIONS(DEPOSIT, COUNTERSIGN)},
    {"mediator", ACTIONS(DEPOSIT, COUNTERSIGN)},
    {"notary", ACTIONS(DEPOSIT, COUNTERSIGN)},
    {"appraiser", ACTIONS(DEPOSIT, COUNTERSIGN)},
    {"arbitrator", ACTIONS(DEPOSIT, COUNTERSIGN)},
    {"court", ACTIONS(DEPOSIT, COUNTERSIGN)},
    {"prosecutor", ACTIONS(DEPOSIT, COUNTERSIGN)},
    {"depositor", ACTIONS(DEPOSIT, COUNTERSIGN)},
    {"application", ACTIONS(DEPOSIT)},
    {"witness", ACTIONS(COUNTERSIGN)},
    {"auditor", NOTHING},
    {"node", NOTHING},
    {NULL, NULL},
};
