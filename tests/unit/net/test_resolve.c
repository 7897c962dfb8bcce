/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define OURS IP(198, 18, 1, 10)
#define PEER IP(198, 18, 1, 77)

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
        TEST(asks_queues_and_sends),   TEST(gives_up_tells_tcp_and_tries_again_later),
        TEST(errors_are_bounded),      TEST(confirms_by_unicast_while_in_use),
        TEST(forgets_who_is_not_used), TEST(survives_an_empty_pool),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
