/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Run under ThreadSanitizer: the byte ring and the RCU wrapper by the threads their contracts allow. Exit 0 when every record
 * came whole and in order, and no reader saw a freed object. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/byte_ring.h"
#include "base/rcu.h"

#define RECORDS   50000
#define READERS   2
#define PUBLISHES 300
#define LIVE      0x600d600d600d600dULL

static void breathe(void)
{
    static const struct timespec pause = {.tv_nsec = 20000};

    nanosleep(&pause, NULL);
}

static void *produce(void *arg)
{
    struct byte_ring *ring = arg;

    for (uint32_t i = 0; i < RECORDS;) {
        size_t len = 4 + i % 97;
        uint8_t *record = byte_ring_reserve(ring, len + 16);

        if (record == NULL) {
            breathe();
            continue;
        }
        memset(record, (int)i & 0xff, len);
        memcpy(record, &i, sizeof(i));
        byte_ring_commit(ring, len);
        i++;
    }
    return NULL;
}

static int consume(struct byte_ring *ring)
{
    for (uint32_t i = 0; i < RECORDS;) {
        struct slice record;
        uint32_t sequence;

        if (!byte_ring_peek(ring, &record)) {
            breathe();
            continue;
        }
        memcpy(&sequence, record.data, sizeof(sequence));
        if (sequence != i || record.len != 4 + i % 97 ||
            (record.len > 4 && record.data[record.len - 1] != (uint8_t)i)) {
            fprintf(stderr, "record %u: sequence %u, length %zu\n", i, sequence, record.len);
            return 1;
        }
        byte_ring_release(ring);
        i++;
    }
    return 0;
}

static int race_byte_ring(void)
{
    struct byte_ring *ring;
    pthread_t producer;
    int bad;

    if (byte_ring_create(4096, &ring) != ASSAY_OK || pthread_create(&producer, NULL, produce, ring) != 0)
        return 1;
    bad = consume(ring);
    if (bad)
        return bad; /* the producer may wait for ever */
    pthread_join(producer, NULL);
    byte_ring_destroy(ring);
    return 0;
}

struct object {
    uint64_t magic;
    uint64_t generation;
};

struct shared {
    struct rcu *rcu;
    struct rcu_slot slot;
    _Atomic bool stop;
    _Atomic uint32_t bad;
    _Atomic uint32_t turns;
};

struct reader {
    struct shared *shared;
    uint32_t id;
};

static void *read_loop(void *arg)
{
    struct reader *reader = arg;
    struct shared *s = reader->shared;
    uint64_t generation = 0;

    if (rcu_register(s->rcu, reader->id) != ASSAY_OK) {
        s->bad++;
        return NULL;
    }
    rcu_online(s->rcu, reader->id);
    for (uint32_t turn = 0; !s->stop; turn++) {
        const struct object *object = rcu_read(&s->slot);

        if (object->magic != LIVE || object->generation < generation)
            s->bad++;
        generation = object->generation;
        rcu_quiescent(s->rcu, reader->id);
        s->turns++;
        if (turn % 64 == 63) { /* the idle sleep of a core */
            rcu_offline(s->rcu, reader->id);
            breathe();
            rcu_online(s->rcu, reader->id);
        }
    }
    rcu_offline(s->rcu, reader->id);
    rcu_unregister(s->rcu, reader->id);
    return NULL;
}

static struct object *object_new(uint64_t generation)
{
    struct object *object = malloc(sizeof(*object));

    if (object == NULL)
        abort();
    *object = (struct object){LIVE, generation};
    return object;
}

static int race_rcu(void)
{
    struct shared shared = {0};
    struct reader readers[READERS];
    pthread_t threads[READERS];

    if (rcu_create(READERS, &shared.rcu) != ASSAY_OK)
        return 1;
    (void)rcu_publish(&shared.slot, object_new(0));
    for (uint32_t i = 0; i < READERS; i++) {
        readers[i] = (struct reader){&shared, i};
        if (pthread_create(&threads[i], NULL, read_loop, &readers[i]) != 0)
            return 1;
    }
    while (shared.turns < READERS)
        breathe();
    for (uint64_t generation = 1; generation <= PUBLISHES; generation++) {
        struct object *old = rcu_publish(&shared.slot, object_new(generation));
        uint64_t ticket = rcu_start(shared.rcu);

        if (rcu_wait(shared.rcu, ticket, 10000000) != ASSAY_OK) {
            fprintf(stderr, "generation %llu: a reader did not come by\n", (unsigned long long)generation);
            return 1;
        }
        old->magic = 0;
        free(old);
    }
    shared.stop = true;
    for (uint32_t i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    free(rcu_publish(&shared.slot, NULL));
    rcu_destroy(shared.rcu);
    return shared.bad != 0;
}

int main(void)
{
    int bad_ring = race_byte_ring(), bad_rcu = race_rcu();

    printf("byte_ring %s, rcu %s\n", bad_ring ? "BAD" : "ok", bad_rcu ? "BAD" : "ok");
    return bad_ring || bad_rcu;
}
