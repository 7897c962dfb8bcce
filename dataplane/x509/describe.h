/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_DESCRIBE_H
#define ASSAY_X509_DESCRIBE_H
/* Certificates in words, for `assayctl trust list|show`, `assayctl verify`, logs and JSON. Whatever a certificate holds, the
 * text is printable UTF-8 on one line (but x509_describe_text's own line ends): control octets, octets that are no UTF-8 and
 * RFC 4514's special characters are escaped as \xx, so that a name cannot forge a line.
 * Each writes at most size bytes with the terminator, and returns the length the whole text has (as snprintf does).
 * Pure. Source: RFC 4514 §2 (most specific RDN first), RFC 5952. */
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "x509/certificate.h"

#define X509_DESCRIBE_TIME_SIZE   32 /* "2026-01-02T03:04:05Z" */
#define X509_DESCRIBE_HEX_SIZE    65 /* a SHA-256 in hex */
#define X509_DESCRIBE_KEY_SIZE    32
#define X509_DESCRIBE_SERIAL_SIZE 64

size_t x509_describe_dn(struct slice name, char *out, size_t size); /* "CN=cucm.steven.lab,O=Steven" */
/* The last commonName alone; empty when there is none. */
size_t x509_describe_common_name(struct slice name, char *out, size_t size);
size_t x509_describe_time(int64_t seconds, char *out, size_t size);
size_t x509_describe_hex(struct slice bytes, char *out, size_t size);                     /* lower case, no separator */
size_t x509_describe_serial(const struct x509_certificate *c, char *out, size_t size);    /* hex, "00" for zero */
size_t x509_describe_key(const struct x509_certificate *c, char *out, size_t size);       /* "RSA 2048", "EC P-256" */
size_t x509_describe_signature(const struct x509_certificate *c, char *out, size_t size); /* "ECDSA with SHA-256" */
size_t x509_describe_key_usage(const struct x509_certificate *c, char *out, size_t size);
/* One general name: "DNS:a.b", "IP:192.0.2.1", "DirName:CN=x"; take them with x509_general_name_next(). */
size_t x509_describe_general_name(enum x509_general_name kind, struct slice value, char *out, size_t size);

/* One line: subject, issuer, validity, key, fingerprint. */
size_t x509_describe_line(const struct x509_certificate *c, char *out, size_t size);
/* Decoded, several lines, each "  label: value". */
size_t x509_describe_text(const struct x509_certificate *c, char *out, size_t size);

#endif
