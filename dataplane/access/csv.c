/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>

#include "access/csv_records.h"
#include "access/rules.h"

#define FIELDS 5

/* MRA S16 */
#define HEADER "Url,Deployment,HttpMethods,MatchType,Description"

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

enum assay_error access_builder_add_csv(struct access_builder *builder, struct slice text, uint32_t *fault_line,
                                        const char **fault)
{
    struct csv csv;
    const char *fields[FIELDS];
    size_t before = builder->count;
    enum assay_error error = csv_open(&csv, text, HEADER, FIELDS);

    while (error == ASSAY_OK && csv_next(&csv, fields, &error)) {
        *fault = "";
        error = add_record(builder, fields, csv.record_line, fault);
        csv.fault = *fault;
    }
    *fault_line = error == ASSAY_OK ? 0 : csv.record_line;
    *fault = csv.fault;
    if (error != ASSAY_OK)
        access_builder_truncate(builder, before);
    csv_close(&csv);
    return error;
}
