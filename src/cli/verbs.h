/* Every verb, one file each, and what runs them. src/main.c holds the table. */
#ifndef CAIRN_CLI_VERBS_H
#define CAIRN_CLI_VERBS_H

#include "cli/args.h"

/* Finds the verb that argv names and runs it; returns the exit status. `verbs` ends with NULL.
 * Besides: help, --help, --version, and the nearest names of a verb that there is not. */
int cli_main(const struct verb *const *verbs, int argc, char **argv);

extern const struct verb verb_init;
extern const struct verb verb_run;
extern const struct verb verb_config_check;
extern const struct verb verb_config_show;
extern const struct verb verb_doctor;
extern const struct verb verb_format;
extern const struct verb verb_resume;
extern const struct verb verb_key_new;
extern const struct verb verb_key_show;
extern const struct verb verb_key_request;
extern const struct verb verb_key_rotate_node;
extern const struct verb verb_member_add;
extern const struct verb verb_member_add_key;
extern const struct verb verb_member_rotate;
extern const struct verb verb_member_revoke;
extern const struct verb verb_member_void;
extern const struct verb verb_member_roles;
extern const struct verb verb_member_mandate;
extern const struct verb verb_member_end_mandate;
extern const struct verb verb_member_list;
extern const struct verb verb_deposit;
extern const struct verb verb_proof;
extern const struct verb verb_verify;
extern const struct verb verb_inspect;
extern const struct verb verb_show;
extern const struct verb verb_supersede;
extern const struct verb verb_withdraw;
extern const struct verb verb_countersign;
extern const struct verb verb_prove_state;
extern const struct verb verb_trust_show;
extern const struct verb verb_trust_add_witness;
extern const struct verb verb_trust_update;
extern const struct verb verb_export;
extern const struct verb verb_clock_accept;
extern const struct verb verb_audit_verify;
extern const struct verb verb_audit_show;
extern const struct verb verb_audit_enable;
extern const struct verb verb_statement_new;
extern const struct verb verb_statement_send;
extern const struct verb verb_session_new;
extern const struct verb verb_session_list;
extern const struct verb verb_watch;
extern const struct verb verb_session_end;
extern const struct verb verb_network_init;
extern const struct verb verb_network_assemble;
extern const struct verb verb_completion;
extern const struct verb verb_bench;
extern const struct verb verb_bench_load;
extern const struct verb verb_bench_echo;

#endif
