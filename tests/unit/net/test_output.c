/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define OURS    IP(198, 18, 1, 10)
#define OURS2   IP(198, 18, 2, 10)
#define PEER    IP(198, 18, 1, 77)
#define PEER2   IP(198, 18, 2, 77)
#define GATEWAY IP(198, 18, 1, 1)
#define FAR     IP(203, 0, 113, 5)

static struct rte_mbuf *tcp_segment(struct fixture *f, uint32_t payload)
{
    uint8_t tcp[FRAME_MAX] = {0x9c, 0x40, 0x01, 0xbb, 1, 2, 3, 4, 0, 0, 0, 0, 0x50, 0x10, 0xff, 0xff};

    for (uint32_t i = 0; i < payload; i++)
        tcp[20 + i] = (uint8_t)(i * 5 + 1);
    return mbuf_of(f->pool, tcp, 20 + payload);
}

static void output(struct fixture *f, struct rte_mbuf *m, uint32_t src, uint32_t dst)
{
    struct net_tx tx = {.count = 1,
                        .datagrams = {{.mbuf = m, .src = address_from_ip4_be(src), .dst = address_from_ip4_be(dst)}}};

    net_output(f->net, &tx, f->now_us);
    assert_int_equal(tx.count, 0);
}

/* The peer makes itself known. */
static void know(struct fixture *f, uint32_t port, uint32_t peer)
{
    struct frame arp = frame_arp(ARP_REQUEST, all_mac, peer_mac, peer, NULL, port ? OURS2 : OURS);

    feed(f, port, &arp);
    rte_pktmbuf_free(sent(f, port));
}

static void expect_frame(struct rte_mbuf *m, uint32_t src, uint32_t dst, uint32_t payload)
{
    uint8_t copy[FRAME_MAX];
    const uint8_t *p;
    struct ip4_header ip;

    assert_non_null(m);
    p = rte_pktmbuf_read(m, 0, m->pkt_len, copy);
    assert_int_equal(m->pkt_len, 54 + payload);
    assert_memory_equal(p, peer_mac, 6);
    assert_memory_equal(p + 6, own_mac, 6);
    assert_int_equal(read_be16(p + 12), ETHER_TYPE_IP4);
    assert_int_equal(ip4_read(slice_of(p + 14, 20), 40 + payload, false, &ip), IP4_OK);
    assert_int_equal(ip.src_be, src);
    assert_int_equal(ip.dst_be, dst);
    assert_int_equal(ip.total_length, 40 + payload);
    assert_int_equal(read_be16(p + 20), 0x4000);
    assert_int_equal(p[22], 64);
    assert_int_equal(
        checksum_add(checksum_pseudo4(src, dst, IP4_PROTO_TCP, (uint16_t)(20 + payload)), p + 34, 20 + payload),
        0xffff);
    for (uint32_t i = 0; i < payload; i++)
        assert_int_equal(p[54 + i], (uint8_t)(i * 5 + 1));
    rte_pktmbuf_free(m);
}

static void drops_what_has_no_way(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint32_t src, dst;
        const char *what;
    } rows[] = {
        {IP(198, 18, 1, 11), PEER, "not our source"},
        {OURS2, FAR, "no route on that port"},
        {OURS2, PEER, "the other port's subnet"},
        {OURS, OURS, "to ourselves"},
        {OURS, IP(198, 18, 1, 255), "to the broadcast address"},
        {OURS, IP(198, 18, 1, 0), "to the subnet"},
        {OURS, UINT32_MAX, "to all"},
        {OURS, IP(224, 0, 0, 1), "to a group"},
        {OURS, IP(127, 0, 0, 1), "to loopback"},
        {OURS, 0, "to nobody"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        output(f, tcp_segment(f, 10), rows[i].src, rows[i].dst);
        if (counters(f)->drop_no_route != i + 1)
            fail_msg("%s", rows[i].what);
    }
    struct net_tx tx = {.count = 1,
                        .datagrams = {{.mbuf = tcp_segment(f, 1), .src = {{0x20, 1}}, .dst = {{0x20, 1}}}}}; /* IPv6 */
    net_output(f->net, &tx, f->now_us);
    assert_int_equal(counters(f)->drop_no_route, sizeof(rows) / sizeof(rows[0]) + 1);
    expect_nothing_sent(f);
}

static void drops_what_we_should_not_have_been_given(void **state)
{
    struct fixture *f = *state;
    struct rte_mbuf *m;

    know(f, 0, PEER);
    output(f, tcp_segment(f, 1461), OURS, PEER); /* a byte over the MTU */
    m = tcp_segment(f, 10);
    rte_pktmbuf_prepend(m, (uint16_t)(rte_pktmbuf_headroom(m) - 33));
    output(f, m, OURS, PEER); /* a byte too little headroom */
    m = tcp_segment(f, 10);
    rte_mbuf_refcnt_update(m, 1); /* somebody else's as well */
    output(f, m, OURS, PEER);
    rte_pktmbuf_free(m);
    m = mbuf_of(f->pool, "0123456789abcdefghi", 19);
    output(f, m, OURS, PEER);
    assert_int_equal(counters(f)->drop_tx_malformed, 4);
    expect_nothing_sent(f);
    output(f, tcp_segment(f, 1460), OURS, PEER);
    expect_frame(sent(f, 0), OURS, PEER, 1460);
}

static void sends_by_the_port_of_its_source(void **state)
{
    struct fixture *f = *state;

    know(f, 0, GATEWAY);
    know(f, 0, PEER);
    know(f, 1, PEER2);
    output(f, tcp_segment(f, 100), OURS, PEER);
    expect_frame(sent(f, 0), OURS, PEER, 100);
    rte_pktmbuf_free(sent(f, 0)); /* the question to a stale neighbour */
    output(f, tcp_segment(f, 0), OURS2, PEER2);
    expect_frame(sent(f, 1), OURS2, PEER2, 0);
    output(f, tcp_segment(f, 1), OURS, FAR); /* by the gateway's MAC address */
    expect_frame(sent(f, 0), OURS, FAR, 1);
}

/* A header before an indirect payload cut anywhere: the payload is shared, and must come through unwritten, on a port that
 * sends chains and on one that does not. */
static void sends_chains(void **state)
{
    struct fixture *f = *state;
    uint8_t data[300];

    for (uint32_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 5 + 1);
    know(f, 0, PEER);
    for (uint32_t flat = 0; flat < 2; flat++)
        for (uint32_t cut = 0; cut <= sizeof(data); cut += 1) {
            struct rte_mbuf *payload = mbuf_of(f->pool, data, sizeof(data));
            struct rte_mbuf *a = rte_pktmbuf_clone(payload, f->indirect_pool);
            struct rte_mbuf *b = rte_pktmbuf_clone(payload, f->indirect_pool), *m = tcp_segment(f, 0);

            rte_pktmbuf_trim(a, (uint16_t)(sizeof(data) - cut));
            rte_pktmbuf_adj(b, (uint16_t)cut);
            assert_int_equal(rte_pktmbuf_chain(m, a) | rte_pktmbuf_chain(m, b), 0);
            f->nics[0].tx_segments_max = flat ? 1 : 8;
            output(f, m, OURS, PEER);
            m = sent(f, 0);
            assert_int_equal(m->nb_segs, flat ? 1 : 3);
            expect_frame(m, OURS, PEER, sizeof(data));
            assert_memory_equal(rte_pktmbuf_mtod(payload, uint8_t *), data, sizeof(data));
            assert_int_equal(rte_mbuf_refcnt_read(payload), 1);
            rte_pktmbuf_free(payload);
            while ((m = sent(f, 0)) != NULL)
                rte_pktmbuf_free(m);
        }
    assert_int_equal(f->nics[0].counters.tx_flattened, sizeof(data) + 1);
}

static void leaves_checksums_to_a_port_that_makes_them(void **state)
{
    struct fixture *f = *state;
    struct rte_mbuf *m;
    uint16_t pseudo = checksum_pseudo4(OURS, PEER, IP4_PROTO_TCP, 120), field;

    know(f, 0, PEER);
    f->nics[0].tx_ip4_checksum = f->nics[0].tx_tcp_checksum = true;
    output(f, tcp_segment(f, 100), OURS, PEER);
    m = sent(f, 0);
    assert_int_equal(m->ol_flags & (RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM),
                     RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM);
    assert_int_equal(m->ol_flags & RTE_MBUF_F_TX_L4_MASK, RTE_MBUF_F_TX_TCP_CKSUM);
    assert_int_equal(m->l2_len, 14);
    assert_int_equal(m->l3_len, 20);
    assert_int_equal(read_be16(rte_pktmbuf_mtod_offset(m, uint8_t *, 24)), 0);
    memcpy(&field, rte_pktmbuf_mtod_offset(m, uint8_t *, 50), 2);
    assert_int_equal(field, pseudo);
    rte_pktmbuf_free(m);
}

/* RFC 9293 §3.1's pseudo header without the length: the port puts that of each segment in. */
static void hands_large_segments_to_a_port_that_cuts_them(void **state)
{
    struct fixture *f = *state;
    uint16_t pseudo = checksum_pseudo4(OURS, PEER, IP4_PROTO_TCP, 0), field;
    struct net_tx tx = {.count = 1};
    struct rte_mbuf *m, *payload = rte_pktmbuf_alloc(f->pool);
    uint32_t malformed = (uint32_t)counters(f)->drop_tx_malformed;

    know(f, 0, PEER);
    for (uint32_t able = 0; able < 2; able++) {
        f->nics[0].tx_ip4_checksum = f->nics[0].tx_tcp_checksum = true;
        f->nics[0].tx_segments_max = 1;
        f->nics[0].tx_tso_segments_max = able ? 4 : 0;
        m = tcp_segment(f, 0);
        *rte_pktmbuf_mtod_offset(m, uint8_t *, 12) = 0x80; /* twelve bytes of options */
        assert_non_null(rte_pktmbuf_append(m, 12));
        for (uint32_t i = 0; i < 2; i++) {
            struct rte_mbuf *piece = rte_pktmbuf_clone(payload, f->indirect_pool);

            piece->data_len = (uint16_t)(piece->buf_len - piece->data_off);
            piece->pkt_len = piece->data_len;
            assert_int_equal(rte_pktmbuf_chain(m, piece), 0);
        }
        assert_true(m->pkt_len > f->nics[0].mtu);
        tx.count = 1;
        tx.datagrams[0] = (struct net_datagram){
            .mbuf = m, .src = address_from_ip4_be(OURS), .dst = address_from_ip4_be(PEER), .segment_bytes = 1000};
        net_output(f->net, &tx, f->now_us);
        m = sent(f, 0);
        if (!able) {
            assert_null(m);
            assert_int_equal(counters(f)->drop_tx_malformed, malformed + 1);
            continue;
        }
        assert_int_equal(m->nb_segs, 3); /* not flattened */
        assert_int_equal(m->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM),
                         RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM);
        assert_int_equal(m->tso_segsz, 1000);
        assert_int_equal(m->l2_len, 14);
        assert_int_equal(m->l3_len, 20);
        assert_int_equal(m->l4_len, 32);
        memcpy(&field, rte_pktmbuf_mtod_offset(m, uint8_t *, 50), 2);
        assert_int_equal(field, pseudo);
        rte_pktmbuf_free(m);
    }
    rte_pktmbuf_free(payload);
}

static void identifications_do_not_count(void **state)
{
    struct fixture *f = *state;
    uint32_t steps = 0;
    uint16_t last = 0;

    know(f, 0, PEER);
    for (uint32_t i = 0; i < 100; i++) {
        struct rte_mbuf *m;

        output(f, tcp_segment(f, 0), OURS, PEER);
        m = sent(f, 0);
        steps += (uint16_t)(read_be16(rte_pktmbuf_mtod_offset(m, uint8_t *, 18)) - last) <= 16;
        last = read_be16(rte_pktmbuf_mtod_offset(m, uint8_t *, 18));
        do
            rte_pktmbuf_free(m);
        while ((m = sent(f, 0)) != NULL);
    }
    assert_true(steps < 5);
}

/* RFC 3168 §5: as TCP wants it, and the header's checksum is of that. */
static void says_what_queues_may_mark(void **state)
{
    struct fixture *f = *state;

    know(f, 0, PEER);
    for (uint8_t ecn = NET_ECN_NONE; ecn <= NET_ECN_CE; ecn++) {
        struct net_tx tx = {.count = 1,
                            .datagrams = {{.mbuf = tcp_segment(f, 10),
                                           .src = address_from_ip4_be(OURS),
                                           .dst = address_from_ip4_be(PEER),
                                           .ecn = ecn}}};
        struct rte_mbuf *m;

        net_output(f->net, &tx, f->now_us);
        m = sent(f, 0);
        assert_int_equal(*rte_pktmbuf_mtod_offset(m, uint8_t *, 15), ecn);
        expect_frame(m, OURS, PEER, 10);
        if (ecn == NET_ECN_NONE)
            rte_pktmbuf_free(sent(f, 0)); /* the question to a stale neighbour */
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(drops_what_has_no_way),
        TEST(drops_what_we_should_not_have_been_given),
        TEST(sends_by_the_port_of_its_source),
        TEST(sends_chains),
        TEST(leaves_checksums_to_a_port_that_makes_them),
        TEST(hands_large_segments_to_a_port_that_cuts_them),
        TEST(identifications_do_not_count),
        TEST(says_what_queues_may_mark),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
