/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_LOG_FORMAT_H
#define ASSAY_DAEMON_LOG_FORMAT_H
/* Log records of a core as the lines third-party analyzers parse, byte for byte (MRA S20-S28). Pure but for
 * the context, which keeps the texts of the last second; time zone, host and pid are arguments. What came from a peer stands between quotes with '"' and control bytes percent-encoded, and where the
 * format has no quotes, with every byte encoded that could end the field: a request cannot forge a line or a field.
 * Units: bytes. Source: MRA §4. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/log_record.h"
#include "base/slice.h"

/* A line with all its strings at their longest, every byte encoded. */
#define LOG_LINE_MAX (LOG_STRINGS * LOG_STRING_MAX * 3 + 1024)

#define LOG_STAMP_MAX 320

/* Zero what is not set. The texts of a second are made once: formatting a date costs more than the rest of a line. */
struct log_context {
    const char *host; /* at most 255 bytes */
    uint32_t pid;
    int32_t utc_offset_s; /* of local time, east is positive */
    /* log_format's own */
    bool stamped;
    uint64_t second;
    int32_t second_offset_s;
    uint16_t local_length, zone_length, utc_length;
    char local[LOG_STAMP_MAX]; /* "2022-07-11T18:55:25." */
    char zone[LOG_STAMP_MAX];  /* "+02:00 vcsc " */
    char utc[LOG_STAMP_MAX];   /* "UTCTime=\"2022-07-11 16:55:25," */
};

/* Takes a record out of a ring's bytes. False: not one of ours (a bug of the writer), nothing is read beyond it. */
bool log_record_parse(struct slice bytes, struct log_record *record, struct slice strings[LOG_STRINGS]);

/* Writes the line with its '\n', no terminator; returns its length (0: unknown kind). capacity at least LOG_LINE_MAX. */
size_t log_format(const struct log_record *record, const struct slice strings[LOG_STRINGS], struct log_context *context,
                  char *out, size_t capacity);

/* A line of control's own: Module="assay.control", process assayd. level: "INFO", "WARNING", "ERROR". */
size_t log_format_event(uint64_t wall_ns, const char *level, struct slice text, struct log_context *context, char *out,
                        size_t capacity);

#endif
