/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_INPUT_H
#define ASSAY_NET_INPUT_H
/* The way up of a received frame, a file for each protocol: input.c is Ethernet, input_ip4.c and input_ip6.c IP and its
 * ICMP, input_tcp.c what a TCP segment must be before it goes up. Not for others: they have net.h.
 * Owner: each function takes the packet over. Thread: one core. */
#include <stdbool.h>
#include <stdint.h>

#include "net/net_private.h"

#define INPUT_TCP_BYTES     20
#define INPUT_TCP_BYTES_MAX 60

/* One burst on its way up. */
struct burst {
    struct net *net;
    uint32_t port;
    uint64_t now_us;
    uint16_t frame_off; /* data_off of the packet in work when it still had its Ethernet header */
    struct net_segment *segments;
    uint32_t segments_count;
    struct net_icmp_error *errors;
    uint32_t errors_count;
};

/* For us, but wrong, or nothing to do with it: counted and gone. */
void input_drop(struct rte_mbuf *m, uint64_t *counter);
/* Not for us: another MAC or IP address, a protocol or VLAN we are not in. The one place where that is decided; what is to
 * become of such frames is done here. m may have lost headers at its front: they are still there, from frame_off on. */
void input_not_ours(struct burst *b, struct rte_mbuf *m, uint64_t *counter);

/* For a request that is turned into its reply: copied when it is shared, and without what the port said of it. False: there was
 * no room for a copy; the packet is gone and counted. */
bool input_make_writable(struct net *net, struct rte_mbuf **m);

/* A fragment that came in, data at its IP header: added to those that wait. The whole datagram, writable, when it is complete, or
 * NULL. */
struct rte_mbuf *input_add_fragment(struct burst *b, struct rte_mbuf *m, const struct fragment *fragment, bool *marked);
/* Gives up the datagrams of which fragments have not come in time, and tells their sources. */
void input_expire_fragments(struct net *net, uint64_t now_us);
/* m: the first fragment of one, data at its IP header. */
void ip4_fragments_expired(struct burst *b, struct rte_mbuf *m);
void ip6_fragments_expired(struct burst *b, struct rte_mbuf *m);
/* A datagram that was put together, data at its IP header: becomes a frame that net_take_whole() gives out. */
void input_again(struct burst *b, struct rte_mbuf *m, uint16_t type);

/* m: a whole frame. */
void ether_input(struct burst *b, struct rte_mbuf *m);

/* The kernel gets a copy of the frame, where there is an exception port: it may concern both. m may have lost headers as above. */
void input_share(struct burst *b, struct rte_mbuf *m);

/* m: data at the IP header, all headers contiguous. to_us_alone: not sent to several at link level. */
void ip4_input(struct burst *b, struct rte_mbuf *m, bool to_us_alone);
void ip6_input(struct burst *b, struct rte_mbuf *m, bool to_us_alone);

/* m: data at the TCP header, length trimmed; pseudo: sum of its pseudo header. */
void tcp_segment_input(struct burst *b, struct rte_mbuf *m, const struct assay_address *src,
                       const struct assay_address *dst, uint16_t pseudo, uint8_t ecn);

#endif
