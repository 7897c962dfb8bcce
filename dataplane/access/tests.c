/* SPDX-License-Identifier: GPL-3.0-or-later */
/* S16's test file. */
#include <stdlib.h>

#include "access/csv_records.h"
#include "access/rules.h"

#define FIELDS 5

/* MRA S16 */
#define HEADER "Url,ExpectedResult,Deployment,Description,HttpMethod"

#define ROWS_FIRST 32

struct access_tests {
    struct access_test *rows;
    size_t count;
    size_t capacity;
};

static enum assay_error range(const char **fault, const char *text)
{
    *fault = text;
    return ASSAY_ERR_RANGE;
}

static enum assay_error grow(struct access_tests *tests)
{
    size_t capacity = tests->capacity ? 2 * tests->capacity : ROWS_FIRST;
    struct access_test *rows;

    if (tests->count < tests->capacity)
        return ASSAY_OK;
    rows = realloc(tests->rows, capacity * sizeof(*rows));
    if (rows == NULL)
        return ASSAY_ERR_NO_MEMORY;
    tests->rows = rows;
    tests->capacity = capacity;
    return ASSAY_OK;
}

/* One allocation a row, at its url; the other texts follow in it. */
static bool copy_texts(const char *const fields[FIELDS], struct access_test *row)
{
    const char *texts[4] = {fields[0], fields[2], fields[3], fields[4][0] ? fields[4] : "GET"};
    const char **places[4] = {&row->url, &row->deployment, &row->description, &row->method};
    size_t size = 0;
    char *at;

    for (size_t i = 0; i < 4; i++)
        size += strlen(texts[i]) + 1;
    at = malloc(size);
    if (at == NULL)
        return false;
    for (size_t i = 0; i < 4; i++) {
        size_t len = strlen(texts[i]) + 1;

        memcpy(at, texts[i], len);
        *places[i] = at;
        at += len;
    }
    return true;
}

static enum assay_error add_row(struct access_tests *tests, const char *const fields[FIELDS], uint32_t line,
                                const char **fault)
{
    struct access_test row = {.allow = strcasecmp(fields[1], "allow") == 0, .line = line};
    char host[HOST_NAME_MAX + 1];
    struct access_url url;
    enum assay_error error;

    if (!row.allow && strcasecmp(fields[1], "block") != 0)
        return range(fault, "ExpectedResult is not allow or block");
    if (fields[4][0] != 0 && access_method_bit(slice_text(fields[4])) == 0)
        return range(fault, "unknown method");
    error = access_url_parse(slice_text(fields[0]), host, &url, fault);
    if (error == ASSAY_OK)
        error = grow(tests);
    if (error != ASSAY_OK)
        return error;
    if (!copy_texts(fields, &row))
        return ASSAY_ERR_NO_MEMORY;
    tests->rows[tests->count++] = row;
    return ASSAY_OK;
}

enum assay_error access_tests_read(struct slice text, struct access_tests **out, uint32_t *fault_line,
                                   const char **fault)
{
    struct access_tests *tests = calloc(1, sizeof(*tests));
    const char *fields[FIELDS];
    enum assay_error error;
    struct csv csv;

    *fault_line = 0;
    *fault = "";
    if (tests == NULL)
        return ASSAY_ERR_NO_MEMORY;
    error = csv_open(&csv, text, HEADER, FIELDS);
    while (error == ASSAY_OK && csv_next(&csv, fields, &error)) {
        error = add_row(tests, fields, csv.record_line, fault);
        csv.fault = *fault;
    }
    if (error == ASSAY_OK) {
        *out = tests;
    } else {
        *fault_line = csv.record_line;
        *fault = csv.fault;
        access_tests_free(tests);
    }
    csv_close(&csv);
    return error;
}

void access_tests_free(struct access_tests *tests)
{
    if (tests == NULL)
        return;
    for (size_t i = 0; i < tests->count; i++)
        free((char *)(uintptr_t)tests->rows[i].url);
    free(tests->rows);
    free(tests);
}

size_t access_tests_count(const struct access_tests *tests)
{
    return tests->count;
}

const struct access_test *access_tests_at(const struct access_tests *tests, size_t i)
{
    return &tests->rows[i];
}

void access_test_decide(const struct access_set *set, const struct access_test *test, struct access_decision *out)
{
    char host[HOST_NAME_MAX + 1];
    struct access_url url;
    struct access_request request;
    const char *why = "";

    *out = (struct access_decision){.reason = "Malformed URL"};
    if (access_url_parse(slice_text(test->url), host, &url, &why) != ASSAY_OK)
        return;
    if (url.path.len == 0)
        url.path = slice_text("/");
    if (access_normalise(url.path, &why) != ASSAY_OK) {
        out->reason = why;
        return;
    }
    request = (struct access_request){.method = slice_text(test->method),
                                      .https = url.https,
                                      .host = url.host,
                                      .port = url.port,
                                      .path = url.path,
                                      .deployment = test->deployment[0] != '\0' ? test->deployment : NULL};
    access_decide(set, 0, &request, out);
}
