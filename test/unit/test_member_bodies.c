#include "modules/member/member.h"

#include "fake_rules.h"

static void bodies_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct buf out = {0};
    struct hash id = {{9}};
    struct new_key key = {.possession = bytes_text("p"),
                          .rp_id = bytes_text("r"),
                          .origin_count = 2,
                          .origins = {bytes_text("o"), bytes_text("q")},
                          .name_count = 1,
                          .names = {bytes_text("n")}};
    struct member_register enter = {.member = bytes_text("x"),
                                    .kind = MEMBER_PERSON,
                                    .institution = bytes_text("bank"),
                                    .role_count = 1,
                                    .roles = {bytes_text("bank")},
                                    .key_count = 1};
    enter.keys[0] = key;
    enter.keys[enter.key_count++] = (struct new_key){.possession = bytes_text("p")};
    struct member_add_key add = {bytes_text("x"), key};
    struct member_rotate rotate = {id, key};
    struct member_revoke revoke = {bytes_text("x"), true, id, bytes_text("r")};
    struct member_revoke leave = {.member = bytes_text("x"), .reason = bytes_text("r")};
    struct member_roles roles = {bytes_text("x"), 2, {bytes_text("a"), bytes_text("b")}};
    struct member_reference reference = {id};
    struct member_mandate mandate = {bytes_text("x"), 1, {bytes_text("a.b")}, 77};

#define ROUND_TRIP(name, type, body)                                    \
    do {                                                                \
        struct type parsed;                                             \
        struct buf again = {0};                                         \
        out.len = 0;                                                    \
        name##_write(&out, body);                                       \
        CHECK_WHOLE(name##_parse, &parsed, buf_bytes(&out));            \
        CHECK_OK(name##_parse(&parsed, buf_bytes(&out)));               \
        name##_write(&again, &parsed);                                  \
        CHECK_BYTES(buf_bytes(&again), buf_bytes(&out));                \
        out.at[1] = 2; /* the version */                                \
        CHECK_ERR(name##_parse(&parsed, buf_bytes(&out)), ERR_VERSION); \
        buf_clear(&again);                                              \
    } while (0)
    ROUND_TRIP(member_register, member_register, &enter);
    ROUND_TRIP(member_add_key, member_add_key, &add);
    ROUND_TRIP(member_rotate, member_rotate, &rotate);
    ROUND_TRIP(member_revoke, member_revoke, &revoke);
    ROUND_TRIP(member_revoke, member_revoke, &leave);
    ROUND_TRIP(member_roles, member_roles, &roles);
    ROUND_TRIP(member_reference, member_reference, &reference);
    ROUND_TRIP(member_mandate, member_mandate, &mandate);
    buf_clear(&out);
}

/* Examples of every body, as docs/protocol.md and other implementations have them. */
static void bodies_have_these_bytes(void **state)
{
    (void)state;
    struct buf out = {0};
    struct hash id = {{0xaa}};
    struct new_key key = {.possession = hex("d284")};
    struct member_register enter = {.member = bytes_text("b"),
                                    .kind = MEMBER_PERSON,
                                    .institution = bytes_text("a"),
                                    .role_count = 1,
                                    .roles = {bytes_text("bank")},
                                    .key_count = 1,
                                    .keys = {key}};
    member_register_write(&out, &enter);
    CHECK_BYTES(buf_bytes(&out), hex("86016162026161816462616e6b818342d284f6f6"));
    out.len = 0;
    struct member_revoke revoke = {.member = bytes_text("b"), .reason = bytes_text("left")};
    member_revoke_write(&out, &revoke);
    CHECK_BYTES(buf_bytes(&out), hex("84016162f6646c656674"));
    out.len = 0;
    struct member_reference reference = {id};
    member_reference_write(&out, &reference);
    CHECK_BYTES(buf_bytes(&out),
                hex("82015820aa00000000000000000000000000000000000000000000000000000000000000"));
    out.len = 0;
    struct member_mandate mandate = {bytes_text("b"), 1, {bytes_text("evidence.*")}, 1000};
    member_mandate_write(&out, &mandate);
    CHECK_BYTES(buf_bytes(&out), hex("84016162816a65766964656e63652e2a1903e8"));
    buf_clear(&out);
}

static void bodies_with_too_much_are_out_of_range(void **state)
{
    (void)state;
    struct member_register enter;
    struct member_revoke revoke;
    struct member_mandate mandate;
    /* kind 0 and 5, no role, no key, nine keys, an empty reason, no action */
    CHECK_ERR(member_register_parse(&enter, hex("8601616200f6816462616e6b818342d284f6f6")),
              ERR_RANGE);
    CHECK_ERR(member_register_parse(&enter, hex("8601616205f6816462616e6b818342d284f6f6")),
              ERR_RANGE);
    CHECK_ERR(member_register_parse(&enter, hex("8601616202f680818342d284f6f6")), ERR_RANGE);
    CHECK_ERR(member_register_parse(&enter, hex("8601616202f6816462616e6b80")), ERR_RANGE);
    CHECK_ERR(member_register_parse(&enter, hex("8601616202f6816462616e6b89")), ERR_RANGE);
    CHECK_ERR(member_revoke_parse(&revoke, hex("84016162f660")), ERR_RANGE);
    CHECK_ERR(member_mandate_parse(&mandate, hex("84016162801903e8")), ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_read_whole_or_not_at_all),
        cmocka_unit_test(bodies_have_these_bytes),
        cmocka_unit_test(bodies_with_too_much_are_out_of_range),
    };
    return cmocka_run_group_tests_name("member bodies", tests, NULL, NULL);
}
