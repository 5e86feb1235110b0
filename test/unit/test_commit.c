/* CometBFT commits against the interop vectors. */
#include "vectors.h"

#include "proof/commit.h"

/* The one commit of the table, and beside it copies of the texts that it must give. */
static struct commit parsed(struct arena *arena, char **field)
{
    struct vector table = vector_open("comet.txt");
    struct commit commit;
    CHECK(vector_next(&table));
    CHECK_OK(commit_parse(&commit, arena_copy(arena, vector_bytes(&table, 0)), arena));
    for (size_t i = 1; i < 4; i++) {
        field[i] = arena_alloc(arena, strlen(table.fields[i]) + 1);
        memcpy(field[i], table.fields[i], strlen(table.fields[i]));
    }
    CHECK(!vector_next(&table));
    return commit;
}

static void the_bytes_of_cometbft_are_rebuilt(void **state)
{
    (void)state;
    struct arena arena = {0};
    char *field[4];
    struct commit commit = parsed(&arena, field);
    struct hash header;
    struct hash set;
    comet_header_hash(&header, &commit.header);
    CHECK_BYTES(hash_bytes(&header), hex(field[1]));
    validators_hash(&set, &commit.set);
    CHECK_BYTES(hash_bytes(&set), hex(field[2]));
    char *rest = NULL;
    size_t vote = 0;
    for (char *want = strtok_r(field[3], ",", &rest); want; want = strtok_r(NULL, ",", &rest)) {
        struct buf got = {0};
        comet_vote_bytes(&got, &commit, &header, vote++);
        CHECK_BYTES(buf_bytes(&got), hex(want));
        buf_clear(&got);
    }
    CHECK_UINT(vote, 4);
    arena_clear(&arena);
}

static void a_commit_is_written_as_it_was_read(void **state)
{
    (void)state;
    struct arena arena = {0};
    char *field[4];
    struct commit commit = parsed(&arena, field);
    struct buf out = {0};
    struct commit again;
    commit_write(&out, &commit);
    CHECK_OK(commit_parse(&again, buf_bytes(&out), &arena));
    for (size_t len = 0; len < out.len; len++) {
        CHECK(commit_parse(&again, (struct bytes){out.at, len}, &arena) != OK);
    }
    size_t len = out.len;
    buf_put_byte(&out, 0);
    CHECK_ERR(commit_parse(&again, buf_bytes(&out), &arena), ERR_TRAILING);
    out.len = len;
    struct buf twice = {0};
    CHECK_OK(commit_parse(&again, buf_bytes(&out), &arena));
    commit_write(&twice, &again);
    CHECK_BYTES(buf_bytes(&twice), buf_bytes(&out));
    buf_clear(&out);
    buf_clear(&twice);
    arena_clear(&arena);
}

static void more_than_two_thirds_must_have_signed(void **state)
{
    (void)state;
    struct arena arena = {0};
    char *field[4];
    struct why why = {0};
    struct commit commit = parsed(&arena, field);
    CHECK_OK(commit_check(&commit, &commit.set, NULL));
    commit.votes[3].there = false;
    CHECK_OK(commit_check(&commit, &commit.set, NULL));
    commit.votes[2].there = false;
    CHECK_ERR(commit_check(&commit, &commit.set, &why), ERR_SIGNATURE);
    CHECK_BYTES(bytes_text(why.field), bytes_text("voting power"));
    arena_clear(&arena);
}

static void another_set_or_a_false_vote_is_refused(void **state)
{
    (void)state;
    struct arena arena = {0};
    char *field[4];
    struct commit commit = parsed(&arena, field);
    struct validators other = {commit.set.count, arena_array(&arena, 4, sizeof *other.at)};
    memcpy(other.at, commit.set.at, 4 * sizeof *other.at);
    other.at[0].power++;
    CHECK_ERR(commit_check(&commit, &other, NULL), ERR_MISMATCH);
    commit.votes[0].time.nanos++;
    CHECK_ERR(commit_check(&commit, &commit.set, NULL), ERR_SIGNATURE);
    commit.votes[0].time.nanos--;
    commit.vote_count = 3;
    CHECK_ERR(commit_check(&commit, &commit.set, NULL), ERR_MISMATCH);
    arena_clear(&arena);
}

static void the_header_at_height_1_has_no_last_block(void **state)
{
    (void)state;
    struct comet_header first = {.chain = bytes_text("c"), .height = 1};
    struct comet_header zero = first;
    struct hash a;
    struct hash b;
    zero.has_last_block = true;
    comet_header_hash(&a, &first);
    comet_header_hash(&b, &zero);
    CHECK(!hash_equal(&a, &b));
    struct comet_time before_1970 = {.seconds = -1};
    CHECK_UINT(comet_time_ms(&before_1970), 0);
}

static void a_trusted_set_names_a_key_once_and_keeps_its_power_bounded(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct validator two[2] = {{.power = 1}, {.power = 1}};
    struct validators set = {2, two};
    for (int step = 0; step < 3; step++) {
        struct buf buf = {0};
        struct cbor_reader reader;
        struct validators again;
        two[1].key.at[0] = step == 1 ? 1 : 0;
        two[1].power = step == 2 ? COMET_POWER_MAX : 1;
        validators_write(&buf, &set);
        cbor_init(&reader, buf_bytes(&buf));
        validators_read(&reader, &again, &arena, step != 2);
        CHECK_ERR(cbor_end(&reader), step == 0 ? ERR_FORMAT : step == 1 ? OK : ERR_RANGE);
        buf_clear(&buf);
    }
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_of_cometbft_are_rebuilt),
        cmocka_unit_test(a_commit_is_written_as_it_was_read),
        cmocka_unit_test(more_than_two_thirds_must_have_signed),
        cmocka_unit_test(another_set_or_a_false_vote_is_refused),
        cmocka_unit_test(the_header_at_height_1_has_no_last_block),
        cmocka_unit_test(a_trusted_set_names_a_key_once_and_keeps_its_power_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
