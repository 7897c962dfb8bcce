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

/* RFC 9937: over the whole recovery about ssthresh / flight of what is delivered goes out. */
static void the_window_shrinks_in_proportion(void **state)
{
    struct bench b;
    struct tcp_connection *c = in_flight(&b, true);
    struct tcp_ack_sample sample = {
        .now_us = b.now_us, .fack_before = c->rack_fack, .delivered_bytes = 1000, .lost_bytes = 1000};

    sent_mark_sacked(b.tcp, c, sent_last(b.tcp, c));
    sent_mark_lost(b.tcp, c, sent_first(b.tcp, c));
    recovery_on_ack(b.tcp, c, &sample);
    assert_int_equal(c->recovery, TCP_RECOVERY_FAST);
    assert_int_equal(c->ssthresh, 7000);
    assert_int_equal(c->prr_flight, 10000);
    /* the first retransmission at once, whatever the proportion */
    assert_int_equal(c->cwnd, tcp_pipe(c) + 1000);
    recovery_on_sent(c, 1000);
    sent_mark_retransmitted(b.tcp, c, sent_first(b.tcp, c), b.now_us);
    sample.lost_bytes = 0;
    recovery_on_ack(b.tcp, c, &sample);
    /* 2000 delivered: ceil(2000 * 0.7) - 1000 sent */
    assert_int_equal(c->cwnd, tcp_pipe(c) + 400);
    bench_close(&b);
}

/* Four segments in flight, and more to send. */
static struct tcp_connection *four_in_flight(struct bench *b)
{
    static const uint8_t data[SEGMENTS * 1000];
    struct tcp_handle handle;
    struct tcp_connection *c;

    bench_open(b, NULL);
    c = bench_establish(b, &handle);
    c->cwnd = 4000;
    assert_int_equal(tcp_write(b->tcp, handle, data, sizeof(data)), sizeof(data));
    assert_int_equal(bench_flush(b), 4);
    b->now_us += 10000;
    return c;
}

/* The peer SACKs the segment that many behind the first. */
static void sack_one(struct bench *b, struct tcp_connection *c, uint32_t behind)
{
    struct tcp_ack_sample sample = {.now_us = b->now_us, .fack_before = c->rack_fack, .delivered_bytes = 1000};
    struct tcp_sent *sent = sent_first(b->tcp, c);

    while (behind-- > 0)
        sent = sent_next(b->tcp, sent);
    b->tcp->now_us = b->now_us;
    rack_delivered(c, sent, &sample);
    sent_mark_sacked(b->tcp, c, sent);
    recovery_on_ack(b->tcp, c, &sample);
    conn_want_output(b->tcp, c);
}

/* RFC 9937 §6.1: what was SACKed before will not be delivered in recovery; each ACK has let a new segment out (RFC 3042). */
static void acks_one_by_one_count_one_by_one(void **state)
{
    struct bench b;
    struct tcp_connection *c = four_in_flight(&b);

    for (uint32_t i = 1; i <= 3; i++) {
        sack_one(&b, c, i);
        assert_int_equal(bench_flush(&b), 1);
        b.now_us += 10;
    }
    assert_int_equal(c->recovery, TCP_RECOVERY_FAST);
    assert_int_equal(c->prr_delivered, 1000);
    assert_int_equal(c->prr_flight, 4000);
    assert_int_equal(b.tcp->counters.retransmits, 1);
    assert_int_equal(c->snd_nxt - c->snd_una, 6000);
    bench_close(&b);
}

/* Come in one turn they are one: the retransmission must not be all that is left in flight. */
static void acks_of_one_turn_count_as_one(void **state)
{
    struct bench b;
    struct tcp_connection *c = four_in_flight(&b);

    for (uint32_t i = 1; i <= 3; i++)
        sack_one(&b, c, i);
    assert_int_equal(c->recovery, TCP_RECOVERY_FAST);
    assert_int_equal(c->prr_delivered, 3000);
    assert_int_equal(c->prr_flight, 4000);
    assert_int_equal(c->cwnd, c->ssthresh);
    assert_int_equal(bench_flush(&b), 2);
    assert_int_equal(b.tcp->counters.retransmits, 1);
    assert_int_equal(c->snd_nxt - c->snd_una, 5000);
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

/* Undone, the loss was reordering: RACK waits from then on. A timeout may have been early for other reasons. */
static void an_undone_recovery_was_reordering(void **state)
{
    static const enum tcp_recovery rows[] = {TCP_RECOVERY_FAST, TCP_RECOVERY_LOSS};

    for (size_t i = 0; i < 2; i++) {
        struct bench b;
        struct tcp_connection *c = in_flight(&b, true);
        struct tcp_ack_sample sample = {.now_us = b.now_us, .fack_before = c->rack_fack, .all_needless = true};

        c->flags |= CONN_UNDO;
        c->undo_recovery = c->recovery = rows[i];
        c->recovery_point = c->snd_nxt;
        recovery_on_ack(b.tcp, c, &sample);
        assert_int_equal(c->recovery, TCP_RECOVERY_OPEN);
        assert_int_equal(conn_has(c, CONN_REORDERING), rows[i] == TCP_RECOVERY_FAST);
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_or_two_duplicates_are_nothing),
        cmocka_unit_test(the_third_is_a_loss_and_partial_acks_are_more),
        cmocka_unit_test(the_window_shrinks_in_proportion),
        cmocka_unit_test(acks_one_by_one_count_one_by_one),
        cmocka_unit_test(acks_of_one_turn_count_as_one),
        cmocka_unit_test(a_timeout_starts_again_with_one_segment),
        cmocka_unit_test(the_reordering_timer_finds_the_loss),
        cmocka_unit_test(an_undone_recovery_was_reordering),
        cmocka_unit_test(dsack_widening_wears_off),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
