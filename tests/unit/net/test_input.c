/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define OURS IP(198, 18, 1, 10)
#define PEER IP(198, 18, 1, 77)

static void drops_bad_frames_and_says_why(void **state)
{
    static const struct {
        uint32_t offset;
        uint8_t value;
        char fix; /* 'i': IP checksum, 't': and TCP checksum made right again */
        size_t counter;
        const char *what;
    } rows[] = {
        {0, 0x04, 0, COUNTER(drop_not_for_us), "another MAC address"},
        {0, 0x01, 0, COUNTER(drop_not_for_us), "a multicast MAC address"},
        {6, 0x01, 0, COUNTER(drop_source_mac), "from a group"},
        {11, 0x10, 0, COUNTER(drop_source_mac), "from ourselves"},
        {12, 0x05, 0, COUNTER(drop_ethertype), "802.3 length"},
        {13, 0x42, 0, COUNTER(drop_ethertype), "unknown type"},
        {12, 0x81, 0, COUNTER(drop_vlan), "VLAN tag"},
        {14, 0x65, 'i', COUNTER(drop_ip4_header), "version"},
        {14, 0x42, 0, COUNTER(drop_ip4_header), "header length"},
        {17, 0x3d, 'i', COUNTER(drop_ip4_header), "total length beyond the frame"},
        {24, 0x00, 0, COUNTER(drop_ip4_checksum), "IP checksum"},
        {20, 0x20, 'i', COUNTER(drop_ip4_fragment), "more fragments"},
        {21, 0x10, 'i', COUNTER(drop_ip4_fragment), "fragment offset"},
        {33, 11, 't', COUNTER(drop_ip4_destination), "another destination"},
        {33, 255, 't', COUNTER(drop_ip4_broadcast), "the subnet's broadcast address"},
        {33, 0, 't', COUNTER(drop_ip4_broadcast), "the subnet's own address"},
        {30, 225, 't', COUNTER(drop_ip4_broadcast), "multicast"},
        {26, 127, 't', COUNTER(drop_ip4_martian), "from loopback"},
        {26, 0, 't', COUNTER(drop_ip4_martian), "from this network"},
        {26, 224, 't', COUNTER(drop_ip4_martian), "from multicast"},
        {26, 250, 't', COUNTER(drop_ip4_martian), "from class E"},
        {29, 255, 't', COUNTER(drop_ip4_martian), "from the broadcast address"},
        {29, 10, 't', COUNTER(drop_ip4_martian), "from our own address"},
        {28, 2, 't', COUNTER(drop_ip4_martian), "from a subnet behind another port"},
        {34, 0x77, 0, COUNTER(drop_tcp_checksum), "TCP port changed"},
        {50, 0x77, 0, COUNTER(drop_tcp_checksum), "TCP checksum"},
        {73, 0x77, 0, COUNTER(drop_tcp_checksum), "last byte of payload"},
        {26, 197, 'i', COUNTER(drop_tcp_checksum), "pseudo header"},
        {17, 39, 'i', COUNTER(drop_tcp_short), "19 bytes of TCP"},
        {17, 20, 'i', COUNTER(drop_tcp_short), "nothing of TCP"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct frame frame = frame_tcp(PEER, OURS, 20);
        struct fixture *f = *state;

        assert_int_equal(fixture_teardown(state) | fixture_setup(state), 0);
        frame.bytes[rows[i].offset] = rows[i].value;
        if (rows[i].fix)
            frame_fix_ip(&frame);
        if (rows[i].fix == 't')
            frame_fix_tcp(&frame);
        feed(f, 0, &frame);
        expect_dropped(f, rows[i].counter, rows[i].what);
    }
}

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

static void takes_multi_segment_input_cut_anywhere(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_tcp(PEER, OURS, 150);

    memset(frame.bytes + frame.len, 0xee, 20);
    frame.len += 20;
    for (uint32_t first = 0; first <= frame.len; first++)
        for (uint32_t second = first; second <= frame.len; second += first % 5 + 1) {
            uint32_t cuts[2] = {first, second};

            feed_mbuf(f, 0, mbuf_cut(f->pool, frame.bytes, frame.len, cuts, 2));
            expect_segment(f, &frame, 34);
        }
    /* and in buffers that have no room for all headers */
    for (uint32_t cut = 34; cut <= 190; cut++) {
        feed_mbuf(f, 0, mbuf_cut(f->tiny_pool, frame.bytes, frame.len, &cut, 1));
        expect_segment(f, &frame, 34);
    }
    assert_true(counters(f)->rx_pulled > 1000);
}

static void drops_when_there_is_no_mbuf_to_pull_into(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_tcp(PEER, OURS, 150);
    uint32_t cut = 100;
    struct rte_mbuf *hold[2047], *m = mbuf_cut(f->pool, frame.bytes, frame.len, &cut, 1);
    struct rte_mbuf *shared = m->next;

    rte_mbuf_refcnt_update(shared, 1);
    assert_int_equal(rte_pktmbuf_alloc_bulk(f->pool, hold, 2045), 0);
    feed_mbuf(f, 0, m);
    rte_pktmbuf_free_bulk(hold, 2045);
    expect_dropped(f, COUNTER(drop_no_mbuf), "no mbuf");
    rte_pktmbuf_free_seg(shared);
}

static void takes_a_mixed_burst(void **state)
{
    struct fixture *f = *state;
    struct rte_mbuf *burst[60];

    for (uint32_t i = 0; i < 60; i++) {
        struct frame frame = i % 3 == 0   ? frame_tcp(PEER, OURS, i)
                             : i % 3 == 1 ? frame_ip4(PEER, OURS, 47, "abc", 3)
                                          : frame_tcp(PEER, IP(198, 18, 1, 99), i);

        burst[i] = mbuf_of(f->pool, frame.bytes, frame.len);
    }
    f->segments_count = net_input(f->net, 0, burst, 60, f->now_us, f->segments, f->errors, &f->errors_count);
    assert_int_equal(f->segments_count, 20);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(f->segments[i].length, 20 + i * 3);
    assert_int_equal(counters(f)->rx_packets, 60);
}

/* Which tag the frame has, how it came, and whether it is ours; the last: by the port that took it off. */
static void takes_frames_of_its_vlan_alone(void **state)
{
    static const struct {
        uint16_t vlan; /* of the port */
        int tag;       /* -1: none */
        bool ours;
    } rows[] = {
        {0, -1, true},
        {0, 0, true},
        {0, 0xe000, true},
        {0, 1, false},
        {0, VLAN, false},
        {VLAN, -1, false},
        {VLAN, 0, false},
        {VLAN, 43, false},
        {VLAN, VLAN, true},
        {VLAN, 0xe000 | VLAN, true},
        {VLAN, 0x1000 | VLAN, true},
    };
    struct fixture *f = *state;
    struct frame plain = frame_tcp(PEER, OURS, 20), frame;
    uint64_t others = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rte_mbuf *m;

        f->net->ports[0].vlan = rows[i].vlan;
        frame = rows[i].tag < 0 ? plain : frame_tagged(&plain, (uint16_t)rows[i].tag);
        feed(f, 0, &frame);
        assert_int_equal(f->segments_count, rows[i].ours);
        m = mbuf_of(f->pool, plain.bytes, plain.len);
        if (rows[i].tag >= 0) {
            m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
            m->vlan_tci = (uint16_t)rows[i].tag;
        }
        feed_mbuf(f, 0, m);
        assert_int_equal(f->segments_count, rows[i].ours);
        others += rows[i].ours ? 0 : 2;
    }
    assert_int_equal(counters(f)->drop_vlan, others);
    f->net->ports[0].vlan = VLAN;
    frame = frame_tagged(&plain, 7); /* a tag in a tag */
    frame = frame_tagged(&frame, VLAN);
    feed(f, 0, &frame);
    assert_int_equal(f->segments_count, 0);
    assert_int_equal(counters(f)->drop_vlan, others + 1);
    frame = frame_tagged(&plain, VLAN);
    for (frame.len = 14; frame.len < 18; frame.len++)
        feed(f, 0, &frame);
    assert_int_equal(counters(f)->drop_short, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(drops_bad_frames_and_says_why),
        TEST(takes_multi_segment_input_cut_anywhere),
        TEST(drops_when_there_is_no_mbuf_to_pull_into),
        TEST(takes_a_mixed_burst),
        TEST(takes_frames_of_its_vlan_alone),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
