/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_OPTIONS_H
#define ASSAY_CTL_OPTIONS_H
/* The command line of a command that has options of its own; those that only ask assayd use ctl_admin_parse().
 * Owner: words point into argv. Thread: main, getopt_long(3) has state of its own. */
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#define CTL_WORDS_ANY INT_MAX
/* The end of each table of options. */
#define CTL_OPTIONS_END               \
    {"help", no_argument, NULL, 'h'}, \
    {                                 \
        NULL, 0, NULL, 0              \
    }

struct ctl_options {
    const char *command;        /* its name, for complaints */
    const char *usage;          /* what --help prints */
    const struct option *table; /* ends with CTL_OPTIONS_END, which is 'h' */
    /* One option, with its value in optarg. False: wrong, and err says why. */
    bool (*take)(void *options, int option, FILE *err);
    int words_max; /* words that are no options */
};

/* What is no option. */
struct ctl_words {
    char **items;
    int count;
};

/* True: go on. False: *code is what to return (help was given, or the usage was wrong). */
bool ctl_options_parse(const struct ctl_options *what, int argc, char **argv, void *options, struct ctl_words *words,
                       FILE *out, FILE *err, int *code);

#endif
