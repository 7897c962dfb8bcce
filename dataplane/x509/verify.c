/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/verify.h"

#include "x509/certificate.h"
#include "x509/name.h"
#include "x509/path.h"

void x509_policy_default(struct x509_policy *policy)
{
    *policy = (struct x509_policy){
        .cn_match = X509_CN_FALLBACK,
        .compat_ip_as_dns = true,
        .sha1_allowed = true,
        .rsa_bits_min = 1024,
        .depth_max = 8,
        .work_max = 64,
    };
}

void x509_policy_profile(struct x509_policy *policy, enum x509_profile profile)
{
    policy->profile = profile;
    if (profile == X509_PROFILE_ENTERPRISE)
        return;
    policy->cn_match = X509_CN_NEVER;
    policy->compat_ip_as_dns = false;
    if (profile != X509_PROFILE_WEBPKI)
        return;
    policy->sha1_allowed = false;
    if (policy->rsa_bits_min < 2048)
        policy->rsa_bits_min = 2048;
}

static int hex_value(uint8_t c)
{
    c = ascii_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum assay_error x509_pin_parse(struct slice text, uint8_t out[32])
{
    if (text.len != 64)
        return ASSAY_ERR_MALFORMED;
    for (size_t i = 0; i < 32; i++) {
        int high = hex_value(text.data[2 * i]), low = hex_value(text.data[2 * i + 1]);

        if (high < 0 || low < 0)
            return ASSAY_ERR_MALFORMED;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return ASSAY_OK;
}

static void result_fail(struct x509_result *result, enum x509_reason reason, int depth, struct slice fault)
{
    result->chain_reason = reason;
    result->depth = depth;
    result->fault = fault;
}

static void result_path(struct x509_result *result, const struct x509_certificate *const *path, size_t length)
{
    result->path_length = length;
    for (size_t i = 0; i < length; i++)
        result->path[i] = path[i]->der;
}

static void result_accept(struct x509_result *result, const struct path_search *search)
{
    int64_t until = INT64_MAX;

    result_path(result, search->path, search->length);
    for (size_t i = 0; i < search->length; i++) {
        const struct x509_certificate *certificate = search->path[i];
        bool rsa = certificate->key.kind == X509_KEY_RSA || certificate->key.kind == X509_KEY_RSA_PSS;

        if (certificate->not_after_s < until)
            until = certificate->not_after_s;
        if (rsa && certificate->key.bits < 2048)
            result->warnings |= X509_WARN_SMALL_KEY;
        /* The signature of the path's end was not relied upon. */
        if (i + 1 < search->length && certificate->signature_algorithm.digest == X509_DIGEST_SHA1)
            result->warnings |= X509_WARN_SHA1;
    }
    until += search->policy->skew_s;
    if (search->revocation.until_s < until)
        until = search->revocation.until_s;
    if (search->revocation.undetermined) {
        result->warnings |= X509_WARN_NO_STATUS;
        result->detail = search->revocation.detail;
    }
    result->chain_reason = X509_REASON_OK;
    result->valid_until_s = (uint64_t)until;
}

/* What was presented but could not be used may be what is missing. */
struct unused {
    size_t malformed; /* index in presented, 0: none */
    bool beyond;      /* more certificates than we look at */
};

static void result_refuse(struct x509_result *result, const struct path_search *search, const struct unused *unused,
                          const struct slice *presented)
{
    const struct path_attempt *best = &search->best;
    bool incomplete = best->reason == X509_REASON_UNKNOWN_ISSUER || best->reason == X509_REASON_WORK_LIMIT;

    result_path(result, best->path, best->length);
    if (incomplete && unused->malformed > 0)
        result_fail(result, X509_REASON_MALFORMED, (int)unused->malformed, presented[unused->malformed]);
    else if (incomplete && unused->beyond)
        result_fail(result, X509_REASON_CHAIN_TOO_LONG, X509_PRESENTED_MAX, presented[X509_PRESENTED_MAX]);
    else
        result_fail(result, best->reason, best->depth, best->path[best->depth]->der);
    if (result->chain_reason == best->reason)
        result->detail = best->detail;
}

void x509_verify(const struct x509_store *store, const struct slice *presented, size_t presented_count,
                 const struct x509_identity *identity, const struct x509_policy *policy, uint64_t now_s,
                 struct x509_result *result)
{
    x509_verify_traced(store, presented, presented_count, slice_of(NULL, 0), identity, policy, now_s, result, NULL);
}

void x509_verify_traced(const struct x509_store *store, const struct slice *presented, size_t presented_count,
                        struct slice staple, const struct x509_identity *identity, const struct x509_policy *policy,
                        uint64_t now_s, struct x509_result *result, struct x509_trace *trace)
{
    struct path_search search;
    struct unused unused = {0, presented_count > X509_PRESENTED_MAX};

    memset(result, 0, sizeof(*result));
    if (trace != NULL)
        trace->count = trace->left_out = 0;
    result->name_reason = X509_REASON_NAME_MISMATCH;
    if (presented_count == 0) {
        result_fail(result, X509_REASON_NO_CERTIFICATE, 0, slice_of(NULL, 0));
        return;
    }
    if (x509_certificate_parse(presented[0], &search.presented[0], &result->detail) != ASSAY_OK) {
        result_fail(result, X509_REASON_MALFORMED, 0, presented[0]);
        return;
    }
    if (x509_name_match(&search.presented[0], identity, policy, &result->warnings))
        result->name_reason = X509_REASON_OK;
    search.presented_count = 1;
    for (size_t i = 1; i < presented_count && i < X509_PRESENTED_MAX; i++) {
        if (x509_certificate_parse(presented[i], &search.presented[search.presented_count], NULL) == ASSAY_OK)
            search.presented_count++;
        else if (unused.malformed == 0)
            unused.malformed = i;
    }
    path_search_begin(&search, store, policy, now_s);
    search.trace = trace;
    search.revocation.staple = staple;
    if (path_find(&search)) {
        result_accept(result, &search);
    } else {
        path_explain(&search);
        result_refuse(result, &search, &unused, presented);
    }
    result->signatures_checked = search.work.checks;
}
