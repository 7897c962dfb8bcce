/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_TIMERS_H
#define ASSAY_TCP_TIMERS_H
/* The timers of a connection: four deadlines over one wheel node. Moving a deadline later costs nothing: the node fires at
 * the old time, finds nothing due and waits again. Sources: RFC 6298 §5, RFC 8985 §7.2, RFC 9293 §3.8.4 and §3.8.6.1. */
#include "tcp/connection.h"

void conn_timer_set(struct tcp *tcp, struct tcp_connection *c, enum tcp_timer which, uint64_t due_us);
static inline void conn_timer_stop(struct tcp_connection *c, enum tcp_timer which)
{
    c->due_us[which] = 0;
}

/* Chooses which of probe, reordering, RTO and persist the one retransmission deadline is to be, or none, and sets it (RFC 8985
 * §7.2 and §6.3). Call after anything was sent, acknowledged or marked. reorder_us: RACK's wait, microseconds; 0: none. */
void conn_rexmt_rearm(struct tcp *tcp, struct tcp_connection *c, uint32_t reorder_us);
/* The current RTO with its backoff. */
uint32_t conn_rto_us(const struct tcp *tcp, const struct tcp_connection *c);

#endif
