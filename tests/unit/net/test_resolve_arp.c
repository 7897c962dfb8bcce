/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define OURS    IP(198, 18, 1, 10)
#define PEER    IP(198, 18, 1, 77)
#define GATEWAY IP(198, 18, 1, 1)

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

/* One of several cores of the host, all of which hear the same. */
static void one_that_only_listens_learns_and_asks_but_does_not_speak_for_the_host(void **state)
{
    struct fixture *f = *state;

    f->net->listens_only = true;
    net_announce(f->net, f->now_us);
    f->now_us += 3 * SECOND;
    timers(f);
    expect_nothing_sent(f);
    feed_arp(f, ARP_REQUEST, all_mac, peer_mac, PEER, OURS);
    expect_nothing_sent(f); /* the other one answers */
    assert_string_equal(state_of(f, PEER), "stale");
    feed_arp(f, ARP_REQUEST, all_mac, other_mac, OURS, OURS); /* a conflict: the other one defends */
    expect_nothing_sent(f);
    assert_int_equal(counters(f)->arp_conflicts, 1);
    send_number(f, IP(198, 18, 1, 78), 7);
    expect_arp(f, ARP_REQUEST, all_mac, OURS, IP(198, 18, 1, 78));
    feed_arp_reply(f, 0, IP(198, 18, 1, 78));
    expect_number(f, 7, peer_mac);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_nobody_asked_for_is_forgotten),
        TEST(what_cannot_be_a_neighbour_is_not_remembered),
        TEST(another_with_our_address_is_a_conflict),
        TEST(an_announced_change_is_taken_and_checked),
        TEST(who_asks_for_us_is_known),
        TEST(a_flood_of_requests_leaves_the_gateway),
        TEST(announces_its_addresses_twice),
        TEST(one_that_only_listens_learns_and_asks_but_does_not_speak_for_the_host),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
