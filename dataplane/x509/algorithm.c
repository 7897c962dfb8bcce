/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/algorithm.h"

#include "x509/der.h"

struct oid {
    uint8_t length;
    uint8_t bytes[9];
};

static bool oid_is(struct slice oid, const struct oid *known)
{
    return slice_equal(oid, slice_of(known->bytes, known->length));
}

static const struct oid oid_rsa = {9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01}};
static const struct oid oid_mgf1 = {9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08}};
static const struct oid oid_pss = {9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a}};
static const struct oid oid_ec = {7, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}};
static const struct oid oid_ed25519 = {3, {0x2b, 0x65, 0x70}};

static const struct {
    struct oid oid;
    enum x509_signature_kind kind;
    enum x509_digest digest;
} signatures[] = {
    {{9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04}}, X509_SIGNATURE_RSA_PKCS1, X509_DIGEST_MD5},
    {{9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05}}, X509_SIGNATURE_RSA_PKCS1, X509_DIGEST_SHA1},
    {{9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b}}, X509_SIGNATURE_RSA_PKCS1, X509_DIGEST_SHA256},
    {{9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c}}, X509_SIGNATURE_RSA_PKCS1, X509_DIGEST_SHA384},
    {{9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d}}, X509_SIGNATURE_RSA_PKCS1, X509_DIGEST_SHA512},
    {{7, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01}}, X509_SIGNATURE_ECDSA, X509_DIGEST_SHA1},
    {{8, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02}}, X509_SIGNATURE_ECDSA, X509_DIGEST_SHA256},
    {{8, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03}}, X509_SIGNATURE_ECDSA, X509_DIGEST_SHA384},
    {{8, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04}}, X509_SIGNATURE_ECDSA, X509_DIGEST_SHA512},
};

static const struct {
    struct oid oid;
    enum x509_digest digest;
    uint16_t size;
} digests[] = {
    {{5, {0x2b, 0x0e, 0x03, 0x02, 0x1a}}, X509_DIGEST_SHA1, 20},
    {{9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}}, X509_DIGEST_SHA256, 32},
    {{9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02}}, X509_DIGEST_SHA384, 48},
    {{9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03}}, X509_DIGEST_SHA512, 64},
};

static const struct {
    struct oid oid;
    enum x509_key_kind kind;
    uint16_t bits;
    uint16_t point_bytes;
} curves[] = {
    {{8, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}}, X509_KEY_P256, 256, 65},
    {{5, {0x2b, 0x81, 0x04, 0x00, 0x22}}, X509_KEY_P384, 384, 97},
    {{5, {0x2b, 0x81, 0x04, 0x00, 0x23}}, X509_KEY_P521, 521, 133},
};

static enum assay_error malformed(const char **fault, const char *text)
{
    *fault = text;
    return ASSAY_ERR_MALFORMED;
}

/* NULL, or nothing: what RSA and digest identifiers may carry. */
static bool parameters_are_null(struct slice parameters)
{
    static const uint8_t null[] = {DER_NULL, 0};

    return parameters.len == 0 || slice_equal(parameters, slice_of(null, sizeof(null)));
}

/* A digest's AlgorithmIdentifier. An unknown digest is NONE. */
static enum assay_error digest_identifier_parse(struct slice *rest, enum x509_digest *digest, uint16_t *size)
{
    struct slice identifier, oid;

    if (der_read(rest, DER_SEQUENCE, &identifier) != ASSAY_OK || der_read_oid(&identifier, &oid) != ASSAY_OK)
        return ASSAY_ERR_MALFORMED;
    *digest = X509_DIGEST_NONE;
    for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++)
        if (oid_is(oid, &digests[i].oid)) {
            *digest = digests[i].digest;
            *size = digests[i].size;
        }
    return *digest == X509_DIGEST_NONE || parameters_are_null(identifier) ? ASSAY_OK : ASSAY_ERR_MALFORMED;
}

static enum assay_error mgf_parse(struct slice *rest, enum x509_digest *digest)
{
    struct slice identifier, oid;
    uint16_t size;

    if (der_read(rest, DER_SEQUENCE, &identifier) != ASSAY_OK || rest->len != 0 ||
        der_read_oid(&identifier, &oid) != ASSAY_OK)
        return ASSAY_ERR_MALFORMED;
    *digest = X509_DIGEST_NONE;
    if (!oid_is(oid, &oid_mgf1))
        return ASSAY_OK;
    if (digest_identifier_parse(&identifier, digest, &size) != ASSAY_OK || identifier.len != 0)
        return ASSAY_ERR_MALFORMED;
    return ASSAY_OK;
}

/* RSASSA-PSS-params (RFC 4055 §3.1); every field has a default, of SHA-1 times. */
static enum assay_error pss_parse(struct slice parameters, struct x509_signature_algorithm *out)
{
    struct slice field, params;
    enum x509_digest mgf_digest = X509_DIGEST_SHA1;
    uint16_t digest_bytes = 20;
    uint32_t salt = 20, trailer = 1;

    *out = (struct x509_signature_algorithm){X509_SIGNATURE_RSA_PSS, X509_DIGEST_SHA1, 0};
    if (der_read(&parameters, DER_SEQUENCE, &params) != ASSAY_OK || parameters.len != 0)
        return ASSAY_ERR_MALFORMED;
    if (der_is_next(params, DER_CONTEXT_CONSTRUCTED(0)) &&
        (der_read(&params, DER_CONTEXT_CONSTRUCTED(0), &field) != ASSAY_OK ||
         digest_identifier_parse(&field, &out->digest, &digest_bytes) != ASSAY_OK || field.len != 0))
        return ASSAY_ERR_MALFORMED;
    if (der_is_next(params, DER_CONTEXT_CONSTRUCTED(1)) &&
        (der_read(&params, DER_CONTEXT_CONSTRUCTED(1), &field) != ASSAY_OK ||
         mgf_parse(&field, &mgf_digest) != ASSAY_OK))
        return ASSAY_ERR_MALFORMED;
    if (der_is_next(params, DER_CONTEXT_CONSTRUCTED(2)) &&
        (der_read(&params, DER_CONTEXT_CONSTRUCTED(2), &field) != ASSAY_OK ||
         der_read_small(&field, DER_INTEGER, &salt) != ASSAY_OK || field.len != 0))
        return ASSAY_ERR_MALFORMED;
    if (der_is_next(params, DER_CONTEXT_CONSTRUCTED(3)) &&
        (der_read(&params, DER_CONTEXT_CONSTRUCTED(3), &field) != ASSAY_OK ||
         der_read_small(&field, DER_INTEGER, &trailer) != ASSAY_OK || field.len != 0))
        return ASSAY_ERR_MALFORMED;
    if (params.len != 0)
        return ASSAY_ERR_MALFORMED;
    if (out->digest == X509_DIGEST_NONE || mgf_digest != out->digest || salt > digest_bytes || trailer != 1)
        out->kind = X509_SIGNATURE_UNSUPPORTED;
    out->salt_bytes = (uint16_t)(salt > digest_bytes ? digest_bytes : salt);
    return ASSAY_OK;
}

enum assay_error x509_signature_algorithm_parse(struct slice identifier, struct x509_signature_algorithm *out,
                                                const char **fault)
{
    struct slice oid;

    *out = (struct x509_signature_algorithm){X509_SIGNATURE_UNSUPPORTED, X509_DIGEST_NONE, 0};
    if (der_read_oid(&identifier, &oid) != ASSAY_OK)
        return malformed(fault, "the signature algorithm does not decode");
    if (oid_is(oid, &oid_pss)) {
        if (pss_parse(identifier, out) != ASSAY_OK)
            return malformed(fault, "the RSASSA-PSS parameters do not decode");
        return ASSAY_OK;
    }
    if (oid_is(oid, &oid_ed25519)) {
        out->kind = X509_SIGNATURE_ED25519;
        return identifier.len == 0 ? ASSAY_OK : malformed(fault, "an Ed25519 signature algorithm has parameters");
    }
    for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
        if (!oid_is(oid, &signatures[i].oid))
            continue;
        out->kind = signatures[i].kind;
        out->digest = signatures[i].digest;
        if (out->kind == X509_SIGNATURE_RSA_PKCS1 ? !parameters_are_null(identifier) : identifier.len != 0)
            return malformed(fault, "the signature algorithm has wrong parameters");
    }
    return ASSAY_OK;
}

static uint16_t magnitude_bits(struct slice magnitude)
{
    return magnitude.len == 0 ? 0 : (uint16_t)(magnitude.len * 8 - (size_t)__builtin_clz(magnitude.data[0]) + 24);
}

static enum assay_error rsa_key_parse(struct slice key, struct x509_key *out, const char **fault)
{
    struct slice pair;

    if (der_read(&key, DER_SEQUENCE, &pair) != ASSAY_OK || key.len != 0 ||
        der_read_unsigned(&pair, &out->rsa_n) != ASSAY_OK || der_read_unsigned(&pair, &out->rsa_e) != ASSAY_OK ||
        pair.len != 0)
        return malformed(fault, "the RSA public key does not decode");
    if (out->rsa_n.len == 0 || out->rsa_n.len > 2048 || (out->rsa_n.data[out->rsa_n.len - 1] & 1) == 0 ||
        out->rsa_e.len == 0 || (out->rsa_e.data[out->rsa_e.len - 1] & 1) == 0 ||
        (out->rsa_e.len == 1 && out->rsa_e.data[0] == 1))
        return malformed(fault, "the RSA public key is not one");
    out->bits = magnitude_bits(out->rsa_n);
    /* An exponent as long as the modulus would cost a private-key operation; none is deployed beyond 2^32. */
    if (out->rsa_e.len > 4)
        out->kind = X509_KEY_UNSUPPORTED;
    return ASSAY_OK;
}

static enum assay_error ec_key_parse(struct slice parameters, struct slice point, struct x509_key *out,
                                     const char **fault)
{
    struct slice curve;

    if (!der_is_next(parameters, DER_OID))
        return malformed(fault, "the EC key has explicit parameters or none");
    if (der_read_oid(&parameters, &curve) != ASSAY_OK || parameters.len != 0)
        return malformed(fault, "the EC parameters do not decode");
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (!oid_is(curve, &curves[i].oid))
            continue;
        /* The uncompressed form is the only one that RFC 5480 §2.2 requires, and the only one deployed. */
        if (point.len != curves[i].point_bytes || point.data[0] != 4)
            return malformed(fault, "the EC public key is not an uncompressed point of its curve");
        out->kind = curves[i].kind;
        out->bits = curves[i].bits;
        out->point = point;
    }
    return ASSAY_OK;
}

static enum assay_error pss_key_parse(struct slice parameters, struct slice key, struct x509_key *out,
                                      const char **fault)
{
    struct x509_signature_algorithm allowed;
    enum assay_error error;

    out->kind = X509_KEY_RSA_PSS;
    error = rsa_key_parse(key, out, fault);
    if (error != ASSAY_OK || parameters.len == 0)
        return error;
    if (pss_parse(parameters, &allowed) != ASSAY_OK)
        return malformed(fault, "the RSASSA-PSS key parameters do not decode");
    if (allowed.kind == X509_SIGNATURE_UNSUPPORTED)
        out->kind = X509_KEY_UNSUPPORTED;
    out->pss_digest = allowed.digest;
    out->pss_salt_bytes = allowed.salt_bytes;
    return ASSAY_OK;
}

enum assay_error x509_key_parse(struct slice spki, struct x509_key *out, const char **fault)
{
    struct slice identifier, key;

    memset(out, 0, sizeof(*out));
    if (der_read(&spki, DER_SEQUENCE, &identifier) != ASSAY_OK ||
        der_read_oid(&identifier, &out->algorithm) != ASSAY_OK || der_read_octet_bits(&spki, &key) != ASSAY_OK ||
        spki.len != 0)
        return malformed(fault, "the public key does not decode");
    out->octets = key;
    if (oid_is(out->algorithm, &oid_rsa)) {
        if (!parameters_are_null(identifier))
            return malformed(fault, "the RSA key has parameters");
        out->kind = X509_KEY_RSA;
        return rsa_key_parse(key, out, fault);
    }
    if (oid_is(out->algorithm, &oid_pss))
        return pss_key_parse(identifier, key, out, fault);
    if (oid_is(out->algorithm, &oid_ec))
        return ec_key_parse(identifier, key, out, fault);
    if (oid_is(out->algorithm, &oid_ed25519)) {
        if (identifier.len != 0 || key.len != 32)
            return malformed(fault, "the Ed25519 public key is not one");
        out->kind = X509_KEY_ED25519;
        out->bits = 256;
        out->point = key;
    }
    return ASSAY_OK;
}
