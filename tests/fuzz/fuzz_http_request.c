/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A request head, whole and cut in two, must be read alike; what is forwarded must read as the same message again. */
#include "fuzz.h"
#include "http/fields.h"
#include "http/http.h"

static const struct http_limits limits = {.head_max = 4096, .target_max = 1024, .fields_max = HTTP_FIELDS_MAX};

static void check_slices(const struct http_request *r, struct slice head)
{
    fuzz_within(r->line, head);
    fuzz_within(r->method, head);
    fuzz_within(r->target, head);
    fuzz_within(r->authority, head);
    for (uint32_t i = 0; i < r->field_count; i++) {
        fuzz_within(r->fields[i].name, head);
        fuzz_within(r->fields[i].value, head);
    }
}

static uint32_t count_known(const struct http_request *r, enum http_known_field known)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < r->field_count; i++)
        count += r->fields[i].known == known;
    return count;
}

static void check_forwarded(const struct http_request *r, struct http_request *again)
{
    static const enum http_known_field gone[] = {
        HTTP_FIELD_CONNECTION, HTTP_FIELD_KEEP_ALIVE, HTTP_FIELD_UPGRADE,         HTTP_FIELD_TE,
        HTTP_FIELD_TRAILER,    HTTP_FIELD_FORWARDED,  HTTP_FIELD_PROXY_CONNECTION};
    static char out[16384];
    const struct http_limits wide = {.head_max = sizeof(out), .target_max = 4096, .fields_max = HTTP_FIELDS_MAX};
    const struct assay_address client = {{0}};
    struct http_forward forward = {.host = slice_text("cucm.steven.lab:8443"),
                                   .path = r->path,
                                   .via_name = slice_text("assay"),
                                   .tracking_id = slice_text("t"),
                                   .client = &client};
    struct http_scan scan = {0, 0};
    struct http_parse_error error;
    enum http_parse result;
    size_t written;
    size_t length;

    if (r->form == HTTP_TARGET_AUTHORITY || r->field_count + 4 > HTTP_FIELDS_MAX)
        return;
    FUZZ_CHECK(http_write_request(out, sizeof(out), r, &forward, &written) == ASSAY_OK);
    result = http_parse_request(&scan, slice_of(out, written), &wide, again, &length, &error);
    FUZZ_CHECK(result == HTTP_PARSE_DONE && length == written);
    FUZZ_CHECK(slice_equal(again->method, r->method) && slice_equal(again->path, r->path));
    FUZZ_CHECK(again->body == r->body && again->content_length == r->content_length && again->keep_alive);
    FUZZ_CHECK(count_known(again, HTTP_FIELD_HOST) == 1 && count_known(again, HTTP_FIELD_VIA) == 1);
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
        FUZZ_CHECK(count_known(again, gone[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_request whole;
    static struct http_request parts;
    struct http_scan scan = {0, 0};
    struct http_parse_error error = {0, NULL};
    struct http_parse_error error_parts = {0, NULL};
    size_t length = 0;
    size_t length_parts = 0;
    size_t cut;

    if (size < 1)
        return 0;
    cut = data[0] % size;
    struct slice head = slice_of(data + 1, size - 1);
    enum http_parse result = http_parse_request(&scan, head, &limits, &whole, &length, &error);

    scan = (struct http_scan){0, 0};
    enum http_parse first =
        http_parse_request(&scan, slice_head(head, cut), &limits, &parts, &length_parts, &error_parts);
    if (first == HTTP_PARSE_MORE)
        first = http_parse_request(&scan, head, &limits, &parts, &length_parts, &error_parts);
    FUZZ_CHECK(first == result);
    FUZZ_CHECK(result != HTTP_PARSE_BAD || (error.status >= 400 && error.what != NULL));
    if (result != HTTP_PARSE_DONE)
        return 0;
    FUZZ_CHECK(length == length_parts && length <= head.len && length <= limits.head_max);
    FUZZ_CHECK(whole.field_count == parts.field_count && whole.body == parts.body);
    check_slices(&whole, head);
    check_forwarded(&whole, &parts);
    return 0;
}
