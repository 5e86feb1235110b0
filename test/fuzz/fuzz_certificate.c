/* Chains as a peer sends them, and PEM files: whatever the bytes are, the judgement ends, and what
 * is not good has a rule's name. The first byte says which of them; of a chain each certificate
 * follows its length. The anchor is the root of the test vectors. */
#include "crypto/der.h"
#include "crypto/x509.h"
#include "fuzz.h"
#include "samples_x509.h"

#define TIME_MS 1767225600000u /* 2026-01-01 */

static bool is_rule(const char *name)
{
    for (unsigned i = 0; i < X509_RULE_COUNT; i++) {
        if (strcmp(name, x509_rule_name((enum x509_rule)i)) == 0) {
            return true;
        }
    }
    return false;
}

static struct x509_anchors *root(void)
{
    static struct x509_anchors *anchors;
    if (!anchors) {
        anchors = x509_anchors_new();
        enum err err = x509_anchors_add(anchors, BYTES_OF(x509_sample_root), NULL);
        BUG_ON(err != OK);
    }
    return anchors;
}

static void check_chain(struct bytes rest, enum x509_purpose purpose)
{
    struct bytes chain[X509_CHAIN_MAX + 1];
    struct x509_request request = {
        .chain_der = chain,
        .anchors = root(),
        .name = purpose == X509_SERVER ? "court.example" : NULL,
        .purpose = purpose,
        .time_ms = TIME_MS,
    };
    while (rest.len > 0 && request.chain_count <= X509_CHAIN_MAX) {
        chain[request.chain_count++] = take_block(&rest);
    }
    struct why why = {0};
    enum err err = x509_judge(&request, &why);
    BUG_ON(err != OK && !is_rule(why.field));
    BUG_ON(err == OK && der_check(chain[0]) != OK);
    BUG_ON(x509_judge(&request, NULL) != err);
}

static void check_pem(struct bytes pem)
{
    struct x509_chain chain;
    struct why why = {0};
    enum err err = x509_chain_read(&chain, pem, &why);
    BUG_ON((err == OK) != (chain.count > 0 && why.field[0] == '\0'));
    x509_chain_clear(&chain);
    struct x509_anchors *anchors = x509_anchors_new();
    err = x509_anchors_add_pem(anchors, pem, NULL);
    BUG_ON(err == OK && x509_anchors_count(anchors) == 0);
    x509_anchors_free(anchors);
}

static void check_name(struct bytes input)
{
    struct buf text = {0};
    buf_put(&text, input);
    buf_put_byte(&text, 0);
    const char *name = (const char *)text.at;
    if (x509_reference_check(name, NULL) == OK) {
        BUG_ON(strlen(name) > 253 || strpbrk(name, "*:/@ _") != NULL);
    }
    buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    switch (take_byte(&input) % 5) {
    case 0:
        check_chain(input, X509_SERVER);
        break;
    case 1:
        check_chain(input, X509_CLIENT);
        break;
    case 2:
        check_pem(input);
        break;
    case 3:
        check_name(input);
        break;
    default:
        if (der_check(input) == OK) {
            check_whole_only(der_check, input);
        }
    }
    return 0;
}
