/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/source_limit.h"

#include <stdlib.h>

#include "base/address.h"
#include "base/siphash.h"

#define IP6_PREFIX_BYTES 8

struct source_entry {
    struct assay_address prefix;
    struct source_counts counts;
    uint32_t bucket;
    uint32_t next; /* in its bucket, or among the free */
};

struct source_limit {
    struct source_entry *entries;
    uint32_t *buckets;
    uint32_t bucket_mask;
    uint32_t count, used;
    uint32_t free;    /* given back */
    uint32_t touched; /* entries below were in use at least once: memory that was never needed is never touched */
    uint8_t key[SIPHASH_KEY_BYTES];
};

enum assay_error source_limit_create(uint32_t connections_max, const uint8_t key[16], struct source_limit **out)
{
    struct source_limit *limit = calloc(1, sizeof(*limit));
    uint32_t buckets = 64;

    if (limit == NULL)
        return ASSAY_ERR_NO_MEMORY;
    while (buckets < connections_max)
        buckets *= 2;
    limit->bucket_mask = buckets - 1;
    limit->count = connections_max;
    limit->free = SOURCE_NONE;
    memcpy(limit->key, key, sizeof(limit->key));
    limit->entries = malloc(connections_max * sizeof(*limit->entries));
    limit->buckets = malloc(buckets * sizeof(*limit->buckets));
    if (limit->entries == NULL || limit->buckets == NULL) {
        source_limit_free(limit);
        return ASSAY_ERR_NO_MEMORY;
    }
    memset(limit->buckets, 0xff, buckets * sizeof(*limit->buckets));
    *out = limit;
    return ASSAY_OK;
}

void source_limit_free(struct source_limit *limit)
{
    if (limit == NULL)
        return;
    free(limit->entries);
    free(limit->buckets);
    free(limit);
}

static struct assay_address prefix_of(const struct assay_address *peer)
{
    struct assay_address prefix = *peer;

    if (!address_is_ip4(peer))
        memset(prefix.bytes + IP6_PREFIX_BYTES, 0, sizeof(prefix.bytes) - IP6_PREFIX_BYTES);
    return prefix;
}

static uint32_t find(const struct source_limit *limit, const struct assay_address *prefix, uint32_t *bucket)
{
    uint32_t index;

    *bucket = (uint32_t)siphash_1_3(limit->key, prefix, sizeof(*prefix)) & limit->bucket_mask;
    index = limit->buckets[*bucket];
    while (index != SOURCE_NONE && !address_equal(&limit->entries[index].prefix, prefix))
        index = limit->entries[index].next;
    return index;
}

struct source_counts source_limit_counts(const struct source_limit *limit, const struct assay_address *peer)
{
    struct assay_address prefix = prefix_of(peer);
    uint32_t bucket, index = find(limit, &prefix, &bucket);

    return index == SOURCE_NONE ? (struct source_counts){0} : limit->entries[index].counts;
}

static uint32_t take_entry(struct source_limit *limit)
{
    uint32_t index = limit->free;

    if (index != SOURCE_NONE)
        limit->free = limit->entries[index].next;
    else if (limit->touched < limit->count)
        index = limit->touched++;
    return index;
}

uint32_t source_limit_add(struct source_limit *limit, const struct assay_address *peer, bool half_open)
{
    struct assay_address prefix = prefix_of(peer);
    uint32_t bucket, index = find(limit, &prefix, &bucket);

    if (index == SOURCE_NONE) {
        index = take_entry(limit);
        if (index == SOURCE_NONE)
            return SOURCE_NONE;
        limit->entries[index] =
            (struct source_entry){.prefix = prefix, .bucket = bucket, .next = limit->buckets[bucket]};
        limit->buckets[bucket] = index;
        limit->used++;
    }
    limit->entries[index].counts.connections++;
    limit->entries[index].counts.half_open += half_open;
    return index;
}

void source_limit_opened(struct source_limit *limit, uint32_t entry)
{
    limit->entries[entry].counts.half_open--;
}

void source_limit_remove(struct source_limit *limit, uint32_t entry)
{
    struct source_entry *gone = &limit->entries[entry];
    uint32_t *link = &limit->buckets[gone->bucket];

    if (--gone->counts.connections > 0)
        return;
    while (*link != entry)
        link = &limit->entries[*link].next;
    *link = gone->next;
    gone->next = limit->free;
    limit->free = entry;
    limit->used--;
}

uint32_t source_limit_used(const struct source_limit *limit)
{
    return limit->used;
}
