/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include <rte_mbuf.h>

#include "tcp/send_buffer.h"

static uint8_t pattern(uint32_t at)
{
    return (uint8_t)(at * 13 + (at >> 8));
}

static size_t append(struct bench *b, struct tcp_connection *c, uint32_t *written, size_t len)
{
    uint8_t *data = test_malloc(len + 1);
    size_t taken;

    for (size_t i = 0; i < len; i++)
        data[i] = pattern(*written + (uint32_t)i);
    taken = send_buffer_append(b->tcp, c, data, len);
    *written += (uint32_t)taken;
    test_free(data);
    return taken;
}

/* Builds a segment of what lies at a place and compares it with the stream. */
static void check_place(struct bench *b, struct rte_mbuf *mbuf, uint16_t offset, uint32_t at, uint32_t len,
                        uint32_t segs)
{
    struct rte_mbuf *header = rte_pktmbuf_alloc(b->pools.packet);
    uint8_t bytes[9000];

    assert_non_null(header);
    rte_pktmbuf_append(header, 20);
    assert_true(send_buffer_attach(b->tcp, header, mbuf, offset, len));
    assert_int_equal(header->pkt_len, 20 + len);
    if (segs)
        assert_int_equal(header->nb_segs, segs);
    assert_int_equal(rig_linearize(header, bytes, sizeof(bytes)), 20 + len);
    for (uint32_t i = 0; i < len; i++)
        assert_int_equal(bytes[20 + i], pattern(at + i));
    rte_pktmbuf_free(header);
}

static void limits_hold(void **state)
{
    struct tcp_config config;
    struct tcp_handle handle;
    struct tcp_connection *c;
    uint32_t written = 0;
    struct bench b;

    bench_config(&config);
    config.send_buffer_bytes = 10000;
    bench_open(&b, &config);
    c = bench_establish(&b, &handle);
    assert_int_equal(send_buffer_room(b.tcp, c), 10000);
    assert_int_equal(append(&b, c, &written, 0), 0);
    assert_int_equal(append(&b, c, &written, 9999), 9999);
    assert_int_equal(append(&b, c, &written, 10), 1);
    assert_int_equal(append(&b, c, &written, 10), 0);
    assert_int_equal(send_buffer_room(b.tcp, c), 0);
    send_buffer_free(c);
    bench_close(&b);

    /* by mbufs: half of the connection's */
    bench_config(&config);
    config.mbufs_max_per_connection = 32;
    bench_open(&b, &config);
    c = bench_establish(&b, &handle);
    written = 0;
    assert_int_equal(append(&b, c, &written, 200000), 16 * RTE_MBUF_DEFAULT_BUF_SIZE);
    assert_int_equal(c->send_mbufs, 16);
    send_buffer_free(c);
    bench_close(&b);
}

static void an_empty_pool_takes_less(void **state)
{
    struct rte_mbuf *hoard[1024];
    struct tcp_handle handle;
    struct tcp_connection *c;
    uint32_t written = 0, hoarded = 0;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    while (hoarded < 1022 && (hoard[hoarded] = rte_pktmbuf_alloc(b.pools.payload)) != NULL)
        hoarded++;
    assert_int_equal(append(&b, c, &written, 10000), 2 * RTE_MBUF_DEFAULT_BUF_SIZE);
    assert_true(b.tcp->counters.no_payload_mbuf > 0);
    for (uint32_t i = 0; i < hoarded; i++)
        rte_pktmbuf_free(hoard[i]);
    assert_int_equal(append(&b, c, &written, 1000), 1000);
    send_buffer_free(c);
    bench_close(&b);
}

static void small_writes_share_an_mbuf(void **state)
{
    struct tcp_handle handle;
    struct tcp_connection *c;
    uint32_t written = 0;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    for (int i = 0; i < 1000; i++)
        append(&b, c, &written, 3);
    assert_int_equal(c->send_mbufs, 2);
    check_place(&b, c->send_head, c->send_head->data_off, 0, 3000, 3);
    send_buffer_free(c);
    assert_null(c->send_next);
    bench_close(&b);
}

/* A transmission the port still has keeps its bytes alive, whatever is acknowledged and written meanwhile. */
static void the_port_keeps_what_it_has(void **state)
{
    struct rte_mbuf *header, *mbuf;
    struct tcp_handle handle;
    struct tcp_connection *c;
    uint32_t written = 0;
    uint8_t bytes[2000];
    uint16_t offset;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    append(&b, c, &written, 1000);
    header = rte_pktmbuf_alloc(b.pools.packet);
    send_buffer_cursor(c, &mbuf, &offset);
    assert_true(send_buffer_attach(b.tcp, header, mbuf, offset, 1000));
    send_buffer_advance(c, 1000);
    append(&b, c, &written, 1000); /* into the same mbuf, behind */
    assert_int_equal(c->send_mbufs, 1);
    send_buffer_acked(c, 2000);
    assert_null(c->send_head);
    assert_int_equal(c->send_bytes, 0);
    assert_int_equal(rte_mempool_in_use_count(b.pools.payload), 1);
    append(&b, c, &written, 2000);
    assert_int_equal(rig_linearize(header, bytes, sizeof(bytes)), 1000);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(bytes[i], pattern(i));
    rte_pktmbuf_free(header);
    assert_int_equal(rte_mempool_in_use_count(b.pools.payload), 1);
    send_buffer_free(c);
    bench_close(&b);
}

/* Writes, segments and ACKs of random sizes; every place is right for as long as it is unacknowledged. */
static void places_stay_right(void **state)
{
    uint64_t random = 3;

    for (int round = 0; round < 30; round++) {
        struct place {
            struct rte_mbuf *mbuf;
            uint16_t offset;
            uint32_t at, len;
        } places[512];
        uint32_t count = 0, written = 0, sent = 0, acked = 0;
        struct tcp_handle handle;
        struct tcp_connection *c;
        struct bench b;

        bench_open(&b, NULL);
        c = bench_establish(&b, &handle);
        while (count < 500) {
            append(&b, c, &written, 1 + rig_below(&random, 6000));
            while (sent < written && count < 500 && rig_below(&random, 5)) {
                struct place *p = &places[count++];

                p->at = sent;
                p->len = 1 + rig_below(&random, 1460);
                if (p->len > written - sent)
                    p->len = written - sent;
                send_buffer_cursor(c, &p->mbuf, &p->offset);
                send_buffer_advance(c, p->len);
                sent += p->len;
            }
            if (rig_below(&random, 3) == 0) {
                uint32_t len = rig_below(&random, sent - acked + 1);

                send_buffer_acked(c, len);
                acked += len;
            }
            for (uint32_t i = count > 20 ? count - 20 : 0; i < count; i++)
                if (places[i].at >= acked)
                    check_place(&b, places[i].mbuf, places[i].offset, places[i].at, places[i].len, 0);
            assert_int_equal(c->send_bytes, written - acked);
        }
        send_buffer_free(c);
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(an_empty_pool_takes_less),
        cmocka_unit_test(small_writes_share_an_mbuf),
        cmocka_unit_test(the_port_keeps_what_it_has),
        cmocka_unit_test(places_stay_right),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
