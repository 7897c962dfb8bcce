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

#define DONE "{\"mode\":\"permissive\",\"published\":true,\"generation\":4,\"adopted\":true,\"adopted_ms\":0.5}"

static const char *body(void)
{
    return strstr(canned_request(), "\r\n\r\n") + 4;
}

static void test_wrong_usage(void **state)
{
    static const char *const sets[][5] = {{NULL},
                                          {"verify"},
                                          {"verify", "maybe"},
                                          {"verify", "on", "off"},
                                          {"trust", "on"},
                                          {"verify", "off", "--for",
                                           "4"
                                           "x"},
                                          {"verify", "off", "--for", "0"},
                                          {"verify", "off", "--for", "-4h"},
                                          {"verify", "off", "--for", "4hh"},
                                          {"verify", "off", "--for", "400d"}};
    static const char *const words[][5] = {{NULL},
                                           {"EdgeConfigServer", "VerifyOriginServer:"},
                                           {"EdgeConfigServer", "VerifyOriginServer", "Off"},
                                           {"EdgeConfigServer", "VerifyOriginServer:", "Maybe"},
                                           {"Other", "VerifyOriginServer:", "Off"}};

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
        assert_int_equal(canned_run(ctl_set, sets[i]), CTL_USAGE);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_int_equal(canned_run(ctl_xconfiguration, words[i]), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_set, "--help"), CTL_OK);
    assert_int_equal(CANNED_RUN(ctl_xconfiguration, "--help"), CTL_OK);
}

static void test_modes_and_durations(void **state)
{
    static const struct {
        const char *mode, *duration, *body;
    } cases[] = {
        {"off", "4h", "{\"mode\":\"off\",\"for_s\":14400}"},
        {"on", "30s", "{\"mode\":\"on\",\"for_s\":30}"},
        {"disabled", "15m", "{\"mode\":\"disabled\",\"for_s\":900}"},
        {"permissive", "2d", "{\"mode\":\"permissive\",\"for_s\":172800}"},
        {"enforced", "90", "{\"mode\":\"enforced\",\"for_s\":90}"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        canned_json(200, DONE);
        assert_int_equal(CANNED_RUN(ctl_set, "verify", cases[i].mode, "--for", cases[i].duration), CTL_OK);
        assert_string_equal(body(), cases[i].body);
    }
    canned_json(200, DONE);
    assert_int_equal(CANNED_RUN(ctl_set, "verify", "off"), CTL_OK);
    assert_string_equal(canned_out(), "verification permissive: generation 4, all cores after 0.500 ms\n");
    canned_json(200, DONE);
    assert_int_equal(CANNED_RUN(ctl_set, "verify", "off", "--json"), CTL_OK);
    assert_non_null(strstr(canned_out(), "\"mode\": \"permissive\""));
}

static void test_whose(void **state)
{
    canned_json(200, DONE);
    assert_int_equal(CANNED_RUN(ctl_set, "verify", "off", "--deployment", "Berlin \"2\""), CTL_OK);
    assert_string_equal(body(), "{\"mode\":\"off\",\"for_s\":0,\"deployment\":\"Berlin \\\"2\\\"\"}");
    assert_string_equal(canned_out(),
                        "verification permissive in deployment Berlin \"2\": generation 4, all cores after 0.500 ms\n");
    canned_json(200, DONE);
    assert_int_equal(CANNED_RUN(ctl_set, "verify", "inherit", "--origin=cucm.steven.lab:6972"), CTL_OK);
    assert_string_equal(body(), "{\"mode\":\"inherit\",\"for_s\":0,\"origin\":\"cucm.steven.lab:6972\"}");
    assert_non_null(strstr(canned_out(), " for cucm.steven.lab:6972: "));
    assert_int_equal(CANNED_RUN(ctl_set, "verify", "off", "--deployment", "\xff"), CTL_USAGE);
}

/* MRA S6, as operators type it. */
static void test_alias(void **state)
{
    canned_json(200, DONE);
    assert_int_equal(CANNED_RUN(ctl_xconfiguration, "EdgeConfigServer", "VerifyOriginServer:", "Off"), CTL_OK);
    assert_string_equal(body(), "{\"mode\":\"off\",\"for_s\":0}");
    canned_json(200, DONE);
    assert_int_equal(CANNED_RUN(ctl_xconfiguration, "edgeconfigserver", "verifyoriginserver:", "on", "--for", "1h"),
                     CTL_OK);
    assert_string_equal(body(), "{\"mode\":\"on\",\"for_s\":3600}");
    canned_json(422, "{\"error\":\"refused\"}");
    assert_int_equal(CANNED_RUN(ctl_xconfiguration, "EdgeConfigServer", "VerifyOriginServer:", "Off"), CTL_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wrong_usage), cmocka_unit_test(test_modes_and_durations),
                                       cmocka_unit_test(test_whose), cmocka_unit_test(test_alias)};

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
