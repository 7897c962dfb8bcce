/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define OURS    IP(198, 18, 1, 10)
#define PEER    IP(198, 18, 1, 77)
#define GATEWAY IP(198, 18, 1, 1)

static const uint8_t other_mac[6] = {0x02, 0, 0, 0, 0, 0x55};

static void send_number(struct fixture *f, uint32_t dst, uint8_t number)
{
    uint8_t tcp[21] = {0x9c, 0x40, 0x01, 0xbb, 1, 2, 3, 4, 0, 0, 0, 0, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0, number};
    struct net_tx tx = {.count = 1};

    tx.datagrams[0] =
        (struct net_datagram){mbuf_of(f->pool, tcp, sizeof(tcp)), address_from_ip4_be(OURS), address_from_ip4_be(dst)};
    net_output(f->net, &tx, f->now_us);
}

static void expect_number(struct fixture *f, uint8_t number, const uint8_t *mac)
{
    struct rte_mbuf *m = sent(f, 0);

    assert_non_null(m);
    assert_int_equal(m->pkt_len, 55);
    assert_int_equal(*rte_pktmbuf_mtod_offset(m, uint8_t *, 54), number);
    assert_memory_equal(rte_pktmbuf_mtod(m, uint8_t *), mac, 6);
    rte_pktmbuf_free(m);
}

static void expect_arp(struct fixture *f, uint16_t operation, const uint8_t *dst_mac, uint32_t sender, uint32_t target)
{
    struct rte_mbuf *m = sent(f, 0);
    struct arp_packet arp;

    assert_non_null(m);
    assert_int_equal(m->pkt_len, ETHER_FRAME_MIN);
    assert_int_equal(read_be16(rte_pktmbuf_mtod_offset(m, uint8_t *, 12)), ETHER_TYPE_ARP);
    assert_true(arp_read(slice_of(rte_pktmbuf_mtod_offset(m, uint8_t *, 14), 46), &arp));
    assert_int_equal(arp.operation, operation);
    assert_memory_equal(rte_pktmbuf_mtod(m, uint8_t *), dst_mac, 6);
    assert_memory_equal(arp.sender_mac, own_mac, 6);
    assert_int_equal(arp.sender_be, sender);
    assert_int_equal(arp.target_be, target);
    rte_pktmbuf_free(m);
}

static uint32_t timers(struct fixture *f)
{
    f->errors_count = net_timers(f->net, f->now_us, f->errors, 64);
    return f->errors_count;
}

static const char *state_of(struct fixture *f, uint32_t ip)
{
    struct net_neighbour_info rows[64];
    struct assay_address address = address_from_ip4_be(ip);
    uint32_t n = net_list_neighbours(f->net, rows, 64);

    for (uint32_t i = 0; i < n; i++)
        if (address_equal(&rows[i].address, &address))
            return rows[i].state;
    return "none";
}

static void feed_arp(struct fixture *f, uint16_t operation, const uint8_t *dst, const uint8_t *mac, uint32_t sender,
                     uint32_t target)
{
    struct frame frame = frame_arp(operation, dst, mac, sender, operation == ARP_REPLY ? own_mac : NULL, target);

    feed(f, 0, &frame);
}

static void an_answer_nobody_asked_for_is_forgotten(void **state)
{
    struct fixture *f = *state;

    feed_arp(f, ARP_REPLY, own_mac, other_mac, PEER, OURS);
    feed_arp(f, ARP_REPLY, all_mac, other_mac, PEER, PEER);   /* gratuitous reply */
    feed_arp(f, ARP_REQUEST, all_mac, other_mac, PEER, PEER); /* announcement */
    feed_arp(f, ARP_REQUEST, all_mac, other_mac, PEER, IP(198, 18, 1, 99));
    assert_string_equal(state_of(f, PEER), "none");
    assert_int_equal(counters(f)->arp_ignored, 3);
    expect_nothing_sent(f);
}

static void what_cannot_be_a_neighbour_is_not_remembered(void **state)
{
    struct fixture *f = *state;
    static const uint32_t senders[] = {0, IP(203, 0, 113, 1), IP(198, 18, 1, 255), IP(198, 18, 1, 0), UINT32_MAX};
    struct frame bad = frame_arp(ARP_REQUEST, all_mac, peer_mac, PEER, NULL, OURS);

    for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
        feed_arp(f, ARP_REQUEST, all_mac, peer_mac, senders[i], OURS);
        expect_arp(f, ARP_REPLY, peer_mac, OURS, senders[i]); /* answered all the same: RFC 5227 probes */
    }
    assert_int_equal(net_list_neighbours(f->net, (struct net_neighbour_info[1]){0}, 1), 0);
    bad.bytes[14 + 8] = 1;
    feed(f, 0, &bad);
    bad.len = 41;
    feed(f, 0, &bad);
    assert_int_equal(counters(f)->arp_malformed, 2);
    expect_nothing_sent(f);
}

static void another_with_our_address_is_a_conflict(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 5; i++)
        feed_arp(f, ARP_REQUEST, all_mac, other_mac, OURS, OURS);
    feed_arp(f, ARP_REPLY, own_mac, other_mac, OURS, OURS);
    assert_int_equal(counters(f)->arp_conflicts, 6);
    expect_arp(f, ARP_REQUEST, all_mac, OURS, OURS); /* defended, once in ten seconds */
    expect_nothing_sent(f);
    f->now_us += 10 * SECOND;
    feed_arp(f, ARP_REQUEST, all_mac, other_mac, OURS, PEER);
    expect_arp(f, ARP_REQUEST, all_mac, OURS, OURS);
    assert_string_equal(state_of(f, OURS), "none");
}

static void asks_queues_and_sends(void **state)
{
    struct fixture *f = *state;

    for (uint8_t i = 0; i < 20; i++)
        send_number(f, PEER, i);
    expect_arp(f, ARP_REQUEST, all_mac, OURS, PEER); /* one question for all of them */
    expect_nothing_sent(f);
    assert_string_equal(state_of(f, PEER), "incomplete");
    assert_int_equal(counters(f)->drop_arp_queue, 4);
    feed_arp_reply(f, 0, PEER);
    for (uint8_t i = 4; i < 20; i++)
        expect_number(f, i, peer_mac);
    assert_string_equal(state_of(f, PEER), "reachable");
    send_number(f, PEER, 99);
    expect_number(f, 99, peer_mac);
    expect_nothing_sent(f);
    assert_int_equal(counters(f)->arp_replies_received, 1);
}

static void gives_up_tells_tcp_and_tries_again_later(void **state)
{
    struct fixture *f = *state;
    struct assay_address peer = address_from_ip4_be(PEER);

    send_number(f, PEER, 1);
    send_number(f, PEER, 2);
    expect_arp(f, ARP_REQUEST, all_mac, OURS, PEER);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(net_next_timer_us(f->net), f->now_us + SECOND);
        f->now_us += SECOND - 1;
        assert_int_equal(timers(f), 0);
        expect_nothing_sent(f);
        f->now_us += 1;
        assert_int_equal(timers(f), 0);
        expect_arp(f, ARP_REQUEST, all_mac, OURS, PEER);
    }
    f->now_us += SECOND;
    assert_int_equal(timers(f), 2);
    expect_nothing_sent(f);
    assert_true(address_equal(&f->errors[0].remote, &peer));
    assert_int_equal(f->errors[0].type, 3);
    assert_int_equal(f->errors[0].code, 1);
    assert_int_equal(f->errors[0].local_port, 0x9c40);
    assert_int_equal(f->errors[0].remote_port, 443);
    assert_int_equal(f->errors[0].sequence, 0x01020304);
    assert_int_equal(counters(f)->arp_failed, 1);
    assert_int_equal(counters(f)->drop_arp_failed, 2);
    assert_string_equal(state_of(f, PEER), "failed");

    send_number(f, PEER, 3); /* still fresh: not asked again */
    expect_nothing_sent(f);
    assert_int_equal(counters(f)->drop_arp_failed, 3);
    f->now_us += 2 * SECOND;
    timers(f);
    assert_string_equal(state_of(f, PEER), "none");
    send_number(f, PEER, 4);
    expect_arp(f, ARP_REQUEST, all_mac, OURS, PEER);
    feed_arp_reply(f, 0, PEER);
    expect_number(f, 4, peer_mac);
}

static void errors_are_bounded(void **state)
{
    struct fixture *f = *state;

    for (uint8_t i = 0; i < 10; i++)
        send_number(f, PEER, i);
    for (int i = 0; i < 3; i++) {
        f->now_us += SECOND;
        assert_in_range(net_timers(f->net, f->now_us, f->errors, 3), 0, 3);
    }
    assert_int_equal(counters(f)->drop_arp_failed, 10);
}

static void confirms_by_unicast_while_in_use(void **state)
{
    struct fixture *f = *state;

    send_number(f, PEER, 1);
    feed_arp_reply(f, 0, PEER);
    expect_arp(f, ARP_REQUEST, all_mac, OURS, PEER);
    expect_number(f, 1, peer_mac);
    f->now_us += 30 * SECOND;
    send_number(f, PEER, 2);
    expect_number(f, 2, peer_mac);
    f->now_us += 30 * SECOND;
    timers(f);
    assert_string_equal(state_of(f, PEER), "probe");
    expect_arp(f, ARP_REQUEST, peer_mac, OURS, PEER);
    send_number(f, PEER, 3); /* traffic goes on meanwhile */
    expect_number(f, 3, peer_mac);
    feed_arp_reply(f, 0, PEER);
    assert_string_equal(state_of(f, PEER), "reachable");

    /* it is not there any more: three by unicast, then everybody is asked, then it is given up */
    send_number(f, PEER, 4);
    expect_number(f, 4, peer_mac);
    f->now_us += 1;
    send_number(f, PEER, 4);
    expect_number(f, 4, peer_mac);
    f->now_us += 60 * SECOND;
    for (int i = 0; i < 3; i++, f->now_us += SECOND) {
        timers(f);
        expect_arp(f, ARP_REQUEST, peer_mac, OURS, PEER);
    }
    timers(f);
    expect_arp(f, ARP_REQUEST, all_mac, OURS, PEER);
    feed_arp(f, ARP_REPLY, own_mac, other_mac, PEER, OURS); /* its standby answers */
    send_number(f, PEER, 5);
    expect_number(f, 5, other_mac);
    assert_string_equal(state_of(f, PEER), "reachable");
}

static void forgets_who_is_not_used(void **state)
{
    struct fixture *f = *state;

    send_number(f, PEER, 1);
    feed_arp_reply(f, 0, PEER);
    f->now_us += 60 * SECOND;
    timers(f);
    assert_string_equal(state_of(f, PEER), "stale");
    f->now_us += 600 * SECOND;
    timers(f);
    assert_string_equal(state_of(f, PEER), "none");
    assert_int_equal(net_next_timer_us(f->net), UINT64_MAX);
}

static void an_announced_change_is_taken_and_checked(void **state)
{
    struct fixture *f = *state;

    send_number(f, PEER, 1);
    feed_arp_reply(f, 0, PEER);
    expect_arp(f, ARP_REQUEST, all_mac, OURS, PEER);
    expect_number(f, 1, peer_mac);
    feed_arp(f, ARP_REQUEST, all_mac, peer_mac, PEER, PEER); /* nothing new */
    assert_string_equal(state_of(f, PEER), "reachable");
    feed_arp(f, ARP_REQUEST, all_mac, other_mac, PEER, PEER); /* a standby takes over */
    assert_int_equal(counters(f)->arp_changed, 1);
    assert_string_equal(state_of(f, PEER), "stale");
    send_number(f, PEER, 2);
    expect_number(f, 2, other_mac);
    expect_arp(f, ARP_REQUEST, other_mac, OURS, PEER);
    assert_string_equal(state_of(f, PEER), "probe");
}

static void who_asks_for_us_is_known(void **state)
{
    struct fixture *f = *state;

    send_number(f, PEER, 7); /* waits for it already */
    expect_arp(f, ARP_REQUEST, all_mac, OURS, PEER);
    feed_arp(f, ARP_REQUEST, all_mac, peer_mac, PEER, OURS);
    expect_number(f, 7, peer_mac);
    expect_arp(f, ARP_REPLY, peer_mac, OURS, PEER);
    feed_arp(f, ARP_REQUEST, own_mac, peer_mac, GATEWAY, OURS); /* by unicast, to confirm us */
    expect_arp(f, ARP_REPLY, peer_mac, OURS, GATEWAY);
    assert_string_equal(state_of(f, GATEWAY), "stale");
    assert_int_equal(counters(f)->arp_requests_received, 2);
}

static void a_flood_of_requests_leaves_the_gateway(void **state)
{
    struct fixture *f = *state;
    struct rte_mbuf *m;

    send_number(f, IP(203, 0, 113, 9), 1);
    feed_arp_reply(f, 0, GATEWAY);
    for (uint32_t i = 2; i < 5000; i++) {
        feed_arp(f, ARP_REQUEST, all_mac, other_mac, IP(198, 18, 1, 20 + i % 200), OURS);
        while ((m = sent(f, 0)) != NULL)
            rte_pktmbuf_free(m);
    }
    assert_string_equal(state_of(f, GATEWAY), "reachable");
}

static void announces_its_addresses_twice(void **state)
{
    struct fixture *f = *state;
    struct rte_mbuf *m;

    assert_int_equal(net_next_timer_us(f->net), UINT64_MAX);
    for (int turn = 0; turn < 2; turn++) {
        if (turn == 0)
            net_announce(f->net, f->now_us);
        else
            timers(f);
        expect_arp(f, ARP_REQUEST, all_mac, OURS, OURS);
        m = sent(f, 1);
        assert_non_null(m);
        rte_pktmbuf_free(m);
        assert_int_equal(net_next_timer_us(f->net), turn ? UINT64_MAX : f->now_us + 2 * SECOND);
        f->now_us += 2 * SECOND;
    }
    timers(f);
    expect_nothing_sent(f);
}

static void survives_an_empty_pool(void **state)
{
    struct fixture *f = *state;
    struct rte_mbuf *hold[2047];
    uint32_t n = 0;

    while (n < 2046 && (hold[n] = rte_pktmbuf_alloc(f->pool)) != NULL)
        n++;
    send_number(f, PEER, 1); /* takes the last one: none is left for the question */
    assert_int_equal(counters(f)->drop_no_mbuf, 1);
    rte_pktmbuf_free_bulk(hold, n);
    f->now_us += SECOND;
    timers(f); /* asked then */
    expect_arp(f, ARP_REQUEST, all_mac, OURS, PEER);
    feed_arp_reply(f, 0, PEER);
    expect_number(f, 1, peer_mac);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_nobody_asked_for_is_forgotten),
        TEST(what_cannot_be_a_neighbour_is_not_remembered),
        TEST(another_with_our_address_is_a_conflict),
        TEST(asks_queues_and_sends),
        TEST(gives_up_tells_tcp_and_tries_again_later),
        TEST(errors_are_bounded),
        TEST(confirms_by_unicast_while_in_use),
        TEST(forgets_who_is_not_used),
        TEST(an_announced_change_is_taken_and_checked),
        TEST(who_asks_for_us_is_known),
        TEST(a_flood_of_requests_leaves_the_gateway),
        TEST(announces_its_addresses_twice),
        TEST(survives_an_empty_pool),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
