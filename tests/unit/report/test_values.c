/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/values.h"

static void expect(json_t *value, const char *text)
{
    char *dumped = json_dumps(value, JSON_ENCODE_ANY);

    assert_string_equal(dumped, text);
    free(dumped);
    json_decref(value);
}

static void test_values(void **state)
{
    uint8_t sha256[32] = {0xab, 1};

    expect(report_number(0), "0");
    expect(report_number(UINT64_MAX), "9223372036854775807"); /* never negative */
    expect(report_time(1700000000), "\"2023-11-14T22:13:20Z\"");
    expect(report_sha256(sha256), "\"ab01000000000000000000000000000000000000000000000000000000000000\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
