/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include <rte_mbuf.h>

#include "tcp/counters.h"
#include "tcp/output.h"

static const uint8_t data[200000];

static void an_empty_pool_loses_nothing(void **state)
{
    struct rte_mempool *pools[2];

    for (int which = 0; which < 2; which++) {
        struct rte_mbuf *hoard[2100];
        uint32_t hoarded = 0, out;
        struct tcp_handle handle;
        struct bench b;

        bench_open(&b, NULL);
        pools[0] = b.pools.packet;
        pools[1] = b.pools.indirect;
        bench_establish(&b, &handle);
        assert_int_equal(tcp_write(b.tcp, handle, data, 5000), 5000);
        while (hoarded < 2100 && (hoard[hoarded] = rte_pktmbuf_alloc(pools[which])) != NULL)
            hoarded++;
        rte_pktmbuf_free(hoard[--hoarded]);
        b.tx.count = 0;
        /* one goes out, the next finds nothing, and it is said that there is more */
        assert_true(tcp_output(b.tcp, b.now_us, &b.tx));
        assert_true(b.tx.count <= 1);
        for (uint32_t i = 0; i < hoarded; i++)
            rte_pktmbuf_free(hoard[i]);
        b.tx_taken = 0;
        out = bench_flush(&b);
        assert_int_equal(out, 5);
        assert_int_equal(tcp_get_counters(b.tcp)->bytes_out, 5000);
        bench_close(&b);
    }
}

/* Where the port cuts segments, it is handed as many at once as the windows let out; the rest is as ever. */
static void a_port_that_cuts_gets_many_at_once(void **state)
{
    static const struct {
        uint32_t cwnd, window, tso, write, first, count;
    } rows[] = {
        {1 << 20, 1 << 20, 60000, 100000, 44000, 3}, /* 44 segments at most */
        {1 << 20, 1 << 20, 20500, 50000, 20000, 3},  /* what the port takes */
        {12345, 1 << 20, 60000, 50000, 12000, 1},    /* the congestion window, in whole segments */
        {1 << 20, 7654, 60000, 50000, 7000, 1},      /* the peer's window: no silly rest (RFC 9293 §3.8.6.2.1) */
        {1 << 20, 1 << 20, 60000, 5500, 5000, 2},    /* what there is */
        {1 << 20, 1 << 20, 60000, 900, 900, 1},
        {1 << 20, 1 << 20, 1999, 3000, 1000, 3}, /* less than two segments: not worth it */
        {1 << 20, 1 << 20, 0, 3000, 1000, 3},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net_tx tx = {0};
        struct tcp_config config;
        struct tcp_handle handle;
        struct tcp_connection *c;
        struct bench b;

        bench_config(&config);
        config.tso_bytes_max = rows[i].tso;
        bench_open(&b, &config);
        c = bench_establish(&b, &handle);
        c->cwnd = rows[i].cwnd;
        c->snd_wnd = c->snd_wnd_max = rows[i].window;
        assert_int_equal(tcp_write(b.tcp, handle, data, rows[i].write), rows[i].write);
        tcp_output(b.tcp, b.now_us, &tx);
        assert_int_equal(tx.count, rows[i].count);
        assert_int_equal(tx.datagrams[0].mbuf->pkt_len - 20, rows[i].first);
        assert_int_equal(tx.datagrams[0].segment_bytes, rows[i].first > 1000 ? 1000 : 0);
        for (uint32_t k = 0; k < tx.count; k++)
            rte_pktmbuf_free(tx.datagrams[k].mbuf);
        bench_close(&b);
    }
}

static void a_full_burst_waits_for_the_next(void **state)
{
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct rig_segment segment;
    uint32_t seq, n = 0;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    c->cwnd = 1 << 20;
    c->snd_wnd = 1 << 20;
    seq = c->snd_nxt;
    assert_int_equal(tcp_write(b.tcp, handle, data, 200000), 200000);
    b.tx.count = NET_TX_MAX - 3;
    b.tx_taken = NET_TX_MAX - 3;
    assert_true(tcp_output(b.tcp, b.now_us, &b.tx));
    assert_int_equal(b.tx.count, NET_TX_MAX);
    while (bench_out(&b, &segment, NULL)) {
        assert_int_equal(segment.seq, seq);
        seq += segment.payload_len;
        n++;
    }
    assert_int_equal(n, 200);
    assert_int_equal(seq, c->snd_nxt);
    assert_false(tcp_output(b.tcp, b.now_us, &b.tx));
    bench_close(&b);
}

/* A connection with much to send does not hold up the others. */
static void turns_are_fair(void **state)
{
    struct tcp_handle handles[4];
    uint32_t seen[4] = {0}, first_of_last = 0, n = 0;
    struct rig_segment segment;
    struct bench b;

    bench_open(&b, NULL);
    for (uint16_t i = 0; i < 4; i++) {
        struct tcp_connection *c;

        bench_in(&b, (struct rig_segment){.source_port = (uint16_t)(1000 + i), .seq = 0, .flags = TCP_FLAG_SYN});
        assert_true(bench_out(&b, &segment, NULL));
        bench_in(&b, (struct rig_segment){
                         .source_port = (uint16_t)(1000 + i), .seq = 1, .ack = segment.seq + 1, .flags = TCP_FLAG_ACK});
        handles[i] = b.events[0].handle;
        c = &b.tcp->connections[handles[i].index];
        c->cwnd = c->snd_wnd = 1 << 20;
        bench_flush(&b);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(tcp_write(b.tcp, handles[i], data, 53600), 53600);
    while (bench_out(&b, &segment, NULL)) {
        n++;
        if (seen[segment.destination_port - 1000]++ == 0 && segment.destination_port == 1003)
            first_of_last = n;
    }
    assert_int_equal(n, 400);
    assert_in_range(first_of_last, 1, 64);
    bench_close(&b);
}

static void replies_are_bounded(void **state)
{
    struct bench b;

    bench_open(&b, NULL);
    for (uint32_t i = 0; i < TCP_REPLIES_MAX + 5; i++)
        bench_in(&b,
                 (struct rig_segment){.source_port = (uint16_t)(i + 1), .destination_port = 9, .flags = TCP_FLAG_SYN});
    assert_int_equal(tcp_get_counters(b.tcp)->replies_dropped, 5);
    assert_int_equal(bench_flush(&b), TCP_REPLIES_MAX);
    bench_close(&b);
}

/* RFC 5681 §4.2: each segment beside a gap is acknowledged by itself, a long row of them by the burst where SACK says what came. */
static void a_gap_has_its_acks(void **state)
{
    static const struct {
        bool sack;
        uint32_t acks;
    } rows[] = {{true, 16 + 1}, {false, 40}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tcp_handle handle;
        struct tcp_connection *c;
        struct bench b;

        bench_open(&b, NULL);
        c = bench_establish(&b, &handle);
        if (!rows[i].sack)
            c->flags &= ~(uint32_t)CONN_SACK;
        for (uint32_t n = 0; n < 40; n++)
            bench_peer(&b, c, TCP_FLAG_ACK, 101 + 50 * n, 50, 1);
        assert_int_equal(bench_flush(&b), rows[i].acks);
        /* what fills it is acknowledged by itself, and begins anew */
        bench_peer(&b, c, TCP_FLAG_ACK, 1, 100, 1);
        bench_peer(&b, c, TCP_FLAG_ACK, 2501, 50, 1);
        bench_peer(&b, c, TCP_FLAG_ACK, 2551, 50, 1);
        assert_int_equal(bench_flush(&b), 3);
        bench_close(&b);
    }
}

/* More of them than a turn can send: the rest is told by the ACK that is due anyway; none is lost with its connection. */
static void own_acks_are_bounded(void **state)
{
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    c->flags &= ~(uint32_t)CONN_SACK;
    for (uint32_t n = 0; n < NET_TX_MAX + 40; n++)
        bench_peer(&b, c, TCP_FLAG_ACK, 101 + 10 * n, 10, 1);
    assert_int_equal(bench_flush(&b), NET_TX_MAX + 1);
    bench_peer(&b, c, TCP_FLAG_ACK, 101, 10, 1);
    tcp_abort(b.tcp, handle);
    bench_close(&b);
}

/* RFC 6691: SACK blocks come off the payload; where they have no room they follow in an ACK of their own. */
static void sack_blocks_and_data(void **state)
{
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct rig_segment segment;
    struct tcp_options options;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    /* so many that the next ones have no ACK of their own */
    for (uint32_t n = 0; n < 16; n++)
        bench_peer(&b, c, TCP_FLAG_ACK, 101 + 10 * n, 10, 1);
    assert_int_equal(bench_flush(&b), 16);
    bench_peer(&b, c, TCP_FLAG_ACK, 261, 50, 1);
    assert_int_equal(tcp_write(b.tcp, handle, data, 500), 500);
    assert_true(bench_out(&b, &segment, &options));
    assert_int_equal(segment.payload_len, 500);
    assert_int_equal(options.sack_count, 1);
    assert_false(bench_out(&b, &segment, NULL));
    bench_peer(&b, c, TCP_FLAG_ACK, 401, 50, 501);
    assert_int_equal(tcp_write(b.tcp, handle, data, 1000), 1000);
    assert_true(bench_out(&b, &segment, &options));
    assert_int_equal(segment.payload_len, 1000);
    assert_int_equal(options.sack_count, 0);
    assert_true(bench_out(&b, &segment, &options));
    assert_int_equal(segment.payload_len, 0);
    assert_int_equal(options.sack_count, 2);
    assert_false(bench_out(&b, &segment, NULL));
    bench_close(&b);
}

static void push_ends_what_was_written(void **state)
{
    struct tcp_handle handle;
    struct rig_segment segment;
    struct bench b;

    bench_open(&b, NULL);
    bench_establish(&b, &handle);
    assert_int_equal(tcp_write(b.tcp, handle, data, 2500), 2500);
    for (int i = 0; i < 3; i++) {
        assert_true(bench_out(&b, &segment, NULL));
        assert_int_equal((segment.flags & TCP_FLAG_PSH) != 0, i == 2);
    }
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_pool_loses_nothing),
        cmocka_unit_test(a_port_that_cuts_gets_many_at_once),
        cmocka_unit_test(a_full_burst_waits_for_the_next),
        cmocka_unit_test(turns_are_fair),
        cmocka_unit_test(replies_are_bounded),
        cmocka_unit_test(a_gap_has_its_acks),
        cmocka_unit_test(own_acks_are_bounded),
        cmocka_unit_test(sack_blocks_and_data),
        cmocka_unit_test(push_ends_what_was_written),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
