/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/arena.h"

void problems_free(struct problems *problems)
{
    for (size_t i = 0; i < problems->kept; i++)
        free(problems->items[i]);
    for (size_t i = 0; i < problems->warnings_kept; i++)
        free(problems->warnings[i]);
    free(problems->items);
    free(problems->warnings);
    *problems = (struct problems){0};
}

static char *fault_text(const char *file, uint32_t line, const char *format, va_list args)
{
    char where[32] = "", *text = NULL, *out = NULL;

    if (line > 0)
        snprintf(where, sizeof(where), ":%u", line);
    if (vasprintf(&text, format, args) < 0 || asprintf(&out, "%s%s: %s", file, where, text) < 0)
        abort();
    free(text);
    return out;
}

static void keep(char ***items, size_t *kept, char *text)
{
    *items = memory_grow(*items, (*kept + 1) * sizeof(**items));
    (*items)[(*kept)++] = text;
}

void problems_add(struct problems *problems, const char *file, uint32_t line, const char *format, ...)
{
    va_list args;

    if (problems->count++ >= PROBLEMS_MAX)
        return;
    va_start(args, format);
    keep(&problems->items, &problems->kept, fault_text(file, line, format, args));
    va_end(args);
}

void problems_warn(struct problems *problems, const char *file, uint32_t line, const char *format, ...)
{
    va_list args;

    if (problems->warning_count++ >= PROBLEMS_MAX)
        return;
    va_start(args, format);
    keep(&problems->warnings, &problems->warnings_kept, fault_text(file, line, format, args));
    va_end(args);
}

static void take(char ***items, size_t *kept, size_t *count, char **from, size_t from_kept, size_t from_count)
{
    for (size_t i = 0; i < from_kept; i++) {
        if (*kept < PROBLEMS_MAX)
            keep(items, kept, from[i]);
        else
            free(from[i]);
    }
    *count += from_count;
    free(from);
}

void problems_take(struct problems *problems, struct problems *from)
{
    take(&problems->items, &problems->kept, &problems->count, from->items, from->kept, from->count);
    take(&problems->warnings, &problems->warnings_kept, &problems->warning_count, from->warnings, from->warnings_kept,
         from->warning_count);
    *from = (struct problems){0};
}
