/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "daemon/arena.h"
#include "daemon/check.h"
#include "daemon/config.h"
#include "daemon/crl_url.h"
#include "daemon/port.h"
#include "http/grammar.h"
#include "proxy/limits.h"
#include "x509/scope.h"
#include "x509/verify.h"

/* Source ports of a core toward one origin: fewer are no use. */
#define PORTS_A_CORE_MIN 32
#define IP6_MTU_MIN      1280 /* RFC 8200 §5 */

static bool on_subnet(const struct config_interface *interface, const struct assay_address *address)
{
    struct assay_prefix prefix = {interface->address, interface->prefix_length};

    for (unsigned bit = interface->prefix_length; bit < 128; bit++)
        prefix.address.bytes[bit / 8] &= (uint8_t) ~(0x80 >> (bit % 8));
    return prefix_contains(&prefix, address);
}

static bool has_family(const struct config *config, bool ip4)
{
    const struct config_interfaces *own = &config->root.port.address;

    for (uint32_t i = 0; i < own->count; i++)
        if (address_is_ip4(&own->items[i].address) == ip4)
            return true;
    return false;
}

/* fe80::/10: every port that speaks IPv6 is on it. */
static bool is_link_local(const struct assay_address *address)
{
    return address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80;
}

static bool on_any_subnet(const struct config *config, const struct assay_address *address)
{
    const struct config_interfaces *own = &config->root.port.address;

    if (is_link_local(address))
        return has_family(config, false);
    for (uint32_t i = 0; i < own->count; i++)
        if (on_subnet(&own->items[i], address))
            return true;
    return false;
}

static void check_gateway(const struct config *config, const struct config_address *gateway, const char *what,
                          struct problems *problems)
{
    char text[ASSAY_ADDRESS_TEXT_MAX];

    if (gateway->set && !on_any_subnet(config, &gateway->address))
        problems_add(problems, config->file, config_line(config, gateway),
                     "%s: %s is on none of the subnets of port.address", what, address_format(&gateway->address, text));
}

/* A name alone is that of an interface that is made: net_tap would cut a longer one. */
static void check_exception(const struct config *config, struct problems *problems)
{
    const char *device = config->root.port.exception.device, *port = config->root.port.device;
    uint32_t line = config_line(config, &config->root.port.exception.xdp);

    if (config->root.port.exception.xdp) {
        if (device != NULL)
            problems_add(problems, config->file, line, "port.exception: device and xdp are two ways: choose one");
        if (strncmp(port, "net_af_xdp", 10) != 0)
            problems_add(problems, config->file, line, "port.exception.xdp: %s is no net_af_xdp port", port);
        else if (strstr(port, "xdp_prog=") != NULL)
            problems_add(problems, config->file, line, "port.exception.xdp: port.device names an xdp_prog of its own");
        else if (config->root.cores.count > 1 && strstr(port, "queue_count=") == NULL)
            problems_add(problems, config->file, line,
                         "port.exception.xdp: several cores need queue_count=%u in port.device, and an interface with "
                         "combined channels; else one core",
                         config->root.cores.count);
    }
    if (device == NULL || strpbrk(device, ",:") != NULL || strncmp(device, "net_", 4) == 0)
        return;
    if (strlen(device) >= IF_NAMESIZE || strpbrk(device, "/ ") != NULL)
        problems_add(problems, config->file, config_line(config, &config->root.port.exception.device),
                     "port.exception.device: %s is no interface's name: at most %d characters, no slash, no blank",
                     device, IF_NAMESIZE - 1);
}

static void check_routes(const struct config *config, struct problems *problems)
{
    const struct config_port *port = &config->root.port;
    char text[ASSAY_ADDRESS_TEXT_MAX];

    for (uint32_t i = 0; i < port->gateway.count; i++) {
        const struct config_address *gateway = &port->gateway.items[i];

        check_gateway(config, gateway, "port.gateway", problems);
        for (uint32_t k = 0; k < i; k++)
            if (address_is_ip4(&gateway->address) == address_is_ip4(&port->gateway.items[k].address))
                problems_add(problems, config->file, config_line(config, gateway),
                             "port.gateway: %s: there is one of that family already",
                             address_format(&gateway->address, text));
    }
    for (uint32_t i = 0; i < port->routes.count; i++) {
        const struct config_route *route = &port->routes.items[i];

        check_gateway(config, &route->via, "port.routes: via", problems);
        for (uint32_t k = 0; k < route->to.count; k++)
            if (address_is_ip4(&route->to.items[k].address) != address_is_ip4(&route->via.address))
                problems_add(problems, config->file, config_line(config, &route->via),
                             "port.routes: via: %s is not of the family of the destinations",
                             address_format(&route->via.address, text));
    }
}

static void check_port(const struct config *config, struct problems *problems)
{
    const struct config_port *port = &config->root.port;
    char text[ASSAY_ADDRESS_TEXT_MAX];

    for (uint32_t i = 0; i < port->address.count; i++) {
        const struct config_interface *own = &port->address.items[i];

        if (address_is_special(&own->address))
            problems_add(problems, config->file, config_line(config, own),
                         "port.address: %s cannot be a host's address", address_format(&own->address, text));
        for (uint32_t k = 0; k < i; k++)
            if (address_equal(&own->address, &port->address.items[k].address))
                problems_add(problems, config->file, config_line(config, own), "port.address: %s is there twice",
                             address_format(&own->address, text));
    }
    check_exception(config, problems);
    if (has_family(config, false) && port->mtu < IP6_MTU_MIN)
        problems_add(problems, config->file, config_line(config, &port->mtu), "port.mtu: IPv6 needs %d", IP6_MTU_MIN);
    check_routes(config, problems);
}

static void check_host_address(const struct config *config, const void *place, const char *what, uint32_t index,
                               const struct assay_address *address, struct problems *problems)
{
    bool ip4 = address_is_ip4(address);
    char text[ASSAY_ADDRESS_TEXT_MAX];

    if (!has_family(config, ip4))
        problems_add(problems, config->file, config_line(config, place),
                     "%s[%u]: %s cannot be reached: port.address has no %s address", what, index,
                     address_format(address, text), ip4 ? "IPv4" : "IPv6");
}

/* Origins by address, of a family that we do not have. */
static void check_families(const struct config *config, struct problems *problems)
{
    const struct config_root *root = &config->root;
    struct assay_address address;

    for (uint32_t i = 0; i < root->nodes.count; i++) {
        const char *node = root->nodes.items[i].address;

        if (node != NULL && address_parse(slice_text(node), &address) == ASSAY_OK)
            check_host_address(config, &root->nodes.items[i].address, "nodes", i, &address, problems);
    }
    for (uint32_t i = 0; i < root->dns.hosts.count; i++) {
        const struct config_interfaces *addresses = &root->dns.hosts.items[i].addresses;

        for (uint32_t k = 0; k < addresses->count; k++)
            check_host_address(config, &addresses->items[k], "dns.hosts", i, &addresses->items[k].address, problems);
    }
}

static void check_cores(const struct config *config, struct problems *problems)
{
    const struct config_numbers *cores = &config->root.cores;

    if (cores->count > ASSAY_CORES_MAX)
        problems_add(problems, config->file, config_line(config, cores), "cores: more than %d", ASSAY_CORES_MAX);
    for (uint32_t i = 0; i < cores->count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (cores->items[i] == cores->items[k])
                problems_add(problems, config->file, config_line(config, &cores->items[i]),
                             "cores: %llu is there twice", (unsigned long long)cores->items[i]);
}

/* A queue pair for each core, and source ports for each. */
static void check_queues(const struct config *config, struct problems *problems)
{
    uint32_t cores = config->root.cores.count, named;
    const char *device = config->root.port.device, *key = port_queues_key(device);
    const struct config_tcp *tcp = &config->root.tcp;

    if (key != NULL && port_argument(device, key, &named) && named != cores)
        problems_add(problems, config->file, config_line(config, &config->root.port.device),
                     "port.device: %s=%u, but there are %u cores; without %s it is as many", key, named, cores, key);
    if (cores > 1 && tcp->port_max >= tcp->port_min && tcp->port_max - tcp->port_min + 1 < PORTS_A_CORE_MIN * cores)
        problems_add(problems, config->file, config_line(config, &tcp->port_min),
                     "tcp: port_min to port_max are %llu ports, too few for %u cores: at least %d a core",
                     (unsigned long long)(tcp->port_max - tcp->port_min + 1), cores, PORTS_A_CORE_MIN);
}

static const struct assay_address *listener_address(const struct config *config, const struct config_listener *listener)
{
    if (listener->address.set)
        return &listener->address.address;
    return &config->root.port.address.items[0].address;
}

static bool is_own(const struct config *config, const struct assay_address *address)
{
    const struct config_interfaces *own = &config->root.port.address;

    for (uint32_t i = 0; i < own->count; i++)
        if (address_equal(&own->items[i].address, address))
            return true;
    return false;
}

static void check_listeners(const struct config *config, struct problems *problems)
{
    const struct config_root *root = &config->root;
    char text[ASSAY_ADDRESS_TEXT_MAX];
    bool tls = false;

    for (uint32_t i = 0; i < root->listeners.count; i++) {
        const struct config_listener *item = &root->listeners.items[i];
        const struct assay_address *address = listener_address(config, item);

        tls |= item->tls;
        if (!is_own(config, address))
            problems_add(problems, config->file, config_line(config, &item->address),
                         "listeners[%u].address: %s is not in port.address", i, address_format(address, text));
        for (uint32_t k = 0; k < i; k++)
            if (root->listeners.items[k].port == item->port &&
                address_equal(address, listener_address(config, &root->listeners.items[k])))
                problems_add(problems, config->file, config_line(config, item),
                             "listeners[%u]: the same address and port as listeners[%u]", i, k);
    }
    if (tls && root->credentials.count == 0)
        problems_add(problems, config->file, config_line(config, &root->listeners),
                     "listeners: one speaks TLS, but there are no credentials");
}

static void check_domains(const struct config *config, struct problems *problems)
{
    const struct config_root *root = &config->root;

    for (uint32_t i = 0; i < root->domains.count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(root->domains.items[i].name, root->domains.items[k].name) == 0)
                problems_add(problems, config->file, config_line(config, &root->domains.items[i].name),
                             "domains[%u]: %s is there twice", i, root->domains.items[i].name);
    for (uint32_t i = 0; i < root->dns.hosts.count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(root->dns.hosts.items[i].name, root->dns.hosts.items[k].name) == 0)
                problems_add(problems, config->file, config_line(config, &root->dns.hosts.items[i].name),
                             "dns.hosts[%u]: %s is there twice", i, root->dns.hosts.items[i].name);
}

/* Whatever the size of a packet buffer, it takes so much of what is sent. */
#define BUFFER_BYTES 2048

/* Smaller ones would pass no response on, and blame the origins for it. */
static void check_send_buffer(const struct config *config, struct problems *problems)
{
    const struct config_tcp *tcp = &config->root.tcp;
    uint64_t needed = proxy_send_buffer_min(config->root.limits.head_max);
    uint64_t buffers = 2 * ((needed + BUFFER_BYTES - 1) / BUFFER_BYTES); /* half of them are for receiving */

    if (tcp->send_buffer < needed)
        problems_add(problems, config->file, config_line(config, &tcp->send_buffer),
                     "tcp.send_buffer: %llu bytes are needed to pass on heads of limits.head_max",
                     (unsigned long long)needed);
    if (tcp->mbufs_max < buffers)
        problems_add(problems, config->file, config_line(config, &tcp->mbufs_max),
                     "tcp.mbufs_max: %llu are needed to pass on heads of limits.head_max", (unsigned long long)buffers);
}

static void check_tcp(const struct config *config, struct problems *problems)
{
    const struct config_tcp *tcp = &config->root.tcp;
    uint64_t ring = config->root.log.ring;

    if (tcp->port_min > tcp->port_max)
        problems_add(problems, config->file, config_line(config, &tcp->port_min), "tcp: port_min is above port_max");
    if (tcp->rto_min > tcp->rto_initial || tcp->rto_initial > tcp->rto_max)
        problems_add(problems, config->file, config_line(config, &tcp->rto_min),
                     "tcp: rto_min, rto_initial, rto_max are not in order");
    if (tcp->time_wait_max > tcp->connections_max)
        problems_add(problems, config->file, config_line(config, &tcp->time_wait_max),
                     "tcp: time_wait_max is above connections_max");
    if (config->root.limits.clients_max > tcp->connections_max)
        problems_add(problems, config->file, config_line(config, &config->root.limits.clients_max),
                     "limits.clients_max is above tcp.connections_max");
    if ((ring & (ring - 1)) != 0)
        problems_add(problems, config->file, config_line(config, &config->root.log.ring),
                     "log.ring is not a power of two");
    check_send_buffer(config, problems);
}

/* What stands in each message we pass on must be what a Via field may have (RFC 9110 §7.6.3). */
static void check_via(const struct config *config, struct problems *problems)
{
    const char *via = config->root.via;
    size_t name = via != NULL ? strcspn(via, ":") : 0, digits;

    if (via == NULL)
        return;
    digits = via[name] == ':' ? strspn(via + name + 1, "0123456789") : 0;
    if (!http_is_token(slice_of(via, name)) ||
        (via[name] == ':' && (digits == 0 || digits > 5 || via[name + 1 + digits] != '\0')))
        problems_add(
            problems, config->file, config_line(config, &config->root.via),
            "via: '%s' is no name for Via: letters, digits and !#$%%&'*+-.^_`|~, with :PORT behind them or without",
            via);
}

static void check_pins(const struct config *config, const char *what, const struct config_texts *pins,
                       struct problems *problems)
{
    uint8_t pin[32];

    if (pins->count > X509_PINS_MAX)
        problems_add(problems, config->file, config_line(config, pins), "%s.pins: more than %d", what, X509_PINS_MAX);
    for (uint32_t i = 0; i < pins->count; i++)
        if (x509_pin_parse(slice_text(pins->items[i]), pin) != ASSAY_OK)
            problems_add(problems, config->file, config_line(config, &pins->items[i]),
                         "%s.pins[%u]: %s is not 64 hex digits", what, i, pins->items[i]);
}

static void check_revocation(const struct config *config, const char *what, const uint32_t *mode,
                             struct problems *problems)
{
    const struct config_revocation *revocation = &config->root.trust.revocation;

    if (*mode == X509_REVOCATION_HARD_FAIL && revocation->crls == NULL && !revocation->fetch)
        problems_add(problems, config->file, config_line(config, mode),
                     "%s: hard-fail without crls and without fetch would refuse every certificate of a CA", what);
}

static void check_fetch(const struct config *config, struct problems *problems)
{
    const struct config_revocation *revocation = &config->root.trust.revocation;
    struct crl_url url;

    if (revocation->crl_urls.count > 0 && !revocation->fetch)
        problems_add(problems, config->file, config_line(config, &revocation->crl_urls),
                     "trust.revocation.crl_urls: nothing is fetched without fetch: on");
    for (uint32_t i = 0; i < revocation->crl_urls.count; i++)
        if (crl_url_parse(slice_text(revocation->crl_urls.items[i]), &url) != ASSAY_OK)
            problems_add(problems, config->file, config_line(config, &revocation->crl_urls.items[i]),
                         "trust.revocation.crl_urls[%u]: %s is no http or https URL", i, revocation->crl_urls.items[i]);
    if (revocation->fetch_max > revocation->cache_max)
        problems_add(problems, config->file, config_line(config, &revocation->fetch_max),
                     "trust.revocation: fetch_max is above cache_max");
}

static void check_scope(const struct config *config, const char *list, uint32_t index,
                        const struct config_scope_verify *verify, struct problems *problems)
{
    char what[64];

    snprintf(what, sizeof(what), "%s[%u].verify", list, index);
    check_pins(config, what, &verify->pins, problems);
    snprintf(what, sizeof(what), "%s[%u].verify.revocation", list, index);
    check_revocation(config, what, &verify->revocation, problems);
}

static void check_verify(const struct config *config, struct problems *problems)
{
    const struct config_root *root = &config->root;

    check_revocation(config, "trust.revocation", &root->trust.revocation.mode, problems);
    check_fetch(config, problems);
    check_pins(config, "verify", &root->verify.pins, problems);
    for (uint32_t i = 0; i < root->deployments.count; i++)
        check_scope(config, "deployments", i, &root->deployments.items[i].verify, problems);
    for (uint32_t i = 0; i < root->origins.count; i++)
        check_scope(config, "origins", i, &root->origins.items[i].verify, problems);
}

/* Where deployments are listed, a name that is none of them is a misspelled one. */
static void check_deployment_name(const struct config *config, const char *list, uint32_t index,
                                  const char *const *name, struct problems *problems)
{
    const struct config_root *root = &config->root;

    for (uint32_t i = 0; i < root->deployments.count; i++)
        if (strcmp(root->deployments.items[i].name, *name) == 0)
            return;
    if (root->deployments.count > 0 && strcmp(*name, "1") != 0)
        problems_add(problems, config->file, config_line(config, name), "%s[%u].deployment: %s is not in deployments",
                     list, index, *name);
}

static void check_deployments(const struct config *config, struct problems *problems)
{
    const struct config_root *root = &config->root;

    for (uint32_t i = 0; i < root->deployments.count; i++) {
        const struct config_deployment *item = &root->deployments.items[i];

        if (!item->trust.global && item->trust.directory == NULL)
            problems_add(problems, config->file, config_line(config, &item->trust.global),
                         "deployments[%u].trust: global is off and there is no directory: nothing would be trusted", i);
        for (uint32_t k = 0; k < i; k++) {
            const char *other = root->deployments.items[k].name;

            if (strcmp(other, item->name) == 0)
                problems_add(problems, config->file, config_line(config, &item->name),
                             "deployments[%u].name: %s is there twice", i, item->name);
            else if (x509_scope_deployment(slice_text(other)) == x509_scope_deployment(slice_text(item->name)))
                problems_add(problems, config->file, config_line(config, &item->name),
                             "deployments[%u].name: %s and %s have one number: rename one", i, item->name, other);
        }
    }
    for (uint32_t i = 0; i < root->nodes.count; i++)
        check_deployment_name(config, "nodes", i, &root->nodes.items[i].deployment, problems);
    for (uint32_t i = 0; i < root->domains.count; i++)
        check_deployment_name(config, "domains", i, &root->domains.items[i].deployment, problems);
}

static int by_origin(const void *a, const void *b)
{
    const struct config_origin *x = *(const struct config_origin *const *)a,
                               *y = *(const struct config_origin *const *)b;
    int order = strcmp(x->host, y->host);

    order = order != 0 ? order : (int)x->port - (int)y->port;
    return order != 0 ? order : x < y ? -1 : x > y;
}

static void check_origins(const struct config *config, struct problems *problems)
{
    const struct config_root *root = &config->root;
    const struct config_origin **all = NULL;
    size_t count = 0;

    for (uint32_t i = 0; i < root->origins.count; i++) {
        const struct config_origins *hosts = &root->origins.items[i].hosts;

        all = memory_grow(all, (count + hosts->count + 1) * sizeof(struct config_origin *));
        for (uint32_t k = 0; k < hosts->count; k++) {
            all[count++] = &hosts->items[k];
            if (hosts->items[k].host[0] == '\0')
                problems_add(problems, config->file, config_line(config, &hosts->items[k]),
                             "origins[%u].hosts: what is said of all origins belongs into verify", i);
        }
    }
    if (count > 0)
        qsort(all, count, sizeof(struct config_origin *), by_origin);
    for (size_t i = 1; i < count; i++)
        if (all[i]->port == all[i - 1]->port && strcmp(all[i]->host, all[i - 1]->host) == 0)
            problems_add(problems, config->file, config_line(config, all[i]), "origins: %s is there twice%s",
                         all[i]->host, all[i]->port != 0 ? ", with that port" : "");
    free(all);
}

void check_values(const struct config *config, struct problems *problems)
{
    check_port(config, problems);
    check_cores(config, problems);
    check_queues(config, problems);
    check_listeners(config, problems);
    check_domains(config, problems);
    check_families(config, problems);
    check_tcp(config, problems);
    check_via(config, problems);
    check_verify(config, problems);
    check_deployments(config, problems);
    check_origins(config, problems);
}
