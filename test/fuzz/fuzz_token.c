/* Time-stamp tokens under the roots of the vectors. The first byte says which root is listed; the
 * rest is the token. What the vectors' authorities signed is known: no other time is ever good. */
#include "crypto/timestamp.h"
#include "fuzz.h"
#include "samples.h"

#include "codec/text.h"

#define ENTRIES_MAX 64

static struct buf roots[ENTRIES_MAX];
static size_t root_count;
static struct token good[ENTRIES_MAX];
static size_t good_count;

static struct token check(struct bytes token, unsigned root, const char *message)
{
    struct bytes authority = buf_bytes(&roots[root % root_count]);
    return token_check(token, bytes_text(message), &authority, 1);
}

/* Keeps a root, or what a token that is good under any of the roots says. */
static void keep(bool is_root, struct bytes der)
{
    if (is_root) {
        buf_put(&roots[root_count++], der);
        return;
    }
    for (unsigned i = 0; i < root_count; i++) {
        struct token token = check(der, i, "message");
        if (token.state == TOKEN_GOOD) {
            good[good_count++] = token;
        }
    }
}

/* The roots stand first in the table. */
static void load(void)
{
    struct buf table = {0}, der = {0};
    char *words[2];
    sample_read(&table, "timestamps.txt");
    buf_put_byte(&table, 0);
    char *text = (char *)table.at;
    while (sample_words(&text, words, 2) == 2) {
        der.len = 0;
        BUG_ON(hex_append(&der, bytes_text(words[1])) != OK);
        BUG_ON(root_count == ENTRIES_MAX || good_count + root_count > ENTRIES_MAX);
        keep(strncmp(words[0], "root", 4) == 0, buf_bytes(&der));
    }
    BUG_ON(root_count == 0 || good_count == 0);
    buf_clear(&table);
    buf_clear(&der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    if (root_count == 0) {
        load();
    }
    unsigned root = take_byte(&input);
    struct token token = check(input, root, "message");
    bool known = token.state != TOKEN_GOOD;
    for (size_t i = 0; i < good_count; i++) {
        known = known || good[i].time_ms == token.time_ms;
    }
    BUG_ON(!known || (token.state != TOKEN_GOOD && token.time_ms != 0));
    struct token other = check(input, root, "another message");
    BUG_ON(other.state == TOKEN_GOOD);
    BUG_ON((other.state == TOKEN_MALFORMED) != (token.state == TOKEN_MALFORMED));
    BUG_ON((other.state == TOKEN_UNKNOWN) != (token.state == TOKEN_UNKNOWN));
    struct token nobody = token_check(input, bytes_text("message"), NULL, 0);
    BUG_ON(nobody.state != TOKEN_MALFORMED && nobody.state != TOKEN_UNKNOWN);
    return 0;
}
