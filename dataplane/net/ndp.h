/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_NDP_H
#define ASSAY_NET_NDP_H
/* Neighbour discovery messages: reading and writing neighbour solicitations and advertisements. Pure. Routers are configured,
 * not discovered; redirects are not followed.
 * Source: RFC 4861 §4.3, §4.4, §4.6.1, §7.1 (what is accepted), RFC 6980 (never in fragments). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/address.h"
#include "base/slice.h"
#include "net/ether.h"

#define NDP_SOLICITATION  135
#define NDP_ADVERTISEMENT 136
#define NDP_HOP_LIMIT     255
#define NDP_BYTES         24
#define NDP_OPTION_BYTES  8
#define NDP_BYTES_MAX     (NDP_BYTES + NDP_OPTION_BYTES) /* of what we write */
#define NDP_OPTIONS_MAX   16                             /* of what we read */

struct ndp_message {
    uint8_t type;
    bool router, solicited, override; /* of an advertisement */
    bool has_mac;                     /* source or target link-layer address, as the type has it */
    uint8_t mac[ETHER_MAC_BYTES];
    struct assay_address target;
};

/* message: ICMPv6 type, code, checksum (right) and all that follows. False for all that RFC 4861 §7.1.1 and §7.1.2 tell to
 * discard: a hop limit that is not 255, a code, an option of length 0 or cut off, a target that is a group, a solicitation from
 * :: that is not for a solicited-node group or has a link-layer address, an advertisement to a group that says "solicited".
 * And for a link-layer address that is a group's or zero. */
bool ndp_read(struct slice message, const struct assay_address *src, const struct assay_address *dst, uint8_t hop_limit,
              struct ndp_message *out);

/* Writes the message with checksum 0; returns its length. */
size_t ndp_write(uint8_t out[NDP_BYTES_MAX], const struct ndp_message *message);

#endif
