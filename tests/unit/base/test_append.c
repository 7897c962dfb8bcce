/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/append.h"

static void what_does_not_fit_is_cut_and_terminated(void **state)
{
    char text[6];
    struct append to = append_to(text, sizeof(text));

    append_text(&to, "abc");
    append_decimal(&to, 12345);
    append_hex(&to, 0xffff, 4);
    assert_string_equal(text, "abc12");
    assert_int_equal(to.length, 5);
    to = append_to(text, 1);
    append_text(&to, "x");
    assert_string_equal(text, "");
}

static void numbers(void **state)
{
    static const struct {
        uint64_t value;
        unsigned digits;
        const char *decimal, *hex;
    } rows[] = {
        {0, 4, "0", "0000"},
        {65535, 4, "65535", "ffff"},
        {0x1abcdULL, 4, "109517", "abcd"},
        {UINT64_MAX, 16, "18446744073709551615", "ffffffffffffffff"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[40];
        struct append to = append_to(text, sizeof(text));

        append_decimal(&to, rows[i].value);
        assert_string_equal(text, rows[i].decimal);
        to = append_to(text, sizeof(text));
        append_hex(&to, rows[i].value, rows[i].digits);
        assert_string_equal(text, rows[i].hex);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_cut_and_terminated),
        cmocka_unit_test(numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
