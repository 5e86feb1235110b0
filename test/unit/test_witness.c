/* What is said to a witness and what is believed of its answers. */
#include "check.h"
#include "fresh_signer.h"

#include "codec/text.h"
#include "service/witness/ask.h"
#include "service/witness/witness.h"

#define CHECKPOINT "court/0123456789abcdef/0\n7\nAAAA\n"
#define SECONDS    1700000003u

static struct note_key key_of(const struct signer *signer, const char *name, enum note_type type)
{
    struct note_key key;
    CHECK_OK(note_key_of(&key, bytes_text(name), type, signer_pubkey(signer)));
    return key;
}

/* Appends the line of a witness over `text`. */
static void cosign(struct buf *out, const struct signer *signer, const struct note_key *key,
                   const char *text)
{
    struct buf message = {0};
    uint8_t blob[4 + 8 + 64];
    buf_put(&message, bytes_text("cosignature/v1\ntime 1700000003\n"));
    buf_put(&message, bytes_text(text));
    memcpy(blob, key->id, 4);
    put_u64(blob + 4, SECONDS);
    CHECK_OK(signer_sign(signer, blob + 12, buf_bytes(&message)));
    buf_put(out, bytes_text("\xe2\x80\x94 "));
    buf_put(out, key->name);
    buf_put_byte(out, ' ');
    base64_put(out, BYTES_OF(blob));
    buf_put_byte(out, '\n');
    buf_clear(&message);
}

static void a_request_says_old_size_path_and_checkpoint(void **state)
{
    (void)state;
    struct buf out = {0};
    struct path path = {.count = 2};
    memset(path.at[1].at, 0xff, sizeof path.at[1].at);
    ask_write(&out, 5, &path, bytes_text("note\n"));
    CHECK_BYTES(buf_bytes(&out), bytes_text("old 5\n"
                                            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                                            "//////////////////////////////////////////8=\n"
                                            "\nnote\n"));
    out.len = 0;
    path.count = 0;
    ask_write(&out, 0, &path, bytes_text("note\n"));
    CHECK_BYTES(buf_bytes(&out), bytes_text("old 0\n\nnote\n"));
    buf_clear(&out);
}

static void a_size_is_a_decimal_line(void **state)
{
    (void)state;
    uint64_t size;
    CHECK_OK(ask_size_parse(&size, bytes_text("20852163\n")));
    CHECK_UINT(size, 20852163);
    CHECK_OK(ask_size_parse(&size, bytes_text("0")));
    CHECK_UINT(size, 0);
    static const char *const bad[] = {"",     "\n",    "x\n",    "-1\n",  "01\n",
                                      "1 \n", "1\n\n", "1\n2\n", "0x1\n", "99999999999999999999\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_ERR(ask_size_parse(&size, bytes_text(bad[i])), ERR_FORMAT);
    }
}

static void a_line_is_taken_only_from_its_witness_and_only_if_true(void **state)
{
    (void)state;
    struct signer *signer = fresh_signer();
    struct signer *other = fresh_signer();
    struct note_key key = key_of(signer, "w.example", NOTE_COSIGNATURE);
    struct note_key others = key_of(other, "o.example", NOTE_COSIGNATURE);
    struct buf line = {0};
    struct buf body = {0};
    struct buf taken = {0};
    cosign(&line, signer, &key, CHECKPOINT);
    cosign(&body, other, &others, CHECKPOINT);
    buf_put(&body, buf_bytes(&line));
    CHECK_OK(ask_line_take(&taken, buf_bytes(&body), &key, bytes_text(CHECKPOINT)));
    CHECK_BYTES(buf_bytes(&taken), buf_bytes(&line));
    taken.len = 0;
    CHECK_ERR(ask_line_take(&taken, buf_bytes(&body), &key, bytes_text("another\n8\nAAAA\n")),
              ERR_SIGNATURE);
    for (size_t len = 0; len < line.len; len++) { /* cut short, no line is left */
        enum err err =
            ask_line_take(&taken, (struct bytes){line.at, len}, &key, bytes_text(CHECKPOINT));
        CHECK_UINT(err, len == 0 ? ERR_NOT_FOUND : ERR_FORMAT);
    }
    key = key_of(other, "w.example", NOTE_COSIGNATURE);
    CHECK_ERR(ask_line_take(&taken, buf_bytes(&line), &key, bytes_text(CHECKPOINT)), ERR_NOT_FOUND);
    memcpy(key.id, key_of(signer, "w.example", NOTE_COSIGNATURE).id, sizeof key.id);
    CHECK_ERR(ask_line_take(&taken, buf_bytes(&line), &key, bytes_text(CHECKPOINT)), ERR_SIGNATURE);
    CHECK_ERR(
        ask_line_take(&taken, bytes_text("no line of a note\n"), &key, bytes_text(CHECKPOINT)),
        ERR_FORMAT);
    CHECK_UINT(taken.len, 0);
    signer_free(signer);
    signer_free(other);
    buf_clear(&line);
    buf_clear(&body);
    buf_clear(&taken);
}

static void check_target(enum err want, const char *url, const char *vkey)
{
    char target[2048];
    struct why why = {0};
    snprintf(target, sizeof target, "%s%s", url, vkey);
    enum err err = witness_target_check(target, &why);
    CHECK_UINT(err, want);
    CHECK(err == OK || (strcmp(why.field, "witness") == 0 && why.remedy[0]));
}

static void a_target_is_a_url_and_the_key_of_a_witness(void **state)
{
    (void)state;
    struct signer *signer = fresh_signer();
    struct note_key key = key_of(signer, "w.example", NOTE_COSIGNATURE);
    struct note_key log = key_of(signer, "w.example", NOTE_ED25519);
    struct buf vkey = {0};
    note_key_write(&vkey, &key);
    buf_put_byte(&vkey, 0);
    const char *good = (const char *)vkey.at;
    check_target(OK, "https://w.example ", good);
    check_target(OK, "http://127.0.0.1:7/prefix/ ", good);
    check_target(ERR_FORMAT, "w.example ", good);
    check_target(ERR_FORMAT, "ftp://w.example ", good);
    check_target(ERR_FORMAT, "https://w.example", "");
    check_target(ERR_FORMAT, "https://w.example  ", good);
    check_target(ERR_FORMAT, "https://w.example ", "w.example");
    char long_url[1100];
    memset(long_url, 'a', sizeof long_url);
    memcpy(long_url, "http://", 7);
    memcpy(long_url + sizeof long_url - 2, " ", 2);
    check_target(ERR_RANGE, long_url, good);
    vkey.at[10] = vkey.at[10] == '0' ? '1' : '0'; /* a digit of the id */
    enum err changed = witness_target_check("https://w.example w.example+00000000+AAAA", NULL);
    CHECK(changed == ERR_KEY);
    check_target(ERR_MISMATCH, "https://w.example ", good);
    vkey.len = 0;
    note_key_write(&vkey, &log);
    buf_put_byte(&vkey, 0);
    check_target(ERR_KEY, "https://w.example ", (const char *)vkey.at);
    signer_free(signer);
    buf_clear(&vkey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_says_old_size_path_and_checkpoint),
        cmocka_unit_test(a_size_is_a_decimal_line),
        cmocka_unit_test(a_line_is_taken_only_from_its_witness_and_only_if_true),
        cmocka_unit_test(a_target_is_a_url_and_the_key_of_a_witness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
