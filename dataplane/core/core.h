/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CORE_CORE_H
#define ASSAY_CORE_CORE_H
/* One poll-mode core: everything it owns (port queue, network, TCP, proxy, verdicts, counters, log rings) and its loop.
 * Owner: control creates and frees; while the loop runs only the core touches it, but for what is said here.
 * Thread: core_run() on its lcore; core_command(), core_log_*(), core_stats() from the control thread. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "assay/command.h"
#include "assay/counters.h"
#include "assay/error.h"
#include "assay/snapshot.h"
#include "base/slice.h"

struct core;
struct rcu;
struct net_config;
struct tcp_config;
struct rte_mempool;
struct byte_ring;
struct flow_map;
struct mesh;
struct dispatch_counters;
struct tcp_counters;
struct net_counters;
struct nic;
struct x509_verdict_stats;
struct thread_slot_stats;

/* What all cores and control share (DESIGN: "the snapshot pointer (one writer)"). */
struct core_shared {
    _Atomic(const struct snapshot *) snapshot;
    struct rcu *rcu;
};

struct core_config {
    uint32_t index; /* 0-based: `[ET_NET n]`, scratch and context number */
    uint32_t cores; /* of how many */
    const struct flow_map
        *flows; /* whose is a connection; with the mesh to hand packets over. Both NULL for a core alone */
    struct mesh *mesh;
    struct core_shared *shared;
    const struct net_config *net; /* with this core's queue pair (struct nic) of each port; copied */
    const struct tcp_config *tcp;
    struct rte_mempool *packet_pool; /* of all cores: packets change hands */
    struct rte_mempool *payload_pool, *indirect_pool;
    uint32_t clients_max;    /* client connections: slots allocated at creation */
    uint32_t origins_max;    /* distinct origins remembered */
    uint32_t verdicts_max;   /* entries of the verdict cache */
    uint64_t heap_bytes;     /* of the TLS library's allocator on this core */
    uint32_t log_ring_bytes; /* each of the two rings; a power of two */
    uint32_t idle_polls;     /* empty polls before a sleep; 0: never sleep */
    uint32_t idle_sleep_us;
};

enum assay_error core_create(const struct core_config *config, struct core **out, const char **fault) ASSAY_MUST_USE;
/* After the loops of all cores ended. */
void core_free(struct core *core);

/* The loop; returns 0 after COMMAND_STOP. Fits rte_eal_remote_launch(). */
int core_run(void *core);

/* Hands a command over; BUSY when the ring is full. */
enum assay_error core_command(struct core *core, struct core_command *command) ASSAY_MUST_USE;

/* The log rings: 0 the ordinary one, 1 that of denials and verification failures. Control is their only consumer. */
struct byte_ring *core_log_ring(struct core *core, unsigned which);

/* What origins showed (assay/chain_record.h). Control is its only consumer. */
struct byte_ring *core_chain_ring(struct core *core);

struct core_stats {
    const struct assay_counters *proxy;
    const struct tcp_counters *tcp;
    const struct net_counters *net;
    const struct dispatch_counters *dispatch; /* NULL for a core alone */
    const struct x509_verdict_stats *verdicts;
    const struct nic *port;      /* of the first port, this core's queue pair */
    const struct nic *exception; /* likewise; NULL: there is none */
    uint64_t generation;         /* of the snapshot the core works with */
    uint64_t heap_bytes_in_use, heap_bytes_peak;
    uint64_t turn_longest_ns; /* of the last 10 to 20 seconds: core/turn_time.h */
    uint64_t duplicates;      /* IPv6 addresses of ours that another host has: net_duplicates() */
    bool drained;             /* after COMMAND_DRAIN: nothing is left */
};
void core_get_stats(const struct core *core, struct core_stats *out);

#endif
