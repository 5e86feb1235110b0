#include "check.h"

#include "base/file.h"
#include "config/config.h"

#include <unistd.h>

static enum err parse(struct config *out, const char *text, struct why *why)
{
    *why = (struct why){0};
    return config_parse(out, bytes_text(text), NULL, why);
}

/* What is wrong with a file of these lines. */
static struct why refused(enum err want, const char *text)
{
    struct config config;
    struct why why;
    enum err err = parse(&config, text, &why);
    config_clear(&config);
    if (err != want) {
        fail_msg("'%s' is %s, want %s (%s %s)", text, err_name(err), err_name(want), why.field,
                 why.problem);
    }
    CHECK(why.field[0] && why.problem[0] && why.remedy[0]);
    return why;
}

static void check_text(const char *got, const char *want)
{
    if (!strstr(got, want)) {
        fail_msg("'%s' lacks '%s'", got, want);
    }
}

static void an_empty_file_leaves_every_default(void **state)
{
    (void)state;
    struct config config;
    struct why why;
    CHECK_OK(parse(&config, "", &why));
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        enum config_number number = (enum config_number)i;
        CHECK(config.origins[i].from == CONFIG_FROM_DEFAULT);
        if (config_count(&config, number) == 0) {
            CHECK(config_keys[i].standard[0] == 0);
            continue;
        }
        struct buf value = {0};
        config_print(&value, &config, number, 0);
        CHECK_BYTES(buf_bytes(&value), bytes_text(config_keys[i].standard));
        buf_clear(&value);
    }
    CHECK_UINT(config.memory, 256 << 20);
    CHECK(strcmp(config.listen, "127.0.0.1:8420") == 0);
    CHECK(config.read == CONFIG_READ_PUBLIC && !config.plain);
    config_clear(&config);
}

static void options_are_the_names_with_hyphens(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s", config_keys[i].name);
        for (char *at = name; *at; at++) {
            *at = *at == '_' ? '-' : *at;
        }
        CHECK(strcmp(name, config_keys[i].option) == 0);
        bool in_seconds = strlen(name) > 2 && strcmp(name + strlen(name) - 2, "-s") == 0;
        CHECK(in_seconds == (config_keys[i].kind == CONFIG_SECONDS));
        CHECK((config_keys[i].value == NULL) == (config_keys[i].kind == CONFIG_SWITCH));
    }
}

static void lines_set_values_and_say_where_they_stand(void **state)
{
    (void)state;
    struct config config;
    struct why why;
    CHECK_OK(parse(&config,
                   "# a comment\n\n  memory=1 GiB\n\tcache = 512MiB \nhttp_threads = 2\n"
                   "log_requests = yes\nlog_format = json\nidle_s = 7\n"
                   "witness = https://a.example a+1+x\nwitness = http://b b+2+y\nread = roles",
                   &why));
    CHECK_UINT(config.memory, 1 << 30);
    CHECK_UINT(config.cache, 512 << 20);
    CHECK_UINT(config.http_threads, 2);
    CHECK_UINT(config.idle_s, 7);
    CHECK(config.log_requests && config.log_format == CONFIG_LOG_JSON);
    CHECK(config.read == CONFIG_READ_ROLES);
    CHECK_UINT(config.witness.count, 2);
    CHECK(strcmp(config.witness.at[1], "http://b b+2+y") == 0);
    CHECK_UINT(config.origins[CONFIG_KEY_memory].line, 3);
    CHECK(config.origins[CONFIG_KEY_memory].from == CONFIG_FROM_FILE);
    CHECK(config.origins[CONFIG_KEY_streams].from == CONFIG_FROM_DEFAULT);
    config_clear(&config);
}

static void a_wrong_line_is_named_with_key_value_and_remedy(void **state)
{
    (void)state;
    struct why why = refused(ERR_NOT_FOUND, "\nmemry = 1 GiB\n");
    check_text(why.field, "cairn.conf line 2");
    check_text(why.value, "memry");
    why = refused(ERR_EXISTS, "idle_s = 7\nidle_s = 8\n");
    check_text(why.field, "line 2");
    check_text(why.problem, "line 1");
    why = refused(ERR_FORMAT, "memory = 256 MB");
    check_text(why.field, "line 1, memory");
    check_text(why.value, "256 MB");
    check_text(why.remedy, "MiB");
    refused(ERR_FORMAT, "memory = 268435456");
    refused(ERR_FORMAT, "memory = much");
    refused(ERR_FORMAT, "memory = -1 MiB");
    refused(ERR_FORMAT, "memory");
    refused(ERR_FORMAT, "memory =");
    refused(ERR_NOT_FOUND, "= 1 MiB");
}

static void values_outside_their_bounds_are_refused(void **state)
{
    (void)state;
    check_text(refused(ERR_RANGE, "memory = 1 MiB").remedy, "from 64 MiB to 1024 GiB");
    refused(ERR_RANGE, "memory = 1025 GiB");
    refused(ERR_RANGE, "memory = 99999999999999999 GiB");
    refused(ERR_FORMAT, "memory = 99999999999999999999 GiB");
    check_text(refused(ERR_RANGE, "connections = 65537").remedy, "from 1 to 65536");
    refused(ERR_RANGE, "idle_s = 0");
    check_text(refused(ERR_FORMAT, "idle_s = 10 s").problem, "seconds");
    refused(ERR_FORMAT, "connections = 1k");
}

static void words_and_switches_take_their_words_only(void **state)
{
    (void)state;
    check_text(refused(ERR_FORMAT, "read = everybody").remedy, "public members roles");
    check_text(refused(ERR_FORMAT, "plain = true").remedy, "no yes");
    refused(ERR_FORMAT, "read = public members");
    refused(ERR_FORMAT, "log_level = Info");
}

static void control_characters_and_long_lines_are_refused(void **state)
{
    (void)state;
    check_text(refused(ERR_FORMAT, "idle_s = 7\r\n").remedy, "Unix line ends");
    refused(ERR_FORMAT, "# \x01");
    refused(ERR_FORMAT, "# \xff");
    struct buf text = {0};
    memset(buf_grow(&text, 9000), '#', 9000);
    struct config config;
    CHECK_ERR(config_parse(&config, buf_bytes(&text), NULL, NULL), ERR_FORMAT);
    config_clear(&config);
    text.at[100] = 0;
    CHECK_ERR(config_parse(&config, (struct bytes){text.at, 200}, NULL, NULL), ERR_FORMAT);
    config_clear(&config);
    buf_clear(&text);
}

static void a_list_has_a_bound(void **state)
{
    (void)state;
    struct buf text = {0};
    for (unsigned i = 0; i <= CONFIG_LIST_MAX; i++) {
        buf_put(&text, bytes_text("witness = http://a a+b\n"));
    }
    struct config config;
    struct why why;
    CHECK_ERR(config_parse(&config, buf_bytes(&text), NULL, &why), ERR_RANGE);
    check_text(why.field, "line 65");
    config_clear(&config);
    buf_clear(&text);
}

static void options_override_the_file(void **state)
{
    (void)state;
    static const struct config_override overrides[] = {{"memory", "128 MiB"},
                                                       {"witness", "https://c c+3+z"},
                                                       {"witness", "https://d d+4+z"},
                                                       {"plain", "yes"},
                                                       {NULL, NULL}};
    struct config config;
    struct why why = {0};
    struct bytes text = bytes_text("memory = 1 GiB\nwitness = https://a a+1+x\nidle_s = 9\n");
    CHECK_OK(config_parse(&config, text, overrides, &why));
    CHECK_UINT(config.memory, 128 << 20);
    CHECK_UINT(config.idle_s, 9);
    CHECK(config.plain);
    CHECK_UINT(config.witness.count, 2);
    CHECK(strcmp(config.witness.at[0], "https://c c+3+z") == 0);
    CHECK(config.origins[CONFIG_KEY_memory].from == CONFIG_FROM_OPTION);
    config_clear(&config);

    static const struct config_override wrong[] = {{"memory", "128"}, {NULL, NULL}};
    CHECK_ERR(config_parse(&config, text, wrong, &why), ERR_FORMAT);
    CHECK(strcmp(why.field, "--memory") == 0);
    config_clear(&config);
}

static void what_values_say_together_is_checked(void **state)
{
    (void)state;
    static const char tls[] = "tls_certificate = a.pem\ntls_key = a.key\n";
    check_text(refused(ERR_REFUSED, "listen = 0.0.0.0:8420").remedy, "tls_certificate");
    check_text(refused(ERR_REFUSED, "listen = 0.0.0.0:8420\nplain = yes").field, "origin");
    check_text(refused(ERR_REFUSED, "tls_key = a.key").field, "tls_certificate");
    check_text(refused(ERR_REFUSED, "tls_certificate = a.pem").field, "tls_key");
    refused(ERR_REFUSED, "tls_client_ca = a.pem");
    char text[300];
    snprintf(text, sizeof text, "%splain = yes\n", tls);
    refused(ERR_REFUSED, text);
    struct config config;
    struct why why;
    snprintf(text, sizeof text, "%sorigin = https://a.example\nlisten = [2001:db8::1]:443\n", tls);
    CHECK_OK(parse(&config, text, &why));
    config_clear(&config);
    CHECK_OK(
        parse(&config, "listen = 0.0.0.0:1\nplain = yes\norigin = https://a.example:8443", &why));
    config_clear(&config);
    refused(ERR_FORMAT, "witness = https://a.example/x");
    refused(ERR_FORMAT, "witness = a.example a+1+x");
}

#define ORG2 "org2 node.org2.example:26656 https://node.org2.example"

static void a_peer_is_a_name_an_address_and_a_url(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "org2",
        "org2 h:1",
        "org2 h:1 http://h x",
        "Org2 h:1 http://h",
        "-org2 h:1 http://h",
        "org2- h:1 http://h",
        "123456789012345678901234567890123 h:1 http://h",
        "org2 h http://h",
        "org2 h: http://h",
        "org2 h:0 http://h",
        "org2 h:65536 http://h",
        "org2 h:1x http://h",
        "org2 :1 http://h",
        "org2 127.1:1 http://h",
        "org2 ::1:1 http://h",
        "org2 [127.0.0.1]:1 http://h",
        "org2 h:1 h",
        "org2 h:1 ftp://h",
        "org2 h:1 http://",
        "org2 h:1 http://h/",
        "org2 h:1 http://h:0",
        "org2 h:1 https://h:99999",
    };
    struct config_peer peer;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct why why = {0};
        CHECK_ERR(config_peer_parse(&peer, bad[i], &why), ERR_FORMAT);
        check_text(why.field, "peer");
    }
    CHECK_OK(config_peer_parse(&peer, "  1-org\t[::1]:26656  https://a-b.example:8443 ", NULL));
    check_text(peer.name, "1-org");
    check_text(peer.address, "[::1]:26656");
    check_text(peer.url, "https://a-b.example:8443");
    CHECK_OK(config_peer_parse(&peer, "o 127.0.0.1:65535 http://[::1]:80", NULL));
}

static void an_engine_listens_where_others_find_it(void **state)
{
    (void)state;
    struct config config;
    struct why why;
    check_text(refused(ERR_REFUSED, "peer = " ORG2).field, "p2p_listen");
    check_text(refused(ERR_FORMAT, "p2p_listen = h:26656").field, "p2p_listen");
    refused(ERR_REFUSED, "p2p_listen = 127.0.0.1:0");
    refused(ERR_EXISTS, "p2p_listen = 127.0.0.1:1\npeer = " ORG2 "\npeer = org2 h:1 http://h");
    refused(ERR_EXISTS, "p2p_listen = 127.0.0.1:1\npeer = " ORG2
                        "\npeer = org3 node.org2.example:26656 http://h");
    refused(ERR_FORMAT, "p2p_listen = 127.0.0.1:1\npeer = org2 h:1 x://h");
    CHECK_OK(parse(&config,
                   "p2p_listen = 0.0.0.0:26656\npeer = " ORG2
                   "\npeer = org3 h:1 http://h\nengine = /usr/bin/cometbft",
                   &why));
    CHECK_UINT(config.peer.count, 2);
    config_clear(&config);
}

static void an_origin_is_a_name(void **state)
{
    (void)state;
    refused(ERR_FORMAT, "origin = http://a.example");
    refused(ERR_FORMAT, "origin = https://a.example:x");
    refused(ERR_FORMAT, "origin = https://a.example:70000");
    refused(ERR_FORMAT, "origin = https://a.example:443/");
    static const char *const hosts[] = {
        "192.0.2.1",   "192.0.2.1:443", "[2001:db8::1]", "",           "a..b", "-a.example",
        "a_b.example", "a.example/",    "127.1",         "a.example.", "a b"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char text[80];
        snprintf(text, sizeof text, "origin = https://%s", hosts[i]);
        refused(ERR_REFUSED, text);
    }
    struct config config;
    struct why why;
    CHECK_OK(parse(&config, "origin = https://a-1.example2", &why));
    config_clear(&config);
}

static void addresses_are_numeric_with_a_port(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "8420",  "localhost:1", "127.0.0.1",     "127.0.0.1:",   "127.0.0.1:+1", "127.0.0.1:65536",
        "[::1]", "::1:80",      "[127.0.0.1]:1", "127.0.0.1:1x", ":80"};
    struct config_listen listen;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_ERR(config_listen_parse(&listen, bad[i], NULL), ERR_FORMAT);
    }
    CHECK_OK(config_listen_parse(&listen, "127.3.2.1:65535", NULL));
    CHECK_UINT(listen.port, 65535);
    CHECK(config_listen_is_loopback(&listen));
    CHECK_OK(config_listen_parse(&listen, "[::1]:0", NULL));
    CHECK(strcmp(listen.address, "::1") == 0 && config_listen_is_loopback(&listen));
    CHECK_OK(config_listen_parse(&listen, "[::]:1", NULL));
    CHECK(!config_listen_is_loopback(&listen));
    CHECK_OK(config_listen_parse(&listen, "128.0.0.1:1", NULL));
    CHECK(!config_listen_is_loopback(&listen));
}

/* What --show prints can be written into a file again. */
static void what_is_printed_is_read_back(void **state)
{
    (void)state;
    struct config config;
    struct config again;
    struct why why;
    CHECK_OK(parse(&config,
                   "memory = 65537 KiB\nbody_rate = 1 B\nlog_to = syslog\nread=members\n"
                   "witness = http://a a+b\nwitness = http://b a+b\nplain = yes\n",
                   &why));
    struct buf text = {0};
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        for (size_t n = 0; n < config_count(&config, (enum config_number)i); n++) {
            buf_put(&text, bytes_text(config_keys[i].name));
            buf_put(&text, bytes_text(" = "));
            config_print(&text, &config, (enum config_number)i, n);
            buf_put_byte(&text, '\n');
        }
    }
    CHECK_OK(config_parse(&again, buf_bytes(&text), NULL, &why));
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        CHECK(config_same(&config, &again, (enum config_number)i));
    }
    config_clear(&again);
    CHECK_OK(parse(&again, "memory = 65538 KiB\nwitness = http://a a+b\n", &why));
    CHECK(!config_same(&config, &again, CONFIG_KEY_memory));
    CHECK(!config_same(&config, &again, CONFIG_KEY_witness));
    CHECK(config_same(&config, &again, CONFIG_KEY_idle_s));
    config_clear(&again);
    config_clear(&config);
    buf_clear(&text);
}

/* Every truncation is read or refused with a reason, and nothing else happens. */
static void every_truncation_has_an_answer(void **state)
{
    (void)state;
    struct bytes whole =
        bytes_text("# x\nlisten = 127.0.0.1:1\nmemory = 128 MiB\nread = roles\nidle_s = 33\n");
    for (size_t len = 0; len <= whole.len; len++) {
        struct config config;
        struct why why = {0};
        enum err err = config_parse(&config, (struct bytes){whole.at, len}, NULL, &why);
        CHECK(err == OK || (why.field[0] && why.problem[0] && why.remedy[0]));
        config_clear(&config);
    }
}

static void the_sample_is_a_file_without_settings_that_names_all(void **state)
{
    (void)state;
    struct buf text = {0};
    config_write_sample(&text);
    buf_put_byte(&text, 0);
    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        char line[80];
        snprintf(line, sizeof line, "\n#%s = ", config_keys[i].name);
        check_text((char *)text.at, line);
    }
    struct config config;
    CHECK_OK(config_parse(&config, (struct bytes){text.at, text.len - 1}, NULL, NULL));
    config_clear(&config);
    buf_clear(&text);
}

static void a_folder_without_a_file_has_defaults(void **state)
{
    (void)state;
    char dir[] = "/tmp/test-config-XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    struct config config;
    struct why why;
    CHECK_OK(config_load(&config, dir, NULL, &why));
    config_clear(&config);
    char *path = path_join(dir, CONFIG_FILE);
    CHECK_OK(file_write(path, bytes_text("idle_s = 5\n"), 0644, &why));
    CHECK_OK(config_load(&config, dir, NULL, &why));
    CHECK_UINT(config.idle_s, 5);
    config_clear(&config);
    struct buf long_text = {0};
    memset(buf_grow(&long_text, CONFIG_FILE_MAX + 1), '\n', CONFIG_FILE_MAX + 1);
    CHECK_OK(file_write(path, buf_bytes(&long_text), 0644, &why));
    CHECK_ERR(config_load(&config, dir, NULL, &why), ERR_RANGE);
    config_clear(&config);
    buf_clear(&long_text);
    CHECK(unlink(path) == 0 && rmdir(dir) == 0);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_leaves_every_default),
        cmocka_unit_test(options_are_the_names_with_hyphens),
        cmocka_unit_test(lines_set_values_and_say_where_they_stand),
        cmocka_unit_test(a_wrong_line_is_named_with_key_value_and_remedy),
        cmocka_unit_test(values_outside_their_bounds_are_refused),
        cmocka_unit_test(words_and_switches_take_their_words_only),
        cmocka_unit_test(control_characters_and_long_lines_are_refused),
        cmocka_unit_test(a_list_has_a_bound),
        cmocka_unit_test(options_override_the_file),
        cmocka_unit_test(what_values_say_together_is_checked),
        cmocka_unit_test(a_peer_is_a_name_an_address_and_a_url),
        cmocka_unit_test(an_engine_listens_where_others_find_it),
        cmocka_unit_test(an_origin_is_a_name),
        cmocka_unit_test(addresses_are_numeric_with_a_port),
        cmocka_unit_test(what_is_printed_is_read_back),
        cmocka_unit_test(every_truncation_has_an_answer),
        cmocka_unit_test(the_sample_is_a_file_without_settings_that_names_all),
        cmocka_unit_test(a_folder_without_a_file_has_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
