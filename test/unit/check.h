/* Checks that know the project's types: a failure prints the call, what it gave and what was
 * wanted. Every test file includes this one header. */
#ifndef CAIRN_TEST_CHECK_H
#define CAIRN_TEST_CHECK_H

#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHECK_ERR(call, want)                                                                    \
    do {                                                                                         \
        enum err check_got = (call);                                                             \
        enum err check_want = (want);                                                            \
        if (check_got != check_want) {                                                           \
            fail_msg("%s:%d: %s is %s, want %s", __FILE__, __LINE__, #call, err_name(check_got), \
                     err_name(check_want));                                                      \
        }                                                                                        \
    } while (0)

#define CHECK_OK(call) CHECK_ERR(call, OK)

#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            fail_msg("%s:%d: %s does not hold", __FILE__, __LINE__, #condition); \
        }                                                                        \
    } while (0)

#define CHECK_UINT(got, want)                                                             \
    do {                                                                                  \
        unsigned long long check_got = (unsigned long long)(got);                         \
        unsigned long long check_want = (unsigned long long)(want);                       \
        if (check_got != check_want) {                                                    \
            fail_msg("%s:%d: %s is %llu, want %llu", __FILE__, __LINE__, #got, check_got, \
                     check_want);                                                         \
        }                                                                                 \
    } while (0)

#define CHECK_BYTES(got, want)                                       \
    do {                                                             \
        struct bytes check_got = (got);                              \
        struct bytes check_want = (want);                            \
        if (!bytes_equal(check_got, check_want)) {                   \
            fputs("got  ", stderr);                                  \
            check_print(check_got);                                  \
            fputs("want ", stderr);                                  \
            check_print(check_want);                                 \
            fail_msg("%s:%d: %s differs", __FILE__, __LINE__, #got); \
        }                                                            \
    } while (0)

static inline void check_print(struct bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        fprintf(stderr, "%02x", bytes.at[i]);
    }
    fputc('\n', stderr);
}

/* The bytes of a hex literal, in static memory of a few slots: fit for one expression. */
static inline struct bytes hex(const char *text)
{
    static uint8_t slots[8][4096];
    static unsigned next;
    uint8_t *out = slots[next++ % 8];
    size_t len = strlen(text) / 2;
    BUG_ON(len > sizeof slots[0] || strlen(text) % 2 != 0);
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        BUG_ON(sscanf(text + 2 * i, "%2x", &byte) != 1);
        out[i] = (uint8_t)byte;
    }
    return (struct bytes){out, len};
}

#endif
