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
    static const canned_command commands[] = {ctl_origins, ctl_verdicts, ctl_connections, ctl_names};

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        assert_int_equal(CANNED_RUN(commands[i], "word"), CTL_USAGE);
        assert_int_equal(CANNED_RUN(commands[i], "--max", "x&y"), CTL_USAGE);
        assert_int_equal(CANNED_RUN(commands[i], "--max"), CTL_USAGE);
        assert_int_equal(CANNED_RUN(commands[i], "--help"), CTL_OK);
    }
    assert_int_equal(CANNED_RUN(ctl_stats, "--max", "1"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_origins, "--state", "ESTABLISHED"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_connections, "--state", "A&max=1"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_connections, "--address", ""), CTL_USAGE);
}

static void test_rows(void **state)
{
    static const struct {
        canned_command command;
        const char *path, *json, *expected;
    } cases[] = {
        {ctl_origins, "GET /v1/origins?max=5 ",
         "{\"origins\":[{\"host\":\"cucm.steven.lab\",\"port\":8443}],\"more\":true}", "cucm.steven.lab  8443"},
        {ctl_verdicts, "GET /v1/verdicts?max=5 ",
         "{\"verdicts\":[{\"identity\":\"cucm.steven.lab\",\"reason\":\"ok\"}],\"more\":true}", "cucm.steven.lab  ok"},
        {ctl_connections, "GET /v1/connections?max=5 ",
         "{\"connections\":[{\"side\":\"client\",\"local\":\"198.18.0.10\"}],\"more\":true}", "client  198.18.0.10"},
        {ctl_names, "GET /v1/names?max=5 ",
         "{\"names\":[{\"name\":\"a.lab\",\"addresses\":[\"198.18.2.11\",\"198.18.2.12\"]}],\"more\":true}",
         "a.lab  198.18.2.11,198.18.2.12"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        canned_json(200, cases[i].json);
        assert_int_equal(CANNED_RUN(cases[i].command, "--max", "5"), CTL_OK);
        assert_memory_equal(canned_request(), cases[i].path, strlen(cases[i].path));
        assert_non_null(strstr(canned_out(), cases[i].expected));
        assert_non_null(strstr(canned_out(), "(there are more: --max)"));
        canned_json(200, cases[i].json);
        assert_int_equal(CANNED_RUN(cases[i].command, "--json"), CTL_OK);
        assert_non_null(strstr(canned_out(), "\"more\": true"));
        canned_json(503, "{\"error\":\"a core did not answer in time\"}");
        assert_int_equal(CANNED_RUN(cases[i].command), CTL_REFUSED);
    }
}

static void test_connections(void **state)
{
    static const char expected[] =
        "GET /v1/connections?max=5&state=TIME-WAIT&side=origin&port=8443&address=198.18.2.0/24&sort=cwnd ";

    canned_json(200,
                "{\"connections\":[{\"side\":\"origin\",\"local\":\"198.18.0.10\",\"local_port\":30001,"
                "\"peer\":\"2001:db8::1\",\"port\":8443,\"state\":\"ESTABLISHED\",\"ssthresh\":null,\"age\":1.5}]}");
    assert_int_equal(CANNED_RUN(ctl_connections, "--state", "TIME-WAIT", "--side=origin", "--port", "8443", "--address",
                                "198.18.2.0/24", "--sort", "cwnd", "--max", "5"),
                     CTL_OK);
    assert_memory_equal(canned_request(), expected, strlen(expected));
    assert_non_null(strstr(canned_out(), "origin  198.18.0.10  30001  2001:db8::1  8443  ESTABLISHED"));
    assert_non_null(strstr(canned_out(), "1.500"));
    assert_null(strstr(canned_out(), "(there are more"));
}

static void test_stats(void **state)
{
    canned_json(
        200,
        "{\"total\":{\"proxy\":{\"requests\":5,\"sleeps\":0},\"net\":{\"drop_vlan\":3,\"drop_ip6\":0,\"dropper\":0}},"
        "\"help\":{\"proxy\":{\"requests\":\"all of them\"},\"net\":{\"drop_vlan\":\"tagged\"}}}");
    assert_int_equal(CANNED_RUN(ctl_stats), CTL_OK);
    assert_memory_equal(canned_request(), "GET /v1/stats?help=1 ", 21);
    assert_string_equal(canned_out(),
                        "proxy\n  requests                                      5  all of them\nnet\ndrops\n"
                        "  net       drop_vlan                           3  tagged\n");
    canned_json(
        200,
        "{\"total\":{\"proxy\":{\"requests\":5}},\"cores\":[{\"proxy\":{\"requests\":2}},{\"proxy\":{\"requests\":3}}],"
        "\"help\":{\"proxy\":{\"requests\":\"all of them\"}}}");
    assert_int_equal(CANNED_RUN(ctl_stats), CTL_OK);
    assert_string_equal(canned_out(), "proxy\n  requests                                      5              2"
                                      "              3  all of them\ndrops\n");
    canned_json(200, "{\"total\":{}}");
    assert_int_equal(CANNED_RUN(ctl_stats, "--json"), CTL_OK);
    assert_memory_equal(canned_request(), "GET /v1/stats ", 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wrong_usage), cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_connections), cmocka_unit_test(test_stats)};

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
