/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CONTROL_TICKS_H
#define ASSAY_DAEMON_CONTROL_TICKS_H
/* What time does to control: a timed switch ends, ticket keys rotate, chains are taken in and judged, CRLs and the preflight become due,
 * certificates come near their end, and what no core uses any more is freed. A clock that is set back puts nothing off.
 * Thread: control. Units: wall-clock seconds. */
#include <stdbool.h>
#include <stdint.h>

struct change;
struct control;

/* Once a second or so. True when there is something for the log, which what names: published, or change->problems say why not (it is
 * tried again). */
bool control_tick(struct control *control, uint64_t now_s, struct change *change, const char **what);

/* A new ticket key encrypts; the ones before still decrypt what they encrypted. Not published yet. */
void control_rotate_tickets(struct control *control, uint64_t now_s);

#endif
