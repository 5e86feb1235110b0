/* Whole proofs under the interop vectors' trust files. The first byte says which trust file, the
 * second which file is compared; the rest is the proof. The keys of these ledgers are nobody's any
 * more: what passes and isn't recorded in a vector that passes is forged. */
#include "codec/privacy.h"
#include "fuzz.h"
#include "mutate.h"
#include "proof/verify.h"
#include "samples.h"

const struct fuzz_shape fuzz_shape = {2, false};

#define KNOWN_MAX 256

static const char *const trust_names[] = {
    "alpha", "alpha-heads", "alpha-stolen-heads", "alpha-lost", "alpha-rotated", "alpha-epoch",
    "gamma", "gamma-mixed", "gamma-heads",        "delta",      "alpha-stolen",  "alpha-fork",
};
static const char *const file_names[] = {"contract.txt", "blinded.txt", "comet.txt", "empty.txt",
                                         "foreign.json", "lone.txt",    "six.txt",   "restart.txt"};
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What a passing verdict is about. */
static struct hash known[KNOWN_MAX];
static size_t known_count;
static struct trust *trusts[COUNT(trust_names)];
static struct buf files[COUNT(file_names)];

/* The entry with its signature, its place, its time, and the item. */
static struct hash claim(const struct proof *proof)
{
    uint8_t numbers[18];
    struct hash out;
    put_u64(numbers, proof->file.index);
    put_u64(numbers + 8, proof->has_block ? proof->block.time_ms : proof->head.time_ms);
    put_u16(numbers + 16, proof->file.number);
    sha256_parts(
        &out, (struct bytes[]){hash_bytes(&proof->leaf), BYTES_OF(numbers), proof->file.item}, 3);
    return out;
}

static bool is_known(const struct hash *hash)
{
    for (size_t i = 0; i < known_count; i++) {
        if (hash_equal(&known[i], hash)) {
            return true;
        }
    }
    return false;
}

static void known_load(void)
{
    struct buf index = {0}, bytes = {0};
    char *words[8], name[256];
    sample_read(&index, "cairn/index.txt");
    buf_put_byte(&index, 0);
    char *text = (char *)index.at;
    while (sample_words(&text, words, COUNT(words)) >= 6) {
        struct proof *proof;
        if (strcmp(words[5], "0") == 0) {
            bytes.len = 0;
            snprintf(name, sizeof name, "cairn/%s", words[2]);
            sample_read(&bytes, name);
            BUG_ON(proof_parse(&proof, buf_bytes(&bytes), NULL) != OK || known_count == KNOWN_MAX);
            known[known_count++] = claim(proof);
            proof_free(proof);
        }
    }
    buf_clear(&index);
    buf_clear(&bytes);
}

static void load(void)
{
    char name[256];
    struct buf bytes = {0};
    if (known_count > 0) {
        return;
    }
    known_load();
    for (size_t i = 0; i < COUNT(trust_names); i++) {
        bytes.len = 0;
        snprintf(name, sizeof name, "cairn/trust/%s.trust", trust_names[i]);
        sample_read(&bytes, name);
        BUG_ON(trust_parse(&trusts[i], buf_bytes(&bytes), NULL) != OK);
    }
    for (size_t i = 0; i < COUNT(file_names); i++) {
        snprintf(name, sizeof name, "cairn/files/%s", file_names[i]);
        sample_read(&files[i], name);
    }
    buf_clear(&bytes);
}

static enum err parse(struct bytes in)
{
    struct proof *proof;
    enum err err = proof_parse(&proof, in, NULL);
    BUG_ON((err == OK) != (proof != NULL));
    proof_free(proof);
    return err;
}

static void check_text(const char *text)
{
    BUG_ON(text[0] == '\0' || clear_text_check("text", bytes_text(text), NULL) == ERR_FORMAT);
}

/* Every line has a text that is one printable line, a verdict that passes has no line that fails.
 */
static void check_verdict(const struct verdict *verdict)
{
    bool fails = false;
    for (size_t i = 0; i < verdict->count; i++) {
        const struct verdict_line *line = &verdict->lines[i];
        fails = fails || line->outcome == OUTCOME_FAIL;
        check_text(line->text);
    }
    check_text(verdict->summary);
    BUG_ON(fails == (verdict->status == VERDICT_PASS));
}

static void check_verify(const struct proof *proof, unsigned trust, unsigned file)
{
    struct verdict verdict = {0}, none = {0};
    struct subject subject = {.kind = SUBJECT_NONE};
    if (file < COUNT(file_names)) {
        struct subject_digest *digest = subject_begin(proof);
        subject_update(digest, buf_bytes(&files[file]));
        subject_end(digest, &subject);
    }
    proof_verify(&verdict, proof, trusts[trust % COUNT(trust_names)], &subject);
    check_verdict(&verdict);
    if (verdict.status == VERDICT_PASS) {
        struct hash hash = claim(proof);
        BUG_ON(!is_known(&hash));
        if (subject.kind == SUBJECT_FILE && proof->has_item) {
            BUG_ON(!hash_equal(&subject.sha256, &proof->item.sha256));
        }
    }
    proof_verify(&none, proof, NULL, &subject);
    check_verdict(&none);
    BUG_ON(none.status == VERDICT_PASS);
    verdict_clear(&verdict);
    verdict_clear(&none);
}

static void check_file(struct bytes input)
{
    struct proof_file *file = mem_zalloc(sizeof *file);
    struct buf out = {0}, exported = {0};
    if (proof_file_read(file, input) == OK) {
        proof_file_write(&out, file);
        BUG_ON(!bytes_equal(buf_bytes(&out), input));
        if (proof_file_export(&exported, file) == OK) {
            BUG_ON(proof_file_read(file, buf_bytes(&exported)) != OK);
        }
    }
    buf_clear(&out);
    buf_clear(&exported);
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct proof *proof;
    struct why why = {0};
    load();
    unsigned trust = take_byte(&input);
    unsigned file = take_byte(&input);
    check_file(input);
    if (proof_parse(&proof, input, &why) == OK) {
        check_verify(proof, trust, file);
        check_whole_only(parse, input);
    }
    proof_free(proof);
    return 0;
}
