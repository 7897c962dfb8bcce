/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_NIC_H
#define ASSAY_NET_NIC_H
/* A port, the one place that calls rte_eth_*. A port is opened with one receive and transmit queue pair a core; each pair is
 * one struct nic. Works the same on net_af_packet, net_af_xdp, net_ring, net_null, net_tap, net_memif and any NIC that the
 * EAL has probed: what the port cannot do (checksums, chained mbufs) is done here or in net/ in software.
 * Size the pools for what drivers keep: net_af_xdp holds its whole receive ring (2048 by default) and what it has sent and
 * not reaped yet; with an empty pool it receives nothing.
 * Owner: the caller owns every struct nic; nic_rx() gives mbufs away, nic_send() takes them over.
 * Thread: nic_open(), nic_close(): control, while no core polls. nic_rx(), nic_send(), nic_flush(): the core of that pair.
 * nic_link(), nic_get_stats(): any thread.
 * Units: bytes; an MTU is that of the IP layer. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"

struct rte_mbuf;
struct rte_mempool;

#define NIC_MAC_BYTES   6
#define NIC_QUEUES_MAX  64
#define NIC_PENDING_MAX 512

struct nic_config {
    const char *device; /* a port's name ("0000:03:00.0", "net_af_packet0"), its number ("0"), or the arguments of a
                         * device to attach now ("net_af_packet0,iface=proxy0,qdisc_bypass=1") */
    struct rte_mempool **pools; /* one a queue pair: where received packets land; also serves flattened packets */
    uint16_t rx_ring, tx_ring;  /* descriptors a queue; 0: as the driver prefers */
    uint16_t mtu;               /* 0: as the port has it */
    bool promiscuous;
    bool multicast;     /* receive all groups: IPv6 needs some */
    bool vlan;          /* take tags off and put them on, where the port can */
    const uint8_t *mac; /* the MAC address it shall have; NULL: its own */
    const uint8_t
        *rss_key; /* TOEPLITZ_KEY_BYTES_MAX bytes, of a port that spreads over queues by itself; NULL: its own */
};

struct nic_counters {
#define NIC_COUNTER(name, help) uint64_t name;
#include "net/nic_counters.def"
#undef NIC_COUNTER
};

/* One queue pair of a port. Read freely; written by nic.c alone. */
struct nic {
    uint16_t port;
    uint16_t queue;
    uint16_t mtu;
    uint8_t mac[NIC_MAC_BYTES];
    bool attached;        /* nic_open() attached the device: nic_close() removes it */
    bool tx_ip4_checksum; /* the port fills the checksum; else net/ does */
    bool tx_tcp_checksum;
    bool tx_vlan;     /* the port writes the tag of RTE_MBUF_F_TX_VLAN; else net/ does */
    bool rx_checksum; /* the port reports checksums in ol_flags */
    bool rss;         /* the port says it hashes TCP over IPv4 and IPv6 with rss_key, and puts the hash into the mbuf */
    uint16_t tx_segments_max;     /* the longest chain the port sends; nic_send() flattens what is longer */
    uint16_t tx_tso_segments_max; /* the same of a frame that the port cuts into TCP segments; 0: it cuts none */
    struct rte_mempool *pool;
    struct capture *capture; /* NULL: no frame is copied */
    uint32_t captured_count; /* of those pending, the first so many have been captured */
    uint32_t pending_count;
    uint32_t refusals;            /* flushes in a row in which the port took nothing */
    struct nic_counters counters; /* one writer: the core */
    struct rte_mbuf *pending[NIC_PENDING_MAX];
};

struct nic_stats { /* the port's own, all queues */
    uint64_t rx_packets, rx_bytes, rx_missed, rx_errors, rx_no_mbuf;
    uint64_t tx_packets, tx_bytes, tx_errors;
};

/* The largest MTU whose frames the device of these arguments takes whole, where that is known from them: net_af_packet cuts what
 * is longer than a slot of its ring (framesz) off, without a word. UINT32_MAX: no such limit. Thread: any. */
uint32_t nic_device_mtu_max(const char *device);

/* The bytes that each receive buffer of such a device must hold behind its headroom, beyond a frame of the MTU: net_af_packet
 * wants room for a whole slot. 0: nothing more. Thread: any. */
uint32_t nic_device_buffer_min(const char *device);

/* Opens and starts a port with n queue pairs. NOT_FOUND: no such device. RANGE: more queues, or an MTU, than it can do.
 * MALFORMED: the MTU asked for does not fit the pool's mbufs and the port cannot scatter. SYSTEM: the driver refused.
 */
enum assay_error nic_open(const struct nic_config *config, struct nic *queues, uint16_t n) ASSAY_MUST_USE;
/* Frees what waits in the queues, stops and closes the port. */
void nic_close(struct nic *queues, uint16_t n);

/* From now on what is received and sent is captured (capture.h); NULL: no longer. Thread: the core of that pair. */
void nic_set_capture(struct nic *nic, struct capture *capture);

/* The port's indirection table: entries, by the low bits of a hash, of queue numbers. Returns how many entries there are; 0 when
 * there is none, it is longer than max, or the driver does not tell. */
uint32_t nic_rss_table(const struct nic *nic, uint16_t *queues, uint32_t max);

/* Up to max received packets; returns how many. */
uint16_t nic_rx(struct nic *nic, struct rte_mbuf **packets, uint16_t max);
/* Queues a frame for nic_flush(); flushes by itself when the queue is full. A frame that finds no room after a bounded
 * number of tries is dropped and counted (tx_dropped). */
void nic_send(struct nic *nic, struct rte_mbuf *packet);
/* Hands what is queued to the port, as far as its ring has room; the rest waits for the next flush, in order. Call it every
 * turn. Returns how many still wait. A port that takes nothing for a thousand turns may be refusing the first frame for what it
 * is: that one is dropped (tx_refused). */
uint32_t nic_flush(struct nic *nic);

/* The largest TCP payload that the port cuts into segments (TSO), when it comes in buffers of buffer_bytes behind a header in a
 * buffer of its own; 0 when it cuts none. */
uint32_t nic_tso_bytes(const struct nic *nic, uint32_t buffer_bytes);

/* Is the link up? Of a virtual port over an interface of the kernel: has that a carrier? A few system calls there: not for a core. */
bool nic_link(const struct nic *nic, uint32_t *speed_mbps);
enum assay_error nic_get_stats(const struct nic *nic, struct nic_stats *out) ASSAY_MUST_USE;
/* The driver's name ("net_af_xdp"), for the log and for choosing defaults. */
const char *nic_driver(const struct nic *nic);

#endif
