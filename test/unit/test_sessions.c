/* The table of sessions and the numbers that count once, under a clock of the test's own. */
#include "check.h"
#include "seeded.h"

#include "http/nonces.h"
#include "http/sessions.h"

static const struct hash alice = {{1}};
static const struct hash bob = {{2}};

static struct bytes nonce_of(uint64_t *number)
{
    return BYTES_OF(*number);
}

static enum err take(struct nonces *nonces, const struct hash *kid, uint64_t number, uint64_t now)
{
    return nonces_take(nonces, kid, nonce_of(&number), now);
}

static void a_number_counts_once_for_each_key(void **state)
{
    (void)state;
    struct nonces *nonces = nonces_new(10, 1000);
    CHECK_OK(take(nonces, &alice, 1, 5));
    CHECK_ERR(take(nonces, &alice, 1, 5), ERR_EXISTS);
    CHECK_OK(take(nonces, &bob, 1, 5));
    CHECK_OK(take(nonces, &alice, 2, 5));
    nonces_free(nonces);
}

static void a_number_is_remembered_for_its_time_and_forgotten_after_twice_that(void **state)
{
    (void)state;
    for (uint64_t began = 0; began < 1000; began += 37) {
        struct nonces *nonces = nonces_new(10, 1000);
        CHECK_OK(take(nonces, &bob, 9, 5000));
        CHECK_OK(take(nonces, &alice, 1, 5000 + began));
        CHECK_ERR(take(nonces, &alice, 1, 5000 + began + 999), ERR_EXISTS);
        CHECK_OK(take(nonces, &bob, 8, 5000 + began + 1500));
        CHECK_OK(take(nonces, &alice, 1, 5000 + began + 3000));
        nonces_free(nonces);
    }
}

static void a_full_set_takes_no_more_until_time_has_passed(void **state)
{
    (void)state;
    struct nonces *nonces = nonces_new(1000, 1000);
    for (uint64_t i = 0; i < 1000; i++) {
        CHECK_OK(take(nonces, &alice, i, 7));
    }
    CHECK_ERR(take(nonces, &alice, 1000, 7), ERR_BUSY);
    CHECK_ERR(take(nonces, &alice, 999, 7), ERR_EXISTS);
    CHECK_OK(take(nonces, &alice, 1000, 1007));
    CHECK_ERR(take(nonces, &alice, 999, 1007), ERR_EXISTS);
    nonces_free(nonces);
}

static struct session open_ok(struct sessions *sessions, const struct hash *kid, uint64_t now,
                              uint8_t *token)
{
    struct session session = {.kid = *kid};
    snprintf(session.member, sizeof session.member, "member %u", kid->at[0]);
    CHECK_OK(sessions_open(sessions, &session, now, token, NULL));
    return session;
}

static void a_session_is_found_by_its_token_until_it_ends(void **state)
{
    (void)state;
    struct sessions *sessions = sessions_new(&(struct sessions_limits){0});
    uint8_t token[SESSION_TOKEN_LEN];
    struct session found;
    struct session opened = open_ok(sessions, &alice, 100, token);
    CHECK_UINT(opened.ends_ms, 100 + SESSION_LIFE_MS);
    CHECK(sessions_find(sessions, token, 100 + SESSION_LIFE_MS - 1, &found));
    CHECK(hash_equal(&found.kid, &alice));
    CHECK(memcmp(found.id, opened.id, sizeof found.id) == 0);
    CHECK(!sessions_find(sessions, token, 100 + SESSION_LIFE_MS, &found));
    token[31] ^= 1;
    CHECK(!sessions_find(sessions, token, 101, &found));
    sessions_free(sessions);
}

static void a_session_is_ended_by_its_own_member_or_by_nobody_in_particular(void **state)
{
    (void)state;
    struct sessions *sessions = sessions_new(&(struct sessions_limits){0});
    uint8_t first[SESSION_TOKEN_LEN];
    uint8_t second[SESSION_TOKEN_LEN];
    struct session found;
    struct session one = open_ok(sessions, &alice, 1, first);
    struct session two = open_ok(sessions, &alice, 1, second);
    CHECK_ERR(sessions_end(sessions, one.id, "member 2", 2), ERR_NOT_FOUND);
    CHECK(sessions_find(sessions, first, 2, &found));
    CHECK_OK(sessions_end(sessions, one.id, "member 1", 2));
    CHECK(!sessions_find(sessions, first, 2, &found));
    CHECK_ERR(sessions_end(sessions, one.id, "member 1", 2), ERR_NOT_FOUND);
    CHECK(sessions_find(sessions, second, 2, &found));
    CHECK_OK(sessions_end(sessions, two.id, NULL, 2));
    CHECK(!sessions_find(sessions, second, 2, &found));
    sessions_free(sessions);
}

static void sessions_are_bounded_per_key_and_in_all(void **state)
{
    (void)state;
    struct sessions_limits limits = {.max = 3, .max_per_key = 2, .life_ms = 10};
    struct sessions *sessions = sessions_new(&limits);
    uint8_t token[SESSION_TOKEN_LEN];
    struct session by_alice = {.kid = alice};
    struct session by_bob = {.kid = bob};
    struct why why = {0};
    open_ok(sessions, &alice, 1, token);
    open_ok(sessions, &alice, 1, token);
    CHECK_ERR(sessions_open(sessions, &by_alice, 1, token, &why), ERR_BUSY);
    CHECK(strstr(why.problem, "of this key"));
    open_ok(sessions, &bob, 1, token);
    CHECK_ERR(sessions_open(sessions, &by_bob, 1, token, &why), ERR_BUSY);
    CHECK(strstr(why.problem, "this node"));
    open_ok(sessions, &alice, 11, token);
    sessions_free(sessions);
}

static void a_list_holds_what_is_open_of_one_member_or_of_all(void **state)
{
    (void)state;
    struct sessions *sessions = sessions_new(&(struct sessions_limits){.life_ms = 10});
    uint8_t token[SESSION_TOKEN_LEN];
    struct session list[4];
    struct session one = open_ok(sessions, &alice, 1, token);
    open_ok(sessions, &bob, 2, token);
    struct session three = open_ok(sessions, &alice, 3, token);
    CHECK_UINT(sessions_list(sessions, NULL, 3, list, 4), 3);
    CHECK_UINT(sessions_list(sessions, NULL, 3, list, 2), 2);
    CHECK_UINT(sessions_list(sessions, "member 1", 3, list, 4), 2);
    CHECK(memcmp(list[0].id, one.id, sizeof one.id) == 0);
    CHECK(memcmp(list[1].id, three.id, sizeof one.id) == 0);
    CHECK_UINT(sessions_list(sessions, "member 1", 11, list, 4), 1);
    CHECK_UINT(sessions_list(sessions, "member 2", 12, list, 4), 0);
    sessions_free(sessions);
}

/* Against a plain array, over many steps. */
static void a_table_does_what_an_array_would(void **state)
{
    (void)state;
    seeded_start("sessions");
    struct sessions *sessions = sessions_new(&(struct sessions_limits){.life_ms = 40});
    uint8_t tokens[64][SESSION_TOKEN_LEN];
    struct session model[64] = {0};
    for (uint64_t now = 1; now < 4000; now++) {
        size_t i = seeded_below(64);
        struct session found;
        bool open = model[i].ends_ms > now;
        CHECK(model[i].ends_ms == 0 || sessions_find(sessions, tokens[i], now, &found) == open);
        if (open && seeded_below(4) == 0) {
            CHECK_OK(sessions_end(sessions, model[i].id, NULL, now));
            model[i].ends_ms = 0;
        } else if (!open) {
            struct hash kid = {{(uint8_t)i}};
            model[i] = open_ok(sessions, &kid, now, tokens[i]);
        }
    }
    sessions_free(sessions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_counts_once_for_each_key),
        cmocka_unit_test(a_number_is_remembered_for_its_time_and_forgotten_after_twice_that),
        cmocka_unit_test(a_full_set_takes_no_more_until_time_has_passed),
        cmocka_unit_test(a_session_is_found_by_its_token_until_it_ends),
        cmocka_unit_test(a_session_is_ended_by_its_own_member_or_by_nobody_in_particular),
        cmocka_unit_test(sessions_are_bounded_per_key_and_in_all),
        cmocka_unit_test(a_list_holds_what_is_open_of_one_member_or_of_all),
        cmocka_unit_test(a_table_does_what_an_array_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
