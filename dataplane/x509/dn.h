/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_DN_H
#define ASSAY_X509_DN_H
/* Distinguished names: reading, comparing, hashing. A "name" here is the contents of the Name's SEQUENCE, checked once by
 * dn_check() (certificate.c does); the other functions then cannot fail.
 * Two values are equal when their text is: string types are converted to UTF-8, ASCII letters folded, white space at the ends
 * dropped and runs of it made one blank; so an issuer's PrintableString meets its CA's UTF8String. Other types: equal bytes.
 * Pure. Source: RFC 5280 §4.1.2.4, §7.1 (with ASCII folding in place of full string preparation, as OpenSSL does). */
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"

struct dn_attribute {
    struct slice oid;
    uint8_t tag; /* of the value */
    struct slice value;
    bool first_of_rdn;
};

struct dn_cursor {
    struct slice name, rdn;
};

enum assay_error dn_check(struct slice name) ASSAY_MUST_USE;

static inline struct dn_cursor dn_begin(struct slice name)
{
    return (struct dn_cursor){name, {NULL, 0}};
}
bool dn_next(struct dn_cursor *cursor, struct dn_attribute *out);

bool dn_equal(struct slice a, struct slice b);
/* Is base a leading part of name, RDN by RDN? The match of a directoryName constraint (RFC 5280 §4.2.1.10). */
bool dn_is_within(struct slice name, struct slice base);
/* Equal names have equal hashes. Not keyed: for tables that an operator fills, not a peer. */
uint64_t dn_hash(struct slice name);

/* The value as UTF-8 in out (no terminator), not folded. Returns its length, or -1: not a string type, not valid in its
 * type, holds a NUL, or longer than size. */
int dn_text(const struct dn_attribute *attribute, char *out, size_t size);

/* The last (most specific) commonName; false when there is none. */
bool dn_common_name(struct slice name, struct dn_attribute *out);
bool dn_is_common_name(const struct dn_attribute *attribute);
bool dn_is_email(const struct dn_attribute *attribute);

#endif
