/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_OCSP_H
#define ASSAY_X509_OCSP_H
/* A responder's word about one certificate, as a server staples it or a file holds it: read, then judged.
 * It counts when it speaks of that certificate (serial number, and both issuer hashes, SHA-1 or SHA-256), is signed by the
 * issuer itself or by a responder to whom that very issuer gave id-kp-OCSPSigning, and is current. A delegated responder's
 * certificate must carry ocsp-nocheck: we do not ask whether it is revoked in turn. anyExtendedKeyUsage delegates nothing.
 * No nextUpdate leaves open how long it holds: it is not used, nor is one that is over; but revoked is revoked in both. One
 * with an unknown critical extension is never used.
 * Strict DER. Owner: the caller of the bytes. Pure, no allocation. Work: at most two signature checks a certificate looked at.
 * Source: RFC 6960 §3.2, §4.2; RFC 5019 §2.2. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"
#include "x509/certificate.h"
#include "x509/reason.h"
#include "x509/signature.h"
#include "x509/verify.h"

#define X509_OCSP_SIZE_MAX    65536
#define OCSP_CERTIFICATES_MAX 4 /* certificates of a response looked at */

struct x509_ocsp {
    struct slice tbs;                /* ResponseData with its header: what is signed */
    struct slice responder_name;     /* contents of a Name; empty: by key */
    struct slice responder_key_sha1; /* empty: by name */
    int64_t produced_s;
    struct slice responses; /* x509_ocsp_single_next() */
    struct x509_signature_algorithm signature_algorithm;
    struct slice signature;
    struct slice certificates; /* one behind the other */
};

enum x509_ocsp_status { X509_OCSP_GOOD, X509_OCSP_REVOKED, X509_OCSP_UNKNOWN };

struct x509_ocsp_single {
    enum x509_digest digest; /* of the two hashes; NONE: one that we do not know */
    struct slice name_hash, key_hash;
    struct slice serial; /* INTEGER contents */
    enum x509_ocsp_status status;
    uint8_t reason; /* CRLReason of a revocation */
    bool unknown_critical;
    bool has_next_update;
    int64_t this_update_s, next_update_s;
};

/* MALFORMED; REFUSED: the responder gives no answer (tryLater, unauthorized …); UNSUPPORTED: not a basic response, or with a
 * critical extension. Each with *fault (may be NULL). */
enum assay_error x509_ocsp_parse(struct slice der, struct x509_ocsp *out, const char **fault) ASSAY_MUST_USE;
/* The next answer of a list that the parser has accepted; false at its end. */
bool x509_ocsp_single_next(struct slice *rest, struct x509_ocsp_single *out);

struct x509_ocsp_verdict {
    enum x509_reason
        reason;         /* OK: good; REVOKED; OCSP_UNKNOWN: the responder does not know it; OCSP_FAILED: not usable;
                             * WORK_LIMIT */
    const char *detail; /* static */
    int64_t until_s;    /* nextUpdate, or a delegated responder's notAfter, and skew, where reason is OK */
    int64_t this_update_s, next_update_s; /* of what it says about that certificate; 0: nothing, or left open */
};
/* issuer: of the certificate, in a path that holds. */
void x509_ocsp_judge(struct slice response, const struct x509_certificate *certificate,
                     const struct x509_certificate *issuer, const struct x509_policy *policy, uint64_t now_s,
                     struct x509_work *work, struct x509_ocsp_verdict *out);
/* The same about the leaf of a verdict's path, be the path accepted or not; OCSP_FAILED where no issuer is in it. Work: its own. */
void x509_ocsp_judge_path(struct slice response, const struct x509_result *result, const struct x509_policy *policy,
                          uint64_t now_s, struct x509_ocsp_verdict *out);

#endif
