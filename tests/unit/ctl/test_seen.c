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
#include "ctl/seen.h"

static char complaint[4096];

static int gather(const struct seen_source *source, struct seen *out)
{
    FILE *err = fmemopen(complaint, sizeof(complaint), "w");
    int code;

    memset(complaint, 0, sizeof(complaint));
    code = seen_gather(source, out, err);
    fclose(err);
    return code;
}

static void test_daemon(void **state)
{
    struct seen_source source = {.socket = canned_socket(), .probe = true};
    struct seen seen;

    canned_json(200, "{\"running\":true,\"report\":null,\"ciphers\":{\"string\":\"x\"}}");
    canned_then_json(200, "{\"entries\":[{\"host\":\"a\"}]}");
    assert_int_equal(gather(&source, &seen), CTL_OK);
    assert_memory_equal(canned_request(), "GET /v1/registry?max=100000 ", 28);
    assert_int_equal(json_array_size(seen.rows), 0);
    assert_int_equal(json_array_size(seen.entries), 1);
    assert_string_equal(json_string_value(json_object_get(seen.ciphers, "string")), "x");
    seen_free(&seen);
    canned_json(404, "{\"error\":\"no such thing\"}");
    assert_int_equal(gather(&source, &seen), CTL_REFUSED);
    assert_non_null(strstr(complaint, "no such thing"));
    source.socket = "/nonexistent";
    assert_int_equal(gather(&source, &seen), CTL_UNREACHABLE);
    seen_free(&seen);
}

static void test_config(void **state)
{
    struct seen_source source = {.config_file = "/nonexistent", .probe = false};
    struct seen seen;

    assert_int_equal(gather(&source, &seen), CTL_USAGE);
    assert_non_null(strstr(complaint, "/nonexistent: cannot be read"));
    seen_free(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_daemon),
        cmocka_unit_test(test_config),
    };

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
