/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_PRINT_H
#define ASSAY_CTL_PRINT_H
/* How commands print: JSON, tables, and the faults of files. Thread: any. */
#include <stdio.h>

#include <jansson.h>

struct problems;

void ctl_print_json(const json_t *value, FILE *out);
/* Each on a line; warnings behind them. */
void ctl_print_problems(const struct problems *problems, FILE *err);

/* A table of objects: a column a member. */
struct ctl_column {
    const char *member, *title;
    unsigned width_max; /* longer texts are cut with … ; 0: never */
};
void ctl_table_print(FILE *out, const json_t *rows, const struct ctl_column *columns, size_t count);
/* A member as text in buffer: numbers, booleans (yes, no), lists (comma separated), null (-). Returns buffer. */
const char *ctl_member_text(const json_t *object, const char *member, char *buffer, size_t size);

#endif
