/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/head.h"

#include <immintrin.h>

#include "http/grammar.h"

/* scan->state: how many empty lines came first, and whether the start line is complete. */
#define STATE_EMPTY_LINES 0x0f
#define STATE_LINE_DONE   0x80

/* Room for method, version and spaces in a start line whose end has not come. */
#define START_LINE_SLACK 64

/* The first control byte that is not HTAB, or len. 32 bytes a step: a head is mostly text. */
static size_t next_control(const uint8_t *data, size_t at, size_t len)
{
    const __m256i highest = _mm256_set1_epi8(0x1f);
    const __m256i tab = _mm256_set1_epi8('\t');
    const __m256i del = _mm256_set1_epi8(0x7f);

    for (; at + 32 <= len; at += 32) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(data + at));
        __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(v, highest), v);
        __m256i hit = _mm256_or_si256(_mm256_andnot_si256(_mm256_cmpeq_epi8(v, tab), low), _mm256_cmpeq_epi8(v, del));
        uint32_t mask = (uint32_t)_mm256_movemask_epi8(hit);

        if (mask != 0)
            return at + (size_t)__builtin_ctz(mask);
    }
    while (at < len && http_byte_is(data[at], HTTP_CLASS_VALUE))
        at++;
    return at;
}

static enum http_parse scan_bad(struct http_parse_error *error, uint16_t status, const char *what)
{
    (void)http_fail(error, status, what);
    return HTTP_PARSE_BAD;
}

static enum http_parse scan_more(struct http_scan *scan, size_t at, struct slice in, const struct http_limits *limits,
                                 struct http_parse_error *error)
{
    bool line_done = (scan->state & STATE_LINE_DONE) != 0;

    if (!line_done && (in.len > limits->head_max || in.len > (size_t)limits->target_max + START_LINE_SLACK))
        return scan_bad(error, 414, "start line too long");
    if (in.len > limits->head_max)
        return scan_bad(error, 431, "head too long");
    scan->position = (uint32_t)at;
    return HTTP_PARSE_MORE;
}

static void head_split(struct slice in, size_t start, size_t end, struct http_head *head)
{
    const uint8_t *line_end = memchr(in.data + start, '\r', end - start);
    size_t line_len = (size_t)(line_end - (in.data + start));

    head->line = slice_of(in.data + start, line_len);
    head->block = slice_of(line_end + 2, end - start - line_len - 2);
}

enum http_parse http_head_scan(struct http_scan *scan, struct slice in, const struct http_limits *limits,
                               bool empty_lines, struct http_head *head, size_t *length, struct http_parse_error *error)
{
    size_t at = scan->position;

    while ((at = next_control(in.data, at, in.len)) < in.len) {
        size_t start = 2 * (size_t)(scan->state & STATE_EMPTY_LINES);

        if (in.data[at] != '\r')
            return scan_bad(error, 400, in.data[at] == '\n' ? "bare LF" : "control byte");
        if (at + 1 == in.len)
            break;
        if (in.data[at + 1] != '\n')
            return scan_bad(error, 400, "bare CR");
        if (at == start) {
            if (!empty_lines || (scan->state & STATE_EMPTY_LINES) == HTTP_EMPTY_LINES_MAX)
                return scan_bad(error, 400, "empty line before the message");
            scan->state++;
        } else if (in.data[at - 1] == '\n') {
            /* Every LF seen follows a CR, so this CRLF is an empty line. */
            *length = at + 2;
            if (*length > limits->head_max)
                return scan_bad(error, 431, "head too long");
            head_split(in, start, at, head);
            return HTTP_PARSE_DONE;
        } else {
            /* Too long is too long, also when its end has come by now. */
            if (!(scan->state & STATE_LINE_DONE) && at > (size_t)limits->target_max + START_LINE_SLACK)
                return scan_bad(error, 414, "start line too long");
            scan->state |= STATE_LINE_DONE;
        }
        at += 2;
    }
    return scan_more(scan, at, in, limits, error);
}

static bool field_read(struct slice line, struct http_field *field, struct http_parse_error *error)
{
    size_t name_len = http_span(line, HTTP_CLASS_TOKEN);

    if (name_len == 0)
        return http_fail(error, 400, http_is_space(line.data[0]) ? "folded field line" : "field line without a name");
    if (name_len == line.len || line.data[name_len] != ':')
        return http_fail(error, 400, "bad byte in a field name");
    field->name = slice_head(line, name_len);
    /* Not slice_tail(): an empty value is there (data not NULL), other than a field that is not. */
    field->value = http_trim(slice_of(line.data + name_len + 1, line.len - name_len - 1));
    field->known = (uint8_t)http_field_lookup(field->name);
    return true;
}

bool http_head_fields(struct slice block, uint32_t fields_max, struct http_field *fields, uint32_t *count,
                      struct http_field_index *index, struct http_parse_error *error)
{
    uint32_t n = 0;

    if (fields_max > HTTP_FIELDS_MAX)
        fields_max = HTTP_FIELDS_MAX;
    while (block.len > 0) {
        const uint8_t *end = memchr(block.data, '\r', block.len);
        size_t len = (size_t)(end - block.data);

        if (n == fields_max)
            return http_fail(error, 431, "too many fields");
        if (!field_read(slice_head(block, len), &fields[n], error))
            return false;
        if (index->seen[fields[n].known]++ == 0)
            index->first[fields[n].known] = (uint8_t)n;
        n++;
        block = slice_tail(block, len + 2);
    }
    *count = n;
    return true;
}

bool http_content_length(const struct http_field *fields, const struct http_field_index *index, uint64_t *value,
                         struct http_parse_error *error)
{
    struct slice text;
    uint64_t n = 0;

    if (index->seen[HTTP_FIELD_CONTENT_LENGTH] != 1)
        return http_fail(error, 400, "more than one Content-Length");
    text = http_field_at(fields, index, HTTP_FIELD_CONTENT_LENGTH)->value;
    if (text.len == 0 || http_span(text, HTTP_CLASS_DIGIT) != text.len)
        return http_fail(error, 400, "Content-Length is not a number");
    for (size_t i = 0; i < text.len; i++) {
        uint64_t digit = (uint64_t)(text.data[i] - '0');

        if (n > ((uint64_t)INT64_MAX - digit) / 10)
            return http_fail(error, 400, "Content-Length out of range");
        n = n * 10 + digit;
    }
    *value = n;
    return true;
}

bool http_transfer_encoding(const struct http_field *fields, const struct http_field_index *index, uint8_t minor,
                            struct http_parse_error *error)
{
    struct slice rest;
    struct slice coding;
    bool last_chunked = false;
    uint32_t codings = 0;

    if (index->seen[HTTP_FIELD_CONTENT_LENGTH] > 0)
        return http_fail(error, 400, "both Content-Length and Transfer-Encoding");
    if (minor == 0)
        return http_fail(error, 400, "Transfer-Encoding in HTTP/1.0");
    if (index->seen[HTTP_FIELD_TRANSFER_ENCODING] != 1)
        return http_fail(error, 400, "more than one Transfer-Encoding");
    rest = http_field_at(fields, index, HTTP_FIELD_TRANSFER_ENCODING)->value;
    if (slice_is_nocase(rest, "chunked"))
        return true;
    /* "chunked," and ",chunked" have one element, and yet were not written by anybody who means well. */
    while (http_list_next(&rest, &coding)) {
        if (!http_is_token(coding) || last_chunked)
            return http_fail(error, 400, "bad Transfer-Encoding");
        last_chunked = slice_is_nocase(coding, "chunked");
        codings++;
    }
    if (!last_chunked || codings < 2)
        return http_fail(error, 400, "Transfer-Encoding does not end in chunked");
    return http_fail(error, 501, "transfer coding not supported");
}
