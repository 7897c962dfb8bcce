/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The core's proxy as a whole: listeners, snapshots, events that come too late, timers, the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/internal.h"
#include "rig.h"
#include "world.h"

#define NODE "cucm.steven.lab"

static uint64_t no_clock(void)
{
    return 0;
}

static void what_cannot_be_created_leaves_nothing(void **state)
{
    struct world *w = world_create();
    const struct proxy_config good = {
        .cores = 1, .tcp = w->near, .clients_max = 1, .origins_max = 1, .verdicts_max = 1, .cycles_ns = no_clock};
    struct proxy_config config;
    struct proxy *p;

    config = good;
    config.clients_max = 0;
    assert_int_not_equal(proxy_create(&config, 1, &p), ASSAY_OK);
    config = good;
    config.origins_max = 0;
    assert_int_not_equal(proxy_create(&config, 1, &p), ASSAY_OK);
    assert_int_equal(proxy_create(&good, 1, &p), ASSAY_OK);
    assert_int_equal(proxy_next_timer_us(p), UINT64_MAX);
    assert_false(proxy_busy(p));
    proxy_free(p);
    proxy_free(NULL);
    world_free(w);
}

/* --- listeners ---------------------------------------------------------------------------------------------------------------- */

static bool connects(struct world *w, uint16_t port)
{
    struct world_peer *peer = world_open(w, "198.18.1.7", port, false);

    world_run(w, 20);
    return peer->open && !peer->reset;
}

static void listeners_come_and_go_with_the_route_section(void **state)
{
    struct world *w = world_create();
    struct route_listener more[3] = {w->listeners[0], w->listeners[1], w->listeners[0]};
    struct world_peer *old = world_connect(w);

    assert_true(connects(w, 8443));
    assert_false(connects(w, 9000));
    more[2].port = 9000;
    w->route.listeners = more;
    w->route.listener_count = 3;
    world_publish(w);
    assert_false(connects(w, 9000)); /* the same epoch: nothing changed */
    w->route.epoch++;
    world_publish(w);
    assert_true(connects(w, 9000));
    assert_true(connects(w, 8080));
    w->route.listeners = &more[1];
    w->route.listener_count = 1;
    w->route.epoch++;
    world_publish(w);
    assert_false(connects(w, 9000));
    assert_false(connects(w, 8080));
    assert_true(connects(w, 8443));
    assert_false(old->reset); /* its connections live on */
    assert_int_equal(world_counters(w)->listeners_failed, 0);
    assert_int_equal(world_counters(w)->snapshots, 4);
    assert_int_equal(proxy_generation(w->proxy), w->snapshot.generation);
    world_free(w);
}

static void a_listener_that_cannot_be_opened_is_counted_and_harms_no_other(void **state)
{
    struct world *w = world_create();
    struct assay_address taken = rig_address("198.18.0.10");
    struct route_listener more[3] = {w->listeners[0], w->listeners[0], w->listeners[1]};

    assert_int_equal(tcp_listen(w->near, &taken, 9000, 0), ASSAY_OK);
    more[1].port = 9000;
    w->route.listeners = more;
    w->route.listener_count = 3;
    w->route.epoch++;
    world_publish(w);
    assert_int_equal(world_counters(w)->listeners_failed, 1);
    assert_true(connects(w, 8080));
    assert_true(connects(w, 8443));
    world_free(w);
}

/* --- drain -------------------------------------------------------------------------------------------------------------------- */

static void a_drain_ends_what_is_idle_and_lets_what_runs_end(void **state)
{
    struct world *w = world_create();
    struct world_peer *idle, *hello, *running, *half, *pooled, *origin;

    w->settings.client_head_us = 1000000;
    world_trust(w, WORLD_TRUST_ROOT);
    idle = world_connect_tls(w, "edge.steven.lab", NULL);
    world_request(w, idle, "GET", world_path("https", NODE, 8443, "/"), "\r\n");
    pooled = world_accept(w);
    world_answer(w, pooled, "");
    hello = world_open(w, "198.18.1.7", 8443, false);
    world_run(w, 5);
    world_send_raw(w, hello, "\x16", 1);
    running = world_connect(w);
    world_request(w, running, "GET", world_path("http", NODE, 8000, "/"), "\r\n");
    origin = world_accept(w);
    half = world_connect(w);
    world_send(w, half, "GET /");
    world_drain(w);
    world_run(w, 10);

    assert_true(idle->closed);
    assert_true(idle->finished);
    assert_true(pooled->closed);
    assert_true(hello->reset);
    assert_false(running->finished);
    assert_false(half->finished);
    assert_false(connects(w, 8080));
    assert_false(proxy_drained(w->proxy));
    world_answer(w, origin, "whole");
    assert_string_equal(running->received + running->length - 5, "whole");
    assert_non_null(strstr(running->received, "Connection: close\r\n"));
    assert_true(running->finished);
    world_run(w, 10);
    assert_true(origin->finished); /* nothing is pooled any more */
    world_send(w, half, "b3RoZXIubGFi/ HTTP/1.1\r\nHost: e\r\n\r\n");
    assert_non_null(strstr(half->received, "Connection: close\r\n"));
    assert_false(proxy_drained(w->proxy)); /* they have not closed yet */
    world_close(w, idle);
    world_close(w, running);
    world_close(w, half);
    assert_true(proxy_drained(w->proxy));
    assert_int_equal(world_counters(w)->origin_connections_now, 0);
    w->route.epoch++; /* a new snapshot opens nothing */
    world_publish(w);
    assert_false(connects(w, 8080));
    world_free(w);
}

static void a_request_that_arrives_in_a_drain_is_503(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);

    world_send(w, client, "GET ");
    world_drain(w);
    world_send(w, client, world_path("http", NODE, 8000, "/"));
    world_send(w, client, " HTTP/1.1\r\nHost: e\r\n\r\n");
    assert_true(world_starts(client, "HTTP/1.1 503 "));
    assert_true(client->finished);
    assert_null(world_accept(w));
    world_free(w);
}

static void closing_twice_is_closing_once_and_counters_stay(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);

    world_request(w, client, "GET", world_path("http", NODE, 8000, "/"), "\r\n");
    proxy_close(w->proxy);
    proxy_close(w->proxy);
    assert_int_equal(world_counters(w)->requests, 1);
    assert_int_equal(world_counters(w)->client_connections_now, 0);
    world_run(w, 10);
    assert_true(client->reset);
    world_free(w);
}

/* --- events ---------------------------------------------------------------------------------------------------------------------- */

static void events_of_connections_that_are_gone_are_counted_and_dropped(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);
    struct client *c = pool_at(w->proxy->clients, 0);
    struct tcp_handle other = {c->tcp.index, c->tcp.generation + 1};
    const struct tcp_event events[] = {
        {.handle = other, .user = proxy_cookie(PROXY_CLIENT, 0), .flags = TCP_EVENT_CLOSED},
        {.handle = c->tcp, .user = proxy_cookie(PROXY_CLIENT, 1), .flags = TCP_EVENT_CLOSED},
        {.handle = c->tcp, .user = proxy_cookie(PROXY_CLIENT, UINT32_MAX), .flags = TCP_EVENT_CLOSED},
        {.handle = c->tcp, .user = proxy_cookie(PROXY_UPSTREAM, 0), .flags = TCP_EVENT_CLOSED},
        {.handle = c->tcp, .user = proxy_cookie(PROXY_LISTENER, 0), .flags = TCP_EVENT_READABLE},
        {.handle = c->tcp, .user = 0, .flags = TCP_EVENT_CLOSED},
        {.handle = c->tcp, .user = UINT64_MAX, .flags = TCP_EVENT_CLOSED},
    };

    assert_true(client->open);
    w->now_us += 100;
    proxy_run(w->proxy, &w->snapshot, events, sizeof(events) / sizeof(events[0]), w->now_us, WORLD_WALL_S * 1000000000);
    assert_int_equal(world_counters(w)->events_stale, sizeof(events) / sizeof(events[0]));
    assert_int_equal(world_counters(w)->client_connections_now, 1);
    world_request(w, client, "GET", world_path("http", NODE, 8000, "/"), "\r\n");
    assert_non_null(world_accept(w));
    world_free(w);
}

static void a_connection_that_was_gone_when_it_was_accepted_is_none(void **state)
{
    struct world *w = world_create();
    const struct tcp_event events[] = {
        {.handle = {3, 77}, .user = proxy_cookie(PROXY_LISTENER, 0), .flags = TCP_EVENT_ACCEPTED | TCP_EVENT_CLOSED},
        {.handle = {3, 77}, .user = proxy_cookie(PROXY_LISTENER, 0), .flags = TCP_EVENT_ACCEPTED},
    };

    w->now_us += 100;
    proxy_run(w->proxy, &w->snapshot, events, 2, w->now_us, WORLD_WALL_S * 1000000000);
    assert_int_equal(world_counters(w)->client_connections, 0);
    assert_int_equal(pool_taken(w->proxy->clients), 0);
    world_free(w);
}

/* --- time -------------------------------------------------------------------------------------------------------------------------- */

static void a_deadline_that_moves_away_fires_late_and_one_that_moves_near_fires_then(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);
    struct client *c = pool_at(w->proxy->clients, 0);
    struct proxy *p = w->proxy;

    assert_true(proxy_next_timer_us(p) <= c->timer.deadline_us);
    proxy_deadline(p, &c->timer, w->now_us + 20000000);
    world_run(w, 19900);
    assert_false(client->finished);
    proxy_deadline(p, &c->timer, w->now_us + 50000000);
    proxy_deadline(p, &c->timer, w->now_us + 100000);
    world_run(w, 90);
    assert_false(client->finished);
    world_run(w, 20);
    assert_true(client->finished);
    world_free(w);
}

static void a_deadline_taken_away_does_not_fire(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);
    struct client *c = pool_at(w->proxy->clients, 0);

    proxy_deadline(w->proxy, &c->timer, UINT64_MAX);
    world_run(w, 12000);
    assert_false(client->finished);
    proxy_deadline(w->proxy, &c->timer, w->now_us); /* in the past is now */
    world_run(w, 5);
    assert_true(client->finished);
    world_free(w);
}

static void a_core_with_nothing_to_do_is_not_busy_and_one_with_handshakes_is(void **state)
{
    struct world *w = world_create();
    struct world_peer *clients[3];
    bool busy = false;

    for (int i = 0; i < 3; i++)
        clients[i] = world_open(w, "198.18.1.7", 8443, true);
    for (int i = 0; i < 100; i++) {
        world_step(w);
        busy |= proxy_busy(w->proxy);
    }
    for (int i = 0; i < 3; i++)
        assert_true(clients[i]->established);
    assert_true(busy); /* three private-key operations, one a turn */
    assert_false(proxy_busy(w->proxy));
    /* Nor while it waits for somebody: request, queue, response. */
    w->settings.origin_connections_max = 1;
    for (int i = 0; i < 3; i++)
        world_request(w, clients[i], "GET", world_path("http", NODE, 8000, "/"), "\r\n");
    assert_false(proxy_busy(w->proxy));
    world_free(w);
}

static void a_credential_is_counted_for_each_that_uses_it(void **state)
{
    struct world *w = world_create();

    for (uint32_t i = 1; i <= 3; i++) {
        credential_use(w->proxy, &w->wild);
        assert_int_equal(atomic_load(&w->wild.users[0]), i);
    }
    for (uint32_t i = 3; i-- > 0;) {
        credential_drop(w->proxy, &w->wild);
        assert_int_equal(atomic_load(&w->wild.users[0]), i);
    }
    credential_drop(w->proxy, NULL);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_created_leaves_nothing),
        cmocka_unit_test(listeners_come_and_go_with_the_route_section),
        cmocka_unit_test(a_listener_that_cannot_be_opened_is_counted_and_harms_no_other),
        cmocka_unit_test(a_drain_ends_what_is_idle_and_lets_what_runs_end),
        cmocka_unit_test(a_request_that_arrives_in_a_drain_is_503),
        cmocka_unit_test(closing_twice_is_closing_once_and_counters_stay),
        cmocka_unit_test(events_of_connections_that_are_gone_are_counted_and_dropped),
        cmocka_unit_test(a_connection_that_was_gone_when_it_was_accepted_is_none),
        cmocka_unit_test(a_deadline_that_moves_away_fires_late_and_one_that_moves_near_fires_then),
        cmocka_unit_test(a_deadline_taken_away_does_not_fire),
        cmocka_unit_test(a_core_with_nothing_to_do_is_not_busy_and_one_with_handshakes_is),
        cmocka_unit_test(a_credential_is_counted_for_each_that_uses_it),
    };

    return cmocka_run_group_tests(tests, world_start, world_stop);
}
