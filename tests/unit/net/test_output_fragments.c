/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define OURS IP(198, 18, 1, 10)
#define PEER IP(198, 18, 1, 77)

/* len bytes in segments of one, then 700 bytes. */
static struct rte_mbuf *payload(struct fixture *f, uint32_t len)
{
    struct rte_mbuf *first = NULL;

    for (uint32_t at = 0; at < len;) {
        uint8_t bytes[700];
        uint32_t n = RTE_MIN(first == NULL ? 1U : (uint32_t)sizeof(bytes), len - at);
        struct rte_mbuf *m;

        for (uint32_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)((at + i) * 13);
        m = mbuf_of(f->pool, bytes, n);
        if (first == NULL)
            first = m;
        else
            assert_int_equal(rte_pktmbuf_chain(first, m), 0);
        at += n;
    }
    return first;
}

/* The fragments on the wire of port 0, put together; how many there were. */
static uint32_t collect(struct fixture *f, uint32_t header_bytes, uint8_t *data, uint32_t *length)
{
    uint32_t count = 0;
    struct rte_mbuf *m;

    *length = 0;
    while ((m = sent(f, 0)) != NULL) {
        uint8_t copy[FRAME_MAX];
        const uint8_t *p = rte_pktmbuf_read(m, 0, m->pkt_len, copy);
        uint16_t type = read_be16(p + 12);

        assert_true(m->pkt_len <= 14U + f->nics[0].mtu);
        if (type == ETHER_TYPE_IP4 || p[20] == IP6_PROTO_FRAGMENT) {
            memcpy(data + *length, p + 14 + header_bytes, m->pkt_len - 14 - header_bytes);
            *length += m->pkt_len - 14 - header_bytes;
            count++;
        }
        rte_pktmbuf_free(m);
    }
    return count;
}

static void cuts_at_every_length(void **state)
{
    struct fixture *f = *state;
    struct assay_address ours = ip6("2001:db8:1::10"), peer = ip6("2001:db8:1::77");
    struct assay_address next_hop = address_from_ip4_be(PEER);
    struct frame arp = frame_arp(ARP_REQUEST, all_mac, peer_mac, PEER, NULL, OURS);
    struct ndp_message message = {.type = NDP_SOLICITATION, .has_mac = true, .target = ours};
    uint8_t *data = malloc(20000);
    struct frame ndp;
    uint32_t length;

    memcpy(message.mac, peer_mac, 6);
    ndp = frame_ndp(peer, ip6("ff02::1:ff00:10"), &message);
    feed(f, 0, &arp);
    feed(f, 0, &ndp);
    (void)collect(f, 20, data, &length);
    for (uint32_t len = 1481; len < 9000; len += 371) {
        ip4_output_fragments(f->net, 0, payload(f, len), OURS, PEER, IP4_PROTO_ICMP, &next_hop, f->now_us);
        assert_int_equal(collect(f, 20, data, &length), (len + 1479) / 1480);
        assert_int_equal(length, len);
        for (uint32_t i = 0; i < len; i++)
            assert_int_equal(data[i], (uint8_t)(i * 13));
        ip6_output_fragments(f->net, 0, payload(f, len), &ours, &peer, IP6_PROTO_ICMP, &peer, f->now_us);
        assert_int_equal(collect(f, 48, data, &length), (len + 1447) / 1448);
        assert_int_equal(length, len);
        for (uint32_t i = 0; i < len; i++)
            assert_int_equal(data[i], (uint8_t)(i * 13));
    }
    free(data);
}

static void an_empty_pool_loses_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct assay_address next_hop = address_from_ip4_be(PEER);
    struct rte_mbuf *hold[2047], *packet = payload(f, 3000);
    uint32_t n = 0;

    while (n < 2047 && (hold[n] = rte_pktmbuf_alloc(f->pool)) != NULL)
        n++;
    ip4_output_fragments(f->net, 0, packet, OURS, PEER, IP4_PROTO_ICMP, &next_hop, f->now_us);
    assert_int_equal(counters(f)->drop_no_mbuf, 1);
    assert_int_equal(counters(f)->fragments_sent, 0);
    rte_pktmbuf_free_bulk(hold, n);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup6, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cuts_at_every_length),
        TEST(an_empty_pool_loses_nothing_else),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
