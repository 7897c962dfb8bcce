/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_core.h"

#include <stdio.h>
#include <string.h>

void fake_fleet(struct fleet *fleet, struct core *cores, uint32_t count, const struct core_shared *shared)
{
    *fleet = (struct fleet){.count = count, .running = true};
    for (uint32_t i = 0; i < count; i++) {
        cores[i] = (struct core){.index = i, .shared = shared, .rows = 2};
        fleet->cores[i] = &cores[i];
    }
}

void core_get_stats(const struct core *core, struct core_stats *out)
{
    const struct snapshot *snapshot =
        core->shared != NULL ? atomic_load_explicit(&core->shared->snapshot, memory_order_acquire) : NULL;

    *out = (struct core_stats){.proxy = &core->proxy,
                               .tcp = &core->tcp,
                               .net = &core->net,
                               .dispatch = &core->dispatch,
                               .generation = snapshot != NULL ? snapshot->generation : core->generation,
                               .heap_bytes_in_use = 1000,
                               .heap_bytes_peak = 2000,
                               .turn_longest_ns = 345678,
                               .duplicates = core->duplicates,
                               .drained = core->drained};
}

static void fill(const struct core *core, enum command_kind kind, void *rows, uint32_t i)
{
    if (kind == COMMAND_VERDICTS) {
        struct verdict_row *row = (struct verdict_row *)rows + i;

        *row = (struct verdict_row){.depth = 1, .trust_epoch = 3, .valid_until_s = 1700000000};
        snprintf(row->identity, sizeof(row->identity), "cucm%u.steven.lab", i);
        strcpy(row->reason, "ok");
    } else if (kind == COMMAND_ORIGINS) {
        struct origin_row *row = (struct origin_row *)rows + i;

        *row = (struct origin_row){.port = 8443, .https = true, .connections = core->index, .requests = 7};
        memset(row->host, (int)('x' + i), sizeof(row->host)); /* not terminated, as a hostile name might be */
        if (core->index == 1)
            strcpy(row->last_error, "caf\xe9");
    } else if (kind == COMMAND_CONNECTIONS) {
        struct connection_row *row = (struct connection_row *)rows + i;

        *row = (struct connection_row){.peer_port = (uint16_t)(1000 + core->index),
                                       .core = core->index,
                                       .origin_side = i == 1,
                                       .bytes_in = 5 + core->index};
        strcpy(row->state, "ESTABLISHED");
    }
}

enum assay_error core_command(struct core *core, struct core_command *command)
{
    if (core->refuses)
        return ASSAY_ERR_BUSY;
    core->commands[command->kind]++;
    if (core->deaf) {
        core->left = command;
        return ASSAY_OK;
    }
    if (command->kind == COMMAND_CAPTURE)
        core->capture = command->capture;
    for (uint32_t i = 0; i < core->rows && i < command->rows_max; i++)
        fill(core, command->kind, command->rows, (uint32_t)command->row_count++);
    command->more = command->rows_max > 0 && core->rows > command->rows_max;
    atomic_store_explicit(&command->state, COMMAND_DONE, memory_order_release);
    return ASSAY_OK;
}

struct byte_ring *core_chain_ring(struct core *core)
{
    return core->chains;
}

struct byte_ring *core_log_ring(struct core *core, unsigned which)
{
    return core->rings[which != 0];
}
