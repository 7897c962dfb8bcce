/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 4096

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    alignas(max_align_t) unsigned char data[];
};

static void *must(void *block, size_t len)
{
    if (block == NULL) {
        fprintf(stderr, "assay: out of memory (%zu bytes)\n", len);
        abort();
    }
    return block;
}

void *memory_alloc(size_t len)
{
    return must(calloc(1, len > 0 ? len : 1), len);
}

void *memory_grow(void *block, size_t len)
{
    return must(realloc(block, len > 0 ? len : 1), len);
}

void arena_free(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;

        arena->blocks = block->next;
        free(block);
    }
}

void *arena_alloc(struct arena *arena, size_t len)
{
    struct arena_block *block = arena->blocks;
    size_t room;
    void *out;

    if (len > SIZE_MAX / 2)
        must(NULL, len);
    len = (len + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    if (block == NULL || block->size - block->used < len) {
        room = len > BLOCK_BYTES ? len : BLOCK_BYTES;
        block = must(calloc(1, sizeof(*block) + room), sizeof(*block) + room);
        block->size = room;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    out = block->data + block->used;
    block->used += len;
    return out;
}

void *arena_copy(struct arena *arena, const void *data, size_t len)
{
    void *out = arena_alloc(arena, len);

    if (len > 0)
        memcpy(out, data, len);
    return out;
}

char *arena_text_n(struct arena *arena, const char *text, size_t len)
{
    char *out = arena_alloc(arena, len + 1);

    if (len > 0)
        memcpy(out, text, len);
    return out;
}

char *arena_text(struct arena *arena, const char *text)
{
    return arena_text_n(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    char *text = NULL, *out;
    va_list args;
    int len;

    va_start(args, format);
    len = vasprintf(&text, format, args);
    va_end(args);
    must(len < 0 ? NULL : text, 0);
    out = arena_text_n(arena, text, (size_t)len);
    free(text);
    return out;
}
