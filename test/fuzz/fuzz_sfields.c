/* Structured fields: a dictionary that is read is written in one way, which reads back to the same;
 * what borrows, borrows from the input. The same bytes are also taken as a message signature's
 * fields, cut at the first line feed. */
#include "codec/msgsig.h"
#include "fuzz.h"

#include <string.h>

static void check_inside(struct bytes text, struct bytes input)
{
    BUG_ON(text.len > 0 && (text.at < input.at || text.at + text.len > input.at + input.len));
}

static unsigned check_nodes(const struct sf_node *first, struct bytes input)
{
    unsigned count = 0;
    for (const struct sf_node *node = first; node; node = node->next) {
        check_inside(node->key, input);
        check_inside(node->text, input);
        BUG_ON(node->items && node->type != SF_LIST);
        count += 1 + check_nodes(node->items, input) + check_nodes(node->params, input);
    }
    return count;
}

static void write_all(struct buf *out, const struct sf_dictionary *dictionary)
{
    for (const struct sf_node *node = dictionary->members; node; node = node->next) {
        buf_put(out, node->key);
        buf_put_byte(out, '=');
        sf_write(out, node);
        if (node->next) {
            buf_put_byte(out, ',');
        }
    }
}

static void check_dictionary(struct bytes input)
{
    struct sf_dictionary read;
    struct sf_dictionary again;
    struct buf once = {0};
    struct buf twice = {0};
    if (sf_dictionary_parse(&read, input) != OK) {
        BUG_ON(read.members != NULL && input.len <= SF_LEN_MAX);
        return;
    }
    BUG_ON(check_nodes(read.members, input) != read.count);
    write_all(&once, &read);
    /* Booleans are written out here, which may make it longer than a field may be. */
    if (once.len <= SF_LEN_MAX) {
        BUG_ON(sf_dictionary_parse(&again, buf_bytes(&once)) != OK);
        BUG_ON(again.count != read.count);
        write_all(&twice, &again);
        BUG_ON(!bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
    }
    buf_clear(&once);
    buf_clear(&twice);
}

static void check_signature(struct bytes input)
{
    struct request_signature signature;
    struct why why = {0};
    const uint8_t *end = input.len ? memchr(input.at, '\n', input.len) : NULL;
    struct bytes first = {input.at, end ? (size_t)(end - input.at) : input.len};
    struct bytes second = {end ? end + 1 : NULL, end ? input.len - first.len - 1 : 0};
    enum err err = request_signature_parse(&signature, SIGNED_BY_MEMBER, first, second, &why);
    BUG_ON(err != OK && !why.field[0]);
    if (err == OK) {
        BUG_ON(signature.nonce.len == 0 || signature.nonce.len > MSGSIG_NONCE_MAX);
        BUG_ON(second.len == 0);
        check_inside(signature.nonce, first);
    }
    struct answer_signature answer;
    err = answer_signature_parse(&answer, first, second, &why);
    BUG_ON(err != OK && !why.field[0]);
    BUG_ON(err == OK && second.len == 0);
    err = content_digest_check(first, second, &why);
    BUG_ON(err == OK && first.len < 44);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_dictionary((struct bytes){data, size});
    check_signature((struct bytes){data, size});
    return 0;
}
