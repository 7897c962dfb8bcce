/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/view_log.h"

#include <stddef.h>
#include <string.h>

#include "daemon/log.h"

static const struct {
    const char *name, *help;
    size_t offset;
} rows[] = {
    {"lines", "lines written", offsetof(struct log_stats, lines)},
    {"bytes", "bytes written", offsetof(struct log_stats, bytes)},
    {"drop_write_failures", "writes that the log file did not take: lines are missing there",
     offsetof(struct log_stats, write_failures)},
    {"drop_malformed", "records that are none (a bug of their writer)", offsetof(struct log_stats, malformed)},
};

json_t *view_log_stats(struct log *log, bool help)
{
    struct log_stats stats = {0};
    json_t *out = json_object();

    if (log != NULL)
        log_get_stats(log, &stats);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t value;

        memcpy(&value, (const char *)&stats + rows[i].offset, sizeof(value));
        json_object_set_new(out, rows[i].name, help ? json_string(rows[i].help) : json_integer((json_int_t)value));
    }
    return out;
}

void view_log_alarms(struct log *log, json_t *alarms)
{
    struct log_stats stats;

    if (log == NULL)
        return;
    log_get_stats(log, &stats);
    if (stats.failing != 0)
        json_array_append_new(alarms, json_sprintf("the log cannot be written: %s", strerror(stats.failing)));
}
