/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/extensions.h"

#include "x509/crl_scope.h"
#include "x509/der.h"
#include "x509/dn.h"
#include "x509/name.h"
#include "x509/policies.h"

#define EXTENSIONS_MAX 64

static enum assay_error malformed(const char **fault, const char *text)
{
    *fault = text;
    return ASSAY_ERR_MALFORMED;
}

/* dNSName, URI and mail addresses are IA5; a NUL or another control octet in one is an attack on C strings. */
static bool ia5_is_clean(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] >= 0x7f)
            return false;
    return true;
}

/* A mask of ones, then zeroes. */
static bool mask_is_prefix(const uint8_t *mask, size_t length)
{
    bool ended = false;

    for (size_t i = 0; i < length; i++)
        for (int bit = 7; bit >= 0; bit--) {
            bool one = mask[i] >> bit & 1;

            if (one && ended)
                return false;
            ended = ended || !one;
        }
    return true;
}

/* A dNSName of a constraint: all names, or a host, or what stands behind a host's dot. Of any other form it could match
 * nothing, and what the CA meant to exclude would pass. */
static bool dns_base_is_good(struct slice base)
{
    bool dotted = base.len > 1 && base.data[0] == '.';

    return base.len == 0 || (base.data[0] != '*' && x509_name_is_host(dotted ? slice_tail(base, 1) : base));
}

/* One GeneralName; in a constraint an address carries its mask and a DNS name no wildcard. */
static bool general_name_is_good(const struct der_value *name, bool constraint)
{
    uint8_t kind = name->tag & 0x1f;
    bool constructed = kind == X509_NAME_OTHER || (kind >= X509_NAME_X400 && kind <= X509_NAME_EDI_PARTY);
    struct slice body = name->body, value;
    struct der_value any;

    if (kind > X509_NAME_REGISTERED_ID || name->tag != (uint8_t)((constructed ? 0xa0 : 0x80) | kind))
        return false;
    switch (kind) {
    case X509_NAME_OTHER: /* {type-id, [0] EXPLICIT value}, the value being what its type says */
        return der_read_oid(&body, &value) == ASSAY_OK &&
               der_read(&body, DER_CONTEXT_CONSTRUCTED(0), &value) == ASSAY_OK && body.len == 0 &&
               der_next(&value, &any) == ASSAY_OK && value.len == 0;
    case X509_NAME_DNS: return constraint ? dns_base_is_good(body) : ia5_is_clean(body);
    case X509_NAME_EMAIL:
    case X509_NAME_URI: return ia5_is_clean(body);
    case X509_NAME_DIRECTORY:
        return der_read(&body, DER_SEQUENCE, &value) == ASSAY_OK && body.len == 0 && dn_check(value) == ASSAY_OK;
    case X509_NAME_IP:
        if (!constraint)
            return body.len == 4 || body.len == 16;
        return (body.len == 8 || body.len == 32) && mask_is_prefix(body.data + body.len / 2, body.len / 2);
    default: return true;
    }
}

bool x509_general_names_check(struct slice list)
{
    struct der_value name;

    if (list.len == 0)
        return false;
    while (list.len > 0)
        if (der_next(&list, &name) != ASSAY_OK || !general_name_is_good(&name, false))
            return false;
    return true;
}

static enum assay_error san_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    if (der_read(&value, DER_SEQUENCE, &out->san) != ASSAY_OK || value.len != 0 || !x509_general_names_check(out->san))
        return malformed(fault, "the subjectAltName does not decode");
    return ASSAY_OK;
}

static enum assay_error aki_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    struct slice list;
    bool good = der_read(&value, DER_SEQUENCE, &list) == ASSAY_OK && value.len == 0;

    if (good && der_is_next(list, DER_CONTEXT(0)))
        good = der_read(&list, DER_CONTEXT(0), &out->aki_key_id) == ASSAY_OK;
    if (good && der_is_next(list, DER_CONTEXT_CONSTRUCTED(1)))
        good = der_read(&list, DER_CONTEXT_CONSTRUCTED(1), &out->aki_issuer) == ASSAY_OK &&
               x509_general_names_check(out->aki_issuer);
    if (good && der_is_next(list, DER_CONTEXT(2)))
        good = der_read_integer(&list, DER_CONTEXT(2), &out->aki_serial) == ASSAY_OK;
    if (!good || list.len != 0)
        return malformed(fault, "the authorityKeyIdentifier does not decode");
    return ASSAY_OK;
}

static enum assay_error ski_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    if (der_read(&value, DER_OCTET_STRING, &out->ski) != ASSAY_OK || value.len != 0 || out->ski.len == 0)
        return malformed(fault, "the subjectKeyIdentifier does not decode");
    return ASSAY_OK;
}

static enum assay_error basic_constraints_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    struct slice list;
    uint32_t path_length;

    if (der_read(&value, DER_SEQUENCE, &list) != ASSAY_OK || value.len != 0)
        return malformed(fault, "the basicConstraints do not decode");
    if (der_is_next(list, DER_BOOLEAN)) {
        if (der_read_boolean(&list, &out->is_ca) != ASSAY_OK)
            return malformed(fault, "the basicConstraints do not decode");
        if (!out->is_ca)
            out->deviations |= X509_DEVIATION_ENCODED_DEFAULT;
    }
    if (der_is_next(list, DER_INTEGER)) {
        enum assay_error error = der_read_small(&list, DER_INTEGER, &path_length);

        if (error == ASSAY_ERR_MALFORMED)
            return malformed(fault, "the path length does not decode");
        if (error == ASSAY_OK && path_length <= INT16_MAX) /* a larger limit is none */
            out->path_length = (int16_t)path_length;
        else if (error != ASSAY_OK) {
            struct slice large;

            if (der_read_integer(&list, DER_INTEGER, &large) != ASSAY_OK)
                return malformed(fault, "the path length does not decode");
        }
    }
    return list.len == 0 ? ASSAY_OK : malformed(fault, "the basicConstraints do not decode");
}

static enum assay_error key_usage_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    struct slice bits;
    uint8_t unused;

    if (der_read_bits(&value, &bits, &unused) != ASSAY_OK || value.len != 0 || bits.len > 2)
        return malformed(fault, "the keyUsage does not decode");
    /* Bit 0 of the BIT STRING is the first octet's highest. */
    for (size_t i = 0; i < bits.len * 8; i++)
        if (bits.data[i / 8] >> (7 - i % 8) & 1)
            out->key_usage |= (uint16_t)(1 << i);
    if (out->key_usage == 0)
        return malformed(fault, "the keyUsage allows nothing");
    if ((bits.data[bits.len - 1] >> unused & 1) == 0)
        out->deviations |= X509_DEVIATION_KEY_USAGE_BITS;
    return ASSAY_OK;
}

static enum assay_error extended_key_usage_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    static const uint8_t kp[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03}; /* id-kp, one arc follows */
    static const uint8_t any[] = {0x55, 0x1d, 0x25, 0x00};
    struct slice list, oid;

    if (der_read(&value, DER_SEQUENCE, &list) != ASSAY_OK || value.len != 0 || list.len == 0)
        return malformed(fault, "the extKeyUsage does not decode");
    out->eku = list;
    while (list.len > 0) {
        uint16_t usage = X509_EKU_OTHER;

        if (der_read_oid(&list, &oid) != ASSAY_OK)
            return malformed(fault, "the extKeyUsage does not decode");
        if (slice_equal(oid, slice_of(any, sizeof(any))))
            usage = X509_EKU_ANY;
        else if (oid.len == sizeof(kp) + 1 && memcmp(oid.data, kp, sizeof(kp)) == 0)
            switch (oid.data[sizeof(kp)]) {
            case 1: usage = X509_EKU_SERVER_AUTH; break;
            case 2: usage = X509_EKU_CLIENT_AUTH; break;
            case 9: usage = X509_EKU_OCSP_SIGNING; break;
            default: break;
            }
        out->extended_key_usage |= usage;
    }
    return ASSAY_OK;
}

/* GeneralSubtree: {base, minimum [0] DEFAULT 0, maximum [1] OPTIONAL}; the profile allows only minimum 0 and no maximum.
 * A zero that DER would omit is read. */
static bool subtrees_are_good(struct slice list, uint32_t *deviations)
{
    struct slice subtree;
    struct der_value name;
    uint32_t minimum = 0;

    if (list.len == 0)
        return false;
    while (list.len > 0) {
        if (der_read(&list, DER_SEQUENCE, &subtree) != ASSAY_OK || der_next(&subtree, &name) != ASSAY_OK ||
            !general_name_is_good(&name, true))
            return false;
        if (subtree.len > 0) {
            if (der_read_small(&subtree, DER_CONTEXT(0), &minimum) != ASSAY_OK || minimum != 0)
                return false;
            *deviations |= X509_DEVIATION_ENCODED_DEFAULT;
        }
        if (subtree.len != 0)
            return false;
    }
    return true;
}

static enum assay_error name_constraints_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    struct slice list;
    bool good = der_read(&value, DER_SEQUENCE, &list) == ASSAY_OK && value.len == 0 && list.len != 0;

    if (good && der_is_next(list, DER_CONTEXT_CONSTRUCTED(0)))
        good = der_read(&list, DER_CONTEXT_CONSTRUCTED(0), &out->nc_permitted) == ASSAY_OK &&
               subtrees_are_good(out->nc_permitted, &out->deviations);
    if (good && der_is_next(list, DER_CONTEXT_CONSTRUCTED(1)))
        good = der_read(&list, DER_CONTEXT_CONSTRUCTED(1), &out->nc_excluded) == ASSAY_OK &&
               subtrees_are_good(out->nc_excluded, &out->deviations);
    if (!good || list.len != 0)
        return malformed(fault, "the nameConstraints do not decode");
    return ASSAY_OK;
}

static enum assay_error crl_points_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    if (der_read(&value, DER_SEQUENCE, &out->crl_points) != ASSAY_OK || value.len != 0 ||
        !x509_crl_points_check(out->crl_points))
        return malformed(fault, "the cRLDistributionPoints do not decode");
    return ASSAY_OK;
}

/* Where issuers and responders are found: nothing here fetches them, so that a fault is no more than a deviation. */
static enum assay_error authority_info_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    struct slice list, description, oid;
    struct der_value place;
    bool good = der_read(&value, DER_SEQUENCE, &list) == ASSAY_OK && value.len == 0 && list.len > 0;

    (void)fault;
    while (good && list.len > 0)
        good = der_read(&list, DER_SEQUENCE, &description) == ASSAY_OK &&
               der_read_oid(&description, &oid) == ASSAY_OK && der_next(&description, &place) == ASSAY_OK &&
               description.len == 0 && general_name_is_good(&place, false);
    if (!good)
        out->deviations |= X509_DEVIATION_AUTHORITY_INFO;
    return ASSAY_OK;
}

static enum assay_error ocsp_nocheck_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    struct slice null;

    (void)out;
    if (der_read(&value, DER_NULL, &null) != ASSAY_OK || null.len != 0 || value.len != 0)
        return malformed(fault, "the ocsp-nocheck does not decode");
    return ASSAY_OK;
}

/* Features: the numbers of TLS extensions. Those beside status_request demand nothing of us (RFC 7633 §4.1). */
static enum assay_error tls_feature_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    static const uint8_t status_request[] = {5};
    struct slice list, feature;

    if (der_read(&value, DER_SEQUENCE, &list) != ASSAY_OK || value.len != 0)
        return malformed(fault, "the TLS feature extension does not decode");
    while (list.len > 0) {
        if (der_read_integer(&list, DER_INTEGER, &feature) != ASSAY_OK)
            return malformed(fault, "the TLS feature extension does not decode");
        out->must_staple |= slice_equal(feature, slice_of(status_request, sizeof(status_request)));
    }
    return ASSAY_OK;
}

struct known_extension {
    uint8_t arc;
    bool never_critical; /* §4.2.1.1 and §4.2.1.2: MUST be non-critical */
    enum x509_extension bit;
    enum assay_error (*parse)(struct slice value, struct x509_certificate *out, const char **fault);
};

/* What we decode, under id-ce (2.5.29). */
static const struct known_extension known[] = {
    {14, true, X509_EXT_SKI, ski_parse},
    {15, false, X509_EXT_KEY_USAGE, key_usage_parse},
    {17, false, X509_EXT_SAN, san_parse},
    {19, false, X509_EXT_BASIC_CONSTRAINTS, basic_constraints_parse},
    {30, false, X509_EXT_NAME_CONSTRAINTS, name_constraints_parse},
    {31, false, X509_EXT_CRL_POINTS, crl_points_parse},
    {32, false, X509_EXT_POLICIES, x509_policies_parse},
    {33, false, X509_EXT_POLICY_MAPPINGS, x509_policy_mappings_parse},
    {35, true, X509_EXT_AKI, aki_parse},
    {36, false, X509_EXT_POLICY_CONSTRAINTS, x509_policy_constraints_parse},
    {37, false, X509_EXT_EXTENDED_KEY_USAGE, extended_key_usage_parse},
    {54, false, X509_EXT_INHIBIT_ANY_POLICY, x509_inhibit_any_policy_parse},
};

static const struct known_extension authority_info = {1, false, X509_EXT_AUTHORITY_INFO, authority_info_parse};
static const struct known_extension ocsp_nocheck = {5, false, X509_EXT_OCSP_NOCHECK, ocsp_nocheck_parse};
static const struct known_extension tls_feature = {24, false, X509_EXT_TLS_FEATURE, tls_feature_parse};

static const struct known_extension *known_find(struct slice oid)
{
    static const uint8_t id_pe_authority_info[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01};
    static const uint8_t id_ocsp_nocheck[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x05};

    static const uint8_t id_pe_tls_feature[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x18};

    if (slice_equal(oid, slice_of(id_pe_tls_feature, sizeof(id_pe_tls_feature))))
        return &tls_feature;
    if (slice_equal(oid, slice_of(id_pe_authority_info, sizeof(id_pe_authority_info))))
        return &authority_info;
    if (slice_equal(oid, slice_of(id_ocsp_nocheck, sizeof(id_ocsp_nocheck))))
        return &ocsp_nocheck;
    if (oid.len != 3 || oid.data[0] != 0x55 || oid.data[1] != 0x1d)
        return NULL;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].arc == oid.data[2])
            return &known[i];
    return NULL;
}

static enum assay_error extension_parse(struct slice oid, bool critical, struct slice value,
                                        struct x509_certificate *out, const char **fault)
{
    const struct known_extension *extension = known_find(oid);
    enum assay_error error;

    /* authorityInfoAccess is read, not processed: critical it asks for more than we do (§4.2.2.1). */
    if (critical && (extension == NULL || extension == &authority_info))
        out->unknown_critical = true;
    if (extension == NULL)
        return ASSAY_OK;
    if (critical && extension->never_critical)
        return malformed(fault, "a key identifier is marked critical");
    if ((error = extension->parse(value, out, fault)) != ASSAY_OK)
        return error;
    out->extensions |= extension->bit;
    if (critical)
        out->critical |= extension->bit;
    return ASSAY_OK;
}

enum assay_error x509_extensions_parse(struct slice list, struct x509_certificate *out, const char **fault)
{
    struct slice seen[EXTENSIONS_MAX];
    size_t count = 0;

    while (list.len > 0) {
        struct slice extension, oid, value;
        bool critical = false, stated;
        enum assay_error error;

        if (der_read(&list, DER_SEQUENCE, &extension) != ASSAY_OK || der_read_oid(&extension, &oid) != ASSAY_OK)
            return malformed(fault, "an extension does not decode");
        stated = der_is_next(extension, DER_BOOLEAN);
        if ((stated && der_read_boolean(&extension, &critical) != ASSAY_OK) ||
            der_read(&extension, DER_OCTET_STRING, &value) != ASSAY_OK || extension.len != 0)
            return malformed(fault, "an extension does not decode");
        if (stated && !critical)
            out->deviations |= X509_DEVIATION_ENCODED_DEFAULT;
        if (count == EXTENSIONS_MAX)
            return malformed(fault, "too many extensions");
        for (size_t i = 0; i < count; i++)
            if (slice_equal(seen[i], oid))
                return malformed(fault, "an extension is there twice");
        seen[count++] = oid;
        if ((error = extension_parse(oid, critical, value, out, fault)) != ASSAY_OK)
            return error;
    }
    return ASSAY_OK;
}
