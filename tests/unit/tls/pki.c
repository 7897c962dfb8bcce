/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pki.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static EVP_PKEY *key_create(enum pki_key kind)
{
    switch (kind) {
    case PKI_RSA_2048: return EVP_RSA_gen(2048);
    case PKI_P256: return EVP_EC_gen("P-256");
    case PKI_P384: return EVP_EC_gen("P-384");
    default: return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
}

static void extension_add(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert(extension != NULL);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *certificate_create(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, long serial)
{
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);

    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, issuer != NULL ? X509_get_subject_name(issuer) : subject);
    X509_set_pubkey(certificate, key);
    if (issuer == NULL) {
        extension_add(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
        extension_add(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        extension_add(certificate, issuer, NID_subject_alt_name, "DNS:origin.test");
        extension_add(certificate, issuer, NID_key_usage, "critical,digitalSignature");
    }
    X509_sign(certificate, issuer_key, EVP_sha256());
    return certificate;
}

static char *text_of(BIO *bio)
{
    char *data, *text;
    long len = BIO_get_mem_data(bio, &data);

    text = malloc((size_t)len + 1);
    memcpy(text, data, (size_t)len);
    text[len] = '\0';
    BIO_free(bio);
    return text;
}

static void identity_create(struct pki_identity *out, enum pki_key kind, X509 *root, EVP_PKEY *root_key, long serial)
{
    EVP_PKEY *key = key_create(kind);
    X509 *leaf = certificate_create("origin.test", key, root, root_key, serial);
    BIO *chain = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(chain, leaf);
    PEM_write_bio_X509(chain, root);
    PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL);
    out->chain_pem = text_of(chain);
    out->key_pem = text_of(secret);
    X509_free(leaf);
    EVP_PKEY_free(key);
}

void pki_create(struct pki *pki)
{
    EVP_PKEY *root_key = key_create(PKI_P256);
    X509 *root = certificate_create("Test Authority", root_key, NULL, root_key, 1);

    for (int kind = 0; kind < PKI_KEYS; kind++)
        identity_create(&pki->identities[kind], (enum pki_key)kind, root, root_key, 10 + kind);
    identity_create(&pki->others[0], PKI_RSA_2048, root, root_key, 20);
    identity_create(&pki->others[1], PKI_P256, root, root_key, 21);
    X509_free(root);
    EVP_PKEY_free(root_key);
}

static void identity_free(struct pki_identity *identity)
{
    free(identity->chain_pem);
    free(identity->key_pem);
}

void pki_free(struct pki *pki)
{
    for (int kind = 0; kind < PKI_KEYS; kind++)
        identity_free(&pki->identities[kind]);
    identity_free(&pki->others[0]);
    identity_free(&pki->others[1]);
}
