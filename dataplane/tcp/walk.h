/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_WALK_H
#define ASSAY_TCP_WALK_H
/* What the table holds at this moment, for the operator: every connection, those that are half-open, in TIME-WAIT, or that the
 * application has closed (orphans) too. A table may have a million slots: the caller looks at a slice of it, and goes on later.
 * Thread: the instance's core. Units: microseconds, bytes. */
#include "tcp/tcp.h"

struct tcp_row {
    struct assay_address local, remote;
    uint16_t local_port, remote_port;
    const char *state; /* RFC 9293 §3.3.2 spelling */
    bool passive;      /* from a listener */
    bool orphan;       /* the application has closed it: handle is stale */
    bool ecn;          /* agreed on (RFC 3168) */
    struct tcp_handle handle;
    uint64_t user; /* of the application; as long as it has not seen the connection, the listener's */
    uint32_t srtt_us, rto_us;
    uint32_t cwnd_bytes, ssthresh_bytes; /* ssthresh 1 << 30 or more: no loss has set it yet */
    uint32_t mss;
    uint32_t send_bytes, unsent_bytes; /* written and not acknowledged; of it, never sent */
    uint32_t receive_bytes;            /* in order, not yet consumed */
    uint64_t retransmits, bytes_in, bytes_out;
    uint64_t age_us, idle_us; /* since it was opened; since a segment with data went or any came */
};

uint32_t tcp_walk_slots(const struct tcp *tcp);
/* The first connection in the slots from *slot to end (not included); *slot is then the one behind it. False: none is there,
 * and *slot is end. Slots change between calls: a connection may be missed that came or went meanwhile, none is told twice. */
bool tcp_walk(const struct tcp *tcp, uint32_t *slot, uint32_t end, uint64_t now_us, struct tcp_row *out);

#endif
