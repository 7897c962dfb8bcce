/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_CTL_PRINT_H
#define ASSAY_CTL_PRINT_H
/* How commands print: JSON, tables, and the faults of files. Thread: any. */
#include <stdio.h>

#include <jansson.h>

struct problems;

void ctl_print_json(const json_t *value, FILE *out);
/* A member that is a text; "" where it is none, or is not there: what answers may be an assayd of another version. */
const char *ctl_text(const json_t *object, const char *member);
/* Each text of a list on a line, behind the prefix; what is no list is none. */
void ctl_print_lines(const json_t *list, const char *prefix, FILE *out);
/* A text from a file, for JSON: bytes of no UTF-8 become '?'. */
json_t *ctl_json_text(const char *text);
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
