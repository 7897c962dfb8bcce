/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_VERIFY_H
#define ASSAY_CTL_VERIFY_H
/* The parts of `assayctl verify`: what was asked (verify.c), and how the answer is written (verify_report.c). */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

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
void verify_report_json(const struct verify_report *report, FILE *out);

#endif
