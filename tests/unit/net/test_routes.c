/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

static void refuses_what_is_no_route(void **state)
{
    static struct routes routes;

    assert_int_equal(routes_add(&routes, IP(10, 0, 0, 0), 33, 0), ASSAY_ERR_RANGE);
    assert_int_equal(routes_add(&routes, IP(10, 0, 0, 1), 8, 0), ASSAY_ERR_MALFORMED);
    assert_int_equal(routes_add(&routes, IP(0, 0, 0, 1), 0, 0), ASSAY_ERR_MALFORMED);
    assert_int_equal(routes_add(&routes, IP(10, 0, 0, 0), 8, 0), ASSAY_OK);
    assert_int_equal(routes_add(&routes, IP(10, 0, 0, 0), 8, IP(1, 2, 3, 4)), ASSAY_ERR_DUPLICATE);
    assert_int_equal(routes_add(&routes, IP(10, 0, 0, 0), 9, 0), ASSAY_OK);
    assert_int_equal(routes.count, 2);
}

static void finds_the_longest(void **state)
{
    static const struct {
        uint32_t network, gateway;
        uint8_t bits;
    } rows[] = {
        {IP(0, 0, 0, 0), IP(9, 9, 9, 1), 0},
        {IP(10, 0, 0, 0), IP(9, 9, 9, 8), 8},
        {IP(10, 1, 2, 3), IP(9, 9, 9, 32), 32},
        {IP(10, 1, 0, 0), IP(9, 9, 9, 16), 16},
        {IP(192, 168, 0, 0), 0, 24},
        {IP(128, 0, 0, 0), IP(9, 9, 9, 2), 1},
    };
    static const struct {
        uint32_t destination, gateway;
    } lookups[] = {
        {IP(10, 1, 2, 3), IP(9, 9, 9, 32)},
        {IP(10, 1, 2, 4), IP(9, 9, 9, 16)},
        {IP(10, 2, 2, 3), IP(9, 9, 9, 8)},
        {IP(11, 1, 2, 3), IP(9, 9, 9, 1)},
        {IP(192, 168, 0, 7), 0},
        {IP(192, 168, 1, 7), IP(9, 9, 9, 2)},
    };
    struct routes *routes = calloc(1, sizeof(*routes));

    assert_null(routes_find(routes, IP(10, 1, 2, 3)));
    for (size_t turn = 0; turn < 2; turn++) { /* whatever the order they come in */
        memset(routes, 0, sizeof(*routes));
        for (size_t i = 0; i < 6; i++) {
            size_t r = turn ? 5 - i : i;

            assert_int_equal(routes_add(routes, rows[r].network, rows[r].bits, rows[r].gateway), ASSAY_OK);
        }
        for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++)
            assert_int_equal(routes_find(routes, lookups[i].destination)->gateway_be, lookups[i].gateway);
    }
    free(routes);
}

static void has_an_end(void **state)
{
    struct routes *routes = calloc(1, sizeof(*routes));

    for (uint32_t i = 0; i < ROUTES_MAX; i++)
        assert_int_equal(routes_add(routes, IP(10, i / 256, i % 256, 0), 24, 1), ASSAY_OK);
    assert_int_equal(routes_add(routes, IP(11, 0, 0, 0), 24, 1), ASSAY_ERR_NO_SLOT);
    assert_null(routes_find(routes, IP(11, 0, 0, 0)));
    free(routes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_no_route),
        cmocka_unit_test(finds_the_longest),
        cmocka_unit_test(has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
