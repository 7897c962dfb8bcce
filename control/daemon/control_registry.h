/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CONTROL_REGISTRY_H
#define ASSAY_DAEMON_CONTROL_REGISTRY_H
/* The registry of chains (registry.h) in control: as the configuration bounds it, filled from the cores, judged in turns, kept on disk,
 * and asked for verdicts before a trust section is published.
 * Thread: control. Units: wall-clock seconds. Errors: lines in the log; nothing of it stops anything else. */
#include <stdint.h>

struct control;
struct problems;
struct section;

/* Makes it, or gives it the limits of the configuration that runs now. */
void control_registry_follow(struct control *control);
/* From the state directory; what cannot be read is warned of. */
void control_registry_load(struct control *control, struct problems *problems);
void control_registry_save(struct control *control);

/* Takes what the cores have shown, forgets what is old, judges what is not judged, saves now and then. */
void control_registry_tick(struct control *control, uint64_t now_s);

/* Into a section that is about to be published, if it is a trust section: verdicts about the chains that are known. */
void control_registry_precompute(struct control *control, struct section *next);

#endif
