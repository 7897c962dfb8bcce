/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_ADMIN_H
#define ASSAY_DAEMON_ADMIN_H
/* The admin API: JSON over HTTP on a unix socket whose permissions are the access control; and, where configured, readiness
 * alone on an address of the host. Runs inside the control loop: no thread of its own (libmicrohttpd polled from outside).
 * docs/operations.md lists the requests. Owner: the struct. Thread: control. */
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "daemon/control.h"
#include "daemon/problems.h"

struct admin;

#define ADMIN_FDS_MAX 2

/* control outlives it. NULL with problems: another daemon answers on the socket, or it cannot be made. */
struct admin *admin_create(struct control *control, struct problems *problems);
void admin_free(struct admin *admin);

size_t admin_fds(struct admin *admin, struct pollfd *out);
/* Works on what has arrived, and a piece of some milliseconds on what takes longer: others are answered in between. */
void admin_run(struct admin *admin);
/* Is there more of the latter? Then admin_run() is due at once. */
bool admin_is_working(const struct admin *admin);
/* From now on not ready. */
void admin_set_draining(struct admin *admin);
bool admin_draining(const struct admin *admin);

#endif
