/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define OURS IP(198, 18, 1, 10)
#define PEER IP(198, 18, 1, 77)
#define FAR  IP(203, 0, 113, 5)

#define COUNTER(name) offsetof(struct net_counters, name)

static uint64_t count_at(const struct fixture *f, size_t offset)
{
    uint64_t value;

    memcpy(&value, (const uint8_t *)counters(f) + offset, sizeof(value));
    return value;
}

static void expect_dropped(struct fixture *f, size_t counter, const char *what)
{
    if (f->segments_count != 0 || f->errors_count != 0)
        fail_msg("passed up: %s", what);
    if (count_at(f, counter) != 1)
        fail_msg("not counted: %s", what);
    expect_nothing_sent(f);
}

/* A change to one byte of a good TCP frame, and what it must be counted as. */
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

static void drops_what_was_sent_to_all(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_tcp(PEER, OURS, 20);

    memcpy(frame.bytes, all_mac, 6); /* RFC 1122 §3.3.6: a unicast datagram in a link-level broadcast */
    feed(f, 0, &frame);
    expect_dropped(f, COUNTER(drop_ip4_broadcast), "link broadcast");
    frame = frame_tcp(PEER, IP(255, 255, 255, 255), 20);
    memcpy(frame.bytes, all_mac, 6);
    feed(f, 0, &frame);
    assert_int_equal(counters(f)->drop_ip4_broadcast, 2);
    frame = frame_ip4(PEER, OURS, 6, NULL, 0);
    write_be16(frame.bytes + 12, ETHER_TYPE_IP6);
    feed(f, 0, &frame);
    assert_int_equal(counters(f)->drop_ip6, 1);
    frame = frame_icmp(PEER, IP(198, 18, 1, 255), ICMP_ECHO_REQUEST, 0, "abcd", 4); /* no smurf */
    feed(f, 0, &frame);
    assert_int_equal(counters(f)->drop_ip4_broadcast, 3);
    expect_nothing_sent(f);
}

/* The strong host model: an address of ours at the wrong port is not ours. */
static void drops_what_came_in_on_the_wrong_port(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_tcp(FAR, OURS, 20);

    feed(f, 1, &frame);
    expect_dropped(f, COUNTER(drop_ip4_destination), "wrong port");
    feed(f, 0, &frame);
    assert_int_equal(f->segments_count, 1);
}

static void drops_every_truncation(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_tcp(PEER, OURS, 20);
    uint32_t whole = frame.len;

    for (frame.len = 0; frame.len < whole; frame.len++) {
        feed(f, 0, &frame);
        assert_int_equal(f->segments_count, 0);
    }
    assert_int_equal(counters(f)->drop_short, ETHER_BYTES);
    assert_int_equal(counters(f)->drop_ip4_header, whole - ETHER_BYTES);
    expect_nothing_sent(f);
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

/* Two cuts at every position of a frame with IP options, TCP options and padding. */
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

/* --- ICMP ----------------------------------------------------------------------------------------------------------------- */

static void answers_echo_with_what_came(void **state)
{
    struct fixture *f = *state;
    uint8_t rest[1500];

    for (uint32_t i = 0; i < sizeof(rest); i++)
        rest[i] = (uint8_t)(i * 3);
    feed_arp_reply(f, 0, PEER); /* unsolicited: changes nothing */
    struct frame request = frame_arp(ARP_REQUEST, all_mac, peer_mac, PEER, NULL, OURS);
    feed(f, 0, &request); /* now it is known */
    rte_pktmbuf_free(sent(f, 0));
    for (uint32_t len = 4; len <= 1476; len += 46) {
        struct frame frame = frame_icmp(PEER, OURS, ICMP_ECHO_REQUEST, 0, rest, len);
        uint32_t cuts[2] = {len % 50, len % 50 + (len + 3) / 2};
        struct rte_mbuf *m;
        uint8_t copy[2000];
        const uint8_t *p;

        feed_mbuf(f, 0, mbuf_cut(f->pool, frame.bytes, frame.len, cuts, len % 3));
        m = sent(f, 0);
        assert_non_null(m);
        p = rte_pktmbuf_read(m, 0, m->pkt_len, copy);
        assert_non_null(p);
        assert_int_equal(m->pkt_len, frame.len);
        assert_memory_equal(p, peer_mac, 6);
        assert_memory_equal(p + 6, own_mac, 6);
        assert_int_equal(checksum_add(0, p + 14, 20), 0xffff);
        assert_int_equal(read_raw32(p + 26), OURS);
        assert_int_equal(read_raw32(p + 30), PEER);
        assert_int_equal(p[34], ICMP_ECHO_REPLY);
        assert_int_equal(checksum_add(0, p + 34, 4 + len), 0xffff);
        assert_memory_equal(p + 38, rest, len);
        rte_pktmbuf_free(m);
        if (len == 4) { /* STALE: asked by unicast whether it is still there */
            m = sent(f, 0);
            assert_non_null(m);
            assert_memory_equal(rte_pktmbuf_mtod(m, uint8_t *), peer_mac, 6);
            rte_pktmbuf_free(m);
        }
    }
    assert_int_equal(f->segments_count, 0);
}

static void does_not_write_into_a_shared_echo_request(void **state)
{
    struct fixture *f = *state;
    struct frame arp = frame_arp(ARP_REQUEST, all_mac, peer_mac, PEER, NULL, OURS);
    struct frame frame = frame_icmp(PEER, OURS, ICMP_ECHO_REQUEST, 0, "12345678", 8);
    struct rte_mbuf *m = mbuf_of(f->pool, frame.bytes, frame.len), *reply;

    feed(f, 0, &arp);
    rte_pktmbuf_free(sent(f, 0));
    rte_mbuf_refcnt_update(m, 1);
    feed_mbuf(f, 0, m);
    assert_memory_equal((uint8_t *)m->buf_addr + RTE_PKTMBUF_HEADROOM, frame.bytes, frame.len);
    rte_pktmbuf_free(m);
    reply = sent(f, 0);
    assert_non_null(reply);
    rte_pktmbuf_free(reply);
}

static void limits_echo(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 150; i++) {
        struct frame frame = frame_icmp(PEER, OURS, ICMP_ECHO_REQUEST, 0, "12345678", 8);

        feed(f, 0, &frame);
    }
    assert_int_equal(counters(f)->icmp_echo_answered, 100);
    assert_int_equal(counters(f)->icmp_echo_limited, 50);
}

static void refuses_bad_icmp(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_icmp(PEER, OURS, ICMP_ECHO_REQUEST, 0, "12345678", 8);

    frame.bytes[45] ^= 1;
    feed(f, 0, &frame);
    assert_int_equal(counters(f)->icmp_malformed, 1); /* checksum */
    frame = frame_icmp(PEER, OURS, ICMP_ECHO_REQUEST, 0, "123", 3);
    feed(f, 0, &frame);
    assert_int_equal(counters(f)->icmp_malformed, 2); /* 7 bytes */
    frame = frame_icmp(PEER, OURS, 5, 1, "12345678", 8);
    feed(f, 0, &frame); /* redirect */
    frame = frame_icmp(PEER, OURS, ICMP_ECHO_REPLY, 0, "12345678", 8);
    feed(f, 0, &frame);
    frame = frame_icmp(PEER, OURS, 13, 0, "1234567890123456", 16);
    feed(f, 0, &frame); /* timestamp request */
    frame = frame_icmp(PEER, OURS, 4, 0, "1234567890123456", 16);
    feed(f, 0, &frame); /* source quench */
    assert_int_equal(counters(f)->icmp_ignored, 4);
    expect_nothing_sent(f);
}

static void passes_icmp_errors_up(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint32_t quoted_src;
        uint8_t type;
        bool up;
    } rows[] = {
        {OURS, 3, true},
        {OURS, 11, true},
        {OURS, 12, true},
        {IP(198, 18, 2, 10), 3, false}, /* ours, but of the other port */
        {IP(198, 18, 1, 11), 3, false},
        {OURS, 5, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct frame quoted = frame_tcp(rows[i].quoted_src, FAR, 0), frame;
        uint8_t rest[4 + 40] = {0, 0, 5, 0};

        memcpy(rest + 4, quoted.bytes + ETHER_BYTES, 40);
        frame = frame_icmp(IP(198, 18, 1, 1), OURS, rows[i].type, rows[i].type == 3 ? 4 : 0, rest, 4 + 28);
        for (uint32_t cut = 0; cut <= frame.len; cut++) {
            feed_mbuf(f, 0, mbuf_cut(f->pool, frame.bytes, frame.len, &cut, 1));
            assert_int_equal(f->errors_count, rows[i].up);
            if (!rows[i].up)
                continue;
            assert_int_equal(f->errors[0].local_port, 0x9c40);
            assert_int_equal(f->errors[0].remote_port, 443);
            assert_int_equal(f->errors[0].sequence, 0x01020304);
            assert_int_equal(f->errors[0].mtu, rows[i].type == 3 ? 1280 : 0);
        }
    }
    expect_nothing_sent(f);
}

static void tells_who_asks_for_what_is_not_here(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint8_t protocol, code;
    } rows[] = {{IP4_PROTO_UDP, ICMP_CODE_PORT}, {47, ICMP_CODE_PROTOCOL}, {132, ICMP_CODE_PROTOCOL}};
    struct frame arp = frame_arp(ARP_REQUEST, all_mac, peer_mac, PEER, NULL, OURS);

    feed(f, 0, &arp);
    rte_pktmbuf_free(sent(f, 0));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (uint32_t len = 0; len < 30; len += 4) {
            struct frame frame = frame_ip4(PEER, OURS, rows[i].protocol, "0123456789012345678901234567890", len);
            uint32_t quoted = 20 + RTE_MIN(len, 8U);
            struct rte_mbuf *m;
            const uint8_t *p;

            f->now_us += SECOND;
            feed(f, 0, &frame);
            m = sent(f, 0);
            assert_non_null(m);
            p = rte_pktmbuf_mtod(m, uint8_t *);
            assert_int_equal(m->pkt_len, 34 + 8 + quoted);
            assert_int_equal(p[34], 3);
            assert_int_equal(p[35], rows[i].code);
            assert_int_equal(checksum_add(0, p + 34, 8 + quoted), 0xffff);
            assert_memory_equal(p + 42, frame.bytes + 14, quoted);
            rte_pktmbuf_free(m);
            while ((m = sent(f, 0)) != NULL) /* the unicast ARP question to a stale neighbour */
                rte_pktmbuf_free(m);
        }
    uint64_t before = counters(f)->icmp_errors_sent;
    for (int i = 0; i < 50; i++) {
        struct frame frame = frame_ip4(PEER, OURS, IP4_PROTO_UDP, "01234567", 8);

        feed(f, 0, &frame);
    }
    assert_in_range(counters(f)->icmp_errors_sent - before, 9, 10);
    assert_int_equal(counters(f)->icmp_errors_limited, 50 - (counters(f)->icmp_errors_sent - before));
}

/* A burst of all sorts keeps its order and loses nothing. */
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(drops_bad_frames_and_says_why),
        TEST(drops_what_was_sent_to_all),
        TEST(drops_what_came_in_on_the_wrong_port),
        TEST(drops_every_truncation),
        TEST(passes_tcp_up_without_padding_and_options),
        TEST(takes_multi_segment_input_cut_anywhere),
        TEST(drops_when_there_is_no_mbuf_to_pull_into),
        TEST(believes_the_port_about_checksums),
        TEST(answers_echo_with_what_came),
        TEST(does_not_write_into_a_shared_echo_request),
        TEST(limits_echo),
        TEST(refuses_bad_icmp),
        TEST(passes_icmp_errors_up),
        TEST(tells_who_asks_for_what_is_not_here),
        TEST(takes_a_mixed_burst),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
