/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_PREFLIGHT_H
#define ASSAY_CTL_PREFLIGHT_H
/* What `assayctl preflight` has in common with `ciphers explain` and `certs`: a probe run by assayctl itself, and how a report
 * is shown. Owner: the caller gets new references. Thread: any one. */
#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "daemon/preflight.h"

/* Runs it to its end, with a bar on err where that is a terminal. NULL with the faults on err.
 * probe false: nobody is asked, the report has no rows. */
json_t *ctl_preflight_run(const struct preflight_settings *settings, bool probe, FILE *err);
/* The table and its summary. */
void ctl_preflight_print(const json_t *report, FILE *out);
/* The exit status of a report. strict: warnings, and what would be met only with other ciphers, count too. */
int ctl_preflight_status(const json_t *report, bool strict);

#endif
