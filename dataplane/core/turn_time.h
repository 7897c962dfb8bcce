/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CORE_TURN_TIME_H
#define ASSAY_CORE_TURN_TIME_H
/* How long the turns of a core take: what arrives meanwhile waits, so the long ones are what requests feel. Measured from the
 * beginning of a turn to that of the next, so that the clock is read once a turn, and what the machine took the core away for
 * is in it. Owner: the core. Thread: the core; turn_time_longest_ns() from any. Units: nanoseconds of the monotonic clock. */
#include <stdatomic.h>
#include <stdint.h>

#include "assay/counters.h"

#define TURN_TIME_WINDOW_NS 10000000000

struct turn_time {
    uint64_t began_ns; /* of the turn under way; 0: none */
    uint64_t window_ns;
    _Atomic uint64_t longest_ns; /* of this window */
    _Atomic uint64_t before_ns;  /* of the one before */
};

/* A turn begins, and the one before has ended. */
void turn_time_begin(struct turn_time *time, uint64_t now_ns, struct assay_counters *counters);
/* The core is about to sleep: what comes next belongs to no turn. */
void turn_time_pause(struct turn_time *time);
/* The longest turn of the last 10 to 20 seconds. */
uint64_t turn_time_longest_ns(const struct turn_time *time);

#endif
