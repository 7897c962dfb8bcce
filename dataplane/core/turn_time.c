/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/turn_time.h"

#define US 1000
#define MS 1000000

static void count(uint64_t took_ns, struct assay_counters *counters)
{
    if (took_ns < 100 * US)
        return;
    counters->turns_100us++;
    counters->turns_300us += took_ns >= 300 * US;
    counters->turns_1ms += took_ns >= MS;
    counters->turns_3ms += took_ns >= 3 * MS;
    counters->turns_10ms += took_ns >= 10 * MS;
}

static void keep_longest(struct turn_time *time, uint64_t took_ns, uint64_t now_ns)
{
    uint64_t longest = atomic_load_explicit(&time->longest_ns, memory_order_relaxed);

    if (now_ns - time->window_ns >= TURN_TIME_WINDOW_NS) {
        /* a core that did nothing for so long has no turn of the window before either */
        if (now_ns - time->window_ns >= 2 * TURN_TIME_WINDOW_NS)
            longest = 0;
        atomic_store_explicit(&time->before_ns, longest, memory_order_relaxed);
        atomic_store_explicit(&time->longest_ns, took_ns, memory_order_relaxed);
        time->window_ns = now_ns;
    } else if (took_ns > longest) {
        atomic_store_explicit(&time->longest_ns, took_ns, memory_order_relaxed);
    }
}

void turn_time_begin(struct turn_time *time, uint64_t now_ns, struct assay_counters *counters)
{
    uint64_t took_ns = time->began_ns != 0 ? now_ns - time->began_ns : 0;

    if (time->window_ns == 0)
        time->window_ns = now_ns;
    count(took_ns, counters);
    keep_longest(time, took_ns, now_ns);
    time->began_ns = now_ns;
}

void turn_time_pause(struct turn_time *time)
{
    time->began_ns = 0;
}

uint64_t turn_time_longest_ns(const struct turn_time *time)
{
    uint64_t now = atomic_load_explicit(&time->longest_ns, memory_order_relaxed);
    uint64_t before = atomic_load_explicit(&time->before_ns, memory_order_relaxed);

    return now > before ? now : before;
}
