/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_DAEMON_H
#define ASSAY_DAEMON_DAEMON_H
/* The life of assayd: start, one loop for signals, DNS, admin API and time, drain, stop. */
#include <stdbool.h>

enum daemon_exit {
    DAEMON_EXIT_OK = 0,
    DAEMON_EXIT_REFUSED = 1, /* configuration or machine: said on standard error what is wrong */
    DAEMON_EXIT_USAGE = 2,
    DAEMON_EXIT_FAILED = 3, /* after the start */
};

struct daemon_options {
    const char *config_file;
    const char *state_directory;
};

enum daemon_exit daemon_run(const struct daemon_options *options);

#endif
