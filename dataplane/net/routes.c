/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/routes.h"

#include <string.h>

#include "net/ip4.h"

enum assay_error routes_add(struct routes *routes, uint32_t network_be, uint8_t bits, uint32_t gateway_be)
{
    uint32_t at = 0;

    if (bits > 32)
        return ASSAY_ERR_RANGE;
    if ((network_be & ~ip4_mask_be(bits)) != 0)
        return ASSAY_ERR_MALFORMED;
    for (uint32_t i = 0; i < routes->count; i++)
        if (routes->rows[i].network_be == network_be && routes->rows[i].bits == bits)
            return ASSAY_ERR_DUPLICATE;
    if (routes->count == ROUTES_MAX)
        return ASSAY_ERR_NO_SLOT;
    while (at < routes->count && routes->rows[at].bits >= bits)
        at++;
    memmove(&routes->rows[at + 1], &routes->rows[at], (routes->count - at) * sizeof(routes->rows[0]));
    routes->rows[at] = (struct route){network_be, ip4_mask_be(bits), gateway_be, bits};
    routes->count++;
    return ASSAY_OK;
}

const struct route *routes_find(const struct routes *routes, uint32_t destination_be)
{
    for (uint32_t i = 0; i < routes->count; i++)
        if ((destination_be & routes->rows[i].mask_be) == routes->rows[i].network_be)
            return &routes->rows[i];
    return NULL;
}
