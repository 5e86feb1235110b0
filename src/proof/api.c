/* The public face of the verifier: plain C types in front, the layers behind. */
#include "proof/cairn_verify.h"

#include "proof/fork.h"
#include "proof/id.h"
#include "proof/stateproof.h"
#include "proof/verify.h"

#include <stdlib.h>
#include <string.h>

struct cairn_trust {
    struct trust *trust;
    struct hash sha256;
    char name[LEDGER_NAME_MAX + 1];
};

/* One of the two. */
struct cairn_proof {
    struct proof *statement;
    struct state_proof *state;
};

struct cairn_fork {
    struct fork_evidence *evidence;
};

struct cairn_digest {
    struct subject_digest *digest; /* NULL once it is used up */
};

struct cairn_verdict {
    struct verdict verdict;
};

const char *cairn_version(void)
{
    return CAIRN_VERSION;
}

static void reason_write(char *error, size_t error_cap, enum err err, const struct why *why)
{
    if (error && error_cap > 0) {
        why_print(why, err, error, error_cap > 4096 ? 4096u : (unsigned)error_cap);
    }
}

struct cairn_trust *cairn_trust_new(const void *bytes, size_t len, char *error, size_t error_cap)
{
    struct why why = {0};
    struct bytes in = {bytes, len};
    struct trust *parsed;
    enum err err = trust_parse(&parsed, in, &why);
    if (err != OK) {
        reason_write(error, error_cap, err, &why);
        return NULL;
    }
    struct cairn_trust *trust = mem_zalloc(sizeof *trust);
    trust->trust = parsed;
    sha256(&trust->sha256, in);
    memcpy(trust->name, parsed->name.at, parsed->name.len);
    return trust;
}

void cairn_trust_free(struct cairn_trust *trust)
{
    if (trust) {
        trust_free(trust->trust);
        free(trust);
    }
}

void cairn_trust_sha256(const struct cairn_trust *trust, uint8_t sha256_out[32])
{
    memcpy(sha256_out, trust->sha256.at, sizeof trust->sha256.at);
}

const char *cairn_trust_name(const struct cairn_trust *trust)
{
    return trust->name;
}

struct cairn_proof *cairn_proof_new(const void *bytes, size_t len, char *error, size_t error_cap)
{
    struct why why = {0};
    struct bytes in = {bytes, len};
    struct cairn_proof proof = {0};
    enum err err = state_proof_is(in) ? state_proof_parse(&proof.state, in, &why)
                                      : proof_parse(&proof.statement, in, &why);
    if (err != OK) {
        reason_write(error, error_cap, err, &why);
        return NULL;
    }
    struct cairn_proof *out = mem_alloc(sizeof *out);
    *out = proof;
    return out;
}

void cairn_proof_free(struct cairn_proof *proof)
{
    if (proof) {
        proof_free(proof->statement);
        state_proof_free(proof->state);
        free(proof);
    }
}

int cairn_proof_is_state(const struct cairn_proof *proof)
{
    return proof->state != NULL;
}

int cairn_proof_evidence_id(const struct cairn_proof *proof, char out[CAIRN_EVIDENCE_ID_SIZE])
{
    struct hash id;
    if (proof->state) {
        out[0] = 0;
        return 0;
    }
    statement_id(&id, &proof->statement->statement, pubkey_kid(proof->statement->key));
    evidence_id_write(out, &id, proof->statement->file.number);
    return 1;
}

uint64_t cairn_proof_time_ms(const struct cairn_proof *proof)
{
    return proof->state ? proof->state->head_header.time_ms : proof->statement->block.time_ms;
}

struct cairn_digest *cairn_digest_new(const struct cairn_proof *proof)
{
    struct cairn_digest *digest = mem_zalloc(sizeof *digest);
    if (proof->statement) {
        digest->digest = subject_begin(proof->statement);
    }
    return digest;
}

void cairn_digest_update(struct cairn_digest *digest, const void *bytes, size_t len)
{
    if (digest->digest && len > 0) {
        subject_update(digest->digest, (struct bytes){bytes, len});
    }
}

void cairn_digest_free(struct cairn_digest *digest)
{
    if (digest) {
        subject_abandon(digest->digest);
        free(digest);
    }
}

static struct cairn_verdict *judge(const struct cairn_proof *proof, const struct cairn_trust *trust,
                                   const struct subject *subject)
{
    struct cairn_verdict *out = mem_zalloc(sizeof *out);
    const struct trust *known = trust ? trust->trust : NULL;
    if (proof->state) {
        state_proof_verify(&out->verdict, proof->state, known);
    } else {
        proof_verify(&out->verdict, proof->statement, known, subject);
    }
    return out;
}

struct cairn_verdict *cairn_verify(const struct cairn_proof *proof, const struct cairn_trust *trust,
                                   struct cairn_digest *digest)
{
    struct subject subject = {.kind = SUBJECT_NONE};
    if (digest && digest->digest) {
        subject_end(digest->digest, &subject);
        digest->digest = NULL;
    }
    return judge(proof, trust, &subject);
}

struct cairn_verdict *cairn_verify_sha256(const struct cairn_proof *proof,
                                          const struct cairn_trust *trust,
                                          const uint8_t sha256_in[32])
{
    struct subject subject = {.kind = SUBJECT_SHA256};
    memcpy(subject.sha256.at, sha256_in, sizeof subject.sha256.at);
    return judge(proof, trust, &subject);
}

struct cairn_fork *cairn_fork_new(const void *bytes, size_t len, char *error, size_t error_cap)
{
    struct why why = {0};
    struct fork_evidence *evidence;
    enum err err = fork_evidence_parse(&evidence, (struct bytes){bytes, len}, &why);
    if (err != OK) {
        reason_write(error, error_cap, err, &why);
        return NULL;
    }
    struct cairn_fork *out = mem_alloc(sizeof *out);
    out->evidence = evidence;
    return out;
}

void cairn_fork_free(struct cairn_fork *evidence)
{
    if (evidence) {
        fork_evidence_free(evidence->evidence);
        free(evidence);
    }
}

struct cairn_verdict *cairn_fork_verify(const struct cairn_fork *evidence,
                                        const struct cairn_trust *trust)
{
    struct cairn_verdict *out = mem_zalloc(sizeof *out);
    fork_evidence_verify(&out->verdict, evidence->evidence, trust ? trust->trust : NULL);
    return out;
}

void cairn_verdict_free(struct cairn_verdict *verdict)
{
    if (verdict) {
        verdict_clear(&verdict->verdict);
        free(verdict);
    }
}

enum cairn_status cairn_verdict_status(const struct cairn_verdict *verdict)
{
    switch (verdict->verdict.status) {
    case VERDICT_PASS:
        return CAIRN_HOLDS;
    case VERDICT_FAIL:
        return CAIRN_FAILS;
    case VERDICT_UNREADABLE:
        return CAIRN_UNREADABLE;
    }
    return CAIRN_UNREADABLE;
}

const char *cairn_verdict_summary(const struct cairn_verdict *verdict)
{
    return verdict->verdict.summary;
}

size_t cairn_verdict_count(const struct cairn_verdict *verdict)
{
    return verdict->verdict.count;
}

static const struct verdict_line *line_at(const struct cairn_verdict *verdict, size_t index)
{
    BUG_ON(index >= verdict->verdict.count);
    return &verdict->verdict.lines[index];
}

const char *cairn_verdict_check(const struct cairn_verdict *verdict, size_t index)
{
    return check_name(line_at(verdict, index)->check);
}

enum cairn_outcome cairn_verdict_outcome(const struct cairn_verdict *verdict, size_t index)
{
    switch (line_at(verdict, index)->outcome) {
    case OUTCOME_PASS:
        return CAIRN_PASS;
    case OUTCOME_FAIL:
        return CAIRN_FAIL;
    case OUTCOME_NOT_COUNTED:
        break;
    }
    return CAIRN_NOT_COUNTED;
}

const char *cairn_verdict_text(const struct cairn_verdict *verdict, size_t index)
{
    return line_at(verdict, index)->text;
}
