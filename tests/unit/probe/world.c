/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>

#include "x509/pem.h"

struct peer_settings world_ecdsa, world_both;
struct probe_client world_ours, world_bare;
static struct x509_store *store;
static struct x509_policy policy;
static struct probe_trust trust;

static struct peer_identity issue(void *key, void *root_key)
{
    return (struct peer_identity){
        .key = key,
        .leaf = forge_certificate(&(struct forge){.subject = "cucm-ms.lab",
                                                  .issuer = "Root",
                                                  .key = key,
                                                  .signer = root_key,
                                                  .extensions = {forge_san(forge_dns("cucm.lab"))}})};
}

static void make_clients(void *root_key)
{
    struct tls_context_settings settings = {.version_min = TLS_VERSION_1_2, .version_max = TLS_VERSION_1_3};
    struct peer_identity own = issue(forge_key(FORGE_P256, 5), root_key);
    char chain[4096], *key_data;
    BIO *bio = BIO_new(BIO_s_mem());
    enum assay_error error;
    const char *fault;
    long key_len;

    error = probe_client_create(&settings, &world_bare, &fault);
    assert(error == ASSAY_OK);
    PEM_write_bio_PrivateKey(bio, own.key, NULL, NULL, 0, NULL, NULL);
    key_len = BIO_get_mem_data(bio, &key_data);
    x509_pem_write(own.leaf, chain, sizeof(chain));
    settings.chain_pem = slice_text(chain);
    settings.key_pem = slice_of(key_data, (size_t)key_len);
    error = probe_client_create(&settings, &world_ours, &fault);
    assert(error == ASSAY_OK);
    BIO_free(bio);
}

int world_begin(void **state)
{
    void *root_key = forge_key(FORGE_P256, 0);
    struct slice root =
        forge_certificate(&(struct forge){.subject = "Root", .key = root_key, .extensions = {forge_ca(-1)}});

    store = x509_store_create();
    if (x509_store_add(store, root, X509_ROLE_ANCHOR, NULL) != ASSAY_OK)
        return -1;
    x509_policy_default(&policy);
    trust = (struct probe_trust){store, &policy, VERIFY_ALL};
    world_ecdsa =
        (struct peer_settings){.identity_count = 1, .identities = {issue(forge_key(FORGE_P256, 1), root_key)}};
    world_both = world_ecdsa;
    world_both.identity_count = 2;
    world_both.identities[1] = issue(forge_key(FORGE_RSA2048, 0), root_key);
    make_clients(root_key);
    return 0;
}

int world_end(void **state)
{
    probe_client_free(&world_ours);
    probe_client_free(&world_bare);
    x509_store_free(store);
    forge_free();
    return 0;
}

struct probe_target world_target(const char *host, uint16_t port)
{
    struct probe_target target = {
        .node = host, .deployment = "1", .address = peer_address(), .port = port, .ours = &world_bare, .trust = &trust};
    enum assay_error error = x509_identity_from_host(slice_text(host), &target.identity);

    assert(error == ASSAY_OK);
    return target;
}

struct probe_target world_unresolved(const char *host)
{
    struct probe_target target = world_target(host, 8443);

    target.unresolved = "NXDOMAIN from nobody";
    return target;
}

uint64_t world_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct probe *world_run(const struct probe_target *targets, size_t count, uint64_t timeout_ms, unsigned jobs)
{
    const struct probe_options options = {.jobs = jobs, .timeout_ms = timeout_ms, .now_s = FORGE_NOW};
    struct probe *probe = probe_create(targets, count, &options);

    assert(probe != NULL);
    while (probe_turn(probe, world_now_ms(), 20))
        ;
    return probe;
}
