/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection to an origin: which address, how it fails, what resumption stands on, how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"
#include "tls/alerts.h"
#include "world.h"

static struct world_peer *ask(struct world *w, struct world_peer *client, const char *scheme, const char *host,
                              unsigned port)
{
    world_forget(client);
    world_request(w, client, "GET", world_path(scheme, host, port, "/x"), "\r\n");
    world_run(w, 20);
    return world_accept(w);
}

static void expect(struct world_peer *client, const char *answer)
{
    if (!world_starts(client, answer))
        fail_msg("expected %s, got %.100s", answer, client->received);
}

/* --- TLS that fails ------------------------------------------------------------------------------------------------------------ */

static void what_an_origin_objects_to_is_told_in_openssls_words(void **state)
{
    static const struct {
        uint8_t alert;
        const char *text;
        bool refused;
    } rows[] = {
        {48, "error:14094418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca", true},
        {42, "error:14094412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate", true},
        {46, "error:14094416:SSL routines:ssl3_read_bytes:sslv3 alert certificate unknown", true},
        {116, "error:1409445C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required", true},
        {40, "error:14094410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure", false},
        {70, "error:1409442E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version", false},
        {80, "error:14094438:SSL routines:ssl3_read_bytes:tlsv1 alert internal error", false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t record[] = {21, 3, 3, 0, 2, 2, rows[i].alert};
        struct world *w = world_create();
        struct world_peer *client = world_connect(w), *origin;
        struct world_record line;

        for (int attempt = 0; attempt < 2; attempt++) { /* S19: at once, once more */
            origin = attempt == 0 ? ask(w, client, "https", "cucm.steven.lab", 7443) : world_accept(w);
            assert_non_null(origin);
            assert_int_equal(origin->received[0], 22); /* a ClientHello, no request in the clear */
            world_send_raw(w, origin, record, sizeof(record));
        }
        expect(client, "HTTP/1.1 502 connect failed\r\n");
        assert_null(world_accept(w));
        assert_int_equal(world_records(w->alarm_log, LOG_SSL_FAILED, &line), 2);
        assert_string_equal(line.strings[0], "cucm.steven.lab");
        assert_string_equal(line.strings[1], rows[i].text);
        assert_int_equal(world_counters(w)->origin_handshake_failures, 2);
        assert_int_equal(world_counters(w)->origin_client_certificate_refused, rows[i].refused ? 2 : 0);
        assert_int_equal(world_counters(w)->verify_failed, 0);
        world_free(w);
    }
}

static void an_origin_that_does_not_speak_tls_is_502_whatever_it_says(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        "220 mail.steven.lab ESMTP\r\n",
        "\x16\x03\x03\x00\x05garbage garbage garbage",
        "\x15\x03\x03\x00\x02\x01\x01 garbage",
    };

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct world *w = world_create();
        struct world_peer *client = world_connect(w), *origin = ask(w, client, "https", "cucm.steven.lab", 7443);

        for (int attempt = 0; attempt < 2; attempt++) {
            assert_non_null(origin);
            world_send_raw(w, origin, answers[i], strlen(answers[i]));
            world_close(w, origin);
            world_run(w, 20);
            origin = world_accept(w);
        }
        expect(client, "HTTP/1.1 502 connect failed\r\n");
        assert_false(client->finished);
        world_free(w);
    }
}

/* What the log says was sent arrives: in an orderly close, however much of what the origin said was not read. */
static void an_alert_in_the_handshake_reaches_the_origin(void **state)
{
    uint8_t flight[600] = {22, 3, 3, 0, 5, 2, 0, 0, 1, 0}; /* a ServerHello of one byte, and more behind it */
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin = ask(w, client, "https", "cucm.steven.lab", 7443);
    struct world_record line;

    for (int attempt = 0; attempt < 2; attempt++) {
        assert_non_null(origin);
        world_forget(origin);
        world_send_raw(w, origin, flight, sizeof(flight));
        assert_int_equal(origin->length, 7);
        assert_memory_equal(origin->received, "\x15\x03", 2);
        assert_memory_equal(origin->received + 3, "\x00\x02\x02", 3);
        assert_true(origin->finished);
        assert_false(origin->reset);
        world_close(w, origin);
        world_run(w, 20);
        origin = world_accept(w);
    }
    expect(client, "HTTP/1.1 502 connect failed\r\n");
    assert_int_equal(world_records(w->alarm_log, LOG_SSL_FAILED, &line), 2);
    assert_non_null(strstr(line.strings[1], "alert decode_error"));
    world_free(w);
}

static void an_origin_that_hangs_up_in_the_handshake_is_a_transport_failure(void **state)
{
    for (int reset = 0; reset < 2; reset++) {
        struct world *w = world_create();
        struct world_peer *client = world_connect(w), *origin = ask(w, client, "https", "cucm.steven.lab", 7443);
        struct world_record line;

        for (int attempt = 0; attempt < 2; attempt++) {
            assert_non_null(origin);
            if (reset)
                world_abort(w, origin);
            else
                world_cut(w, origin);
            world_run(w, 20);
            origin = world_accept(w);
        }
        expect(client, "HTTP/1.1 502 connect failed\r\n");
        assert_int_equal(world_counters(w)->origin_connect_failures, 2);
        assert_int_equal(world_records(w->alarm_log, LOG_ORIGIN_FAILED, &line), 2);
        assert_string_equal(line.strings[1], reset ? "connection reset" : "closed during the TLS handshake");
        world_free(w);
    }
}

static void without_a_client_credential_there_is_no_tls_and_no_request(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;

    w->credentials.client_default = NULL;
    origin = ask(w, client, "https", "cucm.steven.lab", 7443);
    expect(client, "HTTP/1.1 502 connect failed\r\n");
    assert_true(origin == NULL || origin->length == 0);
    assert_int_equal(world_counters(w)->origin_retries, 0);
    world_free(w);
}

/* --- time ---------------------------------------------------------------------------------------------------------------------- */

static void an_origin_that_does_not_answer_is_504_after_two_attempts(void **state)
{
    static const struct {
        const char *scheme, *host, *what;
        unsigned port;
        bool twice; /* the name has two addresses: that hurries TCP, not TLS */
    } rows[] = {
        {"http", "hole.steven.lab", "connection timed out", 8000, false},
        {"https", "cucm.steven.lab", "the TLS handshake timed out", 7443, false},
        {"https", "cucm.steven.lab", "the TLS handshake timed out", 7443, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *w = world_create();
        struct world_peer *client = world_connect(w);
        struct world_record line;

        w->origins[1].address_count = 1; /* the hole only */
        if (rows[i].twice)
            w->origins[0].addresses[w->origins[0].address_count++] = w->origins[0].addresses[0];
        ask(w, client, rows[i].scheme, rows[i].host, rows[i].port);
        world_run(w, 2900);
        assert_int_equal(client->length, 0);
        world_run(w, 150);
        expect(client, "HTTP/1.1 504 ");
        assert_int_equal(world_counters(w)->origin_connect_timeouts, 2);
        assert_int_equal(world_counters(w)->answers_504, 1);
        assert_int_equal(world_records(w->alarm_log, LOG_ORIGIN_FAILED, &line), 2);
        assert_string_equal(line.strings[1], rows[i].what);
        assert_int_equal(world_counters(w)->origin_connections_now, 0);
        world_free(w);
    }
}

/* --- several addresses ---------------------------------------------------------------------------------------------------------- */

static void the_second_address_serves_when_the_first_refuses_and_from_then_on(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin = ask(w, client, "http", "two.steven.lab", 8000);

    assert_non_null(origin);
    world_send(w, origin, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    expect(client, "HTTP/1.1 200 OK");
    assert_int_equal(world_records(w->log, LOG_SENDING_REQUEST, NULL), 2);
    assert_int_equal(world_counters(w)->origin_retries, 1);
    origin = ask(w, client, "http", "two.steven.lab", 8000);
    assert_non_null(origin);
    assert_int_equal(world_records(w->log, LOG_SENDING_REQUEST, NULL), 1);
    assert_int_equal(world_counters(w)->origin_retries, 1);
    world_free(w);
}

static void the_second_address_serves_when_the_first_is_silent(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;

    ask(w, client, "http", "hole.steven.lab", 8000);
    world_run(w, 250);
    assert_null(world_accept(w));
    world_run(w, 200); /* a quarter of origin_connect: not all of it while another address is untried */
    origin = world_accept(w);
    assert_non_null(origin);
    world_send(w, origin, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    expect(client, "HTTP/1.1 200 OK");
    assert_non_null(ask(w, client, "http", "hole.steven.lab", 8000)); /* without waiting again */
    world_free(w);
}

/* Those of a family that is not up are not even tried, unless there is nothing else. */
static void an_address_that_no_route_leads_to_is_passed_by(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;
    struct assay_address six = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}};

    w->origins[4].addresses[0] = six;
    origin = ask(w, client, "http", "two.steven.lab", 8000);
    assert_non_null(origin);
    world_answer(w, origin, "ok");
    expect(client, "HTTP/1.1 200 OK");
    assert_int_equal(world_counters(w)->origin_retries, 0);
    assert_int_equal(world_records(w->alarm_log, LOG_ORIGIN_FAILED, NULL), 0);
    w->origins[2].addresses[0] = six;
    assert_null(ask(w, client, "http", "imp.steven.lab", 8000));
    expect(client, "HTTP/1.1 502 ");
    world_free(w);
}

static void several_that_fail_together_go_on_to_the_next_address_once(void **state)
{
    struct world *w = world_create();
    struct world_peer *clients[2] = {world_connect(w), world_connect(w)};
    char text[512];

    snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: e\r\n\r\n",
             world_path("http", "two.steven.lab", 8000, "/x"));
    for (int i = 0; i < 2; i++)
        tcp_write(w->far, clients[i]->tcp, text, strlen(text));
    world_run(w, 50);
    for (int i = 0; i < 2; i++) {
        struct world_peer *origin = world_accept(w);

        assert_non_null(origin);
        world_answer(w, origin, "ok");
    }
    for (int i = 0; i < 2; i++)
        expect(clients[i], "HTTP/1.1 200 OK");
    world_free(w);
}

/* --- resumption ---------------------------------------------------------------------------------------------------------------- */

static struct world_peer *ask_once(struct world *w, struct world_peer *client, const char *host, unsigned port)
{
    struct world_peer *origin = ask(w, client, "https", host, port);

    assert_non_null(origin);
    assert_true(origin->established);
    world_send(w, origin, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    expect(client, "HTTP/1.1 200 OK");
    return origin;
}

static void a_session_is_its_origins_and_its_credentials_alone(void **state)
{
    static struct credential_origin row;
    struct world *w = world_create();
    struct world_peer *client = world_connect(w);

    w->origin_tickets = true;
    world_mode(w, VERIFY_PERMISSIVE);
    assert_false(ask_once(w, client, "cucm.steven.lab", 8443)->resumed);
    assert_true(ask_once(w, client, "cucm.steven.lab", 8443)->resumed);
    /* The same address, another name; another port: each has a session of its own. */
    assert_false(ask_once(w, client, "imp.steven.lab", 8443)->resumed);
    assert_false(ask_once(w, client, "198.18.2.11", 8443)->resumed);
    assert_false(ask_once(w, client, "cucm.steven.lab", 6972)->resumed);
    assert_true(ask_once(w, client, "imp.steven.lab", 8443)->resumed);
    /* Another certificate of ours: what was agreed with the old one does not count. */
    row = (struct credential_origin){.host = "cucm.steven.lab", .port = 0, .credential = &w->client_other};
    w->credentials.client_origins = &row;
    w->credentials.client_origin_count = 1;
    assert_false(ask_once(w, client, "cucm.steven.lab", 8443)->resumed);
    assert_true(ask_once(w, client, "cucm.steven.lab", 8443)->resumed);
    assert_int_equal(atomic_load(&w->client.users[0]), 0);
    assert_int_equal(atomic_load(&w->client_other.users[0]), 0);
    world_free(w);
}

/* Control frees a context when no section names it and no connection uses it: what is left of it here must not need it. */
static void a_session_outlives_the_context_it_came_from(void **state)
{
    const struct tls_context_settings settings = {.version_min = TLS_VERSION_1_2, .version_max = TLS_VERSION_1_3};

    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct tls_credential credential = {.id = 77, .name = "short-lived"};
        struct world *w = world_create();
        struct world_peer *client = world_connect(w);
        const char *fault;

        assert_int_equal(tls_client_context_create(&settings, &credential.contexts[0], &fault), ASSAY_OK);
        w->tls12 = tls12;
        w->origin_tickets = true;
        w->credentials.client_default = &credential;
        world_trust(w, WORLD_TRUST_ROOT);
        ask_once(w, client, "cucm.steven.lab", 8443);
        assert_true(ask_once(w, client, "cucm.steven.lab", 8443)->resumed);
        w->credentials.client_default = &w->client;
        w->credentials.epoch++;
        world_publish(w);
        assert_int_equal(atomic_load(&credential.users[0]), 0);
        tls_context_free(credential.contexts[0]);
        assert_false(ask_once(w, client, "cucm.steven.lab", 8443)->resumed);
        assert_true(ask_once(w, client, "cucm.steven.lab", 8443)->resumed);
        world_free(w);
    }
}

static void a_ticket_the_origin_does_not_know_any_more_is_a_full_handshake(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;

    w->origin_tickets = true;
    world_trust(w, WORLD_TRUST_ROOT | WORLD_TRUST_SELF);
    ask_once(w, client, "cucm.steven.lab", 8443);
    w->certificate_8443 = WORLD_SELF_SIGNED; /* its new certificate makes old tickets void */
    origin = ask_once(w, client, "cucm.steven.lab", 8443);
    assert_false(origin->resumed);
    assert_int_equal(world_counters(w)->verify_checks, 2);
    assert_int_equal(world_counters(w)->requests_verified, 2);
    world_free(w);
}

static void a_session_that_an_origin_fails_at_is_not_offered_again(void **state)
{
    const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 40};
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;

    w->origin_tickets = true;
    world_trust(w, WORLD_TRUST_ROOT);
    ask_once(w, client, "cucm.steven.lab", 8443);
    w->plays_bytes = true;
    origin = ask(w, client, "https", "cucm.steven.lab", 8443);
    w->plays_bytes = false;
    world_send_raw(w, origin, alert, sizeof(alert));
    world_run(w, 20);
    origin = world_accept(w);
    assert_true(origin->established);
    assert_false(origin->resumed);
    world_answer(w, origin, "ok");
    expect(client, "HTTP/1.1 200 OK");
    world_free(w);
}

/* --- idle ------------------------------------------------------------------------------------------------------------------------ */

static void an_idle_connection_ends_when_its_origin_ends_it(void **state)
{
    enum { FIN, GOODBYE, RESET, ALERT, WAYS };

    for (int tls = 0; tls < 2; tls++) {
        for (int way = 0; way < WAYS; way++) {
            struct world *w = world_create();
            struct world_peer *client = world_connect(w), *origin;

            world_trust(w, WORLD_TRUST_ROOT);
            origin = ask(w, client, tls ? "https" : "http", "cucm.steven.lab", tls ? 8443 : 8000);
            world_answer(w, origin, "ok");
            switch (way) {
            case FIN: world_cut(w, origin); break;
            case GOODBYE: world_finish(w, origin); break;
            case RESET: world_abort(w, origin); break;
            default:
                world_send_raw(w, origin,
                               "\x17\x03\x03\x00\x10"
                               "0123456789abcdef",
                               21);
                break;
            }
            world_run(w, 10);
            assert_int_equal(world_counters(w)->origin_connections_now, 0);
            if (way != RESET)
                assert_true(origin->finished || origin->reset);
            if (way == GOODBYE && tls)
                assert_true(origin->closed);
            origin = ask(w, client, tls ? "https" : "http", "cucm.steven.lab", tls ? 8443 : 8000);
            assert_non_null(origin);
            world_answer(w, origin, "again");
            expect(client, "HTTP/1.1 200 OK");
            world_free(w);
        }
    }
}

static void an_idle_connection_is_closed_after_its_time_with_close_notify(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;

    world_trust(w, WORLD_TRUST_ROOT);
    origin = ask(w, client, "https", "cucm.steven.lab", 8443);
    world_answer(w, origin, "ok");
    world_run(w, 19900);
    assert_false(origin->finished);
    world_run(w, 200);
    assert_true(origin->closed);
    assert_true(origin->finished);
    assert_int_equal(world_counters(w)->origin_connections_now, 0);
    world_free(w);
}

static void an_origin_that_fails_its_tls_in_the_response_is_told_and_logged(void **state)
{
    struct world *w = world_create();
    struct world_peer *client = world_connect(w), *origin;
    uint8_t record[5 + 32] = {0x17, 3, 3, 0, 32};

    world_trust(w, WORLD_TRUST_ROOT);
    world_request(w, client, "POST", world_path("https", "cucm.steven.lab", 8443, "/x"), "Content-Length: 0\r\n\r\n");
    world_run(w, 20);
    origin = world_accept(w);
    world_send_raw(w, origin, record, sizeof(record));
    expect(client, "HTTP/1.1 502 connect failed\r\n");
    assert_int_equal(world_records(w->alarm_log, LOG_SSL_FAILED, NULL), 1);
    assert_int_equal(world_counters(w)->origin_connections_now, 0);
    assert_int_equal(origin->failure.alert_received, TLS_ALERT_BAD_RECORD_MAC);
    assert_true(origin->finished);
    assert_false(origin->reset);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_origin_objects_to_is_told_in_openssls_words),
        cmocka_unit_test(an_origin_that_does_not_speak_tls_is_502_whatever_it_says),
        cmocka_unit_test(an_alert_in_the_handshake_reaches_the_origin),
        cmocka_unit_test(an_origin_that_hangs_up_in_the_handshake_is_a_transport_failure),
        cmocka_unit_test(without_a_client_credential_there_is_no_tls_and_no_request),
        cmocka_unit_test(an_origin_that_does_not_answer_is_504_after_two_attempts),
        cmocka_unit_test(the_second_address_serves_when_the_first_refuses_and_from_then_on),
        cmocka_unit_test(the_second_address_serves_when_the_first_is_silent),
        cmocka_unit_test(several_that_fail_together_go_on_to_the_next_address_once),
        cmocka_unit_test(an_address_that_no_route_leads_to_is_passed_by),
        cmocka_unit_test(a_session_is_its_origins_and_its_credentials_alone),
        cmocka_unit_test(a_session_outlives_the_context_it_came_from),
        cmocka_unit_test(a_ticket_the_origin_does_not_know_any_more_is_a_full_handshake),
        cmocka_unit_test(a_session_that_an_origin_fails_at_is_not_offered_again),
        cmocka_unit_test(an_idle_connection_ends_when_its_origin_ends_it),
        cmocka_unit_test(an_idle_connection_is_closed_after_its_time_with_close_notify),
        cmocka_unit_test(an_origin_that_fails_its_tls_in_the_response_is_told_and_logged),
    };

    return cmocka_run_group_tests(tests, world_start, world_stop);
}
