#include "base/clock.h"
#include "check.h"
#include "cli/doctor/growth.h"

#define DAY_MS ((uint64_t)86400000)

/* A ledger that makes `a_day` blocks of 10 entries a day, the last one now. */
struct world {
    uint64_t first_ms;
    uint64_t every_ms;
    enum err err;
    unsigned reads;
};

static enum err read_block(void *context, uint64_t height, struct growth_block *out)
{
    struct world *world = context;
    world->reads++;
    *out = (struct growth_block){world->first_ms + height * world->every_ms, height * 10 + 1};
    return world->err;
}

static struct growth_source source_of(struct world *world, uint64_t days, uint64_t blocks)
{
    *world = (struct world){.first_ms = clock_wall_ms() - days * DAY_MS,
                            .every_ms = days * DAY_MS / blocks};
    return (struct growth_source){.block = read_block,
                                  .context = world,
                                  .height = blocks,
                                  .used_len = (blocks * 10 + 1) * 1000,
                                  .free_len = 1000000};
}

static const char *severity_of(const struct growth_source *source)
{
    static char severity[16];
    struct findings findings;
    findings_init(&findings);
    growth_find(source, &findings);
    CHECK_UINT(json_array_size(findings.list), 1);
    snprintf(severity, sizeof severity, "%s",
             json_string_value(json_object_get(json_array_get(findings.list, 0), "severity")));
    findings_clear(&findings);
    return severity;
}

static void a_steady_ledger_grows_by_its_own_rate(void **state)
{
    (void)state;
    struct world world;
    struct growth_source source =
        source_of(&world, 100, 10000); /* 1,000 entries of 1,000 B a day */
    uint64_t a_day;
    CHECK_OK(growth_a_day(&source, &a_day));
    CHECK(a_day > 980000 && a_day < 1020000);
    CHECK(world.reads < 40);
}

static void a_young_ledger_is_judged_by_its_whole_life(void **state)
{
    (void)state;
    struct world world;
    struct growth_source source = source_of(&world, 2, 200);
    uint64_t a_day;
    CHECK_OK(growth_a_day(&source, &a_day));
    CHECK(a_day > 980000 && a_day < 1020000);
}

static void below_an_hour_there_is_no_forecast(void **state)
{
    (void)state;
    struct world world;
    struct growth_source source = source_of(&world, 1, 10);
    uint64_t a_day;
    world.first_ms = clock_wall_ms() - 1000;
    world.every_ms = 1;
    CHECK_ERR(growth_a_day(&source, &a_day), ERR_RANGE);
    CHECK(strcmp(severity_of(&source), "note") == 0);
    world.first_ms = clock_wall_ms() + DAY_MS; /* the clock was set back */
    CHECK_ERR(growth_a_day(&source, &a_day), ERR_RANGE);
}

static void the_days_that_are_left_decide(void **state)
{
    (void)state;
    struct world world;
    struct growth_source source = source_of(&world, 100, 10000);
    static const struct {
        uint64_t days;
        const char *severity;
    } cases[] = {{5, "error"}, {60, "warn"}, {400, "ok"}, {100000, "ok"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        source.free_len = cases[i].days * 1000000;
        CHECK(strcmp(severity_of(&source), cases[i].severity) == 0);
    }
    source.height = 0; /* nothing was deposited, ever */
    CHECK(strcmp(severity_of(&source), "ok") == 0);
}

static void blocks_that_can_not_be_read_are_said(void **state)
{
    (void)state;
    struct world world;
    struct growth_source source = source_of(&world, 100, 10000);
    world.err = ERR_UNREACHABLE;
    CHECK(strcmp(severity_of(&source), "warn") == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_ledger_grows_by_its_own_rate),
        cmocka_unit_test(a_young_ledger_is_judged_by_its_whole_life),
        cmocka_unit_test(below_an_hour_there_is_no_forecast),
        cmocka_unit_test(the_days_that_are_left_decide),
        cmocka_unit_test(blocks_that_can_not_be_read_are_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
