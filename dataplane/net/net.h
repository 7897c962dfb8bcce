/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_NET_H
#define ASSAY_NET_NET_H
/* The host below TCP, one instance a core: Ethernet and VLAN tags, ARP and neighbour discovery, IPv4 and IPv6, ICMP, routes,
 * over one or more ports. Checked TCP
 * segments and ICMP errors go up as arrays (net/packet.h); TCP segments come down in a struct net_tx; ARP and ICMP are
 * answered in here. Input from the network never fails: it is dropped or answered, and counted.
 *
 * Several ports follow the strong host model (RFC 1122 §3.3.4.2): a packet is ours only where it came in on the port
 * that has its destination address, and leaves by the port that has its source address, by the routes of that port. So
 * an outside and an inside port may each have their own default gateway.
 *
 * A turn of a core:
 *     for each port p: n = nic_rx(p->nic, packets, …);
 *                      s += net_input(net, p, packets, n, now_us, segments + s, errors, &e);
 *     … tcp_input(), net_timers(), tcp_output(&tx) …
 *     net_exception(net);
 *     net_output(net, &tx, now_us);        // flushes the ports as well
 *
 * Owner: the instance owns its memory, the packets that wait for ARP and those it has been given.
 * Thread: one core calls everything of one instance; control may read the counters.
 * Units: microseconds of the caller's monotonic clock (not 0), bytes.
 * A port without an IPv6 address does not speak IPv6; with one it also gets a link-local address of its MAC address. An IPv6
 * address is used a second after net_announce(), when nobody has objected to it (counter ndp_duplicates where somebody has:
 * then it is not used until the next announcement).
 * Source: RFC 791, 792, 826, 894, 1122 §2-3, 1812 §4.3, 5227, 5927, 6864; 8200, 4291, 4443, 4861, 4862, 6724; 802.1Q. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/address.h"
#include "assay/error.h"
#include "net/packet.h"

struct net;
struct nic;
struct rte_mbuf;
struct rte_mempool;

#define NET_PORTS_MAX     8
#define NET_ADDRESSES_MAX 64 /* a port */
#define NET_ROUTES_MAX    256
#define NET_WHOLE_MAX     32 /* datagrams put together between two calls of net_take_whole(); more are dropped */

/* An address of ours and the subnet it is on. */
struct net_address {
    struct assay_address address;
    uint8_t prefix_length; /* bits, in the space of struct assay_prefix: 198.18.0.10/15 has 96 + 15 */
};

/* To prefix by gateway, of the same family and on a subnet of that port. A default route is 0.0.0.0/0, which is
 * ::ffff:0.0.0.0 with length 96, or ::/0. An IPv6 gateway may be link-local. */
struct net_route {
    struct assay_prefix prefix;
    struct assay_address gateway;
    uint32_t port; /* index into net_config.ports */
};

struct net_port_config {
    struct nic *nic;                     /* outlives the instance */
    const struct net_address *addresses; /* of both families */
    uint32_t addresses_count;
    uint16_t
        vlan; /* frames leave with that tag, and only frames with it are ours; 0: untagged (or priority-tagged) ones */
    struct nic
        *exception; /* where frames go that are not ours (exception.h), and what comes there goes out; NULL: they are
                              * dropped. Outlives the instance */
    uint32_t exception_rate; /* frames a second toward it */
};

struct net_config {
    const struct net_port_config *ports;
    uint32_t ports_count;
    const struct net_route *routes;
    uint32_t routes_count;
    struct rte_mempool *pool; /* for packets of our own: ARP, ICMP errors */
    uint32_t neighbours_max;  /* table of both families, all ports; the least recently used goes first */
    uint32_t arp_pending_max; /* packets waiting for a neighbour, all of them together */
    uint32_t echo_rate;       /* ICMP echo replies a second */
    bool reassemble;          /* fragments are put together, within bounds; else they are dropped */
    uint32_t icmp_error_rate; /* ICMP errors sent a second (RFC 1812 §4.3.2.8) */
    bool listens_only; /* another core of the same host, which hears the same, answers who we are, announces and defends
                        * our addresses; this one learns and asks for itself */
};

/* Sensible values for the numbers; ports, routes and pool are the caller's. */
void net_config_default(struct net_config *config);

/* Copies the configuration. RANGE: a count or number out of range. MALFORMED: an address, prefix or gateway that cannot
 * be (multicast, link-local, the subnet's own or broadcast address, a gateway on no subnet of its port). DUPLICATE: an
 * address or route twice. NO_MEMORY. */
enum assay_error net_create(const struct net_config *config, struct net **out) ASSAY_MUST_USE;
/* Frees the packets that wait for a neighbour. */
void net_destroy(struct net *net);

/* Announces our addresses by gratuitous ARP (RFC 5227 §2.3) and unsolicited neighbour advertisement (RFC 4861 §7.2.6), now and
 * again two seconds later; IPv6 addresses that are not in use yet go through duplicate address detection first. Call it when the ports
 * are up, and after a link came back. */
void net_announce(struct net *net, uint64_t now_us);

/* Takes over packets[0..n), received on port. Appends at most n segments to segments (returns how many) and at most n
 * ICMP errors to errors (*errors_count says how many there are already, and is raised). Answers are queued on the nic.
 */
uint32_t net_input(struct net *net, uint32_t port, struct rte_mbuf **packets, uint32_t n, uint64_t now_us,
                   struct net_segment *segments, struct net_icmp_error *errors, uint32_t *errors_count);

/* Once a turn, before net_output(): hands over what gathered for the exception ports, and takes what came from them. Returns how
 * many frames that were, both ways. */
uint32_t net_exception(struct net *net);

/* Datagrams put together from fragments that came in on port, since the last call, as whole frames. To the caller they are frames
 * that have just come in: it passes them to net_input(), of the core that they are for. Returns how many. */
uint32_t net_take_whole(struct net *net, uint32_t port, struct rte_mbuf *packets[NET_WHOLE_MAX]);

/* Sends every datagram of tx, empties it, and flushes all ports (call it every turn, also with an empty tx). The first
 * mbuf of each datagram must be direct, unshared, with 128 bytes of headroom and the whole TCP header in it; those
 * chained to it may be indirect and are never written. */
void net_output(struct net *net, struct net_tx *tx, uint64_t now_us);

/* ARP retries and ageing, announcements. When a neighbour cannot be found, the TCP segments that waited for it are
 * dropped, and reported as "host unreachable" (type 3, code 1) errors of our own: at most errors_max; returns how many.
 */
uint32_t net_timers(struct net *net, uint64_t now_us, struct net_icmp_error *errors, uint32_t errors_max);
/* Earliest moment at which net_timers() may have work; UINT64_MAX when none. */
uint64_t net_next_timer_us(const struct net *net);

/* Which of our addresses to use as source toward destination: that of the port with the longest matching route, on the
 * subnet of the next hop. UNRESOLVED: no route. */
enum assay_error net_source(const struct net *net, const struct assay_address *destination,
                            struct assay_address *source) ASSAY_MUST_USE;
/* All of them: net_source()'s first, then the others in use of the same port and subnet; at most max. How many; 0: no route. */
uint32_t net_sources(const struct net *net, const struct assay_address *destination, struct assay_address *sources,
                     uint32_t max);
/* IPv6 addresses of ours that are not used because another host has them: bit i is the i-th IPv6 address of net_config.ports, in
 * their order; the 64th and later are not told. Thread: any. */
uint64_t net_duplicates(const struct net *net);
bool net_is_local(const struct net *net, const struct assay_address *address);

struct net_counters {
#define NET_COUNTER(name, help) uint64_t name;
#include "net/counters.def"
#undef NET_COUNTER
};

const struct net_counters *net_get_counters(const struct net *net);

/* A row of the neighbour table, for the operator. */
struct net_neighbour_info {
    struct assay_address address;
    uint32_t port;
    uint8_t mac[6];
    const char *state; /* "incomplete", "reachable", "stale", "probe", "failed" */
    uint32_t pending;  /* packets that wait for it */
    uint64_t confirmed_us;
};
/* Up to max rows; returns how many. Thread: the core (a command from control). */
uint32_t net_list_neighbours(const struct net *net, struct net_neighbour_info *out, uint32_t max);

#endif
