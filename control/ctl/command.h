/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_COMMAND_H
#define ASSAY_CTL_COMMAND_H
/* What a command of assayctl is. A new one is a function in a file of its own and a line in main.c's table.
 * argv[0] is the command's name. Results go to out, complaints to err; the return is the exit status. */
#include <stdio.h>

/* The same of every command; `assayctl --help` says them. */
enum ctl_exit {
    CTL_OK = 0,          /* done, accepted */
    CTL_REFUSED = 1,     /* the answer is no */
    CTL_USAGE = 2,       /* asked wrongly: bad option, a file that cannot be read, output that cannot be written */
    CTL_UNREACHABLE = 3, /* no assayd answers; of a preflight: some nodes were not reached */
};

struct ctl_command {
    const char *name;
    const char *help; /* one line */
    int (*run)(int argc, char **argv, FILE *out, FILE *err);
};

int ctl_verify(int argc, char **argv, FILE *out, FILE *err);
int ctl_certs(int argc, char **argv, FILE *out, FILE *err);
int ctl_ciphers(int argc, char **argv, FILE *out, FILE *err);
int ctl_preflight(int argc, char **argv, FILE *out, FILE *err);
int ctl_allow_list(int argc, char **argv, FILE *out, FILE *err);
int ctl_check(int argc, char **argv, FILE *out, FILE *err);

/* Those that ask a running assayd. */
int ctl_status(int argc, char **argv, FILE *out, FILE *err);
int ctl_reload(int argc, char **argv, FILE *out, FILE *err);
int ctl_trust(int argc, char **argv, FILE *out, FILE *err);
int ctl_origins(int argc, char **argv, FILE *out, FILE *err);
int ctl_verdicts(int argc, char **argv, FILE *out, FILE *err);
int ctl_connections(int argc, char **argv, FILE *out, FILE *err);
int ctl_crls(int argc, char **argv, FILE *out, FILE *err);
int ctl_names(int argc, char **argv, FILE *out, FILE *err);
int ctl_capture(int argc, char **argv, FILE *out, FILE *err);
int ctl_stats(int argc, char **argv, FILE *out, FILE *err);
int ctl_enforce(int argc, char **argv, FILE *out, FILE *err);
int ctl_expiry(int argc, char **argv, FILE *out, FILE *err);
int ctl_set(int argc, char **argv, FILE *out, FILE *err);
int ctl_xconfiguration(int argc, char **argv, FILE *out, FILE *err);

#endif
