/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "daemon/arena.h"
#include "daemon/text.h"
#include "daemon/trust.h"
#include "x509/pem.h"
#include "x509/verdict_cache.h"

/* What a request's files hold. */
struct material {
    struct text chain, key;
};

static void material_free(struct material *material)
{
    text_free(&material->chain);
    text_free_secret(&material->key);
}

static bool read_file(const struct credential_request *request, const char *what, const char *path, struct text *out,
                      struct problems *problems)
{
    enum assay_error error;

    if (path == NULL)
        return true;
    error = text_read_file(out, path, CREDENTIAL_FILE_MAX);
    if (error == ASSAY_OK)
        return true;
    problems_add(problems, request->where, request->line, "%s %s: %s", what, path, assay_error_text(error));
    return false;
}

/* Digests stand for the files: the key itself is not kept around. */
static char *identity_of(const struct credential_request *request, const struct material *material, uint32_t cores)
{
    struct slice files[2] = {text_slice(&material->chain), text_slice(&material->key)};
    char chain[2 * X509_FINGERPRINT_SIZE + 1], key[2 * X509_FINGERPRINT_SIZE + 1];
    struct x509_chain_digest digest;
    struct text text = {0};

    x509_chain_digest(&files[0], 1, &digest);
    trust_fingerprint(digest.leaf, chain);
    x509_chain_digest(&files[1], 1, &digest);
    trust_fingerprint(digest.leaf, key);
    text_printf(&text, "%d %s %s %s %s %x %u %u", (int)request->side, request->name, chain, key,
                request->ciphers != NULL ? request->ciphers : "-", (unsigned)request->version_min,
                request->ticket_lifetime_s, cores);
    return text.data;
}

/* The leaf, for its names and its expiry; the TLS library looks at everything else. */
static bool read_leaf(struct credential *credential, const struct credential_request *request,
                      const struct material *material, uint64_t now_s, struct problems *problems)
{
    uint8_t *buffer = memory_alloc(material->chain.len);
    const char *fault = "no PEM certificate";
    struct x509_pem_reader reader;
    struct slice der;
    bool good = false;

    x509_pem_begin(&reader, text_slice(&material->chain), buffer, material->chain.len);
    if (x509_pem_next(&reader, &der) == ASSAY_OK) {
        credential->leaf_der = memory_alloc(der.len);
        memcpy(credential->leaf_der, der.data, der.len);
        good = x509_certificate_parse(slice_of(credential->leaf_der, der.len), &credential->leaf, &fault) == ASSAY_OK;
    }
    free(buffer);
    if (!good)
        problems_add(problems, request->where, request->line, "%s: %s", request->chain_file, fault);
    else if (credential->leaf.not_after_s < (int64_t)now_s)
        problems_warn(problems, request->where, request->line, "%s: the certificate has expired", request->chain_file);
    return good;
}

static bool make_contexts(struct credential *credential, const struct credential_request *request,
                          const struct material *material, struct problems *problems)
{
    struct tls_context_settings settings = {.chain_pem = text_slice(&material->chain),
                                            .key_pem = text_slice(&material->key),
                                            .ciphers = request->ciphers,
                                            .version_min = request->version_min,
                                            .version_max = TLS_VERSION_1_3,
                                            .ticket_lifetime_s = request->ticket_lifetime_s};

    for (uint32_t core = 0; core < credential->cores; core++) {
        struct tls_context **out = &credential->tls.contexts[core];
        const char *fault = NULL;
        enum assay_error error = request->side == CREDENTIAL_TOWARD_CLIENTS
                                     ? tls_server_context_create(&settings, out, &fault)
                                     : tls_client_context_create(&settings, out, &fault);

        if (error == ASSAY_OK)
            continue;
        *out = NULL;
        problems_add(problems, request->where, request->line, "%s%s%s",
                     request->chain_file != NULL ? request->chain_file : "", request->chain_file != NULL ? ": " : "",
                     fault != NULL ? fault : assay_error_text(error));
        return false;
    }
    return true;
}

static void credentials_free_one(struct credential *credential)
{
    for (uint32_t core = 0; core < credential->cores; core++)
        if (credential->tls.contexts[core] != NULL)
            tls_context_free(credential->tls.contexts[core]);
    free(credential->identity);
    free(credential->name);
    free(credential->leaf_der);
    free(credential);
}

static struct credential *credentials_make(const struct credential_request *request, const struct material *material,
                                           uint32_t cores, uint64_t now_s, struct problems *problems)
{
    struct credential *credential = memory_alloc(sizeof(*credential));

    credential->cores = cores;
    credential->name = strdup(request->name);
    credential->tls.name = credential->name;
    if ((request->chain_file == NULL || read_leaf(credential, request, material, now_s, problems)) &&
        make_contexts(credential, request, material, problems))
        return credential;
    credentials_free_one(credential);
    return NULL;
}

struct credential *credentials_get(struct credential_cache *cache, const struct credential_request *request,
                                   uint32_t cores, uint64_t now_s, struct problems *problems)
{
    struct credential *credential = NULL;
    struct material material = {0};
    char *identity = NULL;

    if (!read_file(request, "certificate", request->chain_file, &material.chain, problems) ||
        !read_file(request, "key", request->key_file, &material.key, problems))
        goto out;
    identity = identity_of(request, &material, cores);
    for (credential = cache->first; credential != NULL; credential = credential->next)
        if (strcmp(credential->identity, identity) == 0)
            break;
    if (credential == NULL) {
        credential = credentials_make(request, &material, cores, now_s, problems);
        if (credential == NULL)
            goto out;
        credential->identity = identity;
        identity = NULL;
        credential->tls.id = ++cache->last_id;
        credential->next = cache->first;
        cache->first = credential;
    }
    credential->references++;
out:
    free(identity);
    material_free(&material);
    return credential;
}

void credentials_drop(struct credential *credential)
{
    credential->references--;
}

static bool in_use(const struct credential *credential)
{
    for (uint32_t core = 0; core < credential->cores; core++)
        if (atomic_load_explicit(&credential->tls.users[core], memory_order_acquire) > 0)
            return true;
    return false;
}

size_t credentials_reap(struct credential_cache *cache)
{
    size_t waiting = 0;

    for (struct credential **link = &cache->first; *link != NULL;) {
        struct credential *credential = *link;

        if (credential->references == 0 && !in_use(credential)) {
            *link = credential->next;
            credentials_free_one(credential);
            continue;
        }
        waiting += credential->references == 0;
        link = &credential->next;
    }
    return waiting;
}

void credentials_free(struct credential_cache *cache)
{
    while (cache->first != NULL) {
        struct credential *credential = cache->first;

        cache->first = credential->next;
        credentials_free_one(credential);
    }
}

size_t credentials_count(const struct credential_cache *cache)
{
    size_t count = 0;

    for (const struct credential *credential = cache->first; credential != NULL; credential = credential->next)
        count++;
    return count;
}
