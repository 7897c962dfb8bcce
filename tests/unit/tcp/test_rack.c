/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/recovery.h"
#include "tcp/sent.h"

/* Ten segments in flight, one sent each millisecond, on a path of 10 ms. */
static struct tcp_connection *in_flight(struct bench *b)
{
    static const uint8_t data[1000];
    struct tcp_handle handle;
    struct tcp_connection *c;

    bench_open(b, NULL);
    c = bench_establish(b, &handle);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(tcp_write(b->tcp, handle, data, sizeof(data)), sizeof(data));
        assert_int_equal(bench_flush(b), 1);
        b->now_us += 1000;
    }
    return c;
}

static struct tcp_sent *record(const struct bench *b, const struct tcp_connection *c, uint32_t n)
{
    struct tcp_sent *sent = sent_first(b->tcp, c);

    while (n-- > 0)
        sent = sent_at(b->tcp, sent->next);
    return sent;
}

static void nothing_delivered_nothing_lost(void **state)
{
    struct bench b;
    struct tcp_connection *c = in_flight(&b);
    uint32_t lost = 0;

    assert_int_equal(rack_detect(b.tcp, c, b.now_us + 10000000, &lost), 0);
    assert_int_equal(lost, 0);
    bench_close(&b);
}

static void what_was_sent_before_is_lost_after_the_window(void **state)
{
    struct bench b;
    struct tcp_connection *c = in_flight(&b);
    struct tcp_ack_sample sample = {.now_us = b.now_us, .fack_before = c->rack_fack};
    uint32_t lost = 0, wait_us;

    /* the third arrives: sent 8 ms ago, RTT 8 ms; the two before it have a quarter of 8 ms left */
    c->min_rtt_us = 8000;
    c->srtt_us = 8000;
    rack_delivered(c, record(&b, c, 2), &sample);
    sent_mark_sacked(b.tcp, c, record(&b, c, 2));
    assert_int_equal(c->rack_rtt_us, 8000);
    assert_int_equal(sample.rtt_us, 8000);
    wait_us = rack_detect(b.tcp, c, b.now_us, &lost);
    /* the first was sent 2 ms earlier: 10 >= 8 + 2; the second 1 ms earlier: 1 ms to go */
    assert_int_equal(lost, 1000);
    assert_int_equal(wait_us, 1000);
    wait_us = rack_detect(b.tcp, c, b.now_us + 1000, &lost);
    assert_int_equal(lost, 2000);
    assert_int_equal(wait_us, 0);
    assert_int_equal(c->lost_bytes, 2000);
    bench_close(&b);
}

static void three_sacked_close_the_window(void **state)
{
    struct bench b;
    struct tcp_connection *c = in_flight(&b);
    struct tcp_ack_sample sample = {.now_us = b.now_us, .fack_before = c->rack_fack};
    uint32_t lost = 0;

    c->min_rtt_us = c->srtt_us = 100000;
    for (uint32_t i = 1; i <= 3; i++) {
        rack_delivered(c, record(&b, c, i), &sample);
        sent_mark_sacked(b.tcp, c, record(&b, c, i));
    }
    assert_int_equal(rack_detect(b.tcp, c, b.now_us, &lost), 0);
    assert_int_equal(lost, 1000);
    bench_close(&b);
}

static void reordering_opens_it_again(void **state)
{
    struct bench b;
    struct tcp_connection *c = in_flight(&b);
    struct tcp_ack_sample sample = {.now_us = b.now_us, .fack_before = c->rack_fack};
    uint32_t lost = 0;

    c->min_rtt_us = c->srtt_us = 100000;
    for (uint32_t i = 2; i <= 5; i++) {
        rack_delivered(c, record(&b, c, i), &sample);
        sent_mark_sacked(b.tcp, c, record(&b, c, i));
    }
    /* told by the same ACK: nobody knows the order */
    rack_delivered(c, record(&b, c, 1), &sample);
    assert_false(conn_has(c, CONN_REORDERING));
    sample.fack_before = c->rack_fack;
    rack_delivered(c, record(&b, c, 1), &sample);
    sent_mark_sacked(b.tcp, c, record(&b, c, 1));
    assert_true(conn_has(c, CONN_REORDERING));
    assert_true(rack_detect(b.tcp, c, b.now_us, &lost) > 0);
    assert_int_equal(lost, 0);
    bench_close(&b);
}

static void dsacks_widen_it_once_a_round(void **state)
{
    struct tcp_ack_sample sample = {.dsack = true};
    struct tcp_connection c = {.snd_una = 100, .snd_nxt = 200, .rack_reo_mult = 1};

    rack_update_window(&c, &sample);
    assert_int_equal(c.rack_reo_mult, 2);
    assert_int_equal(c.rack_reo_persist, 16);
    rack_update_window(&c, &sample);
    assert_int_equal(c.rack_reo_mult, 2);
    c.snd_una = 200;
    c.snd_nxt = 300;
    rack_update_window(&c, &sample);
    assert_int_equal(c.rack_reo_mult, 3);
}

/* §6.2 step 2: the ACK of a retransmission that comes too soon is that of the original. */
static void an_early_ack_of_a_retransmission_is_no_sample(void **state)
{
    struct bench b;
    struct tcp_connection *c = in_flight(&b);
    struct tcp_ack_sample sample = {.now_us = b.now_us + 3000, .fack_before = c->rack_fack};

    c->min_rtt_us = 8000;
    sent_mark_lost(b.tcp, c, record(&b, c, 0));
    sent_mark_retransmitted(b.tcp, c, record(&b, c, 0), b.now_us);
    rack_delivered(c, record(&b, c, 0), &sample);
    assert_int_equal(c->rack_rtt_us, 0);
    assert_int_equal(sample.rtt_us, 0);
    sample.now_us = b.now_us + 9000;
    rack_delivered(c, record(&b, c, 0), &sample);
    assert_int_equal(c->rack_rtt_us, 9000);
    assert_int_equal(sample.rtt_us, 0); /* Karn */
    /* the timestamp tells as well */
    sample.has_ts = true;
    sample.now_us = b.now_us + 20000;
    sample.ts_echo = conn_ts_now(c, b.now_us) - 1;
    rack_delivered(c, record(&b, c, 0), &sample);
    assert_int_equal(c->rack_rtt_us, 9000);
    bench_close(&b);
}

static void a_timeout_loses_the_head_and_what_is_old(void **state)
{
    struct bench b;
    struct tcp_connection *c = in_flight(&b);

    c->rack_rtt_us = 7000;
    c->min_rtt_us = 0;
    sent_mark_sacked(b.tcp, c, record(&b, c, 4));
    rack_timeout(b.tcp, c, b.now_us);
    /* sent 10 ... 7 ms ago and more than 7 ms (and the window, zero here): the first four */
    assert_int_equal(c->lost_bytes, 4000);
    bench_close(&b);
    c = in_flight(&b);
    c->rack_rtt_us = 1000000;
    rack_timeout(b.tcp, c, b.now_us);
    assert_int_equal(c->lost_bytes, 1000);
    bench_close(&b);
    /* the head was SACKed: the peer has taken it back */
    c = in_flight(&b);
    sent_mark_sacked(b.tcp, c, record(&b, c, 0));
    sent_mark_sacked(b.tcp, c, record(&b, c, 5));
    rack_timeout(b.tcp, c, b.now_us);
    assert_int_equal(b.tcp->counters.reneged, 1);
    assert_int_equal(c->sacked_bytes, 0);
    assert_true(record(&b, c, 0)->flags & SENT_LOST);
    assert_true(record(&b, c, 5)->flags & SENT_LOST);
    bench_close(&b);
}

static void when_a_probe_may_go(void **state)
{
    struct bench b;
    struct tcp_connection *c = in_flight(&b);

    c->srtt_us = 10000;
    assert_int_equal(rack_probe_timeout_us(b.tcp, c), 20000);
    c->srtt_us = 100;
    assert_int_equal(rack_probe_timeout_us(b.tcp, c), 2 * TIMER_WHEEL_TICK_US);
    c->recovery = TCP_RECOVERY_FAST;
    assert_int_equal(rack_probe_timeout_us(b.tcp, c), 0);
    c->recovery = TCP_RECOVERY_OPEN;
    sent_mark_sacked(b.tcp, c, record(&b, c, 3));
    assert_int_equal(rack_probe_timeout_us(b.tcp, c), 0);
    bench_close(&b);
}

static void what_the_answer_to_a_probe_says(void **state)
{
    static const struct {
        bool again, dsack, duplicate;
        uint32_t ack; /* against the probe's end at 1000 */
        bool repaired, still_out;
    } rows[] = {
        {true, false, false, 900, false, true},    /* not yet */
        {true, false, false, 1000, false, true},   /* original or probe: nobody knows */
        {true, true, false, 1000, false, false},   /* both came */
        {true, false, true, 1000, false, false},   /* both came, without SACK */
        {true, false, false, 1001, true, false},   /* it goes on: the probe repaired a loss */
        {false, false, false, 1000, false, false}, /* new data proves nothing */
        {false, false, false, 2000, false, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tcp_connection c = {.snd_nxt = 1000};
        struct tcp_ack_sample sample = {.dsack = rows[i].dsack, .duplicate = rows[i].duplicate, .acked_bytes = 1};

        rack_probe_sent(&c, rows[i].again);
        assert_int_equal(rack_probe_acked(&c, rows[i].ack, &sample), rows[i].repaired);
        assert_int_equal(conn_has(&c, CONN_PROBE_OUT), rows[i].still_out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_delivered_nothing_lost),
        cmocka_unit_test(what_was_sent_before_is_lost_after_the_window),
        cmocka_unit_test(three_sacked_close_the_window),
        cmocka_unit_test(reordering_opens_it_again),
        cmocka_unit_test(dsacks_widen_it_once_a_round),
        cmocka_unit_test(an_early_ack_of_a_retransmission_is_no_sample),
        cmocka_unit_test(a_timeout_loses_the_head_and_what_is_old),
        cmocka_unit_test(when_a_probe_may_go),
        cmocka_unit_test(what_the_answer_to_a_probe_says),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
