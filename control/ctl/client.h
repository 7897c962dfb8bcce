/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_CLIENT_H
#define ASSAY_CTL_CLIENT_H
/* One request to the admin API of a running assayd: HTTP over its unix socket, JSON back.
 * Owner: the caller gets a new reference of the JSON. Thread: any. */
#include <stdio.h>

#include <jansson.h>

#include "base/slice.h"

#define CTL_SOCKET_DEFAULT "/run/assay/admin.sock"
#define CTL_ANSWER_MAX     (256U << 20)
#define CTL_TIMEOUT_S      60

/* Returns the status of the answer, with *out set (a JSON object); 0 when there was no answer: then the reason, and what to
 * do about it, was written to err. */
unsigned ctl_client_call(const char *socket_path, const char *method, const char *path, struct slice body, json_t **out,
                         FILE *err);

#endif
