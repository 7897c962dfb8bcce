/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sequence.h"

static void compares_on_the_circle(void **state)
{
    static const struct {
        uint32_t low, high;
    } rows[] = {
        {0, 1}, {0xffffffff, 0}, {0x7fffffff, 0x80000000}, {0xfffffff0, 0x7fffffe0}, {5, 0x80000004}, {1, 0x7fffffff},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t low = rows[i].low, high = rows[i].high;

        assert_true(seq_lt(low, high) && seq_le(low, high) && seq_gt(high, low) && seq_ge(high, low));
        assert_false(seq_lt(high, low) || seq_le(high, low) || seq_gt(low, high) || seq_ge(low, high));
        assert_int_equal(seq_max(low, high), high);
        assert_int_equal(seq_min(low, high), low);
    }
    assert_true(seq_le(7, 7) && seq_ge(7, 7));
    assert_false(seq_lt(7, 7) || seq_gt(7, 7));
}

static void knows_what_lies_within(void **state)
{
    assert_false(seq_within(5, 5, 5));
    assert_false(seq_within(4, 5, 9));
    assert_false(seq_within(9, 5, 9));
    assert_true(seq_within(5, 5, 9));
    assert_true(seq_within(8, 5, 9));
    assert_true(seq_within(2, 0xfffffff0, 10));
    assert_false(seq_within(10, 0xfffffff0, 10));
    assert_false(seq_within(0xffffffef, 0xfffffff0, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_on_the_circle),
        cmocka_unit_test(knows_what_lies_within),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
