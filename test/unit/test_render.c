#include "check.h"
#include "http/render.h"

#include <stdlib.h>
#include <string.h>

static struct node_answers *answers_new(size_t count)
{
    struct node_answers *answers = mem_zalloc(sizeof *answers + count * sizeof(struct node_answer));
    answers->count = count;
    for (size_t i = 0; i < count; i++) {
        memset(answers->at[i].id.at, (int)(i + 1), sizeof answers->at[i].id.at);
    }
    return answers;
}

static json_t *rendered(const struct node_answers *answers)
{
    struct buf text = {0};
    render_answers(&text, answers);
    json_t *json = json_loadb((const char *)text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
    buf_clear(&text);
    CHECK(json != NULL);
    return json;
}

static const json_t *answer_at(const json_t *json, size_t i)
{
    return json_array_get(json_object_get(json, "answers"), i);
}

static uint64_t number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    CHECK(json_is_integer(value));
    return (uint64_t)json_integer_value(value);
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

static void a_stored_deposit_is_answered_with_its_place(void **state)
{
    (void)state;
    struct node_answers *answers = answers_new(2);
    answers->at[0].items = 7;
    answers->at[0].index = 41;
    answers->at[0].height = 5;
    answers->at[1].seen = true;
    answers->head.suite = 1;
    answers->head.height = 6;
    json_t *json = rendered(answers);
    CHECK_UINT(json_array_size(json_object_get(json, "answers")), 2);
    const json_t *deposit = answer_at(json, 0);
    char id[EVIDENCE_ID_LEN + 1];
    evidence_id_write(id, &answers->at[0].id, 0);
    CHECK(json_is_true(json_object_get(deposit, "ok")));
    CHECK(json_is_false(json_object_get(deposit, "seen")));
    CHECK(strcmp(text(deposit, "evidence"), id) == 0);
    CHECK(strspn(text(deposit, "statement"), "01") == 64);
    CHECK_UINT(number(deposit, "items"), 7);
    CHECK_UINT(number(deposit, "index"), 41);
    CHECK_UINT(number(deposit, "height"), 5);
    CHECK(json_is_true(json_object_get(answer_at(json, 1), "seen")));
    CHECK(json_object_get(answer_at(json, 1), "items") == NULL);
    CHECK_UINT(number(json_object_get(json, "head"), "height"), 6);
    json_decref(json);
    free(answers);
}

static void a_refusal_carries_its_problem_whatever_it_says(void **state)
{
    (void)state;
    struct node_answers *answers = answers_new(2);
    answers->at[0].err = why_say(&answers->at[0].why, ERR_REFUSED, "role", "a\"b\\c", "is missing",
                                 "Ask the operator.");
    answers->at[1].err = ERR_FORMAT;
    memset(&answers->at[1].id, 0, sizeof answers->at[1].id);
    json_t *json = rendered(answers);
    const json_t *refused = answer_at(json, 0);
    CHECK(json_is_false(json_object_get(refused, "ok")));
    CHECK(json_object_get(refused, "index") == NULL);
    CHECK(strcmp(text(json_object_get(refused, "problem"), "value"), "a\"b\\c") == 0);
    CHECK(json_object_get(answer_at(json, 1), "statement") == NULL);
    CHECK(json_object_get(json, "head") == NULL);
    json_decref(json);
    free(answers);
}

static void the_longest_numbers_fit(void **state)
{
    (void)state;
    struct node_answers *answers = answers_new(1);
    answers->at[0].items = UINT32_MAX;
    answers->at[0].index = INT64_MAX;
    answers->at[0].height = INT64_MAX;
    json_t *json = rendered(answers);
    CHECK_UINT(number(answer_at(json, 0), "index"), INT64_MAX);
    CHECK_UINT(number(answer_at(json, 0), "height"), INT64_MAX);
    json_decref(json);
    free(answers);
}

static void the_head_is_the_one_that_other_routes_show(void **state)
{
    (void)state;
    struct node_answers *answers = answers_new(1);
    struct header *head = &answers->head;
    *head = (struct header){.suite = 1, .epoch = 2, .height = 3, .time_ms = 1764021458123};
    head->first_index = INT64_MAX - 1;
    head->tree_size = INT64_MAX;
    memset(head->chain.at, 0x1a, sizeof head->chain.at);
    memset(head->previous.at, 0x2b, sizeof head->previous.at);
    memset(head->tree_root.at, 0x3c, sizeof head->tree_root.at);
    memset(head->state_root.at, 0x4d, sizeof head->state_root.at);
    memset(head->history_root.at, 0x5e, sizeof head->history_root.at);
    json_t *json = rendered(answers);
    json_t *wanted = render_header(head);
    CHECK(json_equal(json_object_get(json, "head"), wanted));
    json_decref(wanted);
    json_decref(json);
    free(answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stored_deposit_is_answered_with_its_place),
        cmocka_unit_test(a_refusal_carries_its_problem_whatever_it_says),
        cmocka_unit_test(the_longest_numbers_fit),
        cmocka_unit_test(the_head_is_the_one_that_other_routes_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
