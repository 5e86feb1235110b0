#include "http/queries.h"

#include "codec/text.h"
#include "http/access.h"
#include "http/api.h"
#include "http/problem.h"
#include "ledger/members.h"
#include "node/node.h"

#include <string.h>

void get_state(void *context, struct exchange *exchange)
{
    struct buf key = {0};
    struct buf proof = {0};
    struct why why = {0};
    const char *module = exchange_part(exchange, 0);
    const char *text = exchange_part(exchange, 1);
    if (strcmp(module, MEMBER_MODULE) != 0 && !access_reads_all(exchange)) {
        respond_refusal(exchange, ERR_REFUSED, "module", module,
                        "The state of module member is for every member; ask the operator for a "
                        "role that reads everything.");
        return;
    }
    enum err err = hex_append(&key, bytes_text(text));
    if (err != OK) {
        why_say(&why, err, "key", text, NULL, "Give the CBOR encoding of the key in hex.");
    } else {
        err =
            node_prove_state(api_node(context), bytes_text(module), buf_bytes(&key), &proof, &why);
    }
    if (err == OK) {
        respond_bytes(exchange, "application/vnd.cairn.state+cbor", &proof);
    } else {
        respond_problem(exchange, err, &why);
    }
    buf_clear(&key);
    buf_clear(&proof);
}

static bool query_uint(struct exchange *exchange, const char *name, uint64_t *out)
{
    const char *text = exchange_query(exchange, name);
    if (text && text_uint(out, text) == OK) {
        return true;
    }
    respond_refusal(exchange, ERR_FORMAT, name, text, "Give epoch, height and size as numbers.");
    return false;
}

void get_trust_update(void *context, struct exchange *exchange)
{
    uint64_t epoch;
    uint64_t height;
    uint64_t size;
    if (!query_uint(exchange, "epoch", &epoch) || !query_uint(exchange, "height", &height) ||
        !query_uint(exchange, "size", &size)) {
        return;
    }
    struct buf update = {0};
    struct why why = {0};
    enum err err = node_trust_update(api_node(context), epoch, height, size, &update, &why);
    if (err == OK) {
        respond_bytes(exchange, "application/vnd.cairn.trust-update+cbor", &update);
    } else {
        respond_problem(exchange, err, &why);
    }
    buf_clear(&update);
}
