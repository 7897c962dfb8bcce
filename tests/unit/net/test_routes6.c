/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

static enum assay_error add(struct routes6 *routes, const char *prefix, uint8_t length, const char *gateway)
{
    struct assay_prefix p = {ip6(prefix), length};
    struct assay_address via = ip6(gateway);

    return routes6_add(routes, &p, &via);
}

static void refuses_what_is_no_route(void **state)
{
    static struct routes6 routes;

    assert_int_equal(add(&routes, "2001:db8::", 129, "::"), ASSAY_ERR_RANGE);
    assert_int_equal(add(&routes, "2001:db8::1", 32, "::"), ASSAY_ERR_MALFORMED);
    assert_int_equal(add(&routes, "::1", 0, "::"), ASSAY_ERR_MALFORMED);
    assert_int_equal(add(&routes, "2001:db8:8000::", 32, "::"), ASSAY_ERR_MALFORMED);
    assert_int_equal(add(&routes, "2001:db8:8000::", 33, "::"), ASSAY_OK);
    assert_int_equal(add(&routes, "2001:db8:8000::", 33, "fe80::1"), ASSAY_ERR_DUPLICATE);
    assert_int_equal(add(&routes, "2001:db8:8000::", 34, "::"), ASSAY_OK);
    assert_int_equal(routes.count, 2);
}

static void finds_the_longest(void **state)
{
    static const struct {
        const char *destination, *gateway; /* NULL: none */
    } lookups[] = {
        {"2001:db8:1::1", "fe80::48"}, {"2001:db8:2::1", "fe80::32"}, {"2001:db8:1::99", "fe80::128"},
        {"2001:db9::1", "fe80::0"},    {"8000::1", "fe80::1"},        {"2001:db8:1:1::7", "::"},
    };
    struct routes6 *routes = calloc(1, sizeof(*routes));

    assert_null(routes6_find(routes, &(struct assay_address){{0}}));
    assert_int_equal(add(routes, "::", 0, "fe80::0"), ASSAY_OK);
    assert_int_equal(add(routes, "2001:db8::", 32, "fe80::32"), ASSAY_OK);
    assert_int_equal(add(routes, "2001:db8:1::99", 128, "fe80::128"), ASSAY_OK);
    assert_int_equal(add(routes, "2001:db8:1::", 48, "fe80::48"), ASSAY_OK);
    assert_int_equal(add(routes, "2001:db8:1:1::", 64, "::"), ASSAY_OK);
    assert_int_equal(add(routes, "8000::", 1, "fe80::1"), ASSAY_OK);
    for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++) {
        struct assay_address to = ip6(lookups[i].destination), via = ip6(lookups[i].gateway);
        const struct route6 *route = routes6_find(routes, &to);

        if (route == NULL || !address_equal(&route->gateway, &via))
            fail_msg("%s", lookups[i].destination);
    }
    free(routes);
}

static void takes_as_many_as_it_holds(void **state)
{
    struct routes6 *routes = calloc(1, sizeof(*routes));
    struct assay_prefix p = {ip6("2001:db8::"), 64};
    struct assay_address via = ip6("fe80::1");

    for (uint32_t i = 0; i < ROUTES6_MAX; i++) {
        write_be16(p.address.bytes + 6, (uint16_t)i);
        assert_int_equal(routes6_add(routes, &p, &via), ASSAY_OK);
    }
    write_be16(p.address.bytes + 6, 0xffff);
    assert_int_equal(routes6_add(routes, &p, &via), ASSAY_ERR_NO_SLOT);
    free(routes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_no_route),
        cmocka_unit_test(finds_the_longest),
        cmocka_unit_test(takes_as_many_as_it_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
