#include "check.h"

#include "base/file.h"
#include "crypto/der.h"
#include "crypto/x509.h"
#include "vectors.h"

#define CERTIFICATES_MAX 768
#define LIST_MAX         9
#define TIME_MS          1767225600000u /* 2026-01-01 */

/* The table of certificates, by name. */
struct entry {
    char name[80];
    struct buf der;
};
static struct entry entries[CERTIFICATES_MAX];
static size_t entry_count;

static void entries_read(const char *file)
{
    struct vector vector = vector_open(file);
    while (vector_next(&vector)) {
        if (strcmp(vector.fields[0], "certificate") == 0) {
            BUG_ON(entry_count == CERTIFICATES_MAX);
            struct entry *entry = &entries[entry_count++];
            snprintf(entry->name, sizeof entry->name, "%s", vector.fields[1]);
            buf_put(&entry->der, vector_bytes(&vector, 2));
        }
    }
}

static int entries_load(void **state)
{
    (void)state;
    entries_read("x509.txt");
    entries_read("pkits.txt");
    return 0;
}

static int entries_free(void **state)
{
    (void)state;
    for (size_t i = 0; i < entry_count; i++) {
        buf_clear(&entries[i].der);
    }
    return 0;
}

static struct bytes entry(const char *name)
{
    for (size_t i = 0; i < entry_count; i++) {
        if (strcmp(entries[i].name, name) == 0) {
            return buf_bytes(&entries[i].der);
        }
    }
    fail_msg("no %s", name);
    return BYTES_NONE;
}

/* Certificates named in a list with commas; "-" is none. */
static size_t list_read(struct bytes *out, char *text)
{
    size_t count = 0;
    char *name;
    while ((name = strsep(&text, ",")) != NULL) {
        if (strcmp(name, "-") != 0) {
            BUG_ON(count == LIST_MAX);
            out[count++] = entry(name);
        }
    }
    return count;
}

static struct x509_anchors *anchors_of(char *list)
{
    struct bytes ders[LIST_MAX];
    struct x509_anchors *anchors = x509_anchors_new();
    size_t count = list_read(ders, list);
    for (size_t i = 0; i < count; i++) {
        CHECK_OK(x509_anchors_add(anchors, ders[i], NULL));
    }
    return anchors;
}

/* Judges a case of the table: fields as x509_vectors.py writes them. */
static enum err judge(const struct vector *vector, struct why *why)
{
    struct bytes chain[LIST_MAX];
    size_t count = list_read(chain, vector->fields[7]);
    struct x509_anchors *anchors = anchors_of(vector->fields[6]);
    struct x509_request request = {
        .chain_der = chain,
        .chain_count = count,
        .anchors = anchors,
        .name = strcmp(vector->fields[4], "-") == 0 ? NULL : vector->fields[4],
        .purpose = strcmp(vector->fields[3], "server") == 0 ? X509_SERVER : X509_CLIENT,
        .time_ms = strtoull(vector->fields[5], NULL, 10) * 1000,
    };
    enum err err = x509_judge(&request, why);
    x509_anchors_free(anchors);
    return err;
}

#define RULE_ERR(rule, name, err, source, problem) {name, err},
static const struct {
    const char *name;
    enum err err;
} rules[] = {X509_RULE_TABLE(RULE_ERR)};

static void each_case_breaks_the_rule_that_it_names(void **state)
{
    (void)state;
    size_t broken[X509_RULE_COUNT] = {0};
    size_t count = 0;
    size_t wrong = 0;
    struct vector vector = vector_open("x509.txt");
    while (vector_next(&vector)) {
        if (strcmp(vector.fields[0], "case") != 0) {
            continue;
        }
        struct why why = {0};
        CHECK_UINT(vector.count, 8);
        enum err err = judge(&vector, &why);
        const char *got = err == OK ? "ok" : why.field;
        if (strcmp(got, vector.fields[2]) != 0) {
            print_message("%s: %s (%s), want %s\n", vector.fields[1], got, why.value,
                          vector.fields[2]);
            wrong++;
        }
        for (size_t i = 0; i < X509_RULE_COUNT; i++) {
            if (strcmp(rules[i].name, got) == 0) {
                CHECK_ERR(err, rules[i].err);
                CHECK(why.problem[0] && why.remedy[0]);
                broken[i]++;
            }
        }
        count++;
    }
    CHECK_UINT(wrong, 0);
    for (size_t i = 0; i < X509_RULE_COUNT; i++) {
        if (i != X509_RULE_PATH && broken[i] == 0) {
            fail_msg("no case breaks %s", rules[i].name);
        }
    }
    print_message("%zu cases\n", count);
}

static enum err judge_pkits(const struct vector *vector, struct why *why)
{
    struct bytes chain[LIST_MAX];
    struct x509_anchors *anchors = anchors_of(vector->fields[3]);
    struct x509_request request = {
        .chain_der = chain,
        .chain_count = list_read(chain, vector->fields[4]),
        .anchors = anchors,
        .purpose = X509_CLIENT,
        .time_ms = TIME_MS,
    };
    enum err err = x509_judge(&request, why);
    x509_anchors_free(anchors);
    return err;
}

/* Valid tests that break a rule of ours which the suite, of RFC 3280, does not have. */
static const char *stricter_rule(const char *number)
{
    static const struct {
        const char *number;
        const char *rule;
    } stricter[] = {
        {"4.1.4", "certificate.algorithm"},          /* DSA */
        {"4.1.5", "certificate.algorithm"},          /* DSA */
        {"4.2.4", "certificate.validity"},           /* GeneralizedTime before 2050 */
        {"4.3.6", "certificate.unique_id"},          /* unique identifiers */
        {"4.6.4", "certificate.basic_constraints"},  /* not critical */
        {"4.6.8", "certificate.basic_constraints"},  /* the leaf is an authority */
        {"4.6.14", "certificate.basic_constraints"}, /* the same */
    };
    for (size_t i = 0; i < sizeof stricter / sizeof *stricter; i++) {
        if (strcmp(stricter[i].number, number) == 0) {
            return stricter[i].rule;
        }
    }
    /* Its leaves have no purpose, which is asked for last. */
    return "certificate.extended_key_usage";
}

static void each_test_of_pkits_without_lists_is_judged_as_nist_does(void **state)
{
    (void)state;
    size_t count = 0;
    size_t wrong = 0;
    struct vector vector = vector_open("pkits.txt");
    while (vector_next(&vector)) {
        if (strcmp(vector.fields[0], "pkits") != 0) {
            continue;
        }
        struct why why = {0};
        bool valid = strcmp(vector.fields[2], "valid") == 0;
        char *number = vector.fields[1];
        const char *want = stricter_rule(number);
        CHECK(judge_pkits(&vector, &why) != OK);
        if ((strcmp(why.field, want) == 0) != valid) {
            print_message("%s, %s: %s (%s)\n", number, vector.fields[2], why.field, why.value);
            wrong++;
        }
        count++;
    }
    CHECK_UINT(wrong, 0);
    CHECK_UINT(count, 103);
}

/* A request whose chain is one certificate under one root, for tests that change its bytes. */
static enum err judge_leaf(struct bytes leaf, struct why *why)
{
    struct x509_anchors *anchors = x509_anchors_new();
    CHECK_OK(x509_anchors_add(anchors, entry("root"), NULL));
    struct x509_request request = {
        .chain_der = &leaf,
        .chain_count = 1,
        .anchors = anchors,
        .name = "court.example",
        .purpose = X509_SERVER,
        .time_ms = TIME_MS,
    };
    enum err err = x509_judge(&request, why);
    x509_anchors_free(anchors);
    return err;
}

static void a_cut_or_longer_certificate_is_refused(void **state)
{
    (void)state;
    struct bytes leaf = entry("direct");
    CHECK_OK(judge_leaf(leaf, NULL));
    for (size_t len = 0; len < leaf.len; len++) {
        struct why why = {0};
        CHECK_ERR(judge_leaf((struct bytes){leaf.at, len}, &why), ERR_FORMAT);
        CHECK(strcmp(why.field, "certificate.der") == 0);
    }
    struct buf longer = {0};
    buf_put(&longer, leaf);
    buf_put_byte(&longer, 0);
    CHECK_ERR(judge_leaf(buf_bytes(&longer), NULL), ERR_FORMAT);
    buf_clear(&longer);
    uint8_t *large = mem_zalloc(X509_CERT_MAX + 1);
    CHECK_ERR(judge_leaf((struct bytes){large, X509_CERT_MAX + 1}, NULL), ERR_FORMAT);
    free(large);
}

static void no_flipped_bit_is_accepted(void **state)
{
    (void)state;
    struct buf leaf = {0};
    buf_put(&leaf, entry("direct"));
    for (size_t bit = 0; bit < leaf.len * 8; bit++) {
        leaf.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (judge_leaf(buf_bytes(&leaf), NULL) == OK) {
            fail_msg("bit %zu may be flipped", bit);
        }
        leaf.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    buf_clear(&leaf);
}

static void a_chain_of_none_and_of_nine_is_refused(void **state)
{
    (void)state;
    struct bytes chain[9];
    struct x509_anchors *anchors = x509_anchors_new();
    for (size_t i = 0; i < 9; i++) {
        chain[i] = entry("direct");
    }
    struct x509_request request = {.chain_der = chain, .anchors = anchors, .time_ms = TIME_MS};
    struct why why = {0};
    CHECK_ERR(x509_judge(&request, &why), ERR_REFUSED);
    CHECK(strcmp(why.field, "certificate.chain") == 0);
    request.chain_count = 9;
    CHECK_ERR(x509_judge(&request, &why), ERR_REFUSED);
    CHECK(strcmp(why.field, "certificate.chain") == 0);
    x509_anchors_free(anchors);
}

static void names_that_a_server_can_have(void **state)
{
    (void)state;
    static const char *const good[] = {"localhost",  "court.example",          "a-b.example",
                                       "1a.example", "xn--mnchen-3ya.example", "4.example"};
    static const char *const bad[] = {
        "",    "127.0.0.1",      "::1",         "[::1]",      "1",
        "a.1", "court.example.", ".example",    "a..b",       "a b",
        "a/b", "a:8420",         "*.example.a", "-a.example", "a-.example",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK_OK(x509_reference_check(good[i], NULL));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct why why = {0};
        if (x509_reference_check(bad[i], &why) != ERR_REFUSED) {
            fail_msg("'%s' is taken", bad[i]);
        }
        CHECK(strcmp(why.field, "certificate.reference") == 0 && why.remedy[0]);
    }
}

static void pem_put(struct buf *out, const char *name, struct bytes der)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char line[80];
    snprintf(line, sizeof line, "-----BEGIN %s-----\n", name);
    buf_put(out, bytes_text(line));
    for (size_t i = 0; i < der.len; i += 3) {
        uint32_t n = 0;
        for (size_t j = 0; j < 3; j++) {
            n = n << 8 | (i + j < der.len ? der.at[i + j] : 0);
        }
        for (size_t j = 0; j < 4; j++) {
            buf_put_byte(out, i + j > der.len ? '=' : (uint8_t)digits[n >> (18 - 6 * j) & 63]);
        }
        if (i % 48 == 45) {
            buf_put_byte(out, '\n');
        }
    }
    snprintf(line, sizeof line, "\n-----END %s-----\n", name);
    buf_put(out, bytes_text(line));
}

static void chains_and_bundles_are_read_from_pem(void **state)
{
    (void)state;
    struct buf pem = {0};
    struct x509_chain chain;
    pem_put(&pem, "PRIVATE KEY", bytes_text("none of ours"));
    pem_put(&pem, "CERTIFICATE", entry("via"));
    buf_put(&pem, bytes_text("a word of explanation\n"));
    pem_put(&pem, "CERTIFICATE", entry("middle"));
    CHECK_OK(x509_chain_read(&chain, buf_bytes(&pem), NULL));
    CHECK_UINT(chain.count, 2);
    CHECK_BYTES(chain.der[0], entry("via"));
    CHECK_BYTES(chain.der[1], entry("middle"));
    x509_chain_clear(&chain);
    struct x509_anchors *anchors = x509_anchors_new();
    CHECK_OK(x509_anchors_add_pem(anchors, buf_bytes(&pem), NULL));
    CHECK_UINT(x509_anchors_count(anchors), 2);
    struct why why = {0};
    CHECK_ERR(x509_anchors_add_pem(anchors, BYTES_NONE, &why), ERR_FORMAT);
    CHECK_ERR(x509_anchors_add_pem(anchors, bytes_text("nothing"), &why), ERR_FORMAT);
    CHECK(strcmp(why.field, "certificate.der") == 0 && why.problem[0] && why.remedy[0]);
    pem_put(&pem, "CERTIFICATE", bytes_text("no certificate"));
    CHECK_ERR(x509_anchors_add_pem(anchors, buf_bytes(&pem), &why), ERR_FORMAT);
    CHECK(strcmp(why.value, "certificate 5") == 0);
    CHECK_ERR(x509_anchors_add(anchors, BYTES_NONE, &why), ERR_FORMAT);
    x509_anchors_free(anchors);
    pem.len = 0;
    CHECK_ERR(x509_chain_read(&chain, buf_bytes(&pem), &why), ERR_FORMAT);
    x509_chain_clear(&chain);
    for (size_t i = 0; i < 9; i++) {
        pem_put(&pem, "CERTIFICATE", entry("via"));
    }
    CHECK_ERR(x509_chain_read(&chain, buf_bytes(&pem), &why), ERR_REFUSED);
    x509_chain_clear(&chain);
    buf_clear(&pem);
}

static void der_has_one_encoding(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum err want;
    } cases[] = {
        {"3000", OK},
        {"0500", OK},
        {"0101ff", OK},
        {"020100", OK},
        {"02020080", OK},
        {"0202ff7f", OK},
        {"030100", OK},
        {"03020780", OK},
        {"06032a4886", ERR_FORMAT}, /* an arc without an end */
        {"06022a03", OK},
        {"3106020101020102", OK},
        {"0c03616263", OK},
        {"a003020101", OK},
        {"8001ff", OK},
        {"", ERR_TRUNCATED},
        {"30", ERR_TRUNCATED},
        {"3001", ERR_TRUNCATED},
        {"3081", ERR_TRUNCATED},
        {"30820100", ERR_TRUNCATED},
        {"300005", ERR_TRAILING},
        {"3080", ERR_NOT_CANONICAL},           /* no length */
        {"308100", ERR_NOT_CANONICAL},         /* longer than it need be */
        {"30820001", ERR_NOT_CANONICAL},       /* the same */
        {"30850000000000", ERR_NOT_CANONICAL}, /* the same, and too much anyway */
        {"1000", ERR_NOT_CANONICAL},           /* a sequence that is primitive */
        {"2000", ERR_NOT_CANONICAL},           /* and the reverse */
        {"2400", ERR_NOT_CANONICAL},           /* an octet string in parts */
        {"3f8101", ERR_FORMAT},                /* a large tag */
        {"0000", ERR_FORMAT},
        {"010101", ERR_NOT_CANONICAL},
        {"01020000", ERR_FORMAT},
        {"0200", ERR_FORMAT},
        {"02020005", ERR_NOT_CANONICAL},
        {"0202ff80", ERR_NOT_CANONICAL},
        {"0300", ERR_FORMAT},
        {"030101", ERR_FORMAT},
        {"03020880", ERR_FORMAT},
        {"03020781", ERR_NOT_CANONICAL},
        {"050100", ERR_FORMAT},
        {"0600", ERR_FORMAT},
        {"06022a80", ERR_NOT_CANONICAL},
        {"3106020102020101", ERR_NOT_CANONICAL}, /* a set out of order */
        {"3004020100", ERR_TRUNCATED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum err got = der_check(hex(cases[i].hex));
        if (got != cases[i].want) {
            fail_msg("%s: %s, want %s", cases[i].hex, err_name(got), err_name(cases[i].want));
        }
    }
    uint8_t deep[64];
    for (size_t i = 0; i < 32; i++) {
        deep[2 * i] = 0x30;
        deep[2 * i + 1] = (uint8_t)(62 - 2 * i);
    }
    CHECK_ERR(der_check(BYTES_OF(deep)), ERR_DEPTH);
    CHECK_OK(der_check((struct bytes){deep + 16, 48}));
}

/* The table of rules stands in the header; what people read is docs/certificates.md. */
static void each_rule_is_in_the_document(void **state)
{
    (void)state;
    char path[512];
    struct buf text = {0};
    snprintf(path, sizeof path, "%s/../../docs/certificates.md", VECTORS);
    CHECK_OK(file_read(&text, path, 1 << 20, NULL));
    buf_put_byte(&text, 0);
    for (size_t i = 0; i < X509_RULE_COUNT; i++) {
        char row[128];
        snprintf(row, sizeof row, "| `%s` | ", x509_rule_name((enum x509_rule)i));
        const char *at = strstr((const char *)text.at, row);
        if (!at || strncmp(at + strlen(row), x509_rule_source((enum x509_rule)i),
                           strlen(x509_rule_source((enum x509_rule)i))) != 0) {
            fail_msg("docs/certificates.md lacks a row %s%s", row,
                     x509_rule_source((enum x509_rule)i));
        }
    }
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_breaks_the_rule_that_it_names),
        cmocka_unit_test(each_test_of_pkits_without_lists_is_judged_as_nist_does),
        cmocka_unit_test(a_cut_or_longer_certificate_is_refused),
        cmocka_unit_test(no_flipped_bit_is_accepted),
        cmocka_unit_test(a_chain_of_none_and_of_nine_is_refused),
        cmocka_unit_test(names_that_a_server_can_have),
        cmocka_unit_test(chains_and_bundles_are_read_from_pem),
        cmocka_unit_test(der_has_one_encoding),
        cmocka_unit_test(each_rule_is_in_the_document),
    };
    return cmocka_run_group_tests(tests, entries_load, entries_free);
}
