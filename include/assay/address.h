/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_ADDRESS_H
#define ASSAY_ADDRESS_H
/* An IP address of either family: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2). A prefix counts
 * its bits in the same space: 198.18.0.0/15 has length 96 + 15. */
#include <stdbool.h>
#include <stdint.h>

struct assay_address {
    uint8_t bytes[16];
};

struct assay_prefix {
    struct assay_address address;
    uint8_t length; /* bits, 0..128 */
};

/* Text of an address: "198.18.0.10" or RFC 5952 form, and its terminator. */
#define ASSAY_ADDRESS_TEXT_MAX 46

#endif
