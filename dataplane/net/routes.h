/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_ROUTES_H
#define ASSAY_NET_ROUTES_H
/* The IPv4 routes of one port: its subnets and its static routes, the longest prefix first. A handful of rows, so a scan.
 * Owner: the caller. Thread: read only once it is built. Source: RFC 1122 §3.3.1, RFC 1812 §5.2.4.3 (longest match). */
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"
#include "net/net.h"

#define ROUTES_MAX (NET_ROUTES_MAX + NET_ADDRESSES_MAX)

struct route {
    uint32_t network_be;
    uint32_t mask_be;
    uint32_t gateway_be; /* 0: on the link */
    uint8_t bits;
};

struct routes {
    uint32_t count;
    struct route rows[ROUTES_MAX];
};

/* DUPLICATE: there is a row for that prefix already. MALFORMED: host bits are set. NO_SLOT. RANGE: bits over 32. */
enum assay_error routes_add(struct routes *routes, uint32_t network_be, uint8_t bits, uint32_t gateway_be)
    ASSAY_MUST_USE;

/* The longest match, or NULL. */
const struct route *routes_find(const struct routes *routes, uint32_t destination_be);

#endif
