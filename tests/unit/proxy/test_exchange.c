/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

#define ORIGIN "198.18.2.11", 8000

static void send_request(struct world *w, struct world_peer *client, const char *method, const char *path,
                         const char *rest)
{
    char text[4096];

    snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: edge\r\n%s", method, path, rest);
    world_send(w, client, text);
}

static bool starts(const struct world_peer *peer, const char *text)
{
    return strncmp(peer->received, text, strlen(text)) == 0;
}

/* --- refused ---------------------------------------------------------------------------------------------------------------- */

static void answers_what_it_refuses_and_closes_where_framing_is_in_doubt(void **state)
{
    static const struct {
        const char *method, *scheme, *host, *path, *rest, *answer;
        unsigned port;
        bool closes;
    } rows[] = {
        {"GET", NULL, NULL, "/not-mra", "\r\n", "HTTP/1.1 400 ", 0, true},
        {"GET", "http", "198.18.2.11", "/a/../b", "\r\n", "HTTP/1.1 400 ", 8000, true},
        {"GET", "http", "198.18.2.11", "/a//b", "\r\n", "HTTP/1.1 400 ", 8000, true},
        {"TRACE", "http", "198.18.2.11", "/", "\r\n", "HTTP/1.1 405 ", 8000, false},
        {"GET", "http", "198.18.2.11", "/", "Via: 1.1 assay\r\n\r\n", "HTTP/1.1 400 ", 8000, true},
        {"GET", "http", "198.18.2.13", "/", "\r\n", "HTTP/1.1 403 ", 8000, false},
        {"GET", "http", "127.0.0.1", "/", "\r\n", "HTTP/1.1 403 ", 8000, false},
        {"GET", "http", "198.18.0.10", "/", "\r\n", "HTTP/1.1 403 ", 8080, false},
        {"GET", "http", "nowhere.steven.lab", "/", "\r\n", "HTTP/1.1 502 connect failed", 8000, false},
        {"POST", "http", "198.18.2.13", "/", "Content-Length: 10\r\n\r\n", "HTTP/1.1 403 ", 8000, true},
        {"GET", "http", "198.18.2.11", "/", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 400 ",
         8000, true},
        {"GET", "http", "198.18.2.11", "/", "X : y\r\n\r\n", "HTTP/1.1 400 ", 8000, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *w = world_create();
        struct world_peer *client = world_connect(w);

        send_request(w, client, rows[i].method,
                     rows[i].scheme ? world_path(rows[i].scheme, rows[i].host, rows[i].port, rows[i].path)
                                    : rows[i].path,
                     rows[i].rest);
        world_run(w, 50);
        if (!starts(client, rows[i].answer) || client->finished != rows[i].closes)
            fail_msg("row %zu: closed %d, %s", i, client->finished, client->received);
        assert_null(world_accept(w));
        world_free(w);
    }
}

static void an_unknown_domain_is_forbidden_and_one_without_edge_server_not_found(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);

    send_request(w, client, "GET", "/b3RoZXIubGFi/x", "\r\n"); /* other.lab */
    assert_true(starts(client, "HTTP/1.1 403 "));
    world_forget(client);
    send_request(w, client, "GET", "/c3RldmVuLmxhYg/x", "\r\n"); /* steven.lab */
    assert_true(starts(client, "HTTP/1.1 404 "));
    world_forget(client);
    send_request(w, client, "GET", "/ZWRnZS5sYWI/get_edge_config", "\r\n"); /* edge.lab */
    struct world_peer *origin = world_accept(w);
    assert_non_null(origin);
    assert_true(starts(origin, "GET /get_edge_config HTTP/1.1\r\n"));
    world_free(w);
}

/* --- forwarded ---------------------------------------------------------------------------------------------------------------- */

static void forwards_a_request_as_s14_says_and_the_response_back(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;

    send_request(w, client, "GET", world_path("http", ORIGIN, "/cucm-uds/user/emusk/devices?max=100"),
                 "Connection: close, X-Hop\r\nX-Hop: 1\r\nX-Keep: 2\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n");
    origin = world_accept(w);
    assert_non_null(origin);
    assert_true(starts(origin, "GET /cucm-uds/user/emusk/devices?max=100 HTTP/1.1\r\n"));
    assert_non_null(strstr(origin->received, "\r\nHost: 198.18.2.11:8000\r\n"));
    assert_non_null(strstr(origin->received, "\r\nX-Keep: 2\r\n"));
    assert_null(strstr(origin->received, "X-Hop"));
    assert_null(strstr(origin->received, "6.6.6.6"));
    assert_non_null(strstr(origin->received, "198.18.1.7"));
    assert_non_null(strstr(origin->received, "\r\nVia: 1.1 assay\r\n"));
    world_send(w, origin, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    world_run(w, 20);
    assert_true(starts(client, "HTTP/1.1 200 OK\r\n"));
    assert_string_equal(client->received + client->length - 5, "hello");
    assert_true(client->finished); /* it asked for close */
    assert_int_equal(world_counters(w)->requests_plain, 1);
    assert_int_equal(world_counters(w)->responses, 1);
    world_free(w);
}

static void pipelined_requests_are_answered_in_order_on_one_pooled_connection(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;
    char text[4096];

    snprintf(text, sizeof(text),
             "GET %s HTTP/1.1\r\nHost: e\r\n\r\nGET %s HTTP/1.1\r\nHost: e\r\n\r\nGET %s HTTP/1.1\r\nHost: e\r\n\r\n",
             world_path("http", ORIGIN, "/1"), world_path("http", ORIGIN, "/2"), world_path("http", ORIGIN, "/3"));
    world_send(w, client, text);
    origin = world_accept(w);
    assert_non_null(origin);
    for (int i = 1; i <= 3; i++) {
        char line[32], answer[64];

        snprintf(line, sizeof(line), "GET /%d HTTP/1.1\r\n", i);
        assert_true(starts(origin, line));
        world_forget(origin);
        snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d", i);
        world_send(w, origin, answer);
    }
    assert_null(world_accept(w));
    char *one = strstr(client->received, "\r\n\r\n1HTTP/1.1 200"),
         *two = strstr(client->received, "\r\n\r\n2HTTP/1.1 200");
    assert_non_null(one);
    assert_non_null(two);
    assert_true(one < two);
    assert_int_equal(world_counters(w)->origin_connections, 1);
    assert_int_equal(world_counters(w)->origin_connections_reused, 2);
    world_free(w);
}

static void bodies_stream_both_ways_in_every_framing(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;

    send_request(w, client, "POST", world_path("http", ORIGIN, "/up"),
                 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    origin = world_accept(w);
    assert_non_null(strstr(origin->received, "Transfer-Encoding: chunked"));
    assert_non_null(strstr(origin->received, "5\r\nhello\r\n"));
    world_send(w, client, "6;x=y\r\n world\r\n0\r\nTrailer: 1\r\n\r\n");
    assert_non_null(strstr(origin->received, "6\r\n world\r\n0\r\n\r\n"));
    world_send(w, origin, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    assert_non_null(strstr(client->received, "3\r\nabc\r\n0\r\n\r\n"));
    world_forget(client);
    world_forget(origin);

    send_request(w, client, "PUT", world_path("http", ORIGIN, "/up"), "Content-Length: 6\r\n\r\nabc");
    world_send(w, client, "def");
    assert_non_null(strstr(origin->received, "Content-Length: 6\r\n"));
    assert_string_equal(origin->received + origin->length - 6, "abcdef");
    /* Until close: chunks for an HTTP/1.1 client. */
    world_send(w, origin, "HTTP/1.1 200 OK\r\n\r\nto the ");
    world_send(w, origin, "end");
    world_close(w, origin);
    assert_non_null(strstr(client->received, "Transfer-Encoding: chunked"));
    assert_non_null(strstr(client->received, "end\r\n0\r\n\r\n"));
    assert_false(client->finished);
    world_free(w);
}

static void a_megabyte_arrives_whole_and_no_buffer_grows(void **state)
{
    enum { SIZE = 1 << 20 };
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;
    char *body = test_malloc(SIZE), head[64];

    for (size_t i = 0; i < SIZE; i++)
        body[i] = (char)('a' + i * 7 % 26);
    snprintf(head, sizeof(head), "Content-Length: %d\r\n\r\n", SIZE);
    send_request(w, client, "PUT", world_path("http", ORIGIN, "/up"), head);
    origin = world_accept(w);
    world_send_bytes(w, client, body, SIZE);
    world_run(w, 200);
    assert_memory_equal(origin->received + origin->length - SIZE, body, SIZE);

    world_send(w, origin, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n");
    client->paused = true; /* backpressure: the proxy must not take it all */
    for (int i = 0; i < 200; i++)
        world_run(w, 2);
    client->paused = false;
    world_send_bytes(w, origin, body, SIZE);
    world_run(w, 500);
    assert_true(client->length > SIZE);
    assert_memory_equal(client->received + client->length - SIZE, body, SIZE);
    test_free(body);
    world_free(w);
}

static void head_1xx_204_304_have_no_body_and_keep_the_connection(void **state)
{
    static const struct {
        const char *method, *response, *seen;
    } rows[] = {
        {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "Content-Length: 100\r\n"},
        {"GET", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 "},
        {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", "HTTP/1.1 304 "},
        {"GET", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
         "HTTP/1.1 103 "},
    };
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin = NULL;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        world_forget(client);
        send_request(w, client, rows[i].method, world_path("http", ORIGIN, "/"), "\r\n");
        if (origin == NULL)
            origin = world_accept(w);
        world_send(w, origin, rows[i].response);
        if (strstr(client->received, rows[i].seen) == NULL)
            fail_msg("row %zu: %s", i, client->received);
    }
    assert_int_equal(world_counters(w)->responses, 4);
    assert_int_equal(world_counters(w)->origin_connections, 1);
    world_free(w);
}

static void expect_100_continue_is_the_origins_to_answer(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;

    send_request(w, client, "POST", world_path("http", ORIGIN, "/"),
                 "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    origin = world_accept(w);
    assert_non_null(strstr(origin->received, "100-continue"));
    assert_int_equal(client->length, 0);
    world_send(w, origin, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_true(starts(client, "HTTP/1.1 100 "));
    world_send(w, client, "ab");
    assert_string_equal(origin->received + origin->length - 2, "ab");
    world_send(w, origin, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_non_null(strstr(client->received, "HTTP/1.1 200 OK"));
    assert_false(client->finished);
    world_free(w);
}

/* --- when it goes wrong ----------------------------------------------------------------------------------------------------------- */

static void a_refused_connection_is_tried_twice_and_is_502(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);
    int kind, sending = 0;

    /* Nothing listens on 198.18.2.12. */
    send_request(w, client, "GET", world_path("http", "198.18.2.12", 8000, "/"), "\r\n");
    world_run(w, 50);
    assert_true(starts(client, "HTTP/1.1 502 connect failed\r\n"));
    assert_false(client->finished);
    while ((kind = world_log(w->log, 0, NULL, 0)) >= 0)
        sending += kind == LOG_SENDING_REQUEST;
    assert_int_equal(sending, 2); /* S19 */
    assert_int_equal(world_counters(w)->origin_retries, 1);
    world_free(w);
}

static void a_pooled_connection_that_dies_is_replaced_for_idempotent_requests_only(void **state)
{
    for (int post = 0; post < 2; post++) {
        struct world *w = world_create();
        struct world_peer *client = world_connect(w), *origin;

        send_request(w, client, "GET", world_path("http", ORIGIN, "/1"), "\r\n");
        origin = world_accept(w);
        world_send(w, origin, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        world_forget(client);
        send_request(w, client, post ? "POST" : "GET", world_path("http", ORIGIN, "/2"), "\r\n");
        world_abort(w, origin);
        world_run(w, 20);
        if (post) {
            assert_null(world_accept(w));
            assert_true(starts(client, "HTTP/1.1 502 connect failed"));
        } else {
            origin = world_accept(w);
            assert_non_null(origin);
            assert_true(starts(origin, "GET /2 "));
            world_send(w, origin, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            assert_true(starts(client, "HTTP/1.1 200 OK"));
        }
        world_free(w);
    }
}

static void each_phase_has_its_timeout(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;

    world_send(w, client, "GET / HT");
    world_run(w, 1900);
    assert_int_equal(client->length, 0);
    world_run(w, 200);
    assert_true(starts(client, "HTTP/1.1 408 "));

    client = world_connect(w); /* idle: closed without a word */
    world_run(w, 10100);
    assert_true(client->finished);
    assert_int_equal(client->length, 0);

    client = world_connect(w); /* a body that stops */
    send_request(w, client, "POST", world_path("http", ORIGIN, "/"), "Content-Length: 9\r\n\r\nabc");
    world_run(w, 3100);
    assert_true(starts(client, "HTTP/1.1 408 "));
    origin = world_accept(w);
    assert_true(origin->reset);

    client = world_connect(w); /* an origin that says nothing */
    send_request(w, client, "GET", world_path("http", ORIGIN, "/"), "\r\n");
    world_run(w, 3100);
    assert_true(starts(client, "HTTP/1.1 504 "));
    (void)world_accept(w);

    client = world_connect(w); /* a response that stops half way cannot be ended well */
    send_request(w, client, "GET", world_path("http", ORIGIN, "/"), "\r\n");
    origin = world_accept(w);
    world_send(w, origin, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    world_run(w, 3200);
    assert_true(client->reset);
    world_free(w);
}

static void too_many_for_an_origin_wait_their_turn_and_then_503(void **state)
{
    struct world *w = world_create();
    struct world_peer *clients[9], *origin;

    for (int i = 0; i < 9; i++) {
        clients[i] = world_connect(w);
        send_request(w, clients[i], "GET", world_path("http", ORIGIN, "/"), "\r\n");
    }
    assert_true(starts(clients[8], "HTTP/1.1 503 ")); /* 4 served, 4 wait */
    assert_int_equal(clients[7]->length, 0);
    origin = world_accept(w);
    world_send(w, origin, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_true(starts(clients[0], "HTTP/1.1 200 OK"));
    world_send(w, origin,
               "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); /* the same connection serves the next in line */
    assert_true(starts(clients[4], "HTTP/1.1 200 OK"));
    assert_int_equal(world_counters(w)->origin_connections, 4);
    world_run(w, 1100);
    assert_true(starts(clients[7], "HTTP/1.1 503 "));
    world_free(w);
}

static void a_client_that_leaves_takes_its_exchange_along(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;

    send_request(w, client, "GET", world_path("http", ORIGIN, "/"), "\r\n");
    origin = world_accept(w);
    world_abort(w, client);
    world_run(w, 20);
    assert_true(origin->reset);
    assert_int_equal(world_counters(w)->client_connections_now, 0);
    assert_int_equal(world_counters(w)->origin_connections_now, 0);
    assert_int_equal(world_counters(w)->requests_now, 0);
    world_free(w);
}

static void a_response_with_two_readings_is_502(void **state)
{
    static const char *const bad[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "nonsense\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct world *w = world_create();
        struct world_peer *client = world_connect(w), *origin;

        send_request(w, client, "GET", world_path("http", ORIGIN, "/"), "\r\n");
        origin = world_accept(w);
        world_send(w, origin, bad[i]);
        if (!starts(client, "HTTP/1.1 502 connect failed"))
            fail_msg("row %zu: %s", i, client->received);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_what_it_refuses_and_closes_where_framing_is_in_doubt),
        cmocka_unit_test(an_unknown_domain_is_forbidden_and_one_without_edge_server_not_found),
        cmocka_unit_test(forwards_a_request_as_s14_says_and_the_response_back),
        cmocka_unit_test(pipelined_requests_are_answered_in_order_on_one_pooled_connection),
        cmocka_unit_test(bodies_stream_both_ways_in_every_framing),
        cmocka_unit_test(a_megabyte_arrives_whole_and_no_buffer_grows),
        cmocka_unit_test(head_1xx_204_304_have_no_body_and_keep_the_connection),
        cmocka_unit_test(expect_100_continue_is_the_origins_to_answer),
        cmocka_unit_test(a_refused_connection_is_tried_twice_and_is_502),
        cmocka_unit_test(a_pooled_connection_that_dies_is_replaced_for_idempotent_requests_only),
        cmocka_unit_test(each_phase_has_its_timeout),
        cmocka_unit_test(too_many_for_an_origin_wait_their_turn_and_then_503),
        cmocka_unit_test(a_client_that_leaves_takes_its_exchange_along),
        cmocka_unit_test(a_response_with_two_readings_is_502),
    };

    return cmocka_run_group_tests(tests, world_start, world_stop);
}
