/* Signed notes: keys, lines, checkpoints. */
#include "vectors.h"

#include "codec/text.h"
#include "proof/note.h"

#define DASH "\xe2\x80\x94 "

static void others_notes_verify_and_no_altered_one_does(void **state)
{
    (void)state;
    struct vector vector = vector_open("note.txt");
    size_t count = 0;
    for (; vector_next(&vector); count++) {
        char text[512];
        struct note_key key;
        struct note_line line;
        struct buf written = {0};
        CHECK_OK(note_key_parse(&key, bytes_text(vector.fields[0])));
        CHECK_UINT(key.type, NOTE_ED25519);
        note_key_write(&written, &key);
        CHECK_BYTES(buf_bytes(&written), bytes_text(vector.fields[0]));
        snprintf(text, sizeof text, DASH "%s %s\n", vector.fields[2], vector.fields[3]);
        CHECK_OK(note_line_parse(&line, bytes_text(text)));
        CHECK(note_line_is_by(&line, &key));
        written.len = 0;
        buf_put(&written, hex(vector.fields[1]));
        CHECK_OK(note_verify(&line, &key, buf_bytes(&written)));
        for (size_t i = 0; i < written.len; i++) {
            written.at[i] ^= 1;
            CHECK_ERR(note_verify(&line, &key, buf_bytes(&written)), ERR_SIGNATURE);
            written.at[i] ^= 1;
        }
        line.decoded.len--;
        CHECK_ERR(note_verify(&line, &key, buf_bytes(&written)), ERR_FORMAT);
        buf_clear(&line.decoded);
        buf_clear(&written);
    }
    CHECK_UINT(count, 1);
}

static void a_vkey_cut_short_lengthened_or_changed_is_refused(void **state)
{
    (void)state;
    const char *const vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    struct note_key key;
    char copy[128];
    for (size_t len = 0; len < strlen(vkey); len++) {
        CHECK(note_key_parse(&key, (struct bytes){(const uint8_t *)vkey, len}) != OK);
    }
    for (size_t i = 0; i < strlen(vkey); i++) {
        snprintf(copy, sizeof copy, "%s", vkey);
        copy[i] = (char)(copy[i] ^ 1);
        enum err err = note_key_parse(&key, bytes_text(copy));
        CHECK(err == ERR_MISMATCH || err == ERR_FORMAT || err == ERR_KEY);
    }
    snprintf(copy, sizeof copy, "%s\n", vkey);
    CHECK_ERR(note_key_parse(&key, bytes_text(copy)), ERR_FORMAT);
    CHECK_ERR(note_key_parse(&key, bytes_text("a b+c74f20a3+AAAA")), ERR_FORMAT);
    CHECK_ERR(note_key_parse(&key, bytes_text("+c74f20a3+AAAA")), ERR_FORMAT);
    CHECK_ERR(note_key_parse(&key, bytes_text("a+c74f20a3+AAAA")), ERR_KEY);
}

static void a_line_needs_dash_name_and_base64(void **state)
{
    (void)state;
    struct note_line line;
    static const char *const bad[] = {
        "",           DASH,        DASH "name",    DASH "name ?", "- name AAAA",
        DASH " AAAA", "name AAAA", DASH "a b AAAA"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_ERR(note_line_parse(&line, bytes_text(bad[i])), ERR_FORMAT);
        buf_clear(&line.decoded);
    }
    CHECK_OK(note_line_parse(&line, bytes_text(DASH "name AAAA")));
    CHECK_UINT(line.decoded.len, 3);
    CHECK(!note_line_is_by(&line, &(struct note_key){.name = bytes_text("name")}));
    buf_clear(&line.decoded);
}

static void a_checkpoint_names_ledger_chain_and_epoch(void **state)
{
    (void)state;
    struct header head = {.epoch = 3, .tree_size = 4711};
    struct buf out = {0};
    memset(head.chain.at, 0xab, sizeof head.chain.at);
    checkpoint_write(&out, bytes_text("court"), &head);
    CHECK_BYTES(buf_bytes(&out), bytes_text("court/abababababababab/3\n4711\n"
                                            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"));
    buf_clear(&out);
}

static void only_ed25519_signs_notes(void **state)
{
    (void)state;
    const enum alg algs[] = {ALG_ED25519, ALG_ES256, ALG_SM2};
    for (size_t i = 0; i < 3; i++) {
        struct buf pem = {0};
        struct buf out = {0};
        struct signer *signer;
        struct note_key key;
        CHECK_OK(key_generate(&pem, algs[i], NULL));
        CHECK_OK(signer_parse(&signer, buf_bytes(&pem), NULL));
        enum err err = note_key_of(&key, bytes_text("log"), NOTE_ED25519, signer_pubkey(signer));
        CHECK_UINT(err, i == 0 ? OK : ERR_UNSUPPORTED);
        if (err == OK) {
            struct note_line line;
            CHECK_OK(note_sign(&out, &key, signer, bytes_text("text\n")));
            CHECK_OK(note_line_parse(&line, buf_bytes(&out)));
            CHECK(note_line_is_by(&line, &key));
            CHECK_OK(note_verify(&line, &key, bytes_text("text\n")));
            buf_clear(&line.decoded);
        }
        signer_free(signer);
        buf_clear(&pem);
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_notes_verify_and_no_altered_one_does),
        cmocka_unit_test(a_vkey_cut_short_lengthened_or_changed_is_refused),
        cmocka_unit_test(a_line_needs_dash_name_and_base64),
        cmocka_unit_test(a_checkpoint_names_ledger_chain_and_epoch),
        cmocka_unit_test(only_ed25519_signs_notes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
