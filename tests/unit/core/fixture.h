/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TEST_CORE_FIXTURE_H
#define ASSAY_TEST_CORE_FIXTURE_H
/* What tests of whole cores stand on: a snapshot for plain HTTP, and at the other end of a port (net_ring) a host that is
 * clients and origins at once. For tests only.
 * Owner: the fixture is the test program's; a host is the caller's. */
#include <stddef.h>
#include <stdint.h>

#include "core/core_private.h"
#include "net/net.h"
#include "net/nic.h"
#include "rig.h"
#include "tcp/tcp.h"

#define FIXTURE_PROXY     "198.18.0.10"
#define FIXTURE_CLIENT    "198.18.1.7"
#define FIXTURE_ORIGIN    "198.18.2.11"
#define FIXTURE_PREFIX    (96 + 15)
#define FIXTURE_WAIT_MS   8000
#define FIXTURE_ETHERNET  14
#define FIXTURE_IP_HEADER 20

struct fixture {
    struct rig_pools pools;
    struct core_shared shared;
    struct settings_section settings;
    struct route_section route;
    struct snapshot snapshots[2]; /* generations 1 and 2; the first is current */
};

/* What runs: port 8080 of FIXTURE_PROXY, and rules for port 8000 of these origins. */
struct fixture *fixture_start(const char *name, uint32_t cores, uint32_t mbufs, const char *const *origins,
                              size_t count);
void fixture_stop(void);

/* A core of it that answers as FIXTURE_PROXY on this port. The tables are small; the rest is for the caller to change before
 * fixture_core(). */
struct fixture_core_config {
    struct core_config core;
    struct net_config net;
    struct tcp_config tcp;
    struct net_address address;
    struct net_port_config port;
};
void fixture_core_defaults(struct fixture_core_config *config, struct nic *nic);
struct core *fixture_core(struct fixture_core_config *config);

/* The other end, which listens on port 8000 of FIXTURE_ORIGIN. */
struct fixture_host {
    struct nic nic;
    struct net *net;
    struct tcp *tcp;
};
/* nic is open. */
void fixture_host_create(struct fixture_host *host, const char *const *addresses, size_t count,
                         uint32_t connections_max);
/* The port as well. */
void fixture_host_free(struct fixture_host *host);
/* Frees what a port still has. */
void fixture_drain(struct nic *nic);

uint64_t fixture_now_us(void);

#endif
