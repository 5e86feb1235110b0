/* cairn audit verify: whether an audit log is whole, and whether it is what was deposited. */
#include "base/clock.h"
#include "base/file.h"
#include "cli/output.h"
#include "cli/sign.h"
#include "cli/verbs.h"
#include "codec/text.h"
#include "proof/verify.h"
#include "store/audit.h"

#include <string.h>

/* What the proof says was deposited, and which line that is. */
struct deposited {
    bool wanted;
    struct hash hash;
    uint64_t size;
    uint64_t block_ms;
    bool found;
    struct audit_head line;
    char time[25];
};

static bool find_line(void *context, const struct audit_line *line)
{
    struct deposited *deposited = context;
    if (deposited->wanted && !deposited->found && hash_equal(&line->hash, &deposited->hash) &&
        line->bytes.len == deposited->size) {
        deposited->found = true;
        deposited->line = (struct audit_head){line->number, line->hash};
        snprintf(deposited->time, sizeof deposited->time, "%s", line->time);
    }
    return true;
}

static enum err judge(struct deposited *out, const struct proof *proof, const struct trust *trust,
                      struct why *why)
{
    const struct item *item = &proof->item;
    if (!proof->has_item || item->form != ITEM_PLAIN || !item->has_size) {
        return why_say(why, ERR_MISMATCH, "--proof", NULL, "is not about plain content",
                       "Give the proof of the audit log's deposit.");
    }
    out->wanted = true;
    out->hash = item->sha256;
    out->size = item->size;
    out->block_ms = proof->block.time_ms;
    struct subject subject = {.kind = SUBJECT_SHA256, .sha256 = item->sha256};
    struct verdict verdict = {0};
    proof_verify(&verdict, proof, trust, &subject);
    enum err err = verdict.status == VERDICT_PASS ? OK : ERR_SIGNATURE;
    if (err != OK) {
        why_say(why, err, "--proof", NULL, "does not hold",
                "See why: cairn verify --proof FILE --trust NAME.trust");
    }
    verdict_clear(&verdict);
    return err;
}

static enum err read_proof(struct deposited *out, const struct args *args, struct why *why)
{
    const char *path = args_text(args, "proof");
    const char *trust_path = args_text(args, "trust");
    if (!path != !trust_path) {
        return why_say(why, ERR_FORMAT, path ? "--trust" : "--proof", NULL, "is missing",
                       "A proof is judged by a trust file: give both.");
    }
    if (!path) {
        return OK;
    }
    struct buf bytes = {0};
    struct proof *proof = NULL;
    struct trust *trust = NULL;
    enum err err = file_read(&bytes, path, PROOF_MAX, why);
    if (err == OK) {
        err = proof_parse(&proof, buf_bytes(&bytes), why);
    }
    if (err == OK) {
        err = trust_read(&trust, trust_path, why);
    }
    if (err == OK) {
        err = judge(out, proof, trust, why);
    }
    proof_free(proof);
    trust_free(trust);
    buf_clear(&bytes);
    return err;
}

static enum err verify(const struct args *args, struct audit_report *report,
                       struct deposited *deposited, struct why *why)
{
    TRY(read_proof(deposited, args, why));
    TRY(audit_read(args->operands[0], find_line, deposited, report, why));
    return !deposited->wanted || deposited->found
               ? OK
               : why_say(why, ERR_MISMATCH, "audit log", args->operands[0],
                         "has no line that is what was deposited: it was cut or written anew",
                         "Look for the log as it was; the proof names the hash that it had.");
}

static void set_time(json_t *object, const char *name, uint64_t time_ms)
{
    char text[25];
    clock_format(text, time_ms);
    json_object_set_new(object, name, json_string(text));
}

static void print_json(const struct audit_report *report, const struct deposited *deposited,
                       enum err err, const struct why *why)
{
    json_t *object = json_object();
    json_object_set_new(object, "holds", json_boolean(err == OK));
    json_object_set_new(object, "first", json_integer((json_int_t)report->first));
    json_object_set_new(object, "last", json_integer((json_int_t)report->head.number));
    json_object_set_new(object, "head", json_hex(hash_bytes(&report->head.hash)));
    json_object_set_new(object, "from", json_string(report->first_time));
    json_object_set_new(object, "to", json_string(report->last_time));
    if (deposited->found) {
        json_t *inner = json_object();
        json_object_set_new(inner, "act", json_integer((json_int_t)deposited->line.number));
        json_object_set_new(inner, "hash", json_hex(hash_bytes(&deposited->line.hash)));
        set_time(inner, "block_time", deposited->block_ms);
        json_object_set_new(object, "deposited", inner);
    }
    if (err != OK) {
        json_object_set_new(
            object, "error",
            json_pack("{s:s, s:s, s:s, s:s}", "field", why->field, "value", why->value, "problem",
                      why->problem[0] ? why->problem : err_text(err), "remedy", why->remedy));
    }
    put_json(object);
}

static void print_good(const struct audit_report *report, const struct deposited *deposited)
{
    char hash[65];
    hex_write(hash, hash_bytes(&report->head.hash));
    put_coloured(stdout, COLOUR_GOOD, "holds");
    printf(": acts %llu to %llu, from %s to %s\nhead %s\n", (unsigned long long)report->first,
           (unsigned long long)report->head.number, report->first_time, report->last_time, hash);
    if (deposited->found) {
        char time[25];
        clock_format(time, deposited->block_ms);
        printf("up to act %llu of %s it is what the ledger recorded at %s\n",
               (unsigned long long)deposited->line.number, deposited->time, time);
    }
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct audit_report report = {0};
    struct deposited deposited = {0};
    enum err err = verify(args, &report, &deposited, &why);
    bool damaged = err == ERR_CORRUPT || err == ERR_MISMATCH || err == ERR_SIGNATURE;
    if (args_flag(args, "json") && (err == OK || damaged)) {
        print_json(&report, &deposited, err, &why);
    } else if (err == OK) {
        print_good(&report, &deposited);
    } else {
        int status = fail(err, &why);
        return damaged ? STATUS_REFUSED : status;
    }
    return err == OK ? STATUS_OK : STATUS_REFUSED;
}

static const struct arg options[] = {
    {"proof", "FILE.proof", "the proof of a deposit of this log", NULL, false, false},
    {"trust", "NAME.trust", "what you know of the ledger", NULL, false, false},
    ARG_JSON,
    {0},
};

const struct verb verb_audit_verify = {
    .name = "audit verify",
    .operands = "DIR|FILE",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "check that an audit log is whole, offline",
    .text = "Each line must hold the hash of the line before it, and the end must be the one of\n"
            "DIR/audit.head; a FILE by itself is taken from where it begins. With --proof and\n"
            "--trust also that the log, up to one of its lines, is what the ledger recorded.\n"
            "Exit status: 0 it holds, 1 it was changed, cut or is not what was deposited, 2\n"
            "something can't be read.",
    .example = "cairn audit verify court\n"
               "cairn audit verify court --proof audit.proof --trust court.trust",
    .args = options,
    .run = run,
};
