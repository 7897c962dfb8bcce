/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/recovery.h"
#include "tcp/sent.h"

#define SEGMENTS 10

/* Ten segments of 1000 in flight, and the window they fill. */
static struct tcp_connection *in_flight(struct bench *b, bool sack)
{
    static const uint8_t data[SEGMENTS * 1000];
    struct tcp_config config;
    struct tcp_handle handle;
    struct tcp_connection *c;

    bench_config(&config);
    config.sack = sack;
    bench_open(b, &config);
    c = bench_establish(b, &handle);
    assert_int_equal(tcp_write(b->tcp, handle, data, sizeof(data)), sizeof(data));
    assert_int_equal(bench_flush(b), SEGMENTS);
    assert_int_equal(tcp_pipe(c), SEGMENTS * 1000);
    b->now_us += 10000;
    return c;
}

static void one_or_two_duplicates_are_nothing(void **state)
{
    struct bench b;
    struct tcp_connection *c = in_flight(&b, false);

    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 1);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 1);
    assert_int_equal(c->recovery, TCP_RECOVERY_OPEN);
    assert_int_equal(c->lost_bytes, 0);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 3001);
    assert_int_equal(c->dup_acks, 0);
    bench_close(&b);
}

static void the_third_is_a_loss_and_partial_acks_are_more(void **state)
{
    struct bench b;
    struct tcp_connection *c = in_flight(&b, false);

    for (int i = 0; i < 3; i++)
        bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 1);
    assert_int_equal(c->recovery, TCP_RECOVERY_FAST);
    assert_int_equal(c->ssthresh, 7000);
    assert_int_equal(bench_flush(&b), 1);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 2001);
    assert_int_equal(bench_flush(&b), 1);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 5001);
    assert_int_equal(bench_flush(&b), 1);
    assert_int_equal(b.tcp->counters.retransmits, 3);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 10001);
    assert_int_equal(c->recovery, TCP_RECOVERY_OPEN);
    assert_int_equal(c->cwnd, 7000);
    bench_close(&b);
}

/* RFC 6937: over the whole recovery about ssthresh / flight of what is delivered goes out. */
static void the_window_shrinks_in_proportion(void **state)
{
    struct bench b;
    struct tcp_connection *c = in_flight(&b, true);
    struct tcp_ack_sample sample = {
        .now_us = b.now_us, .fack_before = c->rack_fack, .delivered_bytes = 1000, .lost_bytes = 1000};
    uint32_t before = tcp_pipe(c);

    sent_mark_lost(b.tcp, c, sent_first(b.tcp, c));
    recovery_on_ack(b.tcp, c, &sample);
    assert_int_equal(c->recovery, TCP_RECOVERY_FAST);
    assert_int_equal(c->ssthresh, 7000);
    /* the first retransmission at once, whatever the proportion */
    assert_int_equal(c->cwnd, before - 1000 + 1000);
    recovery_on_sent(c, 1000);
    sent_mark_retransmitted(b.tcp, c, sent_first(b.tcp, c), b.now_us);
    sample.lost_bytes = 0;
    recovery_on_ack(b.tcp, c, &sample);
    /* 2000 delivered: ceil(2000 * 0.7) - 1000 sent */
    assert_int_equal(c->cwnd, tcp_pipe(c) + 400);
    bench_close(&b);
}

static void a_timeout_starts_again_with_one_segment(void **state)
{
    struct bench b;
    struct tcp_connection *c = in_flight(&b, false);

    recovery_on_timeout(b.tcp, c);
    assert_int_equal(c->cwnd, 1000);
    assert_int_equal(c->ssthresh, 7000);
    assert_int_equal(c->lost_bytes, 10000);
    assert_int_equal(bench_flush(&b), 0); /* nothing asked for output yet */
    conn_want_output(b.tcp, c);
    assert_int_equal(bench_flush(&b), 1);
    /* the same data again does not lower the threshold again */
    c->backoff = 1;
    c->ssthresh = 5555;
    recovery_on_timeout(b.tcp, c);
    assert_int_equal(c->ssthresh, 5555);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 1001);
    assert_int_equal(c->recovery, TCP_RECOVERY_LOSS);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 10001);
    assert_int_equal(c->recovery, TCP_RECOVERY_OPEN);
    assert_int_equal(c->lost_bytes, 0);
    bench_close(&b);
}

static void the_reordering_timer_finds_the_loss(void **state)
{
    struct bench b;
    struct tcp_connection *c = in_flight(&b, true);
    struct tcp_sent *second = sent_at(b.tcp, sent_first(b.tcp, c)->next);
    struct tcp_ack_sample sample = {.now_us = b.now_us, .fack_before = c->rack_fack};
    uint32_t wait_us;

    c->min_rtt_us = c->srtt_us = 40000;
    rack_delivered(c, second, &sample);
    sent_mark_sacked(b.tcp, c, second);
    sample.delivered_bytes = 1000;
    wait_us = recovery_on_ack(b.tcp, c, &sample);
    assert_int_equal(wait_us, 10000);
    assert_int_equal(c->recovery, TCP_RECOVERY_OPEN);
    b.now_us += wait_us;
    b.tcp->now_us = b.now_us;
    assert_int_equal(recovery_on_reorder_timer(b.tcp, c), 0);
    assert_int_equal(c->recovery, TCP_RECOVERY_FAST);
    assert_int_equal(c->lost_bytes, 1000);
    bench_close(&b);
}

static void dsack_widening_wears_off(void **state)
{
    struct bench b;
    struct tcp_connection *c = in_flight(&b, true);
    struct tcp_ack_sample sample = {.now_us = b.now_us, .fack_before = c->rack_fack};

    c->rack_reo_mult = 4;
    c->rack_reo_persist = 1;
    c->recovery = TCP_RECOVERY_FAST;
    c->recovery_point = c->snd_una;
    recovery_on_ack(b.tcp, c, &sample);
    assert_int_equal(c->rack_reo_mult, 1);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_or_two_duplicates_are_nothing),
        cmocka_unit_test(the_third_is_a_loss_and_partial_acks_are_more),
        cmocka_unit_test(the_window_shrinks_in_proportion),
        cmocka_unit_test(a_timeout_starts_again_with_one_segment),
        cmocka_unit_test(the_reordering_timer_finds_the_loss),
        cmocka_unit_test(dsack_widening_wears_off),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
