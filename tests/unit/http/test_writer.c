/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/address.h"
#include "http/http.h"

static const struct http_limits limits = {.head_max = 8192, .target_max = 4096, .fields_max = HTTP_FIELDS_MAX};

struct fixture {
    struct http_request request;
    struct http_response response;
    struct assay_address client;
    char out[8192];
    size_t len;
};

static struct slice written(const struct fixture *f)
{
    return slice_of(f->out, f->len);
}

static enum assay_error forward_to(struct fixture *f, const char *head, bool trusted, const char *tracking_id,
                                   size_t capacity)
{
    struct http_scan scan = {0, 0};
    struct http_parse_error error;
    size_t length;
    struct http_forward forward = {.host = slice_text("cucm.steven.lab:8443"),
                                   .path = slice_text("/p?q"),
                                   .via_name = slice_text("assay"),
                                   .tracking_id = slice_text(tracking_id),
                                   .client = &f->client,
                                   .client_trusted = trusted};

    assert_int_equal(address_parse(slice_text("198.18.0.7"), &f->client), ASSAY_OK);
    assert_int_equal(http_parse_request(&scan, slice_text(head), &limits, &f->request, &length, &error),
                     HTTP_PARSE_DONE);
    return http_write_request(f->out, capacity, &f->request, &forward, &f->len);
}

static void requests(void **state)
{
    static const struct {
        const char *in;
        bool trusted;
        const char *tracking_id, *out;
    } rows[] = {
        /* MRA S14 */
        {"GET http://vcs_control.steven.lab:8443/c3Rl/p?q HTTP/1.1\r\nHost: vcs_control.steven.lab:8443\r\nAccept: "
         "*/*\r\n\r\n",
         false, "",
         "GET /p?q HTTP/1.1\r\nHost: cucm.steven.lab:8443\r\nAccept: */*\r\nVia: 1.1 assay\r\nX-Forwarded-For: "
         "198.18.0.7\r\n\r\n"},
        /* an untrusted peer is believed nothing about itself */
        {"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nTrackingID: "
         "theirs\r\nVia: 1.0 e\r\n\r\n",
         false, "ours",
         "GET /p?q HTTP/1.1\r\nHost: cucm.steven.lab:8443\r\nVia: 1.0 e, 1.1 assay\r\nX-Forwarded-For: "
         "198.18.0.7\r\nTrackingID: ours\r\n\r\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nTrackingID: "
         "theirs\r\nx-forwarded-for: 5.6.7.8\r\n\r\n",
         true, "ours",
         "GET /p?q HTTP/1.1\r\nHost: cucm.steven.lab:8443\r\nVia: 1.1 assay\r\nX-Forwarded-For: 1.2.3.4, 5.6.7.8, "
         "198.18.0.7\r\n"
         "Forwarded: for=1.2.3.4\r\nTrackingID: theirs\r\n\r\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true, "ours",
         "GET /p?q HTTP/1.1\r\nHost: cucm.steven.lab:8443\r\nVia: 1.1 assay\r\nX-Forwarded-For: "
         "198.18.0.7\r\nTrackingID: ours\r\n\r\n"},
        /* hop by hop, and what Connection names; it cannot name away what is ours */
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, x-secret, Host, content-length, Via, X-Forwarded-For, "
         "Cookie\r\nX-Secret: 1\r\n"
         "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X\r\nUpgrade: "
         "h2c\r\nHTTP2-Settings: AA\r\n"
         "Proxy-Authorization: Basic x\r\nCookie: c\r\nContent-Length: 3\r\nMax-Forwards: 3\r\nX-Secret2: 2\r\n\r\n",
         false, "",
         "GET /p?q HTTP/1.1\r\nHost: cucm.steven.lab:8443\r\nMax-Forwards: 3\r\nX-Secret2: 2\r\nVia: 1.1 assay\r\n"
         "X-Forwarded-For: 198.18.0.7\r\nContent-Length: 3\r\n\r\n"},
        /* framing is ours */
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0005\r\nExpect: 100-Continue\r\n\r\n", false, "",
         "POST /p?q HTTP/1.1\r\nHost: cucm.steven.lab:8443\r\nVia: 1.1 assay\r\nX-Forwarded-For: 198.18.0.7\r\nExpect: "
         "100-continue\r\n"
         "Content-Length: 5\r\n\r\n"},
        {"POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: CHUNKED\r\nEmpty:\r\n\r\n", false, "",
         "POST /p?q HTTP/1.1\r\nHost: cucm.steven.lab:8443\r\nEmpty: \r\nVia: 1.1 assay\r\nX-Forwarded-For: "
         "198.18.0.7\r\n"
         "Transfer-Encoding: chunked\r\n\r\n"},
        {"GET / HTTP/1.0\r\n\r\n", false, "",
         "GET /p?q HTTP/1.1\r\nHost: cucm.steven.lab:8443\r\nVia: 1.0 assay\r\nX-Forwarded-For: 198.18.0.7\r\n\r\n"},
    };
    struct fixture *f = malloc(sizeof(*f));

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(forward_to(f, rows[i].in, rows[i].trusted, rows[i].tracking_id, sizeof(f->out)), ASSAY_OK);
        f->out[f->len] = 0;
        assert_string_equal(f->out, rows[i].out);
    }
    free(f);
}

static void says_when_there_is_no_room(void **state)
{
    static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nA: b\r\nContent-Length: 5\r\n\r\n";
    struct fixture *f = malloc(sizeof(*f));
    size_t whole;

    assert_int_equal(forward_to(f, head, false, "t", sizeof(f->out)), ASSAY_OK);
    whole = f->len;
    for (size_t capacity = 0; capacity < whole; capacity++)
        assert_int_equal(forward_to(f, head, false, "t", capacity), ASSAY_ERR_NO_SPACE);
    assert_int_equal(forward_to(f, head, false, "t", whole), ASSAY_OK);
    free(f);
}

static void responses(void **state)
{
    static const struct {
        const char *in;
        bool head_only, chunked, keep_alive;
        uint8_t client_minor;
        const char *out;
    } rows[] = {
        {"HTTP/1.1 200 \r\nServer: x\r\nContent-Length: 5\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: "
         "1\r\n\r\n",
         false, false, true, 1, "HTTP/1.1 200 \r\nServer: x\r\nVia: 1.1 assay\r\nContent-Length: 5\r\n\r\n"},
        {"HTTP/1.0 200\r\nContent-Length: 5\r\n\r\n", false, false, true, 0,
         "HTTP/1.1 200 \r\nVia: 1.0 assay\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n", false, true, true, 1,
         "HTTP/1.1 200 OK\r\nVia: 1.1 assay\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\n\r\n", false, true, true, 1,
         "HTTP/1.1 200 OK\r\nVia: 1.1 assay\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\n\r\n", false, false, true, 1,
         "HTTP/1.1 200 OK\r\nVia: 1.1 assay\r\nConnection: close\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, false, true, 1,
         "HTTP/1.1 200 OK\r\nVia: 1.1 assay\r\nContent-Length: 5\r\n\r\n"},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", false, false, false, 1,
         "HTTP/1.1 204 No Content\r\nVia: 1.1 assay\r\nConnection: close\r\n\r\n"},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nVia: 1.1 o\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n",
         false, false, true, 1,
         "HTTP/1.1 304 Not Modified\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nVia: 1.1 o, 1.1 assay\r\nContent-Length: "
         "7\r\n\r\n"},
        {"HTTP/1.1 100 Continue\r\n\r\n", false, false, false, 1, "HTTP/1.1 100 Continue\r\nVia: 1.1 assay\r\n\r\n"},
    };
    struct fixture *f = malloc(sizeof(*f));

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_scan scan = {0, 0};
        struct http_parse_error error;
        size_t length;

        assert_int_equal(http_parse_response(&scan, slice_text(rows[i].in), &limits, rows[i].head_only, &f->response,
                                             &length, &error),
                         HTTP_PARSE_DONE);
        for (size_t capacity = 0; capacity < strlen(rows[i].out); capacity++)
            assert_int_equal(http_write_response(f->out, capacity, &f->response, slice_text("assay"), rows[i].chunked,
                                                 rows[i].keep_alive, rows[i].client_minor, &f->len),
                             ASSAY_ERR_NO_SPACE);
        assert_int_equal(http_write_response(f->out, sizeof(f->out), &f->response, slice_text("assay"), rows[i].chunked,
                                             rows[i].keep_alive, rows[i].client_minor, &f->len),
                         ASSAY_OK);
        f->out[f->len] = 0;
        assert_string_equal(f->out, rows[i].out);
    }
    free(f);
}

static void answers(void **state)
{
    struct fixture *f = malloc(sizeof(*f));

    assert_int_equal(http_write_answer(f->out, 20, 502, NULL, NULL, false, false, &f->len), ASSAY_ERR_NO_SPACE);
    assert_int_equal(http_write_answer(f->out, sizeof(f->out), 502, NULL, NULL, false, false, &f->len), ASSAY_OK);
    assert_true(slice_is(written(f), "HTTP/1.1 502 connect failed\r\nContent-Type: text/plain\r\nContent-Length: 15\r\n"
                                     "Connection: close\r\n\r\nconnect failed\n"));
    assert_int_equal(http_write_answer(f->out, sizeof(f->out), 403, NULL, "Not in allow list", true, true, &f->len),
                     ASSAY_OK);
    assert_true(slice_is(written(f), "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 18\r\n"
                                     "Connection: keep-alive\r\n\r\n"));
    assert_int_equal(http_write_answer(f->out, sizeof(f->out), 503, "no source port", "x", false, false, &f->len),
                     ASSAY_OK);
    f->out[f->len] = 0;
    assert_non_null(strstr(f->out, "HTTP/1.1 503 no source port\r\n"));
    assert_int_equal(http_write_answer(f->out, sizeof(f->out), 405, NULL, NULL, false, false, &f->len), ASSAY_OK);
    f->out[f->len] = 0;
    assert_non_null(strstr(f->out, "\r\nAllow: GET, "));
    free(f);
}

static void reasons(void **state)
{
    static const uint16_t ours[] = {400, 403, 404, 405, 408, 413, 414, 417, 429,
                                    431, 500, 501, 502, 503, 504, 505, 508};

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        assert_string_not_equal(http_reason(ours[i]), http_reason(999));
    assert_string_equal(http_reason(502), "connect failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),  cmocka_unit_test(says_when_there_is_no_room),
        cmocka_unit_test(responses), cmocka_unit_test(answers),
        cmocka_unit_test(reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
