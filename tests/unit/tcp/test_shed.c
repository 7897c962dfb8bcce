/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include <rte_mbuf.h>

#include "tcp/counters.h"
#include "tcp/shed.h"

static const uint8_t data[200000];

static struct tcp_handle establish(struct bench *b, uint16_t port)
{
    struct rig_segment answer;

    bench_in(b, (struct rig_segment){.source_port = port, .seq = 0, .flags = TCP_FLAG_SYN});
    assert_true(bench_out(b, &answer, NULL));
    bench_in(b, (struct rig_segment){.source_port = port, .seq = 1, .ack = answer.seq + 1, .flags = TCP_FLAG_ACK});
    assert_int_equal(b->event_count, 1);
    return b->events[0].handle;
}

static void nothing_is_ended_without_need(void **state)
{
    struct tcp_handle handle;
    struct bench b;

    bench_open(&b, NULL);
    handle = establish(&b, 1000);
    assert_int_equal(tcp_write(b.tcp, handle, data, sizeof(data)), sizeof(data));
    for (int i = 0; i < 100; i++)
        bench_wait(&b, 10000);
    assert_int_equal(tcp_get_counters(b.tcp)->shed, 0);
    /* refused, but nobody holds enough to be worth it */
    tcp_abort(b.tcp, handle);
    b.tcp->receive_refused = true;
    bench_wait(&b, 10000);
    assert_int_equal(tcp_get_counters(b.tcp)->shed, 0);
    assert_false(b.tcp->receive_refused);
    bench_close(&b);
}

/* Six peers fill their windows and nobody reads; the seventh must still get through. */
static void unread_data_does_not_stop_the_others(void **state)
{
    struct tcp_handle handles[7];
    uint32_t seq[7];
    uint32_t ended = 0;
    struct bench b;

    bench_open(&b, NULL);
    b.tcp->received_mbufs_max = 120;
    for (uint16_t i = 0; i < 7; i++) {
        handles[i] = establish(&b, (uint16_t)(1000 + i));
        seq[i] = 1;
    }
    for (int round = 0; round < 400; round++)
        for (uint16_t i = 0; i < 7; i++) {
            struct tcp_connection *c = &b.tcp->connections[handles[i].index];

            if (!tcp_live(b.tcp, handles[i]))
                continue;
            bench_in(&b, (struct rig_segment){.source_port = (uint16_t)(1000 + i),
                                              .seq = seq[i],
                                              .ack = c->snd_nxt,
                                              .flags = TCP_FLAG_ACK,
                                              .payload = data,
                                              .payload_len = 1400});
            seq[i] = c->rcv_nxt;
            if (i == 6)
                tcp_consume(b.tcp, handles[i], 1400);
            bench_flush(&b);
            bench_wait(&b, 1000);
            for (uint32_t k = 0; k < b.event_count; k++) {
                ended += b.events[k].flags == TCP_EVENT_CLOSED;
                if (b.events[k].flags == TCP_EVENT_CLOSED)
                    assert_int_equal(b.events[k].reason, TCP_REASON_NO_MEMORY);
            }
        }
    assert_true(ended > 0 && ended < 6);
    assert_int_equal(tcp_get_counters(b.tcp)->shed, ended);
    assert_true(tcp_live(b.tcp, handles[6]));
    assert_true(seq[6] > 300 * 1400);
    bench_close(&b);
}

static void writers_do_not_starve_for_ever(void **state)
{
    struct rte_mbuf *hoard[1024];
    struct tcp_handle greedy, modest;
    uint32_t hoarded = 0;
    struct bench b;

    bench_open(&b, NULL);
    greedy = establish(&b, 1000);
    modest = establish(&b, 1001);
    assert_int_equal(tcp_write(b.tcp, greedy, data, 100000), 100000);
    while (hoarded < 1024 && (hoard[hoarded] = rte_pktmbuf_alloc(b.pools.payload)) != NULL)
        hoarded++;
    assert_int_equal(tcp_write(b.tcp, modest, data, 1000), 0);
    for (int ms = 0; ms < 990; ms++) {
        bench_wait(&b, 1000);
        assert_true(tcp_live(b.tcp, greedy));
        tcp_write(b.tcp, modest, data, 1000);
    }
    for (int ms = 0; ms < 30; ms++)
        bench_wait(&b, 1000);
    assert_false(tcp_live(b.tcp, greedy));
    assert_true(tcp_live(b.tcp, modest));
    bench_flush(&b);
    assert_int_equal(tcp_write(b.tcp, modest, data, 1000), 1000);
    assert_int_equal(b.tcp->starving_since_us, 0);
    for (uint32_t i = 0; i < hoarded; i++)
        rte_pktmbuf_free(hoard[i]);
    bench_close(&b);
}

/* Step by step as shed.h has it: who waits for an ACK in vain, TIME-WAIT, then any half-open one, but that not for a SYN. */
static void slots_are_given_up_in_order(void **state)
{
    struct tcp_connection *stale, *fresh, *left, *established;
    struct tcp_handle handle;
    struct tcp_config config;
    struct bench b;

    bench_config(&config);
    config.connections_max = 4;
    bench_open(&b, &config);
    established = bench_establish(&b, &handle);
    assert_true(shed_slot(b.tcp, SHED_FOR_SYN));
    for (uint16_t port = 1; port <= 3; port++)
        bench_in(&b, (struct rig_segment){.source_port = port, .seq = 1, .flags = TCP_FLAG_SYN});
    assert_int_equal(b.tcp->half_open_count, 2);
    assert_int_equal(b.tcp->counters.syn_cookies_sent, 1);
    b.tcp->config.syn_cookies = false;
    bench_in(&b, (struct rig_segment){.source_port = 3, .seq = 1, .flags = TCP_FLAG_SYN});
    bench_flush(&b);
    stale = TAILQ_FIRST(&b.tcp->half_open);
    fresh = TAILQ_NEXT(stale, wait_link);
    left = TAILQ_NEXT(fresh, wait_link);
    /* nobody gives way to a SYN; to an open of ours the oldest half-open one does */
    assert_false(shed_slot(b.tcp, SHED_FOR_SYN));
    stale->retransmits = 1;
    conn_set_state(b.tcp, fresh, TCP_ESTABLISHED);
    conn_set_state(b.tcp, fresh, TCP_TIME_WAIT);
    assert_int_equal(b.tcp->half_open_count, 2);
    assert_true(shed_slot(b.tcp, SHED_FOR_SYN));
    assert_int_equal(stale->state, TCP_CLOSED);
    assert_int_equal(b.tcp->counters.half_open_evicted, 1);
    assert_int_equal(b.tcp->counters.time_wait_evicted, 0);
    assert_ptr_equal(conn_new(b.tcp), stale);
    /* not while the application holds it */
    fresh->flags |= CONN_ANNOUNCED;
    assert_false(shed_slot(b.tcp, SHED_FOR_SYN));
    fresh->flags &= ~(uint32_t)CONN_ANNOUNCED;
    assert_true(shed_slot(b.tcp, SHED_FOR_SYN));
    assert_int_equal(b.tcp->counters.time_wait_evicted, 1);
    assert_ptr_equal(conn_new(b.tcp), fresh);
    assert_false(shed_slot(b.tcp, SHED_FOR_SYN));
    assert_true(shed_slot(b.tcp, SHED_FOR_OPEN));
    assert_int_equal(b.tcp->counters.half_open_evicted, 2);
    assert_ptr_equal(conn_new(b.tcp), left);
    assert_false(shed_slot(b.tcp, SHED_FOR_OPEN));
    assert_int_equal(established->state, TCP_ESTABLISHED);
    assert_int_equal(b.tcp->half_open_count, 0);
    assert_int_equal(b.tcp->listeners[0].half_open, 0);
    bench_close(&b);
}

/* Two peers leave a gap and fill the pool behind it: what they hold out of order goes, they stay, and with the gap closed
 * everything comes again. */
static void out_of_order_data_goes_before_connections(void **state)
{
    struct tcp_connection *c[3];
    struct tcp_handle handles[3];
    struct bench b;

    bench_open(&b, NULL);
    b.tcp->received_mbufs_max = 60;
    for (uint16_t i = 0; i < 3; i++) {
        handles[i] = establish(&b, (uint16_t)(1000 + i));
        c[i] = &b.tcp->connections[handles[i].index];
        c[i]->rcv_adv = c[i]->rcv_nxt + 200000;
    }
    for (uint32_t k = 1; k <= 40; k++)
        for (uint16_t i = 0; i < 2; i++)
            bench_in(&b, (struct rig_segment){.source_port = (uint16_t)(1000 + i),
                                              .seq = 1 + k * 1400,
                                              .ack = c[i]->snd_nxt,
                                              .flags = TCP_FLAG_ACK,
                                              .payload = data,
                                              .payload_len = 1400});
    assert_true(b.tcp->receive_refused);
    assert_in_range(b.tcp->received_mbufs, 50, 60);
    bench_wait(&b, 10000);
    assert_int_equal(b.event_count, 0);
    assert_int_equal(b.tcp->counters.shed_out_of_order, 2);
    assert_int_equal(b.tcp->counters.shed, 0);
    assert_int_equal(b.tcp->received_mbufs, 0);
    assert_int_equal(c[0]->sack_count, 0);
    assert_null(c[0]->ooo_tail);
    for (uint32_t k = 0; k < 2; k++) {
        bench_in(&b, (struct rig_segment){.source_port = 1000,
                                          .seq = 1 + k * 1400,
                                          .ack = c[0]->snd_nxt,
                                          .flags = TCP_FLAG_ACK,
                                          .payload = data,
                                          .payload_len = 1400});
        assert_int_equal(tcp_readable(b.tcp, handles[0]), (k + 1) * 1400);
    }
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_given_up_in_order),    cmocka_unit_test(out_of_order_data_goes_before_connections),
        cmocka_unit_test(nothing_is_ended_without_need),  cmocka_unit_test(unread_data_does_not_stop_the_others),
        cmocka_unit_test(writers_do_not_starve_for_ever),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
