/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "access/csv_records.h"

#include <stdlib.h>
#include <string.h>

static bool fail(struct csv *csv, const char *fault)
{
    csv->fault = fault;
    return false;
}

static uint8_t peek(const struct csv *csv)
{
    return csv->rest.len > 0 ? csv->rest.data[0] : '\n';
}

static uint8_t take(struct csv *csv)
{
    uint8_t c = csv->rest.data[0];

    csv->rest = slice_tail(csv->rest, 1);
    csv->line += c == '\n';
    return c;
}

static bool at_line_end(const struct csv *csv)
{
    return peek(csv) == '\n' || (peek(csv) == '\r' && csv->rest.len > 1 && csv->rest.data[1] == '\n');
}

/* CRLF, LF, or the end of the file. */
static void take_line_end(struct csv *csv)
{
    while (csv->rest.len > 0)
        if (take(csv) == '\n')
            return;
}

static bool read_quoted(struct csv *csv)
{
    (void)take(csv);
    while (csv->rest.len > 0) {
        uint8_t c = take(csv);

        if (c == '"') {
            if (csv->rest.len == 0 || peek(csv) != '"')
                return (at_line_end(csv) || peek(csv) == ',') || fail(csv, "text after a closing quote");
            (void)take(csv);
        }
        if (c == 0)
            return fail(csv, "NUL byte");
        *csv->out++ = (char)c;
    }
    return fail(csv, "quote not closed");
}

static bool read_plain(struct csv *csv)
{
    while (!at_line_end(csv) && peek(csv) != ',') {
        uint8_t c = take(csv);

        if (c == '"')
            return fail(csv, "quote inside a field");
        if (c == 0 || c == '\r')
            return fail(csv, "NUL byte or bare CR");
        *csv->out++ = (char)c;
    }
    return true;
}

/* RFC 4180 §2. Fields become strings. */
static bool read_record(struct csv *csv, const char **fields)
{
    for (size_t n = 0; n < csv->fields; n++) {
        fields[n] = csv->out;
        if (!(csv->rest.len > 0 && peek(csv) == '"' ? read_quoted(csv) : read_plain(csv)))
            return false;
        *csv->out++ = 0;
        if (n + 1 < csv->fields) {
            if (csv->rest.len == 0 || peek(csv) != ',')
                return fail(csv, "too few fields");
            (void)take(csv);
        }
    }
    if (!at_line_end(csv))
        return fail(csv, "too many fields");
    take_line_end(csv);
    return true;
}

static bool read_header(struct csv *csv, const char *header)
{
    static const uint8_t byte_order_mark[3] = {0xef, 0xbb, 0xbf};
    size_t len = strlen(header);

    if (csv->rest.len >= 3 && memcmp(csv->rest.data, byte_order_mark, 3) == 0)
        csv->rest = slice_tail(csv->rest, 3);
    if (!slice_is(slice_head(csv->rest, len), header))
        return fail(csv, "the first line is not the header");
    csv->rest = slice_tail(csv->rest, len);
    if (!at_line_end(csv))
        return fail(csv, "the first line is not the header");
    take_line_end(csv);
    return true;
}

enum assay_error csv_open(struct csv *csv, struct slice text, const char *header, size_t fields)
{
    *csv = (struct csv){.rest = text, .line = 1, .record_line = 1, .fields = fields, .fault = ""};
    csv->texts = malloc(text.len + fields);
    if (csv->texts == NULL)
        return ASSAY_ERR_NO_MEMORY;
    return read_header(csv, header) ? ASSAY_OK : ASSAY_ERR_MALFORMED;
}

bool csv_next(struct csv *csv, const char **fields, enum assay_error *error)
{
    while (csv->rest.len > 0 && at_line_end(csv))
        take_line_end(csv);
    csv->record_line = csv->line;
    if (csv->rest.len == 0)
        return false;
    csv->out = csv->texts;
    if (read_record(csv, fields))
        return true;
    *error = ASSAY_ERR_MALFORMED;
    return false;
}

void csv_close(struct csv *csv)
{
    free(csv->texts);
    csv->texts = NULL;
}
