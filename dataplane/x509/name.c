/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/name.h"

#include "base/address.h"
#include "x509/dn.h"

static bool byte_is_host(uint8_t c)
{
    c = ascii_lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool x509_name_is_host(struct slice name)
{
    size_t label = 0, i = 0;

    if (name.len >= 2 && name.data[0] == '*' && name.data[1] == '.')
        i = 2;
    if (name.len == 0 || name.len > 253 || i == name.len)
        return false;
    for (; i < name.len; i++) {
        if (name.data[i] == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (!byte_is_host(name.data[i]) || ++label > 63)
            return false;
    }
    return label > 0;
}

static bool dns_match(struct slice presented, struct slice reference)
{
    const uint8_t *dot;
    struct slice parent;

    if (!x509_name_is_host(presented))
        return false;
    if (presented.data[0] != '*')
        return slice_equal_nocase(presented, reference);
    parent = slice_tail(presented, 2);
    dot = memchr(reference.data, '.', reference.len);
    /* "*.com": a wildcard over a whole registry. */
    if (dot == NULL || parent.len == 0 || memchr(parent.data, '.', parent.len) == NULL)
        return false;
    return slice_equal_nocase(parent, slice_tail(reference, (size_t)(dot - reference.data) + 1));
}

bool x509_name_address(struct slice text, struct x509_identity *out)
{
    /* No root's dot behind it, no brackets: those are a client's spellings, not a certificate's. */
    return text.len > 0 && text.data[0] != '[' && text.data[text.len - 1] != '.' &&
           x509_identity_from_host(text, out) == ASSAY_OK && out->kind != X509_IDENTITY_DNS;
}

/* Is this text the address of the identity? */
static bool text_is_address(struct slice text, const struct x509_identity *identity)
{
    struct x509_identity spelled;

    return x509_name_address(text, &spelled) && x509_identity_equal(&spelled, identity);
}

static bool text_match(struct slice text, const struct x509_identity *identity, const struct x509_policy *policy)
{
    if (identity->kind == X509_IDENTITY_DNS)
        return dns_match(text, slice_of(identity->bytes, identity->length));
    return policy->compat_ip_as_dns && text_is_address(text, identity);
}

bool x509_name_cn_applies(const struct x509_certificate *leaf, const struct x509_policy *policy, bool dns)
{
    struct slice names = leaf->san, value;
    enum x509_general_name kind;

    if (policy->cn_match == X509_CN_NEVER || (!dns && !policy->compat_ip_as_dns))
        return false;
    if (policy->cn_match == X509_CN_EITHER)
        return true;
    while (x509_general_name_next(&names, &kind, &value))
        if (kind == X509_NAME_DNS || (!dns && kind == X509_NAME_IP))
            return false;
    return true;
}

static bool common_name_match(const struct x509_certificate *leaf, const struct x509_identity *identity,
                              const struct x509_policy *policy)
{
    struct dn_attribute attribute;
    char text[256];
    int length;

    if (!x509_name_cn_applies(leaf, policy, identity->kind == X509_IDENTITY_DNS) ||
        !dn_common_name(leaf->subject, &attribute))
        return false;
    length = dn_text(&attribute, text, sizeof(text));
    return length > 0 && text_match(slice_of(text, (size_t)length), identity, policy);
}

bool x509_name_match(const struct x509_certificate *leaf, const struct x509_identity *identity,
                     const struct x509_policy *policy, uint32_t *warnings)
{
    struct slice names = leaf->san, value;
    enum x509_general_name kind;
    bool as_dns = false;

    while (x509_general_name_next(&names, &kind, &value)) {
        if (kind == X509_NAME_IP && identity->kind != X509_IDENTITY_DNS &&
            slice_equal(value, slice_of(identity->bytes, identity->length)))
            return true;
        if (kind != X509_NAME_DNS || !text_match(value, identity, policy))
            continue;
        if (identity->kind == X509_IDENTITY_DNS)
            return true;
        as_dns = true; /* an iPAddress further on would make the better match */
    }
    if (!as_dns && !common_name_match(leaf, identity, policy))
        return false;
    if (identity->kind != X509_IDENTITY_DNS)
        *warnings |= X509_WARN_IP_AS_DNS;
    if (!as_dns)
        *warnings |= X509_WARN_CN_USED;
    return true;
}
