#include "modules/modules.h"

#include "modules/evidence/evidence.h"
#include "modules/governance/governance.h"
#include "modules/member/member.h"
#include "modules/roles.h"

static const struct module *const modules[] = {
    &member_module,
    &evidence_module,
    &governance_module,
    NULL,
};

const struct rules modules_rules = {
    .modules = modules,
    .foreign = &evidence_foreign,
    .roles = modules_roles,
};
