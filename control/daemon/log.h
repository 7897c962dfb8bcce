/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_LOG_H
#define ASSAY_DAEMON_LOG_H
/* The log file. A thread of its own drains the cores' rings, in the order of time, formats and writes in large pieces; it
 * never holds up a core: what the rings cannot hold is dropped and counted there, what the file cannot take is counted here.
 * Control's events are lines of the same file.
 * Owner: the struct owns file and thread. Thread: log_start(), log_stop(): control; the rest: any. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/byte_ring.h"

struct log;

#define LOG_RINGS_MAX 128

struct log_stats {
    uint64_t lines, bytes;
    uint64_t write_failures; /* the file did not take what was written, or not all of it */
    int failing;             /* errno of the last write; 0: it went well */
    uint64_t malformed;      /* records that are none */
};

/* path NULL: standard error. When the file cannot be opened, standard error is used, and that is said there. */
struct log *log_create(const char *path);
void log_free(struct log *log);

/* Starts draining. The rings outlive log_stop(). */
enum assay_error log_start(struct log *log, struct byte_ring *const *rings, uint32_t count) ASSAY_MUST_USE;
/* Drains what is left and ends the thread. */
void log_stop(struct log *log);

/* Opens the file again (it was moved away), or another one; before the next line is written. */
void log_reopen(struct log *log, const char *path);

void log_event(struct log *log, const char *level, const char *format, ...) __attribute__((format(printf, 3, 4)));
void log_get_stats(struct log *log, struct log_stats *out);

#endif
