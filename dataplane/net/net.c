/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <sys/random.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "base/address.h"
#include "net/ip4.h"
#include "net/net_private.h"

#define IP4_PREFIX_OFFSET 96 /* bits before the IPv4 part of a struct assay_address */
#define NEIGHBOURS_MAX    65536
#define ARP_PENDING_MAX   65536
#define ICMP_RATE_MAX     1000000
#define VLAN_MAX          4094 /* 4095 is reserved (IEEE 802.1Q §9.6) */
#define BITS_WITH_BCAST   30   /* /31 and /32 have no broadcast address (RFC 3021) */

void net_config_default(struct net_config *config)
{
    *config = (struct net_config){
        .neighbours_max = 1024,
        .arp_pending_max = 512,
        .echo_rate = 1000,
        .icmp_error_rate = 100,
    };
}

/* --- what a port knows ----------------------------------------------------------------------------------------------------- */

const struct port_address *port_find_address(const struct net_port *port, uint32_t ip_be)
{
    for (uint32_t i = 0; i < port->addresses_count; i++)
        if (port->addresses[i].ip_be == ip_be)
            return &port->addresses[i];
    return NULL;
}

/* The first or last address of the subnet: its own, or its broadcast address. */
static bool is_subnets(const struct port_address *a, uint32_t ip_be)
{
    uint32_t host = ip_be & ~a->mask_be;

    return a->bits <= BITS_WITH_BCAST && ((ip_be ^ a->ip_be) & a->mask_be) == 0 && (host == 0 || host == ~a->mask_be);
}

bool port_is_broadcast(const struct net_port *port, uint32_t ip_be)
{
    if (ip_be == UINT32_MAX)
        return true;
    for (uint32_t i = 0; i < port->addresses_count; i++)
        if (is_subnets(&port->addresses[i], ip_be))
            return true;
    return false;
}

/* Our address on the subnet of ip_be, or NULL. */
static const struct port_address *on_subnet(const struct net_port *port, uint32_t ip_be)
{
    for (uint32_t i = 0; i < port->addresses_count; i++)
        if (((port->addresses[i].ip_be ^ ip_be) & port->addresses[i].mask_be) == 0)
            return &port->addresses[i];
    return NULL;
}

bool port_is_on_link(const struct net_port *port, uint32_t ip_be)
{
    return on_subnet(port, ip_be) != NULL && !port_is_broadcast(port, ip_be);
}

uint32_t port_source_for(const struct net_port *port, uint32_t next_hop_be)
{
    const struct port_address *a = on_subnet(port, next_hop_be);

    return a != NULL ? a->ip_be : port->addresses[0].ip_be; /* a route to it: so there is an address */
}

/* --- building -------------------------------------------------------------------------------------------------------------- */

static enum assay_error add_address(struct net *net, struct net_port *port, const struct net_address *config)
{
    struct port_address a;
    enum assay_error error;

    if (!address_is_ip4(&config->address))
        return port6_add_address(net, port, config);
    if (port->addresses_count == NET_ADDRESSES_MAX)
        return ASSAY_ERR_RANGE;
    if (config->prefix_length <= IP4_PREFIX_OFFSET || config->prefix_length > 128)
        return ASSAY_ERR_RANGE;
    a.ip_be = address_ip4_be(&config->address);
    a.bits = (uint8_t)(config->prefix_length - IP4_PREFIX_OFFSET);
    a.mask_be = ip4_mask_be(a.bits);
    if (ip4_is_martian_source(a.ip_be) || is_subnets(&a, a.ip_be))
        return ASSAY_ERR_MALFORMED;
    for (uint32_t i = 0; i < net->ports_count; i++)
        if (port_find_address(&net->ports[i], a.ip_be) != NULL)
            return ASSAY_ERR_DUPLICATE;
    error = routes_add(&port->routes, a.ip_be & a.mask_be, a.bits, 0);
    if (error != ASSAY_OK && error != ASSAY_ERR_DUPLICATE) /* several addresses may share a subnet */
        return error;
    port->addresses[port->addresses_count++] = a;
    return ASSAY_OK;
}

static enum assay_error add_port(struct net *net, const struct net_port_config *config)
{
    struct net_port *port = &net->ports[net->ports_count];

    if (config->nic == NULL || config->addresses_count == 0 || config->addresses_count > NET_ADDRESSES_MAX)
        return ASSAY_ERR_RANGE;
    if (config->vlan > VLAN_MAX)
        return ASSAY_ERR_RANGE;
    port->nic = config->nic;
    port->vlan = config->vlan;
    exception_init(&port->exception, config->exception, config->exception_rate);
    net->ports_count++;
    for (uint32_t i = 0; i < config->addresses_count; i++) {
        enum assay_error error = add_address(net, port, &config->addresses[i]);

        if (error != ASSAY_OK)
            return error;
    }
    return ASSAY_OK;
}

static enum assay_error add_route(struct net *net, const struct net_route *config)
{
    uint32_t gateway_be;
    struct net_port *port;

    if (config->port >= net->ports_count || config->prefix.length > 128)
        return ASSAY_ERR_RANGE;
    port = &net->ports[config->port];
    if (!address_is_ip4(&config->gateway))
        return port6_add_route(port, config);
    if (!address_is_ip4(&config->prefix.address) || config->prefix.length < IP4_PREFIX_OFFSET)
        return ASSAY_ERR_MALFORMED;
    gateway_be = address_ip4_be(&config->gateway);
    if (!port_is_on_link(port, gateway_be) || port_find_address(port, gateway_be) != NULL)
        return ASSAY_ERR_MALFORMED;
    return routes_add(&port->routes, address_ip4_be(&config->prefix.address),
                      (uint8_t)(config->prefix.length - IP4_PREFIX_OFFSET), gateway_be);
}

static enum assay_error build(struct net *net, const struct net_config *config)
{
    uint64_t random[3];
    enum assay_error error = ASSAY_OK;

    for (uint32_t i = 0; i < config->ports_count && error == ASSAY_OK; i++)
        error = add_port(net, &config->ports[i]);
    for (uint32_t i = 0; i < config->routes_count && error == ASSAY_OK; i++)
        error = add_route(net, &config->routes[i]);
    if (error != ASSAY_OK)
        return error;
    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return ASSAY_ERR_SYSTEM;
    net->listens_only = config->listens_only;
    net->id_state = random[0];
    net->pool = config->pool;
    net->flow_key = random[2];
    net->reassemble = config->reassemble;
    fragments_init(&net->fragments, &net->counters);
    net->announce_us = UINT64_MAX;
    net->dad_us = UINT64_MAX;
    net->mld_us = UINT64_MAX;
    icmp_limit_init(&net->echo_limit, config->echo_rate);
    icmp_limit_init(&net->error_limit, config->icmp_error_rate);
    return neighbours_init(&net->neighbours, config->neighbours_max, config->arp_pending_max, random[1],
                           &net->counters);
}

static bool numbers_in_range(const struct net_config *c)
{
    return c->ports_count >= 1 && c->ports_count <= NET_PORTS_MAX && c->routes_count <= NET_ROUTES_MAX &&
           c->pool != NULL && c->neighbours_max >= 1 && c->neighbours_max <= NEIGHBOURS_MAX &&
           c->arp_pending_max >= 1 && c->arp_pending_max <= ARP_PENDING_MAX && c->echo_rate <= ICMP_RATE_MAX &&
           c->icmp_error_rate <= ICMP_RATE_MAX;
}

enum assay_error net_create(const struct net_config *config, struct net **out)
{
    struct net *net;
    enum assay_error error;

    if (!numbers_in_range(config))
        return ASSAY_ERR_RANGE;
    net = rte_zmalloc("net", sizeof(*net), RTE_CACHE_LINE_SIZE);
    if (net == NULL)
        return ASSAY_ERR_NO_MEMORY;
    error = build(net, config);
    if (error != ASSAY_OK) {
        rte_free(net);
        return error;
    }
    *out = net;
    return ASSAY_OK;
}

void net_destroy(struct net *net)
{
    if (net == NULL)
        return;
    neighbours_fini(&net->neighbours);
    fragments_fini(&net->fragments);
    for (uint32_t i = 0; i < net->ports_count; i++)
        rte_pktmbuf_free_bulk(net->ports[i].whole, net->ports[i].whole_count);
    rte_free(net);
}

/* --- questions -------------------------------------------------------------------------------------------------------------- */

enum assay_error net_source(const struct net *net, const struct assay_address *destination,
                            struct assay_address *source)
{
    uint32_t dst_be, best_port = 0;
    const struct route *best = NULL;

    if (net_is_local(net, destination))
        return ASSAY_ERR_UNRESOLVED;
    if (!address_is_ip4(destination))
        return port6_source(net, destination, source);
    dst_be = address_ip4_be(destination);
    if (ip4_is_martian_source(dst_be)) /* nor a destination */
        return ASSAY_ERR_UNRESOLVED;
    for (uint32_t i = 0; i < net->ports_count; i++) {
        const struct route *route = routes_find(&net->ports[i].routes, dst_be);

        if (route != NULL && (best == NULL || route->bits > best->bits)) {
            best = route;
            best_port = i;
        }
    }
    if (best == NULL || port_is_broadcast(&net->ports[best_port], dst_be))
        return ASSAY_ERR_UNRESOLVED;
    *source =
        address_from_ip4_be(port_source_for(&net->ports[best_port], best->gateway_be ? best->gateway_be : dst_be));
    return ASSAY_OK;
}

/* The other addresses of own's subnet. */
static uint32_t port_siblings(const struct net_port *port, const struct port_address *own, struct assay_address *out,
                              uint32_t max)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < port->addresses_count && count < max; i++) {
        const struct port_address *other = &port->addresses[i];

        if (other != own && ((other->ip_be ^ own->ip_be) & own->mask_be) == 0)
            out[count++] = address_from_ip4_be(other->ip_be);
    }
    return count;
}

uint32_t net_sources(const struct net *net, const struct assay_address *destination, struct assay_address *sources,
                     uint32_t max)
{
    if (max == 0 || net_source(net, destination, &sources[0]) != ASSAY_OK)
        return 0;
    for (uint32_t i = 0; i < net->ports_count; i++) {
        const struct net_port *port = &net->ports[i];
        const struct port_address *own =
            address_is_ip4(&sources[0]) ? port_find_address(port, address_ip4_be(&sources[0])) : NULL;
        const struct port_address6 *own6 = own == NULL ? port6_find_used(port, &sources[0]) : NULL;

        if (own != NULL)
            return 1 + port_siblings(port, own, sources + 1, max - 1);
        if (own6 != NULL)
            return 1 + port6_siblings(port, own6, sources + 1, max - 1);
    }
    return 1;
}

bool net_is_local(const struct net *net, const struct assay_address *address)
{
    for (uint32_t i = 0; i < net->ports_count; i++)
        if (address_is_ip4(address) ? port_find_address(&net->ports[i], address_ip4_be(address)) != NULL
                                    : port6_find_used(&net->ports[i], address) != NULL)
            return true;
    return false;
}

const struct net_counters *net_get_counters(const struct net *net)
{
    return &net->counters;
}

uint32_t net_list_neighbours(const struct net *net, struct net_neighbour_info *out, uint32_t max)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < net->neighbours.max && count < max; i++) {
        const struct neighbour *n = &net->neighbours.rows[i];
        struct net_neighbour_info *row = &out[count];

        if (n->state == NEIGHBOUR_FREE)
            continue;
        *row = (struct net_neighbour_info){
            .address = n->address,
            .port = n->port,
            .state = neighbour_state_name((enum neighbour_state)n->state),
            .pending = n->pending_count,
            .confirmed_us = n->confirmed_us,
        };
        memcpy(row->mac, n->mac, sizeof(row->mac));
        count++;
    }
    return count;
}
