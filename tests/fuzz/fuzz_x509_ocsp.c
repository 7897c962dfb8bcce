/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A certificate, its issuer, and what a responder says of it: the verdict is the same when asked twice, bounded in work, and
 * good only for an answer about that certificate. */
#include "fuzz.h"
#include "x509/der.h"
#include "x509/ocsp.h"

#define NOW 1700000000

static bool speaks_of(struct slice response, const struct x509_certificate *certificate)
{
    struct x509_ocsp_single single;
    struct x509_ocsp ocsp;
    struct slice rest;

    if (x509_ocsp_parse(response, &ocsp, NULL) != ASSAY_OK)
        return false;
    for (rest = ocsp.responses; x509_ocsp_single_next(&rest, &single);)
        if (slice_equal(single.serial, certificate->serial))
            return true;
    FUZZ_CHECK(rest.len == 0);
    return false;
}

static struct x509_ocsp_verdict judge(struct slice response, const struct x509_certificate *certificate,
                                      const struct x509_certificate *issuer, const struct x509_policy *policy)
{
    struct x509_work work = {.max = 12};
    struct x509_ocsp_verdict verdict;

    x509_ocsp_judge(response, certificate, issuer, policy, NOW, &work, &verdict);
    FUZZ_CHECK(work.used <= work.max);
    FUZZ_CHECK((verdict.reason == X509_REASON_OK) == (verdict.detail == NULL));
    FUZZ_CHECK(verdict.reason == X509_REASON_OK || verdict.reason == X509_REASON_REVOKED ||
               verdict.reason == X509_REASON_OCSP_UNKNOWN || verdict.reason == X509_REASON_OCSP_FAILED ||
               verdict.reason == X509_REASON_WORK_LIMIT);
    return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct x509_certificate certificate, issuer;
    struct x509_ocsp_verdict first, again;
    struct der_value value[2];
    struct x509_policy policy;
    struct x509_ocsp ocsp;
    enum assay_error error = x509_ocsp_parse(rest, &ocsp, NULL); /* alone */

    FUZZ_CHECK(error == ASSAY_OK || error == ASSAY_ERR_MALFORMED || error == ASSAY_ERR_REFUSED ||
               error == ASSAY_ERR_UNSUPPORTED);
    if (der_next(&rest, &value[0]) != ASSAY_OK || der_next(&rest, &value[1]) != ASSAY_OK ||
        x509_certificate_parse(value[0].whole, &certificate, NULL) != ASSAY_OK ||
        x509_certificate_parse(value[1].whole, &issuer, NULL) != ASSAY_OK)
        return 0;
    x509_policy_default(&policy);
    first = judge(rest, &certificate, &issuer, &policy);
    again = judge(rest, &certificate, &issuer, &policy);
    FUZZ_CHECK(first.reason == again.reason && first.until_s == again.until_s);
    if (first.reason == X509_REASON_OK || first.reason == X509_REASON_REVOKED)
        FUZZ_CHECK(speaks_of(rest, &certificate));
    if (first.reason == X509_REASON_OK)
        FUZZ_CHECK(first.until_s >= NOW);
    return 0;
}
