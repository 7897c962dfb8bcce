/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_PORTS_H
#define ASSAY_TCP_PORTS_H
/* Source ports of active opens: RFC 6056 §3.3.4 (double hash) over config's range, per (local, remote, remote port); with
 * several cores only those whose answers are steered to this one. */
#include "tcp/table.h"

/* Fills tuple->local_port and *hash; the rest of the tuple is given. A TIME-WAIT connection in the way ends when no free port
 * was met soon: *iss_floor is then what our first sequence number must exceed (RFC 6191 for the active side), else 0.
 * NO_PORT when all are taken: found out once by looking at all of them, then told at once until a connection has gone. */
enum assay_error ports_choose(struct tcp *tcp, struct tcp_tuple *tuple, uint32_t *hash, uint32_t *iss_floor)
    ASSAY_MUST_USE;
/* The same for a port the caller has chosen. */
enum assay_error ports_claim(struct tcp *tcp, const struct tcp_tuple *tuple, uint32_t *hash, uint32_t *iss_floor)
    ASSAY_MUST_USE;

#endif
