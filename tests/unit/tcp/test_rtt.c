/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/recovery.h"

static void follows_rfc_6298(void **state)
{
    static const struct {
        uint32_t rtt_us, srtt_us, rttvar_us, rto_us;
    } rows[] = {
        /* (2.2): the first one; (2.3) after that; (2.4): never below the minimum */
        {100000, 100000, 50000, 300000}, {100000, 100000, 37500, 250000}, {100000, 100000, 28125, 212500},
        {100000, 100000, 21094, 200000}, {300000, 125000, 65821, 388284},
    };
    struct tcp tcp = {0};
    struct tcp_connection c = {0};

    tcp_config_default(&tcp.config);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rtt_sample(&tcp, &c, rows[i].rtt_us);
        assert_int_equal(c.srtt_us, rows[i].srtt_us);
        assert_in_range(c.rttvar_us, rows[i].rttvar_us - 2, rows[i].rttvar_us + 2);
        assert_in_range(c.rto_us, rows[i].rto_us - 8, rows[i].rto_us + 8);
    }
}

static void stays_within_limits(void **state)
{
    struct tcp tcp = {0};
    struct tcp_connection c = {0};

    tcp_config_default(&tcp.config);
    /* nothing measured at all counts as the smallest that can be */
    rtt_sample(&tcp, &c, 0);
    assert_int_equal(c.srtt_us, 1);
    assert_int_equal(c.rto_us, tcp.config.rto_min_us);
    for (int i = 0; i < 200; i++)
        rtt_sample(&tcp, &c, 100000000);
    assert_int_equal(c.rto_us, tcp.config.rto_max_us);
}

static void the_smallest_is_remembered_and_forgotten(void **state)
{
    struct tcp tcp = {0};
    struct tcp_connection c = {0};

    tcp_config_default(&tcp.config);
    rtt_sample(&tcp, &c, 50000);
    rtt_sample(&tcp, &c, 20000);
    rtt_sample(&tcp, &c, 30000);
    assert_in_range(c.min_rtt_us, 20000, 20010);
    for (int i = 0; i < 10000; i++)
        rtt_sample(&tcp, &c, 100000);
    assert_in_range(c.min_rtt_us, 95000, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_rfc_6298),
        cmocka_unit_test(stays_within_limits),
        cmocka_unit_test(the_smallest_is_remembered_and_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
