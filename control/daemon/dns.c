/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/dns.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

/* ares_getsock() and ares_process_fd() are all that both Debian's versions have. */
#define CARES_NO_DEPRECATED
#include <ares.h>

#include "base/address.h"
#include "daemon/arena.h"

#define RETRY_MS    5000 /* after a failure, and the shortest TTL that is honoured */
#define QUERIES_MAX 64   /* under way at once */

struct dns {
    ares_channel channel;
    char *servers; /* for messages */
    uint64_t refresh_ms;
    int family; /* what is asked for: the families we have addresses of */
    struct assay_address *own;
    uint32_t own_count;
    /* of the call that is running: c-ares answers by callback */
    struct names *names;
    uint64_t now_ms;
    bool changed;
    unsigned under_way;
};

struct query {
    struct dns *dns;
    char *host;
};

/* --- set up --------------------------------------------------------------------------------------------------------------------- */

static void server_list(const struct config_endpoints *servers, struct text *out)
{
    char text[ASSAY_ADDRESS_TEXT_MAX];

    for (uint32_t i = 0; i < servers->count; i++) {
        const struct config_endpoint *server = &servers->items[i];
        bool ip4 = address_is_ip4(&server->address);

        text_printf(out, "%s%s%s%s:%u", i > 0 ? "," : "", ip4 ? "" : "[", address_format(&server->address, text),
                    ip4 ? "" : "]", server->port);
    }
}

static bool open_channel(struct dns *dns, const struct config *config, struct problems *problems)
{
    /* no search list: a rule names a host in full */
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH, .timeout = (int)(config->root.dns.timeout / 1000), .tries = 2};
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
    struct text servers = {0};
    int status = ares_init_options(&dns->channel, &options, mask);

    if (status != ARES_SUCCESS) {
        problems_add(problems, "dns", 0, "c-ares did not start: %s", ares_strerror(status));
        dns->channel = NULL;
        return false;
    }
    server_list(&config->root.dns.servers, &servers);
    if (servers.len > 0 && (status = ares_set_servers_ports_csv(dns->channel, servers.data)) != ARES_SUCCESS) {
        problems_add(problems, config->file, config_line(config, &config->root.dns.servers), "dns.servers: %s",
                     ares_strerror(status));
        text_free(&servers);
        return false;
    }
    free(dns->servers);
    dns->servers = strdup(servers.len > 0 ? servers.data : "the host's resolver");
    text_free(&servers);
    return true;
}

static void take_settings(struct dns *dns, const struct config *config)
{
    const struct config_interfaces *own = &config->root.port.address;
    bool ip4 = false, ip6 = false;

    dns->refresh_ms = config->root.dns.refresh / 1000;
    dns->own = memory_grow(dns->own, own->count * sizeof(*dns->own));
    for (uint32_t i = 0; i < own->count; i++) {
        dns->own[i] = own->items[i].address;
        ip4 |= address_is_ip4(&dns->own[i]);
        ip6 |= !address_is_ip4(&dns->own[i]);
    }
    dns->own_count = own->count;
    dns->family = ip4 == ip6 ? AF_UNSPEC : ip6 ? AF_INET6 : AF_INET; /* with no address of our own: both */
}

struct dns *dns_create(const struct config *config, struct problems *problems)
{
    struct dns *dns;

    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        problems_add(problems, "dns", 0, "c-ares did not start");
        return NULL;
    }
    dns = memory_alloc(sizeof(*dns));
    take_settings(dns, config);
    if (open_channel(dns, config, problems))
        return dns;
    dns_free(dns);
    return NULL;
}

static void close_channel(struct dns *dns)
{
    if (dns->channel != NULL)
        ares_destroy(dns->channel);
    dns->channel = NULL;
}

void dns_free(struct dns *dns)
{
    if (dns == NULL)
        return;
    dns->names = NULL;
    close_channel(dns);
    ares_library_cleanup();
    free(dns->servers);
    free(dns->own);
    free(dns);
}

bool dns_configure(struct dns *dns, const struct config *config, struct names *names, struct problems *problems)
{
    struct dns next = {0};

    if (!open_channel(&next, config, problems)) {
        close_channel(&next);
        free(next.servers);
        return false;
    }
    dns->names = NULL;
    close_channel(dns);
    free(dns->servers);
    dns->channel = next.channel;
    dns->servers = next.servers;
    dns->under_way = 0;
    take_settings(dns, config);
    for (size_t i = 0; i < names->count; i++)
        names->items[i].asked = false;
    return true;
}

/* --- questions and answers ------------------------------------------------------------------------------------------------------ */

static void failed(struct dns *dns, const char *host, int status)
{
    struct name *name = names_at(dns->names, slice_text(host));
    char error[NAMES_ERROR_MAX];

    snprintf(error, sizeof(error), "%s from %s",
             status == ARES_ENOTFOUND ? "NXDOMAIN"
             : status == ARES_ENODATA ? dns->family == AF_UNSPEC  ? "no address"
                                        : dns->family == AF_INET6 ? "no IPv6 address"
                                                                  : "no IPv4 address"
                                      : ares_strerror(status),
             dns->servers);
    dns->changed |= names_fail(dns->names, slice_text(host), error);
    if (name != NULL)
        name->due_ms = dns->now_ms + (dns->refresh_ms < RETRY_MS ? dns->refresh_ms : RETRY_MS);
}

static bool take_address(const struct ares_addrinfo_node *node, struct assay_address *out)
{
    const void *address = node->ai_addr;

    if (node->ai_family == AF_INET)
        *out = address_from_ip4_be(((const struct sockaddr_in *)address)->sin_addr.s_addr);
    else if (node->ai_family == AF_INET6)
        memcpy(out->bytes, ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr, sizeof(out->bytes));
    else
        return false;
    /* IPv4 in the clothes of IPv6 (an AAAA record of ::ffff:0:0/96) is no answer. */
    return node->ai_family == AF_INET || !address_is_ip4(out);
}

static void answered(struct dns *dns, const char *host, const struct ares_addrinfo *result)
{
    struct assay_address addresses[ROUTE_ADDRESSES_MAX];
    uint64_t wait_ms = dns->refresh_ms;
    uint32_t count = 0;
    struct name *name;

    for (const struct ares_addrinfo_node *node = result->nodes; node != NULL; node = node->ai_next) {
        uint64_t ttl_ms = node->ai_ttl > 0 ? (uint64_t)node->ai_ttl * 1000 : 0;

        if (count == ROUTE_ADDRESSES_MAX || !take_address(node, &addresses[count]))
            continue;
        count++;
        if (ttl_ms < RETRY_MS)
            ttl_ms = RETRY_MS;
        if (ttl_ms < wait_ms)
            wait_ms = ttl_ms;
    }
    dns->changed |= names_answer(dns->names, slice_text(host), addresses, count, dns->own, dns->own_count);
    name = names_at(dns->names, slice_text(host));
    if (name != NULL)
        name->due_ms = dns->now_ms + wait_ms;
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *result)
{
    struct query *query = arg;
    struct dns *dns = query->dns;

    /* names NULL: the channel is being closed */
    if (dns->names != NULL) {
        dns->under_way--;
        if (status == ARES_SUCCESS)
            answered(dns, query->host, result);
        else
            failed(dns, query->host, status);
    }
    if (result != NULL)
        ares_freeaddrinfo(result);
    free(query->host);
    free(query);
}

/* The answer may come within the call (hosts file): the table does not move meanwhile, only this name's row changes. */
static void ask(struct dns *dns, struct name *name)
{
    const struct ares_addrinfo_hints hints = {
        .ai_family = dns->family, .ai_socktype = SOCK_STREAM, .ai_flags = ARES_AI_NOSORT};
    struct query *query = memory_alloc(sizeof(*query));

    query->dns = dns;
    query->host = strdup(name->host);
    name->asked = true;
    dns->under_way++;
    ares_getaddrinfo(dns->channel, name->host, NULL, &hints, on_answer, query);
}

void dns_ask(struct dns *dns, struct names *names, uint64_t now_ms)
{
    dns->names = names;
    dns->now_ms = now_ms;
    for (size_t i = 0; i < names->count && dns->under_way < QUERIES_MAX; i++) {
        struct name *name = &names->items[i];

        if (!name->fixed && !name->asked && now_ms >= name->due_ms)
            ask(dns, name);
    }
}

size_t dns_sockets(struct dns *dns, struct pollfd *out)
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    /* readable bits below, writable bits above; c-ares' own macros shift into the sign */
    unsigned bits = (unsigned)ares_getsock(dns->channel, sockets, ARES_GETSOCK_MAXNUM);
    size_t count = 0;

    for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM && count < DNS_SOCKETS_MAX; i++) {
        short events = (short)((bits >> i & 1 ? POLLIN : 0) | (bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0));

        if (events != 0)
            out[count++] = (struct pollfd){.fd = sockets[i], .events = events};
    }
    return count;
}

int dns_timeout_ms(struct dns *dns, const struct names *names, uint64_t now_ms, int max_ms)
{
    struct timeval limit = {max_ms / 1000, max_ms % 1000 * 1000}, out;
    struct timeval *wait = ares_timeout(dns->channel, &limit, &out);
    int timeout = (int)(wait->tv_sec * 1000 + wait->tv_usec / 1000);

    for (size_t i = 0; i < names->count; i++) {
        const struct name *name = &names->items[i];

        if (name->fixed || name->asked)
            continue;
        if (name->due_ms <= now_ms)
            return dns->under_way < QUERIES_MAX ? 0 : timeout;
        if (name->due_ms - now_ms < (uint64_t)timeout)
            timeout = (int)(name->due_ms - now_ms);
    }
    return timeout;
}

bool dns_process(struct dns *dns, struct names *names, const struct pollfd *sockets, size_t count, uint64_t now_ms)
{
    bool changed;

    dns->names = names;
    dns->now_ms = now_ms;
    for (size_t i = 0; i < count; i++)
        if (sockets[i].revents != 0)
            ares_process_fd(dns->channel, (sockets[i].revents & ~POLLOUT) != 0 ? sockets[i].fd : ARES_SOCKET_BAD,
                            (sockets[i].revents & POLLOUT) != 0 ? sockets[i].fd : ARES_SOCKET_BAD);
    ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* timeouts */
    changed = dns->changed;
    dns->changed = false;
    return changed;
}

bool dns_settled(const struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (!names->items[i].answered)
            return false;
    return true;
}
