/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TEST_FORGE_H
#define ASSAY_TEST_FORGE_H
/* Certificates made to order, octet by octet where need be, signed by OpenSSL's libcrypto: right ones, and each way of being
 * wrong. All memory belongs to the forge until forge_free(). Single-threaded; for tests only. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define FORGE_NOW    1700000000 /* 2023-11-14T22:13:20Z: what tests judge at */
#define FORGE_YEAR   31536000
#define FORGE_BEFORE (FORGE_NOW - FORGE_YEAR) /* default validity */
#define FORGE_AFTER  (FORGE_NOW + FORGE_YEAR)

/* DER, composed. FORGE_TLV(0x30, a, b): a SEQUENCE of two parts. */
struct slice forge_tlv(uint8_t tag, const struct slice *parts, size_t count);
#define FORGE_PARTS(...) \
    (struct slice[])     \
    {                    \
        __VA_ARGS__      \
    }
#define FORGE_TLV(tag, ...) \
    forge_tlv((tag), FORGE_PARTS(__VA_ARGS__), sizeof(FORGE_PARTS(__VA_ARGS__)) / sizeof(struct slice))
struct slice forge_join(struct slice a, struct slice b);
struct slice forge_text(uint8_t tag, const char *text);
struct slice forge_hex(const char *hex); /* blanks allowed */
struct slice forge_integer(long value);
struct slice forge_oid(const char *dotted);
struct slice forge_time(int64_t seconds); /* UTCTime to 2049, then GeneralizedTime */
struct slice forge_name(const char *cn);  /* Name with one CN (UTF8String); NULL or "": empty */

enum forge_kind { FORGE_P256, FORGE_P384, FORGE_P521, FORGE_ED25519, FORGE_RSA1024, FORGE_RSA2048 };
/* The index-th key of a kind (0..15), made once. */
void *forge_key(enum forge_kind kind, unsigned index);
struct slice forge_spki(void *key);
struct slice forge_algorithm(void *key, int digest_bits, bool pss); /* AlgorithmIdentifier; digest 1 = SHA-1, 5 = MD5 */
struct slice forge_sign(void *key, int digest_bits, bool pss, struct slice message);

/* Extensions. */
struct slice forge_extension(const char *oid, bool critical, struct slice value);
struct slice forge_san(struct slice names); /* joined GeneralNames */
struct slice forge_dns(const char *name);
struct slice forge_ip(const char *address);
struct slice forge_ca(int path_length);  /* basicConstraints CA:TRUE, -1: no limit */
struct slice forge_usage(unsigned bits); /* enum x509_key_usage */
struct slice forge_purpose(const char *oid);
struct slice forge_ski(const char *id);
struct slice forge_aki(const char *id);
struct slice forge_subtrees(uint8_t tag, struct slice name); /* one GeneralSubtree under [tag] */
struct slice forge_constraints(struct slice permitted, struct slice excluded);
#define FORGE_SERVER_AUTH "1.3.6.1.5.5.7.3.1"
#define FORGE_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"

/* A certificate. Zero fields take the default; slices are whole TLVs put in as they are. */
struct forge {
    const char *subject, *issuer; /* CNs; issuer NULL: self-issued */
    void *key, *signer;           /* signer NULL: key */
    int64_t not_before, not_after;
    struct slice extensions[12]; /* up to the first empty one */
    int digest;                  /* bits, 256 by default; 1 = SHA-1, 5 = MD5 */
    bool pss, no_extensions, break_signature;
    struct slice version, serial, inner_algorithm, outer_algorithm, issuer_name, subject_name, validity, spki,
        unique_ids, extensions_field, trailing;
};
struct slice forge_certificate(const struct forge *what);

/* A CRL, complete with a crlNumber. Zero fields take the default; to leave a field out give an empty slice with data. */
struct forge_crl {
    const char *issuer;
    void *signer;
    int64_t this_update, next_update_s; /* an hour before and after FORGE_NOW */
    struct slice revoked;               /* joined forge_revoked() */
    struct slice extensions[8];
    int digest;
    bool no_number, break_signature;
    struct slice version, inner_algorithm, issuer_name, next_update, extensions_field, trailing;
};
struct slice forge_crl(const struct forge_crl *what);
struct slice forge_revoked(struct slice serial, int64_t when, struct slice extensions);
struct slice forge_reason(int reason); /* reasonCode */
void forge_free(void);

#endif
