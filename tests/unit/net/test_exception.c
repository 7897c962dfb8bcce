/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes to the kernel, byte for byte, what stays ours, and that both ways are bounded. */
#include "fixture.h"

#include "net/exception.h"
#include "net/ndp.h"

#define RATE 1000

static struct nic kernel; /* the exception port's nic: what we send there the "kernel" reads */

static int with_kernel(void **state, int (*fixture)(void **state))
{
    struct fixture *f;
    struct nic_config config = {.device = "net_ring7"};

    if (fixture(state) != 0)
        return -1;
    f = *state;
    config.pools = &f->pool;
    if (nic_open(&config, &kernel, 1) != ASSAY_OK)
        return -1;
    exception_init(&f->net->ports[0].exception, &kernel, RATE);
    return 0;
}

static int setup(void **state)
{
    return with_kernel(state, fixture_setup);
}

static int setup6(void **state)
{
    return with_kernel(state, fixture_setup6);
}

/* A VLAN of ours on port 0. */
static int setup_vlan(void **state)
{
    return with_kernel(state, fixture_setup_vlan);
}

/* The next frame given to the kernel, or NULL. A ring port loops: what is sent comes back when it is received from. */
static struct rte_mbuf *given(void)
{
    struct rte_mbuf *m;

    (void)nic_flush(&kernel);
    return nic_rx(&kernel, &m, 1) == 1 ? m : NULL;
}

static int teardown(void **state)
{
    struct rte_mbuf *m;

    while ((m = given()) != NULL)
        rte_pktmbuf_free(m);
    nic_close(&kernel, 1);
    return fixture_teardown(state);
}

static bool given_as(const struct frame *frame)
{
    struct rte_mbuf *m = given();
    bool same = m != NULL && m->pkt_len == frame->len && m->data_len == frame->len &&
                memcmp(rte_pktmbuf_mtod(m, void *), frame->bytes, frame->len) == 0;

    rte_pktmbuf_free(m);
    return same;
}

static struct frame other_type(const uint8_t *dst, uint16_t type)
{
    struct frame frame = {.len = 60};

    ether_write(frame.bytes, dst, peer_mac, type);
    frame.bytes[59] = 7;
    return frame;
}

static void what_is_not_ours_goes_as_it_came(void **state)
{
    static const uint8_t lldp[6] = {1, 0x80, 0xc2, 0, 0, 0x0e}, mdns[6] = {1, 0, 0x5e, 0, 0, 0xfb};
    struct fixture *f = *state;
    struct frame frames[] = {
        frame_tcp(IP(198, 18, 1, 7), IP(198, 18, 1, 77), 5), /* another address of this MAC: the kernel's */
        frame_ip4(IP(198, 18, 1, 7), IP(255, 255, 255, 255), 17, "dhcp", 4),
        frame_ip4(IP(198, 18, 1, 7), IP(198, 18, 1, 255), 17, "all", 3),
        other_type(lldp, 0x88cc),
        other_type(own_mac, 0x88cc),
        other_type(own_mac, ETHER_TYPE_VLAN),
        other_type(mdns, ETHER_TYPE_IP4),
    };

    memcpy(frames[1].bytes, all_mac, 6);
    memcpy(frames[2].bytes, all_mac, 6);
    frames[0].len = 80; /* padding stays as well */
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        feed(f, 0, &frames[i]);
        if (!given_as(&frames[i]))
            fail_msg("frame %zu", i);
    }
    assert_int_equal(counters(f)->exception_to_kernel, sizeof(frames) / sizeof(frames[0]));
    assert_int_equal(counters(f)->drop_ethertype + counters(f)->drop_vlan + counters(f)->drop_ip4_destination, 0);
    assert_int_equal(f->segments_count, 0);
}

static void what_is_ours_stays_ours(void **state)
{
    struct fixture *f = *state;
    struct frame ours = frame_tcp(IP(198, 18, 1, 7), IP(198, 18, 1, 10), 5), bad = ours;
    struct frame who = frame_arp(ARP_REQUEST, all_mac, peer_mac, IP(198, 18, 1, 7), all_mac, IP(198, 18, 1, 10));
    struct frame other = frame_tcp(IP(198, 18, 1, 7), IP(198, 18, 1, 77), 5), second;
    struct rte_mbuf *m;

    feed(f, 0, &ours);
    assert_int_equal(f->segments_count, 1);
    bad.bytes[ETHER_BYTES + IP4_BYTES + 16] ^= 1;
    feed(f, 0, &bad);
    assert_int_equal(counters(f)->drop_tcp_checksum, 1);
    feed(f, 0, &who);
    assert_null(given());
    m = sent(f, 0);
    assert_non_null(m); /* our answer */
    rte_pktmbuf_free(m);
    /* another host's, seen in promiscuous mode */
    memcpy(other.bytes, peer_mac, 6);
    feed(f, 0, &other);
    assert_null(given());
    assert_int_equal(counters(f)->drop_not_for_us, 1);
    /* a port without an exception port drops and counts, as ever */
    second = frame_tcp(IP(198, 18, 2, 7), IP(198, 18, 2, 77), 5);
    feed(f, 1, &second);
    assert_null(given());
    assert_int_equal(counters(f)->drop_ip4_destination, 1);
}

static void arp_of_others_goes_to_both(void **state)
{
    struct fixture *f = *state;
    struct frame reply = frame_arp(ARP_REPLY, own_mac, peer_mac, IP(198, 18, 1, 7), own_mac, IP(198, 18, 1, 10));
    struct frame ask = frame_arp(ARP_REQUEST, all_mac, peer_mac, IP(198, 18, 1, 7), all_mac, IP(198, 18, 1, 77));
    struct frame gratuitous = frame_arp(ARP_REQUEST, all_mac, peer_mac, IP(198, 18, 1, 7), all_mac, IP(198, 18, 1, 7));

    feed(f, 0, &reply);
    assert_int_equal(counters(f)->arp_replies_received, 1);
    assert_true(given_as(&reply));
    feed(f, 0, &ask);
    assert_true(given_as(&ask));
    feed(f, 0, &gratuitous);
    assert_true(given_as(&gratuitous));
    assert_int_equal(counters(f)->arp_ignored, 2);
    assert_int_equal(counters(f)->exception_to_kernel, 3);
    expect_nothing_sent(f);
}

static void ip6_of_others_and_routers_is_the_kernels(void **state)
{
    static const uint8_t advertisement[12] = {64};
    struct fixture *f = *state;
    struct frame frames[] = {
        frame_tcp6(ip6("2001:db8:1::7"), ip6("2001:db8:1::20"), 5),
        frame_icmp6(ip6("fe80::1"), ip6("ff02::1"), 255, 134, 0, advertisement, sizeof(advertisement)),
        frame_ip6(ip6("fe80::1"), ip6("ff02::5"), 89, "ospf", 4),
    };
    struct frame ours = frame_tcp6(ip6("2001:db8:1::7"), ip6("2001:db8:1::10"), 5);

    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        feed(f, 0, &frames[i]);
        if (!given_as(&frames[i]))
            fail_msg("frame %zu", i);
    }
    feed(f, 0, &ours);
    assert_int_equal(f->segments_count, 1);
    assert_null(given());
}

static void neighbour_discovery_of_others_goes_to_both(void **state)
{
    struct fixture *f = *state;
    struct ndp_message who = {.type = NDP_SOLICITATION, .has_mac = true, .target = ip6("2001:db8:1::10")};
    struct ndp_message here = {.type = NDP_ADVERTISEMENT, .solicited = true, .override = true, .has_mac = true};
    struct frame frame;
    struct rte_mbuf *m;

    memcpy(who.mac, peer_mac, 6);
    memcpy(here.mac, peer_mac, 6);
    frame = frame_ndp(ip6("2001:db8:1::7"), ip6("ff02::1:ff00:10"), &who);
    feed(f, 0, &frame);
    assert_null(given());
    m = sent(f, 0); /* our answer */
    assert_non_null(m);
    rte_pktmbuf_free(m);
    who.target = ip6("2001:db8:1::1:10"); /* the same group, the kernel's address */
    frame = frame_ndp(ip6("2001:db8:1::7"), ip6("ff02::1:ff01:10"), &who);
    feed(f, 0, &frame);
    assert_true(given_as(&frame));
    here.target = ip6("2001:db8:1::7");
    frame = frame_ndp(ip6("2001:db8:1::7"), ip6("2001:db8:1::10"), &here);
    feed(f, 0, &frame);
    assert_true(given_as(&frame));
    expect_nothing_sent(f);
}

static void other_vlans_are_the_kernels_tag_and_all(void **state)
{
    struct fixture *f = *state;
    struct frame plain = frame_tcp(IP(198, 18, 1, 7), IP(198, 18, 1, 10), 5),
                 ours = frame_tagged(&plain, f->net->ports[0].vlan);
    struct frame other = frame_tagged(&plain, (uint16_t)(f->net->ports[0].vlan + 1));
    struct frame address = frame_tcp(IP(198, 18, 1, 7), IP(198, 18, 1, 77), 5);
    struct rte_mbuf *m;

    feed(f, 0, &ours);
    assert_int_equal(f->segments_count, 1);
    assert_null(given());
    feed(f, 0, &plain);
    assert_true(given_as(&plain));
    feed(f, 0, &other);
    assert_true(given_as(&other));
    address = frame_tagged(&address, f->net->ports[0].vlan);
    feed(f, 0, &address);
    assert_true(given_as(&address));
    /* a tag that the port took off is put back */
    m = mbuf_of(f->pool, plain.bytes, plain.len);
    m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    m->vlan_tci = (uint16_t)(f->net->ports[0].vlan + 1);
    feed_mbuf(f, 0, m);
    assert_true(given_as(&other));
}

/* One of several cores of the host: what comes to all of them goes to the kernel once, and not from here. */
static void one_that_only_listens_keeps_what_all_cores_have_from_the_kernel(void **state)
{
    struct fixture *f = *state;
    struct frame arp = frame_arp(ARP_REQUEST, all_mac, peer_mac, IP(198, 18, 1, 7), NULL, IP(198, 18, 1, 99));
    struct frame dhcp = frame_ip4(IP(198, 18, 1, 7), IP(255, 255, 255, 255), 17, "dhcp", 4);

    f->net->listens_only = true;
    feed(f, 0, &arp);
    assert_null(given());
    memcpy(dhcp.bytes, all_mac, 6);
    feed(f, 0, &dhcp); /* that came to this one alone */
    assert_true(given_as(&dhcp));
    f->net->listens_only = false;
    feed(f, 0, &arp);
    assert_true(given_as(&arp));
}

static void toward_the_kernel_a_turn_and_a_second_are_bounded(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_tcp(IP(198, 18, 1, 7), IP(198, 18, 1, 77), 5);
    uint32_t turns = 0, given_count = 0;
    struct rte_mbuf *m;

    for (int i = 0; i < EXCEPTION_PER_TURN + 5; i++)
        feed(f, 0, &frame);
    assert_int_equal(counters(f)->exception_to_kernel, EXCEPTION_PER_TURN);
    assert_int_equal(counters(f)->drop_exception_limited, 5);
    while ((m = given()) != NULL) {
        rte_pktmbuf_free(m);
        given_count++;
    }
    assert_int_equal(given_count, EXCEPTION_PER_TURN);
    /* turn after turn in the same moment: the burst of a tenth of a second, then no more until time goes on */
    for (; turns < 20; turns++) {
        (void)net_exception(f->net);
        for (int i = 0; i < EXCEPTION_PER_TURN; i++)
            feed(f, 0, &frame);
        while ((m = given()) != NULL)
            rte_pktmbuf_free(m);
    }
    assert_int_equal(counters(f)->exception_to_kernel, RATE / 10);
    f->now_us += SECOND / 100;
    (void)net_exception(f->net);
    for (int i = 0; i < EXCEPTION_PER_TURN; i++)
        feed(f, 0, &frame);
    assert_int_equal(counters(f)->exception_to_kernel, RATE / 10 + RATE / 100);
    while ((m = given()) != NULL)
        rte_pktmbuf_free(m);
}

static void what_the_kernel_sends_goes_out_as_it_is(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_tcp(IP(198, 18, 1, 77), IP(198, 18, 1, 7), 5), runt = {.len = 10}, giant = {.len = 1600};
    struct rte_mbuf *m;

    /* a ring port loops: what is sent on it is what comes from the "kernel" */
    nic_send(&kernel, mbuf_of(f->pool, frame.bytes, frame.len));
    nic_send(&kernel, mbuf_of(f->pool, runt.bytes, runt.len));
    nic_send(&kernel, mbuf_of(f->pool, giant.bytes, giant.len));
    assert_int_equal(net_exception(f->net), 3);
    m = sent(f, 0);
    assert_non_null(m);
    assert_int_equal(m->pkt_len, frame.len);
    assert_memory_equal(rte_pktmbuf_mtod(m, void *), frame.bytes, frame.len);
    rte_pktmbuf_free(m);
    expect_nothing_sent(f);
    assert_int_equal(counters(f)->exception_to_wire, 1);
    assert_int_equal(counters(f)->drop_exception_length, 2);
    for (int i = 0; i < EXCEPTION_PER_TURN + 8; i++)
        nic_send(&kernel, mbuf_of(f->pool, frame.bytes, frame.len));
    assert_int_equal(net_exception(f->net), EXCEPTION_PER_TURN);
    assert_int_equal(net_exception(f->net), 8);
    assert_int_equal(net_exception(f->net), 0);
}

static void an_empty_pool_loses_the_copy_alone(void **state)
{
    struct fixture *f = *state;
    struct frame reply = frame_arp(ARP_REPLY, own_mac, peer_mac, IP(198, 18, 1, 7), own_mac, IP(198, 18, 1, 10));
    struct rte_mbuf *m = mbuf_of(f->pool, reply.bytes, reply.len), *all[4096];
    uint32_t n = 0;

    while (n < 4096 && (all[n] = rte_pktmbuf_alloc(f->pool)) != NULL)
        n++;
    feed_mbuf(f, 0, m);
    assert_int_equal(counters(f)->drop_no_mbuf, 1);
    assert_int_equal(counters(f)->arp_replies_received, 1);
    rte_pktmbuf_free_bulk(all, n);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_not_ours_goes_as_it_came),
        CASE(what_is_ours_stays_ours),
        CASE(arp_of_others_goes_to_both),
        cmocka_unit_test_setup_teardown(ip6_of_others_and_routers_is_the_kernels, setup6, teardown),
        cmocka_unit_test_setup_teardown(neighbour_discovery_of_others_goes_to_both, setup6, teardown),
        cmocka_unit_test_setup_teardown(other_vlans_are_the_kernels_tag_and_all, setup_vlan, teardown),
        CASE(one_that_only_listens_keeps_what_all_cores_have_from_the_kernel),
        CASE(toward_the_kernel_a_turn_and_a_second_are_bounded),
        CASE(what_the_kernel_sends_goes_out_as_it_is),
        CASE(an_empty_pool_loses_the_copy_alone),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
