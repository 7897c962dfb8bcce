/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pool of an origin: what a connection is reused for, who waits, who is let go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/internal.h"
#include "rig.h"
#include "world.h"
#include "x509/scope.h"

#define ORIGIN "198.18.2.11", 8000

static struct world_peer *ask(struct world *w, struct world_peer *client, const char *scheme, const char *host,
                              unsigned port, const char *rest)
{
    world_forget(client);
    world_request(w, client, "GET", world_path(scheme, host, port, "/x"), rest);
    world_run(w, 20);
    return world_accept(w);
}

static struct world_peer *exchange(struct world *w, struct world_peer *client, const char *scheme, const char *host,
                                   unsigned port)
{
    struct world_peer *origin = ask(w, client, scheme, host, port, "\r\n");

    if (origin == NULL)
        fail_msg("no connection: %.100s", client->received);
    world_answer(w, origin, "ok");
    assert_true(world_starts(client, "HTTP/1.1 200 OK\r\n"));
    world_forget(origin);
    return origin;
}

/* --- reuse ------------------------------------------------------------------------------------------------------------------ */

enum change {
    ADDRESS_MOVED,
    ADDRESS_GONE,
    NAME_GONE,
    CREDENTIAL_CHANGED,
    OTHER_PORT,
    OTHER_NAME,
    OTHER_SCHEME,
    TIME_PASSED,
    NOTHING,
    ADDRESS_ADDED,
    CREDENTIAL_OF_ANOTHER,
    OTHER_CASE,
};

static void change_world(struct world *w, enum change change, const char **host, unsigned *port, const char **scheme)
{
    static struct credential_origin row;

    row = (struct credential_origin){.host = "cucm.steven.lab", .port = 8443, .credential = &w->client_other};
    w->credentials.client_origins = &row;
    switch (change) {
    case ADDRESS_MOVED: w->origins[0].addresses[0] = rig_address("198.18.2.15"); break;
    case ADDRESS_GONE: w->origins[0].address_count = 0; break;
    case NAME_GONE:
        w->route.origins = &w->origins[1];
        w->route.origin_count--;
        break;
    case CREDENTIAL_CHANGED: w->credentials.client_origin_count = 1; break;
    case OTHER_PORT: *port = 6972; break;
    case OTHER_NAME: *host = "two.steven.lab"; break;
    case OTHER_SCHEME:
        *scheme = "http";
        *port = 8000;
        break;
    case TIME_PASSED: world_run(w, 20100); break;
    case NOTHING: break;
    case ADDRESS_ADDED: w->origins[0].addresses[w->origins[0].address_count++] = rig_address("198.18.2.15"); break;
    case CREDENTIAL_OF_ANOTHER:
        row.host = "imp.steven.lab";
        w->credentials.client_origin_count = 1;
        break;
    case OTHER_CASE: *host = "CUCM.Steven.Lab"; break;
    }
    world_publish(w);
}

static void a_connection_is_reused_for_what_it_was_made_for_only(void **state)
{
    static const struct {
        enum change change;
        bool reused, closed; /* closed: at the latest when it was looked at */
    } rows[] = {
        {ADDRESS_MOVED, false, true},      {ADDRESS_GONE, false, true}, {NAME_GONE, false, true},
        {CREDENTIAL_CHANGED, false, true}, {OTHER_PORT, false, false},  {OTHER_NAME, false, false},
        {OTHER_SCHEME, false, false},      {TIME_PASSED, false, true},  {NOTHING, true, false},
        {ADDRESS_ADDED, true, false},      {OTHER_CASE, true, false},   {CREDENTIAL_OF_ANOTHER, true, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *w = world_create();
        const char *host = "cucm.steven.lab", *scheme = "https";
        struct world_peer *client, *pooled, *origin;
        unsigned port = 8443;

        w->settings.client_idle_us = 60000000;
        world_trust(w, WORLD_TRUST_ROOT | WORLD_TRUST_SELF);
        client = world_connect_tls(w, "edge.steven.lab", NULL);
        pooled = exchange(w, client, scheme, host, port);
        change_world(w, rows[i].change, &host, &port, &scheme);
        origin = ask(w, client, scheme, host, port, "\r\n");
        if ((pooled->length > 0) != rows[i].reused || pooled->finished != rows[i].closed)
            fail_msg("row %zu: reused %d, closed %d, %.60s", i, pooled->length > 0, pooled->finished, client->received);
        assert_int_equal(world_counters(w)->origin_connections_reused, rows[i].reused);
        if (rows[i].change == ADDRESS_GONE || rows[i].change == NAME_GONE)
            assert_true(world_starts(client, "HTTP/1.1 502 "));
        else
            world_answer(w, rows[i].reused ? pooled : origin, "ok");
        assert_int_equal(atomic_load(&w->client_other.users[0]), rows[i].change == CREDENTIAL_CHANGED);
        world_free(w);
    }
}

/* S18: our certificate toward one origin is replaced; what showed the old one ends when it serves nobody. */
static void a_replaced_credential_ends_its_connections_and_no_other(void **state)
{
    static struct credential_origin row;
    struct world *w = world_create();
    struct world_peer *a, *b, *idle, *busy, *other;

    world_trust(w, WORLD_TRUST_ROOT | WORLD_TRUST_SELF);
    a = world_connect_tls(w, "edge.steven.lab", NULL);
    b = world_connect_tls(w, "edge.steven.lab", NULL);
    idle = ask(w, a, "https", "cucm.steven.lab", 8443, "\r\n");
    busy = ask(w, b, "https", "cucm.steven.lab", 8443, "\r\n");
    world_answer(w, idle, "ok");
    other = exchange(w, a, "https", "cucm.steven.lab", 6972);
    row = (struct credential_origin){.host = "cucm.steven.lab", .port = 8443, .credential = &w->client_other};
    w->credentials.client_origins = &row;
    w->credentials.client_origin_count = 1;
    w->credentials.epoch++;
    world_publish(w);
    world_run(w, 5);
    assert_true(idle->finished);
    assert_false(other->finished);
    assert_false(busy->finished);
    world_answer(w, busy, "ok"); /* it ends with its exchange, and is not pooled */
    assert_true(world_starts(b, "HTTP/1.1 200 OK"));
    world_run(w, 5);
    assert_true(busy->finished);
    assert_false(a->finished || b->finished);
    assert_int_equal(atomic_load(&w->client.users[0]), 1);
    world_answer(w, ask(w, b, "https", "cucm.steven.lab", 8443, "\r\n"), "ok");
    assert_int_equal(atomic_load(&w->client_other.users[0]), 1);
    world_free(w);
}

/* It would be judged, and send, as what it is no more. */
static void a_request_that_waits_is_refused_when_its_deployment_changes(void **state)
{
    for (int queued = 0; queued < 2; queued++) {
        struct world *w = world_create();
        struct route_domain moved = {.domain = "steven.lab", .deployment = "2"};
        struct world_peer *a, *b, *origin = NULL;
        const struct upstream *u = NULL;
        char text[1024];

        moved.deployment_number = x509_scope_deployment(slice_text(moved.deployment));
        w->settings.origin_connections_max = 1;
        world_trust(w, WORLD_TRUST_ROOT);
        a = world_connect_tls(w, "edge.steven.lab", NULL);
        b = world_connect(w);
        if (queued)
            origin = ask(w, a, "https", "cucm.steven.lab", 8443, "\r\n");
        snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: edge\r\n\r\n",
                 world_path("https", "cucm.steven.lab", 8443, "/x"));
        world_put(w, b, text, strlen(text)); /* nothing runs yet */
        for (int i = 0; i < 100 && (u = pool_at(w->proxy->upstreams, 0)) == NULL; i++)
            world_step(w);
        assert_non_null(u);
        assert_int_equal(u->phase, queued ? UPSTREAM_BUSY : UPSTREAM_CONNECT);
        world_run(w, queued ? 20 : 0);
        w->route.domains = &moved;
        w->route.domain_count = 1;
        world_publish(w);
        if (queued)
            world_answer(w, origin, "ok");
        world_run(w, 20);
        if (!world_starts(b, "HTTP/1.1 503 "))
            fail_msg("queued %d: %.60s", queued, b->received);
        assert_int_equal(world_counters(w)->requests_verified, queued);
        world_free(w);
    }
}

static void the_connection_used_last_is_used_first(void **state)
{
    struct world *w = world_create();
    struct world_peer *a = world_connect(w), *b = world_connect(w), *first, *second;

    first = ask(w, a, "http", ORIGIN, "\r\n");
    second = ask(w, b, "http", ORIGIN, "\r\n");
    assert_non_null(second);
    world_answer(w, second, "");
    world_answer(w, first, "");
    world_forget(first);
    world_forget(second);
    assert_null(ask(w, b, "http", ORIGIN, "\r\n"));
    assert_true(world_starts(first, "GET"));
    assert_int_equal(second->length, 0);
    world_free(w);
}

/* What an origin says unasked must never become the answer to the next request. */
static void bytes_that_nobody_asked_for_end_the_connection(void **state)
{
    static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", spoof[] = "HTTP/1.1 200 OK\r\n"
                                                                                               "Content-Length: 5\r\n"
                                                                                               "\r\nspoof";
    enum { BEHIND_IT, SECOND_RECORD, LATER, WITH_THE_NEXT_REQUEST, WAYS };

    for (int tls = 0; tls < 2; tls++) {
        for (int way = 0; way < WAYS; way++) {
            struct world *w = world_create();
            struct world_peer *client, *origin, *next;
            char both[256];

            world_trust(w, WORLD_TRUST_ROOT);
            client = world_connect(w);
            origin = ask(w, client, tls ? "https" : "http", "cucm.steven.lab", tls ? 8443 : 8000, "\r\n");
            assert_non_null(origin);
            world_forget(client);
            snprintf(both, sizeof(both), "%s%s", response, spoof);
            if (way == BEHIND_IT) {
                world_send(w, origin, both);
            } else if (way == SECOND_RECORD && tls) {
                world_tls_write(w, origin, response, strlen(response));
                world_tls_write(w, origin, spoof, strlen(spoof));
                world_run(w, 10);
            } else {
                world_send(w, origin, response);
            }
            assert_true(world_starts(client, "HTTP/1.1 200 OK"));
            assert_string_equal(client->received + client->length - 2, "ok");
            if (way == LATER)
                world_send(w, origin, spoof);
            if (way == WITH_THE_NEXT_REQUEST) { /* both in one turn, the request first */
                char text[512];

                snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: e\r\n\r\n",
                         world_path(tls ? "https" : "http", "cucm.steven.lab", tls ? 8443 : 8000, "/2"));
                world_forget(client);
                tcp_write(w->far, client->tcp, text, strlen(text));
                if (tls)
                    world_tls_write(w, origin, spoof, strlen(spoof));
                else
                    tcp_write(w->far, origin->tcp, spoof, strlen(spoof));
                world_run(w, 30);
                next = world_accept(w);
            } else {
                world_forget(client);
                next = ask(w, client, tls ? "https" : "http", "cucm.steven.lab", tls ? 8443 : 8000, "\r\n");
            }
            assert_null(strstr(client->received, "spoof"));
            if (way == SECOND_RECORD && !tls) {
                assert_null(next);
            } else {
                assert_non_null(next);
                world_answer(w, next, "mine");
                assert_string_equal(client->received + client->length - 4, "mine");
            }
            world_free(w);
        }
    }
}

/* --- NTLM ---------------------------------------------------------------------------------------------------------------------- */

static struct world_peer *authenticate(struct world *w, struct world_peer *client)
{
    struct world_peer *origin = ask(w, client, "http", ORIGIN, "Authorization: NTLM TlRMTVNTUAAB\r\n\r\n");

    assert_non_null(origin);
    world_send(w, origin,
               "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM TlRMTVNTUAAC\r\nContent-Length: 0\r\n\r\n");
    assert_true(world_starts(client, "HTTP/1.1 401 "));
    world_forget(origin);
    return origin;
}

static void an_authenticated_connection_is_its_clients_alone(void **state)
{
    struct world *w = world_create();
    struct world_peer *a = world_connect(w), *b = world_connect(w), *own, *other;

    own = authenticate(w, a);
    other = ask(w, b, "http", ORIGIN, "\r\n");
    assert_non_null(other);
    assert_int_equal(own->length, 0);
    world_answer(w, other, "");
    world_forget(other);
    /* Its client finds it again, though another was used since. */
    assert_null(ask(w, a, "http", ORIGIN, "\r\n"));
    assert_true(world_starts(own, "GET"));
    world_answer(w, own, "");
    world_close(w, a);
    assert_true(own->finished);
    assert_false(other->finished);
    world_free(w);
}

static void an_authenticated_connection_dies_with_the_client_that_does_not_stay(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;

    origin = ask(w, client, "http", ORIGIN, "Connection: close\r\nAuthorization: Negotiate abc=\r\n\r\n");
    world_answer(w, origin, "");
    world_run(w, 10);
    assert_true(origin->finished);
    assert_int_equal(world_counters(w)->origin_connections_now, 0);
    world_free(w);
}

static void a_queue_does_not_wait_longer_for_connections_of_others(void **state)
{
    struct world *w = world_create();
    struct world_peer *a = world_connect(w), *b = world_connect(w), *c = world_connect(w), *own;

    w->settings.origin_connections_max = 1;
    own = authenticate(w, a);
    ask(w, b, "http", ORIGIN, "\r\n");
    assert_int_equal(b->length, 0);
    world_run(w, 400);
    /* Its owner's exchanges come and go: the line keeps its order and its clock. */
    ask(w, a, "http", ORIGIN, "\r\n");
    assert_true(world_starts(own, "GET"));
    world_answer(w, own, "");
    ask(w, c, "http", ORIGIN, "\r\n");
    world_run(w, 560);
    assert_true(world_starts(b, "HTTP/1.1 503 "));
    assert_int_equal(c->length, 0);
    world_close(w, a);
    assert_true(world_starts(world_accept(w), "GET")); /* a place at last */
    world_free(w);
}

/* --- the queue ------------------------------------------------------------------------------------------------------------------ */

static void the_next_in_line_is_served_though_the_first_left_in_the_same_turn(void **state)
{
    struct world *w = world_create();
    struct world_peer *a = world_connect(w), *b = world_connect(w), *c = world_connect(w), *origin;

    w->settings.origin_connections_max = 1;
    world_request(w, a, "POST", world_path("http", ORIGIN, "/a"), "Content-Length: 0\r\n\r\n");
    origin = world_accept(w);
    ask(w, b, "http", ORIGIN, "\r\n");
    ask(w, c, "http", ORIGIN, "\r\n");
    tcp_abort(w->far, origin->tcp);
    tcp_abort(w->far, b->tcp);
    world_run(w, 20);
    assert_true(world_starts(a, "HTTP/1.1 502 "));
    origin = world_accept(w);
    assert_non_null(origin);
    world_answer(w, origin, "c");
    assert_true(world_starts(c, "HTTP/1.1 200 OK"));
    world_free(w);
}

static void a_queue_is_served_in_order_as_places_become_free(void **state)
{
    struct world *w = world_create();
    struct world_peer *clients[5], *origin;

    w->settings.origin_connections_max = 1;
    for (int i = 0; i < 5; i++) {
        clients[i] = world_connect(w);
        ask(w, clients[i], "http", ORIGIN, "\r\n");
    }
    w->accepted_taken = 0;
    origin = world_accept(w);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(clients[i]->length, 0);
        world_send(w, origin,
                   i == 2 ? "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
                          : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        assert_true(world_starts(clients[i], "HTTP/1.1 200 OK"));
        if (i == 2) {
            world_run(w, 10);
            origin = world_accept(w);
            assert_non_null(origin);
        }
    }
    assert_int_equal(world_counters(w)->origin_connections, 2);
    world_free(w);
}

/* Limits of an origin are of all cores together: this is one of two. */
static void a_core_takes_its_share_of_an_origins_limits(void **state)
{
    static const struct {
        uint32_t core, connections_max, queue_max, connections, queued;
    } cases[] = {{0, 4, 4, 2, 2}, {1, 4, 4, 2, 2}, {0, 3, 3, 2, 2}, {1, 3, 3, 1, 1}, {1, 1, 2, 1, 1}, /* never none */
                 {0, 1, 1, 1, 1}, {1, 1, 0, 1, 0}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world *w = world_create();
        struct world_peer *clients[6];
        uint32_t refused = 0;

        w->proxy->config.cores = 2;
        w->proxy->config.core = cases[i].core;
        w->settings.origin_connections_max = cases[i].connections_max;
        w->settings.origin_queue_max = cases[i].queue_max;
        for (int k = 0; k < 6; k++) {
            clients[k] = world_connect(w);
            ask(w, clients[k], "http", ORIGIN, "\r\n");
        }
        world_run(w, 10);
        for (int k = 0; k < 6; k++)
            refused += world_starts(clients[k], "HTTP/1.1 503 ");
        assert_int_equal(world_counters(w)->origin_connections, cases[i].connections);
        assert_int_equal(refused, 6 - cases[i].connections - cases[i].queued);
        w->proxy->config.core = 0; /* whose contexts the world has made */
        world_free(w);
    }
}

static void a_rule_withdrawn_while_a_request_waits_denies_it(void **state)
{
    struct world *w = world_create();
    struct world_peer *a = world_connect(w), *b = world_connect(w), *origin;

    w->settings.origin_connections_max = 1;
    origin = ask(w, a, "http", ORIGIN, "\r\n");
    ask(w, b, "http", ORIGIN, "\r\n");
    w->route.listener_count = 0; /* neither may go on, but what was asked is answered */
    world_publish(w);
    world_answer(w, origin, "a");
    assert_true(world_starts(a, "HTTP/1.1 200 OK"));
    assert_true(world_starts(b, "HTTP/1.1 503 "));
    world_free(w);
}

/* --- too many origins ------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *scheme, *host;
    unsigned port;
} nine[] = {{"http", "198.18.2.11", 8000},      {"http", "198.18.2.15", 8000},     {"http", "cucm.steven.lab", 8000},
            {"http", "imp.steven.lab", 8000},   {"https", "198.18.2.11", 8443},    {"https", "198.18.2.15", 8443},
            {"https", "cucm.steven.lab", 8443}, {"https", "imp.steven.lab", 8443}, {"https", "cucm.steven.lab", 6972}};

static void the_origin_unused_for_longest_makes_room_though_it_has_idle_connections(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origins[9];

    world_mode(w, VERIFY_DISABLED);
    client = world_connect(w);
    for (int i = 0; i < 9; i++)
        origins[i] = exchange(w, client, nine[i].scheme, nine[i].host, nine[i].port);
    world_run(w, 5);
    assert_true(origins[0]->finished);
    for (int i = 1; i < 9; i++)
        assert_false(origins[i]->finished);
    world_free(w);
}

static void an_origin_beyond_those_that_are_all_busy_is_503(void **state)
{
    struct world *w = world_create();
    struct world_peer *client;

    world_mode(w, VERIFY_DISABLED);
    for (int i = 0; i < 8; i++)
        assert_non_null(ask(w, world_connect(w), nine[i].scheme, nine[i].host, nine[i].port, "\r\n"));
    client = world_connect(w);
    assert_null(ask(w, client, nine[8].scheme, nine[8].host, nine[8].port, "\r\n"));
    assert_true(world_starts(client, "HTTP/1.1 503 "));
    assert_int_equal(world_counters(w)->requests_overload, 1);
    world_free(w);
}

static void an_idle_connection_gives_its_place_to_one_that_is_needed(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *idle;
    void *taken[256];
    uint32_t count = 0;

    idle = exchange(w, client, "http", ORIGIN);
    while ((taken[count] = pool_take(w->proxy->upstreams)) != NULL)
        count++;
    assert_non_null(ask(w, client, "http", "cucm.steven.lab", 8000, "\r\n"));
    assert_true(idle->finished);
    while (count > 0)
        pool_give(w->proxy->upstreams, taken[--count]);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_reused_for_what_it_was_made_for_only),
        cmocka_unit_test(a_replaced_credential_ends_its_connections_and_no_other),
        cmocka_unit_test(a_request_that_waits_is_refused_when_its_deployment_changes),
        cmocka_unit_test(the_connection_used_last_is_used_first),
        cmocka_unit_test(bytes_that_nobody_asked_for_end_the_connection),
        cmocka_unit_test(an_authenticated_connection_is_its_clients_alone),
        cmocka_unit_test(an_authenticated_connection_dies_with_the_client_that_does_not_stay),
        cmocka_unit_test(a_queue_does_not_wait_longer_for_connections_of_others),
        cmocka_unit_test(the_next_in_line_is_served_though_the_first_left_in_the_same_turn),
        cmocka_unit_test(a_queue_is_served_in_order_as_places_become_free),
        cmocka_unit_test(a_core_takes_its_share_of_an_origins_limits),
        cmocka_unit_test(a_rule_withdrawn_while_a_request_waits_denies_it),
        cmocka_unit_test(the_origin_unused_for_longest_makes_room_though_it_has_idle_connections),
        cmocka_unit_test(an_origin_beyond_those_that_are_all_busy_is_503),
        cmocka_unit_test(an_idle_connection_gives_its_place_to_one_that_is_needed),
    };

    return cmocka_run_group_tests(tests, world_start, world_stop);
}
