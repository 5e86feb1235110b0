#include "check.h"
#include "cli/bench/wire.h"

#include <stdlib.h>
#include <string.h>

static const char reply_text[] = "HTTP/1.1 201 Created\r\n"
                                 "Connection: Keep-Alive\r\n"
                                 "content-length: 7\r\n"
                                 "\r\n"
                                 "answers";

static void a_reply_is_read_with_its_body(void **state)
{
    (void)state;
    struct wire_reply reply;
    CHECK_OK(wire_parse(&reply, bytes_text(reply_text)));
    CHECK_UINT(reply.status, 201);
    CHECK_BYTES(reply.body, bytes_text("answers"));
}

static void a_reply_is_awaited_to_its_last_byte(void **state)
{
    (void)state;
    struct wire_reply reply;
    for (size_t len = 0; len < strlen(reply_text); len++) {
        struct bytes part = {(const uint8_t *)reply_text, len};
        CHECK_ERR(wire_parse(&reply, part), ERR_TRUNCATED);
    }
}

static void a_reply_without_a_length_is_refused(void **state)
{
    (void)state;
    struct wire_reply reply;
    CHECK_ERR(wire_parse(&reply, bytes_text("HTTP/1.1 200 OK\r\nX-Length: 1\r\n\r\n")), ERR_FORMAT);
    CHECK_ERR(wire_parse(&reply, bytes_text("SMTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
              ERR_FORMAT);
}

static void endless_headers_are_refused(void **state)
{
    (void)state;
    struct wire_reply reply;
    uint8_t bytes[5000];
    memset(bytes, 'a', sizeof bytes);
    CHECK_ERR(wire_parse(&reply, BYTES_OF(bytes)), ERR_FORMAT);
}

static void requests_have_a_head_of_their_kind(void **state)
{
    (void)state;
    struct buf head = {0};
    wire_head(&head, "/v1/ledger", NULL, 0);
    CHECK_BYTES(buf_bytes(&head), bytes_text("GET /v1/ledger HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    head.len = 0;
    wire_head(&head, "/echo", "text/plain", 12);
    CHECK_BYTES(buf_bytes(&head), bytes_text("POST /echo HTTP/1.1\r\nHost: localhost\r\n"
                                             "Content-Type: text/plain\r\n"
                                             "Content-Length: 12\r\n\r\n"));
    buf_clear(&head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_is_read_with_its_body),
        cmocka_unit_test(a_reply_is_awaited_to_its_last_byte),
        cmocka_unit_test(a_reply_without_a_length_is_refused),
        cmocka_unit_test(endless_headers_are_refused),
        cmocka_unit_test(requests_have_a_head_of_their_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
