/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_SHED_H
#define ASSAY_TCP_SHED_H
/* Who gives way when something runs short. The order, first to last; each step is counted:
 *
 *   A slot of the connection table is wanted
 *    1. SYNs are answered by cookies and take none: when the listener's backlog is full, when half of the table is half-open,
 *       when the source has its share (syn_cookies_sent)
 *    2. the oldest half-open connection whose SYN-ACK had to be sent again: likely nobody is there (half_open_evicted)
 *    3. the oldest TIME-WAIT that no application holds (time_wait_evicted)
 *    4. for an open of our own or a peer that has shown that it exists, never for a SYN: the oldest half-open connection
 *       (half_open_evicted)
 *    5. none: the SYN is dropped (drop_no_slot), the open refused (no_slot)
 *
 *   Packets are received faster than they are read
 *    6. from half of the pool on every window is small (receive_window())
 *    7. a connection at its own limit copies its queue together, then gives up what it holds out of order (collapsed, pruned)
 *    8. at three quarters of the pool, what all connections hold out of order (shed_out_of_order)
 *    9. the connection that holds the most of what nobody reads is ended (shed)
 *
 *   The payload pool is empty
 *   10. writers wait (no_payload_mbuf)
 *   11. after a second of that the connection that holds the most unacknowledged data is ended (shed)
 *
 * Steps 8, 9 and 11 are taken one at a time, a hundred a second, so that what they free is used before the next one. An ended
 * connection is told NO_MEMORY, and its peer gets a RST. */
#include "tcp/connection.h"

enum shed_reason { SHED_FOR_SYN, SHED_FOR_OPEN };

/* Is there a free slot, after steps 2 to 4 if need be? */
bool shed_slot(struct tcp *tcp, enum shed_reason reason);

/* Steps 8, 9 and 11. Called every turn; does something only while data is being refused or writers wait in vain. */
void shed_run(struct tcp *tcp);

#endif
