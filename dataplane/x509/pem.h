/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_PEM_H
#define ASSAY_X509_PEM_H
/* Takes certificates out of what operators have: a PEM bundle (text between the blocks is skipped, as are blocks of other
 * kinds), one DER certificate, or a PKCS#7 bundle of certificates (.p7b, DER or PEM). CRLs the same way: PEM or one DER.
 * Pure. Source: RFC 7468 §2, §3, §5, §6; RFC 2315 §9.1 (signedData that signs nothing). */
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"

struct x509_pem_reader {
    struct slice rest;         /* text not read yet */
    struct slice certificates; /* of a PKCS#7 block: those not handed out yet */
    uint8_t *buffer;
    size_t buffer_size;
    size_t line;       /* of the next line, from 1 */
    size_t block_line; /* of the BEGIN of the certificate handed out last, or refused; 0 for DER */
    bool started, crls;
};

/* buffer: at least as many bytes as input; every certificate handed out lies in it or in input, until the next call. */
void x509_pem_begin(struct x509_pem_reader *reader, struct slice input, uint8_t *buffer, size_t buffer_size);

/* The same for CRLs ("X509 CRL" blocks). */
void x509_pem_begin_crls(struct x509_pem_reader *reader, struct slice input, uint8_t *buffer, size_t buffer_size);

/* The next certificate's, or CRL's, DER (not parsed). NOT_FOUND: the end. MALFORMED: a block that does not decode, skipped: the next
 * call goes on behind it. */
enum assay_error x509_pem_next(struct x509_pem_reader *reader, struct slice *der) ASSAY_MUST_USE;

/* Writes DER as a CERTIFICATE block with a terminator; the size it needs, terminator included, when out is NULL. */
size_t x509_pem_write(struct slice der, char *out, size_t size);

#endif
