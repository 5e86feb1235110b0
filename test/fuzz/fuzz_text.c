/* hex, base64, base64url: bytes come back from their text, and a text that is taken is the one text
 * of its bytes (hex: up to case). The first byte says which of them. */
#include "codec/text.h"
#include "fuzz.h"

struct kind {
    void (*put)(struct buf *out, struct bytes in);
    enum err (*append)(struct buf *out, struct bytes text);
};

static const struct kind kinds[] = {
    {hex_put, hex_append}, {base64_put, base64_append}, {base64url_put, base64url_append}};

static void check_bytes(const struct kind *kind, struct bytes in)
{
    struct buf text = {0}, back = {0};
    kind->put(&text, in);
    BUG_ON(kind->append(&back, buf_bytes(&text)) != OK);
    BUG_ON(!bytes_equal(buf_bytes(&back), in));
    buf_clear(&text);
    buf_clear(&back);
}

static void check_text(const struct kind *kind, struct bytes text)
{
    struct buf bytes = {0}, again = {0};
    enum err err = kind->append(&bytes, text);
    BUG_ON(err != OK && (err != ERR_FORMAT || bytes.len != 0));
    if (err == OK) {
        kind->put(&again, buf_bytes(&bytes));
        BUG_ON(again.len != text.len);
        for (size_t i = 0; i < text.len; i++) {
            bool upper = text.at[i] >= 'A' && text.at[i] <= 'F' && kind->put == hex_put;
            BUG_ON(again.at[i] != text.at[i] + (upper ? 32 : 0));
        }
    }
    buf_clear(&bytes);
    buf_clear(&again);
}

/* hex_read agrees with hex_append. */
static void check_fixed(struct bytes text)
{
    struct buf bytes = {0};
    uint8_t fixed[16];
    enum err err = hex_append(&bytes, text);
    enum err fixed_err = hex_read(fixed, sizeof fixed, text);
    BUG_ON(fixed_err == OK && !bytes_equal(buf_bytes(&bytes), BYTES_OF(fixed)));
    BUG_ON(err == OK && (fixed_err == OK) != (bytes.len == sizeof fixed));
    buf_clear(&bytes);
}

static void check_digit(char digit)
{
    int value = crockford_value(digit);
    BUG_ON(value < -1 || value > 31);
    BUG_ON(value >= 0 && crockford_value(crockford_digit((unsigned)value)) != value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const struct kind *kind = &kinds[data[0] % 3];
    struct bytes input = {data + 1, size - 1};
    check_bytes(kind, input);
    check_text(kind, input);
    check_fixed(input);
    check_digit((char)data[0]);
    return 0;
}
