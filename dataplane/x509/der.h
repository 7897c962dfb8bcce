/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_DER_H
#define ASSAY_X509_DER_H
/* A strict DER reader. Each call takes one value off the front of *rest, which moves only on success. Refused as MALFORMED:
 * indefinite and non-minimal lengths, lengths beyond the input, tags in the long form, a tag other than the asked one.
 * Owner: the caller of the bytes; results are slices of them. Pure, no allocation. Source: ITU-T X.690 §8.1, §10, §11. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0c,
    DER_PRINTABLE_STRING = 0x13,
    DER_TELETEX_STRING = 0x14,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_VISIBLE_STRING = 0x1a,
    DER_UNIVERSAL_STRING = 0x1c,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};
#define DER_CONTEXT(n)             (uint8_t)(0x80 | (n)) /* [n] IMPLICIT of a primitive type */
#define DER_CONTEXT_CONSTRUCTED(n) (uint8_t)(0xa0 | (n)) /* [n] EXPLICIT, or IMPLICIT of a constructed type */

struct der_value {
    uint8_t tag;
    struct slice body;  /* the contents */
    struct slice whole; /* tag, length and contents */
};

enum assay_error der_next(struct slice *rest, struct der_value *out) ASSAY_MUST_USE;
/* The contents of the next value, which must have this tag. */
enum assay_error der_read(struct slice *rest, uint8_t tag, struct slice *body) ASSAY_MUST_USE;
/* The same with tag and length. */
enum assay_error der_read_whole(struct slice *rest, uint8_t tag, struct slice *whole) ASSAY_MUST_USE;
/* Is there a next value with this tag? */
static inline bool der_is_next(struct slice rest, uint8_t tag)
{
    return rest.len > 0 && rest.data[0] == tag;
}

/* BOOLEAN: 0x00 or 0xff, nothing else (§11.1). */
enum assay_error der_read_boolean(struct slice *rest, bool *out) ASSAY_MUST_USE;
/* INTEGER contents as they stand: minimal two's complement (§8.3.2). */
enum assay_error der_read_integer(struct slice *rest, uint8_t tag, struct slice *out) ASSAY_MUST_USE;
/* A non-negative INTEGER without its leading zero octet; empty for 0. */
enum assay_error der_read_unsigned(struct slice *rest, struct slice *magnitude) ASSAY_MUST_USE;
/* A non-negative INTEGER below 2^31; RANGE when larger. */
enum assay_error der_read_small(struct slice *rest, uint8_t tag, uint32_t *out) ASSAY_MUST_USE;
/* BIT STRING: unused is 0..7 and the unused bits are zero (§11.2). */
enum assay_error der_read_bits(struct slice *rest, struct slice *bits, uint8_t *unused) ASSAY_MUST_USE;
/* BIT STRING of whole octets: keys, signatures. */
enum assay_error der_read_octet_bits(struct slice *rest, struct slice *octets) ASSAY_MUST_USE;
/* OBJECT IDENTIFIER contents: complete, minimal arcs (§8.19.2). */
enum assay_error der_read_oid(struct slice *rest, struct slice *oid) ASSAY_MUST_USE;
/* UTCTime or GeneralizedTime of RFC 5280 §4.1.2.5: with seconds, "Z", no fraction, a date that exists. Seconds since 1970.
 * Either type is read for any year, as the RFC asks of applications; the rule which to use binds the issuer. */
enum assay_error der_read_time(struct slice *rest, int64_t *seconds) ASSAY_MUST_USE;

#endif
