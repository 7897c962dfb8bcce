/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/routes6.h"

#include <string.h>

#include "base/address.h"

static bool host_bits_set(const struct assay_prefix *prefix)
{
    for (unsigned bit = prefix->length; bit < 128; bit++)
        if (prefix->address.bytes[bit / 8] & (0x80 >> (bit % 8)))
            return true;
    return false;
}

enum assay_error routes6_add(struct routes6 *routes, const struct assay_prefix *prefix,
                             const struct assay_address *gateway)
{
    uint32_t at = 0;

    if (prefix->length > 128)
        return ASSAY_ERR_RANGE;
    if (host_bits_set(prefix))
        return ASSAY_ERR_MALFORMED;
    for (uint32_t i = 0; i < routes->count; i++)
        if (routes->rows[i].prefix.length == prefix->length &&
            address_equal(&routes->rows[i].prefix.address, &prefix->address))
            return ASSAY_ERR_DUPLICATE;
    if (routes->count == ROUTES6_MAX)
        return ASSAY_ERR_NO_SLOT;
    while (at < routes->count && routes->rows[at].prefix.length >= prefix->length)
        at++;
    memmove(&routes->rows[at + 1], &routes->rows[at], (routes->count - at) * sizeof(routes->rows[0]));
    routes->rows[at] = (struct route6){*prefix, *gateway};
    routes->count++;
    return ASSAY_OK;
}

const struct route6 *routes6_find(const struct routes6 *routes, const struct assay_address *destination)
{
    for (uint32_t i = 0; i < routes->count; i++)
        if (prefix_contains(&routes->rows[i].prefix, destination))
            return &routes->rows[i];
    return NULL;
}
