/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_PROGRESS_H
#define ASSAY_CTL_PROGRESS_H
/* A bar on a terminal, redrawn in place and taken away at the end; nothing at all where the stream is no terminal.
 * Owner: the caller's struct. Thread: any one. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct progress {
    FILE *out;
    bool shown; /* there is a line to be taken away */
    bool on;
    size_t done, total;
};

void progress_begin(struct progress *progress, FILE *out);
/* The same for a stream that is taken for a terminal or not, whatever it is. */
void progress_begin_as(struct progress *progress, FILE *out, bool terminal);
/* total 0: not known yet, then what alone is shown. */
void progress_show(struct progress *progress, const char *what, size_t done, size_t total);
void progress_end(struct progress *progress);

#endif
