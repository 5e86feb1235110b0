#include "http/refusal.h"

#include "http/concise.h"

#include <stdio.h>

#define RETRY_AFTER_S 1

#define REFUSAL_ROW(name, status, type, label, field, problem, remedy) \
    {status, type, label, field, problem, remedy},
static const struct {
    unsigned status;
    const char *type;
    const char *reason;
    const char *field;
    const char *problem;
    const char *remedy;
} rows[] = {REFUSAL_TABLE(REFUSAL_ROW)};

unsigned refusal_status(enum refusal refusal)
{
    return rows[refusal].status;
}

const char *refusal_type(enum refusal refusal)
{
    return rows[refusal].type;
}

unsigned refusal_retry_after_s(enum refusal refusal)
{
    unsigned status = rows[refusal].status;
    return status == 503 || status == 429 ? RETRY_AFTER_S : 0;
}

const char *refusal_reason(enum refusal refusal)
{
    return rows[refusal].reason;
}

void refusal_write(struct buf *out, enum refusal refusal)
{
    char json[640];
    const char *field = rows[refusal].field;
    const char *problem = rows[refusal].problem;
    const char *remedy = rows[refusal].remedy;
    int len = snprintf(json, sizeof json,
                       "{\"type\":\"/problems/%s\",\"title\":\"%s %s\",\"status\":%u,"
                       "\"detail\":\"%s %s. %s\",\"field\":\"%s\",\"problem\":\"%s\","
                       "\"remedy\":\"%s\"}",
                       rows[refusal].type, field, problem, rows[refusal].status, field, problem,
                       remedy, field, problem, remedy);
    BUG_ON(len < 0 || (size_t)len >= sizeof json);
    buf_put(out, (struct bytes){(const uint8_t *)json, (size_t)len});
}

void refusal_write_concise(struct buf *out, enum refusal refusal)
{
    char type[64];
    char title[160];
    char detail[320];
    snprintf(type, sizeof type, "/problems/%s", rows[refusal].type);
    snprintf(title, sizeof title, "%s %s", rows[refusal].field, rows[refusal].problem);
    snprintf(detail, sizeof detail, "%s. %s", title, rows[refusal].remedy);
    concise_write(out, &(struct concise){.status = rows[refusal].status,
                                         .type = type,
                                         .title = title,
                                         .detail = detail,
                                         .field = rows[refusal].field,
                                         .value = "",
                                         .problem = rows[refusal].problem,
                                         .remedy = rows[refusal].remedy});
}
