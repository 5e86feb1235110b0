/* The same ledger, made by three organisations from their three join files. */
#include "node/assemble.h"

#include "base/file.h"
#include "check.h"
#include "crypto/digest.h"
#include "ledger/ledger.h"
#include "ledger/regime.h"
#include "modules/modules.h"
#include "store/store.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT 3

struct scene {
    char dir[64];
    char folders[COUNT][96];
    struct buf files[COUNT];
    struct join_file joins[COUNT];
};

static const char *const names[COUNT] = {"court", "bank", "notary"};

static struct join join_of(size_t number)
{
    static const char *const addresses[COUNT] = {"10.0.0.1:26656", "10.0.0.2:26656", "[::1]:26656"};
    static const char *const urls[COUNT] = {"https://a.example", "https://b.example",
                                            "https://c.example"};
    return (struct join){.ledger = bytes_text("three"),
                         .organisation = bytes_text(names[number]),
                         .address = bytes_text(addresses[number]),
                         .url = bytes_text(urls[number])};
}

static int begin(void **state)
{
    struct scene *scene = mem_zalloc(sizeof *scene);
    snprintf(scene->dir, sizeof scene->dir, "/tmp/cairn-assemble-XXXXXX");
    CHECK(mkdtemp(scene->dir) != NULL);
    for (size_t i = 0; i < COUNT; i++) {
        struct join join = join_of(i);
        snprintf(scene->folders[i], sizeof scene->folders[i], "%s/%s", scene->dir, names[i]);
        CHECK_OK(organisation_create(scene->folders[i], &join, NULL, &scene->files[i], NULL));
        scene->joins[i] = (struct join_file){names[i], buf_bytes(&scene->files[i])};
    }
    *state = scene;
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static int end(void **state)
{
    struct scene *scene = *state;
    for (size_t i = 0; i < COUNT; i++) {
        buf_clear(&scene->files[i]);
    }
    nftw(scene->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(scene);
    return 0;
}

static void read_trust(struct buf *out, const char *folder)
{
    char *path = path_join(folder, "three.trust");
    CHECK_OK(file_read(out, path, TRUST_MAX, NULL));
    free(path);
}

static void every_organisation_makes_the_same_ledger(void **state)
{
    struct scene *scene = *state;
    struct buf trusts[COUNT] = {{0}};
    for (size_t i = 0; i < COUNT; i++) {
        /* Each has the files in another order. */
        struct join_file joins[COUNT];
        struct assembly *assembly = mem_alloc(sizeof *assembly);
        for (size_t j = 0; j < COUNT; j++) {
            joins[j] = scene->joins[(i + j) % COUNT];
        }
        CHECK_OK(assembly_make(assembly, joins, COUNT, NULL));
        CHECK_BYTES(assembly->joins[0].organisation, bytes_text("bank"));
        CHECK_BYTES(bytes_text(assembly->files[2].name), bytes_text("notary"));
        CHECK_OK(assembly_install(assembly, scene->folders[i], NULL));
        CHECK_ERR(assembly_install(assembly, scene->folders[i], NULL), ERR_EXISTS);
        assembly_clear(assembly);
        free(assembly);
        read_trust(&trusts[i], scene->folders[i]);
        CHECK_BYTES(buf_bytes(&trusts[i]), buf_bytes(&trusts[0]));
    }
    struct trust *trust;
    CHECK_OK(trust_parse(&trust, buf_bytes(&trusts[0]), NULL));
    const struct trust_regime *regime = trust_regime(trust, 0);
    CHECK(regime->comet && regime->range_count == 1);
    CHECK_UINT(regime->ranges[0].from, 1);
    CHECK_UINT(regime->ranges[0].set.count, COUNT);
    CHECK_UINT(regime->key_count, COUNT);
    CHECK_BYTES(regime->keys[1].node, bytes_text("court-node"));
    trust_free(trust);
    for (size_t i = 0; i < COUNT; i++) {
        buf_clear(&trusts[i]);
    }
}

static void block_0_says_who_orders(void **state)
{
    struct scene *scene = *state;
    struct assembly *assembly = mem_alloc(sizeof *assembly);
    struct store *store;
    struct ledger *ledger;
    struct buf bytes = {0};
    struct buf chain = {0};
    struct regime *regime = mem_alloc(sizeof *regime);
    struct store_options options = {.cache_len = (size_t)8 << 20};
    CHECK_OK(assembly_make(assembly, scene->joins, COUNT, NULL));
    CHECK_OK(assembly_install(assembly, scene->folders[0], NULL));
    CHECK_OK(store_open(&store, scene->folders[0], &options, NULL));
    CHECK_OK(ledger_open(&ledger, store, &modules_rules, NULL));
    struct view *view = ledger_view(ledger);
    CHECK_OK(regime_get(regime, &bytes, view));
    CHECK_UINT(regime->count, COUNT);
    CHECK_UINT(regime->from, 0);
    regime_chain_write(&chain, &view_header(view)->chain, 0);
    CHECK_BYTES(regime->chain, buf_bytes(&chain));
    CHECK_UINT(view_header(view)->time_ms, assembly->time_ms);
    for (size_t i = 0; i < COUNT; i++) {
        struct hash key = comet_key(assembly->joins[i].keys[JOIN_CONSENSUS].spki);
        bool found = false;
        for (size_t j = 0; j < COUNT; j++) {
            found = found || hash_equal(&key, &regime->validators[j].key);
        }
        CHECK(found);
    }
    view_release(view);
    ledger_close(ledger);
    store_close(store);
    assembly_clear(assembly);
    free(assembly);
    free(regime);
    buf_clear(&bytes);
    buf_clear(&chain);
}

/* Files 0 and 1 with a third, made of `join`; the reason why they make no ledger. */
static struct why refused(struct scene *scene, const struct join *join, enum err want)
{
    static unsigned number;
    struct assembly *assembly = mem_alloc(sizeof *assembly);
    struct why why = {0};
    struct buf file = {0};
    char folder[128];
    snprintf(folder, sizeof folder, "%s/other%u", scene->dir, number++);
    CHECK_OK(organisation_create(folder, join, NULL, &file, NULL));
    struct join_file joins[] = {scene->joins[0], scene->joins[1], {"other.join", buf_bytes(&file)}};
    CHECK_ERR(assembly_make(assembly, joins, 3, &why), want);
    assert_string_equal(why.field, "join file");
    assert_string_equal(why.value, "other.join");
    assembly_clear(assembly);
    free(assembly);
    buf_clear(&file);
    return why;
}

static void join_files_that_do_not_fit_are_named(void **state)
{
    struct scene *scene = *state;
    struct join join = join_of(2);
    join.ledger = bytes_text("four");
    CHECK(strstr(refused(scene, &join, ERR_MISMATCH).problem, "the ledger four") != NULL);
    join = join_of(2);
    join.organisation = bytes_text("bank");
    CHECK(strstr(refused(scene, &join, ERR_EXISTS).problem, "organisation of bank") != NULL);
    join = join_of(2);
    join.address = join_of(0).address;
    CHECK(strstr(refused(scene, &join, ERR_EXISTS).problem, "address of court") != NULL);
    join = join_of(2);
    join.url = join_of(1).url;
    CHECK(strstr(refused(scene, &join, ERR_EXISTS).problem, "URL of bank") != NULL);
}

static void a_forged_join_file_is_named(void **state)
{
    struct scene *scene = *state;
    struct assembly *assembly = mem_alloc(sizeof *assembly);
    struct why why = {0};
    scene->files[1].at[scene->files[1].len - 1] ^= 1;
    CHECK_ERR(assembly_make(assembly, scene->joins, COUNT, &why), ERR_SIGNATURE);
    assert_string_equal(why.value, "bank");
    CHECK(strstr(why.problem, "signature of the operator key does not verify") != NULL);
    assembly_clear(assembly);
    CHECK_ERR(assembly_make(assembly, scene->joins, 0, &why), ERR_RANGE);
    assembly_clear(assembly);
    free(assembly);
}

static void a_folder_without_the_keys_of_a_file_gets_no_ledger(void **state)
{
    struct scene *scene = *state;
    struct assembly *assembly = mem_alloc(sizeof *assembly);
    struct why why = {0};
    CHECK_OK(assembly_make(assembly, scene->joins, 2, NULL));
    CHECK_ERR(assembly_install(assembly, scene->folders[2], &why), ERR_NOT_FOUND);
    char *from = path_join(scene->folders[1], "keys/audit.key");
    char *to = path_join(scene->folders[0], "keys/audit.key");
    CHECK(rename(from, to) == 0);
    CHECK_ERR(assembly_install(assembly, scene->folders[0], &why), ERR_KEY);
    CHECK(strstr(why.value, "audit.key") != NULL);
    CHECK_ERR(assembly_install(assembly, scene->folders[1], &why), ERR_NOT_FOUND);
    free(from);
    free(to);
    assembly_clear(assembly);
    free(assembly);
}

static void an_organisation_leaves_nothing_behind_when_it_fails(void **state)
{
    struct scene *scene = *state;
    struct buf file = {0};
    struct join join = join_of(0);
    char folder[128];
    snprintf(folder, sizeof folder, "%s/new", scene->dir);
    CHECK_ERR(organisation_create(scene->folders[0], &join, NULL, &file, NULL), ERR_EXISTS);
    join.organisation = bytes_text("Court");
    CHECK_ERR(organisation_create(folder, &join, NULL, &file, NULL), ERR_FORMAT);
    CHECK(!file_exists(folder));
    join = join_of(0);
    join.ledger = bytes_text("No Name");
    CHECK_ERR(organisation_create(folder, &join, NULL, &file, NULL), ERR_FORMAT);
    join = join_of(0);
    snprintf(folder, sizeof folder, "%s/not/there", scene->dir);
    CHECK_ERR(organisation_create(folder, &join, NULL, &file, NULL), ERR_IO);
    buf_clear(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_organisation_makes_the_same_ledger, begin, end),
        cmocka_unit_test_setup_teardown(block_0_says_who_orders, begin, end),
        cmocka_unit_test_setup_teardown(join_files_that_do_not_fit_are_named, begin, end),
        cmocka_unit_test_setup_teardown(a_forged_join_file_is_named, begin, end),
        cmocka_unit_test_setup_teardown(a_folder_without_the_keys_of_a_file_gets_no_ledger, begin,
                                        end),
        cmocka_unit_test_setup_teardown(an_organisation_leaves_nothing_behind_when_it_fails, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
