/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ctl/when.h"

static void refuses(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "now",
        "-1",
        "1.5",
        "+1",
        "12a",
        "2026-01-02",
        "2026-01-02T03:04Z",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05Zx",
        "2026-13-02T03:04:05Z",
        "2026-02-30T03:04:05Z",
        "2026-00-02T03:04:05Z",
        "2026-01-00T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05+0200",
        "2026-01-02T03:04:05+24:00",
        "2026-1-2T03:04:05Z",
        "26-01-02T03:04:05Z",
    };
    uint64_t seconds;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(ctl_when_parse(bad[i], &seconds), ASSAY_ERR_MALFORMED);
    assert_int_equal(ctl_when_parse("1700000000000", &seconds), ASSAY_ERR_RANGE); /* milliseconds */
    assert_int_equal(ctl_when_parse("1969-12-31T23:59:59Z", &seconds), ASSAY_ERR_RANGE);
}

static void reads(void **state)
{
    static const struct {
        const char *text;
        uint64_t seconds;
    } cases[] = {
        {"0", 0},
        {"1700000000", 1700000000},
        {"31536000000", 31536000000},
        {"1970-01-01T00:00:00Z", 0},
        {"2023-11-14T22:13:20Z", 1700000000},
        {"2023-11-14t22:13:20z", 1700000000},
        {"2023-11-14 22:13:20Z", 1700000000},
        {"2023-11-14T22:13:20.999Z", 1700000000},
        {"2023-11-15T00:13:20+02:00", 1700000000},
        {"2023-11-14T16:43:20-05:30", 1700000000},
        {"2024-02-29T00:00:00Z", 1709164800},
        {"2016-12-31T23:59:60Z", 1483228800}, /* a leap second is the next one */
        {"2969-05-03T00:00:01Z", 31536000001},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t seconds = 1;

        assert_int_equal(ctl_when_parse(cases[i].text, &seconds), ASSAY_OK);
        assert_int_equal(seconds, cases[i].seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refuses), cmocka_unit_test(reads)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
