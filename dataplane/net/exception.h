/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_EXCEPTION_H
#define ASSAY_NET_EXCEPTION_H
/* The exception port: frames that are not ours go to the host's kernel as they came, over a virtual device of its own (a TAP),
 * and what the kernel sends there goes out by the port. So the host keeps ssh, BGP and ping on a NIC that is ours.
 * What is not ours is decided in one place, input_not_ours(); ARP (and neighbour discovery) that may concern both goes to both.
 * Both ways are bounded, a turn and a second, so that a flood toward the kernel cannot starve the proxy; what is beyond is
 * dropped and counted.
 * Owner: frames given are taken over, frames copied stay the caller's. Thread: the core of the instance.
 * Source: the weak spot of sharing one MAC address is ARP alone, RFC 826. */
#include <stdint.h>

#include "net/icmp.h"

struct net;
struct nic;
struct rte_mbuf;

#define EXCEPTION_PER_TURN 32 /* frames each way: each costs a system call on a TAP */

struct exception {
    struct nic *nic; /* this core's queue pair of the kernel's device; NULL: there is none */
    uint32_t left;   /* frames that may still go to the kernel this turn */
    struct icmp_limit limit;
};

/* rate: frames a second toward the kernel. */
void exception_init(struct exception *exception, struct nic *nic, uint32_t rate);

/* frame: as it was received, from the port. To the kernel, or counted why not. */
void exception_give(struct net *net, uint32_t port, struct rte_mbuf *frame, uint64_t now_us);
/* The same with a copy: it is ours as well. Does nothing where there is no exception port. */
void exception_copy(struct net *net, uint32_t port, struct rte_mbuf *frame, uint64_t now_us);

#endif
