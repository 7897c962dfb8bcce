/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_TELEMETRY_H
#define ASSAY_DAEMON_TELEMETRY_H
/* The counters through DPDK's telemetry socket: /assay/stats. DPDK calls back without a context and cannot unregister, so one
 * pointer here is the documented exception to "no mutable file-scope data".
 * Thread: start and stop: control; the answers come from DPDK's telemetry thread. */
#include <stdbool.h>

#include "daemon/control.h"

/* Nothing where the configuration does not ask for it. */
bool telemetry_start(struct control *control, struct problems *problems);
/* Before the cores are freed. */
void telemetry_stop(void);

#endif
