/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_REPORT_VERIFY_REPORT_H
#define ASSAY_REPORT_VERIFY_REPORT_H
/* A verdict with its path and every path that failed, in lines and as JSON: what `assayctl verify` prints, and `assayctl verdicts
 * show` of a running assayd. Owner: the caller gets a new reference. Pure. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "base/slice.h"
#include "x509/identity.h"
#include "x509/verify.h"

struct verify_report {
    struct x509_identity identity;
    uint64_t at_s;
    const struct x509_result *result;
    const struct x509_trace *trace; /* NULL: not asked for */
};

void verify_report_text(const struct verify_report *report, FILE *out);
void verify_report_attempts(const struct x509_trace *trace, FILE *out);
json_t *verify_report_object(const struct verify_report *report);
void verify_report_json(const struct verify_report *report, FILE *out);
/* The names of enum x509_warning's bits, as a list. */
json_t *verify_report_warnings(uint32_t bits);

#endif
