/* Problem documents in CBOR (RFC 9290). */
#include "check.h"

#include "codec/cbor.h"
#include "http/concise.h"

static void only_the_paths_of_scrapi_have_them(void **state)
{
    (void)state;
    CHECK(concise_path("/entries"));
    CHECK(concise_path("/entries/00"));
    CHECK(concise_path("/.well-known/scitt-keys"));
    CHECK(concise_path("/.well-known/scitt-keys/aa"));
    CHECK(!concise_path("/entries2"));
    CHECK(!concise_path("/.well-known"));
    CHECK(!concise_path("/v1/entries"));
    CHECK(!concise_path("/"));
}

static void a_document_has_title_detail_and_what_http_adds(void **state)
{
    (void)state;
    struct buf out = {0};
    concise_write(&out, &(struct concise){.status = 404,
                                          .type = "/t",
                                          .title = "T",
                                          .detail = "D",
                                          .field = "id",
                                          .value = "\xff",
                                          .problem = "P",
                                          .remedy = ""});
    CHECK_BYTES(buf_bytes(&out),
                hex("a3"
                    "191e7f" /* 7807 */
                    "a5"
                    "00622f74"                           /* type */
                    "01190194"                           /* status */
                    "656669656c64626964"                 /* field */
                    "6576616c75656a286e6f74207465787429" /* value, which is no text */
                    "6770726f626c656d6150"               /* problem */
                    "206154"                             /* title */
                    "216144"));                          /* detail */
    struct cbor_reader reader;
    cbor_init(&reader, buf_bytes(&out));
    cbor_item(&reader);
    CHECK_OK(cbor_end(&reader));
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_paths_of_scrapi_have_them),
        cmocka_unit_test(a_document_has_title_detail_and_what_http_adds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
