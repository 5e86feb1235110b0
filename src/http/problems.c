#include "http/problems.h"

#include "http/negotiate.h"
#include "http/problem.h"

#include <string.h>

const struct problem_page *problem_page(const char *name)
{
    for (const struct problem_page *page = problem_pages; page->name; page++) {
        if (strcmp(page->name, name) == 0) {
            return page;
        }
    }
    return NULL;
}

/* Browsers ask for HTML; everybody else can read the text. */
static void respond_page(struct exchange *exchange, const struct problem_page *page)
{
    bool html = exchange_choose(exchange, PROBLEM_TYPES) == 1;
    struct buf body = {0};
    buf_put(&body, bytes_text(html ? page->html : page->markdown));
    respond_bytes(exchange, html ? "text/html; charset=utf-8" : "text/markdown; charset=utf-8",
                  &body);
    exchange_response(exchange)->caching = CACHE_REVALIDATE;
    response_header(exchange, "Vary", "Accept");
}

void get_problems(void *context, struct exchange *exchange)
{
    (void)context;
    respond_page(exchange, problem_page(""));
}

void get_problem(void *context, struct exchange *exchange)
{
    (void)context;
    const char *name = exchange_part(exchange, 0);
    const struct problem_page *page = problem_page(name);
    if (page) {
        respond_page(exchange, page);
    } else {
        respond_refusal(exchange, ERR_NOT_FOUND, "problem", name, "GET /problems lists them all.");
    }
}
