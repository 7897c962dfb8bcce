/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/verdict_cache.h"

#include <stdlib.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/sha256.h>

#define WAYS 4

struct cache_entry {
    struct x509_verdict verdict;
    uint64_t trust_epoch;
    uint32_t policy_id;
    uint32_t used; /* tick of the last use */
    uint8_t leaf[32];
    uint8_t chain[32]; /* negative entries */
    uint8_t staple[32];
    struct x509_identity identity;
};

/* The tags of a set lie together: a miss touches one cache line, a hit one more and the entry. 0 = empty. */
struct cache_table {
    uint64_t *tags;
    struct cache_entry *entries;
    uint32_t sets; /* a power of two */
    bool negative;
};

struct x509_verdict_cache {
    struct cache_table positive, negative;
    uint32_t negative_ttl_s, tick;
    uint64_t trust_epoch;
    struct x509_verdict_stats stats;
};

static void count(uint64_t *counter)
{
    __atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED); /* one writer, other threads read */
}

void x509_chain_digest(const struct slice *presented, size_t count_, struct x509_chain_digest *out)
{
    wc_Sha256 sha;

    memset(out, 0, sizeof(*out));
    if (count_ == 0)
        return;
    (void)wc_Sha256Hash(presented[0].data, (word32)presented[0].len, out->leaf);
    (void)wc_InitSha256(&sha);
    for (size_t i = 0; i < count_; i++) {
        uint32_t length = (uint32_t)presented[i].len;
        uint8_t prefix[4] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length};

        /* Lengths keep two chains of equal concatenation apart. */
        (void)wc_Sha256Update(&sha, prefix, sizeof(prefix));
        (void)wc_Sha256Update(&sha, presented[i].data, (word32)length);
    }
    (void)wc_Sha256Final(&sha, out->chain);
    wc_Sha256Free(&sha);
}

void x509_chain_digest_staple(struct slice staple, struct x509_chain_digest *out)
{
    memset(out->staple, 0, sizeof(out->staple));
    if (staple.len > 0)
        (void)wc_Sha256Hash(staple.data, (word32)staple.len, out->staple);
}

static uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xd1b54a32d192ed03u);

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

void x509_verdict_key_init(struct x509_verdict_key *key, const struct x509_chain_digest *digest,
                           const struct x509_identity *identity, uint32_t policy_id)
{
    uint64_t hash = mix(word_at(digest->leaf) ^ word_at(digest->staple),
                        (uint64_t)policy_id << 16 | (uint64_t)identity->kind << 8 | identity->length);

    key->digest = *digest;
    key->identity = *identity;
    key->policy_id = policy_id;
    /* Bytes beyond the length are zero. The last few of a name of full length are left to the compare. */
    for (size_t i = 0; i < identity->length && i + 8 <= sizeof(identity->bytes); i += 8)
        hash = mix(hash, word_at(identity->bytes + i));
    key->hash = hash;
}

static uint64_t table_tag(const struct cache_table *table, const struct x509_verdict_key *key)
{
    uint64_t tag = table->negative ? mix(key->hash, word_at(key->digest.chain)) : key->hash;

    return tag | 1; /* never the empty tag */
}

/* Sets are chosen by bits that the tag's forced bit does not touch. */
static size_t table_set(const struct cache_table *table, uint64_t tag)
{
    return (size_t)(tag >> 32 & (table->sets - 1)) * WAYS;
}

static bool entry_matches(const struct cache_table *table, const struct cache_entry *entry,
                          const struct x509_verdict_key *key)
{
    return entry->policy_id == key->policy_id && memcmp(entry->leaf, key->digest.leaf, sizeof(entry->leaf)) == 0 &&
           memcmp(entry->staple, key->digest.staple, sizeof(entry->staple)) == 0 &&
           x509_identity_equal(&entry->identity, &key->identity) &&
           (!table->negative || memcmp(entry->chain, key->digest.chain, sizeof(entry->chain)) == 0);
}

static struct cache_entry *table_lookup(const struct cache_table *table, const struct x509_verdict_key *key)
{
    uint64_t tag = table_tag(table, key);
    size_t set = table_set(table, tag);

    for (size_t i = set; i < set + WAYS; i++)
        if (table->tags[i] == tag && entry_matches(table, &table->entries[i], key))
            return &table->entries[i];
    return NULL;
}

/* Where a new entry goes: its old place, an empty or outlived one, else the least recently used of the set. */
static size_t table_place(struct x509_verdict_cache *cache, const struct cache_table *table,
                          const struct x509_verdict_key *key, uint64_t now_s)
{
    uint64_t tag = table_tag(table, key);
    size_t set = table_set(table, tag), oldest = set;

    for (size_t i = set; i < set + WAYS; i++)
        if (table->tags[i] == tag && entry_matches(table, &table->entries[i], key))
            return i;
    for (size_t i = set; i < set + WAYS; i++) {
        const struct cache_entry *entry = &table->entries[i];

        if (table->tags[i] == 0 || entry->trust_epoch != cache->trust_epoch || entry->verdict.valid_until_s < now_s)
            return i;
        if (cache->tick - entry->used > cache->tick - table->entries[oldest].used)
            oldest = i;
    }
    count(&cache->stats.evictions);
    return oldest;
}

static bool table_create(struct cache_table *table, uint32_t entries, bool negative)
{
    uint32_t sets = 1;

    while (sets * WAYS < entries && sets < 1u << 24)
        sets *= 2;
    table->sets = sets;
    table->negative = negative;
    table->tags = calloc((size_t)sets * WAYS, sizeof(*table->tags));
    table->entries = calloc((size_t)sets * WAYS, sizeof(*table->entries));
    return table->tags != NULL && table->entries != NULL;
}

struct x509_verdict_cache *x509_verdict_cache_create(uint32_t entries, uint32_t negative_entries,
                                                     uint32_t negative_ttl_s)
{
    struct x509_verdict_cache *cache = calloc(1, sizeof(*cache));

    if (cache == NULL)
        return NULL;
    cache->negative_ttl_s = negative_ttl_s;
    if (!table_create(&cache->positive, entries, false) || !table_create(&cache->negative, negative_entries, true)) {
        x509_verdict_cache_free(cache);
        return NULL;
    }
    return cache;
}

static void table_free(struct cache_table *table)
{
    free(table->tags);
    free(table->entries);
}

void x509_verdict_cache_free(struct x509_verdict_cache *cache)
{
    if (cache == NULL)
        return;
    table_free(&cache->positive);
    table_free(&cache->negative);
    free(cache);
}

/* Entries of another epoch are never used again; they stay until their place is needed. */
static void epoch_follow(struct x509_verdict_cache *cache, uint64_t trust_epoch)
{
    if (cache->trust_epoch == trust_epoch)
        return;
    cache->trust_epoch = trust_epoch;
    count(&cache->stats.epoch_flushes);
}

static bool entry_is_current(const struct cache_entry *entry, uint64_t trust_epoch, uint64_t now_s)
{
    return entry != NULL && entry->trust_epoch == trust_epoch && now_s <= entry->verdict.valid_until_s;
}

bool x509_verdict_cache_find(struct x509_verdict_cache *cache, const struct x509_verdict_key *key, uint64_t trust_epoch,
                             uint64_t now_s, struct x509_verdict *out)
{
    struct cache_entry *entry = table_lookup(&cache->positive, key);
    bool negative = !entry_is_current(entry, trust_epoch, now_s);

    epoch_follow(cache, trust_epoch);
    if (negative)
        entry = table_lookup(&cache->negative, key);
    if (!entry_is_current(entry, trust_epoch, now_s)) {
        count(&cache->stats.misses);
        return false;
    }
    count(negative ? &cache->stats.negative_hits : &cache->stats.hits);
    entry->used = ++cache->tick;
    *out = entry->verdict;
    return true;
}

void x509_verdict_cache_put(struct x509_verdict_cache *cache, const struct x509_verdict_key *key, uint64_t trust_epoch,
                            uint64_t now_s, const struct x509_result *result)
{
    bool accepted = x509_result_reason(result) == X509_REASON_OK;
    struct cache_table *table = accepted ? &cache->positive : &cache->negative;
    struct cache_entry *entry;
    size_t place;

    epoch_follow(cache, trust_epoch);
    /* How far a search got says nothing lasting about a chain. */
    if (result->chain_reason == X509_REASON_WORK_LIMIT)
        return;
    place = table_place(cache, table, key, now_s);
    entry = &table->entries[place];
    table->tags[place] = table_tag(table, key);
    entry->verdict = (struct x509_verdict){
        .chain_reason = result->chain_reason,
        .name_reason = result->name_reason,
        .depth = result->depth,
        .warnings = result->warnings,
        .valid_until_s = accepted ? result->valid_until_s : now_s + cache->negative_ttl_s,
    };
    /* A refusal of the name ends no later than the path whose certificate it is about. */
    if (!accepted && result->chain_reason == X509_REASON_OK && result->valid_until_s < entry->verdict.valid_until_s)
        entry->verdict.valid_until_s = result->valid_until_s;
    entry->trust_epoch = trust_epoch;
    entry->policy_id = key->policy_id;
    entry->used = ++cache->tick;
    memcpy(entry->leaf, key->digest.leaf, sizeof(entry->leaf));
    memcpy(entry->chain, key->digest.chain, sizeof(entry->chain));
    memcpy(entry->staple, key->digest.staple, sizeof(entry->staple));
    entry->identity = key->identity;
    count(&cache->stats.inserts);
}

bool x509_verdict_cache_lookup(struct x509_verdict_cache *cache, const struct x509_chain_digest *digest,
                               const struct x509_identity *identity, uint32_t policy_id, uint64_t trust_epoch,
                               uint64_t now_s, struct x509_verdict *out)
{
    struct x509_verdict_key key;

    x509_verdict_key_init(&key, digest, identity, policy_id);
    return x509_verdict_cache_find(cache, &key, trust_epoch, now_s, out);
}

void x509_verdict_cache_insert(struct x509_verdict_cache *cache, const struct x509_chain_digest *digest,
                               const struct x509_identity *identity, uint32_t policy_id, uint64_t trust_epoch,
                               uint64_t now_s, const struct x509_result *result)
{
    struct x509_verdict_key key;

    x509_verdict_key_init(&key, digest, identity, policy_id);
    x509_verdict_cache_put(cache, &key, trust_epoch, now_s, result);
}

const struct x509_verdict_stats *x509_verdict_cache_stats(const struct x509_verdict_cache *cache)
{
    return &cache->stats;
}

static void table_each(const struct x509_verdict_cache *cache, const struct cache_table *table,
                       x509_verdict_visit visit, void *arg)
{
    for (size_t i = 0; i < (size_t)table->sets * WAYS; i++) {
        const struct cache_entry *entry = &table->entries[i];

        if (table->tags[i] != 0 && entry->trust_epoch == cache->trust_epoch)
            visit(arg, entry->leaf, &entry->identity, entry->policy_id, entry->trust_epoch, &entry->verdict);
    }
}

void x509_verdict_cache_each(const struct x509_verdict_cache *cache, x509_verdict_visit visit, void *arg)
{
    table_each(cache, &cache->positive, visit, arg);
    table_each(cache, &cache->negative, visit, arg);
}
