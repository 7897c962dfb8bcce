/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_SOURCE_LIMIT_H
#define ASSAY_TCP_SOURCE_LIMIT_H
/* How many connections, and how many half-open ones, the peers of one prefix hold: an IPv4 address, or the /64 of an IPv6
 * address (of which one host may use as many as it likes). A prefix has an entry for as long as it holds a connection, so
 * there are never more entries than connections: the table is exact, and sized at creation. All O(1); keyed, so that nobody
 * chooses the bucket.
 * Owner: the instance. Thread: one core. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/address.h"
#include "assay/error.h"

struct source_limit;

#define SOURCE_NONE UINT32_MAX

struct source_counts {
    uint32_t connections; /* half-open ones too */
    uint32_t half_open;
};

/* connections_max: of all sources together. NO_MEMORY. */
enum assay_error source_limit_create(uint32_t connections_max, const uint8_t key[16], struct source_limit **out)
    ASSAY_MUST_USE;
void source_limit_free(struct source_limit *limit);

/* What the prefix of peer holds now. */
struct source_counts source_limit_counts(const struct source_limit *limit, const struct assay_address *peer);
/* One more connection of peer's prefix: the entry it is counted in, SOURCE_NONE when there are connections_max already. */
uint32_t source_limit_add(struct source_limit *limit, const struct assay_address *peer, bool half_open);
/* A connection counted in entry is half-open no more. */
void source_limit_opened(struct source_limit *limit, uint32_t entry);
/* A connection counted in entry, not half-open (any more), is gone. */
void source_limit_remove(struct source_limit *limit, uint32_t entry);
/* Prefixes that hold anything. */
uint32_t source_limit_used(const struct source_limit *limit);

#endif
