/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/fleet.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/arena.h"

#define POLL_US 20

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void nap(void)
{
    const struct timespec pause = {0, POLL_US * 1000L};

    nanosleep(&pause, NULL);
}

uint64_t fleet_generation(const struct fleet *fleet)
{
    uint64_t oldest = UINT64_MAX;

    for (uint32_t i = 0; i < fleet->count; i++) {
        struct core_stats stats;

        core_get_stats(fleet->cores[i], &stats);
        if (stats.generation < oldest)
            oldest = stats.generation;
    }
    return fleet->count > 0 ? oldest : 0;
}

uint64_t fleet_duplicates(const struct fleet *fleet)
{
    uint64_t all = 0;

    for (uint32_t i = 0; i < fleet->count; i++) {
        struct core_stats stats;

        core_get_stats(fleet->cores[i], &stats);
        all |= stats.duplicates;
    }
    return all;
}

bool fleet_drained(const struct fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->count; i++) {
        struct core_stats stats;

        core_get_stats(fleet->cores[i], &stats);
        if (!stats.drained)
            return false;
    }
    return true;
}

enum assay_error fleet_wait(const struct fleet *fleet, uint64_t generation, uint64_t timeout_us)
{
    uint64_t end = now_us() + timeout_us;

    while (fleet_generation(fleet) < generation) {
        if (now_us() >= end)
            return ASSAY_ERR_BUSY;
        nap();
    }
    return ASSAY_OK;
}

size_t fleet_row_size(enum command_kind kind)
{
    switch (kind) {
    case COMMAND_VERDICTS: return sizeof(struct verdict_row);
    case COMMAND_ORIGINS: return sizeof(struct origin_row);
    case COMMAND_CONNECTIONS: return sizeof(struct connection_row);
    case COMMAND_CAPTURE:
    case COMMAND_ANNOUNCE:
    case COMMAND_DRAIN:
    case COMMAND_STOP: break;
    }
    return 0;
}

static struct core_command *command_new(enum command_kind kind, size_t rows_max)
{
    struct core_command *command = memory_alloc(sizeof(*command));

    command->kind = kind;
    command->rows_max = rows_max;
    if (rows_max > 0)
        command->rows = memory_alloc(rows_max * fleet_row_size(kind));
    atomic_init(&command->state, COMMAND_PENDING);
    return command;
}

static void command_free(struct core_command *command)
{
    if (command == NULL)
        return;
    free(command->rows);
    free(command);
}

static bool wait_done(struct core_command *command, uint64_t end)
{
    while (atomic_load_explicit(&command->state, memory_order_acquire) != COMMAND_DONE) {
        if (now_us() >= end)
            return false;
        nap();
    }
    return true;
}

static void collect(const struct core_command *command, uint32_t core, struct fleet_rows *out)
{
    size_t size = fleet_row_size(command->kind);

    out->more |= command->more;
    if (command->row_count == 0)
        return;
    out->rows = memory_grow(out->rows, (out->count + command->row_count) * size);
    memcpy((char *)out->rows + out->count * size, command->rows, command->row_count * size);
    out->cores = memory_grow(out->cores, out->count + command->row_count);
    memset(out->cores + out->count, (int)core, command->row_count);
    out->count += command->row_count;
}

/* Hands each core its command, like the given one, with its part of a capture. */
static enum assay_error send_all(const struct fleet *fleet, const struct core_command *like,
                                 struct capture *const *captures, struct core_command **commands)
{
    enum assay_error error = ASSAY_OK;

    for (uint32_t i = 0; i < fleet->count; i++) {
        commands[i] = command_new(like->kind, fleet_row_size(like->kind) > 0 ? like->rows_max : 0);
        commands[i]->connections = like->connections;
        commands[i]->capture = captures != NULL ? captures[i] : NULL;
        if (core_command(fleet->cores[i], commands[i]) == ASSAY_OK)
            continue;
        command_free(commands[i]);
        commands[i] = NULL;
        error = ASSAY_ERR_BUSY;
    }
    return error;
}

static enum assay_error command_all(const struct fleet *fleet, const struct core_command *like,
                                    struct capture *const *captures, uint64_t timeout_us, struct fleet_rows *out)
{
    struct core_command *commands[ASSAY_CORES_MAX] = {NULL};
    uint64_t end = now_us() + timeout_us;
    enum assay_error error = send_all(fleet, like, captures, commands);

    *out = (struct fleet_rows){0};
    for (uint32_t i = 0; i < fleet->count; i++) {
        if (commands[i] == NULL)
            continue;
        if (!wait_done(commands[i], end)) {
            error = ASSAY_ERR_BUSY;
            continue; /* the core still has it */
        }
        collect(commands[i], i, out);
        command_free(commands[i]);
    }
    return error;
}

enum assay_error fleet_command(const struct fleet *fleet, enum command_kind kind, size_t rows_max, uint64_t timeout_us,
                               struct fleet_rows *out)
{
    const struct core_command like = {.kind = kind, .rows_max = rows_max};

    return command_all(fleet, &like, NULL, timeout_us, out);
}

enum assay_error fleet_connections(const struct fleet *fleet, const struct connection_filter *filter, size_t rows_max,
                                   uint64_t timeout_us, struct fleet_rows *out)
{
    const struct core_command like = {.kind = COMMAND_CONNECTIONS, .rows_max = rows_max, .connections = *filter};

    return command_all(fleet, &like, NULL, timeout_us, out);
}

enum assay_error fleet_capture(const struct fleet *fleet, struct capture *const *captures, uint64_t timeout_us)
{
    const struct core_command like = {.kind = COMMAND_CAPTURE};
    struct fleet_rows none;

    return command_all(fleet, &like, captures, timeout_us, &none);
}

void fleet_rows_free(struct fleet_rows *rows)
{
    free(rows->rows);
    free(rows->cores);
    *rows = (struct fleet_rows){0};
}

static void add_counters(const struct core *core, struct assay_counters *out)
{
    struct core_stats stats;
    const uint64_t *from;
    uint64_t *to = (uint64_t *)out;

    core_get_stats(core, &stats);
    from = (const uint64_t *)stats.proxy;
    for (size_t i = 0; i < sizeof(*out) / sizeof(uint64_t); i++)
        to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

void fleet_counters(const struct fleet *fleet, int core, struct assay_counters *out)
{
    memset(out, 0, sizeof(*out));
    for (uint32_t i = 0; i < fleet->count; i++)
        if (core < 0 || (uint32_t)core == i)
            add_counters(fleet->cores[i], out);
}
