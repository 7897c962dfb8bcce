/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define OURS IP(198, 18, 1, 10)
#define PEER IP(198, 18, 1, 77)
#define FAR  IP(203, 0, 113, 5)

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

/* Cuts what is behind the IP header of frame into pieces of at most size bytes; the i-th one. */
static struct frame piece_of(const struct frame *frame, uint32_t size, uint32_t i)
{
    uint32_t len = frame->len - 34, offset = i * size, part = RTE_MIN(size, len - offset);
    struct frame piece = frame_ip4(read_raw32(frame->bytes + 26), read_raw32(frame->bytes + 30), frame->bytes[23],
                                   frame->bytes + 34 + offset, part);

    write_be16(piece.bytes + 18, 0x4242);
    write_be16(piece.bytes + 20, (uint16_t)(offset / 8 | (offset + part < len ? IP4_MORE : 0)));
    frame_fix_ip(&piece);
    return piece;
}

static void puts_fragments_together_where_it_may(void **state)
{
    struct fixture *f = *state;
    struct frame whole = frame_tcp(PEER, OURS, 1000), piece;
    uint8_t copy[FRAME_MAX];

    for (int on = 0; on < 2; on++) {
        f->net->reassemble = on;
        for (uint32_t i = 0; i < 3; i++) {
            piece = piece_of(&whole, 400, (i + 2) % 3);
            memset(piece.bytes + piece.len, 0xee, 7); /* padding is no part of it */
            piece.len += 7;
            feed(f, 0, &piece);
        }
        assert_int_equal(counters(f)->drop_ip4_fragment, 3);
        assert_int_equal(f->segments_count, on);
    }
    assert_int_equal(f->segments[0].length, 1020);
    assert_memory_equal(rte_pktmbuf_read(f->segments[0].mbuf, 0, 1020, copy), whole.bytes + 34, 1020);
    assert_int_equal(f->segments[0].ecn, NET_ECN_NONE);
    assert_int_equal(counters(f)->fragments_reassembled, 1);
    for (uint32_t i = 0; i < 3; i++) { /* the middle one is marked on its way (RFC 3168 §5.3) */
        piece = piece_of(&whole, 400, i);
        piece.bytes[15] = i == 1 ? NET_ECN_CE : NET_ECN_ECT0;
        frame_fix_ip(&piece);
        feed(f, 0, &piece);
    }
    assert_int_equal(f->segments_count, 1);
    assert_int_equal(f->segments[0].ecn, NET_ECN_CE);
    whole.bytes[200] ^= 1; /* the checksum is looked at */
    for (uint32_t i = 0; i < 3; i++) {
        piece = piece_of(&whole, 400, i);
        feed(f, 0, &piece);
    }
    assert_int_equal(counters(f)->drop_tcp_checksum, 1);
    piece = piece_of(&whole, 400, 0); /* given up in time */
    feed(f, 0, &piece);
    assert_int_equal(net_next_timer_us(f->net), f->now_us + FRAGMENTS_TIMEOUT_US);
    f->now_us += FRAGMENTS_TIMEOUT_US;
    assert_int_equal(timers(f), 0);
    assert_int_equal(counters(f)->fragments_expired, 1);
}

/* RFC 792: "time exceeded", where the first fragment is here; RFC 1122 §3.2.2: never about an error. */
static void tells_that_fragments_have_not_come(void **state)
{
    struct fixture *f = *state;
    struct frame arp = frame_arp(ARP_REQUEST, all_mac, peer_mac, PEER, NULL, OURS);
    uint8_t rest[1000] = {0};
    const struct {
        struct frame whole;
        uint32_t part;
        bool told;
    } rows[] = {
        {frame_tcp(PEER, OURS, 1000), 0, true},
        {frame_tcp(PEER, OURS, 1000), 1, false},
        {frame_ip4(PEER, OURS, IP4_PROTO_UDP, rest, sizeof(rest)), 0, true},
        {frame_icmp(PEER, OURS, ICMP_ECHO_REQUEST, 0, rest, sizeof(rest)), 0, true},
        {frame_icmp(PEER, OURS, ICMP_UNREACHABLE, ICMP_CODE_PORT, rest, sizeof(rest)), 0, false},
    };

    f->net->reassemble = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct frame piece = piece_of(&rows[i].whole, 400, rows[i].part);
        struct rte_mbuf *m;
        const uint8_t *p;

        feed(f, 0, &piece);
        feed(f, 0, &arp); /* the answer needs no question of ours */
        rte_pktmbuf_free(sent(f, 0));
        f->now_us += FRAGMENTS_TIMEOUT_US;
        timers(f);
        assert_int_equal(counters(f)->fragments_expired, i + 1);
        while ((m = sent(f, 0)) != NULL && read_be16(rte_pktmbuf_mtod(m, const uint8_t *) + 12) == ETHER_TYPE_ARP)
            rte_pktmbuf_free(m); /* is the peer still there? */
        assert_int_equal(m != NULL, rows[i].told);
        if (m == NULL)
            continue;
        p = rte_pktmbuf_mtod(m, const uint8_t *);
        assert_int_equal(m->pkt_len, 14 + 20 + 8 + 28);
        assert_int_equal(p[34], ICMP_TIME_EXCEEDED);
        assert_int_equal(p[35], ICMP_CODE_REASSEMBLY);
        assert_int_equal(checksum_add(0, p + 34, 36), 0xffff);
        assert_memory_equal(p + 42, piece.bytes + 14, 28);
        rte_pktmbuf_free(m);
    }
    assert_int_equal(counters(f)->icmp_errors_sent, 3);
}

/* In a VLAN, and in buffers that somebody else holds as well. */
static void puts_shared_and_tagged_fragments_together(void **state)
{
    struct fixture *f = *state;
    struct frame whole = frame_tcp(PEER, OURS, 1000);
    struct rte_mbuf *held[3];

    f->net->reassemble = true;
    f->net->ports[0].vlan = VLAN;
    for (uint32_t i = 0; i < 3; i++) {
        struct frame piece = piece_of(&whole, 400, i), tagged = frame_tagged(&piece, VLAN);

        held[i] = mbuf_of(f->pool, tagged.bytes, tagged.len);
        rte_mbuf_refcnt_update(held[i], 1);
        feed_mbuf(f, 0, held[i]);
        assert_memory_equal((uint8_t *)held[i]->buf_addr + RTE_PKTMBUF_HEADROOM, tagged.bytes, tagged.len);
    }
    assert_int_equal(f->segments_count, 1);
    rte_pktmbuf_free_bulk(held, 3);
}

/* An answer longer than the MTU leaves in fragments, and they make up what came. */
static void answers_a_long_echo_in_fragments(void **state)
{
    struct fixture *f = *state;
    struct frame request = frame_arp(ARP_REQUEST, all_mac, peer_mac, PEER, NULL, OURS), whole, piece;
    uint8_t rest[3000], data[4000];
    uint32_t at = 0;

    for (uint32_t i = 0; i < sizeof(rest); i++)
        rest[i] = (uint8_t)(i * 11);
    feed(f, 0, &request);
    rte_pktmbuf_free(sent(f, 0));
    f->net->reassemble = true;
    whole = frame_icmp(PEER, OURS, ICMP_ECHO_REQUEST, 0, rest, sizeof(rest));
    for (uint32_t i = 0; i < 3; i++) {
        piece = piece_of(&whole, 1480, i);
        feed(f, 0, &piece);
    }
    for (uint32_t i = 0; i < 3;) {
        struct rte_mbuf *m = sent(f, 0);
        uint8_t copy[FRAME_MAX];
        const uint8_t *p;

        assert_non_null(m);
        p = rte_pktmbuf_read(m, 0, m->pkt_len, copy);
        if (read_be16(p + 12) == ETHER_TYPE_IP4) { /* else the question for a stale neighbour */
            assert_int_equal(checksum_add(0, p + 14, 20), 0xffff);
            assert_int_equal(read_be16(p + 20), at / 8 | (i < 2 ? IP4_MORE : 0));
            assert_int_equal(read_be16(p + 16), m->pkt_len - 14);
            assert_true(m->pkt_len <= 1514);
            memcpy(data + at, p + 34, m->pkt_len - 34);
            at += m->pkt_len - 34;
            i++;
        }
        rte_pktmbuf_free(m);
    }
    assert_int_equal(at, 4 + sizeof(rest));
    assert_int_equal(data[0], ICMP_ECHO_REPLY);
    assert_int_equal(checksum_add(0, data, at), 0xffff);
    assert_memory_equal(data + 4, rest, sizeof(rest));
    assert_int_equal(counters(f)->fragments_sent, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(drops_what_was_sent_to_all),
        TEST(drops_what_came_in_on_the_wrong_port),
        TEST(drops_every_truncation),
        TEST(answers_echo_with_what_came),
        TEST(does_not_write_into_a_shared_echo_request),
        TEST(limits_echo),
        TEST(refuses_bad_icmp),
        TEST(passes_icmp_errors_up),
        TEST(tells_who_asks_for_what_is_not_here),
        TEST(puts_fragments_together_where_it_may),
        TEST(tells_that_fragments_have_not_come),
        TEST(puts_shared_and_tagged_fragments_together),
        TEST(answers_a_long_echo_in_fragments),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
