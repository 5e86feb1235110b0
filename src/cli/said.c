#include "cli/said.h"

#include "cli/evidence.h"
#include "cli/output.h"
#include "codec/privacy.h"
#include "codec/text.h"

#include <string.h>

enum err said_text(const char *option, const char *text, size_t max, struct why *why)
{
    if (!text[0] || strlen(text) > max) {
        char problem[80];
        snprintf(problem, sizeof problem, "is not 1 to %zu bytes long", max);
        return why_say(why, ERR_RANGE, option, text, problem, NULL);
    }
    return clear_text_check(option, bytes_text(text), why);
}

enum err said_send(const struct signing *signing, const char *content_type,
                   const struct evidence_place *place, struct bytes body, json_t **answer,
                   struct why *why)
{
    char subject[65];
    struct hash id;
    struct buf statement = {0};
    hex_write(subject, hash_bytes(&place->statement));
    struct matter matter = {content_type, subject, body};
    enum err err = signing_sign(signing, &matter, &statement, &id, why);
    if (err == OK) {
        err = statement_post(signing->client, "/v1/statements", "application/cose",
                             buf_bytes(&statement), answer, why);
    }
    buf_clear(&statement);
    return err;
}

static enum err say(const struct args *args, const struct saying *saying, struct signing *signing,
                    json_t **answer, struct why *why)
{
    char option[34];
    const char *text = args_text(args, saying->option);
    snprintf(option, sizeof option, "--%s", saying->option);
    struct evidence_place place;
    TRY(said_text(option, text, saying->max, why));
    TRY(signing_open(signing, args, saying->member_option, why));
    TRY(evidence_place_get(signing->client, args->operands[0], &place, why));
    struct buf body = {0};
    saying->write(&body, &place, bytes_text(text));
    enum err err = said_send(signing, saying->content_type, &place, buf_bytes(&body), answer, why);
    buf_clear(&body);
    return err;
}

int said_do(const struct args *args, const struct saying *saying)
{
    struct why why = {0};
    struct signing signing = {0};
    json_t *answer = NULL;
    enum err err = say(args, saying, &signing, &answer, &why);
    if (err == OK) {
        answer_print(args, answer);
    }
    signing_close(&signing);
    return err == OK ? STATUS_OK : fail(err, &why);
}
