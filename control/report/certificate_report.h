/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_REPORT_CERTIFICATE_REPORT_H
#define ASSAY_REPORT_CERTIFICATE_REPORT_H
/* A certificate in a line, and decoded as JSON. Whatever it holds, the text is printable and on one line (x509/describe.h).
 * Owner: the caller gets a new reference. Pure. */
#include <stdio.h>

#include <jansson.h>

#include "base/slice.h"
#include "x509/certificate.h"

/* One line behind indent; what does not decode is named in parentheses. */
void certificate_report_line(struct slice der, const char *indent, FILE *out);
/* subject, common_name, issuer, issuer_common_name, type (self-signed, CA-signed), ca, serial, not_before, not_after,
 * not_after_s, key, key_type, signature, names (SAN), sha256. For one that does not decode: malformed, with the reason, alone. */
json_t *certificate_report_json(struct slice der);
/* "RSA", "EC", "Ed25519", "other". */
const char *certificate_report_key_type(const struct x509_certificate *certificate);

#endif
