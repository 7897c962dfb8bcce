/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Three cores in one thread: frames go in at one of them, and come out where they belong. */
#include "base/flow_map.h"
#include "fixture.h"
#include "net/dispatch.h"
#include "net/mesh.h"

#define CORES 3
#define OURS  IP(198, 18, 1, 10)
#define PEER  IP(198, 18, 1, 77)
#define RING  64

static struct flow_map map;

struct cores {
    struct mesh *mesh;
    struct dispatch dispatch[CORES];
};

static void create(struct cores *c, struct fixture *f)
{
    uint8_t key[TOEPLITZ_KEY_BYTES_MAX];

    srandom(7);
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)random();
    assert_int_equal(flow_map_init(&map, CORES, key), ASSAY_OK);
    assert_int_equal(mesh_create(CORES, RING, &c->mesh), ASSAY_OK);
    for (uint32_t i = 0; i < CORES; i++)
        dispatch_init(&c->dispatch[i], &map, c->mesh, f->pool, i);
}

static void destroy(struct cores *c)
{
    for (uint32_t i = 0; i < CORES; i++) {
        struct rte_mbuf *packets[RING];
        uint32_t n;

        while ((n = dispatch_take(&c->dispatch[i], packets, RING)) > 0)
            rte_pktmbuf_free_bulk(packets, n);
    }
    mesh_destroy(c->mesh);
}

/* A segment from that port of the peer, and whose it is. */
static struct frame segment(uint16_t port, uint32_t *owner)
{
    struct assay_address peer = address_from_ip4_be(PEER), ours = address_from_ip4_be(OURS);
    struct frame frame = frame_tcp(PEER, OURS, 10);
    struct flow_ports ports = flow_map_ports(&map, &peer, port, &ours);

    write_be16(frame.bytes + ETHER_BYTES + IP4_BYTES, port);
    write_be16(frame.bytes + ETHER_BYTES + IP4_BYTES + 2, 8443);
    frame_fix_tcp(&frame);
    *owner = flow_map_port_core(&map, &ports, 8443);
    return frame;
}

/* Where an mbuf comes out that goes in at core 0 (it is freed): a bit a core. */
static unsigned where(struct cores *c, struct rte_mbuf *m)
{
    unsigned out = 0;

    if (dispatch_frames(&c->dispatch[0], 1, &m, 1) == 1) {
        assert_int_equal(m->port, 1);
        rte_pktmbuf_free(m);
        out |= 1;
    }
    for (uint32_t core = 0; core < CORES; core++) {
        struct rte_mbuf *taken;

        if (dispatch_take(&c->dispatch[core], &taken, 1) == 0)
            continue;
        assert_int_equal(taken->port, 1);
        rte_pktmbuf_free(taken);
        out |= 1U << core;
    }
    return out;
}

static void each_segment_comes_to_the_core_of_its_connection(void **state)
{
    struct fixture *f = *state;
    unsigned seen = 0;
    struct cores c;

    create(&c, f);
    for (uint16_t port = 1024; port < 1324; port++) {
        static const uint32_t cuts[] = {14, 20, 36};
        uint32_t owner;
        struct frame frame = segment(port, &owner);
        struct rte_mbuf *m = port % 2 ? mbuf_of(f->pool, frame.bytes, frame.len)
                                      : mbuf_cut(f->pool, frame.bytes, frame.len, cuts, 3); /* headers in four pieces */

        assert_int_equal(where(&c, m), 1U << owner);
        seen |= 1U << owner;
    }
    assert_int_equal(seen, 7);
    assert_int_equal(c.dispatch[0].counters.kept + c.dispatch[0].counters.handed_over, 300);
    assert_int_equal(c.dispatch[1].counters.taken + c.dispatch[2].counters.taken, c.dispatch[0].counters.handed_over);
    destroy(&c);
}

static void a_burst_keeps_its_order(void **state)
{
    struct fixture *f = *state;
    struct rte_mbuf *packets[30], *taken[30];
    uint32_t kept, sizes[CORES] = {0};
    struct cores c;

    create(&c, f);
    for (uint32_t i = 0; i < 30; i++) {
        uint32_t owner;
        struct frame frame = segment((uint16_t)(2000 + i % 6), &owner);

        frame.len += i; /* as a mark: trailing bytes are no part of the datagram */
        packets[i] = mbuf_of(f->pool, frame.bytes, frame.len);
    }
    kept = dispatch_frames(&c.dispatch[0], 0, packets, 30);
    for (uint32_t core = 0; core < CORES; core++) {
        uint32_t n = core == 0 ? kept : dispatch_take(&c.dispatch[core], taken, 30), last = 0;
        struct rte_mbuf **list = core == 0 ? packets : taken;

        for (uint32_t i = 0; i < n; i++) {
            assert_true(list[i]->pkt_len > last);
            last = list[i]->pkt_len;
            rte_pktmbuf_free(list[i]);
        }
        sizes[core] = n;
    }
    assert_int_equal(sizes[0] + sizes[1] + sizes[2], 30);
    destroy(&c);
}

static void arp_comes_to_all_of_them(void **state)
{
    struct fixture *f = *state;
    struct frame frame = frame_arp(ARP_REQUEST, all_mac, peer_mac, PEER, NULL, OURS);
    struct rte_mbuf *hoard[4096];
    uint32_t n = 0;
    struct cores c;

    create(&c, f);
    assert_int_equal(where(&c, mbuf_of(f->pool, frame.bytes, frame.len)), 7);
    assert_int_equal(c.dispatch[0].counters.copied, 2);
    /* Without a buffer for the copies it still comes to the one that has it. */
    hoard[n++] = mbuf_of(f->pool, frame.bytes, frame.len);
    while (n < 4096 && (hoard[n] = rte_pktmbuf_alloc(f->pool)) != NULL)
        n++;
    assert_int_equal(where(&c, hoard[0]), 1);
    assert_int_equal(c.dispatch[0].counters.drop_no_mbuf, 2);
    rte_pktmbuf_free_bulk(hoard + 1, n - 1);
    destroy(&c);
}

static void an_icmp_error_comes_to_the_connection_it_quotes(void **state)
{
    struct fixture *f = *state;
    unsigned seen = 0;
    struct cores c;

    create(&c, f);
    for (uint16_t port = 3000; port < 3020; port++) {
        uint8_t quote[4 + 28] = {0};
        uint32_t owner;
        struct frame about = segment(port, &owner), frame;

        /* The segment of ours that it quotes has all the other way round. */
        memcpy(quote + 4, about.bytes + ETHER_BYTES, 28);
        memcpy(quote + 4 + 12, about.bytes + ETHER_BYTES + 16, 4);
        memcpy(quote + 4 + 16, about.bytes + ETHER_BYTES + 12, 4);
        memcpy(quote + 4 + 20, about.bytes + ETHER_BYTES + 22, 2);
        memcpy(quote + 4 + 22, about.bytes + ETHER_BYTES + 20, 2);
        frame = frame_icmp(IP(198, 18, 1, 1), OURS, 3, 4, quote, sizeof(quote));
        assert_int_equal(where(&c, mbuf_of(f->pool, frame.bytes, frame.len)), 1U << owner);
        seen |= 1U << owner;
    }
    assert_int_equal(seen, 7);
    assert_int_equal(c.dispatch[0].counters.icmp_errors, 20);
    destroy(&c);
}

static void fragments_of_a_datagram_meet_on_one_core(void **state)
{
    struct fixture *f = *state;
    unsigned first = 0;
    struct cores c;

    create(&c, f);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t owner;
        struct frame frame = segment((uint16_t)(5000 + i), &owner);

        write_be16(frame.bytes + ETHER_BYTES + 6, (uint16_t)(i < 3 ? 0x2000 + i * 2 : i * 2));
        frame_fix_ip(&frame);
        if (i == 0)
            first = where(&c, mbuf_of(f->pool, frame.bytes, frame.len));
        else
            assert_int_equal(where(&c, mbuf_of(f->pool, frame.bytes, frame.len)), first);
    }
    assert_int_equal(c.dispatch[0].counters.fragments, 4);
    destroy(&c);
}

static void what_finds_no_room_is_dropped_and_counted(void **state)
{
    struct fixture *f = *state;
    uint32_t owner = 0, handed = 0;
    struct frame frame;
    struct cores c;

    create(&c, f);
    for (uint16_t port = 1024; owner == 0; port++)
        frame = segment(port, &owner);
    for (int i = 0; i < RING + 10; i++) {
        struct rte_mbuf *m = mbuf_of(f->pool, frame.bytes, frame.len);

        handed += dispatch_frames(&c.dispatch[0], 0, &m, 1) == 0;
    }
    assert_int_equal(handed, RING + 10);
    assert_int_equal(c.dispatch[0].counters.drop_full, 10);
    assert_int_equal(c.dispatch[0].counters.handed_over, RING);
    destroy(&c); /* the fixture finds no mbuf missing */
}

/* --- a port with RSS ------------------------------------------------------------------------------------------------------------ */

static struct rte_mbuf *hashed(struct fixture *f, uint16_t port, uint32_t wrong, uint32_t *owner)
{
    struct frame frame = segment(port, owner);
    struct rte_mbuf *m = mbuf_of(f->pool, frame.bytes, frame.len);
    const uint8_t *ip = frame.bytes + ETHER_BYTES;

    m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
    m->hash.rss = flow_map_hash(&map, ip + 12, 4, ip + IP4_BYTES) ^ wrong;
    return m;
}

static void a_ports_hashes_are_used_once_they_have_been_right_for_long(void **state)
{
    struct fixture *f = *state;
    struct dispatch_counters *counters;
    uint32_t owner;
    struct cores c;

    create(&c, f);
    counters = &c.dispatch[0].counters;
    dispatch_use_rss(&c.dispatch[0], 1);
    for (uint32_t i = 0; i < 3000; i++) {
        struct rte_mbuf *m = hashed(f, (uint16_t)(1024 + i), 0, &owner);

        assert_int_equal(where(&c, m), 1U << owner);
    }
    assert_in_range(counters->rss_used, 1900, 1976);
    assert_in_range(counters->rss_checked, 1024, 1100);
    assert_int_equal(counters->rss_used + counters->rss_checked, 3000);
    assert_int_equal(counters->rss_wrong + counters->rss_given_up, 0);
    destroy(&c);
}

static void hashes_that_disagree_are_counted_and_given_up(void **state)
{
    struct fixture *f = *state;
    struct dispatch_counters *counters;
    uint32_t owner;
    struct cores c;

    create(&c, f);
    counters = &c.dispatch[0].counters;
    dispatch_use_rss(&c.dispatch[0], 1);
    for (uint32_t i = 0; i < 100; i++) {
        struct rte_mbuf *m = hashed(f, (uint16_t)(1024 + i), 0x5a5a5a5a, &owner);

        assert_int_equal(where(&c, m), 1U << owner); /* not one is steered by them */
    }
    assert_int_equal(counters->rss_wrong, 8);
    assert_int_equal(counters->rss_given_up, 1);
    assert_int_equal(counters->rss_used, 0);
    destroy(&c);
}

static void a_port_that_says_no_hash_is_found_out_and_a_few_bad_ones_are_not_enough(void **state)
{
    struct fixture *f = *state;
    uint32_t owner;
    struct cores c;

    create(&c, f);
    dispatch_use_rss(&c.dispatch[0], 1);
    for (uint32_t i = 0; i < 2000; i++) {
        struct rte_mbuf *m = hashed(f, (uint16_t)(1024 + i), i % 50 == 0, &owner);

        (void)where(&c, m);
    }
    assert_int_equal(c.dispatch[0].counters.rss_given_up, 0);
    assert_true(c.dispatch[0].counters.rss_wrong > 8);
    for (uint32_t i = 0; i < 30000; i++) {
        struct rte_mbuf *m = hashed(f, (uint16_t)(1024 + i), 0, &owner);

        m->ol_flags = 0;
        assert_int_equal(where(&c, m), 1U << owner); /* without one, ours is taken at once */
    }
    assert_int_equal(c.dispatch[0].counters.rss_given_up, 1);
    destroy(&c);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_segment_comes_to_the_core_of_its_connection),
        TEST(a_burst_keeps_its_order),
        TEST(arp_comes_to_all_of_them),
        TEST(an_icmp_error_comes_to_the_connection_it_quotes),
        TEST(fragments_of_a_datagram_meet_on_one_core),
        TEST(what_finds_no_room_is_dropped_and_counted),
        TEST(a_ports_hashes_are_used_once_they_have_been_right_for_long),
        TEST(hashes_that_disagree_are_counted_and_given_up),
        TEST(a_port_that_says_no_hash_is_found_out_and_a_few_bad_ones_are_not_enough),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
