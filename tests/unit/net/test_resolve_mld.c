/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "net/mld.h"

/* The next report on the wire of port 0, ARP and neighbour discovery passed by; its kind of record, 0: there is none. */
static uint8_t next_report(struct fixture *f, const char *src, uint32_t groups)
{
    struct assay_address from = ip6(src), to = ip6("ff02::16"), ours = ip6("ff02::1:ff00:10");
    struct rte_mbuf *m;
    uint8_t kind = 0;

    while (kind == 0 && (m = sent(f, 0)) != NULL) {
        const uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
        struct ip6_header ip;

        if (read_be16(p + 12) == ETHER_TYPE_IP6 && p[20] == IP6_PROTO_HOP_BY_HOP) {
            assert_memory_equal(p, ((uint8_t[]){0x33, 0x33, 0, 0, 0, 0x16}), 6);
            assert_int_equal(ip6_read(slice_of(p + 14, m->data_len - 14U), m->pkt_len - 14, &ip), IP6_OK);
            assert_true(ip.router_alert && ip.hop_limit == 1 && ip.protocol == IP6_PROTO_ICMP);
            assert_true(address_equal(&ip.src, &from) && address_equal(&ip.dst, &to));
            assert_int_equal(mbuf_checksum(checksum_pseudo6(&from, &to, IP6_PROTO_ICMP, m->pkt_len - 62), m, 62),
                             0xffff);
            assert_int_equal(read_be16(p + 68), groups);
            assert_int_equal(m->pkt_len, 70 + 20 * groups);
            assert_memory_equal(p + 74, ours.bytes, 16);
            kind = p[70];
        }
        rte_pktmbuf_free(m);
    }
    return kind;
}

static void feed_query(struct fixture *f, const char *src, uint8_t hop_limit, bool alert, uint16_t delay_ms)
{
    uint8_t rest[MLD_QUERY_BYTES + 4 - 4] = {0}, packet[8 + sizeof(rest) + 4] = {58, 0, 5, 2, 0, 0, 1, 0};
    struct frame icmp, frame;

    write_be16(rest, delay_ms);
    icmp = frame_icmp6(ip6(src), ip6("ff02::1"), hop_limit, MLD_QUERY, 0, rest, sizeof(rest)); /* for its checksum */
    memcpy(packet + 8, icmp.bytes + 54, sizeof(rest) + 4);
    if (!alert)
        memcpy(packet + 2, (uint8_t[]){1, 4, 0, 0, 0, 0}, 6);
    frame = frame_ip6(ip6(src), ip6("ff02::1"), IP6_PROTO_HOP_BY_HOP, packet, sizeof(packet));
    frame.bytes[21] = hop_limit;
    feed(f, 0, &frame);
}

static void joins_before_it_asks_for_its_addresses(void **state)
{
    struct fixture *f = *state;

    net_announce(f->net, f->now_us);
    assert_int_equal(next_report(f, "::", 1), MLD_BECAME_MEMBER); /* both addresses of the port have the same group */
    f->now_us += SECOND;
    timers(f);
    f->now_us += SECOND;
    timers(f); /* said twice: one may be lost */
    assert_int_equal(next_report(f, "fe80::ff:fe00:10", 1), MLD_BECAME_MEMBER);
    assert_int_equal(next_report(f, "::", 1), 0);
}

static void answers_who_asks_in_time(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 5; i++)
        feed_query(f, "fe80::1", 1, true, 1000);
    assert_int_equal(counters(f)->mld_queries_received, 5);
    assert_in_range(net_next_timer_us(f->net), f->now_us, f->now_us + SECOND - 1);
    assert_int_equal(next_report(f, "fe80::ff:fe00:10", 1), 0);
    f->now_us += SECOND;
    timers(f);
    assert_int_equal(next_report(f, "fe80::ff:fe00:10", 1), MLD_IS_MEMBER); /* once for all five */
    assert_int_equal(next_report(f, "fe80::ff:fe00:10", 1), 0);
    assert_int_equal(net_next_timer_us(f->net), UINT64_MAX);
    feed_query(f, "fe80::1", 1, true, 0); /* at once */
    timers(f);
    assert_int_equal(next_report(f, "fe80::ff:fe00:10", 1), MLD_IS_MEMBER);
}

static void ignores_who_may_not_ask(void **state)
{
    struct fixture *f = *state;

    feed_query(f, "2001:db8:1::1", 1, true, 0); /* not from the link */
    feed_query(f, "fe80::1", 64, true, 0);
    feed_query(f, "fe80::1", 1, false, 0);
    assert_int_equal(counters(f)->icmp_ignored, 3);
    assert_int_equal(counters(f)->mld_queries_received, 0);
    assert_int_equal(net_next_timer_us(f->net), UINT64_MAX);
}

#define TEST(name)  cmocka_unit_test_setup_teardown(name, fixture_setup6, fixture_teardown)
#define FRESH(name) cmocka_unit_test_setup_teardown(name, fixture_setup_new6, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(joins_before_it_asks_for_its_addresses),
        TEST(answers_who_asks_in_time),
        TEST(ignores_who_may_not_ask),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
