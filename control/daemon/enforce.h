/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_ENFORCE_H
#define ASSAY_DAEMON_ENFORCE_H
/* Monitor first: what would be refused if verification were enforced now, for all origins, those of a deployment, or one? From the
 * chains seen in the last day (registry.h), which are judged also while verification is permissive or disabled. An origin that
 * failed and was repaired since, by a change of trust or with another certificate, does not stand in the way. Of origins that no
 * traffic was seen of, what the last preflight found (prober.h): after a repair it has to be run again.
 * Owner: the caller gets a new reference. Thread: control. Source: MRA S6, S29. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/control.h"
#include "daemon/switches.h"

#define ENFORCE_WINDOW_S 86400

/* {"failing": [...], "preflight": [...], "repaired": [...], "considered", "window_s"}: rows with host, port, deployment, address, common_name,
 * leaf_sha256, last_seen, reason, error, depth, action; those of "repaired" with last_failed. *failing: how many would be
 * refused that are not now. NULL with problems: the section cannot be built. */
json_t *enforce_report(const struct control *control, const struct verify_target *target, uint64_t now_s,
                       size_t *failing, struct problems *problems);

#endif
