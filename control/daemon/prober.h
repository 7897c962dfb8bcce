/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_PROBER_H
#define ASSAY_DAEMON_PROBER_H
/* A preflight within a running assayd: when it is asked for, of all origins; on a timer (preflight.interval), of those that
 * no traffic was seen of for that long, so that a standby node with a bad certificate is not silent until failover (S34). It
 * runs on a thread of its own, through kernel sockets; control goes on meanwhile. The report of the last run is kept.
 * Owner: control. Thread: control; the thread it makes touches nothing but the run. Units: wall-clock seconds. */
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/preflight.h"

struct control;
struct prober;

struct prober *prober_create(void);
/* Ends a run that is under way. */
void prober_free(struct prober *prober);

/* Begins a run of all origins. BUSY: one is under way; MALFORMED with problems. settings: ports, jobs, timeout_ms. */
enum assay_error prober_start(struct prober *prober, struct control *control, const struct preflight_settings *settings,
                              uint64_t now_s, struct problems *problems) ASSAY_MUST_USE;
/* Once a second or so: takes the report of a run that has ended and tells the log what would fail; begins the next one when
 * the timer says so. */
void prober_tick(struct prober *prober, struct control *control, uint64_t now_s);

/* {"running", "done", "total", "started", "finished", "idle_only", "interval_s", "report": null or preflight_report()'s}. brief:
 * without the report of the one before, while one is under way. A new reference. */
json_t *prober_view(const struct prober *prober, bool brief);
/* Rows of the last run's report, NULL: there was none. Valid until the next tick. */
const json_t *prober_rows(const struct prober *prober);
/* Origins that would fail now, by the last run. */
unsigned prober_failing(const struct prober *prober);

#endif
