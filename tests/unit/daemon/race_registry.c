/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The registry and its cores, under ThreadSanitizer: cores hand chains over by their rings and look verdicts up in the trust
 * section of the snapshot, while control takes the chains, works verdicts out, publishes them and frees the sections before. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/access.h"
#include "access/clients.h"
#include "assay/chain_record.h"
#include "base/byte_ring.h"
#include "daemon/publisher.h"
#include "daemon/registry.h"
#include "daemon/registry_judge.h"
#include "x509/verdict_table.h"

#define CORES     2
#define HOSTS     50
#define PUBLISHES 150
#define NOW       1700000000

/* No section of this test has any. */
void access_set_free(struct access_set *set)
{
    abort();
}

void access_clients_free(struct access_clients *clients)
{
    abort();
}

void credentials_drop(struct credential *credential)
{
    abort();
}

static struct shared {
    _Atomic(const struct snapshot *) slot;
    struct rcu *rcu;
    struct byte_ring *rings[CORES];
    _Atomic bool stop;
    _Atomic uint64_t found, dropped, faults;
} shared;

/* A chain of one certificate that does not decode: what matters here is that the verdict comes across. */
static struct slice chain_of(unsigned number, char host[32], char der[32], struct x509_chain_digest *digest)
{
    struct slice certificate;

    snprintf(host, 32, "node%u.steven.lab", number);
    certificate = slice_of(der, (size_t)snprintf(der, 32, "chain %u", number));
    x509_chain_digest(&certificate, 1, digest);
    return certificate;
}

static void hand_over(struct byte_ring *ring, unsigned number, uint64_t turn)
{
    char host[32], der[32];
    struct x509_chain_digest digest;
    struct slice certificate = chain_of(number, host, der, &digest);
    size_t total = sizeof(struct chain_record) + strlen(host) + certificate.len;
    struct chain_record *record = byte_ring_reserve(ring, total);

    if (record == NULL) {
        atomic_fetch_add(&shared.dropped, 1);
        return;
    }
    *record = (struct chain_record){.wall_ns = NOW * 1000000000ULL + turn,
                                    .peer_port = 8443,
                                    .flags = CHAIN_RECORD_HANDSHAKE,
                                    .host_length = (uint8_t)strlen(host),
                                    .certificate_count = 1,
                                    .certificate_length = {(uint32_t)certificate.len}};
    memcpy(record->leaf_sha256, digest.leaf, sizeof(digest.leaf));
    memcpy(record->chain_sha256, digest.chain, sizeof(digest.chain));
    memcpy((uint8_t *)(record + 1), host, strlen(host));
    memcpy((uint8_t *)(record + 1) + strlen(host), certificate.data, certificate.len);
    byte_ring_commit(ring, total);
}

static void look_up(unsigned number)
{
    const struct trust_section *trust = atomic_load_explicit(&shared.slot, memory_order_acquire)->trust;
    char host[32], der[32];
    struct x509_chain_digest digest;
    struct x509_identity identity;
    struct x509_verdict verdict;
    struct x509_verdict_key key;

    chain_of(number, host, der, &digest);
    if (x509_identity_from_host(slice_text(host), &identity) != ASSAY_OK)
        abort();
    x509_verdict_key_init(&key, &digest, &identity, trust->scopes[0].policy->id);
    if (trust->verdicts == NULL || !x509_verdict_table_find(trust->verdicts, &key, NOW, &verdict))
        return;
    atomic_fetch_add(&shared.found, 1);
    if (verdict.chain_reason != X509_REASON_MALFORMED)
        atomic_fetch_add(&shared.faults, 1);
}

static void *core(void *arg)
{
    uint32_t number = (uint32_t)(uintptr_t)arg;

    if (rcu_register(shared.rcu, number) != ASSAY_OK)
        abort();
    rcu_online(shared.rcu, number);
    for (uint64_t turn = 1; !atomic_load(&shared.stop); turn++) {
        look_up((unsigned)(turn % HOSTS));
        hand_over(shared.rings[number], (unsigned)(turn % HOSTS), turn);
        rcu_quiescent(shared.rcu, number);
    }
    rcu_offline(shared.rcu, number);
    rcu_unregister(shared.rcu, number);
    return NULL;
}

static struct section *trust(uint64_t epoch)
{
    struct section *section = section_create(SECTION_TRUST);
    struct trust_scope scope = {.name = "global"};
    struct x509_policy policy;

    x509_policy_default(&policy);
    policy.id = (uint32_t)(epoch / 50); /* once in a while every verdict is made anew */
    section->store = x509_store_create();
    scope.store = section->store;
    scope.policy = arena_copy(&section->arena, &policy, sizeof(policy));
    section->data.trust.scopes = arena_copy(&section->arena, &scope, sizeof(scope));
    section->data.trust.scope_count = 1;
    section->data.trust.epoch = epoch;
    return section;
}

static void publish(struct publisher *publisher, struct registry *registry, uint64_t epoch)
{
    const struct section *running = publisher_section(publisher, SECTION_TRUST);
    struct section *next = trust(epoch);
    struct registry_judged judged;

    for (int i = 0; i < CORES; i++)
        registry_drain(registry, shared.rings[i], 200);
    next->verdicts = registry_precompute(registry, &running->data.trust, &next->data.trust, NOW, UINT64_MAX, &judged);
    next->data.trust.verdicts = next->verdicts;
    publisher_replace(publisher, next);
    publisher_reap(publisher);
}

int main(void)
{
    struct registry_limits limits = {HOSTS - 10, 1 << 20, 86400}; /* a few are evicted all the time */
    struct registry *registry = registry_create(&limits);
    struct section *sections[SECTION_COUNT];
    struct publisher publisher;
    pthread_t threads[CORES];

    if (rcu_create(CORES, &shared.rcu) != ASSAY_OK)
        return 1;
    publisher_init(&publisher, &shared.slot, shared.rcu);
    for (int kind = 0; kind < SECTION_COUNT; kind++)
        sections[kind] = kind == SECTION_TRUST ? trust(1) : section_create((enum section_kind)kind);
    publisher_publish(&publisher, sections);
    for (uintptr_t i = 0; i < CORES; i++)
        if (byte_ring_create(1 << 16, &shared.rings[i]) != ASSAY_OK ||
            pthread_create(&threads[i], NULL, core, (void *)i) != 0)
            return 1;
    for (uint64_t epoch = 2; epoch <= PUBLISHES; epoch++)
        publish(&publisher, registry, epoch);
    atomic_store(&shared.stop, true);
    for (int i = 0; i < CORES; i++)
        pthread_join(threads[i], NULL);
    printf("%zu chains, %llu verdicts found, %llu records dropped, %llu faults\n", registry_count(registry),
           (unsigned long long)shared.found, (unsigned long long)shared.dropped, (unsigned long long)shared.faults);
    publisher_free(&publisher);
    for (int i = 0; i < CORES; i++)
        byte_ring_destroy(shared.rings[i]);
    registry_free(registry);
    rcu_destroy(shared.rcu);
    return shared.faults == 0 && shared.found > 0 ? 0 : 1;
}
