/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define OURS ip6("2001:db8:1::10")
#define PEER ip6("2001:db8:1::77")
#define FAR  ip6("2001:db9::5")

/* Makes the peer known, so that answers leave at once. */
static void know_peer(struct fixture *f)
{
    struct ndp_message message = {.type = NDP_SOLICITATION, .has_mac = true, .target = OURS};
    struct frame frame;

    memcpy(message.mac, peer_mac, 6);
    frame = frame_ndp(PEER, ip6("ff02::1:ff00:10"), &message);
    feed(f, 0, &frame);
    rte_pktmbuf_free(sent(f, 0));
}

/* The answer to the peer; the question whether the neighbour still holds, which may follow, is taken off the wire too. */
static struct rte_mbuf *answer(struct fixture *f)
{
    struct rte_mbuf *m = sent(f, 0), *more;

    while ((more = sent(f, 0)) != NULL)
        rte_pktmbuf_free(more);
    return m;
}

/* A change to one byte of a good TCP frame, and what it must be counted as. */
static void drops_bad_packets_and_says_why(void **state)
{
    static const struct {
        uint32_t offset;
        uint8_t value;
        bool fix; /* TCP checksum made right again */
        size_t counter;
        const char *what;
    } rows[] = {
        {0, 0x04, false, COUNTER(drop_not_for_us), "another MAC address"},
        {0, 0x33, false, COUNTER(drop_not_for_us), "no IPv6 group"},
        {6, 0x33, false, COUNTER(drop_source_mac), "from a group"},
        {14, 0x45, false, COUNTER(drop_ip6_header), "version"},
        {19, 0xff, false, COUNTER(drop_ip6_header), "longer than the frame"},
        {20, 44, false, COUNTER(drop_ip6_fragment), "a fragment"},
        {20, 43, false, COUNTER(drop_ip6_extension), "a routing header that is too long"},
        {53, 0x11, true, COUNTER(drop_ip6_destination), "another destination"},
        {38, 0xff, true, COUNTER(drop_ip6_multicast), "a group we are not in"},
        {22, 0xff, true, COUNTER(drop_ip6_martian), "from a group"},
        {37, 0x10, true, COUNTER(drop_ip6_martian), "from our own address"},
        {27, 0x02, true, COUNTER(drop_ip6_martian), "from a subnet behind another port"},
        {55, 0x77, false, COUNTER(drop_tcp_checksum), "TCP port changed"},
        {93, 0x77, false, COUNTER(drop_tcp_checksum), "last byte of payload"},
        {30, 0x77, false, COUNTER(drop_tcp_checksum), "pseudo header"},
        {19, 19, false, COUNTER(drop_tcp_short), "19 bytes of TCP"},
        {19, 0, false, COUNTER(drop_tcp_short), "nothing of TCP"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct frame frame = frame_tcp6(PEER, OURS, 20);
        struct fixture *f = *state;

        assert_int_equal(fixture_teardown(state) | fixture_setup6(state), 0);
        frame.bytes[rows[i].offset] = rows[i].value;
        if (rows[i].fix)
            frame_fix_ip6(&frame);
        feed(f, 0, &frame);
        expect_dropped(f, rows[i].counter, rows[i].what);
    }
}

/* What on the wire would become an IPv4 peer further up (RFC 4942 §2.2). */
static void refuses_ip4_in_disguise(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_tcp6(ip6("198.18.1.77"), OURS, 20);

    feed(f, 0, &frame);
    assert_int_equal(counters(f)->drop_ip6_martian, 1);
    frame = frame_tcp6(ip6("::198.18.1.77"), OURS, 20);
    feed(f, 0, &frame);
    assert_int_equal(counters(f)->drop_ip6_martian, 2);
    frame = frame_tcp6(PEER, ip6("198.18.1.10"), 20);
    feed(f, 0, &frame);
    assert_int_equal(counters(f)->drop_ip6_destination, 1);
    expect_nothing_sent(f);
}

static void drops_what_was_sent_to_many(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_tcp6(PEER, OURS, 20);

    memcpy(frame.bytes, all_mac, 6);
    feed(f, 0, &frame);
    assert_int_equal(counters(f)->drop_ip6_multicast, 1);
    frame = frame_tcp6(PEER, ip6("ff02::1"), 20);
    feed(f, 0, &frame);
    frame = frame_icmp6(PEER, ip6("ff02::1"), 64, ICMP6_ECHO_REQUEST, 0, "abcd", 4); /* no smurf */
    feed(f, 0, &frame);
    frame = frame_ip6(PEER, ip6("ff02::1"), IP6_PROTO_UDP, "01234567", 8);
    feed(f, 0, &frame);
    assert_int_equal(counters(f)->drop_ip6_multicast, 4);
    expect_nothing_sent(f);
}

static void drops_what_came_in_on_the_wrong_port(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_tcp6(FAR, OURS, 20);

    feed(f, 1, &frame);
    expect_dropped(f, COUNTER(drop_ip6_destination), "wrong port");
    feed(f, 0, &frame);
    assert_int_equal(f->segments_count, 1);
}

static void a_port_without_an_address_does_not_speak_it(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_tcp6(PEER, OURS, 20);

    f->net->ports[0].addresses6_count = 0;
    feed(f, 0, &frame);
    expect_dropped(f, COUNTER(drop_ip6), "IPv6 is off");
}

static void expect_segment6(const struct fixture *f, uint32_t payload_len)
{
    const struct net_segment *s = &f->segments[0];
    struct assay_address src = PEER, dst = OURS;
    uint8_t copy[FRAME_MAX];
    const uint8_t *p;

    assert_int_equal(f->segments_count, 1);
    assert_int_equal(s->length, 20 + payload_len);
    assert_int_equal(s->mbuf->pkt_len, 20 + payload_len);
    assert_true(s->mbuf->data_len >= RTE_MIN(20 + payload_len, 60U));
    assert_true(address_equal(&s->src, &src) && address_equal(&s->dst, &dst));
    p = rte_pktmbuf_read(s->mbuf, 0, 20 + payload_len, copy);
    for (uint32_t i = 0; i < payload_len; i++)
        assert_int_equal(p[20 + i], (uint8_t)(i * 7 + 3));
}

/* Puts extension headers in front of the TCP header. */
static struct frame with_extensions(uint32_t payload_len, uint8_t first, const uint8_t *headers, uint32_t len)
{
    struct frame frame = frame_tcp6(PEER, OURS, payload_len);

    memmove(frame.bytes + 54 + len, frame.bytes + 54, frame.len - 54);
    memcpy(frame.bytes + 54, headers, len);
    frame.bytes[20] = first;
    write_be16(frame.bytes + 18, (uint16_t)(read_be16(frame.bytes + 18) + len));
    frame.len += len;
    return frame;
}

static void passes_tcp_up_without_padding_and_extensions(void **state)
{
    struct fixture *f = *state;
    static const uint8_t headers[] = {60, 0, 1, 4, 0, 0, 0, 0, 44, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 0, 9, 9, 9, 9};
    struct frame frame = frame_tcp6(PEER, OURS, 3);

    memset(frame.bytes + frame.len, 0xee, 9);
    frame.len += 9;
    frame.bytes[15] = 0x30; /* congestion experienced */
    feed(f, 0, &frame);
    expect_segment6(f, 3);
    assert_int_equal(f->segments[0].ecn, 3);
    assert_int_equal(counters(f)->rx_trimmed, 1);
    frame = with_extensions(100, IP6_PROTO_HOP_BY_HOP, headers, sizeof(headers)); /* and an atomic fragment */
    feed(f, 0, &frame);
    expect_segment6(f, 100);
}

static void takes_multi_segment_input_cut_anywhere(void **state)
{
    struct fixture *f = *state;
    uint8_t headers[IP6_EXTENSION_BYTES_MAX] = {6, IP6_EXTENSION_BYTES_MAX / 8 - 1};
    struct frame frame = with_extensions(150, IP6_PROTO_DESTINATION, headers, sizeof(headers));

    for (uint32_t first = 0; first <= frame.len; first++)
        for (uint32_t second = first; second <= frame.len; second += first % 5 + 1) {
            uint32_t cuts[2] = {first, second};

            feed_mbuf(f, 0, mbuf_cut(f->pool, frame.bytes, frame.len, cuts, 2));
            expect_segment6(f, 150);
        }
}

static void believes_the_port_about_checksums(void **state)
{
    struct fixture *f = *state;
    struct frame bad = frame_tcp6(PEER, OURS, 20);
    struct rte_mbuf *m;

    bad.bytes[80] ^= 1;
    f->nics[0].rx_checksum = true;
    m = mbuf_of(f->pool, bad.bytes, bad.len);
    m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    feed_mbuf(f, 0, m);
    assert_int_equal(f->segments_count, 1);
    m = mbuf_of(f->pool, bad.bytes, bad.len);
    m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN;
    feed_mbuf(f, 0, m);
    assert_int_equal(f->segments_count, 0);
}

/* --- ICMP ----------------------------------------------------------------------------------------------------------------- */

static void answers_echo_with_what_came(void **state)
{
    struct fixture *f = *state;
    struct assay_address ours = OURS, peer = PEER;
    uint8_t rest[1500];

    for (uint32_t i = 0; i < sizeof(rest); i++)
        rest[i] = (uint8_t)(i * 3);
    know_peer(f);
    for (uint32_t len = 4; len <= 1456; len += 44) {
        struct frame frame = frame_icmp6(PEER, OURS, 64, ICMP6_ECHO_REQUEST, 0, rest, len);
        uint32_t cuts[2] = {len % 50, len % 50 + (len + 3) / 2};
        struct rte_mbuf *m;
        uint8_t copy[2000];
        const uint8_t *p;

        f->now_us += SECOND / 100;
        feed_mbuf(f, 0, mbuf_cut(f->pool, frame.bytes, frame.len, cuts, len % 3));
        m = answer(f);
        assert_non_null(m);
        p = rte_pktmbuf_read(m, 0, m->pkt_len, copy);
        assert_int_equal(m->pkt_len, frame.len);
        assert_memory_equal(p, peer_mac, 6);
        assert_memory_equal(p + 22, ours.bytes, 16);
        assert_memory_equal(p + 38, peer.bytes, 16);
        assert_int_equal(p[21], 64);
        assert_int_equal(p[54], ICMP6_ECHO_REPLY);
        assert_int_equal(mbuf_checksum(checksum_pseudo6(&ours, &peer, IP6_PROTO_ICMP, 4 + len), m, 54), 0xffff);
        assert_memory_equal(p + 58, rest, len);
        rte_pktmbuf_free(m);
    }
}

static void limits_echo(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 150; i++) {
        struct frame frame = frame_icmp6(PEER, OURS, 64, ICMP6_ECHO_REQUEST, 0, "12345678", 8);

        feed(f, 0, &frame);
    }
    assert_int_equal(counters(f)->icmp_echo_answered, 100);
    assert_int_equal(counters(f)->icmp_echo_limited, 50);
}

static void refuses_bad_icmp(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_icmp6(PEER, OURS, 64, ICMP6_ECHO_REQUEST, 0, "12345678", 8);

    frame.bytes[60] ^= 1;
    feed(f, 0, &frame);
    frame = frame_icmp6(PEER, OURS, 64, ICMP6_ECHO_REQUEST, 0, "123", 3);
    feed(f, 0, &frame);
    assert_int_equal(counters(f)->icmp_malformed, 2);
    static const uint8_t ignored[] = {ICMP6_ECHO_REPLY, 133, 134, 137, 200, 100, 127};
    for (size_t i = 0; i < sizeof(ignored); i++) { /* router discovery, redirects and unknown ones */
        frame = frame_icmp6(PEER, OURS, 255, ignored[i], 0, "1234567890123456789012345678901234567890", 40);
        feed(f, 0, &frame);
    }
    assert_int_equal(counters(f)->icmp_ignored, sizeof(ignored));
    expect_nothing_sent(f);
}

static void passes_icmp_errors_up(void **state)
{
    struct fixture *f = *state;
    uint8_t rest[4 + IP6_BYTES + 8] = {0, 0, 5, 0x14}; /* MTU 1300 */
    struct assay_address ours = OURS, far = FAR, other = ip6("2001:db8:1::11");
    struct frame frame;

    ip6_write(rest + 4, &ours, &far, IP6_PROTO_TCP, 0, 1000, 60, 0);
    memcpy(rest + 4 + IP6_BYTES, (uint8_t[]){0x75, 0x30, 1, 0xbb, 1, 2, 3, 4}, 8);
    frame = frame_icmp6(ip6("2001:db8:1::1"), OURS, 64, ICMP6_TOO_BIG, 0, rest, sizeof(rest));
    feed(f, 0, &frame);
    assert_int_equal(f->errors_count, 1);
    assert_int_equal(f->errors[0].mtu, 1300);
    assert_true(address_equal(&f->errors[0].remote, &far));
    ip6_write(rest + 4, &other, &far, IP6_PROTO_TCP, 0, 1000, 60, 0); /* about somebody else's */
    frame = frame_icmp6(ip6("2001:db8:1::1"), OURS, 64, ICMP6_TOO_BIG, 0, rest, sizeof(rest));
    feed(f, 0, &frame);
    assert_int_equal(f->errors_count, 0);
    assert_int_equal(counters(f)->icmp_malformed, 1);
    assert_int_equal(counters(f)->rx_icmp_error, 1);
}

static void tells_who_asks_for_what_is_not_here(void **state)
{
    static const struct {
        uint8_t next, first; /* and the first byte behind the IPv6 header */
        uint8_t type, code;  /* 0: nothing is told */
        uint32_t value;
        const char *what;
    } rows[] = {
        {IP6_PROTO_UDP, 1, ICMP6_UNREACHABLE, ICMP6_CODE_PORT, 0, "UDP"},
        {132, 1, ICMP6_PARAMETER_PROBLEM, ICMP6_CODE_NEXT_HEADER, 6, "SCTP"},
        {51, 1, ICMP6_PARAMETER_PROBLEM, ICMP6_CODE_NEXT_HEADER, 6, "AH"},
        {IP6_PROTO_DESTINATION, 132, ICMP6_PARAMETER_PROBLEM, ICMP6_CODE_NEXT_HEADER, 40, "SCTP behind options"},
        {IP6_PROTO_NONE, 0, 0, 0, 0, "nothing"},
    };
    struct fixture *f = *state;
    struct assay_address ours = OURS, peer = PEER;
    uint8_t payload[1400] = {0};

    know_peer(f);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (uint32_t len = 8; len <= sizeof(payload); len += 116) {
            uint32_t quoted = RTE_MIN(IP6_BYTES + len, (uint32_t)ICMP6_QUOTE_MAX);
            struct rte_mbuf *m;
            struct frame frame;
            const uint8_t *p;

            payload[0] = rows[i].first;
            frame = frame_ip6(PEER, OURS, rows[i].next, payload, len);
            f->now_us += SECOND;
            feed(f, 0, &frame);
            m = answer(f);
            if (rows[i].type == 0) {
                assert_null(m);
                continue;
            }
            if (m == NULL)
                fail_msg("%s", rows[i].what);
            p = rte_pktmbuf_mtod(m, uint8_t *);
            assert_int_equal(m->pkt_len, 54 + 8 + quoted);
            assert_int_equal(p[54], rows[i].type);
            assert_int_equal(p[55], rows[i].code);
            assert_int_equal(read_be32(p + 58), rows[i].value);
            assert_int_equal(mbuf_checksum(checksum_pseudo6(&ours, &peer, IP6_PROTO_ICMP, 8 + quoted), m, 54), 0xffff);
            assert_memory_equal(p + 62, frame.bytes + 14, quoted);
            rte_pktmbuf_free(m);
        }
    uint64_t before = counters(f)->icmp_errors_sent;
    for (int i = 0; i < 50; i++) {
        struct frame frame = frame_ip6(PEER, OURS, IP6_PROTO_UDP, "01234567", 8);

        feed(f, 0, &frame);
    }
    assert_in_range(counters(f)->icmp_errors_sent - before, 9, 10);
}

/* Cuts what is behind the IPv6 header of frame into pieces of at most size bytes; the i-th one. */
static struct frame piece_of(const struct frame *frame, uint32_t size, uint32_t i)
{
    uint32_t len = frame->len - 54, offset = i * size, part = RTE_MIN(size, len - offset);
    uint8_t bytes[FRAME_MAX] = {frame->bytes[20], 0, 0, 0, 9, 8, 7, 6};
    struct assay_address src, dst;

    write_be16(bytes + 2, (uint16_t)(offset | (offset + part < len)));
    memcpy(bytes + 8, frame->bytes + 54 + offset, part);
    memcpy(src.bytes, frame->bytes + 22, 16);
    memcpy(dst.bytes, frame->bytes + 38, 16);
    return frame_ip6(src, dst, IP6_PROTO_FRAGMENT, bytes, 8 + part);
}

static void puts_fragments_together_where_it_may(void **state)
{
    struct fixture *f = *state;
    struct frame whole = frame_tcp6(PEER, OURS, 1000), piece;

    for (int on = 0; on < 2; on++) {
        f->net->reassemble = on;
        for (uint32_t i = 0; i < 3; i++) {
            piece = piece_of(&whole, 400, (i + 2) % 3);
            f->nics[0].rx_checksum = true;
            struct rte_mbuf *m = mbuf_of(f->pool, piece.bytes, piece.len);
            m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD; /* of a part of it: means nothing */
            feed_mbuf(f, 0, m);
        }
        assert_int_equal(counters(f)->drop_ip6_fragment, 3);
        if (on)
            expect_segment6(f, 1000);
        else
            assert_int_equal(f->segments_count, 0);
    }
    assert_int_equal(f->segments[0].ecn, NET_ECN_NONE);
    for (uint32_t i = 0; i < 3; i++) { /* the last one is marked on its way (RFC 3168 §5.3) */
        piece = piece_of(&whole, 400, i);
        piece.bytes[15] |= (i == 2 ? NET_ECN_CE : NET_ECN_ECT0) << 4;
        feed(f, 0, &piece);
    }
    assert_int_equal(f->segments_count, 1);
    assert_int_equal(f->segments[0].ecn, NET_ECN_CE);
    whole.bytes[200] ^= 1; /* the checksum is looked at */
    for (uint32_t i = 0; i < 3; i++) {
        piece = piece_of(&whole, 400, i);
        feed(f, 0, &piece);
    }
    assert_int_equal(f->segments_count, 0);
    assert_int_equal(counters(f)->drop_tcp_checksum, 1);
    whole = with_extensions(1000, IP6_PROTO_DESTINATION, (uint8_t[]){6, 0, 1, 4, 0, 0, 0, 0}, 8);
    piece = piece_of(&whole, 400, 0);
    feed(f, 0, &piece);
    assert_int_equal(counters(f)->drop_ip6_extension, 1);
}

/* RFC 8200 §4.5, RFC 4443 §3.3: where the first fragment is here; never about an error. */
static void tells_that_fragments_have_not_come(void **state)
{
    struct fixture *f = *state;
    struct assay_address peer = PEER, ours = OURS;
    uint8_t rest[1000] = {0};
    const struct {
        struct frame whole;
        uint32_t part;
        bool told;
    } rows[] = {
        {frame_tcp6(PEER, OURS, 1000), 0, true},
        {frame_tcp6(PEER, OURS, 1000), 1, false},
        {frame_icmp6(PEER, OURS, 64, ICMP6_ECHO_REQUEST, 0, rest, sizeof(rest)), 0, true},
        {frame_icmp6(PEER, OURS, 64, ICMP6_UNREACHABLE, 0, rest, sizeof(rest)), 0, false},
    };

    f->net->reassemble = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct frame piece = piece_of(&rows[i].whole, 400, rows[i].part);
        uint32_t quoted = piece.len - 14;
        struct rte_mbuf *m;
        uint8_t *p;

        feed(f, 0, &piece);
        know_peer(f);
        f->now_us += FRAGMENTS_TIMEOUT_US;
        timers(f);
        assert_int_equal(counters(f)->fragments_expired, i + 1);
        while ((m = sent(f, 0)) != NULL && rte_pktmbuf_mtod(m, const uint8_t *)[54] >= ICMP6_INFORMATIONAL)
            rte_pktmbuf_free(m); /* is the peer still there? */
        assert_int_equal(m != NULL, rows[i].told);
        if (m == NULL)
            continue;
        p = rte_pktmbuf_mtod(m, uint8_t *);
        assert_int_equal(m->pkt_len, 54 + 8 + quoted);
        assert_int_equal(p[54], ICMP6_TIME_EXCEEDED);
        assert_int_equal(p[55], ICMP6_CODE_REASSEMBLY);
        assert_int_equal(mbuf_checksum(checksum_pseudo6(&ours, &peer, IP6_PROTO_ICMP, 8 + quoted), m, 54), 0xffff);
        assert_memory_equal(p + 62, piece.bytes + 14, quoted);
        rte_pktmbuf_free(m);
    }
    assert_int_equal(counters(f)->icmp_errors_sent, 2);
}

/* An answer longer than the MTU leaves in fragments, and they make up what came. */
static void answers_a_long_echo_in_fragments(void **state)
{
    struct fixture *f = *state;
    uint8_t rest[3000], data[4000];
    struct frame whole, piece;
    uint32_t at = 0;
    struct rte_mbuf *m;

    for (uint32_t i = 0; i < sizeof(rest); i++)
        rest[i] = (uint8_t)(i * 11);
    know_peer(f);
    f->net->reassemble = true;
    whole = frame_icmp6(PEER, OURS, 64, ICMP6_ECHO_REQUEST, 0, rest, sizeof(rest));
    for (uint32_t i = 0; i < 3; i++) {
        piece = piece_of(&whole, 1448, i);
        feed(f, 0, &piece);
    }
    for (uint32_t i = 0; i < 3; i++) {
        struct ip6_header ip;
        uint8_t copy[FRAME_MAX];
        const uint8_t *p;

        do {
            m = sent(f, 0);
            assert_non_null(m);
            p = rte_pktmbuf_read(m, 0, m->pkt_len, copy);
        } while (p[20] != IP6_PROTO_FRAGMENT && (rte_pktmbuf_free(m), true)); /* the question for a stale neighbour */
        assert_int_equal(ip6_read(slice_of(p + 14, m->pkt_len - 14), m->pkt_len - 14, &ip), IP6_FRAGMENT);
        assert_int_equal(ip.protocol, IP6_PROTO_ICMP);
        assert_int_equal(ip.fragment_offset, at);
        assert_int_equal(ip.more, i < 2);
        assert_true(m->pkt_len <= 1514);
        memcpy(data + at, p + 62, m->pkt_len - 62);
        at += m->pkt_len - 62;
        rte_pktmbuf_free(m);
    }
    assert_int_equal(at, 4 + sizeof(rest));
    assert_int_equal(data[0], ICMP6_ECHO_REPLY);
    assert_memory_equal(data + 4, rest, sizeof(rest));
    assert_int_equal(counters(f)->fragments_sent, 3);
}

static void tells_of_faults_that_are_to_be_told(void **state)
{
    struct fixture *f = *state;
    static const uint8_t option[] = {6, 0, 0x9e, 4, 0, 0, 0, 0}, routing[] = {6, 0, 0, 1, 0, 0, 0, 0};
    struct frame frame = with_extensions(10, IP6_PROTO_DESTINATION, option, sizeof(option));
    struct rte_mbuf *m;

    know_peer(f);
    feed(f, 0, &frame);
    m = answer(f);
    assert_non_null(m);
    assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[55], 2);
    assert_int_equal(read_be32(rte_pktmbuf_mtod(m, uint8_t *) + 58), 42);
    rte_pktmbuf_free(m);
    assert_int_equal(counters(f)->drop_ip6_option, 1);
    frame = with_extensions(10, IP6_PROTO_ROUTING, routing, sizeof(routing));
    feed(f, 0, &frame);
    m = answer(f);
    assert_non_null(m);
    assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[55], 0);
    rte_pktmbuf_free(m);
    assert_int_equal(counters(f)->drop_ip6_routing, 1);
    frame = with_extensions(10, IP6_PROTO_DESTINATION, option, sizeof(option));
    memcpy(frame.bytes, all_mac, 6); /* sent to all: never answered */
    feed(f, 0, &frame);
    assert_null(answer(f));
    assert_int_equal(counters(f)->drop_ip6_option, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup6, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(drops_bad_packets_and_says_why),
        TEST(refuses_ip4_in_disguise),
        TEST(drops_what_was_sent_to_many),
        TEST(drops_what_came_in_on_the_wrong_port),
        TEST(a_port_without_an_address_does_not_speak_it),
        TEST(passes_tcp_up_without_padding_and_extensions),
        TEST(takes_multi_segment_input_cut_anywhere),
        TEST(believes_the_port_about_checksums),
        TEST(answers_echo_with_what_came),
        TEST(limits_echo),
        TEST(refuses_bad_icmp),
        TEST(passes_icmp_errors_up),
        TEST(tells_who_asks_for_what_is_not_here),
        TEST(puts_fragments_together_where_it_may),
        TEST(tells_that_fragments_have_not_come),
        TEST(answers_a_long_echo_in_fragments),
        TEST(tells_of_faults_that_are_to_be_told),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
