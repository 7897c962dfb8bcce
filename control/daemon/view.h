/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_VIEW_H
#define ASSAY_DAEMON_VIEW_H
/* What the admin API shows, as JSON values (jansson). Owner: the caller gets a new reference. Thread: control.
 * Whatever came from a peer or a certificate is made valid UTF-8 first. */
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/control.h"
#include "daemon/fleet.h"
#include "daemon/trust.h"

json_t *view_status(const struct control *control, bool draining, uint64_t now_s);
/* decoded: with the text and the PEM. */
json_t *view_certificate(const struct trust_entry *entry, bool decoded, uint64_t now_s);
/* Every certificate, with whose it is: deployment null, of all. view_trust_of(): the first picture of the list alone. */
json_t *view_trust(const struct trust *trust, uint64_t now_s);
json_t *view_trust_of(const struct trust *trust, uint64_t now_s);
/* What is said of all origins, of deployments, of origins (x509/scope.h), and what comes of it. */
json_t *view_scopes(const struct control *control);
/* The certificates of a bundle that was added: "added", or already "present". */
json_t *view_added(const struct trust *added, uint64_t now_s);
json_t *view_names(const struct names *names);
/* Rows of COMMAND_VERDICTS, COMMAND_ORIGINS, COMMAND_CONNECTIONS. */
json_t *view_rows(enum command_kind kind, const struct fleet_rows *rows);
/* Sums, then each core; help texts with help. */
json_t *view_stats(const struct fleet *fleet, bool help);
/* Adds generation, published, adopted, milliseconds, warnings. */
void view_add_change(json_t *object, const struct change *change);
json_t *view_problems(const struct problems *problems);

/* Is this daemon fit for traffic? false with a reason. */
bool view_ready(const struct control *control, bool draining, const char **why);

#endif
