/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_REVOCATION_H
#define ASSAY_X509_REVOCATION_H
/* Is a certificate of a valid path revoked, by the CRLs and the stapled OCSP response at hand? Every certificate but the anchor is asked about.
 * A CRL counts when it bears the name of the certificate's issuer, is signed by the very key that signed the certificate (with
 * cRLSign, where that issuer's keyUsage says anything), its scope covers the certificate, and now lies between its thisUpdate
 * and nextUpdate, give or take policy.skew_s. Of several CRLs of one scope the latest counts. CRLs of one certificate may
 * share the reasons out among them; all must be covered. A CA that signs its CRLs with another key than its certificates is
 * not supported: no CRL, not "good".
 * Revoked is revoked in soft-fail too, and by an expired CRL too: a hold that was lifted since is rarer than a CRL that an
 * attacker keeps from being renewed.
 * Pure. Work: at most what is left of it. Source: RFC 5280 §6.3. */
#include <stddef.h>
#include <stdint.h>

#include "x509/certificate.h"
#include "x509/crl_set.h"
#include "x509/reason.h"
#include "x509/verify.h"

struct x509_revocation {
    const struct x509_crl_set *crls; /* NULL: none */
    const struct x509_policy *policy;
    uint64_t now_s;
    struct slice staple; /* an OCSP response about path[0] (ocsp.h); empty: none */
    struct x509_work *work;
    /* results */
    bool undetermined; /* soft-fail: passed without knowing */
    int64_t until_s;   /* earliest nextUpdate relied upon, or just before a CRL with a later thisUpdate begins to count:
                         * a CA's clock may be ahead of ours. INT64_MAX when there is none */
    const char *detail; /* static: why there is no usable CRL, or the reason of the revocation */
};

/* OK, REVOKED, NO_CRL, CRL_EXPIRED, OCSP_FAILED, OCSP_UNKNOWN (these four in hard-fail only), OCSP_NEEDED, WORK_LIMIT; *depth:
 * of the certificate. A good OCSP response does for the leaf what its CRLs would; one that is no use leaves it to them, unless
 * the leaf's TLS feature extension demands a good one (RFC 7633 §4.2.3): then nothing else does, in soft-fail too. A response
 * of crls that says the leaf is revoked counts until a newer one is stapled that says good. */
enum x509_reason x509_revocation_check(const struct x509_certificate *const *path, size_t count,
                                       struct x509_revocation *revocation, int *depth);

/* CRLReason in words: "keyCompromise". */
const char *x509_revocation_reason(uint8_t reason);

#endif
