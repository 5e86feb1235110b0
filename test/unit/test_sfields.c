/* Structured fields: what the grammar of RFC 8941 takes and refuses, and how it is written again.
 */
#include "check.h"

#include "codec/sfields.h"

static enum err parse(struct sf_dictionary *out, const char *text)
{
    return sf_dictionary_parse(out, bytes_text(text));
}

/* The whole dictionary as section 4.1.2 serialises it. */
static void print(struct buf *out, const struct sf_dictionary *dictionary)
{
    for (const struct sf_node *node = dictionary->members; node; node = node->next) {
        buf_put(out, node->key);
        if (node->type != SF_BOOLEAN || !node->number) {
            buf_put_byte(out, '=');
            sf_write(out, node);
        } else {
            struct buf with_value = {0};
            sf_write(&with_value, node);
            buf_put(out, (struct bytes){with_value.at + 2, with_value.len - 2});
            buf_clear(&with_value);
        }
        if (node->next) {
            buf_put(out, bytes_text(", "));
        }
    }
}

static void what_the_grammar_allows_is_read_and_written_in_one_way(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", ""},
        {"  ", ""},
        {"en=\"Applepie\", da=:w4ZibGV0w6ZydGU=:", NULL},
        {"a=?0, b, c; foo=bar", "a=?0, b, c;foo=bar"},
        {"rating=1.5, feelings=(joy sadness)", NULL},
        {"a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid", NULL},
        {"foo=1, bar=2", NULL},
        {"a=1\t ,\t b=2 ", "a=1, b=2"},
        {"a=( \"x\"  \"y\";p );q", "a=(\"x\" \"y\";p);q"},
        {"a=()", NULL},
        {"*a.b-c_d=-999999999999999", NULL},
        {"a=00042, b=-0, c=0.50, d=007.100, e=1.0", "a=42, b=0, c=0.5, d=7.1, e=1.0"},
        {"a=\"q\\\"b\\\\\"", NULL},
        {"a=*tok/en:x, b=T!#$%&'*+-.^_`|~:/", NULL},
        {"a=::", NULL},
        {"a;x;y=?0;z=?1", "a;x;y=?0;z"},
        {"a=?1;b", "a;b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sf_dictionary dictionary;
        struct buf text = {0};
        CHECK_OK(parse(&dictionary, rows[i][0]));
        print(&text, &dictionary);
        CHECK_BYTES(buf_bytes(&text), bytes_text(rows[i][rows[i][1] != NULL]));
        buf_clear(&text);
    }
}

static void what_the_grammar_does_not_allow_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "a=1,",
        "a=1, ",
        ",a=1",
        "a=1,,b=2",
        "a=1 b=2",
        "A=1",
        "1=1",
        "=1",
        "a=",
        "a=,b=1",
        "a= 1",
        "a =1",
        "\ta=1",
        "a=1;",
        "a=1;A=1",
        "a=1; =1",
        "a=1;b=",
        "a=1;b=(1)",
        "a=(1",
        "a=(1)(2)",
        "a=(1,2)",
        "a=(1\t2)",
        "a=(1 (2))",
        "a=(\"x\"\"y\")",
        "a=\"x",
        "a=\"\\x\"",
        "a=\"\\",
        "a=\"\x7f\"",
        "a=\"\x1f\"",
        "a=\"\xc3\xa4\"",
        "a=:x",
        "a=:x:",
        "a=:eA:",
        "a=:eB==:",
        "a=: eA==:",
        "a=?2",
        "a=?",
        "a=-",
        "a=--1",
        "a=1.",
        "a=1.1234",
        "a=.5",
        "a=1234567890123456",
        "a=1234567890123.1",
        "a=1e5",
        "a=@5",
        "a={}",
        "a=1;b c",
        "a\n=1",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sf_dictionary dictionary;
        enum err err = parse(&dictionary, rows[i]);
        if (err != ERR_FORMAT) {
            fail_msg("%s is %s", rows[i], err_name(err));
        }
        CHECK(dictionary.members == NULL);
    }
}

static void a_key_stands_once(void **state)
{
    (void)state;
    struct sf_dictionary dictionary;
    CHECK_ERR(parse(&dictionary, "a=1, b=2, a=3"), ERR_EXISTS);
    CHECK_ERR(parse(&dictionary, "a;x=1;x=2"), ERR_EXISTS);
    CHECK_OK(parse(&dictionary, "a;x=1, b;x=2"));
}

static void input_is_bounded(void **state)
{
    (void)state;
    struct sf_dictionary dictionary;
    struct buf text = {0};
    buf_put(&text, bytes_text("a=(1"));
    for (unsigned i = 0; i < SF_NODES_MAX - 2; i++) {
        buf_put(&text, bytes_text(" 1"));
    }
    size_t fits = text.len;
    buf_put_byte(&text, ')');
    CHECK_OK(sf_dictionary_parse(&dictionary, buf_bytes(&text)));
    text.len = fits;
    buf_put(&text, bytes_text(" 1)"));
    CHECK_ERR(sf_dictionary_parse(&dictionary, buf_bytes(&text)), ERR_RANGE);
    text.len = fits;
    buf_put(&text, bytes_text(";p)"));
    CHECK_ERR(sf_dictionary_parse(&dictionary, buf_bytes(&text)), ERR_RANGE);
    text.len = fits;
    buf_put(&text, bytes_text("), b"));
    CHECK_ERR(sf_dictionary_parse(&dictionary, buf_bytes(&text)), ERR_RANGE);
    text.len = 0;
    memset(buf_grow(&text, SF_LEN_MAX), ' ', SF_LEN_MAX);
    CHECK_OK(sf_dictionary_parse(&dictionary, buf_bytes(&text)));
    buf_put_byte(&text, ' ');
    CHECK_ERR(sf_dictionary_parse(&dictionary, buf_bytes(&text)), ERR_RANGE);
    buf_clear(&text);
}

static void values_are_found_by_their_keys(void **state)
{
    (void)state;
    struct sf_dictionary dictionary;
    struct buf bytes = {0};
    CHECK_OK(parse(&dictionary, "a=:AQI=:;n=-7;s=\"text\";t=token, b=(\"x\" y)"));
    const struct sf_node *a = sf_find(dictionary.members, "a");
    CHECK(a != NULL && sf_find(dictionary.members, "c") == NULL);
    CHECK_OK(sf_bytes_append(&bytes, a));
    CHECK_BYTES(buf_bytes(&bytes), hex("0102"));
    CHECK(sf_find(a->params, "n")->number == -7);
    CHECK(sf_is(sf_find(a->params, "s"), "text"));
    CHECK(!sf_is(sf_find(a->params, "s"), "tex") && !sf_is(sf_find(a->params, "t"), "token"));
    CHECK(!sf_is(NULL, "text"));
    const struct sf_node *b = sf_find(dictionary.members, "b");
    CHECK_ERR(sf_bytes_append(&bytes, b), ERR_TYPE);
    CHECK(b->type == SF_LIST && sf_is(b->items, "x") && b->items->next->type == SF_TOKEN);
    CHECK(b->items->next->next == NULL);
    buf_clear(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_grammar_allows_is_read_and_written_in_one_way),
        cmocka_unit_test(what_the_grammar_does_not_allow_is_refused),
        cmocka_unit_test(a_key_stands_once),
        cmocka_unit_test(input_is_bounded),
        cmocka_unit_test(values_are_found_by_their_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
