/* The pages of docs/problems, one for each `type` of a problem document, and their handlers. */
#ifndef CAIRN_HTTP_PROBLEMS_H
#define CAIRN_HTTP_PROBLEMS_H

#include "http/server.h"

#define PROBLEM_TYPES "text/markdown, text/html"

struct problem_page {
    const char *name; /* "not-found"; "" is the index */
    const char *markdown;
    const char *html;
};
/* Ends with a NULL name. */
extern const struct problem_page problem_pages[];
/* NULL if there is none. */
const struct problem_page *problem_page(const char *name);

route_fn get_problems; /* /problems */
route_fn get_problem;  /* /problems/{name} */

#endif
