/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_DATAPLANE_H
#define ASSAY_DAEMON_DATAPLANE_H
/* Brings the data plane up and down: EAL, packet pools, the port, the cores. Which snapshot they work with, and what they are
 * told while they run, is control's and the fleet's business.
 * Owner: the struct owns everything in it. Thread: control. Errors: false, with problems. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/snapshot.h"
#include "base/flow_map.h"
#include "daemon/config.h"
#include "daemon/eal.h"
#include "daemon/fleet.h"
#include "daemon/problems.h"
#include "net/net.h"
#include "net/nic.h"
#include "tcp/tcp.h"

/* A core on its way to its lcore. */
struct dataplane_launch {
    struct core *core;
    const struct config *config;
};

struct dataplane {
    struct core_shared shared;
    struct fleet fleet;
    struct eal_args args;
    struct eal_pools pools;
    struct flow_map flows;  /* which core a connection belongs to */
    struct mesh *mesh;      /* NULL for a core alone */
    struct nic *nics;       /* one queue pair a core */
    uint32_t port_devices;  /* that are open, see daemon/port.h */
    uint32_t port_queues;   /* of each */
    struct nic *exceptions; /* of the exception port, a queue pair a core; NULL: there is none */
    bool eal_up, exception_open;
    uint32_t launched; /* cores that are in their loops */
    struct dataplane_launch launches[ASSAY_CORES_MAX];
};

/* The parts of a core's configuration that follow from the file alone. */
void dataplane_tcp_config(const struct config *config, struct tcp_config *out);
/* The part of core index in the network: what is a rate of the host is shared out, and the first core speaks for all. */
void dataplane_net_share(struct net_config *config, uint32_t index, uint32_t cores);
/* A map with a random key that gives each core a fair share of the source ports. */
bool dataplane_flow_map(const struct config *config, struct flow_map *out, struct problems *problems);
/* Does the device take packets of the MTU whole? False, and a problem says so, for one that would cut them without a word. */
bool dataplane_mtu_fits(const struct config *config, struct problems *problems);
/* addresses and routes: arrays of at least NET_ADDRESSES_MAX and NET_ROUTES_MAX; the port's nic and the pool are not set. */
void dataplane_net_config(const struct config *config, struct net_port_config *port, struct net_address *addresses,
                          struct net_route *routes, struct net_config *out);

/* The arguments of the device that port.exception names: an interface's name alone stands for a TAP. */
void dataplane_exception_device(const struct config *config, struct text *out);

/* Everything but the polling: EAL, pools, port, cores. What was set up is kept on failure, for dataplane_down(). */
bool dataplane_up(struct dataplane *dataplane, const struct config *config, struct problems *problems);
/* Starts the loops. A snapshot must have been published. */
bool dataplane_launch(struct dataplane *dataplane, const struct config *config, struct problems *problems);
/* Every loop runs: none has ended by itself. */
bool dataplane_alive(const struct dataplane *dataplane);
/* The port's link is up. Of several devices the first one says it: they are queues of one interface (daemon/port.h). */
bool dataplane_link(const struct dataplane *dataplane);
/* Tells the cores to stop and waits for them. */
void dataplane_stop(struct dataplane *dataplane);
/* After the loops have ended: connections, and with them the use of credentials. */
void dataplane_free_cores(struct dataplane *dataplane);
void dataplane_down(struct dataplane *dataplane);

#endif
