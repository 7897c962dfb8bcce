/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "race.h"

#include <stdlib.h>

#include "access/access.h"
#include "access/clients.h"

/* No section of a race has any: what frees them is never called. */
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

const struct snapshot *race_snapshot(struct race *race)
{
    return atomic_load_explicit(&race->slot, memory_order_acquire);
}

static void *reader(void *arg)
{
    struct race *race = arg;
    uint32_t number = atomic_fetch_add(&race->next_reader, 1);
    uint64_t turn = 0;

    if (rcu_register(race->rcu, number) != ASSAY_OK)
        abort();
    rcu_online(race->rcu, number);
    while (!atomic_load(&race->stop)) {
        race->turn(race, number, ++turn);
        rcu_quiescent(race->rcu, number);
        if (turn % 64 == 0) { /* an idle sleep */
            rcu_offline(race->rcu, number);
            rcu_online(race->rcu, number);
        }
    }
    rcu_offline(race->rcu, number);
    rcu_unregister(race->rcu, number);
    atomic_fetch_add(&race->turns, turn);
    return NULL;
}

void race_start(struct race *race, struct section *sections[SECTION_COUNT], uint32_t readers,
                void (*turn)(struct race *race, uint32_t reader, uint64_t turn))
{
    race->reader_count = readers;
    race->turn = turn;
    if (readers > RACE_READERS_MAX || rcu_create(readers, &race->rcu) != ASSAY_OK)
        abort();
    publisher_init(&race->publisher, &race->slot, race->rcu);
    publisher_publish(&race->publisher, sections);
    for (uint32_t i = 0; i < readers; i++)
        if (pthread_create(&race->threads[i], NULL, reader, race) != 0)
            abort();
}

void race_stop(struct race *race)
{
    atomic_store(&race->stop, true);
    for (uint32_t i = 0; i < race->reader_count; i++)
        pthread_join(race->threads[i], NULL);
    publisher_free(&race->publisher);
    rcu_destroy(race->rcu);
}
