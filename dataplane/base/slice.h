/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_SLICE_H
#define ASSAY_BASE_SLICE_H
/* A read-only view of bytes. Owner: whoever owns the bytes; a slice never does. A slice of length 0 may have data NULL. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *data;
    size_t len;
};

static inline struct slice slice_of(const void *data, size_t len)
{
    return (struct slice){(const uint8_t *)data, len};
}

static inline struct slice slice_text(const char *text)
{
    return slice_of(text, strlen(text));
}

/* The first len bytes, or all of it. */
static inline struct slice slice_head(struct slice s, size_t len)
{
    return slice_of(s.data, len < s.len ? len : s.len);
}

/* What is left after the first len bytes, or nothing. */
static inline struct slice slice_tail(struct slice s, size_t len)
{
    return len < s.len ? slice_of(s.data + len, s.len - len) : slice_of(NULL, 0);
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_is(struct slice s, const char *text)
{
    return slice_equal(s, slice_text(text));
}

static inline uint8_t ascii_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Equality without regard to ASCII case only: never the locale's. */
static inline bool slice_equal_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
            return false;
    return true;
}

static inline bool slice_is_nocase(struct slice s, const char *text)
{
    return slice_equal_nocase(s, slice_text(text));
}

#endif
