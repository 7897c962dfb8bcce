/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP with or without TLS as plaintext in and out: what a grant of room is worth, and how streams end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/internal.h"
#include "world.h"

#define NODE "cucm.steven.lab"

static struct client *only_client(struct world *w)
{
    for (uint32_t i = 0; i < pool_count(w->proxy->clients); i++) {
        struct client *c = pool_at(w->proxy->clients, i);

        if (c->phase != CLIENT_FREE)
            return c;
    }
    fail();
    return NULL;
}

static struct world_peer *connect_client(struct world *w, bool tls)
{
    return tls ? world_connect_tls(w, "edge.steven.lab", NULL) : world_connect(w);
}

/* --- room --------------------------------------------------------------------------------------------------------------------- */

/* Whatever is granted can be written, down to the last grant, and arrives. */
static void what_is_granted_can_be_written_until_nothing_is_granted(void **state)
{
    static const size_t wanted[] = {1, 100, 2047, 2048, 5000, 16384, 16385, 49152, 65536};

    for (int tls = 0; tls < 2; tls++) {
        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
            struct world *w = world_create();
            struct world_peer *peer = connect_client(w, tls);
            struct client *c = only_client(w);
            uint8_t *bytes = malloc(wanted[i]);
            size_t total = 0, room, at = 0;

            assert_non_null(bytes);
            peer->paused = true;
            while ((room = stream_room(w->proxy, client_stream(c), wanted[i])) > 0 && total < 300000) {
                assert_in_range(room, 1, wanted[i]);
                for (size_t k = 0; k < room; k++)
                    bytes[k] = (uint8_t)((total + k) % 251);
                assert_int_equal(stream_write(w->proxy, client_stream(c), bytes, room), STREAM_OK);
                total += room;
                if (wanted[i] < 2048 && total > 3000)
                    break; /* the small ones would take all day */
            }
            if (wanted[i] >= 2048)
                assert_in_range(total, 200000, 270000); /* the send buffer, nearly all of it */
            world_run(w, 50);
            world_resume(w, peer);
            world_run(w, 200);
            assert_int_equal(peer->length, total);
            while (at < total && (uint8_t)peer->received[at] == at % 251)
                at++;
            assert_int_equal(at, total);
            free(bytes);
            world_free(w);
        }
    }
}

/* A grant is not a sliver: few large records rather than many small ones; and what is sealed of one's own accord fits. */
static void a_buffer_nearly_full_grants_nothing_and_still_takes_close_notify(void **state)
{
    struct world *w = world_create();
    struct world_peer *peer = connect_client(w, true);
    struct client *c = only_client(w);
    static uint8_t bytes[16384];
    size_t room;

    peer->paused = true;
    while ((room = stream_room(w->proxy, client_stream(c), sizeof(bytes))) > 0) {
        assert_true(room >= 2048);
        assert_int_equal(stream_write(w->proxy, client_stream(c), bytes, room), STREAM_OK);
    }
    assert_true(tcp_room(w->near, c->tcp, 0) > 0);
    stream_finish(w->proxy, client_stream(c));
    world_resume(w, peer);
    world_run(w, 200);
    assert_true(peer->closed);
    assert_true(peer->finished);
    assert_false(peer->failed);
    world_free(w);
}

static void a_write_to_a_connection_that_is_gone_fails(void **state)
{
    for (int tls = 0; tls < 2; tls++) {
        struct world *w = world_create();
        struct client *c;
        uint8_t byte = 0;
        size_t length;

        connect_client(w, tls);
        c = only_client(w);
        tcp_abort(w->near, c->tcp);
        assert_int_equal(stream_room(w->proxy, client_stream(c), 100), 0);
        assert_int_equal(stream_write(w->proxy, client_stream(c), &byte, 1), STREAM_FAILED);
        assert_int_equal(stream_read(w->proxy, client_stream(c), &byte, 1, &length), STREAM_FAILED);
        assert_int_equal(length, 0);
        stream_finish(w->proxy, client_stream(c));
        world_free(w);
    }
}

/* --- reading -------------------------------------------------------------------------------------------------------------------- */

static void reading_takes_what_there_is_room_for_and_says_when_it_is_over(void **state)
{
    static const struct {
        bool tls, goodbye;
        enum stream_status end;
    } rows[] = {{false, true, STREAM_END}, {true, true, STREAM_END}, {true, false, STREAM_CUT}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *w = world_create();
        struct world_peer *peer = connect_client(w, rows[i].tls);
        struct client *c = only_client(w);
        enum client_phase phase = c->phase;
        char text[64] = "";
        size_t length, at = 0;

        c->phase = CLIENT_QUEUED; /* the proxy leaves what comes to us */
        assert_int_equal(stream_read(w->proxy, client_stream(c), text, 1, &length), STREAM_WAIT);
        world_send(w, peer, "twenty bytes of text");
        if (rows[i].goodbye)
            world_finish(w, peer);
        else
            world_cut(w, peer);
        while (stream_read(w->proxy, client_stream(c), text + at, 7, &length) == STREAM_OK) {
            assert_in_range(length, 1, 7);
            at += length;
        }
        assert_string_equal(text, "twenty bytes of text");
        assert_int_equal(stream_read(w->proxy, client_stream(c), text, 7, &length), rows[i].end);
        assert_int_equal(stream_read(w->proxy, client_stream(c), text, 7, &length), rows[i].end);
        c->phase = (uint8_t)phase;
        world_free(w);
    }
}

/* --- ends, over whole exchanges --------------------------------------------------------------------------------------------------- */

static void a_body_until_close_ends_well_only_where_tls_says_so(void **state)
{
    enum { GOODBYE, CUT, RESET, WAYS };

    for (int tls = 0; tls < 2; tls++) {
        for (int way = 0; way < WAYS; way++) {
            struct world *w = world_create();
            struct world_peer *client, *origin;
            bool whole = way == GOODBYE || (way == CUT && !tls);

            world_trust(w, WORLD_TRUST_ROOT);
            client = connect_client(w, true);
            world_request(w, client, "GET", world_path(tls ? "https" : "http", NODE, tls ? 8443 : 8000, "/x"), "\r\n");
            world_run(w, 20);
            origin = world_accept(w);
            world_send(w, origin, "HTTP/1.1 200 OK\r\n\r\nto the end");
            if (way == GOODBYE)
                world_finish(w, origin);
            else if (way == CUT)
                world_cut(w, origin);
            else
                world_abort(w, origin);
            world_run(w, 20);
            /* A truncation attack must not look like the end. */
            if ((strstr(client->received, "\r\n0\r\n\r\n") != NULL) != whole || client->reset == whole)
                fail_msg("tls %d way %d: reset %d, %s", tls, way, client->reset, client->received);
            assert_int_equal(world_counters(w)->responses, whole);
            assert_int_equal(world_counters(w)->responses_aborted, !whole);
            world_free(w);
        }
    }
}

static void a_body_of_known_length_needs_no_goodbye(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin;

    world_trust(w, WORLD_TRUST_ROOT);
    client = connect_client(w, true);
    world_request(w, client, "GET", world_path("https", NODE, 8443, "/x"), "\r\n");
    world_run(w, 20);
    origin = world_accept(w);
    world_answer(w, origin, "whole");
    world_cut(w, origin);
    assert_string_equal(client->received + client->length - 5, "whole");
    assert_false(client->reset);
    world_free(w);
}

/* A slow side holds the other back: what lies between them is bounded. */
static void neither_side_runs_away_from_the_other(void **state)
{
    enum { BODY = 3 << 20 };

    for (int tls = 0; tls < 2; tls++) {
        struct world *w = world_create();
        struct world_peer *client, *origin;
        char *body = malloc(BODY);
        struct tcp_info info;
        size_t sent = 0;

        assert_non_null(body);
        for (size_t i = 0; i < BODY; i++)
            body[i] = (char)('a' + i * 11 % 23);
        world_trust(w, WORLD_TRUST_ROOT);
        client = connect_client(w, tls);
        world_request(w, client, "GET", world_path(tls ? "https" : "http", NODE, tls ? 8443 : 8000, "/x"), "\r\n");
        world_run(w, 20);
        origin = world_accept(w);
        client->paused = true;
        world_send(w, origin, "HTTP/1.1 200 OK\r\nContent-Length: 3145728\r\n\r\n");
        for (int i = 0; i < 300; i++) {
            sent += tls ? world_tls_write(w, origin, body + sent, 16384)
                        : tcp_write(w->far, origin->tcp, body + sent, 16384);
            world_run(w, 1);
        }
        /* Both TCPs' buffers on both ways, and ours between them. */
        assert_in_range(sent, 500000, 1500000);
        assert_int_equal(tcp_get_info(w->far, client->tcp, &info), ASSAY_OK);
        assert_true(info.bytes_in < 400000);
        world_resume(w, client);
        world_send_bytes(w, origin, body + sent, BODY - sent);
        world_run(w, 300);
        assert_true(client->length > BODY);
        assert_memory_equal(client->received + client->length - BODY, body, BODY);
        free(body);
        world_free(w);
    }
}

/* The client is slow for nearly as long as it may be; then the origin is, for nearly as long as it may be. */
static void a_pause_of_one_side_is_not_charged_to_the_other(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = connect_client(w, false), *origin;
    const struct client *c = only_client(w);
    static char body[900000];
    size_t sent = 0;

    memset(body, 'b', sizeof(body));
    world_request(w, client, "GET", world_path("http", NODE, 8000, "/x"), "\r\n");
    origin = world_accept(w);
    world_send(w, origin, "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n");
    client->paused = true;
    while (!c->response_blocked) { /* and no more: nothing is left in the origin's TCP */
        sent += tcp_write(w->far, origin->tcp, body + sent, 2000);
        world_run(w, 2);
    }
    world_run(w, 3800);
    assert_true(c->response_blocked);
    world_resume(w, client);
    assert_false(c->response_blocked);
    world_run(w, 2800);
    world_send_bytes(w, origin, body, sizeof(body) - sent);
    world_run(w, 20);
    assert_true(client->length > sizeof(body));
    assert_int_equal(world_counters(w)->responses, 1);
    assert_false(client->reset);
    world_free(w);
}

static void an_origin_that_does_not_take_the_body_is_504_not_408(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin;
    static char body[1000000];
    size_t sent = 0;

    client = connect_client(w, false);
    world_request(w, client, "PUT", world_path("http", NODE, 8000, "/x"), "Content-Length: 1000000\r\n\r\n");
    origin = world_accept(w);
    origin->paused = true;
    for (int i = 0; i < 200; i++) {
        sent += tcp_write(w->far, client->tcp, body + sent, sizeof(body) - sent);
        world_run(w, 2);
    }
    world_run(w, 3200);
    assert_true(world_starts(client, "HTTP/1.1 504 "));
    assert_int_equal(world_counters(w)->requests_timeout, 0);
    world_free(w);
}

/* What a configuration is held to is what a grant of the largest head takes. */
static void the_smallest_send_buffer_takes_the_largest_head(void **state)
{
    struct world *w = world_create();
    struct world_peer *peer = connect_client(w, true);
    struct client *c = only_client(w);
    static const uint8_t bytes[1 << 20];
    size_t head = PROXY_HEAD_MAX + PROXY_HEAD_GROWTH, needed = proxy_send_buffer_min(PROXY_HEAD_MAX), empty;

    assert_int_equal(proxy_send_buffer_min(UINT64_MAX), needed);
    assert_true(proxy_send_buffer_min(1024) < needed);
    peer->paused = true;
    empty = tcp_room(w->near, c->tcp, 0);
    assert_in_range(empty, needed, sizeof(bytes));
    /* As full as leaves just that. */
    assert_int_equal(tcp_write(w->near, c->tcp, bytes, empty - needed), empty - needed);
    assert_int_equal(stream_room(w->proxy, client_stream(c), head), head);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_granted_can_be_written_until_nothing_is_granted),
        cmocka_unit_test(a_buffer_nearly_full_grants_nothing_and_still_takes_close_notify),
        cmocka_unit_test(a_write_to_a_connection_that_is_gone_fails),
        cmocka_unit_test(reading_takes_what_there_is_room_for_and_says_when_it_is_over),
        cmocka_unit_test(a_body_until_close_ends_well_only_where_tls_says_so),
        cmocka_unit_test(a_body_of_known_length_needs_no_goodbye),
        cmocka_unit_test(neither_side_runs_away_from_the_other),
        cmocka_unit_test(a_pause_of_one_side_is_not_charged_to_the_other),
        cmocka_unit_test(an_origin_that_does_not_take_the_body_is_504_not_408),
        cmocka_unit_test(the_smallest_send_buffer_takes_the_largest_head),
    };

    return cmocka_run_group_tests(tests, world_start, world_stop);
}
