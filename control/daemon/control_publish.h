/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CONTROL_PUBLISH_H
#define ASSAY_DAEMON_CONTROL_PUBLISH_H
/* The last step of each change: its sections become the snapshot of the cores, and the change says when all of them had it. The trust
 * has the verdicts about known chains in it by then (control_registry.h).
 * Owner: sections are taken over. Thread: control. */
#include <stdbool.h>

struct candidate;
struct change;
struct control;
struct section;
struct trust;

/* All sections at once; the candidate keeps its configuration and its trust. */
void control_publish_candidate(struct control *control, struct candidate *candidate, struct change *change);
/* One section; the others stay. */
void control_publish_section(struct control *control, struct section *next, struct change *change);
/* The trust section, built anew from this trust, the running configuration, the switches and the CRLs. False: the change's problems
 * say why, and nothing changes. */
bool control_publish_trust(struct control *control, const struct trust *trust, struct change *change);

#endif
