/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "canned.h"
#include "ctl/command.h"

#define PREFLIGHT                                                                                                \
    "{\"running\":false,\"report\":{\"rows\":[{\"node\":\"cucm.lab\",\"port\":8443,\"address\":\"198.18.2.11\"," \
    "\"now\":true,\"key_type\":\"RSA\",\"key\":\"RSA 2048\",\"common_name\":\"ms\",\"reason\":\"ok\"}]},"        \
    "\"ciphers\":{\"string\":\"ECDHE+AESGCM\",\"default\":false,\"lowest\":\"1.2\"}}"

static void answer_both(const char *preflight)
{
    canned_json(200, preflight);
    canned_then_json(200, "{\"entries\":[],\"more\":false}");
}

static void test_wrong_usage(void **state)
{
    assert_int_equal(CANNED_RUN(ctl_ciphers), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_ciphers, "list"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_ciphers, "explain", "--no-probe"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_ciphers, "explain", "--nonsense"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_ciphers, "explain", "--config", "/nonexistent"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_ciphers, "--help"), CTL_OK);
    assert_non_null(strstr(canned_out(), "ECDHE-RSA-AES256-GCM-SHA384:"));
}

static void test_explain(void **state)
{
    answer_both(PREFLIGHT);
    assert_int_equal(CANNED_RUN(ctl_ciphers, "explain"), CTL_OK);
    assert_non_null(strstr(canned_out(), "ciphers toward origins       ECDHE+AESGCM\n"));
    assert_non_null(strstr(canned_out(), "certificates, preferred first ECDSA RSA\n"));
    assert_non_null(strstr(canned_out(), "cucm.lab  198.18.2.11  8443  RSA 2048  ms           preflight   "
                                         "ECDSA is preferred; it has no such certificate"));
    answer_both(PREFLIGHT);
    assert_int_equal(CANNED_RUN(ctl_ciphers, "explain", "other.lab", "--json"), CTL_OK);
    assert_non_null(strstr(canned_out(), "\"origins\": []"));
    answer_both("{\"report\":null,\"ciphers\":{\"string\":\"FUTURE\",\"default\":false,\"lowest\":\"1.2\"}}");
    assert_int_equal(CANNED_RUN(ctl_ciphers, "explain"), CTL_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_explain),
    };

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
