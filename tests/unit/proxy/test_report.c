/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What control sees of a running core: rows of verdicts, origins, connections. */
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

#define NODE "cucm.steven.lab"

static size_t report(struct world *w, enum command_kind kind, void *rows, size_t max, bool *more)
{
    struct core_command command = {.kind = kind, .rows = rows, .rows_max = max};

    while (!proxy_command(w->proxy, &command, w->now_us))
        ;
    assert_in_range(command.row_count, 0, max);
    if (more != NULL)
        *more = command.more;
    return command.row_count;
}

static void an_idle_core_has_no_rows_and_other_commands_are_not_ours(void **state)
{
    static const enum command_kind kinds[] = {COMMAND_VERDICTS, COMMAND_ORIGINS, COMMAND_CONNECTIONS, COMMAND_DRAIN,
                                              COMMAND_STOP};
    struct world *w = world_create();
    uint8_t rows[4096];
    bool more = true;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        assert_int_equal(report(w, kinds[i], rows, 1, &more), 0);
        assert_false(more);
    }
    assert_false(proxy_drained(w->proxy));
    world_free(w);
}

static void rows_beyond_the_array_are_not_written_but_said(void **state)
{
    struct world *w = world_create();
    struct connection_row rows[3];
    struct origin_row origins[2];
    bool more;

    for (int i = 0; i < 3; i++) {
        struct world_peer *client = world_connect(w);

        world_request(w, client, "GET", world_path("http", i ? NODE : "198.18.2.11", 8000, "/"), "\r\n");
    }
    memset(rows, 0x5a, sizeof(rows));
    assert_int_equal(report(w, COMMAND_CONNECTIONS, rows, 2, &more), 2);
    assert_true(more);
    assert_int_equal(((uint8_t *)&rows[2])[0], 0x5a);
    assert_int_equal(report(w, COMMAND_CONNECTIONS, rows, 0, &more), 0);
    assert_true(more);
    assert_int_equal(report(w, COMMAND_ORIGINS, origins, 1, &more), 1);
    assert_true(more);
    assert_int_equal(report(w, COMMAND_ORIGINS, origins, 2, &more), 2);
    assert_false(more);
    world_free(w);
}

static void verdicts_are_told_with_identity_reason_and_epoch(void **state)
{
    struct world *w = world_create();
    struct verdict_row rows[4];
    struct world_peer *client;
    size_t n, good = 0, bad = 0;

    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    world_request(w, client, "GET", world_path("https", NODE, 8443, "/"), "\r\n");
    world_answer(w, world_accept(w), "");
    world_request(w, client, "GET", world_path("https", "198.18.2.15", 8443, "/"), "\r\n");
    world_run(w, 20);
    n = report(w, COMMAND_VERDICTS, rows, 4, NULL);
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(rows[i].trust_epoch, w->trust.epoch);
        assert_int_equal(rows[i].policy_id, w->scopes[0].policy->id);
        if (strcmp(rows[i].identity, NODE) == 0) {
            good++;
            assert_string_equal(rows[i].reason, "ok");
            assert_true(rows[i].valid_until_s > WORLD_WALL_S + 86400);
        } else {
            bad++;
            assert_string_equal(rows[i].identity, "198.18.2.15");
            assert_string_equal(rows[i].reason, "hostname mismatch");
        }
    }
    assert_memory_equal(rows[0].leaf_sha256, rows[1].leaf_sha256, 32);
    assert_int_equal(good, 1);
    assert_int_equal(bad, 1);
    world_free(w);
}

static void origins_are_told_with_their_pools_queues_and_last_errors(void **state)
{
    struct world *w = world_create();
    struct assay_address node = rig_address("198.18.2.11");
    struct world_peer *a = world_connect(w), *b = world_connect(w);
    struct origin_row rows[4];

    w->settings.origin_connections_max = 1;
    world_request(w, a, "GET", world_path("http", NODE, 8000, "/"), "\r\n");
    world_request(w, b, "GET", world_path("http", NODE, 8000, "/"), "\r\n");
    assert_int_equal(report(w, COMMAND_ORIGINS, rows, 4, NULL), 1);
    assert_string_equal(rows[0].host, NODE);
    assert_int_equal(rows[0].port, 8000);
    assert_false(rows[0].https);
    assert_memory_equal(&rows[0].address, &node, sizeof(node));
    assert_int_equal(rows[0].connections, 1);
    assert_int_equal(rows[0].idle, 0);
    assert_int_equal(rows[0].waiting, 1);
    assert_int_equal(rows[0].requests, 1);
    assert_int_equal(rows[0].failures, 0);
    assert_string_equal(rows[0].last_error, "");
    struct world_peer *origin = world_accept(w);
    world_answer(w, origin, "");
    world_answer(w, origin, "");
    assert_int_equal(report(w, COMMAND_ORIGINS, rows, 4, NULL), 1);
    assert_int_equal(rows[0].idle, 1);
    assert_int_equal(rows[0].waiting, 0);
    assert_int_equal(rows[0].requests, 2);
    world_request(w, a, "GET", world_path("http", "198.18.2.12", 8000, "/"), "\r\n");
    world_run(w, 50);
    assert_int_equal(report(w, COMMAND_ORIGINS, rows, 4, NULL), 2);
    assert_string_equal(rows[1].host, "198.18.2.12");
    assert_int_equal(rows[1].failures, 2);
    assert_string_equal(rows[1].last_error, "connection refused");
    world_free(w);
}

/* The phase of the only connection of that side, and the TCP's numbers. */
static struct connection_row only(struct world *w, bool origin_side)
{
    struct connection_row rows[8], found = {0};
    size_t n = report(w, COMMAND_CONNECTIONS, rows, 8, NULL);
    unsigned count = 0;

    for (size_t i = 0; i < n; i++) {
        if (rows[i].origin_side == origin_side &&
            rows[i].phase[0] != '\0') { /* those the proxy is done with stay a while */
            found = rows[i];
            count++;
        }
    }
    assert_in_range(count, 0, 1);
    return found;
}

static void connections_are_told_with_phase_and_tcps_numbers(void **state)
{
    struct world *w = world_create();
    struct assay_address address = rig_address("198.18.1.7");
    struct world_peer *client = world_open(w, "198.18.1.7", 8443, true), *origin;
    struct connection_row row;

    client->drips = true;
    world_run(w, 20);
    assert_string_equal(only(w, false).phase, "hello");
    client->paused = true;
    world_run(w, 200);
    assert_string_equal(only(w, false).phase, "handshake");
    client->drips = false;
    world_resume(w, client);
    row = only(w, false);
    assert_string_equal(row.phase, "head");
    assert_string_equal(row.state, "ESTABLISHED");
    assert_memory_equal(&row.peer, &address, sizeof(address));
    assert_int_not_equal(row.peer_port, 0);
    assert_true(row.bytes_in > 200);
    assert_true(row.bytes_out > 200);
    assert_true(row.cwnd_bytes > 0);
    assert_true(row.rto_us > 0);
    assert_true(row.age_us > 0);
    assert_int_equal(row.local_port, 8443);
    assert_false(row.orphan);

    w->origins[1].address_count = 1;
    world_request(w, client, "GET", world_path("http", "hole.steven.lab", 8000, "/"), "\r\n");
    assert_string_equal(only(w, false).phase, "connecting");
    assert_string_equal(only(w, true).phase, "connecting");
    assert_string_equal(only(w, true).state, "SYN-SENT");
    world_run(w, 3100);
    world_request(w, client, "GET", world_path("https", NODE, 7443, "/"), "\r\n");
    assert_string_equal(only(w, true).phase, "handshake");
    world_run(w, 3100);
    world_request(w, client, "GET", world_path("http", NODE, 8000, "/"), "Connection: close\r\n\r\n");
    assert_string_equal(only(w, false).phase, "exchange");
    assert_string_equal(only(w, true).phase, "busy");
    while ((origin = world_accept(w)) != NULL && origin->port != 8000)
        ;
    world_answer(w, origin, "");
    assert_string_equal(only(w, false).phase, "linger");
    assert_string_equal(only(w, true).phase, "idle");
    assert_int_equal(only(w, true).peer_port, 8000);
    world_free(w);
}

static size_t filtered(struct world *w, struct connection_filter filter)
{
    struct connection_row rows[16];
    struct core_command command = {.kind = COMMAND_CONNECTIONS, .rows = rows, .rows_max = 16, .connections = filter};

    while (!proxy_command(w->proxy, &command, w->now_us))
        ;
    assert_false(command.more);
    return command.row_count;
}

static void only_those_that_pass_the_filter_are_told(void **state)
{
    struct world *w = world_create();
    struct assay_prefix all_ip4 = {.length = 96}, one = {.address = rig_address("198.18.1.7"), .length = 128};

    all_ip4.address = rig_address("0.0.0.0");
    for (int i = 0; i < 3; i++)
        world_request(w, world_connect(w), "GET", world_path("http", NODE, 8000, "/"), "\r\n");
    assert_int_equal(filtered(w, (struct connection_filter){0}), 6);
    assert_int_equal(filtered(w, (struct connection_filter){.side = CONNECTION_SIDE_CLIENT}), 3);
    assert_int_equal(filtered(w, (struct connection_filter){.side = CONNECTION_SIDE_ORIGIN}), 3);
    assert_int_equal(filtered(w, (struct connection_filter){.state = "ESTABLISHED"}), 6);
    assert_int_equal(filtered(w, (struct connection_filter){.state = "TIME-WAIT"}), 0);
    assert_int_equal(filtered(w, (struct connection_filter){.port = 8000}), 3);
    assert_int_equal(filtered(w, (struct connection_filter){.port = 8001}), 0);
    assert_int_equal(filtered(w, (struct connection_filter){.by_prefix = true, .prefix = all_ip4}), 6);
    one.address.bytes[15]++;
    assert_int_equal(filtered(w, (struct connection_filter){.by_prefix = true, .prefix = one}), 0);
    world_free(w);
}

static void a_request_that_waits_is_queued(void **state)
{
    struct world *w = world_create();
    struct world_peer *a = world_connect(w), *b = world_connect(w);
    struct connection_row rows[4];
    unsigned queued = 0;
    size_t n;

    w->settings.origin_connections_max = 1;
    world_request(w, a, "GET", world_path("http", NODE, 8000, "/"), "\r\n");
    world_request(w, b, "GET", world_path("http", NODE, 8000, "/"), "\r\n");
    n = report(w, COMMAND_CONNECTIONS, rows, 4, NULL);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        queued += strcmp(rows[i].phase, "queued") == 0;
    assert_int_equal(queued, 1);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_core_has_no_rows_and_other_commands_are_not_ours),
        cmocka_unit_test(rows_beyond_the_array_are_not_written_but_said),
        cmocka_unit_test(verdicts_are_told_with_identity_reason_and_epoch),
        cmocka_unit_test(origins_are_told_with_their_pools_queues_and_last_errors),
        cmocka_unit_test(connections_are_told_with_phase_and_tcps_numbers),
        cmocka_unit_test(only_those_that_pass_the_filter_are_told),
        cmocka_unit_test(a_request_that_waits_is_queued),
    };

    return cmocka_run_group_tests(tests, world_start, world_stop);
}
