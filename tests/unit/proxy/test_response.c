/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The origin's response on its way to the client: framing for what the client understands, 1xx, and responses that end
 * otherwise than they said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

#define NODE "cucm.steven.lab"

static struct world_peer *ask(struct world *w, struct world_peer *client, const char *method, int minor,
                              const char *fields)
{
    char text[2048];

    world_forget(client);
    snprintf(text, sizeof(text), "%s %s HTTP/1.%d\r\nHost: e\r\n%s\r\n", method, world_path("http", NODE, 8000, "/x"),
             minor, fields);
    world_send(w, client, text);
    return world_accept(w);
}

/* --- framing ------------------------------------------------------------------------------------------------------------------ */

#define CHUNKED "Transfer-Encoding: chunked\r\n"

static void each_framing_becomes_one_that_the_client_understands(void **state)
{
    static const struct {
        const char *method, *fields; /* of the request */
        int minor;
        const char *response;
        bool ends;              /* the origin closes behind it */
        const char *has, *not ; /* of the head that the client gets */
        const char *body;
        bool closes, pooled;
    } rows[] = {
        /* HTTP/1.1 */
        {"GET", "", 1, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", false, "Content-Length: 4\r\n", CHUNKED,
         "body", false, true},
        {"GET", "", 1, "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n4\r\nbody\r\n0\r\n\r\n", false, CHUNKED, "Content-Length",
         "4\r\nbody\r\n0\r\n\r\n", false, true},
        {"GET", "", 1, "HTTP/1.1 200 OK\r\n\r\nbody", true, CHUNKED, "Content-Length", "4\r\nbody\r\n0\r\n\r\n", false,
         false},
        {"GET", "", 1, "HTTP/1.0 200 OK\r\n\r\nbody", true, CHUNKED, "Content-Length", "4\r\nbody\r\n0\r\n\r\n", false,
         false},
        {"GET", "", 1, "HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody", false, "Content-Length: 4\r\n", CHUNKED,
         "body", false, false},
        {"GET", "", 1, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody", false,
         "Content-Length: 4\r\n", "Connection: close", "body", false, false},
        {"GET", "Connection: close\r\n", 1, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", false,
         "Connection: close\r\n", CHUNKED, "body", true, true},
        {"HEAD", "", 1, "HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n", false,
         "Content-Length: 4000000000\r\n", CHUNKED, "", false, true},
        {"HEAD", "", 1, "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n", false, "HTTP/1.1 200 OK", "Content-Length", "", false,
         true},
        {"GET", "", 1, "HTTP/1.1 204 No Content\r\n\r\n", false, "HTTP/1.1 204 ", "Content-Length", "", false, true},
        {"GET", "", 1, "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n", false, "ETag: \"1\"", CHUNKED, "", false,
         true},
        {"GET", "", 1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, "Content-Length: 0\r\n", CHUNKED, "",
         false, true},
        {"GET", "", 1, "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n", false, "HTTP/1.1 299 ", CHUNKED, "", false, true},
        /* HTTP/1.0: no chunks, and no keep-alive but on request */
        {"GET", "", 0, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", false, "Content-Length: 4\r\n", CHUNKED,
         "body", true, true},
        {"GET", "Connection: keep-alive\r\n", 0, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", false,
         "Connection: keep-alive\r\n", CHUNKED, "body", false, true},
        {"GET", "", 0, "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n4\r\nbody\r\n0\r\n\r\n", false, "HTTP/1.1 200 OK", CHUNKED,
         "body", true, true},
        {"GET", "Connection: keep-alive\r\n", 0, "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n4\r\nbody\r\n0\r\n\r\n", false,
         "Connection: close\r\n", CHUNKED, "body", true, true},
        {"GET", "", 0, "HTTP/1.1 200 OK\r\n\r\nbody", true, "HTTP/1.1 200 OK", CHUNKED, "body", true, false},
        {"GET", "", 0, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", false,
         "HTTP/1.1 200 OK", "HTTP/1.1 100", "body", true, true},
        /* 1xx before the answer */
        {"GET", "", 1, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
         false, "HTTP/1.1 103 Early Hints\r\n", CHUNKED, "body", false, true},
    };

    for (int pieces = 0; pieces < 2; pieces++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct world *w = world_create();
            struct world_peer *client = world_connect(w);
            struct world_peer *origin = ask(w, client, rows[i].method, rows[i].minor, rows[i].fields);
            size_t body = strlen(rows[i].body);

            assert_non_null(origin);
            origin->drips = pieces;
            world_send(w, origin, rows[i].response);
            world_run(w, pieces ? 100 : 10);
            if (rows[i].ends)
                world_finish(w, origin);
            world_run(w, 10);
            if (strstr(client->received, rows[i].has) == NULL || strstr(client->received, rows[i].not ) != NULL)
                fail_msg("row %zu: %s", i, client->received);
            if (client->finished != rows[i].closes || client->reset)
                fail_msg("row %zu: finished %d reset %d", i, client->finished, client->reset);
            if (pieces == 0) /* else the body may come in several chunks */
                assert_string_equal(client->received + client->length - body, rows[i].body);
            assert_int_equal(world_counters(w)->responses, 1);
            assert_int_equal(world_counters(w)->origin_connections_now, rows[i].pooled);
            world_free(w);
        }
    }
}

static void what_was_between_origin_and_proxy_stays_there(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin = ask(w, client, "GET", 1, "");

    world_send(
        w, origin,
        "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
        "Proxy-Authenticate: Basic\r\nX-Stay: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n");
    assert_null(strstr(client->received, "X-Hop"));
    assert_null(strstr(client->received, "Keep-Alive"));
    assert_non_null(strstr(client->received, "X-Stay: 1\r\n"));
    assert_non_null(strstr(client->received, "Set-Cookie: a=1\r\n"));
    assert_non_null(strstr(client->received, "Set-Cookie: b=2\r\n"));
    assert_non_null(strstr(client->received, "Via: 1.1 assay\r\n"));
    world_free(w);
}

/* --- 1xx ------------------------------------------------------------------------------------------------------------------------ */

static void interim_responses_without_end_are_502(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin = ask(w, client, "POST", 1, "Content-Length: 0\r\n");
    unsigned interims = 0;

    for (int i = 0; i < 40 && !origin->reset; i++)
        world_send(w, origin, "HTTP/1.1 102 Processing\r\n\r\n");
    assert_true(origin->reset);
    for (const char *at = client->received; (at = strstr(at, "HTTP/1.1 102 ")) != NULL; at++)
        interims++;
    assert_int_equal(interims, 16);
    assert_non_null(strstr(client->received, "HTTP/1.1 502 connect failed\r\n"));
    world_free(w);
}

static void interim_responses_do_not_stop_the_clock(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin = ask(w, client, "GET", 1, "");

    for (int i = 0; i < 7; i++) {
        world_send(w, origin, "HTTP/1.1 102 Processing\r\n\r\n");
        world_run(w, 450);
    }
    assert_non_null(strstr(client->received, "HTTP/1.1 504 "));
    world_free(w);
}

/* --- not as it said --------------------------------------------------------------------------------------------------------------- */

static void what_cannot_be_read_or_stops_before_its_head_is_502(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody!",
        "HTTP/1.1 200 OK\r\n" CHUNKED "Content-Length: 4\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nBad Field: 1\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "\x16\x03\x01\x02\x00\x01",
    };

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct world *w = world_create();
        struct world_peer *client = world_connect(w), *origin = ask(w, client, "GET", 1, "");

        world_send(w, origin, answers[i]);
        world_cut(w, origin);
        world_run(w, 10);
        if (!world_starts(client, "HTTP/1.1 502 connect failed\r\n"))
            fail_msg("row %zu: %s", i, client->received);
        assert_null(world_accept(w)); /* a byte of a response came: not tried again */
        assert_false(client->finished);
        assert_int_equal(world_counters(w)->responses, 0);
        world_free(w);
    }
}

static void a_head_without_end_is_502(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin = ask(w, client, "GET", 1, "");
    char *head = malloc(60000);

    assert_non_null(head);
    memset(head, 'h', 60000);
    memcpy(head, "HTTP/1.1 200 OK\r\nX: ", 20);
    w->settings.head_max_bytes = 256 << 10;
    world_send_bytes(w, origin, head, 60000);
    world_run(w, 20);
    assert_true(world_starts(client, "HTTP/1.1 502 "));
    assert_true(origin->reset);
    free(head);
    world_free(w);
}

static void a_head_as_large_as_may_be_comes_with_its_body(void **state)
{
    enum { FIELD = 32500, BODY = 200000 };
    struct world *w = world_create();
    struct world_peer *client, *origin;
    static char text[FIELD + BODY + 200];
    size_t at;

    w->settings.head_max_bytes = 32768;
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    origin = ask(w, client, "GET", 1, "");
    at = (size_t)sprintf(text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX: ", BODY);
    memset(text + at, 'x', FIELD);
    at += FIELD;
    at += (size_t)sprintf(text + at, "\r\n\r\n");
    memset(text + at, 'b', BODY);
    world_send_bytes(w, origin, text, at + BODY);
    world_run(w, 50);
    assert_true(world_starts(client, "HTTP/1.1 200 OK\r\n"));
    assert_true(client->length > FIELD + BODY);
    assert_int_equal(world_counters(w)->responses, 1);
    world_free(w);
}

static void a_body_that_breaks_off_is_seen_to(void **state)
{
    static const struct {
        int minor;
        const char *response;
    } rows[] = {
        {1, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbody"},
        {0, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbody"},
        {1, "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n4\r\nbody\r\n"},
        {0, "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n4\r\nbody\r\n"},
        {1, "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n4\r\nbody\r\nnonsense"},
        {1, "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n4\r\nbodyandmore"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *w = world_create();
        struct world_peer *client = world_connect(w), *origin = ask(w, client, "GET", rows[i].minor, "");

        world_send(w, origin, rows[i].response);
        world_cut(w, origin);
        world_run(w, 10);
        /* A FIN would look like the end to a client that reads until then. */
        if (!client->reset || client->finished)
            fail_msg("row %zu: %s", i, client->received);
        assert_null(strstr(client->received, "\r\n0\r\n\r\n"));
        assert_int_equal(world_counters(w)->responses_aborted, 1);
        assert_int_equal(world_counters(w)->responses, 0);
        world_free(w);
    }
}

/* --- early answers --------------------------------------------------------------------------------------------------------------- */

static void an_answer_before_the_request_is_whole_ends_the_connection_after_it(void **state)
{
    for (int rest = 0; rest < 2; rest++) {
        struct world *w = world_create();
        struct world_peer *client = world_connect(w), *origin = ask(w, client, "POST", 1, "Content-Length: 6\r\n");

        world_send(w, client, "abc");
        world_send(w, origin, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nn");
        if (rest) /* the request goes on meanwhile */
            world_send(w, client, "def");
        world_send(w, origin, "o!");
        assert_string_equal(client->received + client->length - 3, "no!");
        assert_non_null(strstr(client->received, "Connection: close\r\n"));
        world_run(w, 10);
        assert_true(client->finished);
        assert_false(client->reset);
        if (rest)
            assert_string_equal(origin->received + origin->length - 6, "abcdef");
        else
            assert_int_equal(world_counters(w)->origin_connections_now, 0); /* half a request was sent on it */
        world_free(w);
    }
}

/* --- time ---------------------------------------------------------------------------------------------------------------------- */

static void a_client_that_takes_nothing_is_given_up_one_that_takes_a_little_is_not(void **state)
{
    for (int takes = 0; takes < 2; takes++) {
        struct world *w = world_create();
        struct world_peer *client = world_connect(w), *origin = ask(w, client, "GET", 1, "");
        char *body = calloc(1, 900000);

        assert_non_null(body);
        client->paused = true;
        world_send(w, origin, "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n");
        for (size_t sent = 0, turn = 0; turn < 300; turn++) {
            sent += tcp_write(w->far, origin->tcp, body + sent, 900000 - sent);
            world_run(w, 1);
        }
        for (int i = 0; i < 9; i++) {
            if (takes) {
                struct slice piece = tcp_peek(w->far, client->tcp);

                tcp_consume(w->far, client->tcp, piece.len);
            }
            world_run(w, 1000);
        }
        assert_int_equal(world_counters(w)->client_connections_now, takes);
        assert_int_equal(world_counters(w)->responses_aborted, !takes);
        free(body);
        world_free(w);
    }
}

/* An origin that is done with us may end in a reset: what it said before counts, be it much or little of the body. */
static void what_came_before_a_reset_is_passed_on(void **state)
{
    enum { BODY = 600000 };
    static char body[BODY];

    memset(body, 'b', sizeof(body));
    for (int whole = 0; whole < 2; whole++) {
        struct world *w = world_create();
        struct world_peer *client = world_connect(w), *origin = ask(w, client, "GET", 1, "");
        size_t sent = 0, len = whole ? BODY : BODY - 1;

        client->paused = true;
        world_send(w, origin, "HTTP/1.1 200 OK\r\nContent-Length: 600000\r\n\r\n");
        for (int i = 0; i < 1000 && sent < len; i++) {
            sent += tcp_write(w->far, origin->tcp, body + sent, len - sent);
            world_run(w, 1);
        }
        assert_int_equal(sent, len);
        world_run(w, 20);
        assert_int_equal(tcp_unacked(w->far, origin->tcp), 0); /* some of it with the proxy's TCP, unread */
        world_abort(w, origin);
        assert_int_equal(world_counters(w)->origin_connections_now, 1);
        world_resume(w, client);
        world_run(w, 300);
        assert_int_equal(world_counters(w)->responses, whole);
        assert_int_equal(world_counters(w)->responses_aborted, !whole);
        assert_int_equal(client->reset, !whole);
        if (whole)
            assert_true(client->length > BODY);
        assert_int_equal(world_counters(w)->origin_connections_now, 0);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_before_a_reset_is_passed_on),
        cmocka_unit_test(each_framing_becomes_one_that_the_client_understands),
        cmocka_unit_test(what_was_between_origin_and_proxy_stays_there),
        cmocka_unit_test(interim_responses_without_end_are_502),
        cmocka_unit_test(interim_responses_do_not_stop_the_clock),
        cmocka_unit_test(what_cannot_be_read_or_stops_before_its_head_is_502),
        cmocka_unit_test(a_head_without_end_is_502),
        cmocka_unit_test(a_head_as_large_as_may_be_comes_with_its_body),
        cmocka_unit_test(a_body_that_breaks_off_is_seen_to),
        cmocka_unit_test(an_answer_before_the_request_is_whole_ends_the_connection_after_it),
        cmocka_unit_test(a_client_that_takes_nothing_is_given_up_one_that_takes_a_little_is_not),
    };

    return cmocka_run_group_tests(tests, world_start, world_stop);
}
