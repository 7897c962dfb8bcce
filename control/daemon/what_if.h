/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_WHAT_IF_H
#define ASSAY_DAEMON_WHAT_IF_H
/* What would a change of trust, of CRLs, of policy or mode do, before anything is published? The change is built as it would be,
 * whole or not at all, and each chain of the registry that was seen in the last day, and that its origin still shows, is judged under
 * what runs and under the candidate. Nothing is written, nothing is published.
 * Owner: the caller gets a new reference. Thread: control. Errors: false, with every fault in problems. */
#include <stdint.h>

#include <jansson.h>

#include "base/slice.h"
#include "daemon/control.h"
#include "daemon/survey.h"

#define WHAT_IF_WINDOW_S 86400

/* Each begins a survey of the candidate (survey.h): once it has run to its end, what_if_answer() has the answer. */
bool what_if_trust_add(const struct control *control, const char *deployment, struct slice data, int role,
                       struct survey *survey, struct problems *problems);
/* fingerprint: of a certificate that is there (NOT_FOUND, DUPLICATE, MALFORMED; else IO with problems). */
enum assay_error what_if_trust_remove(const struct control *control, const char *deployment, const char *fingerprint,
                                      struct survey *survey, struct problems *problems) ASSAY_MUST_USE;
/* A whole configuration with all files it names: text, or the file on disk where it is empty. */
bool what_if_reload(struct control *control, struct slice text, uint64_t now_s, struct survey *survey,
                    struct problems *problems);

/* {"flips": [...], "unchanged", "considered", "window_s", "warnings"}: a flip is an origin whose verdict turns good or bad, or
 * whose requests would be refused, or not any more: host, port, deployment, address, common_name, leaf_sha256, last_seen, and
 * "from" and "to" with accepted, effect, reason, error, depth; to has action too. problems: of the beginning, for its warnings. */
json_t *what_if_answer(const struct control *control, const struct survey *survey, uint64_t now_s,
                       const struct problems *problems);

#endif
