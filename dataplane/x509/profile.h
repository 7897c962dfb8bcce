/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_PROFILE_H
#define ASSAY_X509_PROFILE_H
/* What a certificate of a path must look like beyond what makes it sound:
 * - enterprise: nothing. Private CAs deviate harmlessly, and the rules of path validation (rules.h) hold in any case.
 * - rfc5280: the MUSTs of RFC 5280 §4 for conforming CAs, of the anchor too.
 * - webpki: those, and the CA/Browser Forum's Baseline Requirements for TLS server certificates (§6.1.5, §6.1.6, §6.3.2,
 *   §7.1.2), as far as a certificate shows them: no public suffix list, no certificate transparency. One is taken back: name
 *   constraints may be non-critical (BR §7.1.2.10.8).
 * Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "x509/certificate.h"
#include "x509/verify.h"

/* The first rule that path[index] breaks, in words; NULL: none. is_anchor: the path ends in it. */
const char *x509_profile_fault(const struct x509_certificate *const *path, size_t index, bool is_anchor,
                               const struct x509_policy *policy);

#endif
