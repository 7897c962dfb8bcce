/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A host made of net/ alone, for tests/e2e/net.sh: answers ARP and ping, refuses every TCP connection with a RST, and sends a
 * SYN to each address it is given. Prints what it saw, and its counters at the end.
 * usage: net_ping EAL-ARGUMENTS -- DEVICE ADDRESS/BITS MTU SECONDS [SYN-TO-ADDRESS …] */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "base/address.h"
#include "net/net.h"
#include "net/nic.h"

#define BURST          64
#define MBUFS          4095
#define JUMBO_BYTES    16384
#define ETHERNET_BYTES 14
#define TCP_BYTES      20
#define SYN_PORT       7
#define SYN_FROM       40000
#define FLAG_SYN       0x02
#define FLAG_RST       0x04
#define FLAG_ACK       0x10
#define SYN_EVERY_US   500000

struct host {
    struct nic nic;
    struct net *net;
    struct rte_mempool *pool;
    struct net_tx tx;
    struct assay_address self;
    struct assay_address targets[8];
    uint32_t targets_count;
    uint64_t next_syn_us;
    unsigned mbufs_at_start; /* what the driver keeps: af_xdp fills its ring, and never gives it back */
};

static volatile sig_atomic_t stopped; /* written by the signal handler */

static void on_signal(int signal)
{
    stopped = 1;
}

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void put32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void send_tcp(struct host *h, const struct assay_address *to, uint16_t src_port, uint16_t dst_port, uint32_t seq,
                     uint32_t ack, uint8_t flags)
{
    struct rte_mbuf *m = h->tx.count < NET_TX_MAX ? rte_pktmbuf_alloc(h->pool) : NULL;
    uint8_t *tcp = m != NULL ? (uint8_t *)rte_pktmbuf_append(m, TCP_BYTES) : NULL;

    if (tcp == NULL) {
        rte_pktmbuf_free(m);
        return;
    }
    memset(tcp, 0, TCP_BYTES);
    put32(tcp, (uint32_t)src_port << 16 | dst_port);
    put32(tcp + 4, seq);
    put32(tcp + 8, ack);
    tcp[12] = TCP_BYTES / 4 << 4;
    tcp[13] = flags;
    h->tx.datagrams[h->tx.count++] = (struct net_datagram){.mbuf = m, .src = h->self, .dst = *to};
}

static void take_segment(struct host *h, const struct net_segment *s)
{
    const uint8_t *tcp = rte_pktmbuf_mtod(s->mbuf, const uint8_t *);
    char text[ASSAY_ADDRESS_TEXT_MAX];
    uint16_t from = (uint16_t)(tcp[0] << 8 | tcp[1]), to = (uint16_t)(tcp[2] << 8 | tcp[3]);

    if (tcp[13] & FLAG_RST)
        printf("reset from %s\n", address_format(&s->src, text));
    else
        send_tcp(h, &s->src, to, from, 0,
                 get32(tcp + 4) + s->length - (tcp[12] >> 4) * 4U + ((tcp[13] & FLAG_SYN) != 0), FLAG_RST | FLAG_ACK);
    rte_pktmbuf_free(s->mbuf);
}

static void print_errors(const struct net_icmp_error *errors, uint32_t n)
{
    char text[ASSAY_ADDRESS_TEXT_MAX];

    for (uint32_t i = 0; i < n; i++)
        printf("icmp type %u code %u about %s port %u mtu %u\n", errors[i].type, errors[i].code,
               address_format(&errors[i].remote, text), errors[i].remote_port, errors[i].mtu);
}

static void turn(struct host *h)
{
    struct rte_mbuf *packets[BURST];
    struct net_segment segments[BURST];
    struct net_icmp_error errors[BURST];
    uint64_t now = now_us();
    uint32_t errors_count = 0, n;

    n = nic_rx(&h->nic, packets, BURST);
    n = net_input(h->net, 0, packets, n, now, segments, errors, &errors_count);
    for (uint32_t i = 0; i < n; i++)
        take_segment(h, &segments[i]);
    print_errors(errors, errors_count);
    print_errors(errors, net_timers(h->net, now, errors, BURST));
    if (now >= h->next_syn_us) {
        h->next_syn_us = now + SYN_EVERY_US;
        for (uint32_t i = 0; i < h->targets_count; i++)
            send_tcp(h, &h->targets[i], SYN_FROM, SYN_PORT, 1, 0, FLAG_SYN);
    }
    net_output(h->net, &h->tx, now);
}

static void print_counters(const struct host *h)
{
    const struct net_counters *c = net_get_counters(h->net);

#define NET_COUNTER(name, help) \
    if (c->name != 0)           \
        printf("%s %llu\n", #name, (unsigned long long)c->name);
#include "net/counters.def"
#undef NET_COUNTER
#define NIC_COUNTER(name, help)    \
    if (h->nic.counters.name != 0) \
        printf("nic_%s %llu\n", #name, (unsigned long long)h->nic.counters.name);
#include "net/nic_counters.def"
#undef NIC_COUNTER
}

static enum assay_error open_host(struct host *h, const char *device, char *address, uint16_t mtu)
{
    char *slash = strchr(address, '/');
    struct nic_config nic = {.device = device, .pools = &h->pool, .mtu = mtu};
    struct net_config config;
    struct net_address own;
    struct net_port_config port = {.nic = &h->nic, .addresses = &own, .addresses_count = 1};
    uint16_t room = RTE_MBUF_DEFAULT_BUF_SIZE;
    enum assay_error error;

    if (slash == NULL || address_parse(slice_of(address, (size_t)(slash - address)), &own.address) != ASSAY_OK)
        return ASSAY_ERR_MALFORMED;
    own.prefix_length = (uint8_t)(96 + atoi(slash + 1));
    h->self = own.address;
    if (mtu > RTE_MBUF_DEFAULT_DATAROOM - ETHERNET_BYTES) /* af_packet wants room for its whole frame size */
        room = RTE_PKTMBUF_HEADROOM + JUMBO_BYTES;
    h->pool = rte_pktmbuf_pool_create("net_ping", MBUFS, 0, 0, room, SOCKET_ID_ANY);
    if (h->pool == NULL)
        return ASSAY_ERR_NO_MEMORY;
    error = nic_open(&nic, &h->nic, 1);
    if (error != ASSAY_OK)
        return error;
    net_config_default(&config);
    config.ports = &port;
    config.ports_count = 1;
    config.pool = h->pool;
    return net_create(&config, &h->net);
}

int main(int argc, char **argv)
{
    static struct host h; /* too big for the stack */
    enum assay_error error;
    uint64_t end_us;
    int used = rte_eal_init(argc, argv);

    if (used < 0 || argc - used < 5) {
        fprintf(stderr, "usage: net_ping EAL-ARGUMENTS -- DEVICE ADDRESS/BITS MTU SECONDS [SYN-TO-ADDRESS ...]\n");
        return 2;
    }
    argv += used + 1;
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (char **target = argv + 4; *target != NULL && h.targets_count < 8; target++)
        if (address_parse(slice_text(*target), &h.targets[h.targets_count++]) != ASSAY_OK)
            return 2;
    error = open_host(&h, argv[0], argv[1], (uint16_t)atoi(argv[2]));
    if (error != ASSAY_OK) {
        fprintf(stderr, "net_ping: %s: %s\n", argv[0], assay_error_text(error));
        return 1;
    }
    end_us = now_us() + (uint64_t)atoi(argv[3]) * 1000000;
    printf("ready %s %02x:%02x:%02x:%02x:%02x:%02x mtu %u\n", nic_driver(&h.nic), h.nic.mac[0], h.nic.mac[1],
           h.nic.mac[2], h.nic.mac[3], h.nic.mac[4], h.nic.mac[5], h.nic.mtu);
    h.mbufs_at_start = rte_mempool_in_use_count(h.pool);
    net_announce(h.net, now_us());
    while (!stopped && now_us() < end_us)
        turn(&h);
    print_counters(&h);
    net_destroy(h.net);
    printf("mbufs lost %d\n", (int)(rte_mempool_in_use_count(h.pool) - h.mbufs_at_start));
    nic_close(&h.nic, 1);
    rte_eal_cleanup();
    return 0;
}
