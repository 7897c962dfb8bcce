/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "http/http.h"

/* Reads text in pieces of step bytes, each in memory of its own size. Returns the last status; what was read is in *out,
 * *used says how much of text was taken. */
static enum http_body_status read_all(struct http_body *body, struct slice text, size_t step, char *out,
                                      size_t *out_len, size_t *used)
{
    enum http_body_status status = HTTP_BODY_MORE;

    *out_len = 0;
    *used = 0;
    while (status == HTTP_BODY_MORE && *used < text.len) {
        size_t len = text.len - *used < step ? text.len - *used : step;
        uint8_t *copy = malloc(len);
        size_t at = 0;

        memcpy(copy, text.data + *used, len);
        do {
            size_t taken;
            struct slice data;

            status = http_body_next(body, slice_of(copy + at, len - at), &taken, &data);
            assert_true(taken <= len - at);
            if (status == HTTP_BODY_DATA) {
                assert_true(data.len > 0 && data.data >= copy + at && data.data + data.len <= copy + at + taken);
                memcpy(out + *out_len, data.data, data.len);
                *out_len += data.len;
            }
            at += taken;
        } while (status == HTTP_BODY_DATA);
        if (status == HTTP_BODY_MORE)
            assert_int_equal(at, len);
        *used += at;
        free(copy);
    }
    return status;
}

static void refuses_bad_chunks(void **state)
{
    static const char *const rows[] = {
        "z\r\nabc\r\n0\r\n\r\n",
        "3z\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "+3\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "3_0\r\nabc",
        "\r\nabc\r\n",
        "3 3\r\nabc",
        " 3\r\nabc",
        "3 \r\nabc",
        "3\nabc\r\n0\r\n\r\n",
        "3\r\r\nabc",
        "3\rabc",
        "8000000000000000\r\n",
        "11111111111111113\r\n",
        "FFFFFFFFFFFFFFFFF\r\n",
        "4\r\nSEE-THIS\r\n0\r\n\r\n",
        "5\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "a\r\n0123456789\n0\r\n\r\n",
        "a\r\n0123456789\r0\r\n\r\n",
        /* extensions */
        "3;\r\nabc",
        "3;x\n\r\nabc",
        "3; ;x\r\nabc",
        "3;x=\r\nabc",
        "3;x=\"a\r\nabc",
        "3;x=\"a\"b\r\nabc",
        "3;x=\"a\\\r\nabc",
        "3;x y\r\nabc",
        "3;x=y \r\nabc",
        "3;x \r\nabc",
        "3;x=(y)\r\nabc",
        "3;=y\r\nabc",
        /* the end */
        "0\r\nbad trailer\r\n\r\n",
        "0\r\n: x\r\n\r\n",
        "0\r\nX: a\n\r\n",
        "0\r\nX : a\r\n\r\n",
        "0\r\n X: a\r\n\r\n",
        "0\r\nX: a\r\n b\r\n\r\n",
        "0\r\nX: a\x01\r\n\r\n",
        "0\r\n\n",
        "0\r\n\rx",
        "0\n\n",
        "-0x0\r\n\r\n",
    };
    char out[64];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t step = 1; step <= strlen(rows[i]); step++) {
            struct http_body body;
            size_t len;
            size_t used;

            http_body_init(&body, HTTP_BODY_CHUNKED, 0);
            if (read_all(&body, slice_text(rows[i]), step, out, &len, &used) != HTTP_BODY_BAD)
                fail_msg("taken: %s", rows[i]);
            assert_false(http_body_closed(&body));
            /* and it stays so */
            struct slice data;
            assert_int_equal(http_body_next(&body, slice_text("0\r\n\r\n"), &used, &data), HTTP_BODY_BAD);
        }
    }
}

static void reads_chunks(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"0\r\n\r\n", ""},
        {"000\r\n\r\n", ""},
        {"5\r\nhello\r\n0\r\n\r\n", "hello"},
        {"0005\r\nhello\r\n00\r\n\r\n", "hello"},
        {"c\r\nHellO world1\r\n0\r\n\r\n", "HellO world1"},
        {"C\r\nHellO world1\r\n1\r\n!\r\n0\r\n\r\n", "HellO world1!"},
        {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n"},
        {"1;a\r\nx\r\n1 ; a = b ;c=\"d\\\"\t;\" ; e\r\ny\r\n0;z=\"\"\r\n\r\n", "xy"},
        {"1\r\nx\r\n0\r\nX-T: 1\r\nTransfer-Encoding: chunked\r\nEmpty:\r\n\r\n", "x"},
    };
    char out[64];
    char text[128];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t end = strlen(rows[i].in);

        strcpy(text, rows[i].in);
        strcat(text, "GET /");
        for (size_t step = 1; step <= end + 5; step++) {
            struct http_body body;
            size_t len;
            size_t used;

            http_body_init(&body, HTTP_BODY_CHUNKED, 0);
            assert_int_equal(read_all(&body, slice_text(text), step, out, &len, &used), HTTP_BODY_END);
            assert_true(slice_is(slice_of(out, len), rows[i].out));
            assert_int_equal(used, end);
            assert_int_equal(body.payload_bytes, len);
            assert_true(http_body_closed(&body));
        }
    }
}

/* Bytes without payload are bounded, however they are spread; chunks of one byte are slow but honest. */
static void bounds_what_carries_no_payload(void **state)
{
    static const struct {
        const char *repeated;
        size_t times;
        enum http_body_status status;
    } rows[] = {
        {"a", 9000, HTTP_BODY_BAD},
        {"1\r\nx\r\n", 20000, HTTP_BODY_MORE},
        {"1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n", 2000, HTTP_BODY_BAD},
        {"X: y\r\n", 2000, HTTP_BODY_BAD},
    };
    static const char *const starts[] = {"1;", "", "", "0\r\n"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_body body;
        enum http_body_status status = HTTP_BODY_MORE;
        struct slice data;
        size_t used;

        http_body_init(&body, HTTP_BODY_CHUNKED, 0);
        assert_int_equal(http_body_next(&body, slice_text(starts[i]), &used, &data), HTTP_BODY_MORE);
        for (size_t n = 0; n < rows[i].times && status != HTTP_BODY_BAD; n++) {
            struct slice rest = slice_text(rows[i].repeated);

            do {
                status = http_body_next(&body, rest, &used, &data);
                rest = slice_tail(rest, used);
            } while (status == HTTP_BODY_DATA);
        }
        assert_int_equal(status, rows[i].status);
    }
}

static void reads_by_length(void **state)
{
    char out[64];

    for (size_t step = 1; step <= 9; step++) {
        struct http_body body;
        size_t len;
        size_t used;

        http_body_init(&body, HTTP_BODY_LENGTH, 5);
        assert_false(http_body_closed(&body));
        assert_int_equal(read_all(&body, slice_text("helloGET "), step, out, &len, &used), HTTP_BODY_END);
        assert_true(slice_is(slice_of(out, len), "hello"));
        assert_int_equal(used, 5);
        assert_true(http_body_closed(&body));
    }
}

static void ends_without_a_byte(void **state)
{
    struct http_body body;
    struct slice data;
    size_t used;

    http_body_init(&body, HTTP_BODY_LENGTH, 0);
    assert_int_equal(http_body_next(&body, slice_text("x"), &used, &data), HTTP_BODY_END);
    assert_int_equal(used, 0);
    http_body_init(&body, HTTP_BODY_NONE, 7);
    assert_true(http_body_closed(&body));
    assert_int_equal(http_body_next(&body, slice_of(NULL, 0), &used, &data), HTTP_BODY_END);
    http_body_init(&body, HTTP_BODY_LENGTH, 1);
    assert_int_equal(http_body_next(&body, slice_of(NULL, 0), &used, &data), HTTP_BODY_MORE);
    assert_false(http_body_closed(&body));
}

static void reads_until_close(void **state)
{
    struct http_body body;
    struct slice data;
    size_t used;

    http_body_init(&body, HTTP_BODY_UNTIL_CLOSE, 0);
    assert_int_equal(http_body_next(&body, slice_text("0\r\n\r\n"), &used, &data), HTTP_BODY_DATA);
    assert_int_equal(used, 5);
    assert_int_equal(http_body_next(&body, slice_of(NULL, 0), &used, &data), HTTP_BODY_MORE);
    assert_int_equal(body.payload_bytes, 5);
    assert_true(http_body_closed(&body));
}

static void writes_chunk_heads(void **state)
{
    static const struct {
        uint64_t length;
        const char *text;
    } rows[] = {{0, "0\r\n"}, {15, "f\r\n"}, {16, "10\r\n"}, {8000, "1f40\r\n"}, {UINT64_MAX, "ffffffffffffffff\r\n"}};
    char out[HTTP_CHUNK_HEAD_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_true(slice_is(slice_of(out, http_chunk_head(rows[i].length, out)), rows[i].text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_chunks),
        cmocka_unit_test(reads_chunks),
        cmocka_unit_test(bounds_what_carries_no_payload),
        cmocka_unit_test(reads_by_length),
        cmocka_unit_test(ends_without_a_byte),
        cmocka_unit_test(reads_until_close),
        cmocka_unit_test(writes_chunk_heads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
