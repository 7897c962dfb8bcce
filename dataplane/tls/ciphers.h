/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TLS_CIPHERS_H
#define ASSAY_TLS_CIPHERS_H
/* Cipher strings in OpenSSL's notation (S8): names and classes joined by ':', '+' for "both", and the prefixes '!' (never),
 * '-' (not now), '+' (move to the end). From one comes the library's suite list for TLS 1.2, and the order of signature
 * algorithms, by which the same preference acts in TLS 1.3. Words that OpenSSL knows and this build does not (CAMELLIA,
 * kRSA, MD5 …) match nothing; words that nobody knows are faults.
 * Pure. Errors: MALFORMED (an unknown word: *fault is inside the string), UNSUPPORTED (nothing is left).
 * Source: OpenSSL 1.1.1 ciphers(1); RFC 8446 §4.2.3. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"
#include "tls/tls.h"

#define TLS_CIPHER_NAMES_MAX 1024
#define TLS_SIGNATURES_MAX   12

struct tls_ciphers {
    char names[TLS_CIPHER_NAMES_MAX]; /* in the library's spelling, ':' between; TLS 1.3's first */
    enum tls_preference preference;
    bool has_rsa, has_ecdsa; /* in TLS 1.2's suites; false: that kind of certificate is not wanted at all */
    bool has_tls12;
    uint16_t signatures[TLS_SIGNATURES_MAX]; /* RFC 8446 SignatureScheme, preferred first */
    size_t signature_count;
};

extern const char tls_ciphers_default_server[];
extern const char tls_ciphers_default_client[];

/* The name that everybody else uses for one of the library's. */
const char *tls_ciphers_common_name(const char *library_name);

enum assay_error tls_ciphers_parse(const char *string, struct tls_ciphers *out, struct slice *fault) ASSAY_MUST_USE;

#endif
