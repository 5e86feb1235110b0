/* Numbers in clear text: what is found stays found behind and before other text, and a refusal
 * never repeats it. */
#include "codec/privacy.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    enum private_kind kind = private_find(input);
    struct buf longer = {0};
    struct why why = {0};
    buf_put(&longer, bytes_text("see: "));
    buf_put(&longer, input);
    buf_put(&longer, bytes_text(" (copy)"));
    BUG_ON(kind != PRIVATE_NONE && private_find(buf_bytes(&longer)) != kind);
    buf_clear(&longer);
    enum err err = clear_text_check("field", input, &why);
    BUG_ON(kind != PRIVATE_NONE && err == OK);
    BUG_ON(err != OK && (why.value[0] != '\0' || strcmp(why.field, "field") != 0));
    return 0;
}
