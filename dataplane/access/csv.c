/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "access/rules.h"

#define FIELDS 5

/* MRA S16 */
#define HEADER "Url,Deployment,HttpMethods,MatchType,Description"

struct csv {
    struct slice rest;
    uint32_t line; /* of the next byte */
    char *out;     /* where the next field's text goes: never more than the file has */
    const char *fault;
};

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
static bool read_record(struct csv *csv, const char *fields[FIELDS])
{
    for (size_t n = 0; n < FIELDS; n++) {
        fields[n] = csv->out;
        if (!(csv->rest.len > 0 && peek(csv) == '"' ? read_quoted(csv) : read_plain(csv)))
            return false;
        *csv->out++ = 0;
        if (n + 1 < FIELDS) {
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

static bool read_header(struct csv *csv)
{
    static const uint8_t byte_order_mark[3] = {0xef, 0xbb, 0xbf};
    size_t len = sizeof(HEADER) - 1;

    if (csv->rest.len >= 3 && memcmp(csv->rest.data, byte_order_mark, 3) == 0)
        csv->rest = slice_tail(csv->rest, 3);
    if (!slice_is(slice_head(csv->rest, len), HEADER))
        return fail(csv, "the first line is not the header");
    csv->rest = slice_tail(csv->rest, len);
    if (!at_line_end(csv))
        return fail(csv, "the first line is not the header");
    take_line_end(csv);
    return true;
}

static struct slice trim(struct slice s)
{
    while (s.len > 0 && s.data[0] == ' ')
        s = slice_tail(s, 1);
    while (s.len > 0 && s.data[s.len - 1] == ' ')
        s.len--;
    return s;
}

/* "GET,PUT"; nothing stands for all. */
static enum assay_error read_methods(const char *text, uint32_t *methods, const char **fault)
{
    struct slice rest = trim(slice_text(text));

    *methods = 0;
    while (rest.len > 0) {
        const uint8_t *comma = memchr(rest.data, ',', rest.len);
        struct slice one = slice_head(rest, comma ? (size_t)(comma - rest.data) : rest.len);
        uint32_t bit = access_method_bit(trim(one));

        if (bit == 0) {
            *fault = "unknown method";
            return ASSAY_ERR_RANGE;
        }
        *methods |= bit;
        rest = slice_tail(rest, one.len + 1);
    }
    return ASSAY_OK;
}

static enum assay_error read_match(const char *text, enum access_match *match, const char **fault)
{
    struct slice word = slice_text(text);

    *match = slice_is_nocase(word, "exact") ? ACCESS_MATCH_EXACT : ACCESS_MATCH_PREFIX;
    if (*match == ACCESS_MATCH_EXACT || word.len == 0 || slice_is_nocase(word, "prefix"))
        return ASSAY_OK;
    *fault = "MatchType is not exact or prefix";
    return ASSAY_ERR_RANGE;
}

static enum assay_error add_record(struct access_builder *builder, const char *const fields[FIELDS], uint32_t line,
                                   const char **fault)
{
    struct access_rule rule = {.url = fields[0],
                               .deployment = fields[1][0] ? fields[1] : "1",
                               .source = ACCESS_SOURCE_MANUAL,
                               .description = fields[4],
                               .line = line};
    enum assay_error error = read_methods(fields[2], &rule.methods, fault);

    if (error == ASSAY_OK)
        error = read_match(fields[3], &rule.match, fault);
    return error == ASSAY_OK ? access_builder_add(builder, &rule, fault) : error;
}

static enum assay_error add_records(struct access_builder *builder, struct csv *csv, char *texts, uint32_t *fault_line,
                                    const char **fault)
{
    const char *fields[FIELDS];
    enum assay_error error = ASSAY_OK;

    *fault_line = csv->line;
    if (!read_header(csv)) {
        *fault = csv->fault;
        return ASSAY_ERR_MALFORMED;
    }
    while (csv->rest.len > 0 && error == ASSAY_OK) {
        *fault_line = csv->line;
        if (at_line_end(csv)) {
            take_line_end(csv);
            continue;
        }
        csv->out = texts;
        if (!read_record(csv, fields)) {
            *fault = csv->fault;
            return ASSAY_ERR_MALFORMED;
        }
        error = add_record(builder, fields, *fault_line, fault);
    }
    return error;
}

enum assay_error access_builder_add_csv(struct access_builder *builder, struct slice text, uint32_t *fault_line,
                                        const char **fault)
{
    /* A record's strings are its bytes without commas and quotes, and a terminator each. */
    char *texts = malloc(text.len + FIELDS);
    struct csv csv = {.rest = text, .line = 1, .out = texts, .fault = ""};
    size_t before = builder->count;
    enum assay_error error;

    *fault_line = 0;
    *fault = "";
    if (texts == NULL)
        return ASSAY_ERR_NO_MEMORY;
    error = add_records(builder, &csv, texts, fault_line, fault);
    if (error != ASSAY_OK)
        access_builder_truncate(builder, before);
    free(texts);
    return error;
}
