/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/change_log.h"

void change_log_problems(struct log *log, const struct problems *problems)
{
    for (size_t i = 0; i < problems->kept; i++)
        log_event(log, "ERROR", "%s", problems->items[i]);
    for (size_t i = 0; i < problems->warnings_kept; i++)
        log_event(log, "WARNING", "%s", problems->warnings[i]);
}

void change_log(struct log *log, const char *what, bool good, const struct change *change)
{
    unsigned long long generation = (unsigned long long)change->generation;

    change_log_problems(log, &change->problems);
    if (!good)
        log_event(log, "ERROR", "%s refused, generation %llu stays", what, generation);
    else if (!change->published)
        log_event(log, "INFO", "%s: nothing changed, generation %llu", what, generation);
    else
        log_event(log, change->adopted ? "INFO" : "WARNING", "%s: generation %llu, %s %.3f ms", what, generation,
                  change->adopted ? "all cores after" : "not all cores after", change->adopted_ms);
    if (change->restart_keys.len > 0)
        log_event(log, "WARNING", "changed, but acts at the next start only: %s", change->restart_keys.data);
}
