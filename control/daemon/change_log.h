/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CHANGE_LOG_H
#define ASSAY_DAEMON_CHANGE_LOG_H
/* What a change came to, as lines of the log: whoever asked for it (signal, timer, DNS, admin API). Thread: control. */
#include <stdbool.h>

#include "daemon/control.h"
#include "daemon/log.h"

void change_log(struct log *log, const char *what, bool good, const struct change *change);
void change_log_problems(struct log *log, const struct problems *problems);

#endif
