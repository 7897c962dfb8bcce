/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "http/head.h"

static const struct http_limits limits = {.head_max = 512, .target_max = 128, .fields_max = 4};

static enum http_parse scan(struct slice in, struct http_head *head, size_t *length, struct http_parse_error *error)
{
    struct http_scan at = {0, 0};

    return http_head_scan(&at, in, &limits, true, head, length, error);
}

static void refuses_every_other_control_byte_and_line_end(void **state)
{
    struct http_parse_error error;
    struct http_head head;
    size_t length;
    char text[80];

    /* At each place, within the vector's steps and after them. */
    for (int c = 0; c < 256; c++) {
        for (size_t at = 0; at < 70; at++) {
            memset(text, 'a', sizeof(text));
            text[at] = (char)c;
            enum http_parse result = scan(slice_of(text, 75), &head, &length, &error);

            if ((c < 0x20 && c != '\t') || c == 0x7f) {
                assert_int_equal(result, HTTP_PARSE_BAD);
                assert_int_equal(error.status, 400);
            } else {
                assert_int_equal(result, HTTP_PARSE_MORE);
            }
        }
    }
}

static void refuses_empty_lines_beyond_two(void **state)
{
    static const char text[] = "\r\n\r\n\r\nA\r\n\r\n";
    struct http_scan at = {0, 0};
    struct http_parse_error error;
    struct http_head head;
    size_t length;

    assert_int_equal(scan(slice_text(text), &head, &length, &error), HTTP_PARSE_BAD);
    assert_int_equal(scan(slice_text(text + 2), &head, &length, &error), HTTP_PARSE_DONE);
    assert_true(slice_is(head.line, "A"));
    assert_int_equal(head.block.len, 0);
    assert_int_equal(length, strlen(text + 2));
    assert_int_equal(http_head_scan(&at, slice_text(text + 4), &limits, false, &head, &length, &error), HTTP_PARSE_BAD);
}

static void keeps_to_its_limits(void **state)
{
    static const struct {
        const char *start;
        size_t total;
        enum http_parse result;
        uint16_t status;
    } rows[] = {
        {"GET /", 192, HTTP_PARSE_MORE, 0},
        {"GET /", 193, HTTP_PARSE_BAD, 414},
        {"A\r\nB: ", 512, HTTP_PARSE_MORE, 0},
        {"A\r\nB: ", 513, HTTP_PARSE_BAD, 431},
    };
    struct http_parse_error error;
    struct http_head head;
    size_t length;
    char text[600];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(text, 'a', sizeof(text));
        memcpy(text, rows[i].start, strlen(rows[i].start));
        assert_int_equal(scan(slice_of(text, rows[i].total), &head, &length, &error), rows[i].result);
        if (rows[i].result == HTTP_PARSE_BAD)
            assert_int_equal(error.status, rows[i].status);
    }
    memset(text, 'a', sizeof(text));
    memcpy(text, "A\r\n", 3);
    memcpy(text + 510, "\r\n\r\n", 4);
    assert_int_equal(scan(slice_of(text, 514), &head, &length, &error), HTTP_PARSE_BAD);
    assert_int_equal(error.status, 431);
    memcpy(text + 508, "\r\n\r\n", 4);
    assert_int_equal(scan(slice_of(text, 514), &head, &length, &error), HTTP_PARSE_DONE);
    assert_int_equal(length, 512);
}

/* However it is cut, and wherever its bytes lie by then, a head is the same. */
static void any_cut_gives_the_same(void **state)
{
    static const char text[] =
        "\r\nGET / HTTP/1.1\r\nHost: a\r\nX: 0123456789012345678901234567890123456789\r\n\r\nrest";
    size_t total = strlen(text);

    for (size_t step = 1; step <= total; step++) {
        struct http_scan at = {0, 0};
        struct http_parse_error error;
        struct http_head head;
        size_t length = 0;
        enum http_parse result = HTTP_PARSE_MORE;

        for (size_t have = step; result == HTTP_PARSE_MORE; have += step) {
            if (have > total)
                have = total;
            /* A copy of the exact size: a byte read beyond it is found. */
            uint8_t *copy = malloc(have);
            memcpy(copy, text, have);
            result = http_head_scan(&at, slice_of(copy, have), &limits, true, &head, &length, &error);
            if (result == HTTP_PARSE_DONE) {
                assert_true(slice_is(head.line, "GET / HTTP/1.1"));
                assert_int_equal(head.block.len, total - 4 - 2 - 2 - 16);
            }
            free(copy);
        }
        assert_int_equal(result, HTTP_PARSE_DONE);
        assert_int_equal(length, total - 4);
    }
}

static bool fields_of(const char *block, struct http_field *fields, uint32_t *count, struct http_parse_error *error)
{
    struct http_field_index index = {{0}, {0}};

    return http_head_fields(slice_text(block), limits.fields_max, fields, count, &index, error);
}

static void refuses_bad_field_lines(void **state)
{
    static const struct {
        const char *block;
        uint16_t status;
    } rows[] = {
        {"Invalid\r\n", 400},    {": v\r\n", 400},
        {" X: y\r\n", 400},      {"\tX: y\r\n", 400},
        {"A: b\r\n c\r\n", 400}, {"A : b\r\n", 400},
        {"A\t: b\r\n", 400},     {"A B: c\r\n", 400},
        {"A[]: c\r\n", 400},     {"A\xef: c\r\n", 400},
        {"A/B: c\r\n", 400},     {"A,B: c\r\n", 400},
        {"\"A\": c\r\n", 400},   {"A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n", 431},
    };
    struct http_field fields[HTTP_FIELDS_MAX];
    struct http_parse_error error;
    uint32_t count;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(fields_of(rows[i].block, fields, &count, &error));
        assert_int_equal(error.status, rows[i].status);
    }
}

static void reads_field_lines(void **state)
{
    struct http_field fields[HTTP_FIELDS_MAX];
    struct http_field_index index = {{0}, {0}};
    struct http_parse_error error;
    uint32_t count;

    assert_true(http_head_fields(slice_text("hoSt:\ta\r\nempty:\r\nX!#$%&'*+-.^`|~1:  v \xe9: \t\r\nHOST: b\r\n"), 200,
                                 fields, &count, &index, &error));
    assert_int_equal(count, 4);
    assert_int_equal(fields[0].known, HTTP_FIELD_HOST);
    assert_true(slice_is(fields[0].value, "a"));
    assert_non_null(fields[1].value.data);
    assert_int_equal(fields[1].value.len, 0);
    assert_true(slice_is(fields[2].value, "v \xe9:"));
    assert_int_equal(index.seen[HTTP_FIELD_HOST], 2);
    assert_ptr_equal(http_field_at(fields, &index, HTTP_FIELD_HOST), &fields[0]);
    assert_null(http_field_at(fields, &index, HTTP_FIELD_VIA));
}

/* Framing fields, alone: the statuses of RFC 9112 §6.1, §6.3. 0: good. */
static void framing_fields(void **state)
{
    static const struct {
        const char *block;
        uint8_t minor;
        uint16_t te, cl;
        uint64_t length;
    } rows[] = {
        {"Content-Length: 5\r\nContent-Length: 5\r\n", 1, 0, 400, 0},
        {"Content-Length: \r\n", 1, 0, 400, 0},
        {"Content-Length: +5\r\n", 1, 0, 400, 0},
        {"Content-Length: -0\r\n", 1, 0, 400, 0},
        {"Content-Length: 5, 5\r\n", 1, 0, 400, 0},
        {"Content-Length: 0x5\r\n", 1, 0, 400, 0},
        {"Content-Length: 5 5\r\n", 1, 0, 400, 0},
        {"Content-Length: 9223372036854775808\r\n", 1, 0, 400, 0},
        {"Content-Length: 18446744073709551621\r\n", 1, 0, 400, 0},
        {"Content-Length: 9223372036854775807\r\n", 1, 0, 0, INT64_MAX},
        {"Content-Length: 0005\r\n", 1, 0, 0, 5},
        {"Content-Length: 0\r\n", 1, 0, 0, 0},
        {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 1, 400, 0, 5},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 1, 400, 0, 0},
        {"Transfer-Encoding: chunked\r\n", 0, 400, 0, 0},
        {"Transfer-Encoding:\r\n", 1, 400, 0, 0},
        {"Transfer-Encoding: chunked,\r\n", 1, 400, 0, 0},
        {"Transfer-Encoding: ,chunked\r\n", 1, 400, 0, 0},
        {"Transfer-Encoding: chunked, chunked\r\n", 1, 400, 0, 0},
        {"Transfer-Encoding: chunked, gzip\r\n", 1, 400, 0, 0},
        {"Transfer-Encoding: identity\r\n", 1, 400, 0, 0},
        {"Transfer-Encoding: gzip\r\n", 1, 400, 0, 0},
        {"Transfer-Encoding: \"chunked\"\r\n", 1, 400, 0, 0},
        {"Transfer-Encoding: chunked;q=1\r\n", 1, 400, 0, 0},
        {"Transfer-Encoding: \xa0"
         "chunked\r\n",
         1, 400, 0, 0},
        {"Transfer-Encoding: gzip, chunked\r\n", 1, 501, 0, 0},
        {"Transfer-Encoding: cHuNkEd \r\n", 1, 0, 0, 0},
    };
    struct http_field fields[HTTP_FIELDS_MAX];
    struct http_parse_error error;
    uint32_t count;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_field_index index = {{0}, {0}};
        uint64_t length = 0;

        assert_true(http_head_fields(slice_text(rows[i].block), 100, fields, &count, &index, &error));
        error.status = 0;
        if (index.seen[HTTP_FIELD_TRANSFER_ENCODING])
            assert_int_equal(http_transfer_encoding(fields, &index, rows[i].minor, &error), rows[i].te == 0);
        assert_int_equal(error.status, rows[i].te);
        error.status = 0;
        if (index.seen[HTTP_FIELD_CONTENT_LENGTH])
            assert_int_equal(http_content_length(fields, &index, &length, &error), rows[i].cl == 0);
        assert_int_equal(error.status, rows[i].cl);
        assert_int_equal(length, rows[i].length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_every_other_control_byte_and_line_end),
        cmocka_unit_test(refuses_empty_lines_beyond_two),
        cmocka_unit_test(keeps_to_its_limits),
        cmocka_unit_test(any_cut_gives_the_same),
        cmocka_unit_test(refuses_bad_field_lines),
        cmocka_unit_test(reads_field_lines),
        cmocka_unit_test(framing_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
