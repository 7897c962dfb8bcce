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

#define FAILING                                                                                                   \
    "{\"considered\":4,\"enforced\":false,\"repaired\":[{\"host\":\"old.steven.lab\",\"port\":1,\"error\":\"e\"," \
    "\"last_failed\":\"2026-01-02T03:04:05Z\"}],\"failing\":[{\"host\":\"cucm.steven.lab\",\"port\":6972,"        \
    "\"address\":\"198.18.2.11\",\"error\":\"self signed certificate\",\"depth\":0,\"common_name\":\"cucm-EC\","  \
    "\"last_seen\":\"2026-01-02T03:04:05Z\",\"action\":\"trust this certificate\"}]}"
#define ENFORCED                                                                                              \
    "{\"considered\":4,\"enforced\":true,\"failing\":[],\"repaired\":[],\"published\":true,\"generation\":4," \
    "\"adopted\":true,\"adopted_ms\":0.5}"

static void refused_with_the_reason(void **state)
{
    canned_json(200, FAILING);
    assert_int_equal(CANNED_RUN(ctl_enforce), CTL_REFUSED);
    assert_memory_equal(canned_request(), "POST /v1/enforce ", 17);
    assert_non_null(strstr(canned_request(), "{\"force\":false,\"dry_run\":false}"));
    assert_non_null(strstr(canned_out(), "self signed certificate"));
    assert_non_null(strstr(canned_out(), "trust this certificate"));
    assert_non_null(strstr(canned_out(), "old.steven.lab"));
    assert_non_null(strstr(canned_out(), "4 chains of the last 24 hours, 1 would be refused\nnothing was changed"));
    canned_json(200, FAILING);
    assert_int_equal(CANNED_RUN(ctl_enforce, "--dry-run", "--origin", "cucm.steven.lab:6972", "--json"), CTL_REFUSED);
    assert_non_null(strstr(canned_request(), "\"dry_run\":true,\"origin\":\"cucm.steven.lab:6972\"}"));
}

static void done(void **state)
{
    canned_json(200, ENFORCED);
    assert_int_equal(CANNED_RUN(ctl_enforce, "--force", "--deployment", "2"), CTL_OK);
    assert_non_null(strstr(canned_request(), "{\"force\":true,\"dry_run\":false,\"deployment\":\"2\"}"));
    assert_non_null(strstr(canned_out(), "verification is enforced: generation 4, all cores after 0.500 ms\n"));
    canned_json(200, "{\"considered\":0,\"enforced\":false,\"failing\":[]}");
    assert_int_equal(CANNED_RUN(ctl_enforce, "--dry-run"), CTL_OK);
    /* what a preflight found counts as well */
    canned_json(200,
                "{\"considered\":0,\"enforced\":false,\"failing\":[],\"preflight\":[{\"host\":\"a\",\"port\":1}]}");
    assert_int_equal(CANNED_RUN(ctl_enforce, "--dry-run"), CTL_REFUSED);
}

static void usage(void **state)
{
    assert_int_equal(CANNED_RUN(ctl_enforce, "--help"), CTL_OK);
    assert_int_equal(CANNED_RUN(ctl_enforce, "now"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_enforce, "--force", "--dry-run"), CTL_USAGE);
    canned_json(400, "{\"error\":\"no\"}");
    assert_int_equal(CANNED_RUN(ctl_enforce, "--origin", "x"), CTL_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refused_with_the_reason), cmocka_unit_test(done),
                                       cmocka_unit_test(usage)};

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
