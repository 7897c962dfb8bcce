/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_ALGORITHM_H
#define ASSAY_X509_ALGORITHM_H
/* AlgorithmIdentifier and SubjectPublicKeyInfo: which algorithm, with which parameters. Unknown algorithms decode to
 * UNSUPPORTED; wrong parameters of known ones are MALFORMED with a static text in *fault. Pure.
 * Source: RFC 3279, RFC 4055 (RSA), RFC 5480, RFC 5758 (EC), RFC 8410 (Ed25519). */
#include "assay/error.h"
#include "base/slice.h"
#include "x509/certificate.h"

/* identifier: the contents of the AlgorithmIdentifier's SEQUENCE. PSS: SHA-1/256/384/512, MGF1 with the same digest, a salt
 * no longer than the digest, trailer 1; other combinations are UNSUPPORTED. */
enum assay_error x509_signature_algorithm_parse(struct slice identifier, struct x509_signature_algorithm *out,
                                                const char **fault) ASSAY_MUST_USE;
/* spki: the contents of the SubjectPublicKeyInfo's SEQUENCE. Explicit EC parameters are MALFORMED (RFC 5480 §2.1.1). */
enum assay_error x509_key_parse(struct slice spki, struct x509_key *out, const char **fault) ASSAY_MUST_USE;

#endif
