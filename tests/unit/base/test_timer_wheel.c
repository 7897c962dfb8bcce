/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/timer_wheel.h"

#define TICK TIMER_WHEEL_TICK_US

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static void an_empty_wheel_has_nothing(void **state)
{
    struct timer_wheel wheel;
    struct timer_node node = {0};

    timer_wheel_init(&wheel, 12345678);
    assert_null(timer_wheel_expire(&wheel, 12345678));
    assert_null(timer_wheel_expire(&wheel, UINT64_C(1) << 50));
    assert_int_equal(timer_wheel_next_us(&wheel), UINT64_MAX);
    /* Cancelling what is not armed is nothing. */
    timer_wheel_cancel(&wheel, &node);
    assert_false(timer_armed(&node));
}

/* Never early, at most a tick late, however far away: each distance from several starting points. */
static void fires_in_time(void **state)
{
    static const uint64_t starts[] = {
        1, TICK - 1, 63 * TICK, 64 * TICK - 1, 4095 * TICK, (UINT64_C(1) << 30) * TICK - 1, UINT64_C(123456789012)};
    static const uint64_t distances[] = {1,
                                         TICK - 1,
                                         TICK,
                                         TICK + 1,
                                         63 * TICK,
                                         64 * TICK,
                                         65 * TICK + 17,
                                         4095 * TICK,
                                         4096 * TICK,
                                         4097 * TICK + 1,
                                         262144 * TICK,
                                         40000000 * UINT64_C(1000),
                                         (UINT64_C(1) << 31) * TICK};

    for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++)
        for (size_t d = 0; d < sizeof(distances) / sizeof(distances[0]); d++) {
            uint64_t due_us = starts[s] + distances[d];
            struct timer_wheel wheel;
            struct timer_node node = {0};

            timer_wheel_init(&wheel, starts[s]);
            timer_wheel_arm(&wheel, &node, due_us);
            assert_true(timer_armed(&node));
            assert_true(timer_wheel_next_us(&wheel) <= due_us + TICK);
            assert_null(timer_wheel_expire(&wheel, starts[s]));
            assert_null(timer_wheel_expire(&wheel, starts[s] + distances[d] / 2));
            assert_null(timer_wheel_expire(&wheel, due_us - 1));
            assert_ptr_equal(timer_wheel_expire(&wheel, due_us + TICK - 1), &node);
            assert_false(timer_armed(&node));
            assert_null(timer_wheel_expire(&wheel, due_us + TICK));
        }
}

static void the_past_is_due_at_once(void **state)
{
    struct timer_wheel wheel;
    struct timer_node first = {0}, second = {0};

    timer_wheel_init(&wheel, 5000000);
    assert_null(timer_wheel_expire(&wheel, 5000000));
    timer_wheel_arm(&wheel, &first, 1);
    timer_wheel_arm(&wheel, &second, 4999999);
    assert_int_equal(timer_wheel_next_us(&wheel), 0);
    timer_wheel_cancel(&wheel, &first);
    assert_ptr_equal(timer_wheel_expire(&wheel, 5000000), &second);
    assert_null(timer_wheel_expire(&wheel, 5000000));
}

static void rearming_moves_it(void **state)
{
    struct timer_wheel wheel;
    struct timer_node node = {0};

    timer_wheel_init(&wheel, 0);
    timer_wheel_arm(&wheel, &node, 10 * TICK);
    timer_wheel_arm(&wheel, &node, 500 * TICK);
    assert_null(timer_wheel_expire(&wheel, 499 * TICK));
    timer_wheel_arm(&wheel, &node, 499 * TICK + 1);
    assert_ptr_equal(timer_wheel_expire(&wheel, 501 * TICK), &node);
    timer_wheel_arm(&wheel, &node, 600 * TICK);
    timer_wheel_cancel(&wheel, &node);
    assert_int_equal(timer_wheel_next_us(&wheel), UINT64_MAX);
    assert_null(timer_wheel_expire(&wheel, 10000 * TICK));
}

/* A burst that is due together may be cancelled from within, as when one timer's work ends another's owner. */
static void the_expired_can_be_cancelled(void **state)
{
    struct timer_wheel wheel;
    struct timer_node nodes[8] = {0};
    uint32_t seen = 0;

    timer_wheel_init(&wheel, 0);
    for (int i = 0; i < 8; i++)
        timer_wheel_arm(&wheel, &nodes[i], 5 * TICK);
    while (timer_wheel_expire(&wheel, 5 * TICK)) {
        seen++;
        for (int i = 0; i < 8; i += 2)
            timer_wheel_cancel(&wheel, &nodes[i]);
    }
    assert_in_range(seen, 4, 5);
}

/* Against a plain array: thousands of random arms, cancels and steps of every size. */
static void agrees_with_a_list(void **state)
{
    enum { NODES = 300 };
    struct timer_node *nodes = calloc(NODES, sizeof(*nodes)), *node;
    struct timer_wheel wheel;
    uint64_t random = 42, now_us = 777777;

    timer_wheel_init(&wheel, now_us);
    for (int round = 0; round < 20000; round++) {
        struct timer_node *one = &nodes[next_random(&random) % NODES];
        uint64_t next_us = timer_wheel_next_us(&wheel), last_tick = 0;

        if (next_random(&random) % 4 == 0)
            timer_wheel_cancel(&wheel, one);
        else
            timer_wheel_arm(&wheel, one, now_us + next_random(&random) % (UINT64_C(1) << next_random(&random) % 36));
        if (next_random(&random) % 8 == 0)
            now_us = next_us != UINT64_MAX && next_us > now_us ? next_us : now_us + next_random(&random) % 100000;
        while ((node = timer_wheel_expire(&wheel, now_us)) != NULL) {
            uint64_t tick = (node->due_us + TICK - 1) / TICK;

            assert_true(node->due_us <= now_us);
            assert_true(tick >= last_tick);
            last_tick = tick;
        }
        for (int i = 0; i < NODES; i++)
            if (timer_armed(&nodes[i]))
                assert_true(nodes[i].due_us > now_us - now_us % TICK);
    }
    free(nodes);
}

/* All nodes of a slot move at once. However a hundred thousand timers of a minute or so lie, and whatever boundary the wheel is
 * about to cross: no slot ever holds many. */
static void no_move_is_long(void **state)
{
    enum { NODES = 100000, SPAN_MS = 75000 };
    static const uint64_t starts_ms[] = {1, 262144 - 10, (UINT64_C(1) << 24) - 1, (UINT64_C(1) << 36) - 40000};
    struct timer_node *nodes = calloc(NODES, sizeof(*nodes));
    struct timer_wheel *wheel = calloc(1, sizeof(*wheel));

    for (size_t s = 0; s < sizeof(starts_ms) / sizeof(starts_ms[0]); s++) {
        uint64_t now_us = starts_ms[s] * TICK;
        uint32_t fired = 0, most = 0;

        timer_wheel_init(wheel, now_us);
        for (uint32_t i = 0; i < NODES; i++)
            timer_wheel_arm(wheel, &nodes[i], now_us + (uint64_t)SPAN_MS * TICK * i / NODES);
        for (uint32_t step = 0; step <= 80; step++) {
            for (uint32_t slot = 0; slot < TIMER_WHEEL_SLOTS; slot++) {
                uint32_t held = 0;

                for (const struct timer_node *node = wheel->slots[slot]; node; node = node->next)
                    held++;
                most = held > most ? held : most;
            }
            while (timer_wheel_expire(wheel, now_us))
                fired++;
            now_us += 1000 * TICK;
        }
        assert_int_equal(fired, NODES);
        assert_in_range(most, 1, (uint64_t)NODES * 64 / SPAN_MS * 2);
    }
    free(nodes);
    free(wheel);
}

/* The second level has words of its own: the next timer is found wherever it lies on it, round the end too. */
static void the_next_is_found_from_anywhere(void **state)
{
    struct timer_wheel *wheel = calloc(1, sizeof(*wheel));
    uint64_t random = 7;

    for (int round = 0; round < 5000; round++) {
        uint64_t now_us = (next_random(&random) % (UINT64_C(1) << 30)) * TICK, first_us = UINT64_MAX;
        struct timer_node nodes[3] = {0};

        timer_wheel_init(wheel, now_us);
        for (int i = 0; i < 3; i++) {
            uint64_t due_us = now_us + (64 + next_random(&random) % 262000) * TICK;

            timer_wheel_arm(wheel, &nodes[i], due_us);
            first_us = due_us < first_us ? due_us : first_us;
        }
        /* never late, and early by a slot at the most */
        assert_in_range(timer_wheel_next_us(wheel), first_us - 64 * TICK, first_us);
        assert_null(timer_wheel_expire(wheel, first_us - TICK));
        assert_int_equal(timer_wheel_expire(wheel, first_us)->due_us, first_us);
    }
    free(wheel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_wheel_has_nothing),
        cmocka_unit_test(fires_in_time),
        cmocka_unit_test(the_past_is_due_at_once),
        cmocka_unit_test(rearming_moves_it),
        cmocka_unit_test(the_expired_can_be_cancelled),
        cmocka_unit_test(agrees_with_a_list),
        cmocka_unit_test(no_move_is_long),
        cmocka_unit_test(the_next_is_found_from_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
