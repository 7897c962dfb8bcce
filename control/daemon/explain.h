/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_EXPLAIN_H
#define ASSAY_DAEMON_EXPLAIN_H
/* Why does an origin pass, or not? Each chain it showed (registry.h), judged again with the running stores and policy: the
 * certificates decoded, every path tried and why it ended, the decision, and what to do (x509/action.h).
 * Owner: the caller gets a new reference. Thread: control. */
#include <stdint.h>

#include <jansson.h>

#include "daemon/control.h"

/* {"host", "port", "chains": [...]}: the registry's entries with "judgement" (report/verify_report.h) and all of it as "text"
 * for people. port 0: all of the host. NULL: no chain of that origin is known. */
json_t *explain_origin(const struct control *control, const char *host, uint16_t port, uint64_t now_s);

#endif
