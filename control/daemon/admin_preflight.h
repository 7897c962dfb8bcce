/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_ADMIN_PREFLIGHT_H
#define ASSAY_DAEMON_ADMIN_PREFLIGHT_H
/* What the admin API does with a preflight of the running daemon (prober.h): JSON in, JSON and a status out. Thread: control. */
#include <jansson.h>

#include "base/slice.h"
#include "daemon/control.h"

/* Each returns the HTTP status and sets *body. request: empty, or {"ports": "8443,6972", "jobs", "timeout_ms"}. 409: one is
 * under way. */
unsigned admin_preflight_start(struct control *control, struct slice request, uint64_t now_s, json_t **body);
/* prober_view(), with "ciphers": what is offered to origins now (preflight_ciphers()). */
unsigned admin_preflight_view(const struct control *control, bool brief, json_t **body);

#endif
