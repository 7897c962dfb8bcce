/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_SCOPE_H
#define ASSAY_X509_SCOPE_H
/* Which settings judge an origin: the most specific scope of a trust section (assay/snapshot.h) that covers it. Host and port
 * go before host alone, an origin's own entry before its deployment's, that before the global one; what an entry leaves open
 * it has from the less specific ones already: control built it so.
 * Pure: cores ask once an origin and snapshot, control wherever it judges. Source: MRA S29. */
#include <stdint.h>

#include "assay/snapshot.h"
#include "base/slice.h"

/* A deployment as a number that is the same in every snapshot (FNV-1a, 64 bits; control refuses two names with one number).
 * Never 0. */
uint64_t x509_scope_deployment(struct slice name);

/* Index into trust->scopes. host: lower case, addresses as x509_identity_format() spells them; deployment 0: none known. */
uint32_t x509_scope_find(const struct trust_section *trust, uint64_t deployment, struct slice host, uint16_t port);

#endif
