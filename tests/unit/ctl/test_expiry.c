/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "canned.h"
#include "ctl/command.h"

static void test_list(void **state)
{
    canned_json(200,
                "{\"certificates\":[{\"kind\":\"origin\",\"ca\":false,\"common_name\":\"unity.steven.lab\",\"key\":"
                "\"RSA 2048\",\"where\":\"unity.steven.lab:8443\",\"sha256\":\"00112233445566778899\","
                "\"not_after\":\"2026-01-02T03:04:05Z\",\"days_left\":-3}]}");
    assert_int_equal(CANNED_RUN(ctl_expiry), CTL_REFUSED);
    assert_memory_equal(canned_request(), "GET /v1/expiry?days=30 ", 23);
    assert_non_null(strstr(canned_out(), "-3    2026-01-02T03:04:05Z  origin"));
    canned_json(200, "{\"certificates\":[]}");
    assert_int_equal(CANNED_RUN(ctl_expiry, "--days", "7"), CTL_OK);
    assert_memory_equal(canned_request(), "GET /v1/expiry?days=7 ", 22);
    assert_string_equal(canned_out(), "no certificate ends so soon\n");
}

static void test_usage(void **state)
{
    assert_int_equal(CANNED_RUN(ctl_expiry, "--help"), CTL_OK);
    assert_int_equal(CANNED_RUN(ctl_expiry, "--days", "x"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_expiry, "--days", ""), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_expiry, "--days", "123456"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_expiry, "7"), CTL_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_list), cmocka_unit_test(test_usage)};

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
