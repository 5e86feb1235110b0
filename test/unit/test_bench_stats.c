#include "check.h"
#include "cli/bench/stats.h"

#include <stdlib.h>
#include <string.h>

static void quartiles_interpolate_between_neighbours(void **state)
{
    (void)state;
    double values[] = {5, 1, 4, 2, 3};
    struct quartiles five = quartiles_of(values, 5);
    CHECK(five.low == 2 && five.median == 3 && five.high == 4);
    double even[] = {4, 1, 2, 3};
    struct quartiles four = quartiles_of(even, 4);
    CHECK(four.low == 1.75 && four.median == 2.5 && four.high == 3.25);
}

static void one_value_is_all_its_quartiles(void **state)
{
    (void)state;
    double value[] = {7};
    struct quartiles one = quartiles_of(value, 1);
    CHECK(one.low == 7 && one.median == 7 && one.high == 7);
    struct quartiles none = quartiles_of(value, 0);
    CHECK(none.median == 0);
}

static void a_percentile_is_one_of_the_values(void **state)
{
    (void)state;
    double values[100];
    for (size_t i = 0; i < 100; i++) {
        values[i] = (double)(100 - i);
    }
    CHECK(percentile(values, 100, 0.99) == 99);
    CHECK(percentile(values, 100, 0.5) == 50);
    CHECK(percentile(values, 100, 1) == 100);
    CHECK(percentile(values, 100, 0) == 1);
    CHECK(percentile(values, 0, 0.5) == 0);
}

static void add(struct series *series, double reference, double ratio, double steal)
{
    series_add(series,
               &(struct pair_sample){
                   .reference = reference, .figure = 2 * ratio, .ratio = ratio, .steal = steal});
}

static void a_slow_reference_or_stolen_time_does_not_count(void **state)
{
    (void)state;
    struct series series = {0};
    add(&series, 1.0, 3, 0);
    add(&series, 1.09, 3, 0);
    add(&series, 1.11, 9, 0);
    add(&series, 1.0, 9, 0.021);
    CHECK_UINT(series_counting(&series), 2);
    add(&series, 0.95, 3, 0);
    CHECK_UINT(series_counting(&series), 2); /* 1.09 is too slow beside 0.95 */
}

static void figures_come_from_pairs_that_count(void **state)
{
    (void)state;
    struct series series = {0};
    for (int i = 0; i < PAIRS_MIN; i++) {
        add(&series, 1.0, 3, 0);
    }
    for (int i = 0; i < 3 * PAIRS_MIN; i++) {
        add(&series, 2.0, 9, 0);
    }
    CHECK(series_ratio(&series).median == 3 && series_ratio(&series).high == 3);
    CHECK(series_figure(&series).median == 6);
}

static void with_too_few_that_count_all_are_shown(void **state)
{
    (void)state;
    struct series series = {0};
    add(&series, 1.0, 3, 0);
    add(&series, 2.0, 9, 0);
    add(&series, 2.0, 9, 0);
    CHECK(series_ratio(&series).median == 9);
}

static void the_best_of_other_rows_is_remembered(void **state)
{
    (void)state;
    struct series series = {.best = 0.5};
    add(&series, 1.0, 3, 0);
    CHECK_UINT(series_counting(&series), 0);
}

static void pairs_beyond_the_last_place_are_forgotten(void **state)
{
    (void)state;
    struct series series = {0};
    for (int i = 0; i < PAIRS_MAX + 5; i++) {
        add(&series, 1.0, 1, 0);
    }
    CHECK_UINT(series.count, PAIRS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quartiles_interpolate_between_neighbours),
        cmocka_unit_test(one_value_is_all_its_quartiles),
        cmocka_unit_test(a_percentile_is_one_of_the_values),
        cmocka_unit_test(a_slow_reference_or_stolen_time_does_not_count),
        cmocka_unit_test(figures_come_from_pairs_that_count),
        cmocka_unit_test(with_too_few_that_count_all_are_shown),
        cmocka_unit_test(the_best_of_other_rows_is_remembered),
        cmocka_unit_test(pairs_beyond_the_last_place_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
