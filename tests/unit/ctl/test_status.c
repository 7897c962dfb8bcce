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

#define STATUS                                                                                                         \
    "{\"version\":\"0.1.0\",\"pid\":7,\"uptime_s\":5,\"config\":\"a.yaml\",\"generation\":3,\"ready\":%s,"             \
    "\"verify\":{\"mode\":\"permissive\",\"properties\":\"all\",\"switched\":true,\"until\":\"2026-01-02T03:04:05Z\"}" \
    ","                                                                                                                \
    "\"trusted_certificates\":2,\"rules\":9,\"reloads\":1,\"reloads_refused\":0,"                                      \
    "\"listeners\":[{\"address\":\"198.18.0.10\",\"port\":8443,\"tls\":true}],"                                        \
    "\"cores\":[{\"core\":0,\"generation\":3,\"heap_bytes\":10,\"heap_bytes_peak\":20,\"turn_longest_us\":412}],"      \
    "\"memory\":{\"buffers_in_use\":12},\"alarms\":[\"one\",\"two\"]}"

static void test_status(void **state)
{
    static const char *const parts[] = {
        "generation             3\n",
        "verification           permissive, properties all, switched by hand until 2026-01-02T03:04:05Z\n",
        "longest turn, us\n",
        "20    412\n",
        "packet buffers in use  12\n",
        "198.18.0.10  8443  yes\n",
        "ALARM: one\nALARM: two\n"};
    char json[2048];

    snprintf(json, sizeof(json), STATUS, "true");
    canned_json(200, json);
    assert_int_equal(CANNED_RUN(ctl_status), CTL_OK);
    assert_memory_equal(canned_request(), "GET /v1/status ", 15);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (strstr(canned_out(), parts[i]) == NULL)
            fail_msg("'%s' is not in\n%s", parts[i], canned_out());
    snprintf(json, sizeof(json), STATUS, "false");
    canned_json(200, json);
    assert_int_equal(CANNED_RUN(ctl_status, "--json"), CTL_REFUSED); /* not ready */
    assert_non_null(strstr(canned_out(), "\"ready\": false"));
    canned_json(200, "{}"); /* an older daemon: nothing is where it is expected */
    assert_int_equal(CANNED_RUN(ctl_status, "--json"), CTL_REFUSED);
    assert_int_equal(CANNED_RUN(ctl_status, "--help"), CTL_OK);
    assert_int_equal(CANNED_RUN(ctl_status, "--nonsense"), CTL_USAGE);
}

static void test_reload(void **state)
{
    canned_json(200, "{\"published\":true,\"generation\":4,\"adopted\":true,\"adopted_ms\":0.5}");
    assert_int_equal(CANNED_RUN(ctl_reload), CTL_OK);
    assert_memory_equal(canned_request(), "POST /v1/reload ", 16);
    assert_string_equal(canned_out(), "generation 4, all cores after 0.500 ms\n");
    canned_json(422, "{\"error\":\"refused: nothing was changed\",\"problems\":[\"a.yaml:3: via: is there twice\"]}");
    assert_int_equal(CANNED_RUN(ctl_reload), CTL_REFUSED);
    assert_string_equal(canned_err(), "a.yaml:3: via: is there twice\nassayctl: refused: nothing was changed\n");
    assert_int_equal(CANNED_RUN(ctl_reload, "--help"), CTL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_status), cmocka_unit_test(test_reload)};

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
