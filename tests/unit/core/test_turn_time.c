/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/turn_time.h"

#define US 1000ULL
#define S  1000000000ULL

static void a_nap_is_no_turn(void **state)
{
    struct assay_counters counters = {0};
    struct turn_time time = {0};

    turn_time_begin(&time, 5 * S, &counters); /* the first: none before it */
    assert_int_equal(turn_time_longest_ns(&time), 0);
    turn_time_begin(&time, 5 * S + 20 * US, &counters);
    turn_time_pause(&time);
    turn_time_begin(&time, 6 * S, &counters);
    assert_int_equal(turn_time_longest_ns(&time), 20 * US);
    assert_int_equal(counters.turns_100us, 0);
}

static void each_limit_counts_what_reaches_it(void **state)
{
    static const struct {
        uint64_t took_ns;
        uint64_t counts[5];
    } rows[] = {
        {100 * US - 1, {0, 0, 0, 0, 0}}, {100 * US, {1, 0, 0, 0, 0}},       {300 * US - 1, {1, 0, 0, 0, 0}},
        {300 * US, {1, 1, 0, 0, 0}},     {1000 * US - 1, {1, 1, 0, 0, 0}},  {1000 * US, {1, 1, 1, 0, 0}},
        {3000 * US, {1, 1, 1, 1, 0}},    {10000 * US - 1, {1, 1, 1, 1, 0}}, {10000 * US, {1, 1, 1, 1, 1}},
        {2 * S, {1, 1, 1, 1, 1}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct assay_counters counters = {0};
        struct turn_time time = {0};

        turn_time_begin(&time, 7 * S, &counters);
        turn_time_begin(&time, 7 * S + rows[i].took_ns, &counters);
        assert_int_equal(counters.turns_100us, rows[i].counts[0]);
        assert_int_equal(counters.turns_300us, rows[i].counts[1]);
        assert_int_equal(counters.turns_1ms, rows[i].counts[2]);
        assert_int_equal(counters.turns_3ms, rows[i].counts[3]);
        assert_int_equal(counters.turns_10ms, rows[i].counts[4]);
        assert_int_equal(turn_time_longest_ns(&time), rows[i].took_ns);
    }
}

/* It is known for one window to two, whatever came after it. */
static void the_longest_is_forgotten_after_two_windows(void **state)
{
    struct assay_counters counters = {0};
    struct turn_time time = {0};
    uint64_t now_ns = S;

    turn_time_begin(&time, now_ns, &counters);
    turn_time_begin(&time, now_ns += 400 * US, &counters);
    for (int i = 0; i < 15; i++) {
        turn_time_pause(&time);
        turn_time_begin(&time, now_ns += S, &counters);
        turn_time_begin(&time, now_ns += 30 * US, &counters);
        assert_int_equal(turn_time_longest_ns(&time), 400 * US);
    }
    for (int i = 0; i < 6; i++) {
        turn_time_pause(&time);
        turn_time_begin(&time, now_ns += S, &counters);
        turn_time_begin(&time, now_ns += 30 * US, &counters);
    }
    assert_int_equal(turn_time_longest_ns(&time), 30 * US);
    turn_time_pause(&time);
    turn_time_begin(&time, now_ns + 60 * S, &counters); /* asleep for a minute */
    assert_int_equal(turn_time_longest_ns(&time), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nap_is_no_turn),
        cmocka_unit_test(each_limit_counts_what_reaches_it),
        cmocka_unit_test(the_longest_is_forgotten_after_two_windows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
