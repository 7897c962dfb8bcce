/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Look-ups in the sections of a snapshot: sorted arrays, binary search; nothing is kept. */
#include "base/address.h"
#include "proxy/internal.h"

/* Order of a slice against a terminated name, as control sorts: bytes, a prefix before what it is a prefix of. */
static int route_compare(struct slice key, const char *name)
{
    size_t len = strlen(name);
    int order = memcmp(key.data, name, key.len < len ? key.len : len);

    if (order != 0)
        return order;
    return key.len < len ? -1 : key.len > len;
}

/* In an array sorted by name, whose rows begin with the pointer to it. */
static const void *route_search(const void *rows, uint32_t count, size_t row_bytes, struct slice key)
{
    uint32_t low = 0, high = count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const void *row = (const uint8_t *)rows + middle * row_bytes;
        int order = route_compare(key, *(const char *const *)row);

        if (order == 0)
            return row;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static_assert(offsetof(struct route_origin, host) == 0 && offsetof(struct route_domain, domain) == 0 &&
                  offsetof(struct credential_name, name) == 0 && offsetof(struct credential_origin, host) == 0,
              "route_search() finds the name at the front of a row");

const struct route_origin *route_find_origin(const struct route_section *route, struct slice host)
{
    return route_search(route->origins, route->origin_count, sizeof(*route->origins), host);
}

const struct route_domain *route_find_domain(const struct route_section *route, struct slice domain)
{
    return route_search(route->domains, route->domain_count, sizeof(*route->domains), domain);
}

static struct tls_credential *route_server_name(const struct credential_section *credentials, struct slice name)
{
    const struct credential_name *row = route_search(credentials->server_names, credentials->server_name_count,
                                                     sizeof(*credentials->server_names), name);

    return row != NULL ? row->credential : NULL;
}

struct tls_credential *route_server_credential(const struct credential_section *credentials, struct slice sni)
{
    char wildcard[PROXY_HOST_MAX + 2];
    struct tls_credential *found = NULL;
    const uint8_t *dot;

    if (sni.len == 0 || sni.len > PROXY_HOST_MAX)
        return credentials->server_default;
    found = route_server_name(credentials, sni);
    dot = memchr(sni.data, '.', sni.len);
    if (found == NULL && dot != NULL) {
        struct slice rest = slice_of(dot, sni.len - (size_t)(dot - sni.data));

        wildcard[0] = '*';
        memcpy(wildcard + 1, rest.data, rest.len);
        found = route_server_name(credentials, slice_of(wildcard, rest.len + 1));
    }
    return found != NULL ? found : credentials->server_default;
}

struct tls_credential *route_client_credential(const struct credential_section *credentials, struct slice host,
                                               uint16_t port)
{
    const struct credential_origin *rows = credentials->client_origins, *row,
                                   *end = rows + credentials->client_origin_count;
    struct tls_credential *any_port = NULL;

    row = route_search(rows, credentials->client_origin_count, sizeof(*rows), host);
    /* One of the host's: its first is the one for every port, where there is that. */
    while (row != NULL && row > rows && route_compare(host, row[-1].host) == 0)
        row--;
    for (; row != NULL && row < end && route_compare(host, row->host) == 0; row++) {
        if (row->port == port)
            return row->credential;
        if (row->port == 0)
            any_port = row->credential;
    }
    return any_port != NULL ? any_port : credentials->client_default;
}

bool route_own_address(const struct route_section *route, const struct assay_address *address)
{
    for (uint32_t i = 0; i < route->own_address_count; i++)
        if (address_equal(&route->own_addresses[i], address))
            return true;
    return false;
}
