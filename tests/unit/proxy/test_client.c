/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client's connection: who may connect, the ClientHello, the handshake, the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "access/clients.h"
#include "rig.h"
#include "tls/alerts.h"
#include "world.h"

#define ORIGIN "198.18.2.11", 8000

/* What came from the proxy past TLS: an alert in the clear. */
static void expect_alert(const struct world_peer *peer, uint8_t alert)
{
    assert_int_equal(peer->length, 7);
    assert_int_equal(peer->received[0], 21);
    assert_int_equal((uint8_t)peer->received[5], 2); /* fatal */
    assert_int_equal((uint8_t)peer->received[6], alert);
}

/* --- refused ---------------------------------------------------------------------------------------------------------------- */

static void an_address_outside_the_prefixes_is_reset_before_a_byte(void **state)
{
    static const struct {
        const char *address;
        bool served;
    } rows[] = {{"198.18.3.1", false},
                {"198.19.1.7", false},
                {"198.18.2.0", false},
                {"198.18.1.0", true},
                {"198.18.1.255", true}};
    const struct assay_prefix prefix = {.address = rig_address("198.18.1.0"), .length = 96 + 24};

    for (int tls = 0; tls < 2; tls++) {
        struct world *w = world_create();
        struct access_clients *clients;
        uint64_t refused = 0;

        assert_int_equal(access_clients_create(&prefix, 1, false, NULL, 0, &clients), ASSAY_OK);
        w->listeners[1].clients = clients;
        w->route.listeners = &w->listeners[1];
        w->route.listener_count = 1;
        w->listeners[1].tls = tls;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct world_peer *peer = world_open(w, rows[i].address, 8443, tls);

            world_run(w, 50);
            assert_int_equal(peer->reset, !rows[i].served);
            assert_int_equal(peer->established, tls && rows[i].served);
            refused += !rows[i].served;
            assert_int_equal(world_counters(w)->client_refused_address, refused);
        }
        assert_int_equal(world_counters(w)->client_connections, 2);
        world_free(w);
        access_clients_free(clients);
    }
}

static void one_too_many_is_reset_until_another_leaves(void **state)
{
    struct world *w = world_create();
    struct world_peer *first, *third;

    w->settings.clients_max = 2;
    first = world_connect(w);
    world_connect(w);
    third = world_connect(w);
    assert_true(third->reset);
    assert_int_equal(world_counters(w)->client_refused_limit, 1);
    assert_int_equal(world_counters(w)->client_connections_now, 2);
    world_abort(w, first);
    third = world_connect(w);
    assert_false(third->reset);
    assert_int_equal(world_counters(w)->client_connections_now, 2);
    world_free(w);
}

/* Connections last: what is taken away from an address, or from connections without TLS, ends with their next request. */
static void a_client_that_may_not_connect_any_more_is_not_served_either(void **state)
{
    const struct assay_prefix wide = {.address = rig_address("198.18.1.0"), .length = 96 + 24},
                              narrow = {.address = rig_address("198.18.1.8"), .length = 128};
    enum { STAYS, ADDRESS, NOW_TLS, ROWS };

    for (int row = STAYS; row < ROWS; row++) {
        struct world *w = world_create();
        struct access_clients *before, *after;
        const struct access_clients *own = w->listeners[0].clients;
        struct world_peer *client;

        assert_int_equal(access_clients_create(&wide, 1, false, NULL, 0, &before), ASSAY_OK);
        assert_int_equal(access_clients_create(row == ADDRESS ? &narrow : &wide, 1, false, NULL, 0, &after), ASSAY_OK);
        w->listeners[0].clients = before;
        client = world_connect(w);
        world_request(w, client, "GET", world_path("http", ORIGIN, "/"), "\r\n");
        world_answer(w, world_accept(w), "one");
        assert_true(world_starts(client, "HTTP/1.1 200 "));
        world_forget(client);
        w->listeners[0].clients = after;
        w->listeners[0].tls = row == NOW_TLS;
        w->route.epoch++;
        world_publish(w);
        assert_false(client->finished);
        world_request(w, client, "GET", world_path("http", ORIGIN, "/"), "\r\n");
        if (row == STAYS) {
            assert_int_equal(world_counters(w)->origin_connections_reused, 1);
        } else {
            assert_true(world_starts(client, "HTTP/1.1 403 "));
            assert_true(client->finished);
            assert_int_equal(world_counters(w)->origin_connections_reused, 0);
            assert_int_equal(world_counters(w)->requests_denied, 1);
        }
        assert_int_equal(world_counters(w)->client_refused_address, row == ADDRESS);
        w->listeners[0].clients = own;
        world_free(w);
        access_clients_free(before);
        access_clients_free(after);
    }
}

static void what_is_no_client_hello_gets_an_alert_and_an_end(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        uint8_t alert;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, TLS_ALERT_UNEXPECTED_MESSAGE},
        {"\x17\x03\x01\x00\x01\x00", 6, TLS_ALERT_UNEXPECTED_MESSAGE},
        {"\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9, TLS_ALERT_UNEXPECTED_MESSAGE}, /* a ServerHello */
        {"\x16\x03\x01\x48\x00", 5, TLS_ALERT_RECORD_OVERFLOW},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *w = world_create();
        struct world_peer *peer = world_open(w, "198.18.1.7", 8443, false);

        world_run(w, 5);
        world_send_raw(w, peer, rows[i].bytes, rows[i].length);
        expect_alert(peer, rows[i].alert);
        assert_true(peer->finished);
        assert_false(peer->reset);
        assert_int_equal(world_counters(w)->client_hello_refused, 1);
        assert_int_equal(world_counters(w)->client_handshake_failures, 1);
        world_close(w, peer);
        assert_int_equal(world_counters(w)->client_connections_now, 0);
        world_free(w);
    }
}

static void without_a_certificate_for_the_name_there_is_unrecognized_name(void **state)
{
    struct world *w = world_create();
    struct world_peer *peer;

    w->credentials.server_default = NULL;
    peer = world_connect_tls(w, "other.steven.lab", NULL);
    assert_true(peer->failed);
    assert_int_equal(peer->failure.alert_received, TLS_ALERT_UNRECOGNIZED_NAME);
    peer = world_connect_tls(w, "edge.steven.lab", NULL);
    assert_true(peer->established);
    world_free(w);
}

static void a_handshake_that_takes_too_long_is_ended_wherever_it_stands(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = {{"", 0}, {"\x16", 1}, {"\x16\x03\x01\x00\xf0\x01\x00\x00\xec\x03\x03", 11}};
    struct world *w = world_create();
    struct world_peer *peers[3], *stalled;

    for (size_t i = 0; i < 3; i++) {
        peers[i] = world_open(w, "198.18.1.7", 8443, false);
        world_run(w, 5);
        world_send_raw(w, peers[i], rows[i].bytes, rows[i].length);
    }
    /* And one that got the server's flight and does not go on. */
    stalled = world_open(w, "198.18.1.7", 8443, true);
    stalled->drips = true;
    world_run(w, 10);
    stalled->paused = true;
    world_run(w, 200);
    assert_int_equal(atomic_load(&w->edge.users[0]), 1);
    world_run(w, 4700);
    for (size_t i = 0; i < 3; i++)
        assert_false(peers[i]->reset);
    world_run(w, 400);
    for (size_t i = 0; i < 3; i++)
        assert_true(peers[i]->reset);
    world_resume(w, stalled); /* it hears of the reset behind what it had not read */
    world_run(w, 5);
    assert_true(stalled->reset);
    assert_int_equal(world_counters(w)->client_handshake_timeouts, 4);
    assert_int_equal(world_counters(w)->client_handshake_failures, 4);
    assert_int_equal(world_counters(w)->client_connections_now, 0);
    world_free(w);
}

static void a_record_that_does_not_decrypt_ends_in_an_alert_not_in_a_reset(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect_tls(w, "edge.steven.lab", NULL);
    uint8_t records[2 * (5 + 64)] = {0x17, 3, 3, 0, 64}; /* the second is never read */

    assert_true(client->established);
    world_send_raw(w, client, records, sizeof(records));
    assert_true(client->failed);
    assert_int_equal(client->failure.kind, TLS_FAILURE_PEER_ALERT);
    assert_int_equal(client->failure.alert_received, TLS_ALERT_BAD_RECORD_MAC);
    assert_true(client->finished);
    assert_false(client->reset);
    world_free(w);
}

/* --- handshakes ------------------------------------------------------------------------------------------------------------- */

static void a_hello_in_segments_of_one_byte_is_as_good_as_whole(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_open(w, "198.18.1.7", 8443, true);

    client->sni = "edge.steven.lab";
    client->drips = true;
    for (int i = 0; i < 100 && !client->established; i++)
        world_run(w, 10);
    assert_true(client->established);
    world_request(w, client, "GET", world_path("http", ORIGIN, "/"), "\r\n");
    world_run(w, 400);
    assert_true(world_starts(world_accept(w), "GET / HTTP/1.1\r\n"));
    world_free(w);
}

static void beyond_handshakes_max_a_handshake_waits_for_its_place(void **state)
{
    struct world *w = world_create();
    struct world_peer *first, *second, *third;

    w->settings.handshakes_max = 1;
    first = world_open(w, "198.18.1.7", 8443, false);
    world_run(w, 5);
    world_send_raw(w, first, "\x16", 1);
    second = world_connect_tls(w, "edge.steven.lab", NULL);
    third = world_connect_tls(w, "a.wild.lab", NULL);
    assert_false(second->established);
    assert_int_equal(world_counters(w)->handshakes_deferred, 2);
    world_abort(w, first);
    world_run(w, 100);
    assert_true(second->established);
    assert_true(third->established);
    assert_int_equal(world_counters(w)->client_handshakes, 2);
    /* One that gives up while it waits leaves the line. */
    first = world_open(w, "198.18.1.7", 8443, false);
    world_run(w, 5);
    world_send_raw(w, first, "\x16", 1);
    second = world_connect_tls(w, "edge.steven.lab", NULL);
    world_abort(w, second);
    world_abort(w, first);
    third = world_connect_tls(w, "edge.steven.lab", NULL);
    assert_true(third->established);
    world_free(w);
}

/* The rest of a hello and the end of another handshake, in one turn: the place is taken out of turn, and the line left. */
static void one_that_finds_a_place_by_itself_leaves_the_line(void **state)
{
    for (int way = 0; way < 2; way++) {
        struct world *w = world_create();
        struct world_peer *first, *second, *third;

        w->settings.handshakes_max = 1;
        first = world_open(w, "198.18.1.7", 8443, false);
        world_run(w, 5);
        world_send_raw(w, first, "\x16", 1);
        second = world_open(w, "198.18.1.7", 8443, true);
        second->drips = true;
        world_run(w, 20);
        assert_int_equal(world_counters(w)->handshakes_deferred, 1);
        if (way == 0)
            tcp_abort(w->far, first->tcp);
        else
            w->settings.handshakes_max = 2;
        for (int i = 0; i < 100 && !second->established; i++)
            world_run(w, 10);
        assert_true(second->established);
        third = world_connect_tls(w, "edge.steven.lab", NULL);
        assert_true(third->established);
        assert_int_equal(world_counters(w)->client_handshakes, 2);
        world_free(w);
    }
}

static void a_connection_that_says_nothing_takes_no_place(void **state)
{
    struct world *w = world_create();

    w->settings.handshakes_max = 1;
    world_open(w, "198.18.1.7", 8443, false);
    world_run(w, 5);
    assert_true(world_connect_tls(w, "edge.steven.lab", NULL)->established);
    assert_int_equal(world_counters(w)->handshakes_deferred, 0);
    world_free(w);
}

static void sni_picks_the_certificate_and_it_is_counted_while_used(void **state)
{
    static const struct {
        const char *sni;
        bool wild;
    } rows[] = {{"edge.steven.lab", false}, {"a.wild.lab", true},   {"A.Wild.Lab", true}, {"wild.lab", false},
                {"a.b.wild.lab", false},    {"unknown.lab", false}, {NULL, false}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *w = world_create();
        struct world_peer *client = world_connect_tls(w, rows[i].sni, NULL);

        assert_true(client->established);
        assert_int_equal(atomic_load(&w->wild.users[0]), rows[i].wild);
        assert_int_equal(atomic_load(&w->edge.users[0]), !rows[i].wild);
        world_close(w, client);
        assert_int_equal(atomic_load(&w->wild.users[0]), 0);
        assert_int_equal(atomic_load(&w->edge.users[0]), 0);
        world_free(w);
    }
}

static void a_ticket_resumes_under_the_same_name_only(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect_tls(w, "edge.steven.lab", NULL);
    struct tls_session *session = tls_take_session(client->tls);

    assert_non_null(session);
    world_close(w, client);
    client = world_connect_tls(w, "edge.steven.lab", session);
    assert_true(client->resumed);
    assert_int_equal(world_counters(w)->client_handshakes_resumed, 1);
    client = world_connect_tls(w, "a.wild.lab", session);
    assert_true(client->established);
    assert_false(client->resumed);
    assert_int_equal(world_counters(w)->client_handshakes_resumed, 1);
    assert_int_equal(world_counters(w)->client_handshakes, 3);
    tls_session_free(session);
    world_free(w);
}

static void without_ticket_keys_there_are_no_tickets_and_still_connections(void **state)
{
    struct world *w = world_create();
    struct world_peer *client;

    w->credentials.ticket_keys = NULL;
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    assert_true(client->established);
    assert_null(tls_take_session(client->tls));
    world_free(w);
}

/* --- the end ------------------------------------------------------------------------------------------------------------------ */

static void a_client_that_says_goodbye_gets_one_back(void **state)
{
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct world *w = world_create();
        struct world_peer *client;

        w->tls12 = tls12;
        client = world_connect_tls(w, "edge.steven.lab", NULL);
        world_finish(w, client);
        world_run(w, 10);
        assert_true(client->closed); /* RFC 8446 §6.1 */
        assert_true(client->finished);
        assert_false(client->reset);
        assert_int_equal(world_counters(w)->client_connections_now, 0);
        world_free(w);
    }
}

static void an_idle_connection_is_closed_with_close_notify(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect_tls(w, "edge.steven.lab", NULL);

    world_run(w, 10100);
    assert_true(client->closed);
    assert_true(client->finished);
    world_close(w, client);
    assert_int_equal(world_counters(w)->client_connections_now, 0);
    world_free(w);
}

static void a_client_that_half_closed_gets_its_response_and_is_gone_at_once(void **state)
{
    for (int tls = 0; tls < 2; tls++) {
        struct world *w = world_create();
        struct world_peer *client = tls ? world_connect_tls(w, "edge.steven.lab", NULL) : world_connect(w), *origin;

        world_request(w, client, "GET", world_path("http", ORIGIN, "/"), "\r\n");
        origin = world_accept(w);
        world_finish(w, client);
        world_answer(w, origin, "whole");
        world_run(w, 20);
        assert_string_equal(client->received + client->length - 5, "whole");
        assert_true(client->finished);
        assert_int_equal(client->closed, tls);
        assert_int_equal(world_counters(w)->client_connections_now, 0);
        world_free(w);
    }
}

static void an_answer_of_our_own_to_a_half_closed_client_leaves_nothing_either(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);

    world_request(w, client, "GET", world_path("http", ORIGIN, "/"), "\r\n");
    world_finish(w, client);
    world_run(w, 3100); /* the origin says nothing: 504 by the clock, no event */
    assert_true(world_starts(client, "HTTP/1.1 504 "));
    assert_int_equal(world_counters(w)->client_connections_now, 0);
    world_free(w);
}

enum { LAST_ANSWER = 400000 };

/* The client asked for close, does not read, and all of the answer is with the proxy's TCP. */
static struct world_peer *slow_reader(struct world *w, bool tls)
{
    struct world_peer *client = tls ? world_connect_tls(w, "edge.steven.lab", NULL) : world_connect(w), *origin;
    char *body = malloc(LAST_ANSWER);

    assert_non_null(body);
    memset(body, 'x', LAST_ANSWER);
    world_request(w, client, "GET", world_path("http", ORIGIN, "/"), "Connection: close\r\n\r\n");
    origin = world_accept(w);
    client->paused = true;
    world_send(w, origin, "HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n");
    world_send_bytes(w, origin, body, LAST_ANSWER);
    world_run(w, 100);
    assert_int_equal(world_counters(w)->responses, 1);
    free(body);
    return client;
}

static void a_slow_reader_gets_its_last_answer_whole(void **state)
{
    for (int tls = 0; tls < 2; tls++) {
        struct world *w = world_create();
        struct world_peer *client = slow_reader(w, tls);

        world_run(w, 5000); /* more than the linger time */
        assert_false(client->reset);
        world_resume(w, client);
        world_run(w, 200);
        assert_true(client->length > LAST_ANSWER);
        assert_true(client->finished);
        assert_false(client->reset);
        assert_int_equal(client->closed, tls);
        world_close(w, client);
        assert_int_equal(world_counters(w)->client_connections_now, 0);
        world_free(w);
    }
}

static void one_that_never_reads_it_is_given_up(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = slow_reader(w, false);

    world_run(w, 7000);
    assert_int_equal(world_counters(w)->client_connections_now, 0);
    world_resume(w, client);
    assert_true(client->reset);
    world_free(w);
}

static void what_comes_after_the_last_request_is_no_reset(void **state)
{
    for (int later = 0; later < 2; later++) {
        struct world *w = world_create();
        struct world_peer *client = world_connect(w), *origin;
        char junk[8192];

        memset(junk, 'j', sizeof(junk));
        world_request(w, client, "GET", world_path("http", ORIGIN, "/"),
                      "Connection: close\r\n\r\nGET /again HTTP/1.1\r\n");
        world_send_bytes(w, client, junk, sizeof(junk));
        origin = world_accept(w);
        world_answer(w, origin, "last");
        if (later)
            world_send_bytes(w, client, junk, sizeof(junk));
        world_run(w, 2100);
        assert_string_equal(client->received + client->length - 4, "last");
        assert_true(client->finished);
        assert_false(client->reset);
        assert_int_equal(world_counters(w)->client_connections_now, 0);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_outside_the_prefixes_is_reset_before_a_byte),
        cmocka_unit_test(one_too_many_is_reset_until_another_leaves),
        cmocka_unit_test(a_client_that_may_not_connect_any_more_is_not_served_either),
        cmocka_unit_test(what_is_no_client_hello_gets_an_alert_and_an_end),
        cmocka_unit_test(without_a_certificate_for_the_name_there_is_unrecognized_name),
        cmocka_unit_test(a_handshake_that_takes_too_long_is_ended_wherever_it_stands),
        cmocka_unit_test(a_record_that_does_not_decrypt_ends_in_an_alert_not_in_a_reset),
        cmocka_unit_test(a_hello_in_segments_of_one_byte_is_as_good_as_whole),
        cmocka_unit_test(beyond_handshakes_max_a_handshake_waits_for_its_place),
        cmocka_unit_test(one_that_finds_a_place_by_itself_leaves_the_line),
        cmocka_unit_test(a_connection_that_says_nothing_takes_no_place),
        cmocka_unit_test(sni_picks_the_certificate_and_it_is_counted_while_used),
        cmocka_unit_test(a_ticket_resumes_under_the_same_name_only),
        cmocka_unit_test(without_ticket_keys_there_are_no_tickets_and_still_connections),
        cmocka_unit_test(a_client_that_says_goodbye_gets_one_back),
        cmocka_unit_test(an_idle_connection_is_closed_with_close_notify),
        cmocka_unit_test(a_client_that_half_closed_gets_its_response_and_is_gone_at_once),
        cmocka_unit_test(an_answer_of_our_own_to_a_half_closed_client_leaves_nothing_either),
        cmocka_unit_test(a_slow_reader_gets_its_last_answer_whole),
        cmocka_unit_test(one_that_never_reads_it_is_given_up),
        cmocka_unit_test(what_comes_after_the_last_request_is_no_reset),
    };

    return cmocka_run_group_tests(tests, world_start, world_stop);
}
