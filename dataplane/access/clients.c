/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "access/clients.h"

#include <stdlib.h>

#include "base/address.h"

struct prefix_table {
    struct assay_prefix *prefixes; /* by address, none inside another */
    size_t count;
};

struct access_clients {
    bool any;
    struct prefix_table allowed;
    struct prefix_table trusted;
};

/* A wider prefix stands before the narrower ones of the same address. */
static int compare(const void *a, const void *b)
{
    const struct assay_prefix *pa = a;
    const struct assay_prefix *pb = b;
    int difference = memcmp(pa->address.bytes, pb->address.bytes, sizeof(pa->address.bytes));

    return difference != 0 ? difference : (int)pa->length - (int)pb->length;
}

static enum assay_error table_create(const struct assay_prefix *prefixes, size_t count, struct prefix_table *out)
{
    out->count = 0;
    out->prefixes = malloc((count + 1) * sizeof(*prefixes));
    if (out->prefixes == NULL)
        return ASSAY_ERR_NO_MEMORY;
    if (count == 0)
        return ASSAY_OK;
    memcpy(out->prefixes, prefixes, count * sizeof(*prefixes));
    qsort(out->prefixes, count, sizeof(*prefixes), compare);
    for (size_t i = 0; i < count; i++)
        if (out->count == 0 || !prefix_contains(&out->prefixes[out->count - 1], &out->prefixes[i].address))
            out->prefixes[out->count++] = out->prefixes[i];
    return ASSAY_OK;
}

/* Only the last prefix that does not begin behind the address can contain it. */
static bool table_has(const struct prefix_table *table, const struct assay_address *address)
{
    size_t low = 0;
    size_t high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(table->prefixes[middle].address.bytes, address->bytes, sizeof(address->bytes)) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && prefix_contains(&table->prefixes[low - 1], address);
}

enum assay_error access_clients_create(const struct assay_prefix *allowed, size_t allowed_count, bool any,
                                       const struct assay_prefix *trusted, size_t trusted_count,
                                       struct access_clients **out)
{
    struct access_clients *clients = calloc(1, sizeof(*clients));
    enum assay_error error;

    if (clients == NULL)
        return ASSAY_ERR_NO_MEMORY;
    clients->any = any;
    error = table_create(allowed, allowed_count, &clients->allowed);
    if (error == ASSAY_OK)
        error = table_create(trusted, trusted_count, &clients->trusted);
    if (error != ASSAY_OK) {
        access_clients_free(clients);
        return error;
    }
    *out = clients;
    return ASSAY_OK;
}

void access_clients_free(struct access_clients *clients)
{
    if (clients == NULL)
        return;
    free(clients->allowed.prefixes);
    free(clients->trusted.prefixes);
    free(clients);
}

bool access_clients_allow(const struct access_clients *clients, const struct assay_address *address)
{
    return clients->any || table_has(&clients->allowed, address);
}

bool access_clients_trust(const struct access_clients *clients, const struct assay_address *address)
{
    return table_has(&clients->trusted, address);
}
