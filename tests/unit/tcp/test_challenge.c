/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/input.h"

#define MAX 100

static void open_with_budget(struct bench *b, uint32_t max, uint8_t secret)
{
    struct tcp_config config;

    bench_config(&config);
    config.challenge_acks_max = max;
    config.connections_max = 64;
    config.secret[5] ^= secret;
    bench_open(b, &config);
}

/* Challenges 64 connections again and again within one second; how many are answered. */
static uint32_t storm(struct bench *b, uint32_t each)
{
    static struct tcp_connection *c[64];
    uint64_t before = b->tcp->counters.challenge_acks;

    for (uint32_t i = 0; i < 64; i++) {
        c[i] = conn_new(b->tcp);
        assert_non_null(c[i]);
    }
    for (uint32_t i = 0; i < 64 * each; i++)
        input_challenge(b->tcp, c[i % 64]);
    for (uint32_t i = 0; i < 64; i++)
        conn_free(b->tcp, c[i]);
    return (uint32_t)(b->tcp->counters.challenge_acks - before);
}

/* RFC 5961 §7: ten in five seconds, whatever the others do. */
static void each_connection_has_its_limit(void **state)
{
    struct tcp_connection *c;
    struct bench b;

    open_with_budget(&b, 0, 0);
    b.tcp->now_us = 10000000;
    c = conn_new(b.tcp);
    for (int i = 0; i < 12; i++)
        input_challenge(b.tcp, c);
    assert_int_equal(b.tcp->counters.challenge_acks, 10);
    assert_int_equal(b.tcp->counters.challenge_acks_limited, 2);
    b.tcp->now_us += 4999000;
    input_challenge(b.tcp, c);
    assert_int_equal(b.tcp->counters.challenge_acks, 10);
    b.tcp->now_us += 1000;
    input_challenge(b.tcp, c);
    assert_int_equal(b.tcp->counters.challenge_acks, 11);
    conn_free(b.tcp, c);
    /* 0: no limit for all together */
    assert_int_equal(storm(&b, 10), 640);
    assert_int_equal(b.tcp->counters.challenge_acks_over_budget, 0);
    bench_close(&b);
}

/* RFC 5961 §10, and CVE-2016-5696: the budget of a second lies between half and one and a half times what is configured, and
 * is another one each second and under each secret. */
static void all_together_have_a_budget_nobody_knows(void **state)
{
    uint32_t seen[2][20], same_in_time = 0, same_by_secret = 0, sum = 0;

    for (uint8_t secret = 0; secret < 2; secret++) {
        struct bench b;

        open_with_budget(&b, MAX, secret);
        for (uint32_t second = 0; second < 20; second++) {
            seen[secret][second] = storm(&b, 4);
            assert_in_range(seen[secret][second], MAX / 2, MAX + MAX / 2);
            /* nothing more in the same second */
            assert_int_equal(storm(&b, 1), 0);
            b.tcp->now_us += 1000000;
        }
        assert_true(b.tcp->counters.challenge_acks_over_budget >= 20 * (256 - MAX - MAX / 2));
        bench_close(&b);
    }
    for (uint32_t i = 0; i < 20; i++) {
        same_in_time += i > 0 && seen[0][i] == seen[0][i - 1];
        same_by_secret += seen[0][i] == seen[1][i];
        sum += seen[0][i];
    }
    assert_true(same_in_time <= 3 && same_by_secret <= 3);
    assert_in_range(sum / 20, MAX * 3 / 4, MAX * 5 / 4);
}

static void a_budget_of_one_is_one(void **state)
{
    struct bench b;

    open_with_budget(&b, 1, 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(storm(&b, 1), 1);
        b.tcp->now_us += 1000000;
    }
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_connection_has_its_limit),
        cmocka_unit_test(all_together_have_a_budget_nobody_knows),
        cmocka_unit_test(a_budget_of_one_is_one),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
