/* The pieces of the Cairn interop vectors that concern this layer; the file explains its lines. */
#include "check.h"
#include "merkle/statemap.h"
#include "merkle/tree.h"

enum { LEAVES = 1000, HEADERS = 16, FIELDS_MAX = 5 };

static struct hash leaves[LEAVES];
static struct {
    struct hash hash;
    struct hash history_root;
} headers[HEADERS];
static struct hash roots[LEAVES + 1]; /* by size */

/* One line: words before the hashes, and the list of hashes at its end. */
struct row {
    char *word[FIELDS_MAX];
    struct hash path[SIBLINGS_MAX];
    size_t count;
};

static struct hash hash_of(const char *word)
{
    struct hash out;
    CHECK_UINT(strlen(word), 64);
    memcpy(out.at, hex(word).at, sizeof out.at);
    return out;
}

static uint64_t number_of(const char *word)
{
    return strtoull(word, NULL, 10);
}

static void row_hashes(struct row *row, const char *word)
{
    if (strstr(word, "*0") == NULL) {
        CHECK(row->count < SIBLINGS_MAX);
        row->path[row->count++] = hash_of(word);
        return;
    }
    for (uint64_t zeros = number_of(word); zeros > 0; zeros--) {
        CHECK(row->count < SIBLINGS_MAX);
        row->path[row->count++] = (struct hash){0};
    }
}

static void fill_tree(void)
{
    struct frontier frontier = {0};
    frontier_root(&frontier, &roots[0]);
    for (unsigned i = 0; i < LEAVES; i++) {
        char text[16];
        snprintf(text, sizeof text, "leaf %u", i);
        leaf_hash(&leaves[i], bytes_text(text));
        frontier_append(&frontier, &leaves[i]);
        frontier_root(&frontier, &roots[i + 1]);
    }
}

static void root_row(const struct row *row)
{
    uint64_t size = number_of(row->word[0]);
    struct hash want = hash_of(row->word[1]);
    CHECK(size <= LEAVES);
    CHECK_BYTES(hash_bytes(&roots[size]), hash_bytes(&want));
}

static void path_row(const struct row *row)
{
    uint64_t size = number_of(row->word[0]);
    uint64_t index = number_of(row->word[1]);
    CHECK(size <= LEAVES && index < size);
    struct hash got;
    CHECK_OK(path_root(&got, &leaves[index], index, size, row->path, row->count));
    CHECK_BYTES(hash_bytes(&got), hash_bytes(&roots[size]));
}

static void consistency_row(const struct row *row)
{
    uint64_t from = number_of(row->word[0]);
    uint64_t to = number_of(row->word[1]);
    CHECK(from <= LEAVES && to <= LEAVES);
    CHECK_OK(consistency_check(from, &roots[from], to, &roots[to], row->path, row->count));
}

static void header_row(const struct row *row)
{
    uint64_t height = number_of(row->word[0]);
    CHECK(height < HEADERS);
    headers[height].hash = hash_of(row->word[1]);
    headers[height].history_root = hash_of(row->word[2]);
}

static void history_row(const struct row *row)
{
    uint64_t height = number_of(row->word[0]);
    uint64_t under = number_of(row->word[1]);
    CHECK(under < HEADERS);
    struct hash root;
    leaf_hash(&root, hash_bytes(&headers[height].hash));
    CHECK_OK(path_root(&root, &root, height, under, row->path, row->count));
    CHECK_BYTES(hash_bytes(&root), hash_bytes(&headers[under].history_root));
}

static void key_row(const struct row *row)
{
    struct hash want = hash_of(row->word[2]);
    struct hash got;
    state_key_hash(&got, bytes_text(row->word[0]), hex(row->word[1]));
    CHECK_BYTES(hash_bytes(&got), hash_bytes(&want));
}

static bool presence_holds(const struct row *row)
{
    struct hash want = hash_of(row->word[0]);
    struct hash key = hash_of(row->word[1]);
    struct hash got;
    enum err err = state_presence_root(&got, &key, hex(row->word[2]), row->path, row->count);
    return err == OK && hash_equal(&got, &want);
}

static bool absence_holds(const struct row *row)
{
    struct hash want = hash_of(row->word[0]);
    struct hash key = hash_of(row->word[1]);
    struct hash got;
    enum err err;
    if (strcmp(row->word[2], "-") == 0) {
        err = state_absence_root(&got, &key, NULL, NULL, row->path, row->count);
    } else {
        struct hash other = hash_of(row->word[2]);
        struct hash value = hash_of(row->word[3]);
        err = state_absence_root(&got, &key, &other, &value, row->path, row->count);
    }
    return err == OK && hash_equal(&got, &want);
}

static void present_row(const struct row *row)
{
    CHECK(presence_holds(row));
}

static void absent_row(const struct row *row)
{
    CHECK(absence_holds(row));
}

static void bad_present_row(const struct row *row)
{
    CHECK(!presence_holds(row));
}

static void bad_absent_row(const struct row *row)
{
    CHECK(!absence_holds(row));
}

static struct kind {
    const char *name;
    size_t words;
    void (*check)(const struct row *row);
    unsigned want;
    unsigned seen;
} kinds[] = {
    {"root", 2, root_row, 11, 0},
    {"path", 2, path_row, 52, 0},
    {"consistency", 2, consistency_row, 51, 0},
    {"header", 3, header_row, 7, 0},
    {"history", 2, history_row, 11, 0},
    {"key", 3, key_row, 2, 0},
    {"present", 3, present_row, 18, 0},
    {"absent", 4, absent_row, 11, 0},
    {"bad-present", 3, bad_present_row, 2, 0},
    {"bad-absent", 4, bad_absent_row, 1, 0},
};

static struct kind *kind_named(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    fail_msg("no kind of line is named %s", name);
    return NULL;
}

static void check_line(char *line)
{
    struct row row = {.count = 0};
    char *rest = NULL;
    char *word = strtok_r(line, " \n", &rest);
    struct kind *kind = kind_named(word);
    for (size_t i = 0; i < kind->words; i++) {
        row.word[i] = strtok_r(NULL, " \n", &rest);
        CHECK(row.word[i] != NULL);
    }
    while ((word = strtok_r(NULL, " \n", &rest)) != NULL) {
        row_hashes(&row, word);
    }
    kind->check(&row);
    kind->seen++;
}

static void every_piece_of_an_independent_implementation_agrees(void **state)
{
    (void)state;
    fill_tree();
    FILE *file = fopen(VECTORS "/cairn/merkle.txt", "r");
    CHECK(file != NULL);
    char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, file) > 0) {
        if (line[0] != '#') {
            check_line(line);
        }
    }
    free(line);
    fclose(file);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        CHECK_UINT(kinds[i].seen, kinds[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_of_an_independent_implementation_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
