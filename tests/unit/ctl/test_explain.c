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

static void test_show(void **state)
{
    canned_json(200, "{\"host\":\"a\",\"chains\":[{\"text\":\"one\\n\"},{\"text\":\"two\\n\"}]}");
    assert_int_equal(CANNED_RUN(ctl_verdicts, "show", "[2001:db8::1]:8443"), CTL_OK);
    assert_memory_equal(canned_request(), "GET /v1/explain?origin=%5B2001%3Adb8%3A%3A1%5D%3A8443 ", 54);
    assert_string_equal(canned_out(), "one\n\ntwo\n");
    canned_json(404, "{\"error\":\"no chain of that origin was seen yet\"}");
    assert_int_equal(CANNED_RUN(ctl_verdicts, "show", "a"), CTL_REFUSED);
    assert_string_equal(canned_err(), "assayctl: no chain of that origin was seen yet\n");
    assert_int_equal(CANNED_RUN(ctl_verdicts, "show"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_origins, "show", "a"), CTL_USAGE);
}

/* Each of the three names the other two. */
static void test_help(void **state)
{
    assert_int_equal(CANNED_RUN(ctl_verdicts, "--help"), CTL_OK);
    assert_non_null(strstr(canned_out(), "assayctl verify"));
    assert_non_null(strstr(canned_out(), "assayctl preflight"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_show), cmocka_unit_test(test_help)};

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
