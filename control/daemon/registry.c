/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/registry.h"

#include <stdlib.h>
#include <string.h>

#include "assay/chain_record.h"
#include "base/address.h"
#include "base/byte_ring.h"
#include "daemon/arena.h"

#define BUCKETS 4096 /* of origins: all chains of one are in one */

struct registry {
    struct registry_limits limits;
    struct registry_entry *buckets[BUCKETS];
    struct registry_entry *newest, *oldest;
    size_t count;
    uint64_t bytes;
    uint64_t rounds;
    struct registry_stats stats;
};

struct registry *registry_create(const struct registry_limits *limits)
{
    struct registry *registry = memory_alloc(sizeof(*registry));

    registry->limits = *limits;
    return registry;
}

static struct registry_entry **bucket_of(const struct registry *registry, const char *host, uint16_t port)
{
    uint32_t hash = 2166136261U ^ port;

    for (; *host != '\0'; host++)
        hash = (hash ^ (uint8_t)*host) * 16777619U;
    return (struct registry_entry **)(uintptr_t)&registry->buckets[(hash ^ hash >> 16) % BUCKETS];
}

/* --- order of last use ------------------------------------------------------------------------------------------------------- */

static void unlink_order(struct registry *registry, struct registry_entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &registry->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &registry->oldest) = entry->newer;
}

/* Records of several cores come nearly in order: few steps. */
static void link_order(struct registry *registry, struct registry_entry *entry)
{
    struct registry_entry *newer = NULL, *older = registry->newest;

    while (older != NULL && older->last_ns > entry->last_ns) {
        newer = older;
        older = older->older;
    }
    entry->newer = newer;
    entry->older = older;
    *(newer != NULL ? &newer->older : &registry->newest) = entry;
    *(older != NULL ? &older->newer : &registry->oldest) = entry;
}

static void entry_free(struct registry *registry, struct registry_entry *entry)
{
    struct registry_entry **link = bucket_of(registry, entry->host, entry->port);

    while (*link != entry)
        link = &(*link)->next_hash;
    *link = entry->next_hash;
    unlink_order(registry, entry);
    registry->count--;
    registry->bytes -= x509_chain_bytes(entry->chain);
    x509_chain_unref(entry->chain);
    free(entry);
}

void registry_free(struct registry *registry)
{
    if (registry == NULL)
        return;
    while (registry->newest != NULL)
        entry_free(registry, registry->newest);
    free(registry);
}

/* Room for so many bytes more. */
static bool make_room(struct registry *registry, uint64_t bytes)
{
    if (bytes > registry->limits.bytes || registry->limits.entries == 0)
        return false;
    while (registry->oldest != NULL &&
           (registry->count >= registry->limits.entries || registry->bytes + bytes > registry->limits.bytes)) {
        entry_free(registry, registry->oldest);
        registry->stats.evicted++;
    }
    return true;
}

void registry_set_limits(struct registry *registry, const struct registry_limits *limits)
{
    registry->limits = *limits;
    while (registry->oldest != NULL &&
           (registry->count > limits->entries || registry->bytes > registry->limits.bytes)) {
        entry_free(registry, registry->oldest);
        registry->stats.evicted++;
    }
}

void registry_age(struct registry *registry, uint64_t now_s)
{
    while (registry->oldest != NULL && registry->oldest->last_ns / 1000000000 + registry->limits.keep_s < now_s) {
        entry_free(registry, registry->oldest);
        registry->stats.aged++;
    }
}

/* --- entries ------------------------------------------------------------------------------------------------------------------- */

static struct registry_entry *find(const struct registry *registry, const char *host, uint16_t port,
                                   uint64_t deployment, const struct x509_chain_digest *digest)
{
    struct registry_entry *entry = NULL;

    while ((entry = registry_of_origin(registry, host, port, entry)) != NULL)
        if (entry->deployment == deployment && memcmp(entry->digest.leaf, digest->leaf, sizeof(digest->leaf)) == 0 &&
            memcmp(entry->digest.chain, digest->chain, sizeof(digest->chain)) == 0)
            return entry;
    return NULL;
}

/* Takes over the chain; what is parsed of it lies in it. */
static void set_chain(struct registry *registry, struct registry_entry *entry, struct x509_chain *chain,
                      const struct x509_chain_digest *digest)
{
    size_t count;
    const struct slice *certificates = x509_chain_slices(chain, &count);
    struct x509_certificate certificate;

    if (entry->chain != NULL)
        registry->bytes -= x509_chain_bytes(entry->chain);
    x509_chain_unref(entry->chain);
    registry->bytes += x509_chain_bytes(chain);
    entry->chain = chain;
    entry->digest = *digest;
    entry->judged.epoch = 0;
    entry->thought.round = 0;
    entry->staple_epoch = 0;
    entry->leaf_parsed = x509_certificate_parse(certificates[0], &entry->leaf, NULL) == ASSAY_OK;
    entry->shown_count = 0;
    entry->names_crls = false;
    for (size_t i = 0; i < count; i++) {
        struct registry_shown *shown = &entry->shown[entry->shown_count];

        if (x509_certificate_parse(certificates[i], &certificate, NULL) != ASSAY_OK)
            continue;
        entry->shown_count++;
        entry->names_crls |= certificate.crl_points.len > 0;
        shown->issuer = certificate.issuer;
        shown->issuer_hash = certificate.issuer_hash;
        shown->not_before_s = certificate.not_before_s;
        shown->not_after_s = certificate.not_after_s;
        memcpy(shown->sha256, certificate.sha256, sizeof(shown->sha256));
    }
}

/* Takes over the chain. */
static struct registry_entry *insert(struct registry *registry, const char *host, uint16_t port, uint64_t deployment,
                                     struct x509_chain *chain, const struct x509_chain_digest *digest, uint64_t last_ns)
{
    size_t count;
    struct registry_entry *entry, **bucket;

    (void)x509_chain_slices(chain, &count);
    entry = memory_alloc(sizeof(*entry) + count * sizeof(entry->shown[0]));
    strncpy(entry->host, host, sizeof(entry->host) - 1);
    if (x509_identity_from_host(slice_text(host), &entry->identity) != ASSAY_OK ||
        !make_room(registry, x509_chain_bytes(chain))) {
        x509_chain_unref(chain);
        free(entry);
        return NULL;
    }
    entry->port = port;
    entry->deployment = deployment;
    set_chain(registry, entry, chain, digest);
    entry->first_ns = entry->last_ns = last_ns;
    bucket = bucket_of(registry, host, port);
    entry->next_hash = *bucket;
    *bucket = entry;
    link_order(registry, entry);
    registry->count++;
    registry->stats.added++;
    return entry;
}

struct registry_entry *registry_add(struct registry *registry, const char *host, uint16_t port, uint64_t deployment,
                                    const struct slice *certificates, size_t count, uint64_t last_ns)
{
    return registry_add_stapled(registry, host, port, deployment, certificates, count, slice_of(NULL, 0), last_ns);
}

struct registry_entry *registry_add_stapled(struct registry *registry, const char *host, uint16_t port,
                                            uint64_t deployment, const struct slice *certificates, size_t count,
                                            struct slice staple, uint64_t last_ns)
{
    struct x509_chain *chain = x509_chain_create_stapled(certificates, count, staple);
    struct x509_chain_digest digest;
    struct registry_entry *entry;

    if (chain == NULL)
        return NULL;
    digest = *x509_chain_digests(chain);
    entry = find(registry, host, port, deployment, &digest);
    if (entry == NULL)
        return insert(registry, host, port, deployment, chain, &digest, last_ns);
    x509_chain_unref(chain);
    return entry;
}

/* --- records --------------------------------------------------------------------------------------------------------------------- */

struct parsed_record {
    struct chain_record head;
    char host[REGISTRY_HOST_MAX];
    struct slice certificates[CHAIN_RECORD_CERTIFICATES];
    struct slice staple;
};

static bool record_parse(struct slice bytes, struct parsed_record *out)
{
    size_t total = sizeof(out->head);

    if (bytes.len < total)
        return false;
    memcpy(&out->head, bytes.data, sizeof(out->head));
    if (out->head.certificate_count > CHAIN_RECORD_CERTIFICATES || bytes.len - total < out->head.host_length)
        return false;
    memset(out->host, 0, sizeof(out->host));
    memcpy(out->host, bytes.data + total, out->head.host_length);
    total += out->head.host_length;
    for (size_t i = 0; i < out->head.certificate_count; i++) {
        uint32_t length = out->head.certificate_length[i];

        if (bytes.len - total < length)
            return false;
        out->certificates[i] = slice_of(bytes.data + total, length);
        total += length;
    }
    if (bytes.len - total != out->head.staple_length)
        return false;
    out->staple = slice_of(bytes.data + total, out->head.staple_length);
    return true;
}

void registry_note_failures(struct registry_entry *entry, enum x509_reason reason, int depth, uint64_t count)
{
    entry->failures += count;
    entry->failed_ns = entry->last_ns;
    entry->failed_reason = reason;
    entry->failed_depth = depth;
}

static void note_record(struct registry *registry, struct registry_entry *entry, const struct chain_record *head)
{
    bool shown = head->flags & CHAIN_RECORD_HANDSHAKE;

    entry->handshakes += shown;
    entry->address = head->peer;
    if (head->wall_ns > entry->last_ns) {
        unlink_order(registry, entry);
        entry->last_ns = head->wall_ns;
        link_order(registry, entry);
    }
    if (shown && head->wall_ns > entry->shown_ns)
        entry->shown_ns = head->wall_ns;
    /* without a verdict: what an earlier one said still holds in its own epoch */
    if (head->trust_epoch == 0) {
        entry->unjudged_uses++;
        return;
    }
    entry->seen_epoch = head->trust_epoch;
    entry->seen_chain_reason = (enum x509_reason)head->chain_reason;
    entry->seen_name_reason = (enum x509_reason)head->name_reason;
    entry->seen_depth = head->depth;
    entry->seen_warnings = head->warnings;
    entry->bad_uses += head->chain_reason != X509_REASON_OK || head->name_reason != X509_REASON_OK;
}

/* Of equal digests they are: an entry has room for as many as it began with. */
static bool same_length(const struct x509_chain *a, const struct x509_chain *b)
{
    size_t m, n;

    (void)x509_chain_slices(a, &m);
    (void)x509_chain_slices(b, &n);
    return m == n;
}

struct registry_entry *registry_take(struct registry *registry, struct slice bytes)
{
    struct x509_chain_digest digest;
    struct parsed_record record;
    struct registry_entry *entry;
    struct x509_chain *chain;

    registry->stats.records++;
    if (!record_parse(bytes, &record)) {
        registry->stats.malformed++;
        return NULL;
    }
    memcpy(digest.leaf, record.head.leaf_sha256, sizeof(digest.leaf));
    memcpy(digest.chain, record.head.chain_sha256, sizeof(digest.chain));
    memcpy(digest.staple, record.head.staple_sha256, sizeof(digest.staple));
    entry = find(registry, record.host, record.head.peer_port, record.head.deployment, &digest);
    if (record.head.certificate_count > 0 &&
        (entry == NULL || memcmp(entry->digest.staple, digest.staple, sizeof(digest.staple)) != 0)) {
        chain = x509_chain_create_stapled(record.certificates, record.head.certificate_count, record.staple);
        if (chain != NULL && entry == NULL)
            entry = insert(registry, record.host, record.head.peer_port, record.head.deployment, chain, &digest,
                           record.head.wall_ns);
        else if (chain != NULL && same_length(entry->chain, chain))
            set_chain(registry, entry, chain, &digest);
        else
            x509_chain_unref(chain);
    }
    if (entry != NULL)
        note_record(registry, entry, &record.head);
    else
        registry->stats.unknown++;
    return entry;
}

size_t registry_drain(struct registry *registry, struct byte_ring *ring, size_t max)
{
    struct slice record;
    size_t n = 0;

    for (; n < max && byte_ring_peek(ring, &record); n++) {
        registry_take(registry, record);
        byte_ring_release(ring);
    }
    return n;
}

/* --- reading ----------------------------------------------------------------------------------------------------------------------- */

struct registry_entry *registry_first(const struct registry *registry)
{
    return registry->newest;
}

struct registry_entry *registry_next(const struct registry_entry *entry)
{
    return entry->older;
}

struct registry_entry *registry_of_origin(const struct registry *registry, const char *host, uint16_t port,
                                          const struct registry_entry *from)
{
    struct registry_entry *entry = from != NULL ? from->next_hash : *bucket_of(registry, host, port);

    while (entry != NULL && (entry->port != port || strcmp(entry->host, host) != 0))
        entry = entry->next_hash;
    return entry;
}

size_t registry_count(const struct registry *registry)
{
    return registry->count;
}

uint64_t registry_bytes(const struct registry *registry)
{
    return registry->bytes;
}

const struct registry_stats *registry_stats(const struct registry *registry)
{
    return &registry->stats;
}

uint64_t registry_new_round(struct registry *registry)
{
    return ++registry->rounds;
}

/* Two nodes behind one address take turns: none of their chains supersedes the other. */
bool registry_superseded(const struct registry *registry, const struct registry_entry *entry)
{
    const struct registry_entry *other = NULL;

    while ((other = registry_of_origin(registry, entry->host, entry->port, other)) != NULL)
        if (other != entry && other->deployment == entry->deployment && other->shown_ns > 0 &&
            other->first_ns > entry->shown_ns && other->leaf_parsed == entry->leaf_parsed &&
            (!entry->leaf_parsed || other->leaf.key.kind == entry->leaf.key.kind) &&
            address_equal(&other->address, &entry->address))
            return true;
    return false;
}
