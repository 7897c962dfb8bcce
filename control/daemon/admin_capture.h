/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_ADMIN_CAPTURE_H
#define ASSAY_DAEMON_ADMIN_CAPTURE_H
/* What the admin API does with a capture: JSON in, JSON and a status out. Thread: control. */
#include <jansson.h>

#include "base/slice.h"
#include "daemon/control.h"

/* Each returns the HTTP status and sets *body. 409: one runs already, or none does. */
unsigned admin_capture_start(struct control *control, struct slice request, uint64_t now_s, json_t **body);
unsigned admin_capture_stop(struct control *control, json_t **body);
unsigned admin_capture_status(const struct control *control, json_t **body);

#endif
