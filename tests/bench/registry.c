/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a publish of trust costs control for the chains it knows, as JSON: 1,000 chains of 1,000 origins, a store of 10, 1,000 and
 * 10,000 anchors. Times of one publish: nothing known yet (all are judged), an unrelated anchor added, the anchor of 10 of the
 * chains added, and another policy (all are judged: a running assayd stops at its budget and leaves the rest to the cores).
 * registry: exit 1 where an added anchor costs 250 ms or more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assay/chain_record.h"
#include "daemon/registry.h"
#include "daemon/registry_judge.h"
#include "forge.h"
#include "x509/verdict_table.h"

#define NOW    FORGE_NOW
#define CHAINS 1000
#define NEW    10     /* of them: of a CA that is trusted later */
#define LIMIT  250000 /* us */

static void quit(const char *what)
{
    fprintf(stderr, "registry: %s\n", what);
    exit(2);
}

static struct slice ca(const char *name, unsigned key)
{
    return forge_certificate(&(struct forge){
        .subject = name, .key = forge_key(FORGE_P256, key), .extensions = {forge_ca(-1), forge_usage(1 << 5)}});
}

static struct slice leaf(const char *host, const char *issuer, unsigned signer)
{
    return forge_certificate(&(struct forge){.subject = host,
                                             .issuer = issuer,
                                             .key = forge_key(FORGE_P256, 15),
                                             .signer = forge_key(FORGE_P256, signer),
                                             .extensions = {forge_san(forge_dns(host))}});
}

struct world {
    struct trust_section section;
    struct trust_scope scope;
    struct x509_policy policy;
};

static void world_begin(struct world *world, uint64_t epoch, uint32_t policy, const struct slice *ders, size_t count)
{
    struct x509_store *store = x509_store_create();

    for (size_t i = 0; store != NULL && i < count; i++)
        if (x509_store_add(store, ders[i], X509_ROLE_ANCHOR, NULL) != ASSAY_OK)
            quit("no store");
    *world = (struct world){.section = {.epoch = epoch, .scope_count = 1}, .scope = {.name = "global", .store = store}};
    x509_policy_default(&world->policy);
    world->policy.id = policy;
    world->scope.policy = &world->policy;
    world->section.scopes = &world->scope;
}

static void world_end(struct world *world)
{
    x509_store_free((struct x509_store *)(uintptr_t)world->scope.store);
}

static struct registry *known(const struct slice *leaves)
{
    const struct registry_limits limits = {2 * CHAINS, 64 << 20, 86400};
    struct registry *registry = registry_create(&limits);
    char host[64];

    for (unsigned i = 0; i < CHAINS; i++) {
        snprintf(host, sizeof(host), "node%u.steven.lab", i);
        if (registry_add(registry, host, 8443, 0, &leaves[i], 1, NOW * 1000000000ULL) == NULL)
            quit("no entry");
    }
    return registry;
}

/* Milliseconds of one publish. */
static double publish(struct registry *registry, const struct world *running, const struct world *next,
                      const char *what, bool last)
{
    struct registry_judged judged;

    x509_verdict_table_free(registry_precompute(registry, running != NULL ? &running->section : NULL, &next->section,
                                                NOW, UINT64_MAX, &judged));
    printf("    \"%s\": {\"ms\": %.2f, \"kept\": %zu, \"judged\": %zu}%s\n", what, (double)judged.elapsed_us / 1e3,
           judged.kept, judged.judged, last ? "" : ",");
    return (double)judged.elapsed_us;
}

static bool measure(const struct slice *anchors, size_t count, const struct slice *leaves, bool last)
{
    struct world worlds[4];
    struct registry *registry = known(leaves);
    double unrelated, related;

    /* anchors[0] signed most of the leaves; those behind count are added: one unrelated, then that of the others */
    world_begin(&worlds[0], 1, 1, anchors, count);
    world_begin(&worlds[1], 2, 1, anchors, count + 1);
    world_begin(&worlds[2], 3, 1, anchors, count + 2);
    world_begin(&worlds[3], 4, 2, anchors, count + 2);
    printf("  \"%zu\": {\n", count);
    publish(registry, NULL, &worlds[0], "first", false);
    unrelated = publish(registry, &worlds[0], &worlds[1], "unrelated_anchor", false);
    related = publish(registry, &worlds[1], &worlds[2], "anchor_of_10_chains", false);
    publish(registry, &worlds[2], &worlds[3], "another_policy", true);
    printf("  }%s\n", last ? "" : ",");
    for (size_t i = 0; i < 4; i++)
        world_end(&worlds[i]);
    registry_free(registry);
    return unrelated < LIMIT && related < LIMIT;
}

int main(void)
{
    static const size_t counts[] = {10, 1000, 10000};
    struct slice *leaves = calloc(CHAINS, sizeof(*leaves)), *pool = calloc(10002, sizeof(*pool));
    struct slice late = ca("late", 2);
    char name[64];
    bool good = true;

    if (leaves == NULL || pool == NULL)
        quit("out of memory");
    for (unsigned i = 0; i < 10001; i++) {
        snprintf(name, sizeof(name), "CA %u", i);
        pool[i] = ca(name, i == 0 ? 1 : 3 + i % 10);
    }
    for (unsigned i = 0; i < CHAINS; i++) {
        snprintf(name, sizeof(name), "node%u.steven.lab", i);
        leaves[i] = leaf(name, i < NEW ? "late" : "CA 0", i < NEW ? 2 : 1);
    }
    printf("{\n");
    for (size_t i = 0; i < 3; i++) {
        struct slice kept = pool[counts[i] + 1];

        pool[counts[i] + 1] = late;
        good &= measure(pool, counts[i], leaves, i == 2);
        pool[counts[i] + 1] = kept;
    }
    printf("}\n");
    free(leaves);
    free(pool);
    forge_free();
    return good ? 0 : 1;
}
