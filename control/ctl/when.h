/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_WHEN_H
#define ASSAY_CTL_WHEN_H
/* A moment on the command line: seconds since 1970, or RFC 3339 ("2026-01-02T03:04:05Z", "2026-01-02 05:04:05+02:00").
 * Fractions are cut off. Pure. Errors: MALFORMED, RANGE (before 1970). Source: RFC 3339 §5.6. */
#include <stdint.h>

#include "assay/error.h"

enum assay_error ctl_when_parse(const char *text, uint64_t *seconds) ASSAY_MUST_USE;

#endif
