/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames into net_input(). The input is a list of frames: {flags, length / 8, cut, frame}. Flags: 1 to our MAC
 * address, 2 IPv4 header checksum made right, 4 checksum of TCP, ICMP or ICMPv6 made right, 8 from the peer's MAC address,
 * 16 a second passes, 32 we send a segment to the frame's source; of the first frame: 64 there is an exception
 * port, 128 fragments are put together. What comes up must keep net/packet.h's promises; no mbuf may be lost. */
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "base/address.h"
#include "net/ether.h"
#include "net/icmp6.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/mbuf.h"
#include "net/net.h"
#include "net/nic.h"

#define MBUFS    1023
#define BATCH    8
#define OWN_BE   0x0a0112c6 /* 198.18.1.10 */
#define GW_BE    0x010112c6 /* 198.18.1.1 */
#define BURST_US 1000000

static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 0x10};
static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 0x99};

/* libFuzzer gives the target no context of its own. */
static struct rte_mempool *pool;
static struct nic nic, kernel;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *args[] = {"fuzz",           "--no-huge",     "--no-pci",      "-m", "64",
                          "--no-telemetry", "--no-shconf",   "--lcores",      "0",  "--log-level",
                          "critical",       "--file-prefix", "assay-fuzz-net"};
    struct nic_config config = {.device = "net_null0", .pools = &pool},
                      exception = {.device = "net_null1", .pools = &pool};

    require(rte_eal_init(sizeof(args) / sizeof(args[0]), (char **)(uintptr_t)args) >= 0);
    pool = rte_pktmbuf_pool_create("pool", MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    require(pool != NULL && nic_open(&config, &nic, 1) == ASSAY_OK && nic_open(&exception, &kernel, 1) == ASSAY_OK);
    memcpy(nic.mac, own_mac, sizeof(own_mac));
    return 0;
}

/* 2001:db8::10/64 beside, by fe80::1. */
static const struct assay_address own6 = {{0x20, 0x01, 0x0d, 0xb8, [15] = 0x10}};
static const struct assay_address gateway6 = {{0xfe, 0x80, [15] = 1}};

static struct net *make_net(bool exception, bool reassemble)
{
    struct net_address own[] = {{address_from_ip4_be(OWN_BE), 96 + 24}, {own6, 64}};
    struct net_port_config port = {.nic = &nic, .addresses = own, .addresses_count = 2};
    struct net_route routes[] = {{{address_from_ip4_be(0), 96}, address_from_ip4_be(GW_BE), 0},
                                 {{{{0}}, 0}, gateway6, 0}};
    struct net_config config;
    struct net *net = NULL;

    if (exception) {
        port.exception = &kernel;
        port.exception_rate = 1000000;
    }
    net_config_default(&config);
    config.ports = &port;
    config.ports_count = 1;
    config.routes = routes;
    config.routes_count = 2;
    config.reassemble = reassemble;
    config.pool = pool;
    config.neighbours_max = 4;
    config.arp_pending_max = 6;
    require(net_create(&config, &net) == ASSAY_OK);
    return net;
}

/* That of TCP or ICMPv6, behind whatever extension headers. */
static void make_checksum6_right(uint8_t *frame, size_t len)
{
    uint8_t *ip = frame + ETHER_BYTES, *at;
    struct ip6_header header;
    uint32_t length;
    uint16_t sum;

    if (ip6_read(slice_of(ip, len - ETHER_BYTES), (uint32_t)(len - ETHER_BYTES), &header) != IP6_OK)
        return;
    length = header.total_length - header.header_length;
    at = ip + header.header_length + (header.protocol == IP6_PROTO_TCP ? 16 : 2);
    if ((header.protocol != IP6_PROTO_TCP && header.protocol != IP6_PROTO_ICMP) ||
        length < (header.protocol == IP6_PROTO_TCP ? 20U : 4U))
        return;
    memset(at, 0, 2);
    sum = checksum_pseudo6(&header.src, &header.dst, header.protocol, length);
    sum = (uint16_t)~checksum_add(sum, ip + header.header_length, length);
    memcpy(at, &sum, 2);
}

static void make_checksums_right(uint8_t *frame, size_t len, uint8_t flags)
{
    uint8_t *ip = frame + ETHER_BYTES;
    size_t header, total;
    uint16_t sum;

    if (len < ETHER_BYTES + IP4_BYTES)
        return;
    if ((flags & 4) && ip[0] >> 4 == 6) {
        make_checksum6_right(frame, len);
        return;
    }
    header = (ip[0] & 15) * 4U;
    total = read_be16(ip + 2);
    if (header < IP4_BYTES || total < header || total > len - ETHER_BYTES)
        return;
    if (flags & 2) {
        memset(ip + 10, 0, 2);
        sum = (uint16_t)~checksum_add(0, ip, header);
        memcpy(ip + 10, &sum, 2);
    }
    if ((flags & 4) && ip[IP4_OFFSET_PROTO] == IP4_PROTO_TCP && total - header >= 20) {
        sum = checksum_pseudo4(read_raw32(ip + IP4_OFFSET_SRC), read_raw32(ip + IP4_OFFSET_DST), IP4_PROTO_TCP,
                               (uint16_t)(total - header));
        memset(ip + header + 16, 0, 2);
        sum = (uint16_t)~checksum_add(sum, ip + header, total - header);
        memcpy(ip + header + 16, &sum, 2);
    } else if ((flags & 4) && ip[IP4_OFFSET_PROTO] == IP4_PROTO_ICMP && total - header >= 4) {
        memset(ip + header + 2, 0, 2);
        sum = (uint16_t)~checksum_add(0, ip + header, total - header);
        memcpy(ip + header + 2, &sum, 2);
    }
}

static struct rte_mbuf *mbuf_of(const uint8_t *data, size_t len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

    require(m != NULL);
    memcpy(rte_pktmbuf_append(m, (uint16_t)len), data, len);
    return m;
}

static struct rte_mbuf *next_frame(const uint8_t **data, size_t *size, uint8_t *flags)
{
    uint8_t frame[255 * 8];
    size_t len, cut;
    struct rte_mbuf *m;

    *flags = (*data)[0];
    len = (*data)[1] * 8U < *size - 3 ? (*data)[1] * 8U : *size - 3;
    cut = (*data)[2] < len ? (*data)[2] : len;
    memcpy(frame, *data + 3, len);
    *data += 3 + len;
    *size -= 3 + len;
    if ((*flags & 1) && len >= 6)
        memcpy(frame, own_mac, 6);
    if ((*flags & 8) && len >= 12)
        memcpy(frame + 6, peer_mac, 6);
    make_checksums_right(frame, len, *flags);
    m = mbuf_of(frame, cut);
    if (cut < len)
        require(rte_pktmbuf_chain(m, mbuf_of(frame + cut, len - cut)) == 0);
    return m;
}

static bool is_ours(const struct assay_address *a)
{
    struct assay_address link_local = ip6_link_local(own_mac);

    return (address_is_ip4(a) && address_ip4_be(a) == OWN_BE) || address_equal(a, &own6) ||
           address_equal(a, &link_local);
}

static void check_segment(const struct net_segment *s)
{
    uint32_t sum = 0;
    uint16_t segments = 0;

    for (const struct rte_mbuf *m = s->mbuf; m != NULL; m = m->next, segments++)
        sum += m->data_len;
    require(sum == s->mbuf->pkt_len && segments == s->mbuf->nb_segs);
    require(s->length == sum && s->length >= 20 && s->mbuf->data_len >= RTE_MIN(sum, 60U) && s->ecn < 4);
    require(is_ours(&s->dst) && address_is_ip4(&s->src) == address_is_ip4(&s->dst));
    require(!address_is_special(&s->src) || s->src.bytes[12] == 169 || ip6_is_link_local(&s->src));
}

static void answer(struct net *net, const struct net_segment *s, uint64_t now_us)
{
    struct net_tx tx = {.count = 1};
    static const uint8_t tcp[20] = {[12] = 0x50};

    tx.datagrams[0] = (struct net_datagram){.mbuf = mbuf_of(tcp, sizeof(tcp)), .src = s->dst, .dst = s->src};
    net_output(net, &tx, now_us);
}

static void feed(struct net *net, struct rte_mbuf *m, uint8_t flags, uint64_t now_us)
{
    struct net_segment segment;
    struct net_icmp_error errors[BATCH];
    struct rte_mbuf *whole[NET_WHOLE_MAX];
    uint32_t errors_count = 0, n = net_input(net, 0, &m, 1, now_us, &segment, errors, &errors_count), wholes;

    wholes = net_take_whole(net, 0, whole);
    require(wholes <= 1 && wholes + n + errors_count <= 1);
    if (wholes == 1)
        n = net_input(net, 0, whole, 1, now_us, &segment, errors, &errors_count);
    require(n <= 1 && errors_count <= 1 && n + errors_count <= 1 && net_take_whole(net, 0, whole) == 0);
    if (errors_count == 1)
        require(is_ours(&errors[0].local));
    if (n == 1) {
        check_segment(&segment);
        if (flags & 32)
            answer(net, &segment, now_us);
        rte_pktmbuf_free(segment.mbuf);
    }
    require(net_timers(net, now_us, errors, BATCH) <= BATCH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct net *net = make_net(size > 0 && (data[0] & 64) != 0, size > 0 && (data[0] & 128) != 0);
    struct net_tx tx = {0};
    uint64_t now_us = BURST_US;

    net_announce(net, now_us);

    while (size > 3) {
        uint8_t flags;
        struct rte_mbuf *m = next_frame(&data, &size, &flags);

        if (flags & 16)
            now_us += BURST_US;
        feed(net, m, flags, now_us);
        net_output(net, &tx, now_us);
    }
    net_destroy(net);
    require(nic_flush(&nic) == 0 && nic_flush(&kernel) == 0);
    require(rte_mempool_in_use_count(pool) == 0);
    return 0;
}
