/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_CRL_H
#define ASSAY_X509_CRL_H
/* One certificate revocation list: read in one pass over its bytes, however many entries there are, without allocating.
 * Strict DER. Refused as UNSUPPORTED, each with its own text: a delta CRL, an indirect CRL (or an entry that names another
 * issuer), an unknown critical extension of the CRL or of an entry: who does not understand one of those must not conclude
 * anything from the list (§5.2, §5.3). Refused as MALFORMED: everything else that is wrong, among it no nextUpdate, which
 * leaves open for how long the list may be believed (§5.1.2.5 requires it).
 * The signature is not checked here: crl_set.h and revocation.h know who should have made it.
 * Owner: the caller keeps der alive. Pure. Source: RFC 5280 §5. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"
#include "x509/certificate.h"
#include "x509/crl_scope.h"

#define X509_CRL_SIZE_MAX (512U << 20)

struct x509_crl {
    struct slice der;
    struct slice tbs; /* what is signed, with its header */
    struct slice issuer;
    uint64_t issuer_hash;
    int64_t this_update_s, next_update_s;
    struct x509_signature_algorithm signature_algorithm;
    struct slice signature;
    struct slice revoked; /* entries: x509_crl_entry_next() */
    size_t entry_count;
    uint8_t version; /* 1 or 2 */
    bool has_number;
    struct slice number; /* INTEGER contents */
    struct slice aki_key_id;
    struct slice scope_der; /* the issuingDistributionPoint as it stands; empty: none */
    struct x509_crl_scope scope;
};

struct x509_crl_entry {
    struct slice serial; /* INTEGER contents */
    int64_t revoked_s;
    uint8_t reason; /* CRLReason; 0: unspecified, or none given */
};

enum assay_error x509_crl_parse(struct slice der, struct x509_crl *out, const char **fault) ASSAY_MUST_USE;
/* The next entry of a list that the parser has accepted; false at its end. */
bool x509_crl_entry_next(struct slice *rest, struct x509_crl_entry *out);

#endif
