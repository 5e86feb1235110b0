/* The public interface of libcairn-verify on the interop vectors. */
#include "interop.h"

#include "proof/cairn_verify.h"

#include <pthread.h>

struct judged {
    enum cairn_status status;
    char failing[64]; /* the check of the last line that fails */
};

static void judge(struct judged *out, struct cairn_proof *proof, struct cairn_trust *trust,
                  const char *file, const char *hash)
{
    struct buf contents = {0};
    struct cairn_verdict *verdict;
    if (strcmp(hash, "-") != 0) {
        verdict = cairn_verify_sha256(proof, trust, hex(hash).at);
    } else if (strcmp(file, "-") != 0) {
        struct cairn_digest *digest = cairn_digest_new(proof);
        interop_read(&contents, file);
        for (size_t i = 0; i < contents.len; i++) {
            cairn_digest_update(digest, contents.at + i, 1);
        }
        verdict = cairn_verify(proof, trust, digest);
        cairn_digest_free(digest);
    } else {
        verdict = cairn_verify(proof, trust, NULL);
    }
    out->status = cairn_verdict_status(verdict);
    for (size_t i = 0; i < cairn_verdict_count(verdict); i++) {
        CHECK(strlen(cairn_verdict_text(verdict, i)) > 0);
        if (cairn_verdict_outcome(verdict, i) == CAIRN_FAIL) {
            snprintf(out->failing, sizeof out->failing, "%s", cairn_verdict_check(verdict, i));
        }
    }
    CHECK(strlen(cairn_verdict_summary(verdict)) > 0);
    cairn_verdict_free(verdict);
    buf_clear(&contents);
}

static struct judged case_judge(char **fields)
{
    struct judged judged = {.status = CAIRN_UNREADABLE};
    struct buf bytes = {0};
    struct cairn_trust *trust = NULL;
    char error[128] = "";
    bool named = strcmp(fields[CASE_TRUST], "-") != 0;
    interop_read(&bytes, fields[CASE_PROOF]);
    struct cairn_proof *proof = cairn_proof_new(bytes.at, bytes.len, error, sizeof error);
    bytes.len = 0;
    if (named) {
        interop_read(&bytes, fields[CASE_TRUST]);
        trust = cairn_trust_new(bytes.at, bytes.len, error, sizeof error);
    }
    if (proof && (trust || !named)) {
        judge(&judged, proof, trust, fields[CASE_FILE], fields[CASE_HASH]);
    } else {
        CHECK(strlen(error) > 0);
    }
    cairn_proof_free(proof);
    cairn_trust_free(trust);
    buf_clear(&bytes);
    return judged;
}

static void every_interop_case_agrees_through_the_public_interface(void **state)
{
    (void)state;
    struct vector table = vector_open("cairn/index.txt");
    unsigned cases = 0;
    while (vector_next(&table)) {
        struct judged judged = case_judge(table.fields);
        for (char *c = judged.failing; *c; c++) {
            *c = *c == ' ' ? '_' : *c;
        }
        const char *want = table.fields[CASE_CHECK];
        CHECK_UINT(judged.status, strtoul(table.fields[CASE_EXIT], NULL, 10));
        CHECK_BYTES(bytes_text(judged.failing), bytes_text(strcmp(want, "-") == 0 ? "" : want));
        cases++;
    }
    CHECK_UINT(cases, 240);
}

static void a_proof_says_its_time_and_evidence_id(void **state)
{
    (void)state;
    struct buf bytes = {0};
    char id[CAIRN_EVIDENCE_ID_SIZE];
    uint8_t sha256_read[32];
    interop_read(&bytes, "proofs/ed25519-0.proof");
    struct cairn_proof *proof = cairn_proof_new(bytes.at, bytes.len, NULL, 0);
    CHECK_UINT(cairn_proof_time_ms(proof), 1700000000010);
    CHECK(cairn_proof_is_state(proof) == 0);
    CHECK(cairn_proof_evidence_id(proof, id) == 1);
    CHECK_BYTES(bytes_text(id), bytes_text("NZESM3-JS2HAV-EM38ED-RY80009"));
    bytes.len = 0;
    interop_read(&bytes, "trust/alpha.trust");
    struct cairn_trust *trust = cairn_trust_new(bytes.at, bytes.len, NULL, 0);
    struct hash want;
    sha256(&want, buf_bytes(&bytes));
    cairn_trust_sha256(trust, sha256_read);
    CHECK(memcmp(want.at, sha256_read, 32) == 0);
    CHECK_BYTES(bytes_text(cairn_trust_name(trust)), bytes_text("Alpha"));
    CHECK(strlen(cairn_version()) > 0);
    cairn_proof_free(proof);
    cairn_trust_free(trust);
    cairn_digest_free(NULL);
    cairn_verdict_free(NULL);
    buf_clear(&bytes);
}

/* An example of docs/protocol.md. */
static void example_read(struct buf *out, const char *name)
{
    struct vector table = vector_open("examples.txt");
    while (vector_next(&table)) {
        if (strcmp(table.fields[0], name) == 0) {
            buf_put(out, vector_bytes(&table, 2));
        }
    }
    CHECK(out->len > 0);
}

static void fork_evidence_accuses_through_the_public_interface(void **state)
{
    (void)state;
    struct buf bytes = {0};
    char error[128] = "";
    example_read(&bytes, "trust");
    struct cairn_trust *trust = cairn_trust_new(bytes.at, bytes.len, NULL, 0);
    bytes.len = 0;
    example_read(&bytes, "fork-heads");
    struct cairn_fork *evidence = cairn_fork_new(bytes.at, bytes.len, NULL, 0);
    struct cairn_verdict *verdict = cairn_fork_verify(evidence, trust);
    CHECK_UINT(cairn_verdict_status(verdict), CAIRN_HOLDS);
    size_t last = cairn_verdict_count(verdict) - 1;
    CHECK_BYTES(bytes_text(cairn_verdict_check(verdict, last)), bytes_text("fork"));
    CHECK(strstr(cairn_verdict_text(verdict, last), "Node node-1") != NULL);
    cairn_verdict_free(verdict);
    verdict = cairn_fork_verify(evidence, NULL);
    CHECK_UINT(cairn_verdict_status(verdict), CAIRN_UNREADABLE);
    cairn_verdict_free(verdict);
    CHECK(cairn_fork_new(bytes.at, bytes.len - 1, error, sizeof error) == NULL);
    CHECK(strlen(error) > 0);
    cairn_fork_free(evidence);
    cairn_fork_free(NULL);
    cairn_trust_free(trust);
    buf_clear(&bytes);
}

struct shared {
    struct cairn_proof *proof;
    struct cairn_trust *trust;
    bool good;
};

static void *verify_often(void *context)
{
    struct shared *shared = context;
    for (int i = 0; i < 50; i++) {
        struct cairn_verdict *verdict = cairn_verify(shared->proof, shared->trust, NULL);
        shared->good = shared->good && cairn_verdict_status(verdict) == CAIRN_HOLDS;
        cairn_verdict_free(verdict);
    }
    return NULL;
}

static void one_proof_and_one_trust_file_serve_several_threads(void **state)
{
    (void)state;
    struct buf proof = {0};
    struct buf trust = {0};
    pthread_t threads[4];
    struct shared shared[4];
    interop_read(&proof, "proofs/sm2-0.proof");
    interop_read(&trust, "trust/alpha.trust");
    shared[0].proof = cairn_proof_new(proof.at, proof.len, NULL, 0);
    shared[0].trust = cairn_trust_new(trust.at, trust.len, NULL, 0);
    for (int i = 0; i < 4; i++) {
        shared[i] = (struct shared){shared[0].proof, shared[0].trust, true};
        CHECK(pthread_create(&threads[i], NULL, verify_often, &shared[i]) == 0);
    }
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(shared[i].good);
    }
    cairn_proof_free(shared[0].proof);
    cairn_trust_free(shared[0].trust);
    buf_clear(&proof);
    buf_clear(&trust);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_interop_case_agrees_through_the_public_interface),
        cmocka_unit_test(a_proof_says_its_time_and_evidence_id),
        cmocka_unit_test(fork_evidence_accuses_through_the_public_interface),
        cmocka_unit_test(one_proof_and_one_trust_file_serve_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
