/* The file, or its digest, against the recorded item; and the digests of a file. */
#include "proof/checks.h"

#include <stdlib.h>

struct subject_digest {
    struct sha256_state sha256;
    struct sm3_state *sm3;
    uint64_t size;
};

struct subject_digest *subject_begin(const struct proof *proof)
{
    struct subject_digest *digest = mem_zalloc(sizeof *digest);
    sha256_init(&digest->sha256);
    digest->sm3 = sm3_new();
    sha256_update(&digest->sha256, proof->file.salt);
    sm3_update(digest->sm3, proof->file.salt);
    return digest;
}

void subject_update(struct subject_digest *digest, struct bytes part)
{
    sha256_update(&digest->sha256, part);
    sm3_update(digest->sm3, part);
    digest->size += part.len;
}

void subject_end(struct subject_digest *digest, struct subject *out)
{
    out->kind = SUBJECT_FILE;
    out->size = digest->size;
    sha256_final(&digest->sha256, &out->sha256);
    sm3_final(digest->sm3, &out->sm3);
    subject_abandon(digest);
}

void subject_abandon(struct subject_digest *digest)
{
    if (digest) {
        sm3_free(digest->sm3);
        free(digest);
    }
}

/* What is recorded of the contents. */
struct recorded {
    struct hash sha256;
    bool has_sm3;
    struct hash sm3;
    bool has_size;
    uint64_t size;
};

static struct recorded recorded_of_foreign(const struct statement *statement)
{
    struct recorded recorded = {0};
    struct bytes payload = statement->sign1.payload;
    if (statement->envelope) {
        for (size_t i = 0; i < sizeof recorded.sha256.at; i++) {
            recorded.sha256.at[i] = payload.at[i];
        }
        return recorded;
    }
    sha256(&recorded.sha256, payload);
    sm3(&recorded.sm3, payload);
    recorded.has_sm3 = true;
    recorded.has_size = true;
    recorded.size = payload.len;
    return recorded;
}

static struct recorded recorded_of_item(const struct item *item)
{
    return (struct recorded){
        .sha256 = item->sha256,
        .has_sm3 = true,
        .sm3 = item->sm3,
        .has_size = item->has_size,
        .size = item->size,
    };
}

static void digest_compare(struct verdict *out, const struct proof *proof,
                           const struct recorded *recorded, const struct subject *subject)
{
    if (proof->has_item && proof->item.form == ITEM_BLINDED) {
        verdict_add(out, CHECK_FILE, OUTCOME_FAIL,
                    "The item is blinded: a digest alone can't be compared, only the file.");
    } else if (hash_equal(&recorded->sha256, &subject->sha256)) {
        verdict_add(out, CHECK_FILE, OUTCOME_PASS,
                    "The SHA-256 is the recorded one; only SHA-256 was compared.");
    } else {
        verdict_add(out, CHECK_FILE, OUTCOME_FAIL, "The SHA-256 is not the recorded one.");
    }
}

/* Every recorded digest and the size must match; some matching and others not is told apart. */
static void file_compare(struct verdict *out, const struct proof *proof,
                         const struct recorded *recorded, const struct subject *subject)
{
    bool sha256_same = hash_equal(&recorded->sha256, &subject->sha256);
    bool sm3_same = !recorded->has_sm3 || hash_equal(&recorded->sm3, &subject->sm3);
    bool size_same = !recorded->has_size || recorded->size == subject->size;
    if (sha256_same && sm3_same && size_same) {
        verdict_add(out, CHECK_FILE, OUTCOME_PASS,
                    "The file is unchanged since %s: every recorded digest matches (SHA-256%s)%s.",
                    time_text(proof->block.time_ms).at, recorded->has_sm3 ? " and SM3" : " alone",
                    recorded->has_size ? ", and so does its size" : "");
    } else if (sha256_same || (sm3_same && recorded->has_sm3)) {
        verdict_add(out, CHECK_FILE, OUTCOME_FAIL,
                    "The file matches in part only: SHA-256 %s, SM3 %s, size %s. The record itself "
                    "contradicts the file.",
                    sha256_same ? "matches" : "differs",
                    !recorded->has_sm3 ? "is not recorded"
                    : sm3_same         ? "matches"
                                       : "differs",
                    !recorded->has_size ? "is not recorded"
                    : size_same         ? "matches"
                                        : "differs");
    } else {
        verdict_add(out, CHECK_FILE, OUTCOME_FAIL,
                    "The file is not the recorded one%s: its contents differ.",
                    proof->has_item && proof->item.form == ITEM_BLINDED ? ", or the salt is another"
                                                                        : "");
    }
}

void file_check(struct verdict *out, const struct proof *proof, const struct subject *subject)
{
    bool foreign = proof->statement.foreign;
    if (!foreign && (!proof->is_deposit || !proof->has_item)) {
        if (!proof->is_deposit && subject->kind != SUBJECT_NONE) {
            verdict_add(out, CHECK_FILE, OUTCOME_FAIL,
                        "A file was given, but the statement deposits none.");
        }
        return;
    }
    if (subject->kind == SUBJECT_NONE) {
        verdict_add(out, CHECK_FILE, OUTCOME_NOT_COUNTED, "No file was given to compare.");
        return;
    }
    struct recorded recorded =
        foreign ? recorded_of_foreign(&proof->statement) : recorded_of_item(&proof->item);
    if (subject->kind == SUBJECT_SHA256) {
        digest_compare(out, proof, &recorded, subject);
    } else if (!foreign && proof->item.form == ITEM_BLINDED && proof->file.salt.len == 0) {
        verdict_add(
            out, CHECK_FILE, OUTCOME_FAIL,
            "The item is blinded and the proof lacks its salt: the file can't be compared.");
    } else {
        file_compare(out, proof, &recorded, subject);
    }
}
