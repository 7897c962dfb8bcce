/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_REPORT_STAPLE_REPORT_H
#define ASSAY_REPORT_STAPLE_REPORT_H
/* What an OCSP response that was stapled to a chain had to say in its verdict, as JSON and as a line. Pure.
 * Owner: the caller gets a new reference. */
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "base/slice.h"
#include "x509/verify.h"

/* {"status": good, revoked, unknown, or not usable; "detail": why, or null; "this_update", "next_update" (null: left open);
 * "asked": does the policy ask for revocation at all; "bytes"}. null: nothing is stapled. result: the verdict with it. */
json_t *staple_report_object(struct slice staple, const struct x509_result *result, const struct x509_policy *policy,
                             uint64_t now_s);
/* A line of such an object; for null, that there is none. */
void staple_report_text(const json_t *object, FILE *out);

#endif
