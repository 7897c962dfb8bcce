/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/certificate.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/hash.h>

#include "x509/algorithm.h"
#include "x509/der.h"
#include "x509/dn.h"
#include "x509/extensions.h"

#define YEAR_2050 2524608000 /* 2050-01-01T00:00:00Z */

static enum assay_error malformed(const char **fault, const char *text)
{
    *fault = text;
    return ASSAY_ERR_MALFORMED;
}

static enum assay_error version_parse(struct slice *tbs, struct x509_certificate *out, const char **fault)
{
    struct slice field;
    uint32_t version;

    out->version = 1;
    if (!der_is_next(*tbs, DER_CONTEXT_CONSTRUCTED(0)))
        return ASSAY_OK;
    if (der_read(tbs, DER_CONTEXT_CONSTRUCTED(0), &field) != ASSAY_OK ||
        der_read_small(&field, DER_INTEGER, &version) != ASSAY_OK || field.len != 0)
        return malformed(fault, "the version does not decode");
    if (version != 1 && version != 2) /* v1 is the default, and DER encodes no default */
        return malformed(fault, "the version is not 2 or 3");
    out->version = (uint8_t)(version + 1);
    return ASSAY_OK;
}

static enum assay_error serial_parse(struct slice *tbs, struct x509_certificate *out, const char **fault)
{
    if (der_read_integer(tbs, DER_INTEGER, &out->serial) != ASSAY_OK)
        return malformed(fault, "the serial number does not decode");
    if (out->serial.data[0] >= 0x80)
        return malformed(fault, "the serial number is negative");
    if (out->serial.len > 20)
        return malformed(fault, "the serial number is longer than 20 octets");
    return ASSAY_OK;
}

/* UTCTime through 2049, GeneralizedTime from 2050 on: the two never overlap in what a conforming CA writes. */
static enum assay_error time_parse(struct slice *validity, struct x509_certificate *out, int64_t *seconds)
{
    bool utc = der_is_next(*validity, DER_UTC_TIME);
    enum assay_error error = der_read_time(validity, seconds);

    if (error == ASSAY_OK && !utc && *seconds < YEAR_2050)
        out->deviations |= X509_DEVIATION_TIME_TYPE;
    return error;
}

static enum assay_error names_and_validity_parse(struct slice *tbs, struct x509_certificate *out, const char **fault)
{
    struct slice validity;

    if (der_read(tbs, DER_SEQUENCE, &out->issuer) != ASSAY_OK || dn_check(out->issuer) != ASSAY_OK)
        return malformed(fault, "the issuer does not decode");
    if (out->issuer.len == 0)
        return malformed(fault, "the issuer is empty");
    if (out->issuer.len > X509_DN_SIZE_MAX)
        return malformed(fault, "the issuer is too long");
    if (der_read(tbs, DER_SEQUENCE, &validity) != ASSAY_OK ||
        time_parse(&validity, out, &out->not_before_s) != ASSAY_OK ||
        time_parse(&validity, out, &out->not_after_s) != ASSAY_OK || validity.len != 0)
        return malformed(fault, "the validity does not decode");
    if (der_read(tbs, DER_SEQUENCE, &out->subject) != ASSAY_OK || dn_check(out->subject) != ASSAY_OK)
        return malformed(fault, "the subject does not decode");
    if (out->subject.len > X509_DN_SIZE_MAX)
        return malformed(fault, "the subject is too long");
    out->issuer_hash = dn_hash(out->issuer);
    out->subject_hash = dn_hash(out->subject);
    out->self_issued = out->issuer_hash == out->subject_hash && dn_equal(out->issuer, out->subject);
    return ASSAY_OK;
}

/* issuerUniqueID [1] and subjectUniqueID [2]: allowed, used by nobody. */
static enum assay_error unique_ids_skip(struct slice *tbs, const struct x509_certificate *out, const char **fault)
{
    for (uint8_t n = 1; n <= 2; n++) {
        struct slice id;

        if (!der_is_next(*tbs, DER_CONTEXT(n)))
            continue;
        if (out->version < 2)
            return malformed(fault, "a version 1 certificate has unique identifiers");
        if (der_read(tbs, DER_CONTEXT(n), &id) != ASSAY_OK || id.len == 0 || id.data[0] > 7)
            return malformed(fault, "a unique identifier does not decode");
    }
    return ASSAY_OK;
}

static enum assay_error extensions_parse(struct slice *tbs, struct x509_certificate *out, const char **fault)
{
    struct slice field, list;

    if (tbs->len == 0)
        return ASSAY_OK;
    if (der_read(tbs, DER_CONTEXT_CONSTRUCTED(3), &field) != ASSAY_OK || tbs->len != 0 ||
        der_read(&field, DER_SEQUENCE, &list) != ASSAY_OK || field.len != 0 || list.len == 0)
        return malformed(fault, "the extensions do not decode");
    if (out->version != 3)
        return malformed(fault, "a certificate that is not version 3 has extensions");
    return x509_extensions_parse(list, out, fault);
}

static enum assay_error tbs_parse(struct slice tbs, struct slice *inner_algorithm, struct x509_certificate *out,
                                  const char **fault)
{
    struct slice spki;
    enum assay_error error;

    if ((error = version_parse(&tbs, out, fault)) != ASSAY_OK || (error = serial_parse(&tbs, out, fault)) != ASSAY_OK)
        return error;
    if (der_read(&tbs, DER_SEQUENCE, inner_algorithm) != ASSAY_OK)
        return malformed(fault, "the inner signature algorithm does not decode");
    if ((error = names_and_validity_parse(&tbs, out, fault)) != ASSAY_OK)
        return error;
    if (der_read_whole(&tbs, DER_SEQUENCE, &out->spki) != ASSAY_OK)
        return malformed(fault, "the public key does not decode");
    spki = out->spki;
    if (der_read(&spki, DER_SEQUENCE, &spki) != ASSAY_OK)
        return malformed(fault, "the public key does not decode");
    if ((error = x509_key_parse(spki, &out->key, fault)) != ASSAY_OK ||
        (error = unique_ids_skip(&tbs, out, fault)) != ASSAY_OK)
        return error;
    return extensions_parse(&tbs, out, fault);
}

/* Combinations that no reading of the profile allows. */
static enum assay_error combination_check(const struct x509_certificate *out, const char **fault)
{
    if (out->subject.len == 0 && out->is_ca)
        return malformed(fault, "a CA certificate has an empty subject");
    if (out->subject.len == 0 && !x509_certificate_has(out, X509_EXT_SAN))
        return malformed(fault, "the certificate names no subject");
    if (x509_certificate_has(out, X509_EXT_NAME_CONSTRAINTS) && !out->is_ca)
        return malformed(fault, "a certificate that is no CA has name constraints");
    return ASSAY_OK;
}

enum assay_error x509_certificate_parse(struct slice der, struct x509_certificate *out, const char **fault)
{
    const char *unused_fault;
    struct slice rest = der, certificate, tbs, outer_algorithm, inner_algorithm;
    enum assay_error error;

    if (fault == NULL)
        fault = &unused_fault;
    memset(out, 0, sizeof(*out));
    out->path_length = -1;
    out->require_explicit_policy = out->inhibit_policy_mapping = out->inhibit_any_policy = -1;
    out->der = der;
    if (der.len > X509_CERTIFICATE_SIZE_MAX)
        return malformed(fault, "the certificate is too large");
    if (der_read(&rest, DER_SEQUENCE, &certificate) != ASSAY_OK)
        return malformed(fault, "not a DER certificate");
    if (rest.len != 0)
        return malformed(fault, "data after the certificate");
    if (der_read_whole(&certificate, DER_SEQUENCE, &out->tbs) != ASSAY_OK ||
        der_read(&certificate, DER_SEQUENCE, &outer_algorithm) != ASSAY_OK ||
        der_read_octet_bits(&certificate, &out->signature) != ASSAY_OK || certificate.len != 0)
        return malformed(fault, "the certificate does not decode");
    tbs = out->tbs;
    if (der_read(&tbs, DER_SEQUENCE, &tbs) != ASSAY_OK)
        return malformed(fault, "the certificate does not decode");
    if ((error = tbs_parse(tbs, &inner_algorithm, out, fault)) != ASSAY_OK)
        return error;
    if (!slice_equal(inner_algorithm, outer_algorithm))
        return malformed(fault, "the inner and the outer signature algorithm differ");
    if ((error = x509_signature_algorithm_parse(outer_algorithm, &out->signature_algorithm, fault)) != ASSAY_OK ||
        (error = combination_check(out, fault)) != ASSAY_OK)
        return error;
    return wc_Sha256Hash(der.data, (word32)der.len, out->sha256) == 0 ? ASSAY_OK : ASSAY_ERR_CRYPTO;
}

static bool general_name_take(struct slice *rest, enum x509_general_name *kind, struct slice *value)
{
    struct der_value name;
    struct slice body;

    if (rest->len == 0 || der_next(rest, &name) != ASSAY_OK)
        return false;
    *kind = (enum x509_general_name)(name.tag & 0x1f);
    *value = name.body;
    /* directoryName is a CHOICE, so its tag is explicit: the Name is inside. */
    if (*kind == X509_NAME_DIRECTORY) {
        body = name.body;
        if (der_read(&body, DER_SEQUENCE, value) != ASSAY_OK)
            return false;
    }
    return true;
}

bool x509_general_name_next(struct slice *rest, enum x509_general_name *kind, struct slice *value)
{
    return general_name_take(rest, kind, value);
}

bool x509_subtree_next(struct slice *rest, enum x509_general_name *kind, struct slice *value)
{
    struct slice subtree;

    return rest->len != 0 && der_read(rest, DER_SEQUENCE, &subtree) == ASSAY_OK &&
           general_name_take(&subtree, kind, value);
}
