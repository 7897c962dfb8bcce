/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_POLICIES_H
#define ASSAY_X509_POLICIES_H
/* Certificate policies. The operator asks for no policy (user-initial-policy-set is anyPolicy), so they decide only where a CA
 * itself demands one (policyConstraints, requireExplicitPolicy): then a path must have a policy that is valid along all of it.
 * For that question the last level of RFC 9618's graph says everything: what is kept is one level, the set of policies expected
 * next, not the tree that grows without bound in RFC 5280's own wording. The anchor is no part of the path (RFC 5280 §6.1).
 * Pure. Work: at most POLICIES_MAX policies a level; a certificate with more has none where one is demanded.
 * Source: RFC 9618 §5 (in place of RFC 5280 §6.1.2 to §6.1.5), RFC 5280 §4.2.1.4, §4.2.1.5, §4.2.1.11, §4.2.1.14. */
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"
#include "x509/certificate.h"
#include "x509/reason.h"

#define POLICIES_MAX 64

/* The four extensions' decoders, for extensions.c. MALFORMED with *fault. */
enum assay_error x509_policies_parse(struct slice value, struct x509_certificate *out, const char **fault)
    ASSAY_MUST_USE;
enum assay_error x509_policy_mappings_parse(struct slice value, struct x509_certificate *out, const char **fault)
    ASSAY_MUST_USE;
enum assay_error x509_policy_constraints_parse(struct slice value, struct x509_certificate *out, const char **fault)
    ASSAY_MUST_USE;
enum assay_error x509_inhibit_any_policy_parse(struct slice value, struct x509_certificate *out, const char **fault)
    ASSAY_MUST_USE;

/* path[0] is the leaf, path[count - 1] the anchor. On failure *depth is the certificate where no policy was left. */
enum x509_reason x509_policies_check(const struct x509_certificate *const *path, size_t count, int *depth);

#endif
