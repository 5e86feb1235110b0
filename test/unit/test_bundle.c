#include "check.h"

#include "base/file.h"
#include "cli/bundle.h"
#include "cli/jsoncbor.h"
#include "cli/names.h"
#include "crypto/digest.h"
#include "merkle/tree.h"

#include <sys/stat.h>
#include <unistd.h>

/* A folder of the test's own, and a path in it; static memory. */
static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int folder_make(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/cairn-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
    (void)state;
    static const char *const names[] = {"S.salts", "a.proof", "a.2.proof", "list", "file"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unlink(in_folder(names[i]));
    }
    return rmdir(folder);
}

/* `count` files that were never on a disk; every other one is blinded. */
static struct file_digest *files_new(size_t count)
{
    struct file_digest *files = mem_zalloc(count * sizeof *files);
    for (size_t i = 0; i < count; i++) {
        files[i].path = "dir/name.txt";
        files[i].blinded = i % 2 == 0;
        files[i].media_type = "text/plain";
        put_u64(files[i].sha256.at, i);
        put_u64(files[i].sm3.at, i);
        put_u64(files[i].bare.at, i + 1000);
        put_u64(files[i].salt, i + 2000);
        files[i].size = i;
    }
    return files;
}

static void many_files_become_batches_of_65536(void **state)
{
    (void)state;
    size_t count = DEPOSIT_ITEMS_MAX + 3;
    struct file_digest *files = files_new(count);
    struct item_common common = {0};
    struct bundle bundle;
    bundle_fill(&bundle, files, count, &common);
    CHECK_UINT(bundle.count, DEPOSIT_ITEMS_MAX);
    CHECK(bundle.items.len <= BATCH_BYTES_MAX);
    bundle_clear(&bundle);
    bundle_fill(&bundle, files + DEPOSIT_ITEMS_MAX, 3, &common);
    CHECK_UINT(bundle.count, 3);
    bundle_clear(&bundle);
    free(files);
}

static void the_root_is_the_one_of_the_encoded_items(void **state)
{
    (void)state;
    struct item_common common = {.phase = bytes_text("draft")};
    for (size_t count = 1; count < 20; count++) {
        struct file_digest *files = files_new(count);
        struct bundle bundle;
        bundle_fill(&bundle, files, count, &common);
        struct frontier frontier = {0};
        for (uint32_t i = 0; i < count; i++) {
            struct item item;
            struct hash leaf;
            CHECK_OK(item_parse(&item, bundle_item(&bundle, i)));
            CHECK(item.form == (files[i].blinded ? ITEM_BLINDED : ITEM_PLAIN));
            CHECK(item.has_size == !files[i].blinded);
            CHECK_BYTES(item.phase, bytes_text("draft"));
            leaf_hash(&leaf, bundle_item(&bundle, i));
            frontier_append(&frontier, &leaf);
        }
        struct hash root;
        frontier_root(&frontier, &root);
        CHECK_BYTES(hash_bytes(&bundle.root), hash_bytes(&root));
        struct bundle again;
        CHECK_OK(bundle_parse(&again, buf_bytes(&bundle.items)));
        CHECK_BYTES(hash_bytes(&again.root), hash_bytes(&root));
        bundle_clear(&again);
        bundle_clear(&bundle);
        free(files);
    }
}

static void items_that_are_none_are_refused(void **state)
{
    (void)state;
    struct bundle bundle;
    CHECK_ERR(bundle_parse(&bundle, BYTES_NONE), ERR_RANGE);
    bundle_clear(&bundle);
    CHECK_ERR(bundle_parse(&bundle, hex("01")), ERR_TYPE);
    bundle_clear(&bundle);
}

struct count {
    size_t count;
    struct kept last;
};

static bool count_one(void *context, const struct kept *kept)
{
    struct count *count = context;
    count->count++;
    count->last = *kept;
    return false;
}

static void salts_are_appended_and_read_back(void **state)
{
    (void)state;
    struct item_common common = {0};
    struct file_digest *files = files_new(5);
    struct bundle bundle;
    struct hash statement = {{7}};
    struct why why = {0};
    bundle_fill(&bundle, files, 5, &common);
    CHECK(bundle_blinded(&bundle));
    CHECK_OK(salts_check(in_folder("S.salts"), &why));
    CHECK_OK(salts_append(in_folder("S.salts"), &statement, &bundle, &why));
    CHECK_OK(salts_check(in_folder("S.salts"), &why));
    CHECK_OK(salts_append(in_folder("S.salts"), &statement, &bundle, &why));
    struct stat status;
    CHECK(stat(in_folder("S.salts"), &status) == 0 && (status.st_mode & 0777) == 0600);
    struct buf file = {0};
    struct count count = {0};
    CHECK_OK(file_read(&file, in_folder("S.salts"), SALTS_MAX, &why));
    CHECK_OK(salts_each(buf_bytes(&file), count_one, &count));
    CHECK_UINT(count.count, 6);
    CHECK_UINT(count.last.number, 4);
    CHECK_BYTES(BYTES_OF(count.last.salt), BYTES_OF(files[4].salt));
    CHECK_BYTES(hash_bytes(&count.last.bare), hash_bytes(&files[4].bare));
    CHECK_BYTES(hash_bytes(&count.last.statement), hash_bytes(&statement));
    CHECK_BYTES(count.last.name, bytes_text("dir/name.txt"));
    /* Cut anywhere but between two deposits it is no whole file. */
    for (size_t len = 1; len < file.len; len++) {
        enum err err = salts_each((struct bytes){file.at, len}, count_one, &count);
        CHECK(len == file.len / 2 ? err == OK : err != OK);
    }
    CHECK_OK(file_write(in_folder("S.salts"), (struct bytes){file.at, file.len - 1}, 0600, &why));
    CHECK_ERR(salts_check(in_folder("S.salts"), &why), ERR_CORRUPT);
    buf_clear(&file);
    bundle_clear(&bundle);
    free(files);
}

static void nothing_is_written_over_a_file_that_is_there(void **state)
{
    (void)state;
    char *first;
    char *second;
    char base[128];
    struct why why = {0};
    snprintf(base, sizeof base, "%s", in_folder("a"));
    CHECK_OK(fresh_write(&first, base, "proof", bytes_text("1"), 0600, &why));
    CHECK_OK(fresh_write(&second, base, "proof", bytes_text("2"), 0600, &why));
    CHECK(strcmp(first, in_folder("a.proof")) == 0);
    CHECK(strcmp(second, in_folder("a.2.proof")) == 0);
    free(first);
    CHECK_ERR(fresh_write(&first, "/nowhere/a", "proof", bytes_text("1"), 0600, &why),
              ERR_NOT_FOUND);
    CHECK(first == NULL);
    free(second);
}

static void a_list_has_one_name_a_line(void **state)
{
    (void)state;
    struct names names;
    struct why why = {0};
    char operand[160];
    char other[] = "other";
    snprintf(operand, sizeof operand, "@%s", in_folder("list"));
    char *const operands[] = {other, operand};
    CHECK_OK(file_write(in_folder("list"), bytes_text("a\n\nb c\nd"), 0600, &why));
    CHECK_OK(names_read(&names, operands, 2, &why));
    CHECK_UINT(names.count, 4);
    CHECK(strcmp(names.at[0], "other") == 0 && strcmp(names.at[2], "b c") == 0 &&
          strcmp(names.at[3], "d") == 0);
    names_clear(&names);
    CHECK_OK(file_write(in_folder("list"), bytes_text("\n"), 0600, &why));
    CHECK_ERR(names_read(&names, operands + 1, 1, &why), ERR_RANGE);
    names_clear(&names);
    CHECK_OK(file_write(in_folder("list"), hex("610062"), 0600, &why));
    CHECK_ERR(names_read(&names, operands + 1, 1, &why), ERR_FORMAT);
    names_clear(&names);
}

static void a_file_is_digested_with_and_without_salt(void **state)
{
    (void)state;
    struct why why = {0};
    struct file_digest file = {.path = in_folder("file")};
    struct hash want;
    CHECK_OK(file_write(file.path, bytes_text("%PDF-1"), 0600, &why));
    CHECK_OK(file_digest_fill(&file, BLIND_NONE, &why));
    sha256(&want, bytes_text("%PDF-1"));
    CHECK_BYTES(hash_bytes(&file.sha256), hash_bytes(&want));
    CHECK_BYTES(hash_bytes(&file.bare), hash_bytes(&want));
    CHECK_UINT(file.size, 6);
    CHECK(strcmp(file.media_type, "application/pdf") == 0);
    CHECK_OK(file_digest_fill(&file, BLIND_SMALL, &why));
    CHECK(file.blinded);
    CHECK_BYTES(hash_bytes(&file.bare), hash_bytes(&want));
    struct bytes parts[] = {BYTES_OF(file.salt), bytes_text("%PDF-1")};
    sha256_parts(&want, parts, 2);
    CHECK_BYTES(hash_bytes(&file.sha256), hash_bytes(&want));
    struct file_digest again = file;
    CHECK_OK(file_digest_fill(&again, BLIND_GIVEN, &why));
    CHECK_BYTES(hash_bytes(&again.sha256), hash_bytes(&file.sha256));
    struct file_digest wrong = {.path = folder};
    CHECK_ERR(file_digest_fill(&wrong, BLIND_NONE, &why), ERR_FORMAT);
    wrong.path = in_folder("nowhere");
    CHECK_ERR(file_digest_fill(&wrong, BLIND_NONE, &why), ERR_NOT_FOUND);
}

static enum err encode(struct buf *out, const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    BUG_ON(json == NULL);
    out->len = 0;
    enum err err = json_to_cbor(out, json, NULL);
    json_decref(json);
    return err;
}

static void json_becomes_the_cbor_that_it_means(void **state)
{
    (void)state;
    struct buf out = {0};
    CHECK_OK(encode(&out, "[1, -2, \"a\", null, true, false, {\"hex\": \"00ff\"}, [], [[3]]]"));
    CHECK_BYTES(buf_bytes(&out), hex("8901216161f6f5f44200ff80818103"));
    CHECK_OK(encode(&out, "[[[[[[[[]]]]]]]]"));
    CHECK_ERR(encode(&out, "[[[[[[[[[]]]]]]]]]"), ERR_DEPTH);
    CHECK_ERR(encode(&out, "1.5"), ERR_UNSUPPORTED);
    CHECK_ERR(encode(&out, "{}"), ERR_UNSUPPORTED);
    CHECK_ERR(encode(&out, "{\"hex\": \"00\", \"b\": 1}"), ERR_UNSUPPORTED);
    CHECK_ERR(encode(&out, "{\"hex\": \"0\"}"), ERR_FORMAT);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_files_become_batches_of_65536),
        cmocka_unit_test(the_root_is_the_one_of_the_encoded_items),
        cmocka_unit_test(items_that_are_none_are_refused),
        cmocka_unit_test(salts_are_appended_and_read_back),
        cmocka_unit_test(nothing_is_written_over_a_file_that_is_there),
        cmocka_unit_test(a_list_has_one_name_a_line),
        cmocka_unit_test(a_file_is_digested_with_and_without_salt),
        cmocka_unit_test(json_becomes_the_cbor_that_it_means),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
