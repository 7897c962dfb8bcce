/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_REGISTRY_VIEW_H
#define ASSAY_DAEMON_REGISTRY_VIEW_H
/* The registry as the admin API shows it. Owner: the caller gets a new reference. Thread: control.
 *
 * GET /v1/registry: {"entries": [...], "more": bool, "count", "bytes", "limits": {...}, "stats": {...}}. An entry, most recently
 * seen first:
 *   host, port, deployment (null: none known), address               where the chain was seen
 *   first_seen, last_seen, last_seen_s, handshakes
 *   superseded                                                       the origin shows another chain of that key type by now
 *   verdict: {judged, scope, mode, accepted, effect, reason, error, depth, chain_reason, name_reason, warnings, action}
 *   failed: null or {last, last_s, count, reason, error, depth}      the last use that failed, or would have under enforcement
 *   leaf_sha256, chain_sha256
 *   certificates: [...] as shown, the leaf first                     report/certificate_report.h */
#include <stdint.h>

#include <jansson.h>

#include "daemon/control.h"
#include "daemon/registry.h"

/* host NULL: all; port 0: all of the host. At most max entries. */
json_t *registry_view(const struct control *control, const char *host, uint16_t port, size_t max);
json_t *registry_view_entry(const struct control *control, const struct registry_entry *entry);
/* One of a list of origins that pass or fail: host, port, deployment, address, common_name, leaf_sha256, last_seen, and reason, error,
 * depth, action. */
json_t *registry_view_row(const struct control *control, const struct registry_entry *entry, enum x509_reason reason,
                          int depth);
/* What a verdict does under a mode: "passes", "refused", "let pass", "not checked". */
const char *registry_effect(enum x509_reason reason, enum verify_mode mode);
/* Chains, bytes and the registry's counters; help texts with help. */
json_t *registry_view_stats(const struct registry *registry, bool help);

#endif
