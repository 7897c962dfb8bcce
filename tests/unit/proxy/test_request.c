/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whereto a request goes and whether it may (MRA S13, S14, S16, S17, DESIGN 9), and what is said of it (S20-S22). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "access/clients.h"
#include "base/byte_ring.h"
#include "proxy/internal.h"
#include "rig.h"
#include "world.h"

#define NODE "cucm.steven.lab"

/* steven.lab/https/cucm.steven.lab/8443, as MRA S13 has it. */
#define B64 "c3RldmVuLmxhYi9odHRwcy9jdWNtLnN0ZXZlbi5sYWIvODQ0Mw"

/* --- refused ---------------------------------------------------------------------------------------------------------------- */

struct refusal {
    const char *start, *fields, *answer;
    size_t counter; /* offset of the one that says why; 0: none */
    bool decision;  /* an allow list was asked */
};
#define COUNTS(name) offsetof(struct assay_counters, name)

static void expect_refusal(const struct refusal *row, size_t i)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);
    char text[4096];

    snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: edge\r\n%s\r\n", row->start, row->fields);
    world_send(w, client, text);
    if (!world_starts(client, row->answer))
        fail_msg("row %zu, %s: %.80s", i, row->start, client->received);
    assert_null(world_accept(w));
    if (row->counter != 0)
        assert_int_equal(*(const uint64_t *)(const void *)((const uint8_t *)world_counters(w) + row->counter), 1);
    assert_int_equal(world_counters(w)->origin_connections, 0);
    assert_int_equal(world_counters(w)->requests_now, 0);
    assert_int_equal(world_records(w->alarm_log, LOG_ACCESS_DENIED, NULL), row->decision);
    world_free(w);
}

static void what_may_not_go_anywhere_is_refused_with_a_reason_and_a_counter(void **state)
{
    const struct refusal rows[] = {
        /* S13: the first segment */
        {"GET /", "", "HTTP/1.1 400 ", COUNTS(requests_mra_path_bad), false},
        {"GET /c3RldmVuL/x", "", "HTTP/1.1 400 ", COUNTS(requests_mra_path_bad), false},            /* length 1 mod 4 */
        {"GET /c3Rld!Vu/x", "", "HTTP/1.1 400 ", COUNTS(requests_mra_path_bad), false},             /* alphabet */
        {"GET /YS9odHRwcy9i/x", "", "HTTP/1.1 400 ", COUNTS(requests_mra_path_bad), false},         /* a/https/b */
        {"GET /YS9mdHAvYi8yMQ/x", "", "HTTP/1.1 400 ", COUNTS(requests_mra_path_bad), false},       /* a/ftp/b/21 */
        {"GET /YS9odHRwcy9iLzA/x", "", "HTTP/1.1 400 ", COUNTS(requests_mra_path_bad), false},      /* a/https/b/0 */
        {"GET /YS9odHRwcy9iLzY1NTM2/x", "", "HTTP/1.1 400 ", COUNTS(requests_mra_path_bad), false}, /* …/65536 */
        {"GET /YS9odHRwcy8vODQ0Mw/x", "", "HTTP/1.1 400 ", COUNTS(requests_mra_path_bad), false},   /* no host */
        {"GET /b3RoZXIubGFi/x", "", "HTTP/1.1 403 ", COUNTS(requests_denied), false},               /* other.lab */
        {"GET /c3RldmVuLmxhYg/x", "", "HTTP/1.1 404 ", COUNTS(requests_not_found), false},          /* no edge server */
        /* what would be matched is not what would be sent */
        {"GET /" B64 "/a/../b", "", "HTTP/1.1 400 ", COUNTS(requests_bad), false},
        {"GET /" B64 "/./b", "", "HTTP/1.1 400 ", COUNTS(requests_bad), false},
        {"GET /" B64 "//b", "", "HTTP/1.1 400 ", COUNTS(requests_bad), false},
        {"GET /" B64 "/a%2fb", "", "HTTP/1.1 400 ", COUNTS(requests_bad), false},
        {"GET /" B64 "/a%5Cb", "", "HTTP/1.1 400 ", COUNTS(requests_bad), false},
        {"GET /" B64 "/%2e%2e/b", "", "HTTP/1.1 400 ", COUNTS(requests_bad), false},
        {"GET /" B64 "/a%00", "", "HTTP/1.1 400 ", COUNTS(requests_bad), false},
        {"GET /" B64 "/a\\b", "", "HTTP/1.1 400 ", COUNTS(requests_bad), false},
        /* methods and forms */
        {"TRACE /" B64 "/x", "", "HTTP/1.1 405 ", 0, false},
        {"CONNECT cucm.steven.lab:8443", "", "HTTP/1.1 405 ", 0, false},
        {"OPTIONS *", "", "HTTP/1.1 400 ", COUNTS(requests_bad), false},
        {"GET /" B64 "/x", "Via: 1.1 other, 1.1 assay\r\n", "HTTP/1.1 400 ", COUNTS(requests_loop), false},
        {"GET /" B64 "/x", "Expect: a miracle\r\n", "HTTP/1.1 417 ", 0, false},
        {"POST /" B64 "/x", "Content-Length: 1\r\nContent-Length: 2\r\n", "HTTP/1.1 400 ", COUNTS(requests_bad), false},
        {"POST /" B64 "/x", "Transfer-Encoding: gzip, chunked\r\n", "HTTP/1.1 501 ", 0, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_refusal(&rows[i], i);
}

static void what_is_not_in_the_allow_list_is_403_and_said(void **state)
{
    static const struct {
        const char *scheme, *host;
        unsigned port;
        bool decided;
    } rows[] = {
        {"https", NODE, 443, true},
        {"http", NODE, 8443, true},
        {"https", "other.steven.lab", 8443, true},
        {"http", "198.18.2.13", 8000, true},
        {"http", "127.0.0.1", 8000, false},
        {"http", "198.18.0.10", 8080, false},
        {"http", "0.0.0.0", 8000, false},
        {"http", "224.0.0.1", 8000, false},
        {"http", "255.255.255.255", 8000, false},
        {"http", "::1", 8000, false},
        {"http", "169.254.1.1", 8000, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char start[1024];

        snprintf(start, sizeof(start), "GET %s", world_path(rows[i].scheme, rows[i].host, rows[i].port, "/x"));
        expect_refusal(&(struct refusal){start, "", "HTTP/1.1 403 ", COUNTS(requests_denied), rows[i].decided}, i);
    }
}

static void what_is_too_large_is_refused_before_it_is_read(void **state)
{
    static const struct {
        size_t target, fields, field;
        const char *rest, *answer;
    } rows[] = {
        {9000, 0, 0, "", "HTTP/1.1 414 "},
        {10, 1, 17000, "", "HTTP/1.1 431 "},
        {10, 120, 10, "", "HTTP/1.1 431 "},
        {10, 0, 0, "Content-Length: 1001\r\n", "HTTP/1.1 413 "},
        {10, 0, 0, "Content-Length: 18446744073709551616\r\n", "HTTP/1.1 400 "},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *w = world_create();
        struct world_peer *client = world_connect(w);
        char *text = malloc(65536);
        size_t at;

        assert_non_null(text);
        w->settings.request_body_max_bytes = 1000;
        at = (size_t)sprintf(text, "POST %s", world_path("http", NODE, 8000, "/"));
        memset(text + at, 'a', rows[i].target);
        at += rows[i].target;
        at += (size_t)sprintf(text + at, " HTTP/1.1\r\nHost: e\r\n");
        for (size_t k = 0; k < rows[i].fields; k++) {
            at += (size_t)sprintf(text + at, "F%zu: ", k);
            memset(text + at, 'f', rows[i].field);
            at += rows[i].field;
            at += (size_t)sprintf(text + at, "\r\n");
        }
        at += (size_t)sprintf(text + at, "%s\r\n", rows[i].rest);
        world_send_bytes(w, client, text, at);
        world_run(w, 30);
        if (!world_starts(client, rows[i].answer))
            fail_msg("row %zu: %.80s", i, client->received);
        assert_true(client->finished);
        assert_null(world_accept(w));
        free(text);
        world_free(w);
    }
}

static void a_chunked_body_that_grows_too_large_is_413_and_the_origin_does_not_get_it_whole(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;
    char chunk[600];

    w->settings.request_body_max_bytes = 1000;
    memset(chunk, 'c', sizeof(chunk));
    memcpy(chunk, "200\r\n", 5);
    memcpy(chunk + 517, "\r\n", 2);
    world_request(w, client, "POST", world_path("http", NODE, 8000, "/"), "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 2; i++)
        world_send_bytes(w, client, chunk, 519);
    world_run(w, 10);
    assert_true(world_starts(client, "HTTP/1.1 413 "));
    origin = world_accept(w);
    assert_true(origin->reset);
    assert_null(strstr(origin->received, "\r\n0\r\n"));
    world_free(w);
}

static void in_maintenance_new_requests_are_503_and_running_ones_end(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;

    world_request(w, client, "GET", world_path("http", NODE, 8000, "/"), "\r\n");
    origin = world_accept(w);
    w->settings.maintenance = true;
    world_answer(w, origin, "ok");
    assert_true(world_starts(client, "HTTP/1.1 200 OK"));
    world_forget(client);
    world_request(w, client, "GET", world_path("http", NODE, 8000, "/"), "\r\n");
    assert_true(world_starts(client, "HTTP/1.1 503 "));
    assert_int_equal(world_counters(w)->requests_maintenance, 1);
    assert_int_equal(world_counters(w)->requests_overload, 1);
    world_free(w);
}

/* --- accepted forms (S13, S14) ------------------------------------------------------------------------------------------------ */

static void every_spelling_of_the_path_reaches_the_origin_as_s14_says(void **state)
{
    static const char *const targets[] = {
        "/" B64 "/cucm-uds/user/emusk/devices?max=100",
        "/" B64 "==/cucm-uds/user/emusk/devices?max=100",
        "http://vcs_control.steven.lab:8443/" B64 "/cucm-uds/user/emusk/devices?max=100",
        "/U1RFVkVOLkxBQi9IVFRQUy9DVUNNLlNURVZFTi5MQUIvODQ0Mw/cucm-uds/user/emusk/devices?max=100",
    };

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct world *w = world_create();
        struct world_peer *client, *origin;

        world_trust(w, WORLD_TRUST_ROOT);
        client = world_connect_tls(w, "edge.steven.lab", NULL);
        world_request(w, client, "GET", targets[i], "\r\n");
        world_run(w, 20);
        origin = world_accept(w);
        if (origin == NULL)
            fail_msg("row %zu: %s", i, client->received);
        assert_true(world_starts(origin, "GET /cucm-uds/user/emusk/devices?max=100 HTTP/1.1\r\n"));
        assert_non_null(strstr(origin->received, "\r\nHost: cucm.steven.lab:8443\r\n"));
        world_free(w);
    }
}

static void a_listener_with_an_origin_of_its_own_sends_it_what_is_no_mra_path(void **state)
{
    static const char *const paths[] = {"/", "/index.html?x=1", "/b3RoZXIubGFi/x"};
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin = NULL;
    char line[128];

    w->listeners[0].origin_host = "198.18.2.11";
    w->listeners[0].origin_port = 8000;
    w->access.epoch++;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        world_forget(client);
        world_request(w, client, "GET", paths[i], "\r\n");
        if (origin == NULL)
            origin = world_accept(w);
        snprintf(line, sizeof(line), "GET %s HTTP/1.1\r\nHost: 198.18.2.11:8000\r\n", paths[i]);
        assert_true(world_starts(origin, line));
        world_answer(w, origin, "");
        world_forget(origin);
    }
    /* An MRA path is one there too, and needs its rule. */
    world_forget(client);
    world_request(w, client, "GET", world_path("http", "198.18.2.13", 8000, "/"), "\r\n");
    assert_true(world_starts(client, "HTTP/1.1 403 "));
    world_free(w);
}

static void a_listener_that_was_removed_serves_its_connections_no_more(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);

    w->route.listener_count = 0;
    w->route.epoch++;
    world_publish(w);
    world_request(w, client, "GET", world_path("http", NODE, 8000, "/"), "\r\n");
    assert_true(world_starts(client, "HTTP/1.1 503 "));
    assert_null(world_accept(w));
    world_free(w);
}

static void heads_of_32_kib_and_bodies_behind_them_go_through(void **state)
{
    enum { BODY = 100000 };
    static const size_t fields[] = {28000, 32200};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        for (int chunked = 0; chunked < 2; chunked++) {
            struct world *w = world_create();
            struct world_peer *client = world_connect(w), *origin;
            char *text = malloc(fields[i] + 2 * BODY);
            size_t at;

            assert_non_null(text);
            w->settings.head_max_bytes = 256 << 10; /* more than a buffer holds */
            at = (size_t)sprintf(text, "PUT %s HTTP/1.1\r\nHost: e\r\n%s\r\nX: ", world_path("http", NODE, 8000, "/"),
                                 chunked ? "Transfer-Encoding: chunked" : "Content-Length: 100000");
            memset(text + at, 'x', fields[i]);
            at += fields[i];
            at += (size_t)sprintf(text + at, chunked ? "\r\n\r\n186a0\r\n" : "\r\n\r\n");
            memset(text + at, 'b', BODY);
            at += BODY;
            at += (size_t)sprintf(text + at, chunked ? "\r\n0\r\n\r\n" : "%s", "");
            world_send_bytes(w, client, text, at);
            world_run(w, 50);
            origin = world_accept(w);
            if (origin == NULL)
                fail_msg("row %zu: %.80s", i, client->received);
            assert_true(origin->length > fields[i] + BODY);
            world_answer(w, origin, "ok");
            assert_true(world_starts(client, "HTTP/1.1 200 OK"));
            assert_false(client->finished);
            free(text);
            world_free(w);
        }
    }
}

static void a_head_beyond_what_a_buffer_holds_is_431_whatever_the_limit(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);
    char *text = malloc(70000);
    size_t at;

    assert_non_null(text);
    w->settings.head_max_bytes = 256 << 10;
    w->settings.target_max_bytes = 128 << 10;
    at = (size_t)sprintf(text, "GET %s HTTP/1.1\r\nHost: e\r\nX: ", world_path("http", NODE, 8000, "/"));
    memset(text + at, 'x', 60000);
    world_send_bytes(w, client, text, at + 60000);
    world_run(w, 30);
    assert_true(world_starts(client, "HTTP/1.1 431 "));
    free(text);
    world_free(w);
}

static void a_client_that_only_asks_is_answered_as_it_reads(void **state)
{
    enum { REQUESTS = 8000 };
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);
    const char *one = "GET /b3RoZXIubGFi/x HTTP/1.1\r\nHost: e\r\n\r\n"; /* 403 each */
    size_t length = strlen(one) * REQUESTS, sent = 0;
    char *text = malloc(length + 1);
    unsigned answers = 0;

    assert_non_null(text);
    for (int i = 0; i < REQUESTS; i++)
        strcpy(text + strlen(one) * (size_t)i, one);
    client->paused = true;
    for (int turn = 0; turn < 500; turn++) {
        sent += tcp_write(w->far, client->tcp, text + sent, length - sent);
        world_run(w, 2);
    }
    assert_true(world_counters(w)->requests < REQUESTS);
    assert_false(client->reset);
    client->paused = false;
    world_resume(w, client);
    world_send_bytes(w, client, text + sent, length - sent);
    world_run(w, 300);
    for (const char *at = client->received; (at = strstr(at, "HTTP/1.1 403 ")) != NULL; at++)
        answers++;
    assert_int_equal(answers, REQUESTS);
    assert_false(client->reset);
    free(text);
    world_free(w);
}

/* --- records (S20-S22) --------------------------------------------------------------------------------------------------------- */

static bool next_record(struct world *w, struct world_record *out, int kind)
{
    struct slice bytes;
    size_t at = sizeof(out->head);

    if (!byte_ring_peek(w->log, &bytes))
        return false;
    memcpy(&out->head, bytes.data, sizeof(out->head));
    for (unsigned i = 0; i < LOG_STRINGS; i++) {
        snprintf(out->strings[i], sizeof(out->strings[i]), "%.*s", out->head.string_length[i],
                 (const char *)bytes.data + at);
        at += out->head.string_length[i];
    }
    byte_ring_release(w->log);
    if (out->head.kind != kind)
        fail_msg("record of kind %d, expected %d", out->head.kind, kind);
    return true;
}

static void an_exchange_is_told_in_five_records_of_one_transaction(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);
    struct world_record r;
    struct assay_address from = rig_address("198.18.1.7"), to = rig_address("198.18.2.11");
    const char *path = world_path("http", NODE, 8000, "/cucm-uds/user/emusk/devices?max=100");
    char line[1200], tracking[256];
    uint64_t transaction;

    world_request(w, client, "GET", path, "Via: 1.1 first, 1.1 outer.steven.lab:8443\r\n\r\n");
    world_answer(w, world_accept(w), "ok");

    assert_true(next_record(w, &r, LOG_RECEIVE_REQUEST));
    transaction = r.head.transaction;
    assert_int_not_equal(transaction, 0);
    assert_memory_equal(&r.head.peer, &from, sizeof(from));
    assert_int_not_equal(r.head.peer_port, 0);
    assert_int_equal(strlen(r.strings[0]), 36); /* a UUID of our own */
    snprintf(tracking, sizeof(tracking), "%s", r.strings[0]);
    assert_string_equal(r.strings[1], "outer.steven.lab:8443");
    snprintf(line, sizeof(line), "GET %s HTTP/1.1", path);
    assert_string_equal(r.strings[2], line);

    assert_true(next_record(w, &r, LOG_ACCESS_ALLOWED));
    assert_int_equal(r.head.transaction, transaction);
    assert_string_equal(r.strings[0], "emusk");
    assert_string_equal(r.strings[1], "1");
    assert_string_equal(r.strings[2], "GET");
    assert_string_equal(r.strings[3], "http://cucm.steven.lab:8000/cucm-uds/user/emusk/devices");
    assert_string_equal(r.strings[4], "http://cucm.steven.lab:8000/");
    assert_string_equal(r.strings[5], "prefix");
    assert_string_equal(r.strings[6], "Manually added rule");

    assert_true(next_record(w, &r, LOG_SENDING_REQUEST));
    assert_int_equal(r.head.transaction, transaction);
    assert_memory_equal(&r.head.peer, &to, sizeof(to));
    assert_int_equal(r.head.peer_port, 8000);
    assert_string_equal(r.strings[0], tracking);
    assert_string_equal(r.strings[2], "GET /cucm-uds/user/emusk/devices?max=100 HTTP/1.1");

    assert_true(next_record(w, &r, LOG_RECEIVE_RESPONSE));
    assert_int_equal(r.head.transaction, transaction);
    assert_memory_equal(&r.head.peer, &to, sizeof(to));
    assert_int_equal(r.head.status, 200);
    assert_string_equal(r.strings[2], "HTTP/1.1 200 OK");

    assert_true(next_record(w, &r, LOG_SENDING_RESPONSE));
    assert_int_equal(r.head.transaction, transaction);
    assert_memory_equal(&r.head.peer, &from, sizeof(from));
    assert_int_equal(r.head.status, 200);
    assert_false(next_record(w, &r, 0));
    world_free(w);
}

static void a_denial_names_user_request_and_reason(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);
    struct world_record r;

    world_request(w, client, "PUT", world_path("https", NODE, 443, "/secret?q=1"),
                  "Authorization: Basic ZW11c2s6c2VjcmV0\r\nContent-Length: 0\r\n\r\n");
    assert_true(world_starts(client, "HTTP/1.1 403 "));
    assert_int_equal(world_records(w->alarm_log, LOG_ACCESS_DENIED, &r), 1);
    assert_int_equal(r.head.status, 403);
    assert_string_equal(r.strings[0], "emusk"); /* and nothing of the password */
    assert_string_equal(r.strings[2], "PUT");
    assert_string_equal(r.strings[3], "https://cucm.steven.lab:443/secret");
    assert_true(strlen(r.strings[4]) > 0);
    assert_int_equal(world_records(w->log, LOG_SENDING_RESPONSE, &r), 1);
    assert_int_equal(r.head.status, 403);
    world_free(w);
}

static void without_request_lines_denials_are_still_said(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);

    w->settings.log_requests = false;
    world_request(w, client, "GET", world_path("http", NODE, 8000, "/"), "\r\n");
    world_answer(w, world_accept(w), "");
    world_request(w, client, "GET", world_path("http", "198.18.2.13", 8000, "/"), "\r\n");
    assert_int_equal(world_log(w->log, 0, NULL, 0), -1);
    assert_int_equal(world_records(w->alarm_log, LOG_ACCESS_DENIED, NULL), 1);
    world_free(w);
}

static void a_tracking_id_is_believed_of_trusted_peers_only_and_stays_over_a_retry(void **state)
{
    for (int trusted = 0; trusted < 2; trusted++) {
        struct world *w = world_create();
        struct access_clients *clients;
        struct world_peer *client, *origin;
        struct world_record first, second;

        assert_int_equal(access_clients_create(NULL, 0, true, NULL, 0, &clients), ASSAY_OK);
        if (trusted)
            w->listeners[0].trusted = clients;
        client = world_connect(w);
        world_request(w, client, "GET", world_path("http", "two.steven.lab", 8000, "/"),
                      "TrackingID: from-outside\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n");
        world_run(w, 30);
        origin = world_accept(w);
        assert_non_null(origin);
        assert_int_equal(strstr(origin->received, "from-outside") != NULL, trusted);
        assert_int_equal(strstr(origin->received, "192.0.2.1") != NULL, trusted);
        assert_non_null(strstr(origin->received, "198.18.1.7"));
        assert_true(next_record(w, &first, LOG_RECEIVE_REQUEST));
        assert_true(next_record(w, &second, LOG_ACCESS_ALLOWED));
        assert_true(next_record(w, &second, LOG_SENDING_REQUEST));
        assert_string_equal(first.strings[0], second.strings[0]);
        assert_true(next_record(w, &second, LOG_SENDING_REQUEST)); /* the second attempt */
        assert_string_equal(first.strings[0], second.strings[0]);
        assert_int_equal(first.head.transaction, second.head.transaction);
        assert_int_equal(strcmp(first.strings[0], "from-outside") == 0, trusted);
        world_free(w);
        access_clients_free(clients);
    }
}

static void transactions_of_one_core_leave_room_for_those_of_the_others(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);
    struct world_record r;

    w->proxy->config.cores = 4;
    for (uint64_t i = 0; i < 3; i++) {
        world_request(w, client, "GET", "/b3RoZXIubGFi/x", "\r\n");
        assert_int_equal(world_records(w->log, LOG_RECEIVE_REQUEST, &r), 1);
        assert_int_equal(r.head.transaction, 1 + 4 * i);
    }
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_not_go_anywhere_is_refused_with_a_reason_and_a_counter),
        cmocka_unit_test(what_is_not_in_the_allow_list_is_403_and_said),
        cmocka_unit_test(what_is_too_large_is_refused_before_it_is_read),
        cmocka_unit_test(a_chunked_body_that_grows_too_large_is_413_and_the_origin_does_not_get_it_whole),
        cmocka_unit_test(in_maintenance_new_requests_are_503_and_running_ones_end),
        cmocka_unit_test(every_spelling_of_the_path_reaches_the_origin_as_s14_says),
        cmocka_unit_test(a_listener_with_an_origin_of_its_own_sends_it_what_is_no_mra_path),
        cmocka_unit_test(a_listener_that_was_removed_serves_its_connections_no_more),
        cmocka_unit_test(heads_of_32_kib_and_bodies_behind_them_go_through),
        cmocka_unit_test(a_head_beyond_what_a_buffer_holds_is_431_whatever_the_limit),
        cmocka_unit_test(a_client_that_only_asks_is_answered_as_it_reads),
        cmocka_unit_test(an_exchange_is_told_in_five_records_of_one_transaction),
        cmocka_unit_test(a_denial_names_user_request_and_reason),
        cmocka_unit_test(without_request_lines_denials_are_still_said),
        cmocka_unit_test(a_tracking_id_is_believed_of_trusted_peers_only_and_stays_over_a_retry),
        cmocka_unit_test(transactions_of_one_core_leave_room_for_those_of_the_others),
    };

    return cmocka_run_group_tests(tests, world_start, world_stop);
}
