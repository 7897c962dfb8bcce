/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "base/toeplitz.h"

static struct nic nics[NIC_QUEUES_MAX + 1];

static enum assay_error open_one(struct fixture *f, const char *device, uint16_t mtu, struct rte_mempool *pool)
{
    struct nic_config config = {.device = device, .pools = &pool, .mtu = mtu};

    return nic_open(&config, nics, 1);
}

static struct rte_mbuf *packet(struct fixture *f, uint32_t len)
{
    uint8_t data[FRAME_MAX];

    for (uint32_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 11 + len);
    return mbuf_of(f->pool, data, len);
}

static void refuses_what_it_cannot_open(void **state)
{
    struct fixture *f = *state;
    struct rte_mempool *pools[NIC_QUEUES_MAX + 1];
    struct nic_config config = {.device = "net_ring9", .pools = pools};
    static const char *const missing[] = {"",   ",iface=x", "net_nonesuch0", "0000:ff:1f.7",
                                          "31", "4096",     "99999999999",   "net_af_packet7,iface=there-is-none"};

    for (size_t i = 0; i <= NIC_QUEUES_MAX; i++)
        pools[i] = f->pool;
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
        assert_int_equal(open_one(f, missing[i], 0, f->pool), ASSAY_ERR_NOT_FOUND);
    assert_int_equal(nic_open(&config, nics, 0), ASSAY_ERR_RANGE);
    assert_int_equal(nic_open(&config, nics, NIC_QUEUES_MAX + 1), ASSAY_ERR_RANGE);
    assert_int_equal(nic_open(&config, nics, 17), ASSAY_ERR_RANGE); /* a ring port has 16 */
    assert_int_equal(open_one(f, "net_null9", 67, f->pool), ASSAY_ERR_RANGE);
    assert_int_equal(open_one(f, "net_null9", 0, f->tiny_pool), ASSAY_ERR_MALFORMED); /* no whole frame would fit */
    assert_int_equal(open_one(f, "net_null9", 0, f->pool), ASSAY_OK);                 /* and it can be tried again */
    nic_close(nics, 1);
}

static void opens_by_name_number_and_arguments(void **state)
{
    struct fixture *f = *state;
    uint32_t speed;
    struct nic_stats stats;
    char number[16];

    assert_int_equal(open_one(f, "net_null5,size=100", 0, f->pool), ASSAY_OK);
    assert_true(nics[0].attached);
    assert_string_equal(nic_driver(&nics[0]), "net_null");
    assert_int_equal(nics[0].mtu, 1500);
    assert_int_equal(nics[0].tx_segments_max, 1); /* it names no offload at all */
    assert_false(nics[0].tx_ip4_checksum || nics[0].tx_tcp_checksum || nics[0].rx_checksum);
    assert_true(nic_link(&nics[0], &speed));
    assert_int_equal(nic_get_stats(&nics[0], &stats), ASSAY_OK);
    assert_int_equal(stats.rx_packets, 0);

    snprintf(number, sizeof(number), "%u", f->nics[0].port); /* the fixture's ring port, opened a second time */
    assert_int_equal(open_one(f, number, 0, f->pool), ASSAY_ERR_SYSTEM);
    nic_close(nics, 1);
    assert_int_equal(nic_get_stats(&nics[0], &stats), ASSAY_ERR_SYSTEM);
    assert_false(nic_link(&nics[0], &speed));
    assert_string_equal(nic_driver(&nics[0]), "");
}

static void opens_several_queues(void **state)
{
    struct fixture *f = *state;
    struct rte_mempool *pools[4] = {f->pool, f->pool, f->pool, f->pool};
    struct nic_config config = {.device = "net_ring7", .pools = pools, .promiscuous = false};

    assert_int_equal(nic_open(&config, nics, 4), ASSAY_OK);
    for (uint16_t i = 0; i < 4; i++) {
        struct rte_mbuf *m;

        assert_int_equal(nics[i].queue, i);
        nic_send(&nics[i], packet(f, 60U + i));
        assert_int_equal(nic_flush(&nics[i]), 0);
        assert_int_equal(nic_rx(&nics[i], &m, 1), 1);
        assert_int_equal(m->pkt_len, 60 + i);
        rte_pktmbuf_free(m);
    }
    nic_close(nics, 4);
}

/* net_null offers an indirection table and takes a key, but says no hash with its packets: what it has is read back, and its
 * hashes are not believed. */
static void sets_key_and_table_of_a_port_with_rss(void **state)
{
    struct fixture *f = *state;
    uint8_t key[TOEPLITZ_KEY_BYTES_MAX];
    struct rte_mempool *pools[3] = {f->pool, f->pool, f->pool};
    struct nic_config config = {.device = "net_null6", .pools = pools, .rss_key = key};
    uint16_t queues[2048];
    uint32_t entries;

    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)(i * 7 + 1);
    assert_int_equal(nic_open(&config, nics, 3), ASSAY_OK);
    entries = nic_rss_table(&nics[0], queues, 2048);
    assert_true(entries >= 64 && (entries & (entries - 1)) == 0);
    for (uint32_t i = 0; i < entries; i++)
        assert_int_equal(queues[i], i % 3);
    assert_int_equal(nic_rss_table(&nics[0], queues, entries - 1), 0); /* too long for the caller */
    assert_false(nics[0].rss || nics[2].rss);
    nic_close(nics, 3);
    /* A port without such a thing has none. */
    assert_int_equal(nic_rss_table(&f->nics[0], queues, 2048), 0);
    assert_false(f->nics[0].rss);
}

static void counts_and_keeps_order(void **state)
{
    struct fixture *f = *state;
    struct nic *nic = &f->nics[0];
    struct rte_mbuf *m;

    for (uint32_t i = 0; i < 100; i++)
        nic_send(nic, packet(f, 60 + i));
    assert_int_equal(nic->pending_count, 100);
    assert_int_equal(nic_flush(nic), 0);
    assert_int_equal(nic_flush(nic), 0);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(nic_rx(nic, &m, 1), 1);
        assert_int_equal(m->pkt_len, 60 + i);
        rte_pktmbuf_free(m);
    }
    assert_int_equal(nic_rx(nic, &m, 1), 0);
    assert_int_equal(nic->counters.tx_packets, 100);
    assert_int_equal(nic->counters.rx_packets, 100);
    assert_int_equal(nic->counters.tx_bytes, 100 * 60 + 4950);
    assert_int_equal(nic->counters.rx_bytes, nic->counters.tx_bytes);
}

/* Nobody takes what we send: the ring (1024) and our queue fill, then frames are dropped and counted, and none is lost or
 * comes twice when the ring moves again. */
static void waits_while_the_ring_is_full(void **state)
{
    struct fixture *f = *state;
    struct nic *nic = &f->nics[0];
    uint32_t expected = 0, total = 1024 - 1 + NIC_PENDING_MAX + 20;
    struct rte_mbuf *m;

    for (uint32_t i = 0; i < total; i++) {
        m = packet(f, 60);
        memcpy(rte_pktmbuf_mtod(m, uint8_t *), &i, sizeof(i));
        nic_send(nic, m);
    }
    assert_in_range(nic_flush(nic), 1, NIC_PENDING_MAX);
    assert_true(nic->counters.tx_busy > 0);
    assert_int_equal(nic->counters.tx_dropped, 20);
    while (nic_rx(nic, &m, 1) == 1) {
        assert_int_equal(read_raw32(rte_pktmbuf_mtod(m, uint8_t *)), expected++);
        rte_pktmbuf_free(m);
        (void)nic_flush(nic);
    }
    assert_int_equal(expected, total - 20);
    assert_int_equal(nic->counters.tx_packets, expected);
    assert_int_equal(nic->counters.tx_bytes, expected * 60);
    /* what still waits at close is freed: the fixture counts */
    nic_send(nic, packet(f, 60));
}

static void flattens_for_a_port_without_chains(void **state)
{
    struct fixture *f = *state;
    struct nic *nic = &f->nics[0];
    struct rte_mbuf *m, *big;
    uint8_t data[3000] = {0};
    static const uint32_t cuts[2] = {54, 1500};

    nic->tx_segments_max = 1;
    m = packet(f, 54);
    assert_int_equal(rte_pktmbuf_chain(m, packet(f, 1000)), 0);
    nic_send(nic, m);
    assert_int_equal(nic->counters.tx_flattened, 1);
    m = sent(f, 0);
    assert_int_equal(m->nb_segs, 1);
    assert_int_equal(m->pkt_len, 1054);
    rte_pktmbuf_free(m);

    big = mbuf_cut(f->pool, data, sizeof(data), cuts, 2);
    nic_send(nic, big);
    assert_int_equal(nic->counters.tx_flatten_failed, 1);
    assert_null(sent(f, 0));

    nic->tx_segments_max = 2; /* a port with a limit */
    m = packet(f, 54);
    assert_int_equal(rte_pktmbuf_chain(m, packet(f, 10)) | rte_pktmbuf_chain(m, packet(f, 10)), 0);
    nic_send(nic, m);
    m = sent(f, 0);
    assert_int_equal(m->nb_segs, 1);
    rte_pktmbuf_free(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* A port that takes nothing any more loses the first frame after a while: that may be what it refuses. */
static void does_not_wait_for_ever(void **state)
{
    struct fixture *f = *state;
    struct nic *nic = &f->nics[0];
    uint32_t waiting;

    for (uint32_t i = 0; i < 1024 + 10; i++)
        nic_send(nic, packet(f, 60));
    waiting = nic_flush(nic);
    assert_true(waiting > 0);
    for (uint32_t i = 0; i < 998; i++)
        assert_int_equal(nic_flush(nic), waiting);
    assert_int_equal(nic->counters.tx_refused, 0);
    while (nic->counters.tx_refused == 0)
        waiting = nic_flush(nic);
    assert_int_equal(waiting, nic->pending_count);
    for (struct rte_mbuf *m; nic_rx(nic, &m, 1) == 1; (void)nic_flush(nic))
        rte_pktmbuf_free(m);
    assert_int_equal(nic->pending_count, 0);
    assert_int_equal(nic->counters.tx_refused, 1);
}

static void knows_what_a_ring_slot_holds(void **state)
{
    static const struct {
        const char *device;
        uint32_t mtu, buffer;
    } rows[] = {
        {"net_af_packet0,iface=x", 1968, 2016}, {"net_af_packet0,iface=x,framesz=16384,framecnt=512", 16304, 16352},
        {"net_af_packet0,framesz=80", 0, 48},   {"net_af_packet0,framesz=99999999999999999999", 0, 0},
        {"net_af_packet0,framesz=", 0, 0},      {"net_af_xdp0,iface=x", UINT32_MAX, 0},
        {"0000:03:00.0", UINT32_MAX, 0},        {"", UINT32_MAX, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(nic_device_mtu_max(rows[i].device), rows[i].mtu);
        assert_int_equal(nic_device_buffer_min(rows[i].device), rows[i].buffer);
    }
}

static void knows_how_much_a_port_cuts(void **state)
{
    static const struct {
        uint16_t segments;
        uint32_t buffer, bytes;
    } rows[] = {{0, 2048, 0}, {3, 2048, 0}, {8, 2048, 5 * 2048}, {32, 2048, 29 * 2048}, {32, 9216, 65535 - 120}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct nic nic = {.tx_tso_segments_max = rows[i].segments};

        assert_int_equal(nic_tso_bytes(&nic, rows[i].buffer), rows[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refuses_what_it_cannot_open),  TEST(opens_by_name_number_and_arguments),
        TEST(opens_several_queues),         TEST(sets_key_and_table_of_a_port_with_rss),
        TEST(knows_how_much_a_port_cuts),   TEST(does_not_wait_for_ever),
        TEST(knows_what_a_ring_slot_holds), TEST(counts_and_keeps_order),
        TEST(waits_while_the_ring_is_full), TEST(flattens_for_a_port_without_chains),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
