/* The whole proofs of the interop vectors, as tests use them. */
#ifndef CAIRN_TEST_INTEROP_H
#define CAIRN_TEST_INTEROP_H

#include "vectors.h"

#include "base/file.h"
#include "proof/verify.h"

/* A file of test/vectors/cairn/, appended to `out`. */
static inline void interop_read(struct buf *out, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/cairn/%s", VECTORS, name);
    CHECK_OK(file_read(out, path, PROOF_MAX, NULL));
}

/* The fields of a line of cairn/index.txt. */
enum { CASE_NAME, CASE_FILE, CASE_PROOF, CASE_TRUST, CASE_HASH, CASE_EXIT, CASE_CHECK };

/* What is compared with the proof: a file, a digest or nothing ("-"). */
static inline struct subject interop_subject(const struct proof *proof, const char *file,
                                             const char *hash)
{
    struct subject subject = {.kind = SUBJECT_NONE};
    if (strcmp(hash, "-") != 0) {
        subject.kind = SUBJECT_SHA256;
        memcpy(subject.sha256.at, hex(hash).at, sizeof subject.sha256.at);
    } else if (strcmp(file, "-") != 0) {
        struct buf contents = {0};
        struct subject_digest *digest = subject_begin(proof);
        interop_read(&contents, file);
        subject_update(digest, buf_bytes(&contents));
        subject_end(digest, &subject);
        buf_clear(&contents);
    }
    return subject;
}

/* Verifies proof bytes with trust bytes (at NULL: no trust file); the caller clears `out`. */
static inline void interop_verify(struct verdict *out, struct bytes proof_bytes,
                                  struct bytes trust_bytes, const char *file, const char *hash)
{
    struct proof *proof = NULL;
    struct trust *trust = NULL;
    struct why why = {0};
    enum err err = proof_parse(&proof, proof_bytes, &why);
    if (err == OK && trust_bytes.at) {
        err = trust_parse(&trust, trust_bytes, &why);
    }
    if (err == OK) {
        struct subject subject = interop_subject(proof, file, hash);
        proof_verify(out, proof, trust, &subject);
    } else {
        verdict_unreadable(out, err, &why);
    }
    proof_free(proof);
    trust_free(trust);
}

static inline void verdict_print(const struct verdict *verdict)
{
    fprintf(stderr, "%d %s\n", (int)verdict->status, verdict->summary);
    for (size_t i = 0; i < verdict->count; i++) {
        const struct verdict_line *line = &verdict->lines[i];
        fprintf(stderr, "  %-11s %-19s %s\n", outcome_name(line->outcome), check_name(line->check),
                line->text);
    }
}

#endif
