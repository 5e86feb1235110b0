/* COSE_Sign1: what is read is written again to the same bytes (strict) or to the same members
 * (foreign), all members lie inside the input, and what is signed is itself sound CBOR. */
#include "codec/cose.h"
#include "fuzz.h"
#include "mutate.h"

const struct fuzz_shape fuzz_shape = {0, false};

static void check_inside(struct bytes member, struct bytes input)
{
    BUG_ON(member.len > input.len);
    BUG_ON(member.len > 0 &&
           (member.at < input.at || member.at + member.len > input.at + input.len));
}

static void check_members(const struct sign1 *sign1, struct bytes input)
{
    check_inside(sign1->protected, input);
    check_inside(sign1->unprotected, input);
    check_inside(sign1->payload, input);
    check_inside(sign1->signature, input);
    BUG_ON(sign1->unprotected.len == 0 || sign1->signature.len > 1024);
    BUG_ON(sign1->detached && sign1->payload.len > 0);
}

static void check_same(const struct sign1 *a, const struct sign1 *b)
{
    BUG_ON(!bytes_equal(a->protected, b->protected));
    BUG_ON(!bytes_equal(a->unprotected, b->unprotected));
    BUG_ON(!bytes_equal(a->payload, b->payload));
    BUG_ON(!bytes_equal(a->signature, b->signature));
    BUG_ON(a->detached != b->detached);
}

static void check_signed_bytes(const struct sign1 *sign1)
{
    struct buf out = {0};
    sig_structure_write(&out, sign1->protected, sign1->payload);
    struct cbor_reader reader;
    cbor_init(&reader, buf_bytes(&out));
    (void)cbor_array(&reader, 4, 4);
    BUG_ON(!bytes_equal(cbor_text(&reader, 0, SIZE_MAX), bytes_text("Signature1")));
    struct bytes protected = cbor_bytes(&reader, 0, SIZE_MAX);
    BUG_ON(sign1->protected.len > 1 && !bytes_equal(protected, sign1->protected));
    BUG_ON(cbor_bytes(&reader, 0, 0).len != 0);
    BUG_ON(!bytes_equal(cbor_bytes(&reader, 0, SIZE_MAX), sign1->payload));
    BUG_ON(cbor_end(&reader) != OK);
    buf_clear(&out);
}

static void check_strict(struct bytes input)
{
    struct sign1 first, whole;
    struct bytes rest;
    enum err err = sign1_parse_first(&first, input, &rest);
    struct bytes head = {input.at, input.len - rest.len};
    BUG_ON(sign1_parse(&whole, input) != (err == OK && rest.len > 0 ? ERR_TRAILING : err));
    if (err != OK) {
        BUG_ON(rest.len != 0);
        return;
    }
    check_members(&first, head);
    check_signed_bytes(&first);
    struct buf out = {0};
    sign1_write(&out, &first);
    BUG_ON(!bytes_equal(buf_bytes(&out), head));
    buf_clear(&out);
}

static void check_foreign(struct bytes input)
{
    struct sign1 strict, read, again;
    enum err err = sign1_parse_foreign(&read, input);
    bool is_strict = sign1_parse(&strict, input) == OK;
    BUG_ON(is_strict && err != OK && err != ERR_RANGE);
    if (err != OK) {
        return;
    }
    check_members(&read, input);
    check_signed_bytes(&read);
    if (is_strict) {
        check_same(&strict, &read);
    }
    struct buf out = {0};
    sign1_write(&out, &read);
    BUG_ON(sign1_parse_foreign(&again, buf_bytes(&out)) != OK);
    check_same(&read, &again);
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_strict((struct bytes){data, size});
    check_foreign((struct bytes){data, size});
    return 0;
}
