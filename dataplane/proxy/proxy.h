/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_PROXY_PROXY_H
#define ASSAY_PROXY_PROXY_H
/* The one state machine that glues tcp, tls, http, access and the verified origin pool: one instance a core. Events come in,
 * everything that can be done with them is done, and what cannot go on waits for the next event or its deadline.
 * The way of a request: client.c (connection, TLS) → exchange.c (head, bodies) → request.c (whereto, may it) → origin.c
 * (pool, connect, TLS) → verdict.c (is the origin's certificate good now) → exchange.c (response).
 * Owner: the instance owns its connections; snapshots are lent for the length of a call.
 * Thread: one core. Units: microseconds of the monotonic clock (now_us), nanoseconds of the wall clock (wall_ns).
 * Source: RFC 9110, RFC 9112, MRA §1-§5. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/command.h"
#include "assay/counters.h"
#include "assay/error.h"
#include "assay/snapshot.h"
#include "tcp/tcp.h"

struct byte_ring;
struct proxy;
struct x509_verdict_stats;

/* Which of our addresses reach a destination, in order of preference; at most max; how many, 0: no route. net_sources() behind a
 * pointer, so that proxy/ does not see net/. */
struct proxy_source {
    uint32_t (*fn)(const void *arg, const struct assay_address *destination, struct assay_address *sources,
                   uint32_t max);
    const void *arg;
};

struct proxy_config {
    uint32_t core;  /* number of this core, for scratch, contexts, log lines */
    uint32_t cores; /* of how many: transactions are numbered without locks */
    struct tcp *tcp;
    struct proxy_source source;
    uint32_t clients_max;
    uint32_t origins_max;
    uint32_t verdicts_max;
    struct byte_ring *log, *alarm_log; /* requests; denials and verification failures */
    struct byte_ring *chains;          /* what origins show, for control's registry; NULL: nobody asks */
    uint64_t (*cycles_ns)(void);       /* a cheap clock to time verifications with, for the counter only */
};

enum assay_error proxy_create(const struct proxy_config *config, uint64_t now_us, struct proxy **out) ASSAY_MUST_USE;
/* Aborts every connection and frees what they held, on the core's own thread (TLS memory goes back to its allocator).
 * Counters and statistics can be read until proxy_free(). */
void proxy_close(struct proxy *proxy);
/* Closes where that was not done yet. NULL is fine. */
void proxy_free(struct proxy *proxy);

/* One turn: adopts the snapshot where it is a new one (listeners, trust epoch), works on events[0..n), runs what is due and
 * what was left over, at most one private-key operation. snapshot is used during the call only. */
void proxy_run(struct proxy *proxy, const struct snapshot *snapshot, const struct tcp_event *events, uint32_t n,
               uint64_t now_us, uint64_t wall_ns);
/* Work is waiting that needs no event (handshakes, a long transfer): do not sleep. */
bool proxy_busy(const struct proxy *proxy);
uint64_t proxy_next_timer_us(const struct proxy *proxy);

/* No new connection, no new request; idle ones are closed. */
void proxy_drain(struct proxy *proxy, const struct snapshot *snapshot, uint64_t now_us);
bool proxy_drained(const struct proxy *proxy);

/* Loop's own counters live with ours. */
struct assay_counters *proxy_counters(struct proxy *proxy);
const struct x509_verdict_stats *proxy_verdict_stats(const struct proxy *proxy);
/* Generation of the snapshot adopted last. */
uint64_t proxy_generation(const struct proxy *proxy);

/* Answers COMMAND_VERDICTS, COMMAND_ORIGINS and COMMAND_CONNECTIONS (command.h); others are not ours. False: that was a part
 * of the answer, call again next turn. */
bool proxy_command(struct proxy *proxy, struct core_command *command, uint64_t now_us);

#endif
