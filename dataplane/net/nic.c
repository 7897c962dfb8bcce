/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/nic.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_ether.h>

#include "base/toeplitz.h"
#include "net/capture.h"
#include "net/mbuf.h"

#define RING_DEFAULT 1024
#define TX_TRIES     4
#define REFUSALS_MAX 1000
#define RX_CHECKSUMS (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define TX_SEGMENTATION                                                                             \
    (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS | \
     RTE_ETH_TX_OFFLOAD_TCP_TSO)
#define TX_OFFLOADS   TX_SEGMENTATION
#define RSS_FLOWS     (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP)
#define RSS_TABLE_MAX 2048
#define RSS_GROUPS    (RSS_TABLE_MAX / RTE_ETH_RETA_GROUP_SIZE)
#define TAP_DRIVER    "net_tap"
/* net_af_packet: its default framesz, and what of a slot the kernel's header (TPACKET_V2, 52 bytes) and Ethernet's take, aligned. */
#define AF_PACKET_FRAME    2048
#define AF_PACKET_HEADERS  80
#define AF_PACKET_RESERVED 32 /* what the driver counts off a slot before it compares it with a buffer */

#define TSO_BYTES_MAX   (UINT16_MAX - 60 - 60) /* an IP packet less the longest headers */
#define SEGMENTS_NO_CAP 32                     /* chains longer than any we build, for ports that name no limit */

/* What is known of the port while it is being opened. */
struct opening {
    const struct nic_config *config;
    uint16_t port;
    uint16_t queues;
    uint16_t mtu;
    bool attached;
    struct rte_eth_dev_info info;
    struct rte_eth_conf conf;
};

/* The device's name: what stands before the first comma of its arguments. */
static enum assay_error device_name(const char *device, char name[RTE_ETH_NAME_MAX_LEN])
{
    size_t len = strcspn(device, ",");

    if (len == 0 || len >= RTE_ETH_NAME_MAX_LEN)
        return ASSAY_ERR_NOT_FOUND;
    memcpy(name, device, len);
    name[len] = 0;
    return ASSAY_OK;
}

static enum assay_error find_port(struct opening *o)
{
    const char *device = o->config->device;
    char name[RTE_ETH_NAME_MAX_LEN];
    enum assay_error error = device_name(device, name);

    if (error != ASSAY_OK)
        return error;
    if (strspn(device, "0123456789") == strlen(device)) {
        unsigned long port = strtoul(device, NULL, 10);

        o->port = (uint16_t)port;
        return port < RTE_MAX_ETHPORTS && rte_eth_dev_is_valid_port(o->port) ? ASSAY_OK : ASSAY_ERR_NOT_FOUND;
    }
    if (rte_eth_dev_get_port_by_name(name, &o->port) == 0)
        return ASSAY_OK;
    if (rte_dev_probe(device) != 0 || rte_eth_dev_get_port_by_name(name, &o->port) != 0)
        return ASSAY_ERR_NOT_FOUND;
    o->attached = true;
    return ASSAY_OK;
}

/* What the kernel says of its interface behind a virtual port. False: there is none, or it says nothing. */
static bool ask_kernel(unsigned if_index, unsigned long what, struct ifreq *out)
{
    bool good;
    int fd;

    memset(out, 0, sizeof(*out));
    if (if_index == 0 || if_indextoname(if_index, out->ifr_name) == NULL)
        return false;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    good = ioctl(fd, what, out) == 0;
    close(fd);
    return good;
}

/* Its MTU, or 0. Such drivers name a largest frame that is not the one they really take. */
static uint16_t kernel_mtu(unsigned if_index)
{
    struct ifreq answer;

    if (!ask_kernel(if_index, SIOCGIFMTU, &answer) || answer.ifr_mtu <= 0 || answer.ifr_mtu > UINT16_MAX)
        return 0;
    return (uint16_t)answer.ifr_mtu;
}

/* Bytes of a slot of net_af_packet's ring, by its arguments. False: another driver. */
static bool ring_slot(const char *device, uint64_t *bytes)
{
    static const char driver[] = "net_af_packet", key[] = ",framesz=";
    const char *framesz = strstr(device, key);

    *bytes = framesz != NULL ? strtoull(framesz + strlen(key), NULL, 10) : AF_PACKET_FRAME;
    return strncmp(device, driver, strlen(driver)) == 0;
}

uint32_t nic_device_mtu_max(const char *device)
{
    uint64_t slot;

    if (!ring_slot(device, &slot))
        return UINT32_MAX;
    return slot > AF_PACKET_HEADERS && slot < UINT32_MAX ? (uint32_t)slot - AF_PACKET_HEADERS : 0;
}

uint32_t nic_device_buffer_min(const char *device)
{
    uint64_t slot;

    if (!ring_slot(device, &slot) || slot <= AF_PACKET_RESERVED || slot > UINT16_MAX)
        return 0;
    return (uint32_t)slot - AF_PACKET_RESERVED;
}

/* Sets the MTU asked for, or finds the one the port has. */
static enum assay_error settle_mtu(struct opening *o)
{
    uint16_t wanted = o->config->mtu, kernel = kernel_mtu(o->info.if_index), port = RTE_ETHER_MTU;
    bool scatters = (o->conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER) != 0, keep_larger;

    (void)rte_eth_dev_get_mtu(o->port, &port);
    o->mtu = wanted != 0 ? wanted : kernel != 0 && kernel < port ? kernel : port;
    /* See cuts_full_segments(). */
    keep_larger = o->mtu < port && strcmp(o->info.driver_name, TAP_DRIVER) == 0;
    if (o->mtu < RTE_ETHER_MIN_MTU || o->mtu > nic_device_mtu_max(o->config->device))
        return ASSAY_ERR_RANGE;
    if (o->mtu != port && !keep_larger && rte_eth_dev_set_mtu(o->port, o->mtu) != 0 && o->mtu > kernel)
        return ASSAY_ERR_RANGE;
    for (uint16_t i = 0; i < o->queues && !scatters; i++)
        if (rte_pktmbuf_data_room_size(o->config->pools[i]) < RTE_PKTMBUF_HEADROOM + RTE_ETHER_HDR_LEN + o->mtu)
            return ASSAY_ERR_MALFORMED;
    return ASSAY_OK;
}

/* Our key where the port takes one of a length we have, and the hash with each packet where it can give it. */
static void want_rss(struct opening *o)
{
    struct rte_eth_rss_conf *rss = &o->conf.rx_adv_conf.rss_conf;
    uint8_t length = o->info.hash_key_size;

    o->conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    o->conf.rxmode.offloads |= o->info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_RSS_HASH;
    rss->rss_hf = RSS_FLOWS & o->info.flow_type_rss_offloads;
    if (o->config->rss_key != NULL && length >= TOEPLITZ_KEY_BYTES && length <= TOEPLITZ_KEY_BYTES_MAX) {
        rss->rss_key = (uint8_t *)(uintptr_t)o->config->rss_key; /* read only */
        rss->rss_key_len = length;
    }
}

static enum assay_error configure(struct opening *o)
{
    struct rte_eth_conf *conf = &o->conf;

    if (rte_eth_dev_info_get(o->port, &o->info) != 0)
        return ASSAY_ERR_SYSTEM;
    if (o->queues > o->info.max_rx_queues || o->queues > o->info.max_tx_queues)
        return ASSAY_ERR_RANGE;
    conf->rxmode.offloads = o->info.rx_offload_capa & (RX_CHECKSUMS | RTE_ETH_RX_OFFLOAD_SCATTER);
    conf->txmode.offloads = o->info.tx_offload_capa & TX_OFFLOADS;
    if (o->config->vlan) {
        conf->rxmode.offloads |= o->info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
        conf->txmode.offloads |= o->info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
    }
    if (o->queues > 1 && o->info.flow_type_rss_offloads != 0)
        want_rss(o);
    if (rte_eth_dev_configure(o->port, o->queues, o->queues, conf) != 0)
        return ASSAY_ERR_SYSTEM;
    return settle_mtu(o);
}

static uint16_t ring_size(uint16_t wanted, uint16_t preferred)
{
    return wanted != 0 ? wanted : preferred != 0 ? preferred : RING_DEFAULT;
}

static enum assay_error set_up_queues(struct opening *o)
{
    uint16_t rx = ring_size(o->config->rx_ring, o->info.default_rxportconf.ring_size);
    uint16_t tx = ring_size(o->config->tx_ring, o->info.default_txportconf.ring_size);
    int node = rte_eth_dev_socket_id(o->port);
    unsigned socket = node < 0 ? (unsigned)SOCKET_ID_ANY : (unsigned)node;
    struct rte_eth_rxconf rxconf = o->info.default_rxconf;
    struct rte_eth_txconf txconf = o->info.default_txconf;

    if (rte_eth_dev_adjust_nb_rx_tx_desc(o->port, &rx, &tx) != 0)
        return ASSAY_ERR_SYSTEM;
    rxconf.offloads = o->conf.rxmode.offloads;
    txconf.offloads = o->conf.txmode.offloads;
    for (uint16_t i = 0; i < o->queues; i++)
        if (rte_eth_rx_queue_setup(o->port, i, rx, socket, &rxconf, o->config->pools[i]) != 0 ||
            rte_eth_tx_queue_setup(o->port, i, tx, socket, &txconf) != 0)
            return ASSAY_ERR_SYSTEM;
    return ASSAY_OK;
}

/* The MAC address first: an interface of the kernel may refuse it once it is up. */
static enum assay_error start(struct opening *o)
{
    struct rte_ether_addr mac;

    if (o->config->mac != NULL) {
        memcpy(mac.addr_bytes, o->config->mac, sizeof(mac.addr_bytes));
        if (rte_eth_dev_default_mac_addr_set(o->port, &mac) != 0)
            return ASSAY_ERR_SYSTEM;
    }
    if (rte_eth_dev_start(o->port) != 0)
        return ASSAY_ERR_SYSTEM;
    if (o->config->promiscuous && rte_eth_promiscuous_enable(o->port) != 0) {
        (void)rte_eth_dev_stop(o->port);
        return ASSAY_ERR_SYSTEM;
    }
    /* A port that has no such filter receives all groups anyway. */
    if (o->config->multicast)
        (void)rte_eth_allmulticast_enable(o->port);
    return ASSAY_OK;
}

/* Deals the entries out in turn. A port that refuses keeps its table: it is read, not assumed. */
static void set_rss_table(const struct opening *o)
{
    struct rte_eth_rss_reta_entry64 groups[RSS_GROUPS] = {0};
    uint16_t entries = o->info.reta_size;

    if (o->conf.rxmode.mq_mode != RTE_ETH_MQ_RX_RSS || entries == 0 || entries > RSS_TABLE_MAX)
        return;
    for (uint16_t i = 0; i < entries; i++) {
        groups[i / RTE_ETH_RETA_GROUP_SIZE].mask |= 1ULL << i % RTE_ETH_RETA_GROUP_SIZE;
        groups[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] = i % o->queues;
    }
    (void)rte_eth_dev_rss_reta_update(o->port, groups, entries);
}

/* Does the port hash as we asked it to, as far as it says? */
static bool has_rss(const struct opening *o)
{
    const struct rte_eth_rss_conf *wanted = &o->conf.rx_adv_conf.rss_conf;
    uint8_t key[TOEPLITZ_KEY_BYTES_MAX];
    struct rte_eth_rss_conf has = {.rss_key = key, .rss_key_len = sizeof(key)};

    return wanted->rss_key != NULL && wanted->rss_hf == RSS_FLOWS &&
           (o->conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_RSS_HASH) != 0 &&
           rte_eth_dev_rss_hash_conf_get(o->port, &has) == 0 && (has.rss_hf & RSS_FLOWS) == RSS_FLOWS &&
           memcmp(key, wanted->rss_key, TOEPLITZ_KEY_BYTES) == 0;
}

/* net_tap counts the Ethernet header of a segment against its MTU, and refuses what does not fit for ever: it can cut only where
 * our MTU is smaller than its own. */
static bool cuts_full_segments(const struct opening *o)
{
    uint16_t mtu = 0;

    return strcmp(o->info.driver_name, TAP_DRIVER) != 0 ||
           (rte_eth_dev_get_mtu(o->port, &mtu) == 0 && o->mtu + RTE_ETHER_HDR_LEN <= mtu);
}

static void fill_queue(const struct opening *o, struct nic *nic, uint16_t queue)
{
    uint64_t tx = o->conf.txmode.offloads;
    uint16_t segments = o->info.tx_desc_lim.nb_mtu_seg_max;
    struct rte_ether_addr mac = {0};

    *nic = (struct nic){.port = o->port, .queue = queue, .mtu = o->mtu, .attached = o->attached};
    nic->pool = o->config->pools[queue];
    nic->tx_ip4_checksum = (tx & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0;
    nic->tx_tcp_checksum = (tx & RTE_ETH_TX_OFFLOAD_TCP_CKSUM) != 0;
    nic->tx_vlan = (tx & RTE_ETH_TX_OFFLOAD_VLAN_INSERT) != 0;
    nic->rx_checksum = (o->conf.rxmode.offloads & RX_CHECKSUMS) != 0;
    nic->rss = has_rss(o);
    if ((tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) == 0)
        segments = 1;
    else if (segments == 0 || segments > SEGMENTS_NO_CAP)
        segments = SEGMENTS_NO_CAP;
    nic->tx_segments_max = segments;
    segments = o->info.tx_desc_lim.nb_seg_max;
    /* Cutting needs the checksums and chains too. */
    if ((tx & TX_SEGMENTATION) == TX_SEGMENTATION && cuts_full_segments(o))
        nic->tx_tso_segments_max = segments == 0 || segments > SEGMENTS_NO_CAP ? SEGMENTS_NO_CAP : segments;
    (void)rte_eth_macaddr_get(o->port, &mac);
    memcpy(nic->mac, mac.addr_bytes, sizeof(nic->mac));
}

static void give_up_port(uint16_t port, bool close_it, bool attached)
{
    struct rte_eth_dev_info info = {0};
    bool known = rte_eth_dev_info_get(port, &info) == 0;

    if (close_it)
        (void)rte_eth_dev_close(port);
    if (attached && known)
        (void)rte_dev_remove(info.device);
}

enum assay_error nic_open(const struct nic_config *config, struct nic *queues, uint16_t n)
{
    struct opening o = {.config = config, .queues = n};
    enum assay_error error;

    if (n == 0 || n > NIC_QUEUES_MAX)
        return ASSAY_ERR_RANGE;
    error = find_port(&o);
    if (error != ASSAY_OK)
        return error;
    error = configure(&o);
    if (error == ASSAY_OK)
        error = set_up_queues(&o);
    if (error == ASSAY_OK)
        error = start(&o);
    if (error == ASSAY_OK)
        set_rss_table(&o);
    if (error != ASSAY_OK) {
        /* A port that was there before us is left as it was: closing would take it from the next try. */
        give_up_port(o.port, o.attached, o.attached);
        return error;
    }
    for (uint16_t i = 0; i < n; i++)
        fill_queue(&o, &queues[i], i);
    return ASSAY_OK;
}

void nic_close(struct nic *queues, uint16_t n)
{
    for (uint16_t i = 0; i < n; i++) {
        rte_pktmbuf_free_bulk(queues[i].pending, queues[i].pending_count);
        queues[i].pending_count = 0;
    }
    (void)rte_eth_dev_stop(queues[0].port);
    give_up_port(queues[0].port, true, queues[0].attached);
}

void nic_set_capture(struct nic *nic, struct capture *capture)
{
    nic->capture = capture;
    nic->captured_count = 0;
}

uint32_t nic_rss_table(const struct nic *nic, uint16_t *queues, uint32_t max)
{
    struct rte_eth_rss_reta_entry64 groups[RSS_GROUPS] = {0};
    struct rte_eth_dev_info info;

    if (rte_eth_dev_info_get(nic->port, &info) != 0 || info.reta_size == 0 || info.reta_size > RSS_TABLE_MAX ||
        info.reta_size > max)
        return 0;
    for (uint16_t i = 0; i < info.reta_size; i++)
        groups[i / RTE_ETH_RETA_GROUP_SIZE].mask |= 1ULL << i % RTE_ETH_RETA_GROUP_SIZE;
    if (rte_eth_dev_rss_reta_query(nic->port, groups, info.reta_size) != 0)
        return 0;
    for (uint16_t i = 0; i < info.reta_size; i++)
        queues[i] = groups[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
    return info.reta_size;
}

uint16_t nic_rx(struct nic *nic, struct rte_mbuf **packets, uint16_t max)
{
    uint16_t n = rte_eth_rx_burst(nic->port, nic->queue, packets, max);

    for (uint16_t i = 0; i < n; i++)
        nic->counters.rx_bytes += packets[i]->pkt_len;
    nic->counters.rx_packets += n;
    if (unlikely(nic->capture != NULL))
        capture_burst(nic->capture, CAPTURE_IN, packets, n);
    return n;
}

void nic_send(struct nic *nic, struct rte_mbuf *packet)
{
    bool cut = (packet->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;

    if (packet->nb_segs > (cut ? nic->tx_tso_segments_max : nic->tx_segments_max)) {
        struct rte_mbuf *flat = mbuf_flatten(packet, nic->pool);

        if (flat == NULL) {
            nic->counters.tx_flatten_failed++;
            rte_pktmbuf_free(packet);
            return;
        }
        nic->counters.tx_flattened++;
        packet = flat;
    }
    if (nic->pending_count == NIC_PENDING_MAX && nic_flush(nic) == NIC_PENDING_MAX) {
        nic->counters.tx_dropped++;
        rte_pktmbuf_free(packet);
        return;
    }
    nic->pending[nic->pending_count++] = packet;
}

static uint64_t pending_bytes(const struct nic *nic, uint32_t from)
{
    uint64_t bytes = 0;

    for (uint32_t i = from; i < nic->pending_count; i++)
        bytes += nic->pending[i]->pkt_len;
    return bytes;
}

uint32_t nic_flush(struct nic *nic)
{
    uint32_t count = nic->pending_count, sent = 0;
    uint64_t bytes;

    if (count == 0)
        return 0;
    /* before the port has them: afterwards they may be gone */
    if (unlikely(nic->capture != NULL))
        capture_burst(nic->capture, CAPTURE_OUT, nic->pending + nic->captured_count, count - nic->captured_count);
    bytes = pending_bytes(nic, 0);
    for (int tries = 0; tries < TX_TRIES && sent < count; tries++)
        sent += rte_eth_tx_burst(nic->port, nic->queue, nic->pending + sent, (uint16_t)(count - sent));
    nic->counters.tx_packets += sent;
    nic->counters.tx_bytes += bytes - pending_bytes(nic, sent);
    nic->pending_count = nic->captured_count = count - sent;
    if (sent == count) {
        nic->refusals = 0;
        return 0;
    }
    nic->counters.tx_busy++;
    nic->refusals = sent == 0 ? nic->refusals + 1 : 0;
    if (nic->refusals == REFUSALS_MAX) {
        nic->refusals = 0;
        nic->counters.tx_refused++;
        rte_pktmbuf_free(nic->pending[0]);
        nic->pending_count--;
        nic->captured_count--;
        sent++;
    }
    for (uint32_t i = 0; i < nic->pending_count; i++)
        nic->pending[i] = nic->pending[sent + i];
    return nic->pending_count;
}

uint32_t nic_tso_bytes(const struct nic *nic, uint32_t buffer_bytes)
{
    uint32_t bytes;

    /* The first and last buffer may be used in part: two of them count for nothing, the header takes one more. */
    if (nic->tx_tso_segments_max < 4)
        return 0;
    bytes = (nic->tx_tso_segments_max - 3u) * buffer_bytes;
    return bytes < TSO_BYTES_MAX ? bytes : TSO_BYTES_MAX;
}

bool nic_link(const struct nic *nic, uint32_t *speed_mbps)
{
    struct rte_eth_link link = {0};
    struct rte_eth_dev_info info;
    struct ifreq answer;
    bool up = rte_eth_link_get_nowait(nic->port, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;

    /* net_af_packet and net_af_xdp call their link up from start to stop, whatever becomes of the interface. */
    if (up && rte_eth_dev_info_get(nic->port, &info) == 0 && info.if_index != 0)
        up = ask_kernel(info.if_index, SIOCGIFFLAGS, &answer) && (answer.ifr_flags & IFF_RUNNING) != 0;
    *speed_mbps = up && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN ? link.link_speed : 0;
    return up;
}

enum assay_error nic_get_stats(const struct nic *nic, struct nic_stats *out)
{
    struct rte_eth_stats stats;

    if (rte_eth_stats_get(nic->port, &stats) != 0)
        return ASSAY_ERR_SYSTEM;
    *out = (struct nic_stats){
        .rx_packets = stats.ipackets,
        .rx_bytes = stats.ibytes,
        .rx_missed = stats.imissed,
        .rx_errors = stats.ierrors,
        .rx_no_mbuf = stats.rx_nombuf,
        .tx_packets = stats.opackets,
        .tx_bytes = stats.obytes,
        .tx_errors = stats.oerrors,
    };
    return ASSAY_OK;
}

const char *nic_driver(const struct nic *nic)
{
    struct rte_eth_dev_info info;

    return rte_eth_dev_info_get(nic->port, &info) == 0 && info.driver_name != NULL ? info.driver_name : "";
}
