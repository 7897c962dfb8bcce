/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_SIGNATURE_H
#define ASSAY_X509_SIGNATURE_H
/* Was this certificate signed by that key? Arithmetic by wolfCrypt; what goes into it and what must come out is decided here:
 * an RSA PKCS#1 v1.5 result is compared with the one right encoding, never parsed; a signature has exactly the length of its
 * key; ECDSA-Sig-Value is strict DER. No policy: SHA-1 verifies here, whether it may is policy's business; MD5 does not.
 * Thread: any. Memory: the stack (about 25 KiB), and what wolfCrypt asks its allocator for.
 * Errors: REFUSED (this key did not sign this), UNSUPPORTED (an algorithm or key we cannot check), CRYPTO (wolfCrypt failed).
 * Source: RFC 8017 §8.1.2, §8.2.2; RFC 5480; RFC 8410. */
#include "assay/error.h"
#include "base/slice.h"
#include "x509/certificate.h"

enum assay_error x509_signature_check(const struct x509_certificate *certificate, const struct x509_key *signer)
    ASSAY_MUST_USE;

/* The same for any signed bytes (CRLs, OCSP answers). */
enum assay_error x509_signature_check_bytes(struct slice message, const struct x509_signature_algorithm *algorithm,
                                            struct slice signature, const struct x509_key *signer) ASSAY_MUST_USE;

/* What a search may spend on signatures, in checks of P-256. Others cost what they cost beside it: RSA with up to 2048 bits and
 * Ed25519 1, RSA with up to 4096 bits and P-384 4, P-521 6, larger RSA 16; so a peer's choice of keys does not make it dear. */
struct x509_work {
    uint32_t used, max;
    uint32_t checks; /* how many there were, whatever their price */
};
/* Takes the price of one check by that key, or says that too little is left. */
bool x509_work_take(struct x509_work *work, const struct x509_key *signer);

/* In two steps, for what is signed once and checked often (a CRL of megabytes): the digest, then the signature of it. message
 * is needed as well: Ed25519 signs no digest, and takes an empty one. */
struct x509_digest_value {
    uint8_t bytes[64];
    size_t size;
};
enum assay_error x509_digest_make(enum x509_digest kind, struct slice message, struct x509_digest_value *out)
    ASSAY_MUST_USE;
enum assay_error x509_signature_check_digest(const struct x509_digest_value *digest, struct slice message,
                                             const struct x509_signature_algorithm *algorithm, struct slice signature,
                                             const struct x509_key *signer) ASSAY_MUST_USE;

#endif
