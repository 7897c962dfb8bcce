/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/rules.h"

/* RFC 5280 §4.2.1.12: every issuer that limits its use must include ours; anyExtendedKeyUsage includes all. */
static bool usage_is_ours(const struct x509_certificate *certificate, const struct x509_policy *policy)
{
    uint16_t ours = policy->purpose == X509_PURPOSE_CLIENT ? X509_EKU_CLIENT_AUTH : X509_EKU_SERVER_AUTH;

    return !x509_certificate_has(certificate, X509_EXT_EXTENDED_KEY_USAGE) ||
           (certificate->extended_key_usage & (ours | X509_EKU_ANY)) != 0;
}

/* A TLS server signs, decrypts a premaster secret or agrees on one; a client signs (RFC 8446 §4.4.2.2, RFC 5246 §7.4.6). */
static enum x509_reason leaf_rule(const struct x509_certificate *leaf, const struct x509_policy *policy)
{
    uint16_t tls = X509_KU_DIGITAL_SIGNATURE;

    if (policy->purpose == X509_PURPOSE_SERVER)
        tls |= X509_KU_KEY_ENCIPHERMENT | X509_KU_KEY_AGREEMENT;
    if (!usage_is_ours(leaf, policy) ||
        (x509_certificate_has(leaf, X509_EXT_KEY_USAGE) && (leaf->key_usage & tls) == 0))
        return X509_REASON_PURPOSE;
    return X509_REASON_OK;
}

static enum x509_reason issuer_rule(const struct x509_certificate *const *path, size_t index, bool is_anchor,
                                    const struct x509_policy *policy)
{
    const struct x509_certificate *issuer = path[index];
    bool version1_root = is_anchor && issuer->version < 3 && issuer->self_issued;
    int intermediates = 0;

    if (!issuer->is_ca && !version1_root)
        return X509_REASON_NOT_A_CA;
    if (x509_certificate_has(issuer, X509_EXT_KEY_USAGE) && !(issuer->key_usage & X509_KU_KEY_CERT_SIGN))
        return X509_REASON_CA_KEY_USAGE;
    if (!usage_is_ours(issuer, policy))
        return X509_REASON_PURPOSE;
    for (size_t i = 1; i < index; i++)
        intermediates += !path[i]->self_issued;
    if (issuer->path_length >= 0 && intermediates > issuer->path_length)
        return X509_REASON_PATH_LENGTH;
    return X509_REASON_OK;
}

enum x509_reason x509_rule_extensions(const struct x509_certificate *const *path, size_t index, bool is_anchor,
                                      const struct x509_policy *policy)
{
    if (path[index]->unknown_critical)
        return X509_REASON_UNKNOWN_CRITICAL_EXTENSION;
    return index == 0 ? leaf_rule(path[0], policy) : issuer_rule(path, index, is_anchor, policy);
}

enum x509_reason x509_rule_validity(const struct x509_certificate *certificate, const struct x509_policy *policy,
                                    uint64_t now_s)
{
    int64_t now = now_s > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)now_s;

    if (now + policy->skew_s < certificate->not_before_s)
        return X509_REASON_NOT_YET_VALID;
    if (now > certificate->not_after_s + (int64_t)policy->skew_s)
        return X509_REASON_EXPIRED;
    return X509_REASON_OK;
}

enum x509_reason x509_rule_key(const struct x509_certificate *certificate, const struct x509_policy *policy)
{
    const struct x509_key *key = &certificate->key;

    if (key->kind == X509_KEY_UNSUPPORTED)
        return X509_REASON_UNSUPPORTED_ALGORITHM;
    if ((key->kind == X509_KEY_RSA || key->kind == X509_KEY_RSA_PSS) && key->bits < policy->rsa_bits_min)
        return X509_REASON_WEAK_KEY;
    return X509_REASON_OK;
}

enum x509_reason x509_rule_digest(const struct x509_certificate *certificate, const struct x509_policy *policy)
{
    enum x509_digest digest = certificate->signature_algorithm.digest;

    if (digest == X509_DIGEST_MD5 || (digest == X509_DIGEST_SHA1 && !policy->sha1_allowed))
        return X509_REASON_WEAK_DIGEST;
    if (certificate->signature_algorithm.kind == X509_SIGNATURE_UNSUPPORTED)
        return X509_REASON_UNSUPPORTED_ALGORITHM;
    return X509_REASON_OK;
}
