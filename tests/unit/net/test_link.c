/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define OURS IP(198, 18, 1, 10)
#define PEER IP(198, 18, 1, 77)

/* Asks us by ARP, so that the peer is known; returns our answer. */
static struct rte_mbuf *ask(struct fixture *f)
{
    struct frame request = frame_arp(ARP_REQUEST, all_mac, peer_mac, PEER, NULL, OURS);
    struct frame tagged = frame_tagged(&request, VLAN);

    feed(f, 0, &tagged);
    return sent(f, 0);
}

static void writes_the_tag(void **state)
{
    struct fixture *f = *state;
    struct rte_mbuf *m = ask(f);
    const uint8_t *p;

    assert_non_null(m);
    p = rte_pktmbuf_mtod(m, uint8_t *);
    assert_int_equal(m->pkt_len, ETHER_FRAME_MIN + 4);
    assert_memory_equal(p, peer_mac, 6);
    assert_memory_equal(p + 6, own_mac, 6);
    assert_int_equal(read_be16(p + 12), ETHER_TYPE_VLAN);
    assert_int_equal(read_be16(p + 14), VLAN);
    assert_int_equal(read_be16(p + 16), ETHER_TYPE_ARP);
    rte_pktmbuf_free(m);
    send_number(f, PEER, 7);
    m = sent(f, 0);
    assert_non_null(m);
    p = rte_pktmbuf_mtod(m, uint8_t *);
    assert_int_equal(m->pkt_len, 55 + 4);
    assert_int_equal(m->l2_len, 18);
    assert_int_equal(read_be16(p + 14), VLAN);
    assert_int_equal(read_be16(p + 16), ETHER_TYPE_IP4);
    assert_int_equal(p[58], 7);
    rte_pktmbuf_free(m);
}

static void leaves_the_tag_to_the_port(void **state)
{
    struct fixture *f = *state;
    struct rte_mbuf *m;

    f->nics[0].tx_vlan = true;
    m = ask(f);
    assert_non_null(m);
    assert_true(m->ol_flags & RTE_MBUF_F_TX_VLAN);
    assert_int_equal(m->vlan_tci, VLAN);
    assert_int_equal(m->pkt_len, ETHER_FRAME_MIN);
    rte_pktmbuf_free(m);
}

static void counts_a_frame_it_cannot_tag(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[60] = {0};
    struct rte_mbuf *m = mbuf_of(f->pool, bytes, sizeof(bytes));

    rte_mbuf_refcnt_update(m, 1);
    link_send(f->net, 0, m);
    assert_int_equal(counters(f)->drop_tx_malformed, 1);
    assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[12], 0);
    expect_nothing_sent(f);
    m->data_off = 0;
    link_send(f->net, 0, m); /* no headroom */
    assert_int_equal(counters(f)->drop_tx_malformed, 2);
}

static void an_untagged_port_writes_none(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[60] = {0};
    struct rte_mbuf *m;

    link_send(f->net, 1, mbuf_of(f->pool, bytes, sizeof(bytes)));
    m = sent(f, 1);
    assert_non_null(m);
    assert_int_equal(m->pkt_len, 60);
    rte_pktmbuf_free(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup_vlan, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(writes_the_tag),
        TEST(leaves_the_tag_to_the_port),
        TEST(counts_a_frame_it_cannot_tag),
        TEST(an_untagged_port_writes_none),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
