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

void submissions_clear(struct submissions *submissions)
{
    for (size_t i = 0; i < submissions->count; i++) {
        submission_free(submissions->at[i]);
    }
    free(submissions->at);
    *submissions = (struct submissions){0};
}
