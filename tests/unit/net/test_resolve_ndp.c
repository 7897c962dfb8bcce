/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define OURS       "2001:db8:1::10"
#define LINK_LOCAL "fe80::ff:fe00:10"
#define PEER       "2001:db8:1::77"
#define GATEWAY    "2001:db8:1::1"
#define OUR_GROUP  "ff02::1:ff00:10"

static void send_to(struct fixture *f, const char *dst, uint8_t number)
{
    uint8_t tcp[21] = {0x9c, 0x40, 0x01, 0xbb, 1, 2, 3, 4, 0, 0, 0, 0, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0, number};
    struct net_tx tx = {.count = 1};

    tx.datagrams[0] =
        (struct net_datagram){.mbuf = mbuf_of(f->pool, tcp, sizeof(tcp)), .src = ip6(OURS), .dst = ip6(dst)};
    net_output(f->net, &tx, f->now_us);
}

static void expect_sent(struct fixture *f, uint8_t number, const uint8_t *mac)
{
    struct rte_mbuf *m = sent(f, 0);

    assert_non_null(m);
    assert_int_equal(m->pkt_len, 75);
    assert_int_equal(*rte_pktmbuf_mtod_offset(m, uint8_t *, 74), number);
    assert_memory_equal(rte_pktmbuf_mtod(m, uint8_t *), mac, 6);
    rte_pktmbuf_free(m);
}

/* The next frame is that message; dst_mac NULL: that of dst, a group. */
static struct ndp_message expect_ndp(struct fixture *f, uint32_t port, uint8_t type, const uint8_t *dst_mac,
                                     const char *src, const char *dst, const char *target)
{
    struct assay_address from = ip6(src), to = ip6(dst), about = ip6(target);
    struct rte_mbuf *m = sent(f, port);
    struct ndp_message message;
    uint8_t group_mac[6];
    struct ip6_header ip;
    const uint8_t *p;

    assert_non_null(m);
    p = rte_pktmbuf_mtod(m, uint8_t *);
    ip6_multicast_mac(&to, group_mac);
    assert_memory_equal(p, dst_mac != NULL ? dst_mac : group_mac, 6);
    assert_memory_equal(p + 6, own_mac, 6);
    assert_int_equal(read_be16(p + 12), ETHER_TYPE_IP6);
    assert_int_equal(ip6_read(slice_of(p + 14, m->data_len - 14U), m->pkt_len - 14, &ip), IP6_OK);
    assert_int_equal(ip.total_length, m->pkt_len - 14);
    assert_true(address_equal(&ip.src, &from) && address_equal(&ip.dst, &to));
    assert_int_equal(mbuf_checksum(checksum_pseudo6(&from, &to, IP6_PROTO_ICMP, m->pkt_len - 54), m, 54), 0xffff);
    assert_true(ndp_read(slice_of(p + 54, m->data_len - 54U), &from, &to, ip.hop_limit, &message));
    assert_int_equal(message.type, type);
    assert_true(address_equal(&message.target, &about));
    if (message.has_mac)
        assert_memory_equal(message.mac, own_mac, 6);
    rte_pktmbuf_free(m);
    return message;
}

static void feed_ndp(struct fixture *f, uint8_t type, const char *src, const char *dst, const char *target,
                     const uint8_t *mac, const char *flags)
{
    struct ndp_message message = {.type = type,
                                  .target = ip6(target),
                                  .has_mac = mac != NULL,
                                  .solicited = strchr(flags, 'S') != NULL,
                                  .override = strchr(flags, 'O') != NULL};
    struct frame frame;

    if (mac != NULL)
        memcpy(message.mac, mac, 6);
    frame = frame_ndp(ip6(src), ip6(dst), &message);
    feed(f, 0, &frame);
}

static const char *state6_of(struct fixture *f, const char *text)
{
    struct net_neighbour_info rows[64];
    struct assay_address address = ip6(text);
    uint32_t n = net_list_neighbours(f->net, rows, 64);

    for (uint32_t i = 0; i < n; i++)
        if (address_equal(&rows[i].address, &address))
            return rows[i].state;
    return "none";
}

/* --- neighbours ------------------------------------------------------------------------------------------------------------- */

static void asks_queues_and_sends(void **state)
{
    struct fixture *f = *state;

    send_to(f, PEER, 1);
    send_to(f, PEER, 2);
    assert_true(expect_ndp(f, 0, NDP_SOLICITATION, NULL, OURS, "ff02::1:ff00:77", PEER).has_mac);
    expect_nothing_sent(f);
    assert_string_equal(state6_of(f, PEER), "incomplete");
    feed_ndp(f, NDP_ADVERTISEMENT, PEER, OURS, PEER, peer_mac, "SO");
    expect_sent(f, 1, peer_mac);
    expect_sent(f, 2, peer_mac);
    assert_string_equal(state6_of(f, PEER), "reachable");
    assert_int_equal(counters(f)->ndp_advertisements_received, 1);
    send_to(f, "2001:db9::1", 3); /* by the gateway */
    expect_ndp(f, 0, NDP_SOLICITATION, NULL, OURS, "ff02::1:ff00:1", GATEWAY);
    feed_ndp(f, NDP_ADVERTISEMENT, "fe80::1", OURS, GATEWAY, other_mac, "SO");
    expect_sent(f, 3, other_mac);
}

static void gives_up_and_tells_tcp(void **state)
{
    struct fixture *f = *state;
    struct assay_address peer = ip6(PEER), ours = ip6(OURS);

    send_to(f, PEER, 1);
    for (int i = 0; i < 3; i++, f->now_us += SECOND) {
        assert_int_equal(timers(f), 0);
        expect_ndp(f, 0, NDP_SOLICITATION, NULL, OURS, "ff02::1:ff00:77", PEER);
        expect_nothing_sent(f);
    }
    assert_int_equal(timers(f), 1);
    assert_true(address_equal(&f->errors[0].remote, &peer) && address_equal(&f->errors[0].local, &ours));
    assert_int_equal(f->errors[0].type, ICMP6_UNREACHABLE);
    assert_int_equal(f->errors[0].code, ICMP6_CODE_ADDRESS);
    assert_int_equal(f->errors[0].local_port, 0x9c40);
    assert_int_equal(f->errors[0].sequence, 0x01020304);
    assert_string_equal(state6_of(f, PEER), "failed");
}

static void confirms_by_unicast_while_in_use(void **state)
{
    struct fixture *f = *state;

    send_to(f, PEER, 1);
    expect_ndp(f, 0, NDP_SOLICITATION, NULL, OURS, "ff02::1:ff00:77", PEER);
    feed_ndp(f, NDP_ADVERTISEMENT, PEER, OURS, PEER, peer_mac, "SO");
    expect_sent(f, 1, peer_mac);
    f->now_us += 60 * SECOND;
    send_to(f, PEER, 2);
    expect_sent(f, 2, peer_mac);
    timers(f);
    expect_ndp(f, 0, NDP_SOLICITATION, peer_mac, OURS, PEER, PEER);
    assert_string_equal(state6_of(f, PEER), "probe");
    feed_ndp(f, NDP_ADVERTISEMENT, PEER, OURS, PEER, NULL, "S"); /* RFC 4861 §4.4: need not say its address again */
    assert_string_equal(state6_of(f, PEER), "reachable");
}

/* RFC 4861 §7.2.5 and appendix C */
static void an_advertisement_changes_what_it_may(void **state)
{
    static const struct {
        const char *flags;
        bool same_mac;
        const char *state;
        bool changed;
    } rows[] = {
        {"", true, "reachable", false}, {"O", true, "reachable", false}, {"", false, "stale", false},
        {"O", false, "stale", true},    {"S", false, "stale", false},    {"SO", false, "stale", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture *f = *state;

        assert_int_equal(fixture_teardown(state) | fixture_setup6(state), 0);
        send_to(f, PEER, 1);
        rte_pktmbuf_free(sent(f, 0));
        feed_ndp(f, NDP_ADVERTISEMENT, PEER, OURS, PEER, peer_mac, "SO");
        expect_sent(f, 1, peer_mac);
        feed_ndp(f, NDP_ADVERTISEMENT, PEER, rows[i].flags[0] == 'S' ? OURS : "ff02::1", PEER,
                 rows[i].same_mac ? peer_mac : other_mac, rows[i].flags);
        if (strcmp(state6_of(f, PEER), rows[i].state) != 0)
            fail_msg("row %zu: %s", i, state6_of(f, PEER));
        assert_int_equal(counters(f)->arp_changed, rows[i].changed);
        send_to(f, PEER, 2);
        expect_sent(f, 2, rows[i].changed ? other_mac : peer_mac);
        if (strcmp(rows[i].state, "stale") == 0)
            rte_pktmbuf_free(sent(f, 0)); /* the question whether it holds */
    }
}

static void an_answer_nobody_asked_for_is_forgotten(void **state)
{
    struct fixture *f = *state;

    feed_ndp(f, NDP_ADVERTISEMENT, PEER, OURS, PEER, other_mac, "SO");
    feed_ndp(f, NDP_ADVERTISEMENT, PEER, "ff02::1", PEER, other_mac, "O");
    feed_ndp(f, NDP_SOLICITATION, PEER, OURS, "2001:db8:1::99", other_mac, "");
    assert_string_equal(state6_of(f, PEER), "none");
    assert_int_equal(counters(f)->ndp_ignored, 3);
    send_to(f, PEER, 1);
    rte_pktmbuf_free(sent(f, 0));
    feed_ndp(f, NDP_ADVERTISEMENT, PEER, OURS, PEER, NULL, "SO"); /* an answer without the answer */
    assert_string_equal(state6_of(f, PEER), "incomplete");
    assert_int_equal(counters(f)->ndp_ignored, 4);
    expect_nothing_sent(f);
}

/* --- being asked ------------------------------------------------------------------------------------------------------------ */

static void answers_who_asks(void **state)
{
    struct fixture *f = *state;
    struct ndp_message reply;

    feed_ndp(f, NDP_SOLICITATION, PEER, OUR_GROUP, OURS, peer_mac, "");
    reply = expect_ndp(f, 0, NDP_ADVERTISEMENT, peer_mac, OURS, PEER, OURS);
    assert_true(reply.solicited && reply.override && reply.has_mac && !reply.router);
    assert_string_equal(state6_of(f, PEER), "stale");
    feed_ndp(f, NDP_SOLICITATION, PEER, OURS, OURS, NULL, ""); /* it is known by now */
    expect_ndp(f, 0, NDP_ADVERTISEMENT, peer_mac, OURS, PEER, OURS);
    feed_ndp(f, NDP_SOLICITATION, "fe80::77", OUR_GROUP, LINK_LOCAL, other_mac, "");
    expect_ndp(f, 0, NDP_ADVERTISEMENT, other_mac, LINK_LOCAL, "fe80::77", LINK_LOCAL);
    feed_ndp(f, NDP_SOLICITATION, "::", OUR_GROUP, OURS, NULL, ""); /* somebody wants our address */
    reply = expect_ndp(f, 0, NDP_ADVERTISEMENT, NULL, OURS, "ff02::1", OURS);
    assert_false(reply.solicited);
    feed_ndp(f, NDP_SOLICITATION, "2001:db9::1", OUR_GROUP, OURS, other_mac, ""); /* off the link: not remembered */
    expect_ndp(f, 0, NDP_ADVERTISEMENT, other_mac, OURS, "2001:db9::1", OURS);
    assert_string_equal(state6_of(f, "2001:db9::1"), "none");
    assert_int_equal(counters(f)->ndp_solicitations_received, 5);
    expect_nothing_sent(f);
}

static void does_not_answer_from_afar(void **state)
{
    struct fixture *f = *state;
    struct ndp_message message = {.type = NDP_SOLICITATION, .has_mac = true, .target = ip6(OURS)};
    struct frame frame;

    memcpy(message.mac, peer_mac, 6);
    frame = frame_ndp(ip6(PEER), ip6(OUR_GROUP), &message);
    frame.bytes[ETHER_BYTES + 7] = 254;
    feed(f, 0, &frame);
    assert_int_equal(counters(f)->ndp_malformed, 1);
    frame = frame_ndp(ip6(PEER), ip6(OUR_GROUP), &message);
    frame.bytes[ETHER_BYTES + IP6_BYTES + 2] ^= 1;
    feed(f, 0, &frame);
    assert_int_equal(counters(f)->icmp_malformed, 1);
    assert_string_equal(state6_of(f, PEER), "none");
    expect_nothing_sent(f);
}

static void defends_its_address(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 3; i++)
        feed_ndp(f, NDP_ADVERTISEMENT, OURS, "ff02::1", OURS, other_mac, "O");
    assert_int_equal(counters(f)->ndp_conflicts, 3);
    expect_ndp(f, 0, NDP_ADVERTISEMENT, NULL, OURS, "ff02::1", OURS); /* once in ten seconds */
    expect_nothing_sent(f);
    f->now_us += 10 * SECOND;
    feed_ndp(f, NDP_ADVERTISEMENT, OURS, "ff02::1", OURS, other_mac, "O");
    expect_ndp(f, 0, NDP_ADVERTISEMENT, NULL, OURS, "ff02::1", OURS);
}

/* --- duplicate address detection ---------------------------------------------------------------------------------------------- */

static void expect_dad(struct fixture *f)
{
    rte_pktmbuf_free(sent(f, 0)); /* gratuitous ARP */
    rte_pktmbuf_free(sent(f, 0)); /* the groups are joined */
    expect_ndp(f, 0, NDP_SOLICITATION, NULL, "::", OUR_GROUP, LINK_LOCAL);
    assert_false(expect_ndp(f, 0, NDP_SOLICITATION, NULL, "::", OUR_GROUP, OURS).has_mac);
    assert_null(sent(f, 0));
}

static void uses_an_address_after_a_second(void **state)
{
    struct fixture *f = *state;
    struct assay_address peer = ip6(PEER), source;
    struct frame segment = frame_tcp6(ip6(PEER), ip6(OURS), 4);

    net_announce(f->net, f->now_us);
    expect_dad(f);
    assert_int_equal(net_next_timer_us(f->net), f->now_us + SECOND);
    feed_ndp(f, NDP_SOLICITATION, PEER, OUR_GROUP, OURS, peer_mac, "");
    assert_null(sent(f, 0)); /* not ours yet */
    feed(f, 0, &segment);
    assert_int_equal(f->segments_count, 0);
    assert_int_equal(counters(f)->drop_ip6_destination, 1);
    assert_int_equal(net_source(f->net, &peer, &source), ASSAY_ERR_UNRESOLVED);
    f->now_us += SECOND;
    timers(f);
    expect_ndp(f, 0, NDP_ADVERTISEMENT, NULL, LINK_LOCAL, "ff02::1", LINK_LOCAL);
    assert_true(expect_ndp(f, 0, NDP_ADVERTISEMENT, NULL, OURS, "ff02::1", OURS).override);
    assert_int_equal(net_source(f->net, &peer, &source), ASSAY_OK);
    feed(f, 0, &segment);
    assert_int_equal(f->segments_count, 1);
    f->now_us += SECOND;
    timers(f);
    rte_pktmbuf_free(sent(f, 0)); /* gratuitous ARP again */
    rte_pktmbuf_free(sent(f, 0)); /* and the groups */
    expect_ndp(f, 0, NDP_ADVERTISEMENT, NULL, LINK_LOCAL, "ff02::1", LINK_LOCAL);
    expect_ndp(f, 0, NDP_ADVERTISEMENT, NULL, OURS, "ff02::1", OURS);
    assert_null(sent(f, 0));
    assert_int_equal(net_next_timer_us(f->net), UINT64_MAX);
}

/* Another host has the address: it answers, from that address or another. */
static void a_duplicate_is_not_used(void **state)
{
    struct fixture *f = *state;
    struct assay_address ours = ip6(OURS), peer = ip6(PEER), source;

    net_announce(f->net, f->now_us);
    expect_dad(f);
    feed_ndp(f, NDP_ADVERTISEMENT, OURS, "ff02::1", OURS, other_mac, "O");
    feed_ndp(f, NDP_ADVERTISEMENT, OURS, "ff02::1", OURS, other_mac, "O");
    assert_int_equal(counters(f)->ndp_duplicates, 1);
    assert_int_equal(net_duplicates(f->net), 1);
    f->now_us += SECOND;
    timers(f);
    expect_ndp(f, 0, NDP_ADVERTISEMENT, NULL, LINK_LOCAL, "ff02::1", LINK_LOCAL);
    assert_null(sent(f, 0));
    assert_false(net_is_local(f->net, &ours));
    assert_int_equal(net_source(f->net, &peer, &source), ASSAY_ERR_UNRESOLVED);
    feed_ndp(f, NDP_SOLICITATION, PEER, OUR_GROUP, OURS, peer_mac, "");
    assert_null(sent(f, 0));
    send_to(f, PEER, 1);
    assert_int_equal(counters(f)->drop_no_route, 1);
    assert_null(sent(f, 0));

    net_announce(f->net, f->now_us); /* the link came back: tried again, and nobody objects now */
    f->now_us += SECOND;
    timers(f);
    assert_true(net_is_local(f->net, &ours));
    assert_int_equal(net_duplicates(f->net), 0);
    f->net->ports[1].addresses6[1].state = ADDRESS6_DUPLICATE;
    assert_int_equal(net_duplicates(f->net), 2); /* the second of the configuration */
}

/* Two that start at the same time (RFC 4862 §5.4.3): neither has it. */
static void two_that_want_it_both_lose(void **state)
{
    struct fixture *f = *state;

    net_announce(f->net, f->now_us);
    expect_dad(f);
    feed_ndp(f, NDP_SOLICITATION, "::", OUR_GROUP, OURS, NULL, "");
    assert_int_equal(counters(f)->ndp_duplicates, 1);
    assert_null(sent(f, 0));
}

/* One of several cores of the host, all of which hear the same: it waits and hears objections, but says nothing for the host. */
static void one_that_only_listens_detects_duplicates_without_asking(void **state)
{
    struct fixture *f = *state;
    struct assay_address ours = ip6(OURS);

    f->net->listens_only = true;
    net_announce(f->net, f->now_us);
    assert_null(sent(f, 0));
    feed_ndp(f, NDP_ADVERTISEMENT, OURS, "ff02::1", OURS, other_mac, "O");
    assert_int_equal(counters(f)->ndp_duplicates, 1);
    f->now_us += SECOND;
    timers(f);
    assert_null(sent(f, 0));
    assert_false(net_is_local(f->net, &ours));
    net_announce(f->net, f->now_us);
    f->now_us += SECOND;
    timers(f);
    assert_null(sent(f, 0));
    assert_true(net_is_local(f->net, &ours));
    feed_ndp(f, NDP_SOLICITATION, PEER, OUR_GROUP, OURS, peer_mac, "");
    feed_ndp(f, NDP_ADVERTISEMENT, OURS, "ff02::1", OURS, other_mac, "O");
    assert_null(sent(f, 0)); /* the other one answers, and defends */
    assert_string_equal(state6_of(f, PEER), "stale");
    send_to(f, "2001:db8:1::78", 1);
    expect_ndp(f, 0, NDP_SOLICITATION, NULL, OURS, "ff02::1:ff00:78", "2001:db8:1::78");
}

static void survives_an_empty_pool(void **state)
{
    struct fixture *f = *state;
    struct rte_mbuf *hold[2047];
    uint32_t n = 0;

    while (n < 2047 && (hold[n] = rte_pktmbuf_alloc(f->pool)) != NULL)
        n++;
    net_announce(f->net, f->now_us);
    assert_int_equal(counters(f)->drop_no_mbuf, 8);
    rte_pktmbuf_free_bulk(hold, n);
}

#define TEST(name)  cmocka_unit_test_setup_teardown(name, fixture_setup6, fixture_teardown)
#define FRESH(name) cmocka_unit_test_setup_teardown(name, fixture_setup_new6, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(asks_queues_and_sends),
        TEST(gives_up_and_tells_tcp),
        TEST(confirms_by_unicast_while_in_use),
        TEST(an_advertisement_changes_what_it_may),
        TEST(an_answer_nobody_asked_for_is_forgotten),
        TEST(answers_who_asks),
        TEST(does_not_answer_from_afar),
        TEST(defends_its_address),
        FRESH(uses_an_address_after_a_second),
        FRESH(a_duplicate_is_not_used),
        FRESH(two_that_want_it_both_lose),
        FRESH(one_that_only_listens_detects_duplicates_without_asking),
        FRESH(survives_an_empty_pool),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
