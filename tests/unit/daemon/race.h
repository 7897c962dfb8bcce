/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TEST_RACE_H
#define ASSAY_TEST_RACE_H
/* The frame of the races between cores and control, for ThreadSanitizer: threads that read the snapshot as cores do (each turn
 * ends quiescent, now and then one sleeps offline), and a publisher. For tests only.
 * Thread: race_start(), race_stop() and the publisher: the main one; turn(): the readers. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "daemon/publisher.h"

#define RACE_READERS_MAX 4

struct race {
    _Atomic(const struct snapshot *) slot;
    struct rcu *rcu;
    struct publisher publisher;
    void (*turn)(struct race *race, uint32_t reader, uint64_t turn);
    uint32_t reader_count;
    pthread_t threads[RACE_READERS_MAX];
    _Atomic uint32_t next_reader;
    _Atomic bool stop;
    _Atomic uint64_t turns, faults;
};

/* What a reader sees. */
const struct snapshot *race_snapshot(struct race *race);

/* Publishes the sections as the first snapshot, then starts the readers. */
void race_start(struct race *race, struct section *sections[SECTION_COUNT], uint32_t readers,
                void (*turn)(struct race *race, uint32_t reader, uint64_t turn));
/* Ends them; what was published is freed. */
void race_stop(struct race *race);

#endif
