/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_PROBE_REPORT_H
#define ASSAY_PROBE_REPORT_H
/* Results of a probe as JSON, for people, scripts and the admin API. A row is what one origin shows under the same
 * conditions: a certificate, or why there was none to see.
 *     {"rows": [{"node", "address", "port", "key", "preferring", "verdict", "reason", "days_left", "action", …}],
 *      "summary": {"origins", "pass", "warning", "fail", "unknown", "rows_fail", "rows_warning"}}
 * The summary's first five count origins by what assayd meets as it is configured now (rows with "now"), the last two rows.
 * Owner: the caller gets a new reference. Pure. Text of certificates is valid UTF-8 (describe.h). */
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "probe/probe.h"

json_t *probe_report(const struct probe *probe, const struct probe_target *targets, size_t count, uint64_t now_s);

#endif
