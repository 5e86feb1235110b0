#include "http/route.h"

#include <stdio.h>
#include <string.h>

/* Where the parts of a path begin that braces took. */
struct cuts {
    unsigned count;
    size_t at[ROUTE_PARTS_MAX];
    size_t len[ROUTE_PARTS_MAX];
};

static bool matches(struct cuts *cuts, const char *pattern, const char *path)
{
    const char *at = path;
    cuts->count = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *at++) {
                return false;
            }
            continue;
        }
        const char *end = strchr(pattern, '}');
        size_t len = end[-1] == '.' ? strlen(at) : strcspn(at, "/");
        if (len == 0 || cuts->count == ROUTE_PARTS_MAX) {
            return false;
        }
        cuts->at[cuts->count] = (size_t)(at - path);
        cuts->len[cuts->count++] = len;
        pattern = end + 1;
        at += len;
    }
    return *at == '\0';
}

/* Adds a method to those that the path has, and HEAD to GET. */
static void allow(struct route_match *out, const char *method)
{
    size_t len = strlen(out->allow);
    snprintf(out->allow + len, sizeof out->allow - len, "%s%s%s", len ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

static void cut(struct route_match *out, const struct cuts *cuts, char *path)
{
    for (unsigned i = 0; i < cuts->count; i++) {
        path[cuts->at[i] + cuts->len[i]] = '\0';
        out->parts[i] = path + cuts->at[i];
    }
}

void route_find(struct route_match *out, const struct route *routes, const char *method, char *path)
{
    struct cuts cuts;
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    *out = (struct route_match){0};
    for (const struct route *route = routes; route->method; route++) {
        if (!matches(&cuts, route->pattern, path)) {
            continue;
        }
        if (strcmp(route->method, wanted) == 0) {
            out->route = route;
            cut(out, &cuts, path);
            return;
        }
        allow(out, route->method);
    }
    if (out->allow[0]) {
        allow(out, "OPTIONS");
    }
}
