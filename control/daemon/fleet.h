/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_FLEET_H
#define ASSAY_DAEMON_FLEET_H
/* All cores, as control sees them: who works with which snapshot, commands to each and their rows together.
 * Owner: control creates and frees the cores (core/core.h). Thread: control. Units: microseconds. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/command.h"
#include "assay/counters.h"
#include "assay/error.h"
#include "assay/snapshot.h"
#include "core/core.h"

struct fleet {
    uint32_t count;
    struct core *cores[ASSAY_CORES_MAX];
    bool running; /* they are in their loops: commands are answered */
};

/* Waits until every core works with this generation or a later one. BUSY after timeout_us. */
enum assay_error fleet_wait(const struct fleet *fleet, uint64_t generation, uint64_t timeout_us) ASSAY_MUST_USE;
/* The oldest snapshot any core works with. */
uint64_t fleet_generation(const struct fleet *fleet);
bool fleet_drained(const struct fleet *fleet);
/* IPv6 addresses of ours that another host has, on any core: bit i is the i-th IPv6 address of port.address. */
uint64_t fleet_duplicates(const struct fleet *fleet);

/* Rows of all cores in one array, to be freed with fleet_rows_free(). */
struct fleet_rows {
    void *rows;
    uint8_t *cores; /* whose each row is */
    size_t count;
    bool more; /* a core had more than it could give */
};
size_t fleet_row_size(enum command_kind kind);
/* Sends a command to every core and waits for the answers. BUSY: a core did not answer in time; its memory is then left to it
 * (it may still write to it). */
enum assay_error fleet_command(const struct fleet *fleet, enum command_kind kind, size_t rows_max, uint64_t timeout_us,
                               struct fleet_rows *out) ASSAY_MUST_USE;
/* COMMAND_CONNECTIONS, of those that pass the filter. */
enum assay_error fleet_connections(const struct fleet *fleet, const struct connection_filter *filter, size_t rows_max,
                                   uint64_t timeout_us, struct fleet_rows *out) ASSAY_MUST_USE;
/* COMMAND_CAPTURE: captures has one for each core, NULL ends the capture of all. After OK no core uses the earlier ones. */
enum assay_error fleet_capture(const struct fleet *fleet, struct capture *const *captures, uint64_t timeout_us)
    ASSAY_MUST_USE;
void fleet_rows_free(struct fleet_rows *rows);

/* Counters of all cores summed up; core < 0: all. */
void fleet_counters(const struct fleet *fleet, int core, struct assay_counters *out);

#endif
