/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/crl.h"

#include "x509/algorithm.h"
#include "x509/der.h"
#include "x509/dn.h"

#define EXTENSIONS_MAX    32
#define REASON_REMOVE     8 /* removeFromCRL */
#define REASON_UNASSIGNED 7
#define REASON_LAST       10

static enum assay_error malformed(const char **fault, const char *text)
{
    *fault = text;
    return ASSAY_ERR_MALFORMED;
}

static enum assay_error unsupported(const char **fault, const char *text)
{
    *fault = text;
    return ASSAY_ERR_UNSUPPORTED;
}

/* One Extension; arc is its number under id-ce, or 0. */
struct extension {
    struct slice oid, value;
    uint8_t arc;
    bool critical;
};

static bool extension_take(struct slice *list, struct extension *out)
{
    struct slice body;

    out->critical = false;
    if (der_read(list, DER_SEQUENCE, &body) != ASSAY_OK || der_read_oid(&body, &out->oid) != ASSAY_OK ||
        (der_is_next(body, DER_BOOLEAN) && der_read_boolean(&body, &out->critical) != ASSAY_OK) ||
        der_read(&body, DER_OCTET_STRING, &out->value) != ASSAY_OK || body.len != 0)
        return false;
    out->arc = out->oid.len == 3 && out->oid.data[0] == 0x55 && out->oid.data[1] == 0x1d ? out->oid.data[2] : 0;
    return true;
}

/* --- entries -------------------------------------------------------------------------------------------------------------------- */

static enum assay_error reason_parse(struct slice value, uint8_t *out, const char **fault)
{
    struct slice body;

    if (der_read(&value, 0x0a, &body) != ASSAY_OK || value.len != 0 || body.len != 1 || body.data[0] > REASON_LAST ||
        body.data[0] == REASON_UNASSIGNED)
        return malformed(fault, "the reason of an entry does not decode");
    if (body.data[0] == REASON_REMOVE)
        return malformed(fault, "an entry of a complete CRL takes another one back");
    *out = body.data[0];
    return ASSAY_OK;
}

static enum assay_error entry_extensions_parse(struct slice list, uint8_t *reason, const char **fault)
{
    unsigned seen = 0;

    if (list.len == 0)
        return malformed(fault, "the extensions of an entry do not decode");
    while (list.len > 0) {
        struct extension extension;
        enum assay_error error;

        if (!extension_take(&list, &extension))
            return malformed(fault, "the extensions of an entry do not decode");
        if (extension.arc >= 21 && extension.arc <= 29) {
            if (seen >> extension.arc & 1)
                return malformed(fault, "an extension of an entry is there twice");
            seen |= 1u << extension.arc;
        }
        switch (extension.arc) {
        case 21: /* reasonCode */
            if ((error = reason_parse(extension.value, reason, fault)) != ASSAY_OK)
                return error;
            break;
        case 24: break; /* invalidityDate */
        case 29: return unsupported(fault, "an entry names another issuer: indirect CRLs are not supported");
        default:
            if (extension.critical)
                return unsupported(fault, "an entry has an unknown critical extension");
        }
    }
    return ASSAY_OK;
}

static enum assay_error entry_take(struct slice *rest, uint8_t version, struct x509_crl_entry *out, const char **fault)
{
    struct slice body, list;

    out->reason = 0;
    if (der_read(rest, DER_SEQUENCE, &body) != ASSAY_OK ||
        der_read_integer(&body, DER_INTEGER, &out->serial) != ASSAY_OK ||
        der_read_time(&body, &out->revoked_s) != ASSAY_OK)
        return malformed(fault, "an entry does not decode");
    if (body.len == 0)
        return ASSAY_OK;
    if (version < 2)
        return malformed(fault, "an entry of a version 1 CRL has extensions");
    if (der_read(&body, DER_SEQUENCE, &list) != ASSAY_OK || body.len != 0)
        return malformed(fault, "an entry does not decode");
    return entry_extensions_parse(list, &out->reason, fault);
}

bool x509_crl_entry_next(struct slice *rest, struct x509_crl_entry *out)
{
    const char *fault;

    return rest->len > 0 && entry_take(rest, 2, out, &fault) == ASSAY_OK;
}

static enum assay_error entries_parse(struct slice *tbs, struct x509_crl *out, const char **fault)
{
    struct x509_crl_entry entry;
    struct slice rest;
    enum assay_error error;

    if (!der_is_next(*tbs, DER_SEQUENCE))
        return ASSAY_OK;
    /* §5.1.2.6: absent when there is nothing revoked. An empty list is written by some and says the same. */
    if (der_read(tbs, DER_SEQUENCE, &out->revoked) != ASSAY_OK)
        return malformed(fault, "the revoked certificates do not decode");
    for (rest = out->revoked; rest.len > 0; out->entry_count++)
        if ((error = entry_take(&rest, out->version, &entry, fault)) != ASSAY_OK)
            return error;
    return ASSAY_OK;
}

/* --- extensions ------------------------------------------------------------------------------------------------------------------ */

static enum assay_error number_parse(const struct extension *extension, struct x509_crl *out, const char **fault)
{
    struct slice value = extension->value;

    if (extension->critical)
        return malformed(fault, "the CRL number is marked critical");
    if (der_read_integer(&value, DER_INTEGER, &out->number) != ASSAY_OK || value.len != 0 || out->number.len > 21 ||
        out->number.data[0] >= 0x80)
        return malformed(fault, "the CRL number does not decode");
    out->has_number = true;
    return ASSAY_OK;
}

static enum assay_error aki_parse(const struct extension *extension, struct x509_crl *out, const char **fault)
{
    struct slice value = extension->value, list;

    if (extension->critical)
        return malformed(fault, "a key identifier is marked critical");
    if (der_read(&value, DER_SEQUENCE, &list) != ASSAY_OK || value.len != 0 ||
        (der_is_next(list, DER_CONTEXT(0)) && der_read(&list, DER_CONTEXT(0), &out->aki_key_id) != ASSAY_OK))
        return malformed(fault, "the authorityKeyIdentifier does not decode");
    return ASSAY_OK;
}

static enum assay_error scope_parse(const struct extension *extension, struct x509_crl *out, const char **fault)
{
    out->scope_der = extension->value;
    if (x509_crl_scope_parse(extension->value, &out->scope) != ASSAY_OK)
        return malformed(fault, "the issuingDistributionPoint does not decode");
    if (out->scope.indirect)
        return unsupported(fault, "an indirect CRL: not supported");
    return ASSAY_OK;
}

static enum assay_error extension_parse(const struct extension *extension, struct x509_crl *out, const char **fault)
{
    switch (extension->arc) {
    case 20: return number_parse(extension, out, fault);
    case 27: return unsupported(fault, "a delta CRL: give the complete one");
    case 28: return scope_parse(extension, out, fault);
    case 35: return aki_parse(extension, out, fault);
    case 18:                  /* issuerAltName */
    case 46: return ASSAY_OK; /* freshestCRL: where deltas are */
    default: return extension->critical ? unsupported(fault, "the CRL has an unknown critical extension") : ASSAY_OK;
    }
}

static enum assay_error extensions_parse(struct slice *tbs, struct x509_crl *out, const char **fault)
{
    struct slice field, list, seen[EXTENSIONS_MAX];
    struct extension extension;
    enum assay_error error;
    size_t count = 0;

    if (tbs->len == 0)
        return ASSAY_OK;
    if (der_read(tbs, DER_CONTEXT_CONSTRUCTED(0), &field) != ASSAY_OK || tbs->len != 0 ||
        der_read(&field, DER_SEQUENCE, &list) != ASSAY_OK || field.len != 0 || list.len == 0)
        return malformed(fault, "the CRL's extensions do not decode");
    if (out->version < 2)
        return malformed(fault, "a version 1 CRL has extensions");
    while (list.len > 0) {
        if (!extension_take(&list, &extension))
            return malformed(fault, "the CRL's extensions do not decode");
        if (count == EXTENSIONS_MAX)
            return malformed(fault, "too many extensions");
        for (size_t i = 0; i < count; i++)
            if (slice_equal(seen[i], extension.oid))
                return malformed(fault, "an extension is there twice");
        seen[count++] = extension.oid;
        if ((error = extension_parse(&extension, out, fault)) != ASSAY_OK)
            return error;
    }
    return ASSAY_OK;
}

/* --- the list -------------------------------------------------------------------------------------------------------------------- */

static enum assay_error head_parse(struct slice *tbs, struct slice *algorithm, struct x509_crl *out, const char **fault)
{
    uint32_t version;

    out->version = 1;
    if (der_is_next(*tbs, DER_INTEGER)) {
        if (der_read_small(tbs, DER_INTEGER, &version) != ASSAY_OK || version != 1)
            return malformed(fault, "the version is not 2");
        out->version = 2;
    }
    if (der_read(tbs, DER_SEQUENCE, algorithm) != ASSAY_OK)
        return malformed(fault, "the inner signature algorithm does not decode");
    if (der_read(tbs, DER_SEQUENCE, &out->issuer) != ASSAY_OK || dn_check(out->issuer) != ASSAY_OK ||
        out->issuer.len == 0 || out->issuer.len > X509_DN_SIZE_MAX)
        return malformed(fault, "the issuer does not decode");
    out->issuer_hash = dn_hash(out->issuer);
    if (der_read_time(tbs, &out->this_update_s) != ASSAY_OK)
        return malformed(fault, "thisUpdate does not decode");
    if (!der_is_next(*tbs, DER_UTC_TIME) && !der_is_next(*tbs, DER_GENERALIZED_TIME))
        return malformed(fault, "there is no nextUpdate");
    if (der_read_time(tbs, &out->next_update_s) != ASSAY_OK)
        return malformed(fault, "nextUpdate does not decode");
    return ASSAY_OK;
}

enum assay_error x509_crl_parse(struct slice der, struct x509_crl *out, const char **fault)
{
    const char *unused_fault;
    struct slice rest = der, list, tbs, inner, outer;
    enum assay_error error;

    if (fault == NULL)
        fault = &unused_fault;
    memset(out, 0, sizeof(*out));
    x509_crl_scope_all(&out->scope);
    out->der = der;
    if (der.len > X509_CRL_SIZE_MAX)
        return malformed(fault, "the CRL is too large");
    if (der_read(&rest, DER_SEQUENCE, &list) != ASSAY_OK)
        return malformed(fault, "not a DER CRL");
    if (rest.len != 0)
        return malformed(fault, "data after the CRL");
    if (der_read_whole(&list, DER_SEQUENCE, &out->tbs) != ASSAY_OK ||
        der_read(&list, DER_SEQUENCE, &outer) != ASSAY_OK || der_read_octet_bits(&list, &out->signature) != ASSAY_OK ||
        list.len != 0)
        return malformed(fault, "the CRL does not decode");
    tbs = out->tbs;
    if (der_read(&tbs, DER_SEQUENCE, &tbs) != ASSAY_OK)
        return malformed(fault, "the CRL does not decode");
    if ((error = head_parse(&tbs, &inner, out, fault)) != ASSAY_OK ||
        (error = entries_parse(&tbs, out, fault)) != ASSAY_OK ||
        (error = extensions_parse(&tbs, out, fault)) != ASSAY_OK)
        return error;
    if (!slice_equal(inner, outer))
        return malformed(fault, "the inner and the outer signature algorithm differ");
    return x509_signature_algorithm_parse(outer, &out->signature_algorithm, fault);
}
