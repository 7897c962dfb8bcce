/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Run under ThreadSanitizer: cores that hand packets to each other, each a thread. Exit 0 when all came, once, in the order of
 * their sender, with the content that the sender had written. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "net/mesh.h"

#define CORES   3
#define PACKETS 40000 /* from each core to each other one */
#define BURST   32

/* Stands for an mbuf: the mesh carries pointers. */
struct letter {
    uint32_t from, to, number, body;
};

static struct mesh *mesh;
static struct letter *letters[CORES][CORES];

static void breathe(void)
{
    static const struct timespec pause = {.tv_nsec = 20000};

    nanosleep(&pause, NULL);
}

static uint32_t send_some(uint32_t from, uint32_t to, uint32_t next)
{
    for (int i = 0; i < BURST && next < PACKETS; i++, next++) {
        struct letter *letter = &letters[from][to][next];

        *letter = (struct letter){from, to, next, next * 2654435761u};
        if (!mesh_put(mesh, from, to, (struct rte_mbuf *)(void *)letter))
            break;
    }
    return next;
}

/* Returns how many came, or -1. */
static int receive_some(uint32_t core, uint32_t expected[CORES])
{
    struct rte_mbuf *packets[BURST];
    uint32_t n = mesh_take(mesh, core, packets, BURST);

    for (uint32_t i = 0; i < n; i++) {
        struct letter *letter = (struct letter *)(void *)packets[i];

        if (letter->to != core || letter->number != expected[letter->from]++ ||
            letter->body != letter->number * 2654435761u) {
            fprintf(stderr, "core %u: letter %u of core %u\n", core, letter->number, letter->from);
            return -1;
        }
        letter->body = 0; /* it is ours now */
    }
    return (int)n;
}

static void *core_thread(void *arg)
{
    uint32_t core = (uint32_t)(uintptr_t)arg, next[CORES] = {0}, expected[CORES] = {0}, received = 0, sent = 0;

    while (received < (CORES - 1) * PACKETS || sent < (CORES - 1) * PACKETS) {
        int n = receive_some(core, expected);
        uint32_t before = sent;

        if (n < 0)
            return (void *)1;
        received += (uint32_t)n;
        sent = 0;
        for (uint32_t to = 0; to < CORES; to++) {
            if (to == core)
                continue;
            next[to] = send_some(core, to, next[to]);
            sent += next[to];
        }
        mesh_publish(mesh, core);
        if (n == 0 && sent == before)
            breathe();
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[CORES];
    int failed = 0;

    if (mesh_create(CORES, 64, &mesh) != ASSAY_OK)
        return 2;
    for (int from = 0; from < CORES; from++)
        for (int to = 0; to < CORES; to++)
            letters[from][to] = calloc(PACKETS, sizeof(struct letter));
    for (uintptr_t i = 0; i < CORES; i++)
        if (pthread_create(&threads[i], NULL, core_thread, (void *)i) != 0)
            return 2;
    for (int i = 0; i < CORES; i++) {
        void *result;

        pthread_join(threads[i], &result);
        failed |= result != NULL;
    }
    for (int from = 0; from < CORES; from++)
        for (int to = 0; to < CORES; to++)
            free(letters[from][to]);
    mesh_destroy(mesh);
    return failed;
}
