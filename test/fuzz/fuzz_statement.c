/* Statements of ours and of other tools: what is taken writes the same entry again. */
#include "fuzz.h"
#include "proof/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    struct statement statement;
    struct hash id;
    struct hash kid = {0};
    struct bytes module;
    struct bytes action;
    struct buf out = {0};
    if (statement_parse(&statement, input, NULL) == OK) {
        statement_id(&id, &statement, &kid);
        BUG_ON(!statement.foreign && !statement_action(&statement, &module, &action));
        statement_entry(&out, &statement);
        BUG_ON(statement_parse(&statement, buf_bytes(&out), NULL) != OK);
    }
    buf_clear(&out);
    return 0;
}
