/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forge_ocsp.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "forge.h"

#define NONE slice_of(NULL, 0)

/* An OCTET STRING of the digest. */
static struct slice hashed(bool sha256, struct slice message)
{
    uint8_t digest[32];
    unsigned size = sizeof(digest);

    assert(EVP_Digest(message.data, message.len, digest, &size, sha256 ? EVP_sha256() : EVP_sha1(), NULL) == 1);
    return FORGE_TLV(0x04, slice_of(digest, size));
}

/* What a key hash is of: the BIT STRING's contents. */
static struct slice key_hashed(bool sha256, void *key)
{
    X509_PUBKEY *public = NULL;
    const unsigned char *octets;
    struct slice out;
    int length;

    assert(X509_PUBKEY_set(&public, key) == 1 && X509_PUBKEY_get0_param(NULL, &octets, &length, NULL, public) == 1);
    out = hashed(sha256, slice_of(octets, (size_t)length));
    X509_PUBKEY_free(public);
    return out;
}

struct slice forge_generalized(int64_t seconds)
{
    time_t when = (time_t)seconds;
    char text[16];
    struct tm tm;

    assert(strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", gmtime_r(&when, &tm)) == 15);
    return forge_text(0x18, text);
}

static struct slice or_else(struct slice given, struct slice otherwise)
{
    return given.data != NULL ? given : otherwise;
}

static const char *issuer_of(const struct forge_ocsp *what)
{
    return what->issuer != NULL ? what->issuer : "CA";
}

static void *key_of(const struct forge_ocsp *what)
{
    return what->issuer_key != NULL ? what->issuer_key : forge_key(FORGE_P256, 0);
}

struct slice forge_ocsp_single(const struct forge_ocsp *what)
{
    struct slice algorithm =
        FORGE_TLV(0x30, forge_oid(what->sha256_id ? "2.16.840.1.101.3.4.2.1" : "1.3.14.3.2.26"), forge_hex("0500"));
    struct slice id =
        FORGE_TLV(0x30, algorithm, or_else(what->name_hash, hashed(what->sha256_id, forge_name(issuer_of(what)))),
                  or_else(what->key_hash, key_hashed(what->sha256_id, key_of(what))),
                  or_else(what->serial, forge_integer(0x1234)));
    struct slice next = FORGE_TLV(0xa0, forge_generalized(what->next_update ? what->next_update : FORGE_NOW + 3600));

    return FORGE_TLV(0x30, id, or_else(what->status, forge_hex("8000")),
                     forge_generalized(what->this_update ? what->this_update : FORGE_NOW - 3600),
                     what->no_next_update ? NONE : next, what->single_extensions);
}

struct slice forge_ocsp_wrapped(struct slice basic)
{
    return FORGE_TLV(0x30, forge_hex("0a0100"),
                     FORGE_TLV(0xa0, FORGE_TLV(0x30, forge_oid("1.3.6.1.5.5.7.48.1.1"), FORGE_TLV(0x04, basic))));
}

struct slice forge_ocsp_revoked(int64_t when, int reason)
{
    char hex[16];

    snprintf(hex, sizeof(hex), "a003 0a01%02x", (unsigned)reason & 0xff);
    return FORGE_TLV(0xa1, forge_generalized(when), reason < 0 ? NONE : forge_hex(hex));
}

struct slice forge_ocsp(const struct forge_ocsp *what)
{
    void *signer = what->signer ? what->signer : key_of(what);
    int digest = what->digest ? what->digest : 256;
    struct slice responder =
        what->by_key ? FORGE_TLV(0xa2, key_hashed(false, key_of(what))) : FORGE_TLV(0xa1, forge_name(issuer_of(what)));
    struct slice tbs = FORGE_TLV(0x30, or_else(what->responder, responder),
                                 forge_generalized(what->produced ? what->produced : FORGE_NOW - 60),
                                 FORGE_TLV(0x30, what->second, forge_ocsp_single(what)), what->extensions);
    struct slice signature = forge_sign(signer, digest, false, tbs);

    if (what->break_signature)
        ((uint8_t *)(uintptr_t)signature.data)[signature.len - 1] ^= 1;
    return forge_ocsp_wrapped(FORGE_TLV(0x30, tbs, forge_algorithm(signer, digest, false),
                                        FORGE_TLV(0x03, forge_hex("00"), signature), what->certificates));
}
