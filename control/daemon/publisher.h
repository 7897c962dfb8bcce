/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_PUBLISHER_H
#define ASSAY_DAEMON_PUBLISHER_H
/* Hands snapshots to the cores: one pointer store; the one before is freed once every core has been quiescent since.
 * Owner: the publisher holds a reference of each section of the current snapshot and of those not yet freed.
 * Thread: control. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/snapshot.h"
#include "base/rcu.h"
#include "daemon/sections.h"

struct published;

struct publisher {
    _Atomic(const struct snapshot *) *slot; /* what the cores read */
    struct rcu *rcu;
    struct published *current;
    struct published *retired; /* waiting for the cores */
    uint64_t generation;
};

void publisher_init(struct publisher *publisher, _Atomic(const struct snapshot *) *slot, struct rcu *rcu);
/* The running section of a kind, or NULL before the first snapshot. */
struct section *publisher_section(const struct publisher *publisher, enum section_kind kind);
const struct snapshot *publisher_snapshot(const struct publisher *publisher);

/* Takes over one reference of each section. True when a new snapshot was published; false when every section is the running
 * one: then nothing happened. */
bool publisher_publish(struct publisher *publisher, struct section *sections[SECTION_COUNT]);
/* Replaces one section, keeps the others. */
bool publisher_replace(struct publisher *publisher, struct section *section);

/* Frees what no core can see any more; returns how many snapshots still wait. */
size_t publisher_reap(struct publisher *publisher);
/* Frees everything: the cores have stopped. */
void publisher_free(struct publisher *publisher);

#endif
