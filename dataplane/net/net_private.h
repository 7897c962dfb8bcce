/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_NET_PRIVATE_H
#define ASSAY_NET_NET_PRIVATE_H
/* What the files of net/ share and nobody else sees. Addresses are IPv4 in network order here; IPv6 will stand beside them. */
#include <stdbool.h>
#include <stdint.h>

#include "net/icmp.h"
#include "net/neighbour.h"
#include "net/net.h"
#include "net/nic.h"
#include "net/routes.h"

struct port_address {
    uint32_t ip_be;
    uint32_t mask_be;
    uint8_t bits;
};

struct net_port {
    struct nic *nic;
    uint32_t addresses_count;
    uint64_t defended_us; /* when we last defended an address of ours (RFC 5227 §2.4) */
    struct port_address addresses[NET_ADDRESSES_MAX];
    struct routes routes;
};

struct net {
    struct net_counters counters;
    struct rte_mempool *pool;
    uint32_t ports_count;
    uint64_t id_state;    /* generator of IPv4 identifications */
    uint64_t announce_us; /* when to announce again; UINT64_MAX: not */
    struct icmp_limit echo_limit;
    struct icmp_limit error_limit;
    struct neighbours neighbours;
    struct net_port ports[NET_PORTS_MAX];
};

/* --- net.c */

/* The port's address ip_be, or NULL. */
const struct port_address *port_find_address(const struct net_port *port, uint32_t ip_be);
/* Is it a subnet's broadcast address (or the all-zeros form), or 255.255.255.255? */
bool port_is_broadcast(const struct net_port *port, uint32_t ip_be);
/* Is it on a subnet of the port, and a host's? */
bool port_is_on_link(const struct net_port *port, uint32_t ip_be);
/* Our address toward a next hop: the one on its subnet. */
uint32_t port_source_for(const struct net_port *port, uint32_t next_hop_be);

/* --- resolve.c */

/* frame: complete but for the destination MAC address. Sends it now, or when the next hop has answered; takes it over. */
void resolve_send(struct net *net, uint32_t port, uint32_t next_hop_be, struct rte_mbuf *frame, uint64_t now_us);
/* An ARP frame with a contiguous head. Takes it over. */
void resolve_input(struct net *net, uint32_t port, struct rte_mbuf *frame, uint64_t now_us);

/* --- output.c */

/* packet: what follows the IP header. Routes by the port's own routes, writes the headers, resolves; takes it over. */
void ip4_output(struct net *net, uint32_t port, struct rte_mbuf *packet, uint32_t src_be, uint32_t dst_be,
                uint8_t protocol, uint64_t now_us);

#endif
