/* Bodies of the rule books: each has one encoding, so what a parser takes its writer gives back
 * byte for byte. Every input goes through every parser. */
#include "fuzz.h"
#include "modules/evidence/evidence.h"
#include "modules/governance/governance.h"
#include "modules/member/member.h"
#include "mutate.h"

const struct fuzz_shape fuzz_shape = {0, false};

#define WALK(name, type)                                  \
    do {                                                  \
        struct type body;                                 \
        if (name##_parse(&body, input) == OK) {           \
            out.len = 0;                                  \
            name##_write(&out, &body);                    \
            BUG_ON(!bytes_equal(buf_bytes(&out), input)); \
        }                                                 \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct buf out = {0};
    WALK(member_register, member_register);
    WALK(member_add_key, member_add_key);
    WALK(member_rotate, member_rotate);
    WALK(member_revoke, member_revoke);
    WALK(member_roles, member_roles);
    WALK(member_reference, member_reference);
    WALK(member_mandate, member_mandate);
    WALK(evidence_supersede, evidence_supersede);
    WALK(evidence_withdraw, evidence_withdraw);
    WALK(evidence_countersign, evidence_countersign);
    WALK(restart, restart);
    WALK(deposit, deposit);
    buf_clear(&out);
    return 0;
}
