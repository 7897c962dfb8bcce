/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_VIEW_LOG_H
#define ASSAY_DAEMON_VIEW_LOG_H
/* How the log itself fares, as JSON. Owner: the caller gets new references. Thread: control. */
#include <stdbool.h>

#include <jansson.h>

struct log;

/* For /v1/stats; help: what each means. log NULL: zeros. */
json_t *view_log_stats(struct log *log, bool help);
/* What an operator has to know: the disk is full. Appends nothing where all is well. */
void view_log_alarms(struct log *log, json_t *alarms);

#endif
