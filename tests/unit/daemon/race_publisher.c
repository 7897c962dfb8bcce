/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Publishing against readers, under ThreadSanitizer: each reader takes the snapshot and reads what it points to (twice: it must
 * not change), while control publishes and frees. */
#include <stdio.h>
#include <stdlib.h>

#include "race.h"
#include "x509/store.h"
#include "x509/verdict_table.h"

#define READERS   3
#define PUBLISHES 3000

/* Nor has a section of this test any of these. */
void x509_store_free(struct x509_store *store)
{
    abort();
}

void x509_verdict_table_free(struct x509_verdict_table *table)
{
    abort();
}

static void read_once(struct race *race, uint32_t number, uint64_t turn)
{
    const struct snapshot *snapshot = race_snapshot(race);
    uint64_t first = snapshot->settings->drain_us, generation = snapshot->generation;

    for (uint32_t i = 0; i < snapshot->route->origin_count; i++)
        if (snapshot->route->origins[i].address_count != 1)
            atomic_fetch_add(&race->faults, 1);
    if (snapshot->settings->drain_us != first || snapshot->generation != generation ||
        first != snapshot->settings->epoch)
        atomic_fetch_add(&race->faults, 1);
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
    static struct race race;
    size_t left;

    for (int kind = 0; kind < SECTION_COUNT; kind++)
        sections[kind] = section_create((enum section_kind)kind);
    race_start(&race, sections, READERS, read_once);
    for (uint64_t i = 1; i <= PUBLISHES; i++) {
        publisher_replace(&race.publisher, i % 2 == 0 ? settings(i) : route(i));
        publisher_reap(&race.publisher);
    }
    left = publisher_reap(&race.publisher);
    race_stop(&race);
    printf("%d snapshots, %llu reads, %llu faults, %zu left\n", PUBLISHES, (unsigned long long)race.turns,
           (unsigned long long)race.faults, left);
    return race.faults == 0 && race.turns > 0 ? 0 : 1;
}
