/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pki.h"

#include <assert.h>
#include <stdbool.h>
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

/* value: the content of the extension, as it is. */
static void extension_add_raw(X509 *certificate, const char *oid, bool critical, const char *value, size_t len)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *content = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    ASN1_OCTET_STRING_set(content, (const unsigned char *)value, (int)len);
    extension = X509_EXTENSION_create_by_OBJ(NULL, object, critical, content);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(content);
    ASN1_OBJECT_free(object);
}

static X509 *certificate_begin(const char *name, EVP_PKEY *key, X509 *issuer, long serial)
{
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);

    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, issuer != NULL ? X509_get_subject_name(issuer) : subject);
    X509_set_pubkey(certificate, key);
    return certificate;
}

static X509 *authority_create(EVP_PKEY *key, bool garbage)
{
    X509 *certificate = certificate_begin("Test Authority", key, NULL, 1);

    if (garbage)
        extension_add_raw(certificate, "2.5.29.19", true, "\x30\x05\x01\x01", 4);
    else
        extension_add(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    extension_add(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    X509_sign(certificate, key, EVP_sha256());
    return certificate;
}

static X509 *leaf_create(EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, long serial, int fault)
{
    X509 *leaf = certificate_begin("origin.test", key, issuer, serial);

    if (fault == PKI_GARBAGE_IN_LEAF)
        extension_add_raw(leaf, "2.5.29.17", false, "\x30\x7f\x82\x01", 4);
    else
        extension_add(leaf, issuer, NID_subject_alt_name, "DNS:origin.test");
    extension_add(leaf, issuer, NID_key_usage,
                  fault == PKI_KEY_USAGE ? "critical,keyEncipherment" : "critical,digitalSignature");
    if (fault == PKI_EXTENDED_KEY_USAGE)
        extension_add(leaf, issuer, NID_ext_key_usage, "clientAuth");
    if (fault == PKI_UNKNOWN_CRITICAL)
        extension_add_raw(leaf, "1.3.6.1.4.1.55555.1", true, "\x05\x00", 2);
    if (fault == PKI_EXPIRED)
        X509_gmtime_adj(X509_getm_notAfter(leaf), -3600);
    X509_sign(leaf, issuer_key, EVP_sha256());
    return leaf;
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

static struct pki_identity identity_create(enum pki_key kind, X509 *root, EVP_PKEY *root_key, long serial, int fault)
{
    EVP_PKEY *key = key_create(kind);
    X509 *leaf = leaf_create(key, root, root_key, serial, fault);
    BIO *chain = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());
    struct pki_identity identity;

    PEM_write_bio_X509(chain, leaf);
    PEM_write_bio_X509(chain, root);
    PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL);
    identity.chain_pem = text_of(chain);
    identity.key_pem = text_of(secret);
    X509_free(leaf);
    EVP_PKEY_free(key);
    return identity;
}

void pki_create(struct pki *pki)
{
    EVP_PKEY *root_key = key_create(PKI_P256);
    X509 *root = authority_create(root_key, false);

    for (int kind = 0; kind < PKI_KEYS; kind++)
        pki->identities[kind] = identity_create((enum pki_key)kind, root, root_key, 10 + kind, -1);
    pki->others[0] = identity_create(PKI_RSA_2048, root, root_key, 20, -1);
    pki->others[1] = identity_create(PKI_P256, root, root_key, 21, -1);
    X509_free(root);
    EVP_PKEY_free(root_key);
}

struct pki_identity pki_faulty(enum pki_key key, enum pki_fault fault)
{
    EVP_PKEY *root_key = key_create(PKI_P256);
    X509 *root = authority_create(root_key, fault == PKI_GARBAGE_IN_AUTHORITY);
    struct pki_identity identity = identity_create(key, root, root_key, 30, (int)fault);

    X509_free(root);
    EVP_PKEY_free(root_key);
    return identity;
}

void pki_identity_free(struct pki_identity *identity)
{
    free(identity->chain_pem);
    free(identity->key_pem);
}

void pki_free(struct pki *pki)
{
    for (int kind = 0; kind < PKI_KEYS; kind++)
        pki_identity_free(&pki->identities[kind]);
    pki_identity_free(&pki->others[0]);
    pki_identity_free(&pki->others[1]);
}
