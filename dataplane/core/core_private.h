/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CORE_CORE_PRIVATE_H
#define ASSAY_CORE_CORE_PRIVATE_H
/* What core.c (life, control's side) and core_loop.c (the turn) share. */
#include <stdatomic.h>

#include "core/core.h"
#include "core/turn_time.h"
#include "net/dispatch.h"
#include "net/net.h"
#include "net/nic.h"
#include "net/packet.h"
#include "proxy/proxy.h"
#include "tcp/tcp.h"

#define CORE_BURST   64                                       /* packets taken from a port in one turn */
#define CORE_MESH    256                                      /* packets taken from other cores in one turn */
#define CORE_PACKETS (CORE_BURST * NET_PORTS_MAX + CORE_MESH) /* from all ports and cores */
#define CORE_EVENTS  (CORE_PACKETS + 256)                     /* one a segment at the most, and the timers' */

struct rte_ring;
struct thread_slot;

struct core {
    struct core_config config;
    struct net *net;
    struct tcp *tcp;
    struct proxy *proxy;
    struct thread_slot *slot;
    struct rte_ring *commands;    /* struct core_command pointers: control produces, the core consumes */
    struct core_command *command; /* one that takes several turns */
    struct byte_ring *logs[2];
    struct byte_ring *chains; /* to control's registry */
    struct nic *nics[NET_PORTS_MAX];
    uint32_t nic_count;
    const struct nic *exception; /* of the first port: for the statistics */
    struct dispatch dispatch;    /* used where config.mesh is there */
    uint32_t idle;               /* empty turns in a row */
    struct turn_time time;
    bool stop;
    _Atomic uint64_t generation;
    _Atomic bool drained;
    struct rte_mbuf *packets[CORE_MESH];
    struct net_segment segments[CORE_PACKETS];
    struct net_icmp_error errors[CORE_PACKETS];
    struct tcp_event events[CORE_EVENTS];
    struct net_tx tx;
};

/* One turn: the whole data plane (DESIGN, "The one picture"). True when there was work. */
bool core_turn(struct core *core);

#endif
