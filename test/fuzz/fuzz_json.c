/* JSON from people and from servers: what becomes CBOR is one sound data item, and a place that is
 * read can be asked for again. Texts that name evidence are told apart without reading beyond
 * them. */
#include "cli/evidence.h"
#include "cli/jsoncbor.h"
#include "codec/cbor.h"
#include "codec/text.h"
#include "fuzz.h"

static void check_cbor(const json_t *json)
{
    struct buf out = {0};
    struct why why = {0};
    if (json_to_cbor(&out, json, &why) == OK) {
        struct cbor_reader reader;
        cbor_init(&reader, buf_bytes(&out));
        (void)cbor_item(&reader);
        BUG_ON(cbor_end(&reader) != OK);
    } else {
        BUG_ON(why.field[0] == '\0');
    }
    buf_clear(&out);
}

static void check_place(const json_t *json)
{
    struct evidence_place place;
    struct why why = {0};
    char text[2 * sizeof place.statement.at + 8];
    if (record_place(&place, json, &why) == OK) {
        hex_write(text, hash_bytes(&place.statement));
        BUG_ON(!evidence_id_is(text));
        snprintf(text + 2 * sizeof place.statement.at, 8, ".%u", place.number);
        BUG_ON(!evidence_id_is(text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text = {0};
    json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (json) {
        check_cbor(json);
        check_place(json);
    }
    json_decref(json);
    buf_put(&text, (struct bytes){data, size});
    buf_put_byte(&text, 0);
    (void)evidence_id_is((const char *)text.at);
    buf_clear(&text);
    return 0;
}
