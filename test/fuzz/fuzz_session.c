/* Session statements: one that is read is within its bounds, borrows from the input, and its parts
 * make the same payload again. */
#include "fuzz.h"
#include "mutate.h"
#include "proof/session.h"

const struct fuzz_shape fuzz_shape = {0, false};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session_statement statement;
    struct why why = {0};
    struct buf payload = {0};
    enum err err = session_statement_parse(&statement, (struct bytes){data, size}, &why);
    if (err != OK) {
        BUG_ON(!why.field[0]);
        return 0;
    }
    BUG_ON(size > SESSION_STATEMENT_MAX || !origin_ok(statement.origin));
    BUG_ON(statement.origin.at < data || statement.origin.at + statement.origin.len > data + size);
    BUG_ON(statement.expiry_ms - statement.iat_ms > SESSION_VALID_MAX_MS);
    cbor_put_array(&payload, 7);
    cbor_put_uint(&payload, 1);
    cbor_put_hash(&payload, &statement.chain);
    cbor_put_text(&payload, statement.origin);
    cbor_put_hash(&payload, &statement.kid);
    cbor_put_bytes(&payload, statement.nonce);
    cbor_put_uint(&payload, statement.iat_ms);
    cbor_put_uint(&payload, statement.expiry_ms);
    BUG_ON(!bytes_equal(buf_bytes(&payload), statement.sign1.payload));
    buf_clear(&payload);
    return 0;
}
