/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_CRL_SCOPE_H
#define ASSAY_X509_CRL_SCOPE_H
/* Which certificates a CRL speaks for: the CRL's issuingDistributionPoint against the certificate's cRLDistributionPoints.
 * Not followed: a DistributionPoint whose cRLIssuer is somebody else (indirect CRLs), and a name relative to the issuer
 * against a full one. Both mean "not covered", never "not revoked".
 * Pure. Source: RFC 5280 §4.2.1.13, §5.2.5, §6.3.3 (b), (d), (e). */
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"
#include "x509/certificate.h"

#define X509_REASONS_ALL 0x1fe /* ReasonFlags, bit n as 1 << n: keyCompromise (1) to aACompromise (8) */

struct x509_crl_scope {
    bool user_only, ca_only, attribute_only, indirect;
    bool named;
    uint16_t reasons;       /* X509_REASONS_ALL without onlySomeReasons */
    struct slice full_name; /* GeneralNames */
    struct slice relative;  /* an RDN's contents */
};

/* The contents of an issuingDistributionPoint extension. MALFORMED. */
enum assay_error x509_crl_scope_parse(struct slice value, struct x509_crl_scope *out) ASSAY_MUST_USE;
/* A CRL without that extension: everything of its issuer. */
void x509_crl_scope_all(struct x509_crl_scope *out);

/* For which reasons does a CRL of this scope, from the certificate's issuer, speak for it? 0: not at all. */
uint16_t x509_crl_scope_reasons(const struct x509_crl_scope *scope, const struct x509_certificate *certificate);

/* Do these DistributionPoints decode? For extensions.c. */
bool x509_crl_points_check(struct slice points);

/* Where the next DistributionPoint of a certificate says that its CRL is: the URIs of its name, alternatives to each other, at most
 * max of them. Points whose CRL is another issuer's, and those without a URI, are passed over. False: no more. */
bool x509_crl_point_next(struct slice *points, struct slice *uris, size_t max, size_t *count);

#endif
