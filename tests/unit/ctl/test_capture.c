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
    assert_int_equal(CANNED_RUN(ctl_capture), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_capture, "begin"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_capture, "start"), CTL_USAGE); /* no file */
    assert_int_equal(CANNED_RUN(ctl_capture, "start", "now", "--file", "a"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_capture, "stop", "--file", "a"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_capture, "status", "--for", "1s"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_capture, "start", "--file", "a", "--for", "soon"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_capture, "start", "--file", "a", "--snaplen", "1KiB"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_capture, "start", "--file", "a", "--max-packets", "0"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_capture, "start", "--file", "a", "--max-bytes", "10MB"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_capture, "start", "--file", "a", "--max-bytes", "99999999999999999999"), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_capture, "--help"), CTL_OK);
}

static void test_start(void **state)
{
    static const char body[] = "{\"file\":\"a.pcapng\",\"filter\":\"tcp port 8443 and \\\"x\\\"\",\"snaplen\":128,"
                               "\"max_packets\":1000,\"max_bytes\":3221225472,\"for_s\":300}";

    canned_json(200, "{\"state\":\"running\",\"file\":\"/var/lib/assay/capture/a.pcapng\",\"packets\":0}");
    assert_int_equal(CANNED_RUN(ctl_capture, "start", "--file", "a.pcapng", "--filter", "tcp port 8443 and \"x\"",
                                "--snaplen", "128", "--max-packets", "1000", "--max-bytes", "3GiB", "--for", "5m"),
                     CTL_OK);
    assert_memory_equal(canned_request(), "POST /v1/capture ", 17);
    assert_non_null(strstr(canned_request(), body));
    assert_non_null(strstr(canned_out(), "capture            running\n"));
    assert_non_null(strstr(canned_out(), "/var/lib/assay/capture/a.pcapng\n"));
    canned_json(422, "{\"error\":\"syntax error\"}");
    assert_int_equal(CANNED_RUN(ctl_capture, "start", "--file", "a.pcapng"), CTL_REFUSED);
    assert_non_null(strstr(canned_request(), "{\"file\":\"a.pcapng\"}"));
}

static void test_stop_and_status(void **state)
{
    canned_json(200, "{\"state\":\"ended\",\"ended\":\"stopped\",\"packets\":5,\"dropped\":0}");
    assert_int_equal(CANNED_RUN(ctl_capture, "stop"), CTL_OK);
    assert_memory_equal(canned_request(), "DELETE /v1/capture ", 19);
    assert_non_null(strstr(canned_out(), "ended              stopped\n"));
    canned_json(200, "{\"state\":\"none\"}");
    assert_int_equal(CANNED_RUN(ctl_capture, "status"), CTL_OK);
    assert_memory_equal(canned_request(), "GET /v1/capture ", 16);
    assert_string_equal(canned_out(), "capture            none\n");
    canned_json(409, "{\"error\":\"no capture is running\"}");
    assert_int_equal(CANNED_RUN(ctl_capture, "stop", "--json"), CTL_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wrong_usage), cmocka_unit_test(test_start),
                                       cmocka_unit_test(test_stop_and_status)};

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
