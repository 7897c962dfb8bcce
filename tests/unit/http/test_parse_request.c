/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "http/http.h"

static const struct http_limits limits = {.head_max = 4096, .target_max = 256, .fields_max = 50};

static enum http_parse parse(struct slice in, struct http_request *out, size_t *length, struct http_parse_error *error)
{
    struct http_scan scan = {0, 0};

    return http_parse_request(&scan, in, &limits, out, length, error);
}

#define H "Host: a\r\n"

static void refuses_with_a_status(void **state)
{
    static const struct {
        const char *head;
        uint16_t status;
    } rows[] = {
        /* request line */
        {"GET /\r\n\r\n", 400},
        {"GET / \r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\n" H "\r\n", 400},
        {"GET /  HTTP/1.1\r\n" H "\r\n", 400},
        {"GET / HTTP/1.1 \r\n" H "\r\n", 400},
        {" GET / HTTP/1.1\r\n" H "\r\n", 400},
        {"GET\t/\tHTTP/1.1\r\n" H "\r\n", 400},
        {"GET / / HTTP/1.1\r\n" H "\r\n", 400},
        {"GET\r\n" H "\r\n", 400},
        {"G(T / HTTP/1.1\r\n" H "\r\n", 400},
        {"GET / HTTP/1.10\r\n" H "\r\n", 400},
        {"GET / HTTP/01.1\r\n" H "\r\n", 400},
        {"GET / HTTP/1\r\n" H "\r\n", 400},
        {"GET / HTTP/1.\r\n" H "\r\n", 400},
        {"GET / HTTP/.1\r\n" H "\r\n", 400},
        {"GET / HTTP-1.1\r\n" H "\r\n", 400},
        {"GET / http/1.1\r\n" H "\r\n", 400},
        {"GET / HTTP/+1.1\r\n" H "\r\n", 400},
        {"GET / ICY\r\n" H "\r\n", 400},
        {"GET / HTTP/2.0\r\n" H "\r\n", 505},
        {"GET / HTTP/0.9\r\n" H "\r\n", 505},
        {"PRI * HTTP/2.0\r\n\r\n", 505},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" H "\r\n", 501},
        /* target */
        {"GET admin/a HTTP/1.1\r\n" H "\r\n", 400},
        {"GET ! HTTP/1.1\r\n" H "\r\n", 400},
        {"GET * HTTP/1.1\r\n" H "\r\n", 400},
        {"OPTIONS */x HTTP/1.1\r\n" H "\r\n", 400},
        {"GET /a#b HTTP/1.1\r\n" H "\r\n", 400},
        {"GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 400},
        {"GET a:80 HTTP/1.1\r\n" H "\r\n", 400},
        {"CONNECT / HTTP/1.1\r\n" H "\r\n", 400},
        {"CONNECT a:0 HTTP/1.1\r\n" H "\r\n", 400},
        {"GET ftp://a/ HTTP/1.1\r\n" H "\r\n", 400},
        {"GET http:/a/ HTTP/1.1\r\n" H "\r\n", 400},
        {"GET http:// HTTP/1.1\r\n" H "\r\n", 400},
        {"GET http:///x HTTP/1.1\r\n" H "\r\n", 400},
        {"GET http://u:p@a/ HTTP/1.1\r\n" H "\r\n", 400},
        {"GET http://a?x HTTP/1.1\r\n" H "\r\n", 400},
        {"GET http://a:99999/ HTTP/1.1\r\n" H "\r\n", 400},
        {"GET http://a\\b/ HTTP/1.1\r\n" H "\r\n", 400},
        {"GET http://a/ HTTP/1.1\r\n\r\n", 400},
        {"GET http://a/ HTTP/1.1\r\nHost: b c\r\n\r\n", 400},
        /* Host */
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" H H "\r\n", 400},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a/x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a:98777\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a.\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: .\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: ..a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: [::1].\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x[::1]\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: [a]\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        /* framing */
        {"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 5,6\r\n\r\n", 400},
        {"POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
        /* the rest */
        {"GET / HTTP/1.1\r\n" H "Expect: 200-maybe\r\n\r\n", 417},
        {"GET / HTTP/1.1\r\n" H "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n", 417},
        {"GET / HTTP/1.1\r\n" H "Connection: a b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" H "Authorization: Basic a\r\nAuthorization: NTLM b\r\n\r\n", 400},
        {"GET / HTTP/1.1\n" H "\r\n", 400},
        {"GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", 400},
    };
    struct http_parse_error error;
    struct http_request *request = malloc(sizeof(*request));
    size_t length;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        error = (struct http_parse_error){0, NULL};
        if (parse(slice_text(rows[i].head), request, &length, &error) != HTTP_PARSE_BAD ||
            error.status != rows[i].status || error.what == NULL)
            fail_msg("%s: %u %s", rows[i].head, error.status, error.what ? error.what : "");
    }
    assert_int_equal(parse(slice_of("GET /a\0b HTTP/1.1\r\n" H "\r\n", 31), request, &length, &error), HTTP_PARSE_BAD);
    free(request);
}

static void refuses_a_long_target(void **state)
{
    struct http_parse_error error;
    struct http_request *request = malloc(sizeof(*request));
    char text[600];
    size_t length;
    int n;

    n = snprintf(text, sizeof(text), "GET /%0255d HTTP/1.1\r\n" H "\r\n", 0);
    assert_int_equal(parse(slice_of(text, (size_t)n), request, &length, &error), HTTP_PARSE_DONE);
    n = snprintf(text, sizeof(text), "GET /%0256d HTTP/1.1\r\n" H "\r\n", 0);
    assert_int_equal(parse(slice_of(text, (size_t)n), request, &length, &error), HTTP_PARSE_BAD);
    assert_int_equal(error.status, 414);
    free(request);
}

static void waits_for_the_rest(void **state)
{
    static const char text[] = "POST /a HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n";
    struct http_parse_error error;
    struct http_request *request = malloc(sizeof(*request));
    struct http_scan scan = {0, 0};
    size_t length = 0;

    for (size_t len = 0; len < strlen(text); len++)
        assert_int_equal(http_parse_request(&scan, slice_of(text, len), &limits, request, &length, &error),
                         HTTP_PARSE_MORE);
    assert_int_equal(http_parse_request(&scan, slice_text(text), &limits, request, &length, &error), HTTP_PARSE_DONE);
    assert_int_equal(length, strlen(text));
    free(request);
}

static void reads_targets(void **state)
{
    static const struct {
        const char *head;
        enum http_target_form form;
        const char *scheme, *authority, *path;
    } rows[] = {
        {"GET /a/b?x=%20y&z=1 HTTP/1.1\r\nHost: h:8443\r\n\r\n", HTTP_TARGET_ORIGIN, "", "h:8443", "/a/b?x=%20y&z=1"},
        {"GET / HTTP/1.0\r\n\r\n", HTTP_TARGET_ORIGIN, "", "", "/"},
        {"GET http://vcs_control.steven.lab:8443/c3Rl/cucm-uds/x?max=100 HTTP/1.1\r\nHost: other\r\n\r\n",
         HTTP_TARGET_ABSOLUTE, "http", "vcs_control.steven.lab:8443", "/c3Rl/cucm-uds/x?max=100"},
        {"GET HTTPS://[2001:db8::1]:1 HTTP/1.1\r\n" H "\r\n", HTTP_TARGET_ABSOLUTE, "https", "[2001:db8::1]:1", "/"},
        {"GET http://h/?a://b HTTP/1.0\r\n\r\n", HTTP_TARGET_ABSOLUTE, "http", "h", "/?a://b"},
        {"OPTIONS http://h HTTP/1.1\r\n" H "\r\n", HTTP_TARGET_ABSOLUTE, "http", "h", "*"},
        {"OPTIONS * HTTP/1.1\r\n" H "\r\n", HTTP_TARGET_ASTERISK, "", "a", "*"},
        {"CONNECT h:443 HTTP/1.1\r\nHost: b\r\n\r\n", HTTP_TARGET_AUTHORITY, "", "h:443", ""},
    };
    struct http_parse_error error;
    struct http_request *request = malloc(sizeof(*request));
    size_t length;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(parse(slice_text(rows[i].head), request, &length, &error), HTTP_PARSE_DONE);
        assert_int_equal(request->form, rows[i].form);
        assert_true(slice_is(request->scheme, rows[i].scheme));
        assert_true(slice_is(request->authority, rows[i].authority));
        assert_true(slice_is(request->path, rows[i].path));
        assert_int_equal(length, strlen(rows[i].head));
    }
    free(request);
}

static void reads_what_a_request_says_of_itself(void **state)
{
    static const struct {
        const char *head;
        bool keep_alive, expect, head_only, idempotent, ntlm;
        enum http_body_kind body;
        uint64_t length;
    } rows[] = {
        {"GET / HTTP/1.1\r\n" H "\r\n", true, false, false, true, false, HTTP_BODY_NONE, 0},
        {"GET / HTTP/1.2\r\n" H "\r\n", true, false, false, true, false, HTTP_BODY_NONE, 0},
        {"HEAD / HTTP/1.1\r\n" H "Connection: x, CLOSE\r\n\r\n", false, false, true, true, false, HTTP_BODY_NONE, 0},
        {"get / HTTP/1.0\r\n\r\n", false, false, false, false, false, HTTP_BODY_NONE, 0},
        {"PUT / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, false, false, true, false, HTTP_BODY_NONE, 0},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false, false, false, true, false, HTTP_BODY_NONE,
         0},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n", true, true, false, false, false,
         HTTP_BODY_LENGTH, 5},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n", true, false, false, false, false,
         HTTP_BODY_LENGTH, 0},
        {"POST / HTTP/1.0\r\n" H "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", false, false, false, false, false,
         HTTP_BODY_LENGTH, 5},
        {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: CHUNKED\r\nAuthorization: ntlm x\r\n\r\n", true, false, false,
         false, true, HTTP_BODY_CHUNKED, 0},
    };
    struct http_parse_error error;
    struct http_request *request = malloc(sizeof(*request));
    size_t length;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(request, 0xa5, sizeof(*request));
        assert_int_equal(parse(slice_text(rows[i].head), request, &length, &error), HTTP_PARSE_DONE);
        assert_int_equal(request->keep_alive, rows[i].keep_alive);
        assert_int_equal(request->expect_continue, rows[i].expect);
        assert_int_equal(request->head_only, rows[i].head_only);
        assert_int_equal(request->idempotent, rows[i].idempotent);
        assert_int_equal(request->ntlm, rows[i].ntlm);
        assert_int_equal(request->body, rows[i].body);
        assert_int_equal(request->content_length, rows[i].length);
    }
    free(request);
}

static void keeps_the_line_for_logs(void **state)
{
    struct http_parse_error error;
    struct http_request *request = malloc(sizeof(*request));
    size_t length;

    assert_int_equal(parse(slice_text("\r\nGET /x HTTP/1.1\r\n" H "\r\nGET"), request, &length, &error),
                     HTTP_PARSE_DONE);
    assert_true(slice_is(request->line, "GET /x HTTP/1.1"));
    assert_true(slice_is(request->method, "GET"));
    assert_true(slice_is(request->target, "/x"));
    assert_int_equal(request->minor, 1);
    assert_int_equal(request->field_count, 1);
    assert_int_equal(length, 2 + 17 + 9 + 2);
    free(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_with_a_status),
        cmocka_unit_test(refuses_a_long_target),
        cmocka_unit_test(waits_for_the_rest),
        cmocka_unit_test(reads_targets),
        cmocka_unit_test(reads_what_a_request_says_of_itself),
        cmocka_unit_test(keeps_the_line_for_logs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
