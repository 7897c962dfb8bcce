/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/pem.h"

#include <string.h>

#include "http/base64.h"

#define PEM_COLUMNS 64

/* The next line without its end; rest moves behind it. */
static struct slice take_line(struct pem_cursor *cursor)
{
    const uint8_t *end = memchr(cursor->rest.data, '\n', cursor->rest.len);
    size_t len = end != NULL ? (size_t)(end - cursor->rest.data) : cursor->rest.len;
    struct slice line = slice_head(cursor->rest, len);

    cursor->rest = slice_tail(cursor->rest, len + 1);
    cursor->line++;
    while (line.len > 0 &&
           (line.data[line.len - 1] == '\r' || line.data[line.len - 1] == ' ' || line.data[line.len - 1] == '\t'))
        line.len--;
    return line;
}

/* "-----BEGIN X-----" → X; empty when it is no such line. */
static struct slice boundary_label(struct slice line, const char *word)
{
    size_t word_len = strlen(word);

    if (line.len <= word_len + 5 || memcmp(line.data, word, word_len) != 0 ||
        memcmp(line.data + line.len - 5, "-----", 5) != 0)
        return slice_of(NULL, 0);
    return slice_of(line.data + word_len, line.len - word_len - 5);
}

enum assay_error pem_next(struct pem_cursor *cursor, struct pem_block *out, uint32_t *line)
{
    struct slice begin = {NULL, 0}, text, body_start;

    while (cursor->rest.len > 0 && begin.len == 0) {
        *line = cursor->line;
        begin = boundary_label(take_line(cursor), "-----BEGIN ");
    }
    if (begin.len == 0)
        return ASSAY_ERR_NOT_FOUND;
    out->label = begin;
    out->line = *line;
    body_start = cursor->rest;
    while (cursor->rest.len > 0) {
        struct slice before = cursor->rest, end;

        text = take_line(cursor);
        if (boundary_label(text, "-----BEGIN ").len > 0)
            return ASSAY_ERR_MALFORMED;
        end = boundary_label(text, "-----END ");
        if (end.len == 0)
            continue;
        if (!slice_equal(end, begin))
            return ASSAY_ERR_MALFORMED;
        out->base64 = slice_of(body_start.data, (size_t)(before.data - body_start.data));
        return ASSAY_OK;
    }
    return ASSAY_ERR_MALFORMED;
}

enum assay_error pem_decode(const struct pem_block *block, struct text *out)
{
    struct text packed = {0}, bytes = {0};
    enum assay_error error;
    size_t length = 0;

    for (size_t i = 0; i < block->base64.len; i++) {
        uint8_t c = block->base64.data[i];

        if (c != '\n' && c != '\r' && c != ' ' && c != '\t')
            text_add(&packed, &c, 1);
    }
    if (packed.len == 0) {
        text_free(&packed);
        return ASSAY_ERR_MALFORMED;
    }
    text_add(&bytes, packed.data, packed.len); /* room: decoded is shorter */
    error = base64_decode(text_slice(&packed), (uint8_t *)bytes.data, bytes.len, &length);
    if (error == ASSAY_OK && length > 0)
        text_add(out, bytes.data, length);
    else if (error == ASSAY_OK)
        error = ASSAY_ERR_MALFORMED;
    text_free_secret(&packed);
    text_free_secret(&bytes);
    return error;
}

void pem_encode(struct text *out, const char *label, struct slice data)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned column = 0;

    text_printf(out, "-----BEGIN %s-----\n", label);
    for (size_t i = 0; i < data.len; i += 3) {
        size_t n = data.len - i < 3 ? data.len - i : 3;
        uint32_t word = (uint32_t)data.data[i] << 16 | (n > 1 ? (uint32_t)data.data[i + 1] << 8 : 0) |
                        (n > 2 ? data.data[i + 2] : 0);
        char quad[4] = {alphabet[word >> 18], alphabet[word >> 12 & 63], n > 1 ? alphabet[word >> 6 & 63] : '=',
                        n > 2 ? alphabet[word & 63] : '='};

        text_add(out, quad, 4);
        column += 4;
        if (column < PEM_COLUMNS && i + 3 < data.len)
            continue;
        text_add(out, "\n", 1);
        column = 0;
    }
    text_printf(out, "-----END %s-----\n", label);
}
