/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/verdict_table.h"

#include <stdlib.h>
#include <string.h>

struct table_entry {
    uint64_t tag; /* 0: empty */
    bool negative;
    struct x509_verdict_key key;
    struct x509_verdict verdict;
};

/* Open addressing, at most half full. */
struct x509_verdict_table {
    size_t mask, count, capacity;
    struct table_entry entries[];
};

struct x509_verdict_table *x509_verdict_table_create(size_t capacity)
{
    struct x509_verdict_table *table;
    size_t places = 16;

    while (places < 2 * capacity)
        places *= 2;
    table = calloc(1, sizeof(*table) + places * sizeof(table->entries[0]));
    if (table == NULL)
        return NULL;
    table->mask = places - 1;
    table->capacity = capacity;
    return table;
}

void x509_verdict_table_free(struct x509_verdict_table *table)
{
    free(table);
}

static uint64_t tag_of(const struct x509_verdict_key *key, bool negative)
{
    uint64_t chain;

    if (!negative)
        return key->hash | 1;
    memcpy(&chain, key->digest.chain, sizeof(chain));
    return (key->hash ^ chain) | 1;
}

static bool same_key(const struct table_entry *entry, const struct x509_verdict_key *key, bool negative)
{
    return entry->negative == negative && entry->key.policy_id == key->policy_id &&
           memcmp(entry->key.digest.leaf, key->digest.leaf, sizeof(key->digest.leaf)) == 0 &&
           memcmp(entry->key.digest.staple, key->digest.staple, sizeof(key->digest.staple)) == 0 &&
           x509_identity_equal(&entry->key.identity, &key->identity) &&
           (!negative || memcmp(entry->key.digest.chain, key->digest.chain, sizeof(key->digest.chain)) == 0);
}

/* Where the key is, or would be. */
static size_t place_of(const struct x509_verdict_table *table, const struct x509_verdict_key *key, bool negative)
{
    uint64_t tag = tag_of(key, negative);
    size_t place = (tag ^ tag >> 32) & table->mask;

    while (table->entries[place].tag != 0 &&
           (table->entries[place].tag != tag || !same_key(&table->entries[place], key, negative)))
        place = (place + 1) & table->mask;
    return place;
}

void x509_verdict_table_add(struct x509_verdict_table *table, const struct x509_verdict_key *key,
                            const struct x509_verdict *verdict)
{
    bool negative = verdict->chain_reason != X509_REASON_OK || verdict->name_reason != X509_REASON_OK;
    struct table_entry *entry = &table->entries[place_of(table, key, negative)];

    if (entry->tag == 0) {
        if (table->count == table->capacity)
            return;
        table->count++;
    }
    *entry = (struct table_entry){tag_of(key, negative), negative, *key, *verdict};
}

static bool find(const struct x509_verdict_table *table, const struct x509_verdict_key *key, bool negative,
                 uint64_t now_s, struct x509_verdict *out)
{
    const struct table_entry *entry = &table->entries[place_of(table, key, negative)];

    if (entry->tag == 0 || now_s > entry->verdict.valid_until_s)
        return false;
    *out = entry->verdict;
    return true;
}

bool x509_verdict_table_find(const struct x509_verdict_table *table, const struct x509_verdict_key *key, uint64_t now_s,
                             struct x509_verdict *out)
{
    return find(table, key, false, now_s, out) || find(table, key, true, now_s, out);
}

size_t x509_verdict_table_count(const struct x509_verdict_table *table)
{
    return table->count;
}
