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

#define ROW(node, port, sha, key)                                                                           \
    "{\"node\":\"" node "\",\"port\":" #port ",\"sha256\":\"" sha "\",\"key_type\":\"" key                  \
    "\",\"common_name\":\"ms\","                                                                            \
    "\"self_signed\":false,\"multi_server\":true,\"issuer\":\"CA\",\"not_after\":\"2027-01-01T00:00:00Z\"," \
    "\"verdict\":\"pass\",\"reason\":\"ok\"}"
#define PREFLIGHT                                                                           \
    "{\"running\":false,\"report\":{\"rows\":[" ROW("cucm.lab", 8443, "aa", "RSA") "," ROW( \
        "cucm.lab", 8443, "bb", "EC") "," ROW("imp.lab", 8443, "cc", "RSA") "]},\"ciphers\":{}}"

static void test_wrong_usage(void **state)
{
    assert_int_equal(CANNED_RUN(ctl_certs, "a", "b"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_certs, "--filter", "colour=red"), CTL_USAGE);
    assert_non_null(strstr(canned_err(), "--filter colour=red: no such column"));
    assert_int_equal(CANNED_RUN(ctl_certs, "--filter"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_certs, "--nonsense"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_certs, "--config", "/nonexistent"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_certs, "--help"), CTL_OK);
    assert_non_null(strstr(canned_out(), "RSA and ECDSA next to each other"));
}

static void answer_both(void)
{
    canned_json(200, PREFLIGHT);
    canned_then_json(200, "{\"entries\":[],\"more\":false}");
}

static void test_view(void **state)
{
    answer_both();
    assert_int_equal(CANNED_RUN(ctl_certs), CTL_OK);
    assert_non_null(
        strstr(canned_out(), "cucm.lab  tomcat        ms           CA-signed  RSA       Multi-server (SAN)  CA"));
    assert_non_null(strstr(canned_out(), "cucm.lab  tomcat-ECDSA  ms           CA-signed  EC"));
    assert_non_null(strstr(canned_out(), "3 certificates\n"));
    answer_both();
    assert_int_equal(CANNED_RUN(ctl_certs, "IMP.lab"), CTL_OK);
    assert_null(strstr(canned_out(), "cucm.lab"));
    assert_non_null(strstr(canned_out(), "1 certificates\n"));
    answer_both();
    assert_int_equal(CANNED_RUN(ctl_certs, "--filter", "key_type=EC", "--filter", "cucm", "--json"), CTL_OK);
    assert_non_null(strstr(canned_out(), "\"sha256\": \"bb\""));
    assert_null(strstr(canned_out(), "\"sha256\": \"aa\""));
    canned_json(503, "{\"error\":\"not now\"}");
    assert_int_equal(CANNED_RUN(ctl_certs), CTL_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_view),
    };

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
