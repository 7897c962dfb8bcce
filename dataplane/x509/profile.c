/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/profile.h"

#include "base/address.h"
#include "x509/dn.h"
#include "x509/name.h"

#define DAY_S 86400

/* --- RFC 5280 --------------------------------------------------------------------------------------------------------------------- */

static const char *encoding_fault(const struct x509_certificate *c, bool is_anchor)
{
    /* Roots of public CAs that everybody trusts are numbered 0, and nobody looks a root up by its number. */
    if (!is_anchor && c->serial.len == 1 && c->serial.data[0] == 0)
        return "the serial number is zero (RFC 5280 4.1.2.2)";
    if (c->deviations & X509_DEVIATION_ENCODED_DEFAULT)
        return "a default value is encoded (X.690 11.5)";
    if (c->deviations & X509_DEVIATION_TIME_TYPE)
        return "a date before 2050 is no UTCTime (RFC 5280 4.1.2.5)";
    if (c->deviations & X509_DEVIATION_KEY_USAGE_BITS)
        return "the keyUsage has trailing zero bits (X.690 11.2.2)";
    if (c->deviations & X509_DEVIATION_AUTHORITY_INFO)
        return "the authorityInfoAccess does not decode (RFC 5280 4.2.2.1)";
    return NULL;
}

static const char *key_identifier_fault(const struct x509_certificate *c)
{
    /* Only a CA's self-signed certificate may leave it out; self-issued is what can be seen of that. */
    if (c->aki_key_id.len == 0 && !c->self_issued)
        return "there is no authorityKeyIdentifier (RFC 5280 4.2.1.1)";
    if (c->is_ca && c->ski.len == 0)
        return "a CA certificate has no subjectKeyIdentifier (RFC 5280 4.2.1.2)";
    return NULL;
}

static const char *ca_fault(const struct x509_certificate *c)
{
    bool signs = x509_certificate_has(c, X509_EXT_KEY_USAGE) && (c->key_usage & X509_KU_KEY_CERT_SIGN);

    if (c->is_ca && !x509_certificate_critical(c, X509_EXT_BASIC_CONSTRAINTS))
        return "a CA's basicConstraints are not critical (RFC 5280 4.2.1.9)";
    if (!c->is_ca && signs)
        return "the keyUsage of a certificate that is no CA has keyCertSign (RFC 5280 4.2.1.9)";
    if (!c->is_ca && c->path_length >= 0)
        return "a certificate that is no CA has a path length (RFC 5280 4.2.1.9)";
    return NULL;
}

static const char *criticality_fault(const struct x509_certificate *c, const struct x509_policy *policy)
{
    if (x509_certificate_has(c, X509_EXT_NAME_CONSTRAINTS) &&
        !x509_certificate_critical(c, X509_EXT_NAME_CONSTRAINTS) && policy->profile != X509_PROFILE_WEBPKI)
        return "the nameConstraints are not critical (RFC 5280 4.2.1.10)";
    if (x509_certificate_has(c, X509_EXT_POLICY_CONSTRAINTS) &&
        !x509_certificate_critical(c, X509_EXT_POLICY_CONSTRAINTS))
        return "the policyConstraints are not critical (RFC 5280 4.2.1.11)";
    if (x509_certificate_has(c, X509_EXT_INHIBIT_ANY_POLICY) &&
        !x509_certificate_critical(c, X509_EXT_INHIBIT_ANY_POLICY))
        return "the inhibitAnyPolicy is not critical (RFC 5280 4.2.1.14)";
    if (c->subject.len == 0 && !x509_certificate_critical(c, X509_EXT_SAN))
        return "the subject is empty and the subjectAltName not critical (RFC 5280 4.2.1.6)";
    return NULL;
}

static const char *names_fault(const struct x509_certificate *c)
{
    struct slice names = c->san, value, subtrees;
    enum x509_general_name kind;

    while (x509_general_name_next(&names, &kind, &value))
        if (kind == X509_NAME_DNS && (!x509_name_is_host(value) || memchr(value.data, '_', value.len) != NULL))
            return "a dNSName is no host name (RFC 5280 4.2.1.6)";
    for (int i = 0; i < 2; i++) {
        subtrees = i == 0 ? c->nc_permitted : c->nc_excluded;
        while (x509_subtree_next(&subtrees, &kind, &value))
            if (kind == X509_NAME_DNS && value.len > 0 && value.data[0] == '.')
                return "a dNSName constraint begins with a dot (RFC 5280 4.2.1.10)";
    }
    return NULL;
}

static const char *rfc5280_fault(const struct x509_certificate *c, bool is_anchor, const struct x509_policy *policy)
{
    const char *fault = encoding_fault(c, is_anchor);

    if (fault == NULL)
        fault = ca_fault(c);
    if (fault == NULL)
        fault = key_identifier_fault(c);
    if (fault == NULL)
        fault = criticality_fault(c, policy);
    return fault != NULL ? fault : names_fault(c);
}

/* --- CA/Browser Forum ------------------------------------------------------------------------------------------------------------- */

static const char *webpki_key_fault(const struct x509_certificate *c)
{
    switch (c->key.kind) {
    case X509_KEY_RSA: return c->key.bits % 8 != 0 ? "the RSA modulus is no multiple of 8 bits (BR 6.1.5)" : NULL;
    case X509_KEY_P256:
    case X509_KEY_P384:
    case X509_KEY_P521: return NULL;
    default: return "the key is neither RSA nor of a NIST curve (BR 6.1.5)";
    }
}

/* The longest validity of a server's certificate by its notBefore: {from, days}, the latest rule first. */
static const struct {
    int64_t from_s;
    int days;
} validity_limits[] = {
    {1868227200, 47},  /* 2029-03-15 */
    {1805068800, 100}, /* 2027-03-15 */
    {1773532800, 200}, /* 2026-03-15 */
    {1598918400, 398}, /* 2020-09-01 */
    {1519862400, 825}, /* 2018-03-01 */
};

static const char *webpki_validity_fault(const struct x509_certificate *leaf)
{
    for (size_t i = 0; i < sizeof(validity_limits) / sizeof(validity_limits[0]); i++)
        if (leaf->not_before_s >= validity_limits[i].from_s)
            /* Both ends are inside (BR 1.6.1, "Validity Period"). */
            return leaf->not_after_s - leaf->not_before_s + 1 > (int64_t)validity_limits[i].days * DAY_S
                       ? "the validity is longer than the limit of its date (BR 6.3.2)"
                       : NULL;
    return NULL;
}

/* BR §7.1.4.3: a commonName is a value of the SAN, octet by octet; an address in the form of RFC 5952. */
static bool common_name_is_in_san(const struct x509_certificate *leaf, struct slice text)
{
    struct slice names = leaf->san, value;
    enum x509_general_name kind;
    struct assay_address address;
    char spelled[ASSAY_ADDRESS_TEXT_MAX];

    while (x509_general_name_next(&names, &kind, &value)) {
        if (kind == X509_NAME_DNS && slice_equal(value, text))
            return true;
        if (kind != X509_NAME_IP)
            continue;
        memset(&address, 0, sizeof(address));
        if (value.len == 4)
            address.bytes[10] = address.bytes[11] = 0xff;
        memcpy(address.bytes + sizeof(address.bytes) - value.len, value.data, value.len);
        if (slice_is(text, address_format(&address, spelled)))
            return true;
    }
    return false;
}

static const char *webpki_names_fault(const struct x509_certificate *leaf)
{
    struct slice names = leaf->san, value;
    enum x509_general_name kind;
    struct dn_attribute attribute;
    char text[256];
    int length;

    if (!x509_certificate_has(leaf, X509_EXT_SAN))
        return "there is no subjectAltName (BR 7.1.2.7.12)";
    if (leaf->subject.len > 0 && x509_certificate_critical(leaf, X509_EXT_SAN))
        return "the subjectAltName is critical beside a subject (BR 7.1.2.7.12)";
    while (x509_general_name_next(&names, &kind, &value))
        if (kind != X509_NAME_DNS && kind != X509_NAME_IP)
            return "the subjectAltName has names that are neither DNS nor IP (BR 7.1.2.7.12)";
    if (!dn_common_name(leaf->subject, &attribute))
        return NULL;
    length = dn_text(&attribute, text, sizeof(text));
    return length > 0 && common_name_is_in_san(leaf, slice_of(text, (size_t)length))
               ? NULL
               : "the commonName is no name of the subjectAltName (BR 7.1.4.3)";
}

static const char *webpki_leaf_fault(const struct x509_certificate *leaf, const struct x509_policy *policy)
{
    uint16_t wanted = policy->purpose == X509_PURPOSE_CLIENT ? X509_EKU_CLIENT_AUTH : X509_EKU_SERVER_AUTH;
    const char *fault;

    if (leaf->version != 3)
        return "the certificate is not version 3 (BR 7.1.1)";
    if (leaf->is_ca)
        return "a server's certificate is a CA (BR 7.1.2.7.6)";
    if (!x509_certificate_has(leaf, X509_EXT_EXTENDED_KEY_USAGE) || !(leaf->extended_key_usage & wanted))
        return "the extKeyUsage does not name the purpose (BR 7.1.2.7.10)";
    if (leaf->extended_key_usage & X509_EKU_ANY)
        return "the extKeyUsage allows any purpose (BR 7.1.2.7.10)";
    if (x509_certificate_critical(leaf, X509_EXT_EXTENDED_KEY_USAGE))
        return "the extKeyUsage is critical (BR 7.1.2.7.6)";
    if (leaf->aki_issuer.len > 0 || leaf->aki_serial.len > 0)
        return "the authorityKeyIdentifier has more than a key identifier (BR 7.1.2.11.1)";
    fault = webpki_names_fault(leaf);
    return fault != NULL ? fault : webpki_validity_fault(leaf);
}

static const char *webpki_root_fault(const struct x509_certificate *root)
{
    if (x509_certificate_has(root, X509_EXT_EXTENDED_KEY_USAGE))
        return "a root has an extKeyUsage (BR 7.1.2.1.2)";
    if (!x509_certificate_has(root, X509_EXT_AKI))
        return NULL;
    if (root->aki_key_id.len == 0 || root->aki_issuer.len > 0 || root->aki_serial.len > 0)
        return "a root's authorityKeyIdentifier is no key identifier alone (BR 7.1.2.1.3)";
    return slice_equal(root->aki_key_id, root->ski) ? NULL : "a root's key identifiers differ (BR 7.1.2.1.3)";
}

const char *x509_profile_fault(const struct x509_certificate *const *path, size_t index, bool is_anchor,
                               const struct x509_policy *policy)
{
    const struct x509_certificate *c = path[index];
    const char *fault;

    if (policy->profile == X509_PROFILE_ENTERPRISE)
        return NULL;
    fault = rfc5280_fault(c, is_anchor, policy);
    if (fault != NULL || policy->profile == X509_PROFILE_RFC5280)
        return fault;
    fault = webpki_key_fault(c);
    if (fault == NULL && index == 0)
        fault = webpki_leaf_fault(c, policy);
    if (fault == NULL && is_anchor && index > 0 && c->self_issued)
        fault = webpki_root_fault(c);
    return fault;
}
