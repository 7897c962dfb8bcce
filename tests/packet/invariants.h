/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_PACKET_INVARIANTS_H
#define ASSAY_TESTS_PACKET_INVARIANTS_H
/* What holds of a TCP instance between any two calls, whatever has come in: every count is the sum it stands for, every list
 * holds what says it is in it, the scoreboard covers exactly what is in flight, each record points at its own bytes, what is
 * reported by SACK is held, and nothing that waits waits for nothing (a stalled connection is a broken invariant).
 * Costs time in proportion to what the connections hold. */
#include "tcp/tcp.h"

/* NULL, or what does not hold, as text. */
const char *invariants_check(const struct tcp *tcp);
/* Also the pool of records (tcp->sent), all of it: at the end of a run. */
const char *invariants_check_records(const struct tcp *tcp);

#endif
