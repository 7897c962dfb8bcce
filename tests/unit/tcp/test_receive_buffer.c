/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include <rte_mbuf.h>

#include "tcp/receive_buffer.h"

static uint8_t pattern(uint32_t seq)
{
    return (uint8_t)(seq * 5 + (seq >> 7));
}

static struct rte_mbuf *segment(struct bench *b, uint32_t seq, uint32_t len)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(b->pools.packet);
    uint8_t *data;

    assert_non_null(mbuf);
    rte_pktmbuf_append(mbuf, 54);
    rte_pktmbuf_adj(mbuf, 54);
    data = (uint8_t *)rte_pktmbuf_append(mbuf, (uint16_t)len);
    for (uint32_t i = 0; i < len; i++)
        data[i] = pattern(seq + i);
    return mbuf;
}

/* Reads everything that is readable; it must be the stream from *at on. */
static void read_all(struct bench *b, struct tcp_connection *c, uint32_t *at)
{
    while (c->receive_head) {
        struct rte_mbuf *mbuf = c->receive_head;
        const uint8_t *data = rte_pktmbuf_mtod(mbuf, const uint8_t *);

        for (uint32_t i = 0; i < mbuf->data_len; i++)
            assert_int_equal(data[i], pattern(*at + i));
        *at += mbuf->data_len;
        receive_consume(b->tcp, c, mbuf->data_len);
    }
    assert_int_equal(c->receive_bytes, 0);
}

static void check_account(const struct bench *b, const struct tcp_connection *c)
{
    uint32_t mbufs = 0, bytes = 0, last = 0;

    for (const struct rte_mbuf *mbuf = c->receive_head; mbuf; mbuf = mbuf->next) {
        mbufs++;
        bytes += mbuf->data_len;
        assert_true(mbuf->next || mbuf == c->receive_tail);
    }
    assert_int_equal(bytes, c->receive_bytes);
    for (const struct rte_mbuf *mbuf = c->ooo_head; mbuf; mbuf = mbuf->next) {
        assert_true(mbuf->data_len > 0);
        assert_true(seq_gt(mbuf->hash.usr, c->rcv_nxt));
        assert_true(mbuf == c->ooo_head || seq_ge(mbuf->hash.usr, last));
        last = mbuf->hash.usr + mbuf->data_len;
        mbufs++;
        assert_true(mbuf->next || mbuf == c->ooo_tail);
    }
    assert_int_equal(mbufs, c->receive_mbufs);
    assert_int_equal(mbufs, b->tcp->received_mbufs);
    assert_int_equal(c->truesize, mbufs * (RTE_MBUF_DEFAULT_BUF_SIZE + sizeof(struct rte_mbuf)));
}

static void the_limit_holds_against_gaps(void **state)
{
    struct tcp_handle handle;
    struct tcp_connection *c;
    uint32_t refused = 0, at;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    at = c->rcv_nxt;
    /* one byte, a gap, one byte ...: nothing can be merged */
    for (uint32_t i = 0; i < 400; i++)
        refused += receive_out_of_order(b.tcp, c, segment(&b, at + 2 + 2 * i, 1), at + 2 + 2 * i) == RECEIVE_NO_MEMORY;
    assert_true(refused > 250);
    assert_true(c->truesize <= b.tcp->receive_limit);
    check_account(&b, c);
    /* what is in order is never refused for their sake */
    for (uint32_t sent = 0; sent < 100000; sent += 1460) {
        assert_int_equal(receive_in_order(b.tcp, c, segment(&b, c->rcv_nxt, 1460), c->rcv_nxt), RECEIVE_TAKEN);
        check_account(&b, c);
    }
    read_all(&b, c, &at);
    bench_close(&b);
}

/* Whatever sizes the segments have, all of the window that was offered can be taken. */
static void the_window_is_no_empty_promise(void **state)
{
    static const uint32_t sizes[] = {1, 7, 100, 511, 512, 513, 600, 1000, 1089, 1448, 1460, 1990};
    static const uint32_t buffers[] = {20000, 40000, 100000, 262144, 1000000};

    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
        for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
            struct tcp_config config;
            struct tcp_handle handle;
            struct tcp_connection *c;
            uint32_t at, left;
            struct bench b;

            bench_config(&config);
            config.receive_buffer_bytes = buffers[i];
            bench_open(&b, &config);
            c = bench_establish(&b, &handle);
            c->flags |= CONN_WINDOW_SCALE;
            c->rcv_shift = b.tcp->rcv_shift;
            at = c->rcv_nxt;
            left = receive_window(b.tcp, c);
            assert_true(left >= b.tcp->receive_capacity);
            while (left > 0) {
                uint32_t len = sizes[k] < left ? sizes[k] : left;

                assert_int_equal(receive_in_order(b.tcp, c, segment(&b, c->rcv_nxt, len), c->rcv_nxt), RECEIVE_TAKEN);
                left -= len;
            }
            assert_true(c->truesize <= b.tcp->receive_limit);
            check_account(&b, c);
            read_all(&b, c, &at);
            bench_close(&b);
        }
}

static void old_bytes_are_skipped(void **state)
{
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct bench b;
    uint32_t at;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    at = c->rcv_nxt;
    receive_in_order(b.tcp, c, segment(&b, at, 600), at);
    receive_in_order(b.tcp, c, segment(&b, at + 100, 600), at + 100);
    assert_int_equal(c->rcv_nxt, at + 700);
    assert_int_equal(c->receive_bytes, 700);
    check_account(&b, c);
    read_all(&b, c, &at);
    bench_close(&b);
}

static void duplicates_behind_the_gap_are_told(void **state)
{
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct bench b;
    uint32_t at, mbufs;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    at = c->rcv_nxt;
    assert_int_equal(receive_out_of_order(b.tcp, c, segment(&b, at + 1000, 600), at + 1000), RECEIVE_TAKEN);
    assert_int_equal(receive_out_of_order(b.tcp, c, segment(&b, at + 1100, 400), at + 1100), RECEIVE_DUPLICATE);
    assert_int_equal(receive_out_of_order(b.tcp, c, segment(&b, at + 900, 800), at + 900), RECEIVE_TAKEN);
    assert_int_equal(receive_waiting(c, &mbufs), 800);
    assert_int_equal(mbufs, 1);
    check_account(&b, c);
    bench_close(&b);
}

/* Random pieces of a stream in any order, with any overlap, and reads in between, against the stream itself. */
static void any_order_makes_the_stream(void **state)
{
    uint64_t random = 11;

    for (int round = 0; round < 40; round++) {
        uint32_t at, start, spread = 2000 + rig_below(&random, 40000), longest = 1 + rig_below(&random, 1460);
        struct tcp_handle handle;
        struct tcp_connection *c;
        struct bench b;

        bench_open(&b, NULL);
        c = bench_establish(&b, &handle);
        at = start = c->rcv_nxt;
        for (int step = 0; step < 600; step++) {
            uint32_t seq = c->rcv_nxt + rig_below(&random, spread) - rig_below(&random, 2000);
            uint32_t len = 1 + rig_below(&random, longest);

            if (seq_lt(seq, start))
                seq = start;
            if (seq_le(seq, c->rcv_nxt) && seq_gt(seq + len, c->rcv_nxt))
                receive_in_order(b.tcp, c, segment(&b, seq, len), seq);
            else if (seq_gt(seq, c->rcv_nxt))
                receive_out_of_order(b.tcp, c, segment(&b, seq, len), seq);
            check_account(&b, c);
            assert_true(c->truesize <= b.tcp->receive_limit);
            if (rig_below(&random, 20) == 0)
                read_all(&b, c, &at);
        }
        read_all(&b, c, &at);
        assert_int_equal(at, c->rcv_nxt);
        bench_close(&b);
    }
}

static void the_window_moves_by_steps(void **state)
{
    struct tcp_config config;
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct bench b;
    uint32_t limit;

    bench_config(&config);
    config.receive_buffer_bytes = 40000;
    bench_open(&b, &config);
    c = bench_establish(&b, &handle);
    limit = receive_window_limit(b.tcp, c);
    assert_int_equal(limit, b.tcp->receive_capacity);
    c->rcv_adv = c->rcv_nxt + limit;
    while (c->receive_bytes + 1000 <= limit)
        receive_in_order(b.tcp, c, segment(&b, c->rcv_nxt, 1000), c->rcv_nxt);
    /* what was offered shrinks with what came, and is never taken back */
    assert_int_equal(receive_window(b.tcp, c), limit - c->receive_bytes);
    receive_consume(b.tcp, c, 1000);
    assert_int_equal(receive_window(b.tcp, c), c->rcv_adv - c->rcv_nxt);
    assert_false(receive_window_opened(b.tcp, c));
    receive_consume(b.tcp, c, 1000);
    assert_int_equal(receive_window(b.tcp, c), limit - c->receive_bytes);
    assert_false(receive_window_opened(b.tcp, c));
    receive_consume(b.tcp, c, 1000);
    assert_true(receive_window_opened(b.tcp, c));
    /* packet memory is short: no more than a few segments for anybody */
    receive_consume(b.tcp, c, limit);
    c->rcv_adv = c->rcv_nxt;
    b.tcp->received_mbufs = b.tcp->received_mbufs_max / 2 + 1;
    assert_int_equal(receive_window(b.tcp, c), 4 * 1460);
    b.tcp->received_mbufs = 0;
    bench_close(&b);
}

static void nothing_waits_behind_the_end(void **state)
{
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct bench b;
    uint32_t at;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    at = c->rcv_nxt;
    assert_int_equal(receive_out_of_order(b.tcp, c, segment(&b, at + 1000, 600), at + 1000), RECEIVE_TAKEN);
    assert_int_equal(receive_out_of_order(b.tcp, c, segment(&b, at + 2000, 600), at + 2000), RECEIVE_TAKEN);
    assert_int_equal(receive_out_of_order(b.tcp, c, segment(&b, at + 3000, 600), at + 3000), RECEIVE_TAKEN);
    receive_cut(b.tcp, c, at + 4000);
    assert_int_equal(c->receive_mbufs, 3);
    receive_cut(b.tcp, c, at + 2100);
    check_account(&b, c);
    assert_int_equal(c->receive_mbufs, 2);
    assert_int_equal(c->ooo_tail->data_len, 100);
    receive_cut(b.tcp, c, at + 1000);
    check_account(&b, c);
    assert_null(c->ooo_head);
    assert_null(c->ooo_tail);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_holds_against_gaps), cmocka_unit_test(the_window_is_no_empty_promise),
        cmocka_unit_test(old_bytes_are_skipped),        cmocka_unit_test(duplicates_behind_the_gap_are_told),
        cmocka_unit_test(any_order_makes_the_stream),   cmocka_unit_test(the_window_moves_by_steps),
        cmocka_unit_test(nothing_waits_behind_the_end),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
