/* The program: a table of verbs. Each stands in its own file of src/cli/. */
#include "cli/verbs.h"
#include "crypto/key.h"

/* Read by jemalloc, where it is linked: what a burst of requests needed goes back to the system
 * after a second, not after ten. */
__attribute__((visibility("default"))) extern const char *malloc_conf;
const char *malloc_conf = "dirty_decay_ms:1000,muzzy_decay_ms:0";

static const struct verb *const verbs[] = {
    &verb_init,
    &verb_run,
    &verb_config_check,
    &verb_config_show,
    &verb_doctor,
    &verb_format,
    &verb_resume,
    &verb_key_new,
    &verb_key_show,
    &verb_key_request,
    &verb_key_rotate_node,
    &verb_member_add,
    &verb_member_add_key,
    &verb_member_rotate,
    &verb_member_revoke,
    &verb_member_void,
    &verb_member_roles,
    &verb_member_mandate,
    &verb_member_end_mandate,
    &verb_member_list,
    &verb_deposit,
    &verb_proof,
    &verb_verify,
    &verb_inspect,
    &verb_show,
    &verb_watch,
    &verb_supersede,
    &verb_withdraw,
    &verb_countersign,
    &verb_prove_state,
    &verb_trust_show,
    &verb_trust_update,
    &verb_trust_add_witness,
    &verb_export,
    &verb_clock_accept,
    &verb_audit_verify,
    &verb_audit_show,
    &verb_audit_enable,
    &verb_statement_new,
    &verb_statement_send,
    &verb_session_new,
    &verb_session_list,
    &verb_session_end,
    &verb_network_init,
    &verb_network_assemble,
    &verb_completion,
    &verb_bench,
    &verb_bench_load,
    &verb_bench_echo,
    NULL,
};

int main(int argc, char **argv)
{
    crypto_self_test();
    return cli_main(verbs, argc, argv);
}
