/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_TLS_PKI_H
#define ASSAY_TESTS_TLS_PKI_H
/* Keys and certificates for the tests, made by OpenSSL when a test starts. Owner: pki_free(). */
#include <stddef.h>

enum pki_key { PKI_RSA_2048, PKI_P256, PKI_P384, PKI_ED25519, PKI_KEYS };

struct pki_identity {
    char *chain_pem; /* leaf, then the authority */
    char *key_pem;
};

struct pki {
    struct pki_identity identities[PKI_KEYS]; /* CN and SAN origin.test */
    struct pki_identity others[2];            /* RSA and P-256 again, other keys */
};

/* Ways in which the certificate of a server can be wrong without OpenSSL minding to send it. */
enum pki_fault {
    PKI_GARBAGE_IN_LEAF,      /* an extension whose content is not DER */
    PKI_GARBAGE_IN_AUTHORITY, /* the same in the certificate after the leaf */
    PKI_KEY_USAGE,            /* of the leaf: no digitalSignature */
    PKI_EXTENDED_KEY_USAGE,   /* for clients only */
    PKI_UNKNOWN_CRITICAL,     /* a critical extension nobody knows */
    PKI_EXPIRED,
    PKI_FAULTS
};
struct pki_identity pki_faulty(enum pki_key key, enum pki_fault fault);
void pki_identity_free(struct pki_identity *identity);

void pki_create(struct pki *pki);
void pki_free(struct pki *pki);

#endif
