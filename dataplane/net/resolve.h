/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_RESOLVE_H
#define ASSAY_NET_RESOLVE_H
/* What resolve.c (the neighbours' states and the frames that wait), resolve_arp.c and resolve_ndp.c (the two protocols that
 * ask) share. Thread: one core. */
#include "net/icmp6.h"
#include "net/net_private.h"

/* --- resolve.c */

/* A neighbour says what its MAC address is. solicited: it answers a question of ours. Sends what waited for it. */
void resolve_learn(struct net *net, struct neighbour *n, const uint8_t *mac, bool solicited, uint64_t now_us);

/* --- resolve_arp.c */

/* Asks for a neighbour; dst_mac: whom, NULL: everybody. */
void arp_ask(struct net *net, const struct neighbour *n, const uint8_t *dst_mac);
/* Gratuitous ARP for every address (RFC 5227 §2.3). */
void arp_announce(struct net *net);

/* --- resolve_ndp.c */

void ndp_ask(struct net *net, const struct neighbour *n, const uint8_t *dst_mac);
/* Begins duplicate address detection of what is not in use yet; advertises what is. */
void ndp_announce(struct net *net, uint64_t now_us);
/* Advertises every address in use to all nodes (RFC 4861 §7.2.6). */
void ndp_advertise(struct net *net);
/* Ends duplicate address detection. */
void ndp_timers(struct net *net, uint64_t now_us);

/* --- resolve_mld.c */

/* Says which groups we have joined (RFC 3810 §6.1). */
void mld_announce(struct net *net);
/* Answers a query, when its time has come. */
void mld_timers(struct net *net, uint64_t now_us);

#endif
