/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_ACCESS_CLIENTS_H
#define ASSAY_ACCESS_CLIENTS_H
/* Which addresses a listener serves (`clients:`, DESIGN 8), and which of them are believed what they say of others
 * (X-Forwarded-For, TrackingID). Prefixes are kept sorted and disjoint: a look-up is a binary search.
 * Owner: control's access section, immutable. Thread: any. Errors: NO_MEMORY. */
#include <stdbool.h>
#include <stddef.h>

#include "assay/address.h"
#include "assay/error.h"

struct access_clients;

/* any: `clients: any`, every address is served; without it and without prefixes, none is. Copies the prefixes. */
enum assay_error access_clients_create(const struct assay_prefix *allowed, size_t allowed_count, bool any,
                                       const struct assay_prefix *trusted, size_t trusted_count,
                                       struct access_clients **out) ASSAY_MUST_USE;
void access_clients_free(struct access_clients *clients);

bool access_clients_allow(const struct access_clients *clients, const struct assay_address *address);
/* Trust does not serve: an address that is only trusted is not allowed. */
bool access_clients_trust(const struct access_clients *clients, const struct assay_address *address);

#endif
