#include "ledger/submission.h"

#include <stdlib.h>

void submission_free(struct submission *submission)
{
    if (submission != NULL) {
        buf_clear(&submission->entry);
        items_free(submission->items);
        free(submission);
    }
}
