/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/ndp.h"

#include <string.h>

#include "base/address.h"
#include "net/ip6.h"

#define OPTION_SOURCE_MAC 1
#define OPTION_TARGET_MAC 2
#define FLAG_ROUTER       0x80
#define FLAG_SOLICITED    0x40
#define FLAG_OVERRIDE     0x20

static uint8_t mac_option(uint8_t type)
{
    return type == NDP_SOLICITATION ? OPTION_SOURCE_MAC : OPTION_TARGET_MAC;
}

static bool read_options(struct slice options, struct ndp_message *out)
{
    for (int count = 0; options.len != 0; count++) {
        size_t len = options.len >= 2 ? options.data[1] * 8U : 0;

        if (len == 0 || len > options.len || count == NDP_OPTIONS_MAX)
            return false;
        if (options.data[0] == mac_option(out->type)) {
            memcpy(out->mac, options.data + 2, ETHER_MAC_BYTES);
            if (len != NDP_OPTION_BYTES || mac_is_group(out->mac) || mac_is_zero(out->mac))
                return false;
            out->has_mac = true;
        }
        options = slice_tail(options, len);
    }
    return true;
}

/* ff02::1:ff00:0/104 */
static bool is_solicited_node(const struct assay_address *a)
{
    struct assay_address group = ip6_solicited_node(a);

    return address_equal(a, &group);
}

bool ndp_read(struct slice message, const struct assay_address *src, const struct assay_address *dst, uint8_t hop_limit,
              struct ndp_message *out)
{
    const uint8_t *p = message.data;

    memset(out, 0, sizeof(*out));
    if (hop_limit != NDP_HOP_LIMIT || message.len < NDP_BYTES || p[1] != 0 ||
        (p[0] != NDP_SOLICITATION && p[0] != NDP_ADVERTISEMENT))
        return false;
    out->type = p[0];
    memcpy(out->target.bytes, p + 8, sizeof(out->target.bytes));
    if (ip6_is_martian_source(&out->target) || !read_options(slice_tail(message, NDP_BYTES), out))
        return false;
    if (out->type == NDP_SOLICITATION)
        return !ip6_is_unspecified(src) || (is_solicited_node(dst) && !out->has_mac);
    out->router = (p[4] & FLAG_ROUTER) != 0;
    out->solicited = (p[4] & FLAG_SOLICITED) != 0;
    out->override = (p[4] & FLAG_OVERRIDE) != 0;
    return !ip6_is_unspecified(src) && !(out->solicited && ip6_is_multicast(dst));
}

size_t ndp_write(uint8_t out[NDP_BYTES_MAX], const struct ndp_message *message)
{
    memset(out, 0, NDP_BYTES_MAX);
    out[0] = message->type;
    if (message->type == NDP_ADVERTISEMENT)
        out[4] = (uint8_t)((message->router ? FLAG_ROUTER : 0) | (message->solicited ? FLAG_SOLICITED : 0) |
                           (message->override ? FLAG_OVERRIDE : 0));
    memcpy(out + 8, message->target.bytes, sizeof(message->target.bytes));
    if (!message->has_mac)
        return NDP_BYTES;
    out[NDP_BYTES] = mac_option(message->type);
    out[NDP_BYTES + 1] = 1;
    memcpy(out + NDP_BYTES + 2, message->mac, ETHER_MAC_BYTES);
    return NDP_BYTES_MAX;
}
