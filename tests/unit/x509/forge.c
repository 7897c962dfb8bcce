/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "forge.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

struct chunk {
    struct chunk *next;
    uint8_t bytes[];
};
static struct chunk *chunks;
static EVP_PKEY *keys[6][16];

static uint8_t *grab(size_t size)
{
    struct chunk *chunk = malloc(sizeof(*chunk) + size + 1);

    assert(chunk != NULL);
    chunk->next = chunks;
    chunks = chunk;
    return chunk->bytes;
}

void forge_free(void)
{
    while (chunks != NULL) {
        struct chunk *next = chunks->next;

        free(chunks);
        chunks = next;
    }
    for (size_t kind = 0; kind < 6; kind++)
        for (size_t i = 0; i < 16; i++) {
            EVP_PKEY_free(keys[kind][i]);
            keys[kind][i] = NULL;
        }
}

struct slice forge_join(struct slice a, struct slice b)
{
    uint8_t *out = grab(a.len + b.len);

    if (a.len > 0)
        memcpy(out, a.data, a.len);
    if (b.len > 0)
        memcpy(out + a.len, b.data, b.len);
    return slice_of(out, a.len + b.len);
}

struct slice forge_tlv(uint8_t tag, const struct slice *parts, size_t count)
{
    size_t length = 0, header = 2;
    uint8_t *out;

    for (size_t i = 0; i < count; i++)
        length += parts[i].len;
    out = grab(length + 6);
    out[0] = tag;
    if (length < 0x80) {
        out[1] = (uint8_t)length;
    } else {
        size_t octets = length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;

        out[1] = (uint8_t)(0x80 | octets);
        for (size_t i = 0; i < octets; i++)
            out[2 + i] = (uint8_t)(length >> 8 * (octets - 1 - i));
        header += octets;
    }
    length = header;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > 0)
            memcpy(out + length, parts[i].data, parts[i].len);
        length += parts[i].len;
    }
    return slice_of(out, length);
}

struct slice forge_text(uint8_t tag, const char *text)
{
    return FORGE_TLV(tag, slice_text(text));
}

struct slice forge_hex(const char *hex)
{
    uint8_t *out = grab(strlen(hex) / 2 + 1);
    size_t length = 0;

    while (*hex) {
        unsigned octet;

        if (*hex == ' ') {
            hex++;
            continue;
        }
        assert(sscanf(hex, "%2x", &octet) == 1);
        out[length++] = (uint8_t)octet;
        hex += 2;
    }
    return slice_of(out, length);
}

struct slice forge_integer(long value)
{
    uint8_t *out = grab(9);
    size_t length = 8;

    for (size_t i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> 8 * (7 - i));
    while (length > 1 &&
           ((out[8 - length] == 0 && out[9 - length] < 0x80) || (out[8 - length] == 0xff && out[9 - length] >= 0x80)))
        length--;
    return FORGE_TLV(0x02, slice_of(out + 8 - length, length));
}

struct slice forge_oid(const char *dotted)
{
    ASN1_OBJECT *object = OBJ_txt2obj(dotted, 1);
    struct slice oid;
    uint8_t *out;

    assert(object != NULL);
    out = grab(OBJ_length(object));
    memcpy(out, OBJ_get0_data(object), OBJ_length(object));
    oid = FORGE_TLV(0x06, slice_of(out, OBJ_length(object)));
    ASN1_OBJECT_free(object);
    return oid;
}

struct slice forge_time(int64_t seconds)
{
    time_t at = seconds;
    struct tm tm;
    char text[32];

    gmtime_r(&at, &tm);
    if (tm.tm_year < 150) {
        strftime(text, sizeof(text), "%y%m%d%H%M%SZ", &tm);
        return forge_text(0x17, text);
    }
    strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
    return forge_text(0x18, text);
}

struct slice forge_name(const char *cn)
{
    if (cn == NULL || *cn == 0)
        return FORGE_TLV(0x30, slice_of(NULL, 0));
    return FORGE_TLV(0x30, FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid("2.5.4.3"), forge_text(0x0c, cn))));
}

void *forge_key(enum forge_kind kind, unsigned index)
{
    static const char *const curves[] = {"P-256", "P-384", "P-521"};
    EVP_PKEY **key = &keys[kind][index];

    if (*key != NULL)
        return *key;
    if (kind <= FORGE_P521)
        *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[kind]);
    else if (kind == FORGE_ED25519)
        *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    else
        *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)(kind == FORGE_RSA1024 ? 1024 : 2048));
    assert(*key != NULL);
    return *key;
}

struct slice forge_spki(void *key)
{
    unsigned char *der = NULL;
    int length = i2d_PUBKEY(key, &der);
    uint8_t *out;

    assert(length > 0);
    out = grab((size_t)length);
    memcpy(out, der, (size_t)length);
    OPENSSL_free(der);
    return slice_of(out, (size_t)length);
}

static const char *digest_oid(int digest)
{
    switch (digest) {
    case 1: return "1.3.14.3.2.26";
    case 384: return "2.16.840.1.101.3.4.2.2";
    case 512: return "2.16.840.1.101.3.4.2.3";
    default: return "2.16.840.1.101.3.4.2.1";
    }
}

struct slice forge_algorithm(void *key, int digest, bool pss)
{
    struct slice null = forge_hex("0500"), hash;
    int salt = digest == 1 ? 20 : digest / 8;

    if (EVP_PKEY_is_a(key, "ED25519"))
        return FORGE_TLV(0x30, forge_oid("1.3.101.112"));
    if (EVP_PKEY_is_a(key, "EC")) {
        const char *oid = digest == 1     ? "1.2.840.10045.4.1"
                          : digest == 384 ? "1.2.840.10045.4.3.3"
                          : digest == 512 ? "1.2.840.10045.4.3.4"
                                          : "1.2.840.10045.4.3.2";

        return FORGE_TLV(0x30, forge_oid(oid));
    }
    if (!pss) {
        const char *oid = digest == 5     ? "1.2.840.113549.1.1.4"
                          : digest == 1   ? "1.2.840.113549.1.1.5"
                          : digest == 384 ? "1.2.840.113549.1.1.12"
                          : digest == 512 ? "1.2.840.113549.1.1.13"
                                          : "1.2.840.113549.1.1.11";

        return FORGE_TLV(0x30, forge_oid(oid), null);
    }
    hash = FORGE_TLV(0x30, forge_oid(digest_oid(digest)), null);
    return FORGE_TLV(0x30, forge_oid("1.2.840.113549.1.1.10"),
                     FORGE_TLV(0x30, FORGE_TLV(0xa0, hash),
                               FORGE_TLV(0xa1, FORGE_TLV(0x30, forge_oid("1.2.840.113549.1.1.8"), hash)),
                               FORGE_TLV(0xa2, forge_integer(salt))));
}

struct slice forge_sign(void *key, int digest, bool pss, struct slice message)
{
    const EVP_MD *md = digest == 1     ? EVP_sha1()
                       : digest == 5   ? EVP_md5()
                       : digest == 384 ? EVP_sha384()
                       : digest == 512 ? EVP_sha512()
                                       : EVP_sha256();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    uint8_t *out = grab(1024);
    size_t length = 1024;

    if (EVP_PKEY_is_a(key, "ED25519"))
        md = NULL;
    assert(EVP_DigestSignInit(context, &parameters, md, NULL, key) == 1);
    if (pss)
        assert(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1);
    assert(EVP_DigestSign(context, out, &length, message.data, message.len) == 1);
    EVP_MD_CTX_free(context);
    return slice_of(out, length);
}

struct slice forge_extension(const char *oid, bool critical, struct slice value)
{
    return FORGE_TLV(0x30, forge_oid(oid), critical ? forge_hex("0101ff") : slice_of(NULL, 0), FORGE_TLV(0x04, value));
}

struct slice forge_san(struct slice names)
{
    return forge_extension("2.5.29.17", false, FORGE_TLV(0x30, names));
}

struct slice forge_dns(const char *name)
{
    return forge_text(0x82, name);
}

struct slice forge_ip(const char *address)
{
    uint8_t *out = grab(16);

    if (inet_pton(AF_INET, address, out) == 1)
        return FORGE_TLV(0x87, slice_of(out, 4));
    assert(inet_pton(AF_INET6, address, out) == 1);
    return FORGE_TLV(0x87, slice_of(out, 16));
}

struct slice forge_ca(int path_length)
{
    struct slice limit = path_length >= 0 ? forge_integer(path_length) : slice_of(NULL, 0);

    return forge_extension("2.5.29.19", true, FORGE_TLV(0x30, forge_hex("0101ff"), limit));
}

struct slice forge_usage(unsigned bits)
{
    uint8_t *out = grab(4);

    memset(out, 0, 4);
    out[0] = 0x03;
    out[1] = 0x02;
    for (unsigned i = 0; i < 8; i++)
        if (bits >> i & 1)
            out[3] |= (uint8_t)(0x80 >> i);
    while (out[2] < 7 && (out[3] >> out[2] & 1) == 0)
        out[2]++; /* DER: no trailing zero bits */
    return forge_extension("2.5.29.15", true, slice_of(out, 4));
}

struct slice forge_purpose(const char *oid)
{
    return forge_extension("2.5.29.37", false, FORGE_TLV(0x30, forge_oid(oid)));
}

struct slice forge_ski(const char *id)
{
    return forge_extension("2.5.29.14", false, forge_text(0x04, id));
}

struct slice forge_aki(const char *id)
{
    return forge_extension("2.5.29.35", false, FORGE_TLV(0x30, forge_text(0x80, id)));
}

struct slice forge_subtrees(uint8_t tag, struct slice name)
{
    return FORGE_TLV((uint8_t)(0xa0 | tag), FORGE_TLV(0x30, name));
}

struct slice forge_constraints(struct slice permitted, struct slice excluded)
{
    return forge_extension("2.5.29.30", true, FORGE_TLV(0x30, permitted, excluded));
}

static struct slice or_default(struct slice given, struct slice otherwise)
{
    return given.data != NULL ? given : otherwise;
}

struct slice forge_certificate(const struct forge *what)
{
    void *key = what->key ? what->key : forge_key(FORGE_P256, 0), *signer = what->signer ? what->signer : key;
    int digest = what->digest ? what->digest : 256;
    struct slice list = {NULL, 0}, algorithm = forge_algorithm(signer, digest, what->pss), tbs, signature, field;

    for (size_t i = 0; i < 12 && what->extensions[i].len > 0; i++)
        list = forge_join(list, what->extensions[i]);
    field = list.len > 0 ? FORGE_TLV(0xa3, FORGE_TLV(0x30, list)) : slice_of(NULL, 0);
    tbs = FORGE_TLV(
        0x30, or_default(what->version, FORGE_TLV(0xa0, forge_integer(2))),
        or_default(what->serial, forge_integer(0x1234)), or_default(what->inner_algorithm, algorithm),
        or_default(what->issuer_name, forge_name(what->issuer ? what->issuer : what->subject)),
        or_default(what->validity, FORGE_TLV(0x30, forge_time(what->not_before ? what->not_before : FORGE_BEFORE),
                                             forge_time(what->not_after ? what->not_after : FORGE_AFTER))),
        or_default(what->subject_name, forge_name(what->subject)), or_default(what->spki, forge_spki(key)),
        what->unique_ids, or_default(what->extensions_field, field));
    signature = forge_sign(signer, digest, what->pss, tbs);
    if (what->break_signature)
        ((uint8_t *)(uintptr_t)signature.data)[signature.len - 1] ^= 1;
    return forge_join(
        FORGE_TLV(0x30, tbs, or_default(what->outer_algorithm, algorithm), FORGE_TLV(0x03, forge_hex("00"), signature)),
        what->trailing);
}

struct slice forge_revoked(struct slice serial, int64_t when, struct slice extensions)
{
    return FORGE_TLV(0x30, serial, forge_time(when),
                     extensions.len > 0 ? FORGE_TLV(0x30, extensions) : slice_of(NULL, 0));
}

struct slice forge_reason(int reason)
{
    uint8_t *out = grab(3);

    out[0] = 0x0a;
    out[1] = 1;
    out[2] = (uint8_t)reason;
    return forge_extension("2.5.29.21", false, slice_of(out, 3));
}

struct slice forge_crl(const struct forge_crl *what)
{
    int digest = what->digest ? what->digest : 256;
    struct slice none = {NULL, 0}, algorithm = forge_algorithm(what->signer, digest, false), list = none, tbs;
    struct slice signature, number = forge_extension("2.5.29.20", false, forge_integer(7));

    for (size_t i = 0; i < 8 && what->extensions[i].len > 0; i++)
        list = forge_join(list, what->extensions[i]);
    if (!what->no_number)
        list = forge_join(number, list);
    if (list.len > 0)
        list = FORGE_TLV(0xa0, FORGE_TLV(0x30, list));
    tbs = FORGE_TLV(
        0x30, or_default(what->version, forge_integer(1)), or_default(what->inner_algorithm, algorithm),
        or_default(what->issuer_name, forge_name(what->issuer)),
        forge_time(what->this_update ? what->this_update : FORGE_NOW - 3600),
        or_default(what->next_update, forge_time(what->next_update_s ? what->next_update_s : FORGE_NOW + 3600)),
        what->revoked.len > 0 ? FORGE_TLV(0x30, what->revoked) : none, or_default(what->extensions_field, list));
    signature = forge_sign(what->signer, digest, false, tbs);
    if (what->break_signature)
        ((uint8_t *)(uintptr_t)signature.data)[signature.len - 1] ^= 1;
    return forge_join(FORGE_TLV(0x30, tbs, algorithm, FORGE_TLV(0x03, forge_hex("00"), signature)), what->trailing);
}
