/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_VIEW_CRLS_H
#define ASSAY_DAEMON_VIEW_CRLS_H
/* The revocation lists as JSON: those of files, and the sources of fetched ones with their last error, whether there is a list or
 * not. Owner: the caller of what is returned. Thread: control. */
#include <jansson.h>

#include "daemon/control.h"

json_t *view_crls(const struct control *control, uint64_t now_s);
/* Lines for the alarms of a status: fetched lists that are not there or over, with the reason. */
void view_crls_alarms(const struct control *control, uint64_t now_s, json_t *alarms);

#endif
