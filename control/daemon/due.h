/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_DUE_H
#define ASSAY_DAEMON_DUE_H
/* What comes again after a period, by the wall clock that control ticks with. A clock that is set back must not put it off until the
 * old time comes again, which may take years: what lies further ahead than the period is due.
 * Units: seconds. Thread: any. */
#include <stdbool.h>
#include <stdint.h>

static inline bool due_now(uint64_t due_s, uint64_t now_s, uint64_t period_s)
{
    return now_s >= due_s || due_s - now_s > period_s;
}

/* The same, and if it is due the next time follows. */
static inline bool due_take(uint64_t *due_s, uint64_t now_s, uint64_t period_s)
{
    if (!due_now(*due_s, now_s, period_s))
        return false;
    *due_s = now_s + period_s;
    return true;
}

#endif
