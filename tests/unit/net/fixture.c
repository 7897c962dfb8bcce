/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include <stdio.h>
#include <unistd.h>

#include <rte_eal.h>

const uint8_t own_mac[6] = {0x02, 0, 0, 0, 0, 0x10};
const uint8_t peer_mac[6] = {0x02, 0, 0, 0, 0, 0x99};
const uint8_t other_mac[6] = {0x02, 0, 0, 0, 0, 0x55};
const uint8_t all_mac[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

#define POOL_MBUFS 2047

int fixture_setup_group(void **state)
{
    static struct fixture f; /* nics are big */
    char prefix[64];
    const char *argv[] = {"test",           "--no-huge",     "--no-pci", "-m", "64",
                          "--no-telemetry", "--no-shconf",   "--lcores", "0",  "--log-level",
                          "critical",       "--file-prefix", prefix};

    snprintf(prefix, sizeof(prefix), "assay-unit-%d", getpid());
    if (rte_eal_init(sizeof(argv) / sizeof(argv[0]), (char **)(uintptr_t)argv) < 0)
        return -1;
    f.pool = rte_pktmbuf_pool_create("pool", POOL_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    f.tiny_pool = rte_pktmbuf_pool_create("tiny", POOL_MBUFS, 0, 0, RTE_PKTMBUF_HEADROOM + 192, SOCKET_ID_ANY);
    f.indirect_pool = rte_pktmbuf_pool_create("indirect", 255, 0, 0, 0, SOCKET_ID_ANY);
    *state = &f;
    return f.pool != NULL && f.tiny_pool != NULL && f.indirect_pool != NULL ? 0 : -1;
}

int fixture_teardown_group(void **state)
{
    char directory[256];

    snprintf(directory, sizeof(directory), "%s", rte_eal_get_runtime_dir());
    if (rte_eal_cleanup() != 0)
        return -1;
    (void)rmdir(directory); /* the EAL leaves it behind, empty with --no-shconf */
    return 0;
}

static int set_up(void **state, bool dual, uint16_t vlan)
{
    struct fixture *f = *state;
    struct net_address own[2][2] = {{{address_from_ip4_be(IP(198, 18, 1, 10)), 96 + 24}, {ip6("2001:db8:1::10"), 64}},
                                    {{address_from_ip4_be(IP(198, 18, 2, 10)), 96 + 24}, {ip6("2001:db8:2::10"), 64}}};
    struct net_port_config ports[2] = {
        {.nic = &f->nics[0], .addresses = own[0], .addresses_count = dual ? 2 : 1, .vlan = vlan},
        {.nic = &f->nics[1], .addresses = own[1], .addresses_count = dual ? 2 : 1}};
    struct net_route routes[2] = {{{address_from_ip4_be(0), 96}, address_from_ip4_be(IP(198, 18, 1, 1)), 0},
                                  {{ip6("::"), 0}, ip6("2001:db8:1::1"), 0}};
    struct net_config config;

    for (int i = 0; i < 2; i++) {
        struct nic_config nic = {.device = i ? "net_ring1" : "net_ring0", .pools = &f->pool};

        if (nic_open(&nic, &f->nics[i], 1) != ASSAY_OK)
            return -1;
        memcpy(f->nics[i].mac, own_mac, 6);
    }
    net_config_default(&config);
    config.ports = ports;
    config.ports_count = 2;
    config.routes = routes;
    config.routes_count = dual ? 2 : 1;
    config.pool = f->pool;
    f->now_us = START_US;
    f->segments_count = f->errors_count = 0;
    return net_create(&config, &f->net) == ASSAY_OK ? 0 : -1;
}

int fixture_setup(void **state)
{
    return set_up(state, false, 0);
}

int fixture_setup_vlan(void **state)
{
    return set_up(state, false, VLAN);
}

int fixture_setup_new6(void **state)
{
    return set_up(state, true, 0);
}

int fixture_setup6(void **state)
{
    struct fixture *f = *state;
    int result = set_up(state, true, 0);

    for (uint32_t port = 0; result == 0 && port < 2; port++)
        for (uint32_t i = 0; i < f->net->ports[port].addresses6_count; i++)
            f->net->ports[port].addresses6[i].state = ADDRESS6_PREFERRED;
    return result;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    struct rte_mbuf *m;

    free_segments(f);
    for (uint32_t port = 0; port < 2; port++)
        while ((m = sent(f, port)) != NULL)
            rte_pktmbuf_free(m);
    net_destroy(f->net);
    nic_close(&f->nics[0], 1);
    nic_close(&f->nics[1], 1);
    if (rte_mempool_in_use_count(f->pool) + rte_mempool_in_use_count(f->tiny_pool) +
            rte_mempool_in_use_count(f->indirect_pool) !=
        0) {
        fprintf(stderr, "mbufs lost: %u %u %u\n", rte_mempool_in_use_count(f->pool),
                rte_mempool_in_use_count(f->tiny_pool), rte_mempool_in_use_count(f->indirect_pool));
        return -1;
    }
    return 0;
}

struct assay_address ip6(const char *text)
{
    struct assay_address address;

    assert_int_equal(address_parse(slice_text(text), &address), ASSAY_OK);
    return address;
}

/* --- frames ---------------------------------------------------------------------------------------------------------------- */

/* The plain way, byte by byte: not the code under test. */
static uint16_t plain_checksum(uint32_t sum, const uint8_t *p, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

void frame_fix_ip(struct frame *frame)
{
    uint8_t *ip = frame->bytes + ETHER_BYTES;

    write_be16(ip + 10, 0);
    write_be16(ip + 10, plain_checksum(0, ip, (ip[0] & 15) * 4U));
}

void frame_fix_tcp(struct frame *frame)
{
    uint8_t *ip = frame->bytes + ETHER_BYTES, *tcp = ip + (ip[0] & 15) * 4U;
    uint32_t len = read_be16(ip + 2) - (ip[0] & 15) * 4U, sum = IP4_PROTO_TCP + len;

    for (int i = 0; i < 4; i++)
        sum += read_be16(ip + IP4_OFFSET_SRC + 2 * i);
    write_be16(tcp + 16, 0);
    write_be16(tcp + 16, plain_checksum(sum, tcp, len));
}

struct frame frame_ip4(uint32_t src_be, uint32_t dst_be, uint8_t protocol, const void *payload, uint32_t len)
{
    struct frame frame = {.len = ETHER_BYTES + IP4_BYTES + len};
    uint8_t *ip = frame.bytes + ETHER_BYTES;

    ether_write(frame.bytes, own_mac, peer_mac, ETHER_TYPE_IP4);
    ip[0] = 0x45;
    write_be16(ip + 2, (uint16_t)(IP4_BYTES + len));
    ip[8] = 60;
    ip[9] = protocol;
    memcpy(ip + IP4_OFFSET_SRC, &src_be, 4);
    memcpy(ip + IP4_OFFSET_DST, &dst_be, 4);
    if (len != 0)
        memcpy(ip + IP4_BYTES, payload, len);
    frame_fix_ip(&frame);
    return frame;
}

struct frame frame_tcp(uint32_t src_be, uint32_t dst_be, uint32_t payload_len)
{
    uint8_t tcp[FRAME_MAX - 64] = {0x9c, 0x40, 0x01, 0xbb, 1, 2, 3, 4, 0, 0, 0, 0, 0x50, 0x10, 0xff, 0xff};
    struct frame frame;

    for (uint32_t i = 0; i < payload_len; i++)
        tcp[20 + i] = (uint8_t)(i * 7 + 3);
    frame = frame_ip4(src_be, dst_be, IP4_PROTO_TCP, tcp, 20 + payload_len);
    frame_fix_tcp(&frame);
    return frame;
}

struct frame frame_icmp(uint32_t src_be, uint32_t dst_be, uint8_t type, uint8_t code, const void *rest, uint32_t len)
{
    uint8_t icmp[FRAME_MAX - 64] = {type, code};

    if (len != 0)
        memcpy(icmp + 4, rest, len);
    write_be16(icmp + 2, plain_checksum(0, icmp, 4 + len));
    return frame_ip4(src_be, dst_be, IP4_PROTO_ICMP, icmp, 4 + len);
}

void frame_fix_ip6(struct frame *frame)
{
    uint8_t *ip = frame->bytes + ETHER_BYTES, *payload = ip + IP6_BYTES;
    uint32_t len = read_be16(ip + 4), sum = ip[IP6_OFFSET_NEXT] + len;
    uint8_t *checksum = payload + (ip[IP6_OFFSET_NEXT] == IP6_PROTO_TCP ? 16 : 2);

    for (int i = 0; i < 16; i++)
        sum += read_be16(ip + IP6_OFFSET_SRC + 2 * i);
    write_be16(checksum, 0);
    write_be16(checksum, plain_checksum(sum, payload, len));
}

struct frame frame_ip6(struct assay_address src, struct assay_address dst, uint8_t next, const void *payload,
                       uint32_t len)
{
    struct frame frame = {.len = ETHER_BYTES + IP6_BYTES + len};
    uint8_t *ip = frame.bytes + ETHER_BYTES, mac[6] = {0x33, 0x33};

    memcpy(mac + 2, dst.bytes + 12, 4);
    ether_write(frame.bytes, dst.bytes[0] == 0xff ? mac : own_mac, peer_mac, ETHER_TYPE_IP6);
    ip[0] = 0x60;
    write_be16(ip + 4, (uint16_t)len);
    ip[6] = next;
    ip[7] = 60;
    memcpy(ip + IP6_OFFSET_SRC, src.bytes, 16);
    memcpy(ip + IP6_OFFSET_DST, dst.bytes, 16);
    if (len != 0)
        memcpy(ip + IP6_BYTES, payload, len);
    return frame;
}

struct frame frame_tcp6(struct assay_address src, struct assay_address dst, uint32_t payload_len)
{
    uint8_t tcp[FRAME_MAX - 64] = {0x9c, 0x40, 0x01, 0xbb, 1, 2, 3, 4, 0, 0, 0, 0, 0x50, 0x10, 0xff, 0xff};
    struct frame frame;

    for (uint32_t i = 0; i < payload_len; i++)
        tcp[20 + i] = (uint8_t)(i * 7 + 3);
    frame = frame_ip6(src, dst, IP6_PROTO_TCP, tcp, 20 + payload_len);
    frame_fix_ip6(&frame);
    return frame;
}

struct frame frame_icmp6(struct assay_address src, struct assay_address dst, uint8_t hop_limit, uint8_t type,
                         uint8_t code, const void *rest, uint32_t len)
{
    uint8_t icmp[FRAME_MAX - 64] = {type, code};
    struct frame frame;

    if (len != 0)
        memcpy(icmp + 4, rest, len);
    frame = frame_ip6(src, dst, IP6_PROTO_ICMP, icmp, 4 + len);
    frame.bytes[ETHER_BYTES + 7] = hop_limit;
    frame_fix_ip6(&frame);
    return frame;
}

struct frame frame_ndp(struct assay_address src, struct assay_address dst, const struct ndp_message *message)
{
    uint8_t bytes[NDP_BYTES_MAX];
    size_t len = ndp_write(bytes, message);

    return frame_icmp6(src, dst, NDP_HOP_LIMIT, message->type, 0, bytes + 4, (uint32_t)len - 4);
}

struct frame frame_tagged(const struct frame *frame, uint16_t tag)
{
    struct frame tagged = *frame;

    memmove(tagged.bytes + 16, tagged.bytes + 12, tagged.len - 12);
    write_be16(tagged.bytes + 12, ETHER_TYPE_VLAN);
    write_be16(tagged.bytes + 14, tag);
    tagged.len += 4;
    return tagged;
}

struct frame frame_arp(uint16_t operation, const uint8_t *dst, const uint8_t *sender_mac, uint32_t sender_be,
                       const uint8_t *target_mac, uint32_t target_be)
{
    struct arp_packet arp = {.operation = operation, .sender_be = sender_be, .target_be = target_be};
    struct frame frame = {.len = ETHER_FRAME_MIN};

    memcpy(arp.sender_mac, sender_mac, 6);
    if (target_mac != NULL)
        memcpy(arp.target_mac, target_mac, 6);
    arp_write(frame.bytes, dst, &arp);
    return frame;
}

/* --- mbufs ------------------------------------------------------------------------------------------------------------------ */

struct rte_mbuf *mbuf_of(struct rte_mempool *pool, const void *data, uint32_t len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

    assert_non_null(m);
    assert_true(len <= rte_pktmbuf_tailroom(m));
    memcpy(rte_pktmbuf_append(m, (uint16_t)len), data, len);
    return m;
}

struct rte_mbuf *mbuf_cut(struct rte_mempool *pool, const void *data, uint32_t len, const uint32_t *cuts, uint32_t n)
{
    struct rte_mbuf *first = NULL;
    uint32_t from = 0;

    for (uint32_t i = 0; i <= n; i++) {
        uint32_t to = i < n ? cuts[i] : len;
        struct rte_mbuf *m = mbuf_of(pool, (const uint8_t *)data + from, to - from);

        if (first == NULL)
            first = m;
        else
            assert_int_equal(rte_pktmbuf_chain(first, m), 0);
        from = to;
    }
    return first;
}

/* --- in and out -------------------------------------------------------------------------------------------------------------- */

void free_segments(struct fixture *f)
{
    for (uint32_t i = 0; i < f->segments_count; i++)
        rte_pktmbuf_free(f->segments[i].mbuf);
    f->segments_count = f->errors_count = 0;
}

void feed_mbuf(struct fixture *f, uint32_t port, struct rte_mbuf *m)
{
    free_segments(f);
    struct rte_mbuf *whole[NET_WHOLE_MAX];
    uint32_t n;

    f->segments_count = net_input(f->net, port, &m, 1, f->now_us, f->segments, f->errors, &f->errors_count);
    n = net_take_whole(f->net, port, whole);
    f->segments_count +=
        net_input(f->net, port, whole, n, f->now_us, f->segments + f->segments_count, f->errors, &f->errors_count);
}

void feed(struct fixture *f, uint32_t port, const struct frame *frame)
{
    feed_mbuf(f, port, mbuf_of(f->pool, frame->bytes, frame->len));
}

struct rte_mbuf *sent(struct fixture *f, uint32_t port)
{
    struct rte_mbuf *m;

    (void)nic_flush(&f->nics[port]);
    return nic_rx(&f->nics[port], &m, 1) == 1 ? m : NULL;
}

void expect_nothing_sent(struct fixture *f)
{
    assert_null(sent(f, 0));
    assert_null(sent(f, 1));
}

void feed_arp_reply(struct fixture *f, uint32_t port, uint32_t peer_be)
{
    struct frame reply =
        frame_arp(ARP_REPLY, own_mac, peer_mac, peer_be, own_mac, port ? IP(198, 18, 2, 10) : IP(198, 18, 1, 10));

    feed(f, port, &reply);
}

const struct net_counters *counters(const struct fixture *f)
{
    return net_get_counters(f->net);
}

static uint64_t count_at(const struct fixture *f, size_t offset)
{
    uint64_t value;

    memcpy(&value, (const uint8_t *)counters(f) + offset, sizeof(value));
    return value;
}

void expect_dropped(struct fixture *f, size_t counter, const char *what)
{
    if (f->segments_count != 0 || f->errors_count != 0)
        fail_msg("passed up: %s", what);
    if (count_at(f, counter) != 1)
        fail_msg("not counted: %s", what);
    expect_nothing_sent(f);
}

/* --- neighbours ---------------------------------------------------------------------------------------------------------- */

void send_number(struct fixture *f, uint32_t dst, uint8_t number)
{
    uint8_t tcp[21] = {0x9c, 0x40, 0x01, 0xbb, 1, 2, 3, 4, 0, 0, 0, 0, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0, number};
    struct net_tx tx = {.count = 1};

    tx.datagrams[0] = (struct net_datagram){.mbuf = mbuf_of(f->pool, tcp, sizeof(tcp)),
                                            .src = address_from_ip4_be(IP(198, 18, 1, 10)),
                                            .dst = address_from_ip4_be(dst)};
    net_output(f->net, &tx, f->now_us);
}

void expect_number(struct fixture *f, uint8_t number, const uint8_t *mac)
{
    struct rte_mbuf *m = sent(f, 0);

    assert_non_null(m);
    assert_int_equal(m->pkt_len, 55);
    assert_int_equal(*rte_pktmbuf_mtod_offset(m, uint8_t *, 54), number);
    assert_memory_equal(rte_pktmbuf_mtod(m, uint8_t *), mac, 6);
    rte_pktmbuf_free(m);
}

void expect_arp(struct fixture *f, uint16_t operation, const uint8_t *dst_mac, uint32_t sender, uint32_t target)
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

uint32_t timers(struct fixture *f)
{
    f->errors_count = net_timers(f->net, f->now_us, f->errors, 64);
    return f->errors_count;
}

const char *state_of(struct fixture *f, uint32_t ip)
{
    struct net_neighbour_info rows[64];
    struct assay_address address = address_from_ip4_be(ip);
    uint32_t n = net_list_neighbours(f->net, rows, 64);

    for (uint32_t i = 0; i < n; i++)
        if (address_equal(&rows[i].address, &address))
            return rows[i].state;
    return "none";
}

void feed_arp(struct fixture *f, uint16_t operation, const uint8_t *dst, const uint8_t *mac, uint32_t sender,
              uint32_t target)
{
    struct frame frame = frame_arp(operation, dst, mac, sender, operation == ARP_REPLY ? own_mac : NULL, target);

    feed(f, 0, &frame);
}
