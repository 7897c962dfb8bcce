/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A response head, whole and cut in two, must be read alike; what the client gets must read as the same message again. */
#include "fuzz.h"
#include "http/fields.h"
#include "http/http.h"

static const struct http_limits limits = {.head_max = 4096, .target_max = 1024, .fields_max = HTTP_FIELDS_MAX};

static void check_forwarded(const struct http_response *r, bool head_only, struct http_response *again)
{
    static char out[16384];
    const struct http_limits wide = {.head_max = sizeof(out), .target_max = 1024, .fields_max = HTTP_FIELDS_MAX};
    struct http_scan scan = {0, 0};
    struct http_parse_error error;
    enum http_parse result;
    size_t written;
    size_t length;

    if (r->field_count + 3 > HTTP_FIELDS_MAX)
        return;
    FUZZ_CHECK(http_write_response(out, sizeof(out), r, slice_text("assay"), r->body == HTTP_BODY_CHUNKED, true, 1,
                                   &written) == ASSAY_OK);
    result = http_parse_response(&scan, slice_of(out, written), &wide, head_only, again, &length, &error);
    FUZZ_CHECK(result == HTTP_PARSE_DONE && length == written);
    FUZZ_CHECK(again->status == r->status && slice_equal(again->reason, r->reason) && again->body == r->body);
    FUZZ_CHECK(r->body != HTTP_BODY_LENGTH || again->content_length == r->content_length);
    FUZZ_CHECK(again->keep_alive == (r->body != HTTP_BODY_UNTIL_CLOSE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_response whole;
    static struct http_response parts;
    struct http_scan scan = {0, 0};
    struct http_parse_error error = {0, NULL};
    struct http_parse_error error_parts = {0, NULL};
    size_t length = 0;
    size_t length_parts = 0;

    if (size < 1)
        return 0;
    bool head_only = data[0] & 1;
    size_t cut = (data[0] >> 1) % size;
    struct slice head = slice_of(data + 1, size - 1);
    enum http_parse result = http_parse_response(&scan, head, &limits, head_only, &whole, &length, &error);

    scan = (struct http_scan){0, 0};
    enum http_parse first =
        http_parse_response(&scan, slice_head(head, cut), &limits, head_only, &parts, &length_parts, &error_parts);
    if (first == HTTP_PARSE_MORE)
        first = http_parse_response(&scan, head, &limits, head_only, &parts, &length_parts, &error_parts);
    FUZZ_CHECK(first == result);
    FUZZ_CHECK(result != HTTP_PARSE_BAD || (error.status == 502 && error.what != NULL));
    if (result != HTTP_PARSE_DONE)
        return 0;
    FUZZ_CHECK(length == length_parts && length <= head.len);
    FUZZ_CHECK(whole.field_count == parts.field_count && whole.body == parts.body && whole.status == parts.status);
    fuzz_within(whole.line, head);
    fuzz_within(whole.reason, head);
    check_forwarded(&whole, head_only, &parts);
    return 0;
}
