/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_APPEND_H
#define ASSAY_BASE_APPEND_H
/* Building a short text piece by piece where a format string would cost more than the rest (the path of a request). What
 * does not fit is cut; the text is always terminated.
 * Owner: the caller's buffer. Units: bytes; size counts the terminator and is at least 1. */
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct append {
    char *text;
    size_t size;
    size_t length; /* without the terminator */
};

static inline struct append append_to(char *text, size_t size)
{
    text[0] = 0;
    return (struct append){text, size, 0};
}

static inline void append_slice(struct append *to, struct slice s)
{
    size_t room = to->size - 1 - to->length;
    size_t len = s.len < room ? s.len : room;

    if (len > 0)
        memcpy(to->text + to->length, s.data, len);
    to->length += len;
    to->text[to->length] = 0;
}

static inline void append_text(struct append *to, const char *text)
{
    append_slice(to, slice_text(text));
}

static inline void append_decimal(struct append *to, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    append_slice(to, slice_of(digits + at, sizeof(digits) - at));
}

/* The lowest count hexadecimal digits of value, lower case, leading zeros kept; count at most 16. */
static inline void append_hex(struct append *to, uint64_t value, unsigned count)
{
    char digits[16];

    for (unsigned i = count; i-- > 0; value >>= 4)
        digits[i] = "0123456789abcdef"[value & 15];
    append_slice(to, slice_of(digits, count));
}

#endif
