/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a port knows of IPv6: its addresses and their states, its subnets and routes, and which address is a source. */
#include "base/address.h"
#include "net/ip6.h"
#include "net/net_private.h"

#define LINK_LOCAL_BITS 64

static const struct assay_address all_nodes = {{0xff, 0x02, [15] = 1}};
static const struct assay_address on_the_link;

struct port_address6 *port6_find_address(struct net_port *port, const struct assay_address *address)
{
    for (uint32_t i = 0; i < port->addresses6_count; i++)
        if (address_equal(&port->addresses6[i].address, address))
            return &port->addresses6[i];
    return NULL;
}

const struct port_address6 *port6_find_used(const struct net_port *port, const struct assay_address *address)
{
    for (uint32_t i = 0; i < port->addresses6_count; i++)
        if (address_equal(&port->addresses6[i].address, address))
            return port->addresses6[i].state == ADDRESS6_PREFERRED ? &port->addresses6[i] : NULL;
    return NULL;
}

static bool has_subnet_of(const struct port_address6 *own, const struct assay_address *address)
{
    struct assay_prefix prefix = {own->address, own->bits};

    return prefix_contains(&prefix, address);
}

uint32_t port6_siblings(const struct net_port *port, const struct port_address6 *own, struct assay_address *out,
                        uint32_t max)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < port->addresses6_count && count < max; i++) {
        const struct port_address6 *other = &port->addresses6[i];

        if (other != own && other->state == ADDRESS6_PREFERRED && has_subnet_of(own, &other->address))
            out[count++] = other->address;
    }
    return count;
}

bool port6_is_on_link(const struct net_port *port, const struct assay_address *address)
{
    for (uint32_t i = 0; i < port->addresses6_count; i++)
        if (has_subnet_of(&port->addresses6[i], address))
            return true;
    return false;
}

bool port6_in_group(const struct net_port *port, const struct assay_address *group)
{
    if (address_equal(group, &all_nodes))
        return port->addresses6_count != 0;
    for (uint32_t i = 0; i < port->addresses6_count; i++) {
        struct assay_address own = ip6_solicited_node(&port->addresses6[i].address);

        if (address_equal(group, &own))
            return true;
    }
    return false;
}

static unsigned common_bits(const struct assay_address *a, const struct assay_address *b)
{
    unsigned bits = 0;

    while (bits < 128 && ((a->bytes[bits / 8] ^ b->bytes[bits / 8]) & (0x80 >> bits % 8)) == 0)
        bits++;
    return bits;
}

const struct assay_address *port6_source_for(const struct net_port *port, const struct assay_address *next_hop,
                                             const struct assay_address *destination)
{
    const struct port_address6 *best = NULL;
    bool near = ip6_is_link_local(destination);

    for (uint32_t i = 0; i < port->addresses6_count; i++) {
        const struct port_address6 *own = &port->addresses6[i];

        if (own->state != ADDRESS6_PREFERRED || ip6_is_link_local(&own->address) != near)
            continue;
        if (has_subnet_of(own, next_hop))
            return &own->address;
        if (best == NULL || common_bits(&own->address, destination) > common_bits(&best->address, destination))
            best = own;
    }
    return best != NULL ? &best->address : NULL;
}

static struct assay_prefix subnet_of(const struct assay_address *address, uint8_t bits)
{
    struct assay_prefix prefix = {*address, bits};

    for (unsigned bit = bits; bit < 128; bit++)
        prefix.address.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    return prefix;
}

static enum assay_error append(struct net_port *port, const struct assay_address *address, uint8_t bits)
{
    struct assay_prefix subnet = subnet_of(address, bits);
    enum assay_error error = routes6_add(&port->routes6, &subnet, &on_the_link);

    if (error != ASSAY_OK && error != ASSAY_ERR_DUPLICATE) /* several addresses may share a subnet */
        return error;
    port->addresses6[port->addresses6_count++] = (struct port_address6){*address, bits, ADDRESS6_NEW};
    return ASSAY_OK;
}

enum assay_error port6_add_address(struct net *net, struct net_port *port, const struct net_address *config)
{
    if (config->prefix_length == 0 || config->prefix_length > 128)
        return ASSAY_ERR_RANGE;
    if (ip6_is_martian_source(&config->address) || ip6_is_link_local(&config->address))
        return ASSAY_ERR_MALFORMED;
    for (uint32_t i = 0; i < net->ports_count; i++)
        if (port6_find_address(&net->ports[i], &config->address) != NULL)
            return ASSAY_ERR_DUPLICATE;
    if (port->addresses6_count == 0) { /* neighbour discovery needs one (RFC 4291 §2.1) */
        struct assay_address link_local = ip6_link_local(port->nic->mac);
        enum assay_error error = append(port, &link_local, LINK_LOCAL_BITS);

        if (error != ASSAY_OK)
            return error;
    }
    return append(port, &config->address, config->prefix_length);
}

enum assay_error port6_add_route(struct net_port *port, const struct net_route *config)
{
    if (address_is_ip4(&config->prefix.address) || ip6_is_martian_source(&config->gateway) ||
        !port6_is_on_link(port, &config->gateway) || port6_find_address(port, &config->gateway) != NULL)
        return ASSAY_ERR_MALFORMED;
    return routes6_add(&port->routes6, &config->prefix, &config->gateway);
}

uint64_t net_duplicates(const struct net *net)
{
    uint64_t mask = 0;
    uint32_t bit = 0;

    for (uint32_t port = 0; port < net->ports_count; port++)
        for (uint32_t i = 1; i < net->ports[port].addresses6_count && bit < 64; i++, bit++)
            if (__atomic_load_n(&net->ports[port].addresses6[i].state, __ATOMIC_RELAXED) == ADDRESS6_DUPLICATE)
                mask |= 1ULL << bit;
    return mask;
}

enum assay_error port6_source(const struct net *net, const struct assay_address *destination,
                              struct assay_address *source)
{
    const struct assay_address *found, *next_hop;
    const struct net_port *best_port = NULL;
    const struct route6 *best = NULL;

    if (ip6_is_martian_source(destination) || ip6_is_link_local(destination)) /* a link-local one would need a port */
        return ASSAY_ERR_UNRESOLVED;
    for (uint32_t i = 0; i < net->ports_count; i++) {
        const struct route6 *route = routes6_find(&net->ports[i].routes6, destination);

        if (route != NULL && (best == NULL || route->prefix.length > best->prefix.length)) {
            best = route;
            best_port = &net->ports[i];
        }
    }
    if (best == NULL)
        return ASSAY_ERR_UNRESOLVED;
    next_hop = ip6_is_unspecified(&best->gateway) ? destination : &best->gateway;
    found = port6_source_for(best_port, next_hop, destination);
    if (found == NULL)
        return ASSAY_ERR_UNRESOLVED;
    *source = *found;
    return ASSAY_OK;
}
