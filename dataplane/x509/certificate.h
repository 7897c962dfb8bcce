/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_CERTIFICATE_H
#define ASSAY_X509_CERTIFICATE_H
/* One parsed certificate: slices into its DER, and what path building asks of it, worked out once.
 *
 * The parser is strict DER and RFC 5280's profile where a deviation would make two readings possible: trailing data, duplicate
 * extensions, a version that does not fit the fields, inner and outer signature algorithm that differ, explicit EC parameters,
 * an empty issuer, an extension we use that does not decode. It is lenient where deployed enterprise CAs deviate harmlessly:
 * a serial number of zero, an encoded FALSE that DER would omit, non-critical basicConstraints, missing key identifiers.
 * Serial numbers below zero or beyond 20 octets are refused (§4.1.2.2).
 * An algorithm that we cannot verify is no fault of the encoding: kind UNSUPPORTED, judged by the path.
 *
 * Owner: the caller keeps der alive for as long as the struct. Pure, no allocation. Errors: MALFORMED, with *fault (if fault
 * is not NULL) set to a static text. Source: RFC 5280 §4, RFC 4055, RFC 5480, RFC 8410. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"

#define X509_FINGERPRINT_SIZE     32
#define X509_CERTIFICATE_SIZE_MAX 131072 /* octets of DER; larger is refused */
#define X509_DN_SIZE_MAX          4096   /* octets of one name; real ones stay below 1000 */

enum x509_key_kind {
    X509_KEY_UNSUPPORTED,
    X509_KEY_RSA,
    X509_KEY_RSA_PSS, /* id-RSASSA-PSS: signs with PSS only */
    X509_KEY_P256,
    X509_KEY_P384,
    X509_KEY_P521,
    X509_KEY_ED25519,
};

enum x509_digest {
    X509_DIGEST_NONE,
    X509_DIGEST_MD5,
    X509_DIGEST_SHA1,
    X509_DIGEST_SHA256,
    X509_DIGEST_SHA384,
    X509_DIGEST_SHA512
};

enum x509_signature_kind {
    X509_SIGNATURE_UNSUPPORTED,
    X509_SIGNATURE_RSA_PKCS1,
    X509_SIGNATURE_RSA_PSS,
    X509_SIGNATURE_ECDSA,
    X509_SIGNATURE_ED25519,
};

struct x509_signature_algorithm {
    enum x509_signature_kind kind;
    enum x509_digest digest; /* MD5 is named so that it can be refused by name */
    uint16_t salt_bytes;     /* PSS */
};

struct x509_key {
    enum x509_key_kind kind;
    uint16_t bits;
    struct slice rsa_n, rsa_e;   /* magnitudes */
    struct slice point;          /* EC: 04 || X || Y; Ed25519: 32 octets */
    enum x509_digest pss_digest; /* RSA_PSS with parameters: the only digest allowed (NONE: any) */
    uint16_t pss_salt_bytes;     /* and the least salt */
    struct slice algorithm;      /* AlgorithmIdentifier's OID, for UNSUPPORTED */
    struct slice octets;         /* subjectPublicKey's, without the count of unused bits: what key hashes are made of */
};

/* keyUsage bits, RFC 5280 §4.2.1.3, bit n as 1 << n. */
enum x509_key_usage {
    X509_KU_DIGITAL_SIGNATURE = 1 << 0,
    X509_KU_CONTENT_COMMITMENT = 1 << 1,
    X509_KU_KEY_ENCIPHERMENT = 1 << 2,
    X509_KU_DATA_ENCIPHERMENT = 1 << 3,
    X509_KU_KEY_AGREEMENT = 1 << 4,
    X509_KU_KEY_CERT_SIGN = 1 << 5,
    X509_KU_CRL_SIGN = 1 << 6,
    X509_KU_ENCIPHER_ONLY = 1 << 7,
    X509_KU_DECIPHER_ONLY = 1 << 8,
};

enum x509_extended_key_usage {
    X509_EKU_SERVER_AUTH = 1 << 0,
    X509_EKU_CLIENT_AUTH = 1 << 1,
    X509_EKU_ANY = 1 << 2,
    X509_EKU_OCSP_SIGNING = 1 << 3,
    X509_EKU_OTHER = 1 << 4,
};

/* Which extensions are there. */
enum x509_extension {
    X509_EXT_SAN = 1 << 0,
    X509_EXT_AKI = 1 << 1,
    X509_EXT_SKI = 1 << 2,
    X509_EXT_BASIC_CONSTRAINTS = 1 << 3,
    X509_EXT_KEY_USAGE = 1 << 4,
    X509_EXT_EXTENDED_KEY_USAGE = 1 << 5,
    X509_EXT_NAME_CONSTRAINTS = 1 << 6,
    X509_EXT_POLICIES = 1 << 7,
    X509_EXT_POLICY_MAPPINGS = 1 << 8,
    X509_EXT_POLICY_CONSTRAINTS = 1 << 9,
    X509_EXT_INHIBIT_ANY_POLICY = 1 << 10,
    X509_EXT_CRL_POINTS = 1 << 11,
    X509_EXT_AUTHORITY_INFO = 1 << 12,
    X509_EXT_OCSP_NOCHECK = 1 << 13,
    X509_EXT_TLS_FEATURE = 1 << 14,
};

/* What the parser lets pass and a strict profile does not (profile.h). */
enum x509_deviation {
    X509_DEVIATION_ENCODED_DEFAULT = 1 << 0, /* a FALSE or a zero that DER omits (X.690 §11.5) */
    X509_DEVIATION_TIME_TYPE = 1 << 1, /* GeneralizedTime before 2050, or UTCTime where it is not allowed (§4.1.2.5) */
    X509_DEVIATION_KEY_USAGE_BITS = 1 << 2, /* trailing zero bits of a named bit list (X.690 §11.2.2) */
    X509_DEVIATION_AUTHORITY_INFO = 1 << 3, /* authorityInfoAccess does not decode; it is not used */
};

struct x509_certificate {
    struct slice der;
    struct slice tbs;             /* what is signed, with its header */
    struct slice serial;          /* INTEGER contents */
    struct slice issuer, subject; /* contents of the Names: dn.h */
    uint64_t issuer_hash, subject_hash;
    int64_t not_before_s, not_after_s; /* since 1970, both inclusive */
    struct slice spki;                 /* SubjectPublicKeyInfo with its header */
    struct x509_key key;
    struct x509_signature_algorithm signature_algorithm;
    struct slice signature;
    uint8_t version; /* 1..3 */

    bool self_issued; /* subject equals issuer; says nothing about who signed */
    bool is_ca;       /* basicConstraints cA */
    bool unknown_critical;
    bool must_staple;    /* TLS feature status_request (RFC 7633): no stapled response, no trust */
    int16_t path_length; /* -1: no limit */
    uint16_t key_usage;  /* meaningful with X509_EXT_KEY_USAGE */
    uint16_t extended_key_usage;
    uint32_t extensions; /* enum x509_extension */
    uint32_t critical;   /* of them: those marked critical */
    uint32_t deviations; /* enum x509_deviation */
    struct slice san;    /* GeneralNames: x509_general_name_next() */
    struct slice aki_key_id;
    struct slice aki_issuer; /* GeneralNames */
    struct slice aki_serial;
    struct slice ski;
    struct slice eku;                       /* KeyPurposeIds */
    struct slice nc_permitted, nc_excluded; /* GeneralSubtrees: x509_subtree_next() */
    struct slice policies;                  /* PolicyInformations: policies.h */
    struct slice policy_mappings;           /* pairs of OIDs */
    int16_t require_explicit_policy;        /* SkipCerts; -1: not there */
    int16_t inhibit_policy_mapping;
    int16_t inhibit_any_policy;
    struct slice crl_points; /* DistributionPoints: crl_scope.h */

    uint8_t sha256[X509_FINGERPRINT_SIZE]; /* of der */
};

enum assay_error x509_certificate_parse(struct slice der, struct x509_certificate *out, const char **fault)
    ASSAY_MUST_USE;

static inline bool x509_certificate_has(const struct x509_certificate *certificate, enum x509_extension extension)
{
    return (certificate->extensions & extension) != 0;
}

static inline bool x509_certificate_same(const struct x509_certificate *a, const struct x509_certificate *b)
{
    return memcmp(a->sha256, b->sha256, X509_FINGERPRINT_SIZE) == 0;
}

/* The numbers are the context tags of GeneralName (§4.2.1.6). */
enum x509_general_name {
    X509_NAME_OTHER = 0,
    X509_NAME_EMAIL = 1,
    X509_NAME_DNS = 2,
    X509_NAME_X400 = 3,
    X509_NAME_DIRECTORY = 4, /* value: contents of the Name */
    X509_NAME_EDI_PARTY = 5,
    X509_NAME_URI = 6,
    X509_NAME_IP = 7,
    X509_NAME_REGISTERED_ID = 8,
};

static inline bool x509_certificate_critical(const struct x509_certificate *certificate, enum x509_extension extension)
{
    return (certificate->critical & extension) != 0;
}

/* Takes the next name off a list that the parser has accepted; false at its end. */
bool x509_general_name_next(struct slice *rest, enum x509_general_name *kind, struct slice *value);
bool x509_subtree_next(struct slice *rest, enum x509_general_name *kind, struct slice *value);
/* Is this a list of at least one GeneralName of good form? */
bool x509_general_names_check(struct slice list);

#endif
