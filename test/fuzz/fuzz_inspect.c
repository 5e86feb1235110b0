/* What inspection prints: one heading that says that nothing was checked, then whole lines in which
 * nothing moves a cursor or turns the direction of writing, whatever the file holds. */
#include "codec/privacy.h"
#include "fuzz.h"
#include "mutate.h"
#include "proof/inspect.h"

const struct fuzz_shape fuzz_shape = {0, false};

/* A person's number may stand in a file and is shown then; anything else that clear text must not
 * hold is not shown as it is. */
static void check_lines(struct bytes text)
{
    size_t start = 0;
    BUG_ON(text.len == 0 || text.at[text.len - 1] != '\n');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\n') {
            struct bytes line = {text.at + start, i - start};
            BUG_ON(clear_text_check("line", line, NULL) == ERR_FORMAT);
            start = i + 1;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char heading[] = "UNVERIFIED: ";
    struct buf out = {0};
    struct why why = {0};
    buf_put(&out, bytes_text("before\n"));
    size_t before = out.len;
    if (inspect(&out, (struct bytes){data, size}, &why) == OK) {
        struct bytes text = {out.at + before, out.len - before};
        BUG_ON(text.len < sizeof heading || memcmp(text.at, heading, sizeof heading - 1) != 0);
        check_lines(text);
    } else {
        BUG_ON(out.len != before || why.field[0] == '\0');
    }
    buf_clear(&out);
    return 0;
}
