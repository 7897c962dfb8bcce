/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_PRIVILEGES_H
#define ASSAY_DAEMON_PRIVILEGES_H
/* Gives up what is not needed any more. Capabilities belong to a thread on Linux, so each thread drops its own: control and
 * every core call privileges_drop_thread(). With a user, glibc changes all threads at once and the kernel takes the
 * capabilities with the user id. Thread: as said. Errors: PERMISSION, NOT_FOUND (no such user), with a text. */
#include <stdbool.h>

#include "assay/error.h"
#include "daemon/config.h"
#include "daemon/problems.h"

/* Before anything is opened: no new privileges by exec, and only the capabilities that starting may need. */
enum assay_error privileges_limit(struct problems *problems) ASSAY_MUST_USE;

/* After everything is open. Becomes `user`, where configured, and gives it the files that control goes on writing to. */
enum assay_error privileges_drop_user(const struct config *config, const char *state_directory,
                                      struct problems *problems) ASSAY_MUST_USE;

/* The calling thread keeps only what the port's driver needs to be closed. */
enum assay_error privileges_drop_thread(const struct config *config) ASSAY_MUST_USE;

/* "none", or the capabilities the calling thread still has. */
void privileges_describe(struct text *out);

#endif
