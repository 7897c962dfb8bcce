/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include <rte_mbuf.h>

#include "tcp/timers.h"

static void nothing_waits_on_an_empty_instance(void **state)
{
    struct bench b;

    bench_open(&b, NULL);
    assert_int_equal(tcp_next_timer_us(b.tcp), UINT64_MAX);
    bench_wait(&b, 100000000);
    assert_int_equal(b.event_count, 0);
    bench_close(&b);
}

/* A deadline that moves later costs nothing; the node finds out when it fires. */
static void one_node_serves_all_deadlines(void **state)
{
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    conn_timer_set(b.tcp, c, TCP_TIMER_DELACK, b.now_us + 40000);
    conn_timer_set(b.tcp, c, TCP_TIMER_KEEPALIVE, b.now_us + 90000);
    assert_int_equal(c->timer.due_us, b.now_us + 40000);
    conn_timer_set(b.tcp, c, TCP_TIMER_DELACK, b.now_us + 80000);
    assert_int_equal(c->timer.due_us, b.now_us + 40000);
    bench_wait(&b, 41000);
    assert_false(conn_has(c, CONN_ACK_NOW));
    assert_int_equal(c->timer.due_us, b.now_us + 39000);
    conn_timer_stop(c, TCP_TIMER_DELACK);
    bench_wait(&b, 41000);
    assert_false(conn_has(c, CONN_ACK_NOW));
    assert_true(timer_armed(&c->timer));
    conn_timer_set(b.tcp, c, TCP_TIMER_DELACK, b.now_us + 1000);
    bench_wait(&b, 2000);
    assert_true(conn_has(c, CONN_ACK_NOW));
    bench_close(&b);
}

static void the_rto_doubles_to_its_limit(void **state)
{
    struct tcp tcp = {0};
    struct tcp_connection c = {.rto_us = 300000};
    uint32_t expected_us = 300000;

    tcp_config_default(&tcp.config);
    for (c.backoff = 0; c.backoff < 40; c.backoff++) {
        assert_int_equal(conn_rto_us(&tcp, &c), expected_us);
        expected_us = expected_us * 2 < tcp.config.rto_max_us ? expected_us * 2 : tcp.config.rto_max_us;
    }
}

/* What the retransmission deadline stands for in each situation. */
static void the_retransmission_deadline_knows_what_it_is(void **state)
{
    static const uint8_t data[3000];
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    conn_rexmt_rearm(b.tcp, c, 0);
    assert_int_equal(c->due_us[TCP_TIMER_REXMT], 0);
    assert_int_equal(tcp_write(b.tcp, handle, data, 3000), 3000);
    bench_flush(&b);
    assert_int_equal(c->rexmt, TCP_REXMT_PROBE);
    assert_int_equal(c->due_us[TCP_TIMER_REXMT], b.now_us + 2 * c->srtt_us);
    conn_rexmt_rearm(b.tcp, c, 1234);
    assert_int_equal(c->rexmt, TCP_REXMT_REORDER);
    assert_int_equal(c->due_us[TCP_TIMER_REXMT], b.now_us + 1234);
    c->recovery = TCP_RECOVERY_FAST;
    conn_rexmt_rearm(b.tcp, c, 0);
    assert_int_equal(c->rexmt, TCP_REXMT_RTO);
    assert_int_equal(c->due_us[TCP_TIMER_REXMT], c->rto_start_us + c->rto_us);
    c->recovery = TCP_RECOVERY_OPEN;
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 3001);
    assert_int_equal(c->due_us[TCP_TIMER_REXMT], 0);
    c->snd_wnd = 0;
    assert_int_equal(tcp_write(b.tcp, handle, data, 10), 10);
    assert_int_equal(bench_flush(&b), 0);
    assert_int_equal(c->rexmt, TCP_REXMT_PERSIST);
    assert_int_equal(c->due_us[TCP_TIMER_REXMT], b.now_us + c->rto_us);
    bench_close(&b);
}

static void the_starved_are_woken(void **state)
{
    static const uint8_t data[8000];
    struct rte_mbuf *hoard[1024];
    struct tcp_handle handle;
    uint32_t hoarded = 0;
    struct bench b;

    bench_open(&b, NULL);
    bench_establish(&b, &handle);
    while (hoarded < 1024 && (hoard[hoarded] = rte_pktmbuf_alloc(b.pools.payload)) != NULL)
        hoarded++;
    assert_int_equal(tcp_write(b.tcp, handle, data, sizeof(data)), 0);
    assert_int_equal(tcp_next_timer_us(b.tcp), b.now_us + TIMER_WHEEL_TICK_US);
    bench_wait(&b, TIMER_WHEEL_TICK_US);
    assert_int_equal(b.event_count, 1);
    assert_int_equal(b.events[0].flags, TCP_EVENT_WRITABLE);
    assert_int_equal(tcp_write(b.tcp, handle, data, sizeof(data)), 0);
    for (uint32_t i = 0; i < hoarded; i++)
        rte_pktmbuf_free(hoard[i]);
    bench_wait(&b, TIMER_WHEEL_TICK_US);
    assert_int_equal(b.event_count, 1);
    assert_int_equal(tcp_write(b.tcp, handle, data, sizeof(data)), sizeof(data));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_waits_on_an_empty_instance),
        cmocka_unit_test(one_node_serves_all_deadlines),
        cmocka_unit_test(the_rto_doubles_to_its_limit),
        cmocka_unit_test(the_retransmission_deadline_knows_what_it_is),
        cmocka_unit_test(the_starved_are_woken),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
