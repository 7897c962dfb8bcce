/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be said without an interface to attach to: tests/e2e/xdp_pass.sh has one. */
#include "fixture.h"

#include "net/xdp.h"

static void an_interface_that_is_not_there(void **state)
{
    struct net_address own = {address_from_ip4_be(IP(198, 18, 0, 10)), 96 + 15};

    assert_int_equal(xdp_clear("no_such_if"), ASSAY_ERR_NOT_FOUND);
    assert_int_equal(xdp_clear(""), ASSAY_ERR_NOT_FOUND);
    assert_int_equal(xdp_fill("no_such_if", &own, 1, 0), ASSAY_ERR_NOT_FOUND);
}

static void an_interface_without_a_program(void **state)
{
    struct net_address own = {address_from_ip4_be(IP(198, 18, 0, 10)), 96 + 15};

    assert_int_equal(xdp_clear("lo"), ASSAY_OK);
    assert_int_equal(xdp_fill("lo", &own, 1, 0), ASSAY_ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interface_that_is_not_there),
        cmocka_unit_test(an_interface_without_a_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
