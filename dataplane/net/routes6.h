/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_ROUTES6_H
#define ASSAY_NET_ROUTES6_H
/* The IPv6 routes of one port: its subnets and its static routes, the longest prefix first. A handful of rows, so a scan.
 * Owner: the caller. Thread: read only once it is built. Source: RFC 7608 (every length up to 128). */
#include "assay/address.h"
#include "assay/error.h"
#include "net/net.h"

#define ROUTES6_MAX (NET_ROUTES_MAX + NET_ADDRESSES_MAX + 1)

struct route6 {
    struct assay_prefix prefix;
    struct assay_address gateway; /* ::: on the link */
};

struct routes6 {
    uint32_t count;
    struct route6 rows[ROUTES6_MAX];
};

/* DUPLICATE: there is a row for that prefix already. MALFORMED: host bits are set. NO_SLOT. RANGE: a length over 128. */
enum assay_error routes6_add(struct routes6 *routes, const struct assay_prefix *prefix,
                             const struct assay_address *gateway) ASSAY_MUST_USE;

/* The longest match, or NULL. */
const struct route6 *routes6_find(const struct routes6 *routes, const struct assay_address *destination);

#endif
