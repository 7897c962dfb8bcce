/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define OURS IP(198, 18, 1, 10)
#define PEER IP(198, 18, 1, 77)

static void expect_segment(const struct fixture *f, const struct frame *frame, uint32_t header_bytes)
{
    const struct net_segment *s = &f->segments[0];
    struct assay_address src = address_from_ip4_be(PEER), dst = address_from_ip4_be(OURS);
    uint32_t len = read_be16(frame->bytes + 16) - (header_bytes - ETHER_BYTES);
    uint8_t copy[FRAME_MAX];

    assert_int_equal(f->segments_count, 1);
    assert_int_equal(s->length, len);
    assert_int_equal(s->mbuf->pkt_len, len);
    assert_true(s->mbuf->data_len >= RTE_MIN(len, 60U));
    assert_memory_equal(rte_pktmbuf_read(s->mbuf, 0, len, copy), frame->bytes + header_bytes, len);
    assert_true(address_equal(&s->src, &src));
    assert_true(address_equal(&s->dst, &dst));
}

static void passes_tcp_up_without_padding_and_options(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_tcp(PEER, OURS, 0);

    memset(frame.bytes + frame.len, 0xee, 6); /* padded to the shortest frame */
    frame.len = ETHER_FRAME_MIN;
    frame.bytes[ETHER_BYTES + 1] = 3; /* congestion experienced */
    frame_fix_ip(&frame);
    feed(f, 0, &frame);
    expect_segment(f, &frame, 34);
    assert_int_equal(f->segments[0].ecn, 3);
    assert_int_equal(counters(f)->rx_trimmed, 1);

    frame = frame_tcp(PEER, OURS, 100);
    memmove(frame.bytes + 34 + 8, frame.bytes + 34, 120);
    memset(frame.bytes + 34, 1, 8);
    frame.bytes[14] = 0x47;
    frame.bytes[17] = (uint8_t)(frame.bytes[17] + 8);
    frame.len += 8;
    frame_fix_ip(&frame);
    feed(f, 0, &frame);
    expect_segment(f, &frame, 42);
}

static void believes_the_port_about_checksums(void **state)
{
    struct fixture *f = *state;
    struct frame good = frame_tcp(PEER, OURS, 20), bad = good;
    static const struct {
        bool offload;
        uint64_t flags;
        bool bad_passes, good_passes;
    } rows[] = {
        {false, RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD, false,
         true}, /* who set them? not this port */
        {true, RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN, false, true},
        {true, RTE_MBUF_F_RX_L4_CKSUM_NONE, false, true},
        {true, RTE_MBUF_F_RX_L4_CKSUM_BAD, false, false},
        {true, RTE_MBUF_F_RX_L4_CKSUM_GOOD, true, true},
    };

    bad.bytes[60] ^= 1;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int is_good = 0; is_good < 2; is_good++) {
            struct rte_mbuf *m = mbuf_of(f->pool, is_good ? good.bytes : bad.bytes, good.len);

            f->nics[0].rx_checksum = rows[i].offload;
            m->ol_flags |= rows[i].flags;
            feed_mbuf(f, 0, m);
            assert_int_equal(f->segments_count, is_good ? rows[i].good_passes : rows[i].bad_passes);
        }
    f->nics[0].rx_checksum = true;
    good.bytes[24] ^= 1;
    struct rte_mbuf *m = mbuf_of(f->pool, good.bytes, good.len);
    m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    feed_mbuf(f, 0, m);
    assert_int_equal(f->segments_count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(passes_tcp_up_without_padding_and_options),
        TEST(believes_the_port_about_checksums),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
