/* What a module gives the ledger, and what the ledger lends a module while one statement is
 * applied.
 *
 * A rule is a pure function of the statement, or the timer, and of the state it reads here: no
 * clock, no random number, no file, no float. It may change only the state of its own module. When
 * `apply` returns an error, every change it made is forgotten and the statement is refused with
 * that reason. */
#ifndef CAIRN_LEDGER_RULES_H
#define CAIRN_LEDGER_RULES_H

#include "ledger/submission.h"

struct rule_context;

struct action {
    const char *name; /* "deposit" in application/vnd.cairn.evidence.deposit+cbor */
    /* Checks the body, all that needs no state. Called from several threads. */
    enum err (*check)(const struct submission *submission, struct why *why);
    /* Applies it. The key, the member, the role, the mandate, validity and uniqueness have been
     * checked. May be NULL where accepting the statement is all there is to do. */
    enum err (*apply)(struct rule_context *context, const struct submission *submission,
                      struct why *why);
    /* The statement that this one speaks about (what a countersignature signs), so that readers of
     * that one find this. False if it names none. NULL where no body of this action can. */
    bool (*target)(const struct statement *statement, struct hash *out);
    bool takes_items; /* travels with items */
    bool own_keys;    /* any member in force may send it, whatever the role (rotate own key) */
};

struct module {
    const char *name;
    const struct action *actions;
    size_t action_count;
    /* A timer that the module set has become due (rule_timer_set). What it changes is forgotten
     * where it returns an error; the timer is gone either way. NULL where the module sets none. */
    enum err (*on_timer)(struct rule_context *context, uint64_t due_ms, struct bytes id);
};

/* A role and the actions that it may send: "evidence.deposit", or "evidence.*" for all of one
 * module. A member has one to eight roles. */
struct role {
    const char *name;
    const char *const *actions; /* ends with NULL */
};

struct rules {
    const struct module *const *modules; /* ends with NULL */
    const struct action *foreign;        /* the rule for foreign statements; its state is that of
                                            module FOREIGN_MODULE */
    const struct role *roles;            /* ends with a NULL name */
};

/* The foreign rule puts [1, rule_index] under the key that foreign_state_key gives, for ever, so
 * that the ledger answers the same statement with its first place. */
#define FOREIGN_MODULE "evidence"
/* Appends the encoded state key ["foreign", id]. */
void foreign_state_key(struct buf *out, const struct hash *id);

/* The rule for a statement. ERR_UNSUPPORTED, `why` naming the content type. */
must_use enum err rules_find(const struct rules *rules, const struct statement *statement,
                             const struct action **out, struct why *why);

/* The module of a name, NULL if there is none. */
const struct module *rules_module(const struct rules *rules, struct bytes name);

/* The module's own state. Keys are encoded CBOR of at most 256 bytes, values begin with their
 * version and have at most 32 KiB. `rule_get` appends to `out`; ERR_NOT_FOUND. A put over 32 KiB is
 * a bug and aborts. */
must_use enum err rule_get(struct rule_context *context, struct bytes key, struct buf *out);
void rule_put(struct rule_context *context, struct bytes key, struct bytes value);
void rule_delete(struct rule_context *context, struct bytes key);

/* Timers of the module itself, each known by due time and id (TIMER_ID_MAX bytes at most). The
 * first block whose time is not before `due_ms` fires it, before its statements: the timer is taken
 * out of the state, then on_timer is called. A block fires at most 1,024, the rest is left to the
 * next. Inside on_timer there is no statement: no member, no kid; rule_index is the next
 * statement's; keys and epochs can't be ended there, for only statements do that.
 *
 * Setting one that stands changes nothing, clearing one that doesn't neither. ERR_RANGE if on_timer
 * sets one that is not due later than the one that fired, so that firing comes to an end. An id
 * that is empty or too long, and a module without on_timer, are bugs and abort. */
#define TIMER_ID_MAX 64
must_use enum err rule_timer_set(struct rule_context *context, uint64_t due_ms, struct bytes id);
void rule_timer_clear(struct rule_context *context, uint64_t due_ms, struct bytes id);

/* Where and when the statement being applied stands. */
uint64_t rule_index(const struct rule_context *context);
uint64_t rule_height(const struct rule_context *context);
uint64_t rule_time_ms(const struct rule_context *context);
const struct hash *rule_chain(const struct rule_context *context);
/* The header before this block, of height rule_height - 1. */
const struct header *rule_previous(const struct rule_context *context);
const struct hash *rule_previous_hash(const struct rule_context *context);
/* Whether nothing of this block was accepted before this statement. */
bool rule_is_first(const struct rule_context *context);
/* Makes this block the first of the next epoch (governance.restart). Forgotten with the other
 * changes if `apply` refuses. */
void rule_next_epoch(struct rule_context *context);

/* The member for whom the statement acts: the signer, or the principal of its mandate. Borrows. */
struct bytes rule_member(const struct rule_context *context);
/* The key that signed: the kid of its record, also for a foreign statement. Borrows. */
const struct hash *rule_kid(const struct rule_context *context);
/* The rules that the ledger was opened with: which actions and roles there are. */
const struct rules *rule_rules(const struct rule_context *context);

/* Members and keys, which every module may read and only module "member" may write (members.h has
 * their records). ERR_NOT_FOUND. */
must_use enum err rule_member_record(struct rule_context *context, struct bytes member,
                                     struct buf *out);
must_use enum err rule_key_record(struct rule_context *context, const struct hash *kid,
                                  struct buf *out);
/* Ends a key, from any module: its record's `until` becomes rule_index + 1, and it leaves the kids
 * in force of its member's record. ERR_NOT_FOUND; ERR_EXISTS if it was ended before. */
must_use enum err rule_key_end(struct rule_context *context, const struct hash *kid);

#endif
