/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_IDENTITY_H
#define ASSAY_X509_IDENTITY_H
/* The reference identity of a connection: what the request asked for (MRA S2), in canonical bytes, so that equal names are
 * equal memory (it is hashed and compared as such). Source: RFC 9525 §6.1, RFC 6066 §3. Pure. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/address.h"
#include "assay/error.h"
#include "base/slice.h"

enum x509_identity_kind { X509_IDENTITY_DNS = 1, X509_IDENTITY_IP4 = 2, X509_IDENTITY_IP6 = 3 };

struct x509_identity {
    uint8_t kind;
    uint8_t length; /* bytes used: 4, 16, or the length of the name */
    uint8_t bytes
        [254]; /* lower-case name without trailing dot (a NUL follows), or the address in network order; the rest 0 */
};

/* Host of a request (a name or an IP literal, IPv6 with or without brackets). MALFORMED: not a host: empty labels, bytes
 * outside LDH and underscore, over-long, all-numeric last label that is no address. */
enum assay_error x509_identity_from_host(struct slice host, struct x509_identity *out) ASSAY_MUST_USE;
bool x509_identity_equal(const struct x509_identity *a, const struct x509_identity *b);
/* The name, or the address's text; terminated; at most 255 bytes. Returns out. */
char *x509_identity_format(const struct x509_identity *identity, char out[256]);

#endif
