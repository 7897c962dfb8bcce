/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/scope.h"

#include <string.h>

uint64_t x509_scope_deployment(struct slice name)
{
    uint64_t hash = 0xcbf29ce484222325ULL;

    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ name.data[i]) * 0x100000001b3ULL;
    return hash != 0 ? hash : 1;
}

/* Bytes, a prefix before what it is a prefix of: strcmp() between a slice and a text. */
static int scope_compare(struct slice host, const char *text)
{
    size_t len = strlen(text);
    int order = memcmp(host.data, text, host.len < len ? host.len : len);

    return order != 0 ? order : host.len < len ? -1 : host.len > len;
}

/* The first row of a host, or where it would be. */
static uint32_t scope_first_row(const struct trust_section *trust, struct slice host)
{
    uint32_t low = 0, high = trust->origin_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (scope_compare(host, trust->origins[middle].host) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct trust_deployment *scope_deployment(const struct trust_section *trust, uint64_t number)
{
    uint32_t low = 0, high = trust->deployment_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (trust->deployments[middle].number == number)
            return &trust->deployments[middle];
        if (trust->deployments[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

uint32_t x509_scope_find(const struct trust_section *trust, uint64_t deployment, struct slice host, uint16_t port)
{
    const struct trust_deployment *within = scope_deployment(trust, deployment);
    const struct trust_origin *best = NULL;

    /* Only deployments with settings of their own have rows of their own. */
    deployment = within != NULL ? deployment : 0;
    for (uint32_t i = scope_first_row(trust, host); i < trust->origin_count; i++) {
        const struct trust_origin *row = &trust->origins[i];

        if (scope_compare(host, row->host) != 0)
            break;
        if (row->deployment == deployment && (row->port == port || (row->port == 0 && best == NULL)))
            best = row;
    }
    if (best != NULL)
        return best->scope;
    return within != NULL ? within->scope : 0;
}
