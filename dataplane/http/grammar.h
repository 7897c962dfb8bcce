/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_HTTP_GRAMMAR_H
#define ASSAY_HTTP_GRAMMAR_H
/* Classes of bytes in HTTP's grammar, one table for all parsers of this folder. Pure. Source: RFC 9110 §5.5, §5.6.2. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum http_byte_class {
    HTTP_CLASS_TOKEN = 1 << 0, /* tchar */
    HTTP_CLASS_TARGET =
        1 << 1, /* visible ASCII without '#': no fragment, nothing a log or a shell could trip over unseen */
    HTTP_CLASS_VALUE = 1 << 2, /* a field value: HTAB, SP, visible ASCII, obs-text */
    HTTP_CLASS_DIGIT = 1 << 3,
    HTTP_CLASS_HEX = 1 << 4,
};

extern const uint8_t http_byte_classes[256];

static inline bool http_byte_is(uint8_t c, enum http_byte_class class)
{
    return (http_byte_classes[c] & class) != 0;
}

/* How many bytes at the beginning are of that class. */
static inline size_t http_span(struct slice s, enum http_byte_class class)
{
    size_t n = 0;

    while (n < s.len && http_byte_is(s.data[n], class))
        n++;
    return n;
}

static inline bool http_is_token(struct slice s)
{
    return s.len > 0 && http_span(s, HTTP_CLASS_TOKEN) == s.len;
}

static inline bool http_is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* Without the optional white space around it (RFC 9110 §5.6.3). */
static inline struct slice http_trim(struct slice s)
{
    while (s.len > 0 && http_is_space(s.data[0]))
        s = slice_of(s.data + 1, s.len - 1);
    while (s.len > 0 && http_is_space(s.data[s.len - 1]))
        s.len--;
    return s;
}

/* The value of a hexadecimal digit; only for HTTP_CLASS_HEX. */
static inline uint8_t http_hex(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : ascii_lower(c) - 'a' + 10);
}

#endif
