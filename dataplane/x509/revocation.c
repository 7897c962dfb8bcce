/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/revocation.h"

#include "x509/ocsp.h"

#define SCOPES_MAX 16 /* CRLs of different scope that one certificate needs; deployed partitions have two or three */

const char *x509_revocation_reason(uint8_t reason)
{
    static const char *const names[] = {
        "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
        "superseded",    "cessationOfOperation", "certificateHold", "",
        "removeFromCRL", "privilegeWithdrawn",   "aACompromise"};

    return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "";
}

/* What is known about one certificate so far. */
struct status {
    const struct x509_certificate *certificate, *issuer;
    struct slice scopes[SCOPES_MAX]; /* done: later CRLs of them are older */
    size_t scope_count;
    uint16_t reasons;        /* covered by current CRLs */
    int64_t until_s;         /* of those */
    int64_t news_s;          /* the last second before another CRL, which is there already, begins to count */
    bool stapled;            /* the stapled response says good, */
    int64_t stapled_s;       /* as of then */
    enum x509_reason reason; /* why not more */
    const char *detail;
};

static bool scope_is_done(const struct status *status, const struct x509_crl *crl)
{
    for (size_t i = 0; i < status->scope_count; i++)
        if (slice_equal(status->scopes[i], crl->scope_der))
            return true;
    return false;
}

/* Why this CRL cannot speak for the certificate, whoever signed it; NULL: it can. */
static const char *crl_fault(const struct status *status, const struct x509_crl *crl, const struct x509_policy *policy)
{
    const struct x509_certificate *issuer = status->issuer;

    if (x509_certificate_has(issuer, X509_EXT_KEY_USAGE) && !(issuer->key_usage & X509_KU_CRL_SIGN))
        return "the issuer may not sign CRLs (keyUsage)";
    if (crl->aki_key_id.len > 0 && issuer->ski.len > 0 && !slice_equal(crl->aki_key_id, issuer->ski))
        return "the CRL is of another key of the issuer";
    if (crl->signature_algorithm.digest == X509_DIGEST_MD5 ||
        (crl->signature_algorithm.digest == X509_DIGEST_SHA1 && !policy->sha1_allowed))
        return "the CRL's digest is too weak";
    if (policy->profile != X509_PROFILE_ENTERPRISE && !crl->has_number)
        return "the CRL has no number";
    return NULL;
}

/* The signature, as long as work is left. OK, REFUSED, or LIMIT. */
static enum assay_error crl_signature(struct x509_revocation *revocation, const struct x509_crl_record *record,
                                      const struct x509_certificate *issuer)
{
    enum assay_error error;

    if (!x509_work_take(revocation->work, &issuer->key))
        return ASSAY_ERR_LIMIT;
    error = x509_signature_check_digest(&record->digest, record->crl.tbs, &record->crl.signature_algorithm,
                                        record->crl.signature, &issuer->key);
    if (error == ASSAY_OK || error == ASSAY_ERR_UNSUPPORTED || error == ASSAY_ERR_REFUSED)
        return error == ASSAY_OK ? ASSAY_OK : ASSAY_ERR_REFUSED;
    return ASSAY_ERR_LIMIT; /* the machine failed: nothing may be concluded */
}

static void status_lacks(struct status *status, enum x509_reason reason, const char *detail)
{
    /* "There was one, but" says more than "none". */
    if (status->reason == X509_REASON_CRL_EXPIRED)
        return;
    status->reason = reason;
    status->detail = detail;
}

/* What a CRL with a good signature says. */
static void crl_apply(struct status *status, const struct x509_revocation *revocation,
                      const struct x509_crl_record *record)
{
    const struct x509_crl *crl = &record->crl;
    int64_t now = (int64_t)revocation->now_s, skew = revocation->policy->skew_s;
    struct x509_crl_entry entry;
    uint16_t reasons;

    if (now + skew < crl->this_update_s) {
        status_lacks(status, X509_REASON_NO_CRL, "the CRL is not valid yet");
        if (crl->this_update_s - skew - 1 < status->news_s)
            status->news_s = crl->this_update_s - skew - 1;
        return;
    }
    if (status->scope_count < SCOPES_MAX)
        status->scopes[status->scope_count++] = crl->scope_der;
    if (x509_crl_record_find(record, status->certificate->serial, &entry)) {
        status->reason = X509_REASON_REVOKED;
        status->detail = x509_revocation_reason(entry.reason);
        return;
    }
    reasons = x509_crl_scope_reasons(&crl->scope, status->certificate);
    if (reasons == 0) {
        status_lacks(status, X509_REASON_NO_CRL, "the CRL's scope does not cover the certificate");
        return;
    }
    if (now > crl->next_update_s + skew) {
        status_lacks(status, X509_REASON_CRL_EXPIRED, "the CRL's nextUpdate is over");
        return;
    }
    status->reasons |= reasons;
    if (crl->next_update_s + skew < status->until_s)
        status->until_s = crl->next_update_s + skew;
}

/* False: the work is used up. */
static bool status_find(struct status *status, struct x509_revocation *revocation)
{
    const struct x509_crl_record *record;
    size_t next = 0;

    if (revocation->crls == NULL)
        return true;
    while (status->reason != X509_REASON_REVOKED && status->reasons != X509_REASONS_ALL &&
           (record = x509_crl_set_next(revocation->crls, status->certificate->issuer, status->certificate->issuer_hash,
                                       &next)) != NULL) {
        const char *fault = crl_fault(status, &record->crl, revocation->policy);
        enum assay_error error;

        if (scope_is_done(status, &record->crl))
            continue;
        if (fault != NULL) {
            status_lacks(status, X509_REASON_NO_CRL, fault);
            continue;
        }
        error = crl_signature(revocation, record, status->issuer);
        if (error == ASSAY_ERR_LIMIT)
            return false;
        if (error == ASSAY_OK)
            crl_apply(status, revocation, record);
        else
            status_lacks(status, X509_REASON_NO_CRL, "the CRL's signature is not the issuer's");
    }
    return true;
}

/* The stapled response, for the leaf. False: the work is used up. */
static bool staple_find(struct status *status, struct x509_revocation *revocation)
{
    struct x509_ocsp_verdict verdict;

    if (revocation->staple.len == 0)
        return true;
    x509_ocsp_judge(revocation->staple, status->certificate, status->issuer, revocation->policy, revocation->now_s,
                    revocation->work, &verdict);
    if (verdict.reason == X509_REASON_WORK_LIMIT)
        return false;
    status->reason = verdict.reason;
    status->detail = verdict.detail;
    if (verdict.reason == X509_REASON_OK) {
        status->reasons = X509_REASONS_ALL;
        status->until_s = verdict.until_s;
        status->stapled = true;
        status->stapled_s = verdict.this_update_s;
    }
    return true;
}

/* What the CA told some other connection of the leaf: that it is revoked. Only a later word outvotes that (a hold may be lifted):
 * who has a stolen key staples an earlier "good" as long as it lasts. False: the work is used up. */
static bool told_find(struct status *status, struct x509_revocation *revocation)
{
    struct x509_ocsp_verdict verdict;
    struct slice told;

    if (revocation->crls == NULL || status->reason == X509_REASON_REVOKED)
        return true;
    told = x509_crl_set_response(revocation->crls, status->certificate->sha256);
    if (told.len == 0)
        return true;
    x509_ocsp_judge(told, status->certificate, status->issuer, revocation->policy, revocation->now_s, revocation->work,
                    &verdict);
    if (verdict.reason == X509_REASON_REVOKED && !(status->stapled && status->stapled_s > verdict.this_update_s)) {
        status->reason = X509_REASON_REVOKED;
        status->detail = verdict.detail;
    }
    return verdict.reason != X509_REASON_WORK_LIMIT;
}

/* Does the leaf demand a response that is not there, or no use? */
static bool staple_is_missing(const struct status *status, const struct x509_revocation *revocation)
{
    return status->certificate->must_staple && !status->stapled && revocation->policy->purpose == X509_PURPOSE_SERVER;
}

enum x509_reason x509_revocation_check(const struct x509_certificate *const *path, size_t count,
                                       struct x509_revocation *revocation, int *depth)
{
    enum x509_reason missing = X509_REASON_OK;
    const char *detail = NULL;

    revocation->undetermined = false;
    revocation->until_s = INT64_MAX;
    revocation->detail = NULL;
    if (revocation->policy->revocation == X509_REVOCATION_OFF)
        return X509_REASON_OK;
    for (size_t i = 0; i + 1 < count; i++) {
        struct status status = {.certificate = path[i],
                                .issuer = path[i + 1],
                                .until_s = INT64_MAX,
                                .news_s = INT64_MAX,
                                .reason = X509_REASON_NO_CRL,
                                .detail = "no CRL of the issuer"};

        if ((i == 0 && (!staple_find(&status, revocation) || !told_find(&status, revocation))) ||
            !status_find(&status, revocation)) {
            *depth = (int)i;
            return X509_REASON_WORK_LIMIT;
        }
        if (status.reason == X509_REASON_REVOKED) {
            *depth = (int)i;
            revocation->detail = status.detail;
            return X509_REASON_REVOKED;
        }
        if (i == 0 && staple_is_missing(&status, revocation)) {
            *depth = 0;
            revocation->detail =
                revocation->staple.len > 0 ? status.detail : "the certificate demands a stapled response";
            return X509_REASON_OCSP_NEEDED;
        }
        revocation->until_s = status.news_s < revocation->until_s ? status.news_s : revocation->until_s;
        if (status.reasons == X509_REASONS_ALL) {
            revocation->until_s = status.until_s < revocation->until_s ? status.until_s : revocation->until_s;
        } else if (missing == X509_REASON_OK) {
            missing = status.reason;
            detail = status.detail;
            *depth = (int)i;
        }
    }
    if (missing == X509_REASON_OK)
        return X509_REASON_OK;
    revocation->detail = detail;
    revocation->undetermined = true;
    return revocation->policy->revocation == X509_REVOCATION_HARD_FAIL ? missing : X509_REASON_OK;
}
