/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_ACCESS_CSV_RECORDS_H
#define ASSAY_ACCESS_CSV_RECORDS_H
/* The records of a CSV file that begins with a fixed header line: strict, no byte without one meaning, line numbers for
 * messages. Internal to this folder.
 * Owner: the caller of the text, and of the struct until csv_close(). Errors: MALFORMED with fault a static text and
 * record_line its line; NO_MEMORY. Source: RFC 4180 §2 (LF alone ends a line too; a byte order mark is passed over). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"

struct csv {
    struct slice rest;
    uint32_t line;        /* of the next byte */
    uint32_t record_line; /* where the last record (or what is wrong) begins: 1-based */
    size_t fields;        /* of every record */
    const char *fault;
    char *texts; /* of one record: its bytes without commas and quotes, and a terminator each */
    char *out;   /* where the next field's text goes */
};

/* After an error too csv_close() is due. */
enum assay_error csv_open(struct csv *csv, struct slice text, const char *header, size_t fields) ASSAY_MUST_USE;
/* The next record's fields as strings, valid until the next call; empty lines are passed over. False at the end, and (with
 * *error set) where the file is malformed. */
bool csv_next(struct csv *csv, const char **fields, enum assay_error *error);
void csv_close(struct csv *csv);

#endif
