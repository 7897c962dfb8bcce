/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_ADMIN_H
#define ASSAY_CTL_ADMIN_H
/* What the commands that talk to assayd have in common: the options --socket, --json and --help, the call and
 * complaints. Thread: any. */
#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "base/slice.h"
#include "ctl/command.h"
#include "ctl/print.h"

#define CTL_WORDS_MAX 16

struct ctl_admin {
    const char *socket;
    bool json;
    bool dry_run, force;                                           /* --dry-run, --force */
    const char *days;                                              /* --days */
    const char *role;                                              /* --role */
    const char *duration;                                          /* --for */
    const char *deployment, *origin;                               /* --deployment, --origin */
    const char *max;                                               /* --max */
    const char *file, *filter, *snaplen, *max_bytes, *max_packets; /* of capture */
    const char *state, *side, *address, *port, *sort;              /* --state … of connections */
    int word_count;                                                /* what is no option, without the command's name */
    const char *words[CTL_WORDS_MAX];
    FILE *out, *err;
};

/* Options an individual command has beside the common ones. */
enum ctl_admin_option {
    CTL_ADMIN_ROLE = 1 << 0,
    CTL_ADMIN_FOR = 1 << 1,
    CTL_ADMIN_MAX = 1 << 2,
    CTL_ADMIN_FILTER = 1 << 3,
    CTL_ADMIN_CAPTURE = 1 << 4,
    CTL_ADMIN_DEPLOYMENT = 1 << 5,
    CTL_ADMIN_ORIGIN = 1 << 6,
    CTL_ADMIN_DRY_RUN = 1 << 7,
    CTL_ADMIN_FORCE = 1 << 8,
    CTL_ADMIN_DAYS = 1 << 9
};

/* True: go on. False: *code is what to return (help was given, or the usage was wrong). */
bool ctl_admin_parse(int argc, char **argv, const char *usage, unsigned options, struct ctl_admin *admin, FILE *out,
                     FILE *err, int *code);
/* For commands that take no words: complains of the first. */
bool ctl_admin_no_words(const struct ctl_admin *admin, int *code);
/* Calls; an error of the daemon (its "error" and "problems") goes to err. Returns the exit status, *answer set when CTL_OK. */
int ctl_admin_call(const struct ctl_admin *admin, const char *method, const char *path, struct slice body,
                   json_t **answer);
/* Appends "?name=value", or with & where there is a query already, to a path; everything but letters and digits is
 * percent-encoded (RFC 3986 §2.1). value NULL: nothing. False: it does not fit. */
bool ctl_path_add(char *path, size_t size, const char *name, const char *value);
/* "90", "30s", "15m", "4h", "2d" as seconds, at most a year; 0: none of these. */
long ctl_duration_parse(const char *text);
/* GETs the path and prints the answer: as JSON with --json, else by print. The exit status. */
int ctl_admin_show(const struct ctl_admin *admin, const char *path,
                   void (*print)(const struct ctl_admin *admin, const json_t *answer));
/* Prints the JSON as it is. */
void ctl_admin_print_json(const struct ctl_admin *admin, const json_t *answer);
/* "generation 7, all cores after 0.312 ms", warnings and what needs a restart. */
void ctl_admin_print_change(const struct ctl_admin *admin, const json_t *answer);

#endif
