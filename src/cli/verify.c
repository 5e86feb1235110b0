/* cairn verify: checks a file against its proof and a trust file, offline. */
#include "proof/verify.h"
#include "base/file.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "codec/text.h"
#include "proof/fork.h"
#include "proof/id.h"
#include "proof/stateproof.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (1u << 20)

static enum err file_digest(struct subject *out, const struct proof *proof, const char *path,
                            struct why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return why_sayf(why, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "file", NULL, NULL, "%s",
                        path);
    }
    struct subject_digest *digest = subject_begin(proof);
    uint8_t *chunk = mem_alloc(CHUNK);
    ssize_t got;
    while ((got = read(fd, chunk, CHUNK)) > 0 || (got < 0 && errno == EINTR)) {
        if (got > 0) {
            subject_update(digest, (struct bytes){chunk, (size_t)got});
        }
    }
    free(chunk);
    close(fd);
    if (got < 0) {
        subject_abandon(digest);
        return why_sayf(why, ERR_IO, "file", NULL, NULL, "%s", path);
    }
    subject_end(digest, out);
    return OK;
}

static enum err subject_take(struct subject *out, const struct args *args,
                             const struct proof *proof, struct why *why)
{
    const char *hash = args_text(args, "hash");
    *out = (struct subject){.kind = SUBJECT_NONE};
    if (hash == NULL) {
        return args->operand_count > 0 ? file_digest(out, proof, args->operands[0], why) : OK;
    }
    out->kind = SUBJECT_SHA256;
    if (hex_read(out->sha256.at, sizeof out->sha256.at, bytes_text(hash)) != OK) {
        return why_say(why, ERR_FORMAT, "--hash", hash, "is not 64 hex digits", NULL);
    }
    return OK;
}

static void put_number(json_t *object, const char *name, uint64_t value)
{
    json_object_set_new(object, name,
                        json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

/* What the proof says of itself; whether it holds is said by the checks. */
static json_t *claims_json(const struct proof *proof)
{
    struct hash id;
    char evidence[EVIDENCE_ID_LEN + 1];
    json_t *claims = json_object();
    statement_id(&id, &proof->statement, pubkey_kid(proof->key));
    evidence_id_write(evidence, &id, proof->file.number);
    json_object_set_new(claims, "statement", json_hex(hash_bytes(&id)));
    json_object_set_new(claims, "evidence_id", json_string(evidence));
    json_object_set_new(
        claims, "member",
        json_stringn((const char *)proof->record.member.at, proof->record.member.len));
    put_number(claims, "index", proof->file.index);
    put_number(claims, "block_height", proof->block.height);
    put_number(claims, "block_time_ms", proof->block.time_ms);
    json_object_set_new(claims, "chain", json_hex(hash_bytes(&proof->head.chain)));
    return claims;
}

static void verdict_print_json(const struct verdict *verdict, json_t *claims)
{
    json_t *answer = json_object();
    json_t *checks = json_array();
    for (size_t i = 0; i < verdict->count; i++) {
        const struct verdict_line *line = &verdict->lines[i];
        json_array_append_new(checks, json_pack("{s:s, s:s, s:s}", "check", check_name(line->check),
                                                "outcome", outcome_name(line->outcome), "text",
                                                line->text));
    }
    json_object_set_new(answer, "exit", json_integer(verdict->status));
    json_object_set_new(answer, "summary", json_string(verdict->summary));
    if (claims) {
        json_object_set_new(answer, "proof", claims);
    }
    json_object_set_new(answer, "checks", checks);
    put_json(answer);
}

static enum colour outcome_colour(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_PASS:
        return COLOUR_GOOD;
    case OUTCOME_FAIL:
        return COLOUR_BAD;
    case OUTCOME_NOT_COUNTED:
        return COLOUR_DIM;
    }
    BUG_ON(true);
}

static void verdict_print(const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->count; i++) {
        const struct verdict_line *line = &verdict->lines[i];
        char outcome[16];
        snprintf(outcome, sizeof outcome, "%-11s", outcome_name(line->outcome));
        put_coloured(stdout, outcome_colour(line->outcome), outcome);
        printf(" %-19s %s\n", check_name(line->check), line->text);
    }
    fputs(verdict->count > 0 ? "\n" : "", stdout);
    put_coloured(stdout, verdict->status == VERDICT_PASS ? COLOUR_GOOD : COLOUR_BAD,
                 verdict->summary);
    putchar('\n');
}

static enum err statement_judge(struct verdict *verdict, json_t **claims, const struct args *args,
                                struct bytes in, const struct trust *trust, struct why *why)
{
    struct proof *proof;
    struct subject subject;
    TRY(proof_parse(&proof, in, why));
    enum err err = subject_take(&subject, args, proof, why);
    if (err == OK) {
        proof_verify(verdict, proof, trust, &subject);
        *claims = args_flag(args, "json") ? claims_json(proof) : NULL;
    }
    proof_free(proof);
    return err;
}

static enum err state_judge(struct verdict *verdict, struct bytes in, const struct trust *trust,
                            struct why *why)
{
    struct state_proof *proof;
    TRY(state_proof_parse(&proof, in, why));
    state_proof_verify(verdict, proof, trust);
    state_proof_free(proof);
    return OK;
}

static enum err fork_judge(struct verdict *verdict, struct bytes in, const struct trust *trust,
                           struct why *why)
{
    struct fork_evidence *evidence;
    TRY(fork_evidence_parse(&evidence, in, why));
    fork_evidence_verify(verdict, evidence, trust);
    fork_evidence_free(evidence);
    return OK;
}

static enum err judge(struct verdict *verdict, json_t **claims, const struct args *args,
                      const char *proof_path, struct why *why)
{
    struct buf proof_bytes = {0};
    struct buf trust_bytes = {0};
    struct trust *trust = NULL;
    const char *trust_path = args_text(args, "trust");
    enum err err = file_read(&proof_bytes, proof_path, PROOF_MAX, why);
    if (err == OK && trust_path) {
        err = file_read(&trust_bytes, trust_path, TRUST_MAX, why);
        err = err == OK ? trust_parse(&trust, buf_bytes(&trust_bytes), why) : err;
    }
    if (err == OK) {
        struct bytes in = buf_bytes(&proof_bytes);
        err = fork_evidence_is(in) ? fork_judge(verdict, in, trust, why)
              : state_proof_is(in) ? state_judge(verdict, in, trust, why)
                                   : statement_judge(verdict, claims, args, in, trust, why);
    }
    trust_free(trust);
    buf_clear(&proof_bytes);
    buf_clear(&trust_bytes);
    return err;
}

/* What the command line lacks, or OK. */
static enum err usage_check(const struct args *args, struct why *why)
{
    if (args->operand_count == 0 && args_text(args, "proof") == NULL) {
        return why_say(why, ERR_FORMAT, "FILE", NULL, "and --proof are both absent", NULL);
    }
    if (args->operand_count > 0 && args_text(args, "hash")) {
        return why_say(why, ERR_FORMAT, "--hash", NULL, "stands beside a FILE",
                       "Give one of them.");
    }
    return OK;
}

/* Whether a file with no proof beside it is fork evidence, which needs none. */
static bool is_fork_evidence(const char *path)
{
    struct buf bytes = {0};
    bool is = file_read(&bytes, path, FORK_MAX, NULL) == OK && fork_evidence_is(buf_bytes(&bytes));
    buf_clear(&bytes);
    return is;
}

/* The file with the proof: as said, or beside the operand, or the operand itself. `beside` holds
 * what the path may borrow. */
static const char *proof_find(const struct args *args, struct buf *beside)
{
    const char *said = args_text(args, "proof");
    if (said) {
        return said;
    }
    buf_put(beside, bytes_text(args->operands[0]));
    buf_put(beside, BYTES_OF(".proof"));
    const char *path = (const char *)beside->at;
    return !file_exists(path) && is_fork_evidence(args->operands[0]) ? args->operands[0] : path;
}

static int run(const struct args *args)
{
    struct why why = {0};
    struct verdict verdict = {0};
    struct buf beside = {0};
    json_t *claims = NULL;
    enum err err = usage_check(args, &why);
    if (err != OK) {
        return fail(err, &why);
    }
    const char *proof_path = proof_find(args, &beside);
    err = judge(&verdict, &claims, args, proof_path, &why);
    if (err != OK) {
        verdict_unreadable(&verdict, err, &why);
    }
    if (args_flag(args, "json")) {
        verdict_print_json(&verdict, claims);
    } else {
        verdict_print(&verdict);
    }
    int status = (int)verdict.status;
    verdict_clear(&verdict);
    buf_clear(&beside);
    return status;
}

static const struct arg options[] = {
    {"proof", "FILE.proof", "the proof; FILE.proof beside the file unless said", NULL, false,
     false},
    {"trust", "NAME.trust", "what you know of the ledger", NULL, false, false},
    {"hash", "SHA256HEX", "compare a SHA-256 in place of a file", NULL, false, false},
    ARG_JSON,
    {0},
};

const struct verb verb_verify = {
    .name = "verify",
    .operands = "[FILE]",
    .operands_min = 0,
    .operands_max = 1,
    .summary = "check a file against its proof and a trust file, offline",
    .text =
        "Checks, without asking anybody, that the ledger of the trust file recorded this very\n"
        "file. Without FILE or --hash only the proof itself is checked. Proofs that prove-state\n"
        "made are checked in the same way. Fork evidence (NAME.fork) is a FILE that needs no\n"
        "proof: it passes if the accusation holds, and the verdict names who is accused.\n"
        "Exit status: 0 every required check passes, 1 a check fails, 2 something can't be read\n"
        "or the ledger is not the one of the trust file.",
    .example = "cairn verify contract.pdf --proof contract.pdf.proof --trust harbour.trust",
    .args = options,
    .run = run,
};
