/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_RULES_H
#define ASSAY_X509_RULES_H
/* What one certificate of a path must satisfy by itself and by what stands below it. Each rule depends only on the part of the
 * path that ends in the certificate, so that a search may cut a branch as soon as one fails.
 * Pure. Source: RFC 5280 §6.1.3, §6.1.4; RFC 4158 §3. */
#include <stddef.h>
#include <stdint.h>

#include "x509/certificate.h"
#include "x509/reason.h"
#include "x509/verify.h"

/* Critical extensions, CA and path length (index > 0), usage for policy.purpose. path[0..index] are there; is_anchor: the
 * operator vouches for it, so that a version 1 root may be a CA. */
enum x509_reason x509_rule_extensions(const struct x509_certificate *const *path, size_t index, bool is_anchor,
                                      const struct x509_policy *policy);
/* now within the validity, give or take policy.skew_s. */
enum x509_reason x509_rule_validity(const struct x509_certificate *certificate, const struct x509_policy *policy,
                                    uint64_t now_s);
/* A key we can use, large enough. */
enum x509_reason x509_rule_key(const struct x509_certificate *certificate, const struct x509_policy *policy);
/* A signature that policy lets us rely on; whether it is right is x509_signature_check()'s business. */
enum x509_reason x509_rule_digest(const struct x509_certificate *certificate, const struct x509_policy *policy);

#endif
