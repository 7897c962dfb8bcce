/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_ADDRESS_H
#define ASSAY_BASE_ADDRESS_H
/* Reading, writing and comparing addresses and prefixes. Pure. Source: RFC 4291 §2.5.5.2, RFC 5952, RFC 6943 §3.1.1
 * (no octal, no short forms: "010.1" is not an address). */
#include <string.h>

#include "assay/address.h"
#include "assay/error.h"
#include "base/slice.h"

static inline bool address_equal(const struct assay_address *a, const struct assay_address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static inline bool address_is_ip4(const struct assay_address *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    return memcmp(a->bytes, mapped, sizeof(mapped)) == 0;
}

/* The IPv4 part in network order; only for address_is_ip4(). */
static inline uint32_t address_ip4_be(const struct assay_address *a)
{
    uint32_t ip_be;

    memcpy(&ip_be, a->bytes + 12, sizeof(ip_be));
    return ip_be;
}

struct assay_address address_from_ip4_be(uint32_t ip_be);

/* "198.18.0.10", "2001:db8::1" (no brackets, no zone). MALFORMED otherwise. */
enum assay_error address_parse(struct slice text, struct assay_address *out) ASSAY_MUST_USE;

/* Writes the text and its terminator; returns out. */
char *address_format(const struct assay_address *a, char out[ASSAY_ADDRESS_TEXT_MAX]);

/* "198.18.0.0/15", or an address alone for a prefix of full length. MALFORMED; RANGE when host bits are set. */
enum assay_error prefix_parse(struct slice text, struct assay_prefix *out) ASSAY_MUST_USE;

bool prefix_contains(const struct assay_prefix *prefix, const struct assay_address *address);

/* Loopback, unspecified, multicast, broadcast, link-local: never an origin (DESIGN 9). */
bool address_is_special(const struct assay_address *a);

#endif
