/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The registry and its cores, under ThreadSanitizer: cores hand chains over by their rings and look verdicts up in the trust
 * section of the snapshot, while control takes the chains, works verdicts out, publishes them and frees the sections before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assay/chain_record.h"
#include "base/byte_ring.h"
#include "daemon/registry.h"
#include "daemon/registry_judge.h"
#include "race.h"
#include "x509/verdict_table.h"

#define CORES     2
#define HOSTS     50
#define PUBLISHES 150
#define NOW       1700000000

static struct byte_ring *rings[CORES];
static _Atomic uint64_t found, dropped;

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
        atomic_fetch_add(&dropped, 1);
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

static void look_up(struct race *race, unsigned number)
{
    const struct trust_section *trust = race_snapshot(race)->trust;
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
    atomic_fetch_add(&found, 1);
    if (verdict.chain_reason != X509_REASON_MALFORMED)
        atomic_fetch_add(&race->faults, 1);
}

static void core_turn(struct race *race, uint32_t core, uint64_t turn)
{
    look_up(race, (unsigned)(turn % HOSTS));
    hand_over(rings[core], (unsigned)(turn % HOSTS), turn);
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
        registry_drain(registry, rings[i], 200);
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
    static struct race race;

    for (int kind = 0; kind < SECTION_COUNT; kind++)
        sections[kind] = kind == SECTION_TRUST ? trust(1) : section_create((enum section_kind)kind);
    for (int i = 0; i < CORES; i++)
        if (byte_ring_create(1 << 16, &rings[i]) != ASSAY_OK)
            return 1;
    race_start(&race, sections, CORES, core_turn);
    for (uint64_t epoch = 2; epoch <= PUBLISHES; epoch++)
        publish(&race.publisher, registry, epoch);
    race_stop(&race);
    printf("%zu chains, %llu verdicts found, %llu records dropped, %llu faults\n", registry_count(registry),
           (unsigned long long)found, (unsigned long long)dropped, (unsigned long long)race.faults);
    for (int i = 0; i < CORES; i++)
        byte_ring_destroy(rings[i]);
    registry_free(registry);
    return race.faults == 0 && found > 0 ? 0 : 1;
}
