/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_NET_PRIVATE_H
#define ASSAY_NET_NET_PRIVATE_H
/* What the files of net/ share and nobody else sees. IPv4 addresses stand in network order here, IPv6 beside them as struct
 * assay_address; a neighbour of either family is named by the latter. */
#include <stdbool.h>
#include <stdint.h>

#include "net/exception.h"
#include "net/fragments.h"
#include "net/icmp.h"
#include "net/neighbour.h"
#include "net/net.h"
#include "net/nic.h"
#include "net/routes.h"
#include "net/routes6.h"

struct port_address {
    uint32_t ip_be;
    uint32_t mask_be;
    uint8_t bits;
};

/* RFC 4862 §5.4: an address is used only after nobody objected to it. */
enum address6_state { ADDRESS6_NEW, ADDRESS6_TENTATIVE, ADDRESS6_PREFERRED, ADDRESS6_DUPLICATE };

struct port_address6 {
    struct assay_address address;
    uint8_t bits;
    uint8_t state; /* enum address6_state */
};

struct net_port {
    struct nic *nic;
    uint16_t vlan; /* 0: untagged */
    struct exception exception;
    uint32_t whole_count;
    struct rte_mbuf *whole[NET_WHOLE_MAX]; /* put together, not yet taken */
    uint32_t addresses_count;
    uint32_t addresses6_count;          /* 0: IPv6 is off; else the first one is link-local */
    uint64_t defended_us, defended6_us; /* when we last defended an address of ours (RFC 5227 §2.4) */
    struct port_address addresses[NET_ADDRESSES_MAX];
    struct port_address6 addresses6[NET_ADDRESSES_MAX + 1];
    struct routes routes;
    struct routes6 routes6;
};

struct net {
    struct net_counters counters;
    struct rte_mempool *pool;
    uint32_t ports_count;
    bool listens_only;
    uint64_t id_state;    /* generator of IPv4 identifications */
    uint64_t flow_key;    /* of flow labels */
    uint64_t announce_us; /* when to announce again; UINT64_MAX: not */
    uint64_t mld_us;      /* when a query is answered; UINT64_MAX: none waits */
    uint64_t dad_us;      /* when duplicate address detection ends; UINT64_MAX: none is running */
    struct icmp_limit echo_limit;
    struct icmp_limit error_limit;
    bool reassemble;
    struct neighbours neighbours;
    struct fragments fragments;
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

/* --- port6.c */

/* An address of the port in whatever state, or NULL. */
struct port_address6 *port6_find_address(struct net_port *port, const struct assay_address *address);
/* The same, but only one that is in use. */
const struct port_address6 *port6_find_used(const struct net_port *port, const struct assay_address *address);
/* The other addresses in use of own's subnet; how many. */
uint32_t port6_siblings(const struct net_port *port, const struct port_address6 *own, struct assay_address *out,
                        uint32_t max);
/* Is it on a subnet of the port (link-local ones included)? */
bool port6_is_on_link(const struct net_port *port, const struct assay_address *address);
/* Are we a member of that group: all nodes, or the solicited-node group of an address of ours? */
bool port6_in_group(const struct net_port *port, const struct assay_address *group);
/* Our address in use toward destination by next_hop: on the next hop's subnet, else that which has most in common with the
 * destination (RFC 6724 §5 rule 8). NULL: none. */
const struct assay_address *port6_source_for(const struct net_port *port, const struct assay_address *next_hop,
                                             const struct assay_address *destination);
/* As add_address() and add_route() of net.c do for IPv4; the errors are those of net_create(). */
enum assay_error port6_add_address(struct net *net, struct net_port *port, const struct net_address *config)
    ASSAY_MUST_USE;
enum assay_error port6_add_route(struct net_port *port, const struct net_route *config) ASSAY_MUST_USE;
/* net_source() for IPv6. */
enum assay_error port6_source(const struct net *net, const struct assay_address *destination,
                              struct assay_address *source) ASSAY_MUST_USE;

/* --- link.c */

/* Sends a whole frame as it is, with the port's VLAN tag where it has one; takes it over. */
void link_send(struct net *net, uint32_t port, struct rte_mbuf *frame);

/* --- resolve.c */

/* frame: complete but for the destination MAC address. Sends it now, or when the next hop has answered; takes it over. */
void resolve_send(struct net *net, uint32_t port, const struct assay_address *next_hop, struct rte_mbuf *frame,
                  uint64_t now_us);

/* --- resolve_arp.c */

/* m: an ARP packet, contiguous, without its Ethernet header. Takes it over. */
void arp_input(struct net *net, uint32_t port, struct rte_mbuf *m, bool to_us_alone, uint64_t now_us);

/* --- resolve_ndp.c */

struct ndp_message;
/* A message that ndp_read() has accepted. */
void ndp_input(struct net *net, uint32_t port, const struct ndp_message *message, const struct assay_address *src,
               uint64_t now_us);

/* --- resolve_mld.c */

struct mld_query;
/* A query that may be answered. */
void mld_input(struct net *net, const struct mld_query *query, uint64_t now_us);

/* --- output.c */

/* packet: what follows the IP header, in which ecn is (enum net_ecn). Routes by the port's own routes, writes the headers, resolves;
 * takes it over. What is longer than the MTU leaves in fragments; nothing of ours is, but the answer to an echo request that came
 * in fragments. */
void ip4_output(struct net *net, uint32_t port, struct rte_mbuf *packet, uint32_t src_be, uint32_t dst_be,
                uint8_t protocol, uint8_t ecn, uint64_t now_us);
void ip6_output(struct net *net, uint32_t port, struct rte_mbuf *packet, const struct assay_address *src,
                const struct assay_address *dst, uint8_t protocol, uint8_t ecn, uint32_t flow_label, uint64_t now_us);

/* Prepends the Ethernet header and sends by the next hop. */
void ether_output(struct net *net, uint32_t port, struct rte_mbuf *packet, uint16_t type,
                  const struct assay_address *next_hop, uint64_t now_us);
/* An identification that tells nothing of how much we send. */
uint32_t output_next_id(struct net *net);

/* --- output_fragments.c */

/* packet: what follows the IP header and does not fit the MTU with it. Takes it over. */
void ip4_output_fragments(struct net *net, uint32_t port, struct rte_mbuf *packet, uint32_t src_be, uint32_t dst_be,
                          uint8_t protocol, const struct assay_address *next_hop, uint64_t now_us);
void ip6_output_fragments(struct net *net, uint32_t port, struct rte_mbuf *packet, const struct assay_address *src,
                          const struct assay_address *dst, uint8_t protocol, const struct assay_address *next_hop,
                          uint64_t now_us);

#endif
