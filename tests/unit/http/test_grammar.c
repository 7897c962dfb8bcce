/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/grammar.h"

/* The classes, said again in another way than the table says them. */
static void classes(void **state)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char hex[] = "0123456789abcdefABCDEF";

    for (unsigned c = 0; c < 256; c++) {
        assert_int_equal(http_byte_is((uint8_t)c, HTTP_CLASS_TOKEN), memchr(token, (int)c, sizeof(token) - 1) != NULL);
        assert_int_equal(http_byte_is((uint8_t)c, HTTP_CLASS_HEX), memchr(hex, (int)c, sizeof(hex) - 1) != NULL);
        assert_int_equal(http_byte_is((uint8_t)c, HTTP_CLASS_DIGIT), c >= '0' && c <= '9');
        assert_int_equal(http_byte_is((uint8_t)c, HTTP_CLASS_TARGET), c > 0x20 && c < 0x7f && c != '#');
        assert_int_equal(http_byte_is((uint8_t)c, HTTP_CLASS_VALUE), c == 9 || (c >= 0x20 && c != 0x7f));
    }
}

static void trims_only_optional_white_space(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {{"", ""}, {" \t ", ""}, {" a\t b \t", "a\t b"}, {"\va", "\va"}, {"\xa0", "\xa0"}, {"a\f", "a\f"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_true(slice_is(http_trim(slice_text(rows[i].in)), rows[i].out));
}

static void spans_and_digits(void **state)
{
    assert_int_equal(http_span(slice_text("GET /"), HTTP_CLASS_TOKEN), 3);
    assert_int_equal(http_span(slice_of(NULL, 0), HTTP_CLASS_TOKEN), 0);
    assert_false(http_is_token(slice_of(NULL, 0)));
    assert_false(http_is_token(slice_text("a b")));
    assert_true(http_is_token(slice_text("x-a")));
    assert_int_equal(http_hex('0'), 0);
    assert_int_equal(http_hex('9'), 9);
    assert_int_equal(http_hex('a'), 10);
    assert_int_equal(http_hex('F'), 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes),
        cmocka_unit_test(trims_only_optional_white_space),
        cmocka_unit_test(spans_and_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
