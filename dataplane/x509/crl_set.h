/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_CRL_SET_H
#define ASSAY_X509_CRL_SET_H
/* The CRLs of a trust section, found by issuer, their entries by serial number; and revocations by OCSP, by certificate. What is signed is hashed once, when a CRL is
 * added, so that a verdict pays one public-key operation for it and no pass over its megabytes. Memory: the DER, and four
 * octets an entry. A record may be in many sets: what did not change is not read and indexed again.
 * Owner: the creator of a set; records are counted, and hold copies of the DER. Thread: a set is built by one thread, then immutable
 * and readable by all; any thread may hold, ref and unref a record. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"
#include "x509/crl.h"
#include "x509/signature.h"

struct x509_crl_set;

/* A CRL, and the digest of what it signs. */
struct x509_crl_record {
    struct x509_crl crl;
    struct x509_digest_value digest;
    uint8_t sha256[32]; /* of the DER */
    uint32_t *order;    /* offsets of entries in crl.revoked, by serial number */
    uint32_t references;
};

/* A copy of der, read and indexed, with one reference. MALFORMED and UNSUPPORTED with *fault (may be NULL); NO_MEMORY, CRYPTO. */
enum assay_error x509_crl_record_create(struct slice der, struct x509_crl_record **out, const char **fault)
    ASSAY_MUST_USE;
struct x509_crl_record *x509_crl_record_ref(struct x509_crl_record *record); /* returns record */
void x509_crl_record_unref(struct x509_crl_record *record);                  /* NULL is fine */
/* Is it of this issuer's name, and signed by its key, which may sign CRLs? Its times are not asked about. */
bool x509_crl_record_signed_by(const struct x509_crl_record *record, const struct x509_certificate *issuer);

struct x509_crl_set *x509_crl_set_create(void); /* NULL: out of memory */
void x509_crl_set_free(struct x509_crl_set *set);
/* MALFORMED and UNSUPPORTED with *fault; DUPLICATE: those very octets are there; NO_MEMORY, CRYPTO. */
enum assay_error x509_crl_set_add(struct x509_crl_set *set, struct slice der, const char **fault) ASSAY_MUST_USE;
/* The set takes a reference of its own. DUPLICATE: those very octets are there; NO_MEMORY. */
enum assay_error x509_crl_set_insert(struct x509_crl_set *set, struct x509_crl_record *record) ASSAY_MUST_USE;
size_t x509_crl_set_count(const struct x509_crl_set *set);
const struct x509_crl_record *x509_crl_set_at(const struct x509_crl_set *set, size_t i);

/* A CA's word by OCSP that a certificate (of this fingerprint) is revoked, as some server stapled it: whoever judges the certificate
 * checks it. A copy. DUPLICATE: there is one of that certificate; NO_MEMORY. */
enum assay_error x509_crl_set_add_response(struct x509_crl_set *set, const uint8_t sha256[32], struct slice response)
    ASSAY_MUST_USE;
struct slice x509_crl_set_response(const struct x509_crl_set *set, const uint8_t sha256[32]); /* empty: none */
size_t x509_crl_set_responses(const struct x509_crl_set *set);
/* The i-th in order of fingerprints. */
struct slice x509_crl_set_response_at(const struct x509_crl_set *set, size_t i, const uint8_t **sha256);
/* Do both say the same? */
bool x509_crl_set_same(const struct x509_crl_set *a, const struct x509_crl_set *b);

/* The next CRL of an issuer, the one with the latest thisUpdate first; *next starts at 0. NULL: no more. */
const struct x509_crl_record *x509_crl_set_next(const struct x509_crl_set *set, struct slice issuer,
                                                uint64_t issuer_hash, size_t *next);
/* Is this serial number (INTEGER contents) on the list? *out (may be NULL) is its entry; of several the first in order. */
bool x509_crl_record_find(const struct x509_crl_record *record, struct slice serial, struct x509_crl_entry *out);

#endif
