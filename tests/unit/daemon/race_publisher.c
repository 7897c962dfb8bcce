/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Publishing against readers, under ThreadSanitizer: each reader takes the snapshot, reads what it points to (twice: it must
 * not change), reports quiescence and goes offline now and then, while control publishes and frees. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/access.h"
#include "access/clients.h"
#include "daemon/publisher.h"
#include "x509/verdict_table.h"

#define READERS   3
#define PUBLISHES 3000

/* Sections of this test own nothing but their arena: what frees the rest of real ones is never called. */
void x509_store_free(struct x509_store *store)
{
    abort();
}

void x509_verdict_table_free(struct x509_verdict_table *table)
{
    abort();
}

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
    _Atomic bool stop;
    _Atomic uint64_t reads, faults;
} shared;

static void read_once(void)
{
    const struct snapshot *snapshot = atomic_load_explicit(&shared.slot, memory_order_acquire);
    uint64_t first = snapshot->settings->drain_us, generation = snapshot->generation;

    for (uint32_t i = 0; i < snapshot->route->origin_count; i++)
        if (snapshot->route->origins[i].address_count != 1)
            atomic_fetch_add(&shared.faults, 1);
    if (snapshot->settings->drain_us != first || snapshot->generation != generation ||
        first != snapshot->settings->epoch)
        atomic_fetch_add(&shared.faults, 1);
}

static void *reader(void *arg)
{
    uint32_t number = (uint32_t)(uintptr_t)arg;
    uint64_t turns = 0;

    if (rcu_register(shared.rcu, number) != ASSAY_OK)
        abort();
    rcu_online(shared.rcu, number);
    while (!atomic_load(&shared.stop)) {
        read_once();
        rcu_quiescent(shared.rcu, number);
        if (++turns % 64 == 0) { /* an idle sleep */
            rcu_offline(shared.rcu, number);
            rcu_online(shared.rcu, number);
        }
    }
    rcu_offline(shared.rcu, number);
    rcu_unregister(shared.rcu, number);
    atomic_fetch_add(&shared.reads, turns);
    return NULL;
}

static struct section *settings(uint64_t number)
{
    struct section *section = section_create(SECTION_SETTINGS);

    section->data.settings.epoch = section->data.settings.drain_us = number;
    return section;
}

static struct section *route(uint64_t number)
{
    struct section *section = section_create(SECTION_ROUTE);
    uint32_t count = (uint32_t)(number % 5);
    struct route_origin *origins = arena_alloc(&section->arena, count * sizeof(*origins));

    for (uint32_t i = 0; i < count; i++)
        origins[i].address_count = 1;
    section->data.route.origins = origins;
    section->data.route.origin_count = count;
    return section;
}

int main(void)
{
    struct section *sections[SECTION_COUNT];
    struct publisher publisher;
    pthread_t threads[READERS];

    if (rcu_create(READERS, &shared.rcu) != ASSAY_OK)
        return 1;
    publisher_init(&publisher, &shared.slot, shared.rcu);
    for (int kind = 0; kind < SECTION_COUNT; kind++)
        sections[kind] = section_create((enum section_kind)kind);
    publisher_publish(&publisher, sections);
    for (uintptr_t i = 0; i < READERS; i++)
        if (pthread_create(&threads[i], NULL, reader, (void *)i) != 0)
            return 1;
    for (uint64_t i = 1; i <= PUBLISHES; i++) {
        publisher_replace(&publisher, i % 2 == 0 ? settings(i) : route(i));
        publisher_reap(&publisher);
    }
    atomic_store(&shared.stop, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    printf("%d snapshots, %llu reads, %llu faults, %zu left\n", PUBLISHES, (unsigned long long)shared.reads,
           (unsigned long long)shared.faults, publisher_reap(&publisher));
    publisher_free(&publisher);
    rcu_destroy(shared.rcu);
    return shared.faults == 0 ? 0 : 1;
}
