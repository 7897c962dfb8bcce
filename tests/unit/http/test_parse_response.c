/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "http/http.h"

static const struct http_limits limits = {.head_max = 4096, .target_max = 256, .fields_max = 50};

static enum http_parse parse(const char *in, bool head_only, struct http_response *out, size_t *length,
                             struct http_parse_error *error)
{
    struct http_scan scan = {0, 0};

    return http_parse_response(&scan, slice_text(in), &limits, head_only, out, length, error);
}

static void refuses_all_with_502(void **state)
{
    static const char *const rows[] = {
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 +20 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1 200OK\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.10 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 O\rK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded: b\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: (x)\r\n\r\n",
    };
    struct http_parse_error error;
    struct http_response *response = malloc(sizeof(*response));
    size_t length;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        error = (struct http_parse_error){0, NULL};
        if (parse(rows[i], false, response, &length, &error) != HTTP_PARSE_BAD || error.status != 502 ||
            error.what == NULL)
            fail_msg("%s: %u %s", rows[i], error.status, error.what ? error.what : "");
    }
    free(response);
}

static void reads_framing_and_persistence(void **state)
{
    static const struct {
        const char *head;
        bool head_only;
        uint16_t status;
        enum http_body_kind body;
        uint64_t length;
        bool has_length, keep_alive, ntlm;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, 200, HTTP_BODY_LENGTH, 5, true, true, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, 200, HTTP_BODY_NONE, 5, true, true, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true, 200, HTTP_BODY_NONE, 0, false, true, false},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false, 304, HTTP_BODY_NONE, 9, true, true, false},
        {"HTTP/1.1 204 No Content\r\n\r\n", false, 204, HTTP_BODY_NONE, 0, false, true, false},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", false, 204, HTTP_BODY_NONE, 0, true, true, false},
        {"HTTP/1.1 100 Continue\r\n\r\n", false, 100, HTTP_BODY_NONE, 0, false, true, false},
        {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", false, 103, HTTP_BODY_NONE, 0, false, true, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, 200, HTTP_BODY_CHUNKED, 0, false, true, false},
        {"HTTP/1.1 200 OK\r\n\r\n", false, 200, HTTP_BODY_UNTIL_CLOSE, 0, false, false, false},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", false, 200, HTTP_BODY_UNTIL_CLOSE, 0, false, false,
         false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", false, 200, HTTP_BODY_LENGTH, 5, true, false, false},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n", false, 200, HTTP_BODY_LENGTH, 5,
         true, true, false},
        {"HTTP/1.1 401 U\r\nConnection: close\r\nContent-Length: 0\r\nWWW-Authenticate: Basic\r\nWWW-Authenticate: "
         "Negotiate\r\n\r\n",
         false, 401, HTTP_BODY_LENGTH, 0, true, false, true},
    };
    struct http_parse_error error;
    struct http_response *response = malloc(sizeof(*response));
    size_t length;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(response, 0xa5, sizeof(*response));
        assert_int_equal(parse(rows[i].head, rows[i].head_only, response, &length, &error), HTTP_PARSE_DONE);
        assert_int_equal(response->status, rows[i].status);
        assert_int_equal(response->body, rows[i].body);
        assert_int_equal(response->content_length, rows[i].length);
        assert_int_equal(response->has_content_length, rows[i].has_length);
        assert_int_equal(response->keep_alive, rows[i].keep_alive);
        assert_int_equal(response->ntlm, rows[i].ntlm);
        assert_int_equal(length, strlen(rows[i].head));
    }
    free(response);
}

static void reads_status_lines(void **state)
{
    static const struct {
        const char *head, *line, *reason;
        uint8_t minor;
    } rows[] = {
        {"HTTP/1.1 200 \r\nA: b\r\n\r\n", "HTTP/1.1 200 ", "", 1},
        {"HTTP/1.0 200\r\nA: b\r\n\r\n", "HTTP/1.0 200", "", 0},
        {"HTTP/1.1 404 Not  found \xe9\r\nA: b\r\n\r\n", "HTTP/1.1 404 Not  found \xe9", "Not  found \xe9", 1},
    };
    struct http_parse_error error;
    struct http_response *response = malloc(sizeof(*response));
    size_t length;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(parse(rows[i].head, false, response, &length, &error), HTTP_PARSE_DONE);
        assert_true(slice_is(response->line, rows[i].line));
        assert_true(slice_is(response->reason, rows[i].reason));
        assert_int_equal(response->minor, rows[i].minor);
        assert_int_equal(response->field_count, 1);
    }
    free(response);
}

static void a_head_too_long_is_502_too(void **state)
{
    struct http_parse_error error;
    struct http_response *response = malloc(sizeof(*response));
    struct http_scan scan = {0, 0};
    char text[5000];
    size_t length;

    memset(text, 'a', sizeof(text));
    memcpy(text, "HTTP/1.1 200 OK\r\nA: ", 20);
    assert_int_equal(http_parse_response(&scan, slice_of(text, 4096), &limits, false, response, &length, &error),
                     HTTP_PARSE_MORE);
    assert_int_equal(http_parse_response(&scan, slice_of(text, 4097), &limits, false, response, &length, &error),
                     HTTP_PARSE_BAD);
    assert_int_equal(error.status, 502);
    free(response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_all_with_502),
        cmocka_unit_test(reads_framing_and_persistence),
        cmocka_unit_test(reads_status_lines),
        cmocka_unit_test(a_head_too_long_is_502_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
