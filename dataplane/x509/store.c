/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/store.h"

#include <stdlib.h>

#include "x509/certificate.h"
#include "x509/crl_set.h"
#include "x509/dn.h"
#include "x509/signature.h"

#define NONE UINT32_MAX

struct store_entry {
    struct x509_certificate certificate;
    enum x509_role role;
    uint32_t next_by_subject, next_by_digest;
    uint8_t der[];
};

/* Two chained hash tables over one array; buckets is a power of two and at least the number of entries. */
struct x509_store {
    struct store_entry **entries;
    uint32_t *by_subject, *by_digest;
    uint32_t count, buckets;
    const struct x509_store *base; /* NULL: none */
    struct x509_crl_set *crls;
    const struct x509_crl_set *lent_crls; /* instead of crls */
};

static uint32_t digest_bucket(const struct x509_store *store, const uint8_t sha256[32])
{
    uint32_t word;

    memcpy(&word, sha256, sizeof(word));
    return word & (store->buckets - 1);
}

static uint32_t subject_bucket(const struct x509_store *store, uint64_t hash)
{
    return (uint32_t)hash & (store->buckets - 1);
}

/* Appends to both chains, so that walks see the order of adding. */
static void entry_link(struct x509_store *store, uint32_t index)
{
    struct store_entry *entry = store->entries[index];
    uint32_t *link = &store->by_subject[subject_bucket(store, entry->certificate.subject_hash)];

    while (*link != NONE)
        link = &store->entries[*link]->next_by_subject;
    *link = index;
    entry->next_by_subject = NONE;
    link = &store->by_digest[digest_bucket(store, entry->certificate.sha256)];
    while (*link != NONE)
        link = &store->entries[*link]->next_by_digest;
    *link = index;
    entry->next_by_digest = NONE;
}

static enum assay_error store_grow(struct x509_store *store)
{
    uint32_t buckets = store->buckets ? store->buckets * 2 : 16;
    struct store_entry **entries = realloc(store->entries, buckets * sizeof(*entries));
    uint32_t *tables;

    if (entries == NULL)
        return ASSAY_ERR_NO_MEMORY;
    store->entries = entries;
    tables = malloc(2 * (size_t)buckets * sizeof(*tables));
    if (tables == NULL)
        return ASSAY_ERR_NO_MEMORY;
    memset(tables, 0xff, 2 * (size_t)buckets * sizeof(*tables));
    free(store->by_subject);
    store->by_subject = tables;
    store->by_digest = tables + buckets;
    store->buckets = buckets;
    for (uint32_t i = 0; i < store->count; i++)
        entry_link(store, i);
    return ASSAY_OK;
}

struct x509_store *x509_store_create(void)
{
    struct x509_store *store = calloc(1, sizeof(*store));

    if (store != NULL && store_grow(store) != ASSAY_OK) {
        x509_store_free(store);
        return NULL;
    }
    return store;
}

void x509_store_free(struct x509_store *store)
{
    if (store == NULL)
        return;
    for (uint32_t i = 0; i < store->count; i++)
        free(store->entries[i]);
    free(store->entries);
    free(store->by_subject);
    x509_crl_set_free(store->crls);
    free(store);
}

void x509_store_set_crls(struct x509_store *store, struct x509_crl_set *crls)
{
    x509_crl_set_free(store->crls);
    store->crls = crls;
}

void x509_store_lend_crls(struct x509_store *store, const struct x509_crl_set *crls)
{
    x509_store_set_crls(store, NULL);
    store->lent_crls = crls;
}

const struct x509_crl_set *x509_store_crls(const struct x509_store *store)
{
    return store->crls != NULL ? store->crls : store->lent_crls;
}

void x509_store_set_base(struct x509_store *store, const struct x509_store *base)
{
    store->base = base;
}

/* Roles among its own certificates. */
static unsigned own_roles(const struct x509_store *store, const uint8_t sha256[32])
{
    unsigned roles = 0;

    for (uint32_t i = store->by_digest[digest_bucket(store, sha256)]; i != NONE; i = store->entries[i]->next_by_digest)
        if (memcmp(store->entries[i]->certificate.sha256, sha256, X509_FINGERPRINT_SIZE) == 0)
            roles |= 1u << store->entries[i]->role;
    return roles;
}

enum assay_error x509_store_add(struct x509_store *store, struct slice der, enum x509_role role, const char **fault)
{
    struct store_entry *entry = malloc(sizeof(*entry) + der.len);
    enum assay_error error;

    if (entry == NULL)
        return ASSAY_ERR_NO_MEMORY;
    if (der.len > 0)
        memcpy(entry->der, der.data, der.len);
    entry->role = role;
    error = x509_certificate_parse(slice_of(entry->der, der.len), &entry->certificate, fault);
    if (error == ASSAY_OK && own_roles(store, entry->certificate.sha256) & 1u << role)
        error = ASSAY_ERR_DUPLICATE;
    if (error == ASSAY_OK && store->count == store->buckets)
        error = store_grow(store);
    if (error != ASSAY_OK) {
        free(entry);
        return error;
    }
    store->entries[store->count] = entry;
    entry_link(store, store->count++);
    return ASSAY_OK;
}

size_t x509_store_count(const struct x509_store *store)
{
    return store->count;
}

const struct x509_certificate *x509_store_at(const struct x509_store *store, size_t i, enum x509_role *role)
{
    if (i >= store->count)
        return NULL;
    if (role != NULL)
        *role = store->entries[i]->role;
    return &store->entries[i]->certificate;
}

unsigned x509_store_roles(const struct x509_store *store, const uint8_t sha256[32])
{
    unsigned roles = own_roles(store, sha256);

    return store->base != NULL ? roles | own_roles(store->base, sha256) : roles;
}

struct x509_store_walk x509_store_by_subject(const struct x509_store *store, struct slice subject, uint64_t hash)
{
    return (struct x509_store_walk){.store = store,
                                    .at = store,
                                    .subject = subject,
                                    .hash = hash,
                                    .next = store->by_subject[subject_bucket(store, hash)]};
}

/* The next entry of the chain, the base's behind the store's own; NULL: that was all. */
static const struct store_entry *walk_step(struct x509_store_walk *walk)
{
    const struct store_entry *entry;

    if (walk->next == NONE && walk->at == walk->store && walk->store->base != NULL) {
        walk->at = walk->store->base;
        walk->next = walk->at->by_subject[subject_bucket(walk->at, walk->hash)];
    }
    if (walk->next == NONE)
        return NULL;
    entry = walk->at->entries[walk->next];
    walk->next = entry->next_by_subject;
    return entry;
}

bool x509_store_walk_next(struct x509_store_walk *walk, const struct x509_certificate **certificate,
                          enum x509_role *role)
{
    const struct store_entry *entry;

    while ((entry = walk_step(walk)) != NULL) {
        if (entry->certificate.subject_hash != walk->hash || !dn_equal(entry->certificate.subject, walk->subject))
            continue;
        /* What both hold was seen already. */
        if (walk->at != walk->store && own_roles(walk->store, entry->certificate.sha256) & 1u << entry->role)
            continue;
        *certificate = &entry->certificate;
        *role = entry->role;
        return true;
    }
    return false;
}

/* Does it look like a server's own certificate: a host or an address in the SAN, or the usage of a server? */
static bool names_a_server(const struct x509_certificate *certificate)
{
    struct slice names = certificate->san, value;
    enum x509_general_name kind;

    if (certificate->extended_key_usage & X509_EKU_SERVER_AUTH)
        return true;
    while (x509_general_name_next(&names, &kind, &value))
        if (kind == X509_NAME_DNS || kind == X509_NAME_IP)
            return true;
    return false;
}

enum x509_role x509_role_propose(const struct x509_certificate *certificate)
{
    bool self_signed = certificate->self_issued && x509_signature_check(certificate, &certificate->key) == ASSAY_OK;

    if (!certificate->is_ca)
        return X509_ROLE_LEAF_ONLY;
    if (!self_signed)
        return X509_ROLE_HELPER;
    return names_a_server(certificate) ? X509_ROLE_LEAF_ONLY : X509_ROLE_ANCHOR;
}

const char *x509_role_name(enum x509_role role)
{
    switch (role) {
    case X509_ROLE_ANCHOR: return "anchor";
    case X509_ROLE_HELPER: return "helper";
    default: return "leaf-only";
    }
}
