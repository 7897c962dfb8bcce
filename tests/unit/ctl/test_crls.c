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

static void test_wrong_usage(void **state)
{
    assert_int_equal(CANNED_RUN(ctl_crls, "fetch", "now"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_crls, "delete"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_crls, "--max", "3"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_crls, "--help"), CTL_OK);
}

static void test_lists(void **state)
{
    static const char rows[] =
        "{\"crls\":[{\"source\":\"http://a/x.crl\",\"issuer_name\":\"CA\",\"number\":\"12\",\"this_update\":\"2023\","
        "\"next_update\":\"2024\",\"entries\":3,\"error\":\"\"},"
        "{\"source\":\"http://b/y.crl\",\"error\":\"the server answered 404\"}]}";

    canned_json(200, rows);
    assert_int_equal(CANNED_RUN(ctl_crls), CTL_OK);
    assert_non_null(strstr(canned_request(), "GET /v1/crls "));
    assert_non_null(strstr(canned_out(), "http://a/x.crl  CA"));
    assert_non_null(strstr(canned_out(), "the server answered 404"));
    canned_json(200, rows);
    assert_int_equal(CANNED_RUN(ctl_crls, "--json"), CTL_OK);
    assert_non_null(strstr(canned_out(), "\"entries\": 3"));
}

static void test_fetches(void **state)
{
    canned_json(200, "{\"asked\":2}");
    assert_int_equal(CANNED_RUN(ctl_crls, "fetch"), CTL_OK);
    assert_non_null(strstr(canned_request(), "POST /v1/crls "));
    assert_string_equal(canned_out(), "2 are asked for\n");
    canned_json(409, "{\"error\":\"nothing is fetched\"}");
    assert_int_equal(CANNED_RUN(ctl_crls, "fetch"), CTL_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wrong_usage), cmocka_unit_test(test_lists),
                                       cmocka_unit_test(test_fetches)};

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
