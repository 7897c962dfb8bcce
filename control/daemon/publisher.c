/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/publisher.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/arena.h"

struct published {
    struct snapshot snapshot;
    struct section *sections[SECTION_COUNT];
    uint64_t ticket; /* of RCU, once retired */
    struct published *next;
};

void publisher_init(struct publisher *publisher, _Atomic(const struct snapshot *) *slot, struct rcu *rcu)
{
    *publisher = (struct publisher){.slot = slot, .rcu = rcu};
}

struct section *publisher_section(const struct publisher *publisher, enum section_kind kind)
{
    return publisher->current != NULL ? publisher->current->sections[kind] : NULL;
}

const struct snapshot *publisher_snapshot(const struct publisher *publisher)
{
    return publisher->current != NULL ? &publisher->current->snapshot : NULL;
}

static void published_free(struct published *published)
{
    for (size_t i = 0; i < SECTION_COUNT; i++)
        section_drop(published->sections[i]);
    free(published);
}

static bool unchanged(const struct publisher *publisher, struct section *sections[SECTION_COUNT])
{
    return publisher->current != NULL &&
           memcmp(publisher->current->sections, sections, sizeof(publisher->current->sections)) == 0;
}

bool publisher_publish(struct publisher *publisher, struct section *sections[SECTION_COUNT])
{
    struct published *next, *old = publisher->current;

    if (unchanged(publisher, sections)) {
        for (size_t i = 0; i < SECTION_COUNT; i++)
            section_drop(sections[i]);
        return false;
    }
    next = memory_alloc(sizeof(*next));
    memcpy(next->sections, sections, sizeof(next->sections));
    next->snapshot.generation = ++publisher->generation;
    next->snapshot.settings = &sections[SECTION_SETTINGS]->data.settings;
    next->snapshot.trust = &sections[SECTION_TRUST]->data.trust;
    next->snapshot.access = &sections[SECTION_ACCESS]->data.access;
    next->snapshot.credentials = &sections[SECTION_CREDENTIALS]->data.credentials;
    next->snapshot.route = &sections[SECTION_ROUTE]->data.route;
    publisher->current = next;
    atomic_store_explicit(publisher->slot, &next->snapshot, memory_order_release);
    if (old != NULL) {
        old->ticket = rcu_start(publisher->rcu);
        old->next = publisher->retired;
        publisher->retired = old;
    }
    return true;
}

bool publisher_replace(struct publisher *publisher, struct section *section)
{
    struct section *sections[SECTION_COUNT];

    for (size_t i = 0; i < SECTION_COUNT; i++)
        sections[i] = i == section->kind ? section : section_take(publisher->current->sections[i]);
    return publisher_publish(publisher, sections);
}

size_t publisher_reap(struct publisher *publisher)
{
    size_t waiting = 0;

    for (struct published **link = &publisher->retired; *link != NULL;) {
        struct published *old = *link;

        if (rcu_done(publisher->rcu, old->ticket)) {
            *link = old->next;
            published_free(old);
            continue;
        }
        waiting++;
        link = &old->next;
    }
    return waiting;
}

void publisher_free(struct publisher *publisher)
{
    atomic_store_explicit(publisher->slot, NULL, memory_order_release);
    while (publisher->retired != NULL) {
        struct published *old = publisher->retired;

        publisher->retired = old->next;
        published_free(old);
    }
    if (publisher->current != NULL)
        published_free(publisher->current);
    publisher->current = NULL;
}
