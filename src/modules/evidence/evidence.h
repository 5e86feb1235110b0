/* The rule book of evidence: deposits, and what is said about them later. Nothing is ever deleted.
 *
 * A deposit writes no state: it stands in the log, and its digests in the indexes, which consensus
 * never reads. So a rule can't ask whether the evidence that a statement speaks about exists or
 * whose it is; the state records who said what, and a reader counts a withdrawal or a supersession
 * only if the depositor said it.
 *
 * State, in module "evidence", `index` being the log index of the statement, `member` whoever it
 * was sent for:
 *   ["withdrawn", id, number, member]            [1, index]
 *   ["superseded", id, number, member]           [1, index, new id, new number]
 *   ["countersigned", id, number, role, member]  [1, index]
 *   ["foreign", id]                              [1, index]: a foreign statement (ledger/rules.h)
 *   ["quota", kid]                               [1, count]: foreign statements of one key */
#ifndef CAIRN_MODULES_EVIDENCE_EVIDENCE_H
#define CAIRN_MODULES_EVIDENCE_EVIDENCE_H

#include "ledger/rules.h"

extern const struct module evidence_module;
/* The rule for foreign statements (protocol.md 2). Its role is "evidence.foreign". */
extern const struct action evidence_foreign;

/* The content type of an action, "withdraw". */
#define EVIDENCE_TYPE(action) "application/vnd.cairn.evidence." action "+cbor"

#define EVIDENCE_REASON_MAX 200
#define EVIDENCE_ROLE_MAX   32
#define FOREIGN_QUOTA       1000000u /* statements that one foreign key may bring */

/* The body of deposit is in proof/deposit.h. No flag is known yet: flags are 0. */

/* One item of a deposit; a foreign statement has the number 0. */
struct evidence_place {
    struct hash statement;
    uint16_t number;
};

/* supersede = [1, old: digest, old-number: 0..65535, new: digest, new-number: 0..65535,
 *              reason: tstr .size (1..200)] */
struct evidence_supersede {
    struct evidence_place old;
    struct evidence_place new;
    struct bytes reason;
};

/* withdraw = [1, statement: digest, number: 0..65535, reason: tstr .size (1..200)] */
struct evidence_withdraw {
    struct evidence_place place;
    struct bytes reason;
};

/* countersign = [1, statement: digest, number: 0..65535, role: tstr .size (1..32)]: `role` is what
 * the signer is to this evidence ("witness"), not its role on the ledger. */
struct evidence_countersign {
    struct evidence_place place;
    struct bytes role;
};

/* Each reads one body exactly; ranges borrow. ERR_VERSION, ERR_RANGE, the reader's errors. */
must_use enum err evidence_supersede_parse(struct evidence_supersede *out, struct bytes in);
must_use enum err evidence_withdraw_parse(struct evidence_withdraw *out, struct bytes in);
must_use enum err evidence_countersign_parse(struct evidence_countersign *out, struct bytes in);

void evidence_supersede_write(struct buf *out, const struct evidence_supersede *body);
void evidence_withdraw_write(struct buf *out, const struct evidence_withdraw *body);
void evidence_countersign_write(struct buf *out, const struct evidence_countersign *body);

/* Append the encoded state keys shown above. */
void withdrawn_state_key(struct buf *out, const struct evidence_place *place, struct bytes member);
void superseded_state_key(struct buf *out, const struct evidence_place *place, struct bytes member);
void countersigned_state_key(struct buf *out, const struct evidence_countersign *body,
                             struct bytes member);
void quota_state_key(struct buf *out, const struct hash *kid);

#endif
