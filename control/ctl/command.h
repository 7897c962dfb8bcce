/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_COMMAND_H
#define ASSAY_CTL_COMMAND_H
/* What a command of assayctl is. A new one is a function in a file of its own and a line in main.c's table.
 * argv[0] is the command's name. Results go to out, complaints to err; the return is the exit status. */
#include <stdio.h>

enum ctl_exit {
    CTL_OK = 0,      /* done, accepted */
    CTL_REFUSED = 1, /* the answer is no */
    CTL_USAGE = 2,   /* asked wrongly: bad option, missing or unreadable file */
};

struct ctl_command {
    const char *name;
    const char *help; /* one line */
    int (*run)(int argc, char **argv, FILE *out, FILE *err);
};

int ctl_verify(int argc, char **argv, FILE *out, FILE *err);

#endif
