/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_ADMIN_REQUEST_H
#define ASSAY_DAEMON_ADMIN_REQUEST_H
/* What a request of the admin API means: method, path, query and body in, status and JSON out. Knows nothing of HTTP's bytes,
 * so it is tested without a socket. Thread: control. */
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/slice.h"
#include "daemon/control.h"

struct survey;

struct admin_request {
    const char *method, *path;
    /* a value of the query, or NULL */
    const char *(*query)(const void *arg, const char *name);
    const void *query_arg;
    struct slice body;
    struct survey *survey; /* of this request, to work in pieces; NULL: all at once */
};

/* Not answered yet: survey_run() has to do its work first, or a piece of it; then the same request is put again. */
#define ADMIN_LATER 0

struct admin_answer {
    unsigned status; /* or ADMIN_LATER */
    json_t *body;    /* the caller's */
    char allow[40];  /* of a 405: the methods there are (RFC 9110 §15.5.6); else "" */
};

/* draining: the daemon is on its way out. */
void admin_answer(struct control *control, bool draining, uint64_t now_s, const struct admin_request *request,
                  struct admin_answer *out);
/* Readiness alone: what the public listener answers; any other path is 404. */
void admin_answer_ready(struct control *control, bool draining, const struct admin_request *request,
                        struct admin_answer *out);

#endif
