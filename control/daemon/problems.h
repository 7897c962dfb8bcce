/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_PROBLEMS_H
#define ASSAY_DAEMON_PROBLEMS_H
/* What is wrong with a configuration and the files it names: every fault is collected, not only the first.
 * A fault reads "FILE:LINE: text"; a line of 0 is left out. Owner: whoever holds the struct. Thread: one. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBLEMS_MAX 200 /* more are counted, not kept */

struct problems {
    size_t count; /* all of them */
    size_t kept;
    char **items;
    size_t warning_count;
    size_t warnings_kept;
    char **warnings; /* worth saying, but no reason to refuse */
};

void problems_free(struct problems *problems);
void problems_add(struct problems *problems, const char *file, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void problems_warn(struct problems *problems, const char *file, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Moves all of from behind what is there. */
void problems_take(struct problems *problems, struct problems *from);
static inline bool problems_any(const struct problems *problems)
{
    return problems->count > 0;
}

#endif
