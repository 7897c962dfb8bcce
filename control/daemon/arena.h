/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_ARENA_H
#define ASSAY_DAEMON_ARENA_H
/* Memory that is freed at once: a configuration, a section of a snapshot. Running out of memory in control is not
 * survivable in any useful way (a half-built section would be refused, and the next reload would fail as well), so the
 * calls do not fail: they end the process with a message.
 * Owner: the arena owns what it handed out. Thread: one. Units: bytes. */
#include <stdarg.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
};

void arena_free(struct arena *arena);
/* Zeroed, aligned for any object. */
void *arena_alloc(struct arena *arena, size_t len);
void *arena_copy(struct arena *arena, const void *data, size_t len);
char *arena_text(struct arena *arena, const char *text);
/* The first len bytes, terminated. */
char *arena_text_n(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* malloc and realloc under the same rule. */
void *memory_alloc(size_t len); /* zeroed */
void *memory_grow(void *block, size_t len);

#endif
