/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/recovery.h"

#define MSS 1000

static struct tcp tcp;
static struct tcp_connection c;

static int start(void **state)
{
    memset(&tcp, 0, sizeof(tcp));
    memset(&c, 0, sizeof(c));
    tcp_config_default(&tcp.config);
    tcp.now_us = 1000000;
    c.snd_mss = MSS;
    c.srtt_us = 20000;
    congestion_init(&tcp, &c);
    c.flags = CONN_CWND_LIMITED;
    return 0;
}

static void ack(uint32_t rtt_us)
{
    c.snd_una += MSS;
    hystart_on_ack(&tcp, &c, rtt_us);
    congestion_on_ack(&tcp, &c, MSS);
}

/* A whole window is sent, and acknowledged a segment at a time. */
static void whole_round(uint32_t rtt_us)
{
    uint32_t segments = c.cwnd / MSS;

    c.snd_nxt = c.snd_una + segments * MSS;
    c.hystart_end = c.snd_nxt;
    for (uint32_t i = 0; i < segments; i++)
        ack(rtt_us);
}

/* RFC 9406 §4.2: RttThresh = max(MIN_RTT_THRESH, min(lastRoundMinRTT / MIN_RTT_DIVISOR, MAX_RTT_THRESH)). */
static void the_threshold(void **state)
{
    static const struct {
        uint32_t last_us, now_us;
        enum tcp_hystart then;
    } rows[] = {
        {200, 4199, TCP_HYSTART_STANDARD},      {200, 4200, TCP_HYSTART_CONSERVATIVE},
        {20000, 23999, TCP_HYSTART_STANDARD},   {20000, 24000, TCP_HYSTART_CONSERVATIVE},
        {80000, 89999, TCP_HYSTART_STANDARD},   {80000, 90000, TCP_HYSTART_CONSERVATIVE},
        {400000, 415999, TCP_HYSTART_STANDARD}, {400000, 416000, TCP_HYSTART_CONSERVATIVE},
        {20000, 10000, TCP_HYSTART_STANDARD},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start(state);
        whole_round(rows[i].last_us);
        whole_round(rows[i].now_us);
        assert_int_equal(c.hystart, rows[i].then);
        assert_int_equal(tcp.counters.slow_start_conservative, rows[i].then == TCP_HYSTART_CONSERVATIVE);
    }
}

static void eight_samples_are_needed(void **state)
{
    whole_round(20000);
    c.snd_nxt = c.snd_una + 20 * MSS;
    c.hystart_end = c.snd_nxt;
    for (int i = 0; i < 7; i++)
        ack(40000);
    ack(0); /* measures nothing */
    assert_int_equal(c.hystart, TCP_HYSTART_STANDARD);
    ack(40000);
    assert_int_equal(c.hystart, TCP_HYSTART_CONSERVATIVE);
}

/* The smallest counts: one packet that did not wait says that there is no queue. */
static void jitter_does_not_count(void **state)
{
    whole_round(20000);
    c.snd_nxt = c.snd_una + 20 * MSS;
    c.hystart_end = c.snd_nxt;
    ack(21000);
    for (int i = 0; i < 19; i++)
        ack(90000);
    assert_int_equal(c.hystart, TCP_HYSTART_STANDARD);
    assert_int_equal(c.cwnd, 40 * MSS);
}

static void the_first_round_has_nothing_to_compare_with(void **state)
{
    whole_round(400000);
    assert_int_equal(c.hystart, TCP_HYSTART_STANDARD);
    assert_int_equal(c.cwnd, 20 * MSS);
}

/* §4.2: a quarter of the growth, for five rounds, the one in which it began among them; then congestion avoidance. */
static void conservative_for_five_rounds(void **state)
{
    uint32_t before;

    whole_round(20000);
    whole_round(30000);
    assert_int_equal(c.hystart, TCP_HYSTART_CONSERVATIVE);
    for (int i = 0; i < 3; i++) {
        before = c.cwnd / MSS * MSS;
        whole_round(30000);
        assert_int_equal(c.hystart, TCP_HYSTART_CONSERVATIVE);
        assert_in_range(c.cwnd, before + before / 4 - MSS, before + before / 4 + MSS);
    }
    assert_true(c.ssthresh > c.cwnd);
    whole_round(30000);
    assert_int_equal(c.hystart, TCP_HYSTART_OFF);
    assert_in_range(c.ssthresh, c.cwnd - MSS, c.cwnd);
    assert_int_equal(tcp.counters.slow_start_left, 1);
    before = c.cwnd;
    whole_round(90000);
    assert_in_range(c.cwnd, before, before + 3 * MSS);
}

static void full_pace_again_when_the_delay_falls(void **state)
{
    uint32_t before;

    whole_round(20000);
    whole_round(30000);
    assert_int_equal(c.hystart, TCP_HYSTART_CONSERVATIVE);
    before = c.cwnd;
    whole_round(29000);
    assert_int_equal(c.hystart, TCP_HYSTART_STANDARD);
    assert_int_equal(tcp.counters.slow_start_resumed, 1);
    assert_true(c.cwnd > before + before / 2);
    /* and it may slow down once more */
    whole_round(40000);
    assert_int_equal(c.hystart, TCP_HYSTART_CONSERVATIVE);
    assert_int_equal(c.hystart_rounds, 1);
}

static void a_loss_ends_it_for_good(void **state)
{
    whole_round(20000);
    c.snd_nxt = c.snd_una + c.cwnd;
    congestion_on_loss(&tcp, &c);
    assert_int_equal(c.hystart, TCP_HYSTART_OFF);
    c.cwnd = 2 * MSS;
    whole_round(20000);
    whole_round(60000);
    assert_int_equal(c.hystart, TCP_HYSTART_OFF);
    assert_int_equal(c.cwnd, 8 * MSS); /* below the threshold, at the pace of standard slow start */
}

/* RFC 9438 §4.9: as if nothing had happened. */
static void a_loss_that_was_none_does_not(void **state)
{
    whole_round(20000);
    c.snd_nxt = c.snd_una + c.cwnd;
    c.undo_cwnd = c.cwnd;
    c.undo_ssthresh = c.ssthresh;
    congestion_on_loss(&tcp, &c);
    congestion_undo(&c);
    assert_int_equal(c.hystart, TCP_HYSTART_STANDARD);
    assert_int_equal(c.ssthresh, c.undo_ssthresh);
    /* once over, it stays over */
    c.undo_ssthresh = 50 * MSS;
    congestion_on_loss(&tcp, &c);
    congestion_undo(&c);
    assert_int_equal(c.hystart, TCP_HYSTART_OFF);
}

static void after_idle_it_begins_anew(void **state)
{
    whole_round(20000);
    congestion_after_idle(&tcp, &c);
    assert_int_equal(c.hystart, TCP_HYSTART_STANDARD);
    whole_round(60000);
    assert_int_equal(c.hystart, TCP_HYSTART_STANDARD);
    whole_round(80000);
    assert_int_equal(c.hystart, TCP_HYSTART_CONSERVATIVE);
    congestion_on_loss(&tcp, &c);
    congestion_after_idle(&tcp, &c);
    assert_int_equal(c.hystart, TCP_HYSTART_OFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_threshold, start),
        cmocka_unit_test_setup(eight_samples_are_needed, start),
        cmocka_unit_test_setup(jitter_does_not_count, start),
        cmocka_unit_test_setup(the_first_round_has_nothing_to_compare_with, start),
        cmocka_unit_test_setup(conservative_for_five_rounds, start),
        cmocka_unit_test_setup(full_pace_again_when_the_delay_falls, start),
        cmocka_unit_test_setup(a_loss_ends_it_for_good, start),
        cmocka_unit_test_setup(a_loss_that_was_none_does_not, start),
        cmocka_unit_test_setup(after_idle_it_begins_anew, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
