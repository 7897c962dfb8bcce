/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is the origin's certificate good, now, for this request (MRA S1-S7, S19, S26-S29)? Over whole exchanges: client TLS,
 * proxy, origin TLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "assay/chain_record.h"
#include "base/byte_ring.h"
#include "proxy/internal.h"
#include "world.h"
#include "x509/reason.h"
#include "x509/verdict_table.h"

#define NODE "cucm.steven.lab"

/* --- refused ---------------------------------------------------------------------------------------------------------------- */

static void what_fails_is_502_an_alert_and_two_lines_and_no_request_byte(void **state)
{
    static const struct {
        const char *host, *text;
        enum world_certificate certificate;
        unsigned trust;
        enum verify_properties properties;
        int kind, depth;
        enum x509_reason reason;
    } rows[] = {
        {NODE, "self signed certificate", WORLD_SELF_SIGNED, WORLD_TRUST_ROOT, VERIFY_ALL, LOG_VERIFY_FAILED, 0,
         X509_REASON_SELF_SIGNED_LEAF},
        {NODE, "unable to get local issuer certificate", WORLD_CA_SIGNED, 0, VERIFY_ALL, LOG_VERIFY_FAILED, 0,
         X509_REASON_UNKNOWN_ISSUER},
        {NODE, "unable to get local issuer certificate", WORLD_CA_SIGNED, WORLD_TRUST_SELF, VERIFY_SIGNATURE,
         LOG_VERIFY_FAILED, 0, X509_REASON_UNKNOWN_ISSUER},
        {NODE, "", WORLD_OTHER_NAME, WORLD_TRUST_ROOT, VERIFY_ALL, LOG_NAME_MISMATCH, 0, X509_REASON_NAME_MISMATCH},
        {NODE, "", WORLD_OTHER_NAME, 0, VERIFY_NAME, LOG_NAME_MISMATCH, 0, X509_REASON_NAME_MISMATCH},
        {"imp.steven.lab", "", WORLD_CA_SIGNED, WORLD_TRUST_ROOT, VERIFY_ALL, LOG_NAME_MISMATCH, 0,
         X509_REASON_NAME_MISMATCH},
        {"198.18.2.15", "", WORLD_CA_SIGNED, WORLD_TRUST_ROOT, VERIFY_ALL, LOG_NAME_MISMATCH, 0,
         X509_REASON_NAME_MISMATCH},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *w = world_create();
        struct world_peer *client, *origin;
        struct world_record line;

        w->certificate_8443 = rows[i].certificate;
        w->scopes[0].properties = rows[i].properties;
        world_trust(w, rows[i].trust);
        client = world_connect_tls(w, "edge.steven.lab", NULL);
        assert_true(client->established);
        origin = world_ask(w, client, rows[i].host, 8443);
        if (!world_starts(client, WORLD_502) || origin == NULL)
            fail_msg("row %zu: %s", i, client->received);
        assert_false(client->finished);
        /* S3: the handshake did not complete. */
        assert_int_equal(origin->length, 0);
        assert_true(origin->failed);
        assert_int_equal(origin->failure.kind, TLS_FAILURE_PEER_ALERT);
        assert_int_equal(origin->failure.alert_received, x509_reason_alert(rows[i].reason));
        /* S19: it would only fail again. */
        assert_null(world_accept(w));
        assert_int_equal(world_records(w->log, LOG_SENDING_REQUEST, NULL), 1);
        assert_int_equal(world_counters(w)->origin_retries, 0);
        assert_int_equal(world_counters(w)->verify_failed, 1);
        assert_int_equal(world_counters(w)->verify_failed_name, rows[i].kind == LOG_NAME_MISMATCH);
        assert_int_equal(world_counters(w)->verify_failed_chain, rows[i].kind != LOG_NAME_MISMATCH);
        assert_int_equal(world_counters(w)->answers_502, 1);
        assert_int_equal(world_counters(w)->requests_verified + world_counters(w)->requests_unverified, 0);
        /* S26 or S27, then S28. */
        assert_int_equal(world_log(w->alarm_log, 0, line.strings[0], 256), rows[i].kind);
        assert_string_equal(line.strings[0], rows[i].host);
        assert_int_equal(world_records(w->alarm_log, LOG_SSL_FAILED, &line), 1);
        assert_string_equal(line.strings[0], rows[i].host);
        assert_string_equal(line.strings[1],
                            "error:1416F086:SSL routines:tls_process_server_certificate:certificate verify failed");
        world_free(w);
    }
}

/* ServerHello of TLS 1.2, an empty Certificate, ServerHelloDone. */
static const uint8_t no_certificate_flight[] = {22, 3,  3,  0,  42, 2,  0,  0,  38, 3,  3,    1,    2,  3,  4,  5,  6,
                                                7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,   18,   19, 20, 21, 22, 23,
                                                24, 25, 26, 27, 28, 29, 30, 31, 32, 0,  0xc0, 0x2b, 0,  22, 3,  3,  0,
                                                7,  11, 0,  0,  3,  0,  0,  0,  22, 3,  3,    0,    4,  14, 0,  0,  0};

/* Where nothing is enforced TLS ends it: there is no key to go on with. */
static void an_origin_without_a_certificate_is_502_in_every_mode_and_says_why(void **state)
{
    static const enum verify_mode modes[] = {VERIFY_ENFORCED, VERIFY_PERMISSIVE, VERIFY_DISABLED};

    for (size_t i = 0; i < 3; i++) {
        bool refuses = modes[i] == VERIFY_ENFORCED;
        struct world *w = world_create();
        struct world_peer *client, *origin;
        struct world_record line;
        static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 42};

        world_trust(w, WORLD_TRUST_ROOT);
        world_mode(w, modes[i]);
        client = world_connect(w);
        origin = world_ask(w, client, NODE, 7443);
        assert_non_null(origin);
        world_forget(origin);
        world_send_raw(w, origin, no_certificate_flight, sizeof(no_certificate_flight));
        world_expect(client, WORLD_502);
        assert_int_equal(origin->length, sizeof(alert));
        assert_memory_equal(origin->received, alert, sizeof(alert));
        assert_null(world_accept(w)); /* S19: it would only fail again */
        assert_int_equal(world_counters(w)->verify_failed, refuses);
        assert_int_equal(world_counters(w)->verify_failed_chain, refuses);
        assert_int_equal(world_counters(w)->origin_handshake_failures, !refuses);
        if (refuses) {
            assert_int_equal(world_log(w->alarm_log, 1, line.strings[1], 256), LOG_VERIFY_FAILED);
            assert_string_equal(line.strings[1], "no certificate presented");
        }
        assert_int_equal(world_log(w->alarm_log, 1, line.strings[1], 256), LOG_SSL_FAILED);
        assert_string_equal(line.strings[1],
                            refuses
                                ? "error:1416F086:SSL routines:tls_process_server_certificate:certificate verify failed"
                                : "error:1416F00D:SSL routines:tls_process_server_certificate:malformed certificate or "
                                  "no proof of its key");
        world_free(w);
    }
}

static void the_line_of_a_failure_has_its_error_depth_and_address(void **state)
{
    struct world *w = world_create();
    struct world_peer *client;
    struct world_record line;

    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, NULL, NULL);
    world_ask(w, client, NODE, 6972);
    assert_int_equal(world_records(w->alarm_log, LOG_VERIFY_FAILED, &line), 1);
    assert_int_equal(line.head.action, LOG_ACTION_TERMINATE);
    assert_int_equal(line.head.depth, 0);
    assert_memory_equal(&line.head.peer, &w->origins[0].addresses[0], sizeof(line.head.peer));
    assert_int_equal(line.head.peer_port, 6972);
    assert_string_equal(line.strings[0], NODE);
    assert_string_equal(line.strings[1], "self signed certificate");
    world_free(w);
}

static void one_node_may_answer_on_one_port_and_fail_on_another(void **state)
{
    struct world *w = world_create();
    struct world_peer *client;

    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    world_exchange(w, client, NODE, 8443, NULL);
    assert_non_null(world_ask(w, client, NODE, 6972)); /* S7 */
    world_expect(client, WORLD_502);
    assert_int_equal(world_counters(w)->requests_verified, 1);
    world_free(w);
}

/* --- accepted ----------------------------------------------------------------------------------------------------------------- */

static void what_is_trusted_in_signature_and_name_gets_the_request(void **state)
{
    static const struct {
        const char *host;
        enum world_certificate certificate;
        unsigned trust;
        enum verify_properties properties;
        bool verified;
    } rows[] = {
        {NODE, WORLD_CA_SIGNED, WORLD_TRUST_ROOT, VERIFY_ALL, true},
        {NODE, WORLD_SELF_SIGNED, WORLD_TRUST_SELF, VERIFY_ALL, true}, /* S5 */
        {"198.18.2.11", WORLD_CA_SIGNED, WORLD_TRUST_ROOT, VERIFY_ALL, true},
        /* Only one half counts: let through, yet not counted as verified. */
        {NODE, WORLD_OTHER_NAME, WORLD_TRUST_ROOT, VERIFY_SIGNATURE, false},
        {NODE, WORLD_CA_SIGNED, 0, VERIFY_NAME, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world *w = world_create();
        struct world_peer *client;

        w->certificate_8443 = rows[i].certificate;
        w->scopes[0].properties = rows[i].properties;
        world_trust(w, rows[i].trust);
        client = world_connect_tls(w, "edge.steven.lab", NULL);
        world_exchange(w, client, rows[i].host, 8443, NULL);
        assert_int_equal(world_counters(w)->requests_verified, rows[i].verified);
        assert_int_equal(world_counters(w)->requests_unverified, !rows[i].verified);
        assert_int_equal(world_log(w->alarm_log, 0, NULL, 0), -1);
        world_free(w);
    }
}

static void a_certificate_added_to_the_store_serves_the_next_request_of_the_same_client(void **state)
{
    struct world *w = world_create();
    struct world_peer *client;

    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    world_ask(w, client, NODE, 6972);
    world_expect(client, WORLD_502);
    world_trust(w, WORLD_TRUST_ROOT | WORLD_TRUST_SELF);
    world_exchange(w, client, NODE, 6972, NULL);
    assert_int_equal(world_counters(w)->client_connections, 1);
    world_free(w);
}

static void a_small_key_is_accepted_with_a_line_and_a_counter(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin;
    struct world_record line;

    w->certificate_8443 = WORLD_SMALL_KEY;
    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    origin = world_exchange(w, client, NODE, 8443, NULL);
    world_exchange(w, client, NODE, 8443, origin);
    assert_int_equal(world_records(w->alarm_log, LOG_WEAK_CERTIFICATE, &line), 1); /* once a connection and epoch */
    assert_string_equal(line.strings[0], NODE);
    assert_int_equal(world_counters(w)->verify_weak, 1);
    world_free(w);
}

/* --- how often it is judged ---------------------------------------------------------------------------------------------------- */

static void a_chain_is_judged_in_full_once_and_then_from_the_cache(void **state)
{
    struct world *w = world_create();
    struct world_peer *client;

    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    for (int i = 0; i < 3; i++) {
        struct world_peer *origin = world_ask(w, client, NODE, 8443);

        assert_non_null(origin);
        world_send(w, origin, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        world_expect(client, WORLD_200);
        assert_true(origin->closed); /* our close_notify */
    }
    assert_int_equal(world_counters(w)->verify_checks, 1);
    assert_int_equal(world_counters(w)->verify_cached, 2);
    assert_int_equal(world_counters(w)->verify_current, 3);
    assert_int_equal(world_counters(w)->verify_rejudged, 0);
    assert_int_equal(world_counters(w)->origin_handshakes, 3);
    world_free(w);
}

static void requests_on_a_pooled_connection_cost_a_compare(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin = NULL;

    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    for (int i = 0; i < 5; i++)
        origin = world_exchange(w, client, NODE, 8443, origin);
    assert_int_equal(world_counters(w)->origin_connections, 1);
    assert_int_equal(world_counters(w)->verify_checks, 1);
    assert_int_equal(world_counters(w)->verify_cached, 0);
    assert_int_equal(world_counters(w)->verify_current, 5);
    world_free(w);
}

static void a_new_epoch_judges_pooled_connections_again_and_keeps_the_good(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin;

    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    origin = world_exchange(w, client, NODE, 8443, NULL);
    world_trust(w, WORLD_TRUST_ROOT | WORLD_TRUST_SELF);
    world_exchange(w, client, NODE, 8443, origin);
    assert_int_equal(world_counters(w)->origin_connections, 1);
    assert_int_equal(world_counters(w)->verify_checks, 2);
    assert_int_equal(world_counters(w)->verify_rejudged, 1);
    world_free(w);
}

/* A table with one verdict about the chain that was handed over last. */
static struct x509_verdict_table *table_of(struct world *w, enum x509_reason reason, uint64_t until_s)
{
    struct x509_verdict verdict = {.chain_reason = reason, .valid_until_s = until_s};
    struct x509_verdict_table *table = x509_verdict_table_create(1);
    struct x509_chain_digest digest = {0};
    struct x509_identity identity;
    struct x509_verdict_key key;
    struct chain_record record;
    struct slice bytes;

    assert_true(byte_ring_peek(w->chains, &bytes));
    memcpy(&record, bytes.data, sizeof(record));
    byte_ring_release(w->chains);
    memcpy(digest.leaf, record.leaf_sha256, sizeof(digest.leaf));
    memcpy(digest.chain, record.chain_sha256, sizeof(digest.chain));
    assert_int_equal(x509_identity_from_host(slice_text(NODE), &identity), ASSAY_OK);
    x509_verdict_key_init(&key, &digest, &identity, w->scopes[0].policy->id);
    x509_verdict_table_add(table, &key, &verdict);
    return table;
}

/* What control has worked out before it published is not judged again: neither on a pooled connection nor on a new one. */
static void a_precomputed_verdict_saves_the_check(void **state)
{
    struct world *w = world_create();
    struct x509_verdict_table *table;
    struct world_peer *client, *origin;

    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    origin = world_exchange(w, client, NODE, 8443, NULL);
    table = table_of(w, X509_REASON_OK, WORLD_WALL_S + 1000);
    w->trust.verdicts = table;
    world_trust(w, 0); /* it is the table that says yes */
    world_exchange(w, client, NODE, 8443, origin);
    world_finish(w, origin);
    world_run(w, 20);
    world_exchange(w, client, NODE, 8443, NULL);
    assert_int_equal(world_counters(w)->origin_connections, 2);
    assert_int_equal(world_counters(w)->verify_checks, 1);
    assert_int_equal(world_counters(w)->verify_precomputed, 1);
    assert_int_equal(world_counters(w)->verify_cached, 1); /* once it was found, the cache has it */
    world_free(w);
    x509_verdict_table_free(table);
}

static void a_precomputed_refusal_refuses_and_one_that_is_over_is_judged(void **state)
{
    struct world *w = world_create();
    struct x509_verdict_table *table;
    struct world_peer *client;

    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    world_exchange(w, client, NODE, 8443, NULL);
    table = table_of(w, X509_REASON_REVOKED, WORLD_WALL_S + 100);
    w->trust.verdicts = table;
    world_trust(w, WORLD_TRUST_ROOT);
    assert_non_null(world_ask(w, client, NODE, 8443)); /* the pooled one was closed */
    world_expect(client, WORLD_502);
    assert_int_equal(world_counters(w)->verify_checks, 1);
    assert_int_equal(world_counters(w)->verify_precomputed, 1);
    w->wall_ahead_s = 101;
    world_exchange(w, client, NODE, 8443, NULL);
    assert_int_equal(world_counters(w)->verify_checks, 2);
    world_free(w);
    x509_verdict_table_free(table);
}

static void a_certificate_that_expires_in_the_pool_serves_no_more(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin;
    struct world_record line;

    w->certificate_8443 = WORLD_SHORT_LIVED;
    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    origin = world_exchange(w, client, NODE, 8443, NULL);
    w->wall_ahead_s = 3500;
    world_exchange(w, client, NODE, 8443, origin);
    w->wall_ahead_s = 3700;
    assert_non_null(world_ask(w, client, NODE, 8443)); /* a new one: the pooled one is of no use */
    world_expect(client, WORLD_502);
    assert_int_equal(origin->length, 0);
    assert_true(origin->finished);
    assert_int_equal(world_records(w->alarm_log, LOG_VERIFY_FAILED, &line), 1);
    assert_string_equal(line.strings[1], "certificate has expired");
    world_free(w);
}

/* --- modes (S29) ------------------------------------------------------------------------------------------------------------------ */

static void permissive_says_continue_once_a_connection_and_epoch(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin = NULL;
    struct world_record line;

    world_mode(w, VERIFY_PERMISSIVE);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    for (int i = 0; i < 3; i++)
        origin = world_exchange(w, client, NODE, 8443, origin);
    assert_int_equal(world_records(w->alarm_log, LOG_VERIFY_FAILED, &line), 1);
    assert_int_equal(line.head.action, LOG_ACTION_CONTINUE);
    assert_string_equal(line.strings[1], "unable to get local issuer certificate");
    assert_int_equal(world_counters(w)->verify_continued, 3);
    assert_int_equal(world_counters(w)->requests_unverified, 3);
    assert_int_equal(world_counters(w)->verify_failed, 0);
    assert_int_equal(world_counters(w)->verify_rejudged, 0);
    assert_int_equal(world_counters(w)->verify_checks, 1);
    world_trust(w, WORLD_TRUST_SELF); /* another epoch, as bad */
    world_exchange(w, client, NODE, 8443, origin);
    assert_int_equal(world_records(w->alarm_log, LOG_VERIFY_FAILED, &line), 1);
    world_trust(w, WORLD_TRUST_ROOT);
    world_exchange(w, client, NODE, 8443, origin);
    assert_int_equal(world_log(w->alarm_log, 0, NULL, 0), -1);
    assert_int_equal(world_counters(w)->requests_verified, 1);
    assert_int_equal(world_counters(w)->origin_connections, 1);
    world_free(w);
}

/* Also where nothing can be judged, because memory was short when the chain should have been kept. */
static void permissive_refuses_nothing(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin;
    struct upstream *u;

    world_mode(w, VERIFY_PERMISSIVE);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    origin = world_exchange(w, client, NODE, 8443, NULL);
    u = pool_at(w->proxy->upstreams, 0);
    assert_int_equal(u->phase, UPSTREAM_IDLE);
    x509_chain_unref(u->chain);
    u->chain = NULL;
    world_trust(w, WORLD_TRUST_ROOT);
    assert_false(origin->finished);
    world_exchange(w, client, NODE, 8443, origin);
    assert_int_equal(world_counters(w)->requests_verified, 0);
    world_mode(w, VERIFY_ENFORCED);
    world_run(w, 5);
    assert_true(origin->finished);
    world_free(w);
}

static void disabled_checks_nothing_and_keeps_what_turning_it_on_needs(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin;

    world_mode(w, VERIFY_DISABLED);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    origin = world_exchange(w, client, NODE, 8443, NULL);
    assert_int_equal(world_counters(w)->verify_checks, 0);
    assert_int_equal(world_counters(w)->requests_unverified, 1);
    assert_int_equal(world_log(w->alarm_log, 0, NULL, 0), -1);
    /* A good chain: the pooled connection lives on. */
    w->scopes[0].mode = VERIFY_ENFORCED;
    world_trust(w, WORLD_TRUST_ROOT);
    assert_false(origin->finished);
    world_exchange(w, client, NODE, 8443, origin);
    assert_int_equal(world_counters(w)->origin_connections, 1);
    assert_int_equal(world_counters(w)->requests_verified, 1);
    world_free(w);
}

static void enforced_again_ends_what_the_other_modes_let_pass(void **state)
{
    static const enum verify_mode modes[] = {VERIFY_PERMISSIVE, VERIFY_DISABLED};

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct world *w = world_create();
        struct world_peer *client, *origin;
        uint64_t epoch;

        world_mode(w, modes[i]);
        client = world_connect_tls(w, "edge.steven.lab", NULL);
        origin = world_exchange(w, client, NODE, 8443, NULL);
        epoch = w->trust.epoch;
        world_mode(w, VERIFY_ENFORCED);
        world_run(w, 5);
        assert_true(origin->finished); /* pooled: at once */
        assert_non_null(world_ask(w, client, NODE, 8443));
        world_expect(client, WORLD_502);
        assert_int_equal(w->trust.epoch, epoch);
        world_free(w);
    }
}

static void a_change_of_mode_keeps_the_epoch_and_its_verdicts(void **state)
{
    static const enum verify_mode modes[] = {VERIFY_PERMISSIVE, VERIFY_ENFORCED, VERIFY_DISABLED, VERIFY_ENFORCED};
    struct world *w = world_create();
    struct world_peer *client, *origin;

    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    origin = world_exchange(w, client, NODE, 8443, NULL);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        world_mode(w, modes[i]);
        world_exchange(w, client, NODE, 8443, origin);
    }
    assert_int_equal(world_counters(w)->verify_checks, 1);
    assert_int_equal(world_counters(w)->verify_rejudged, 0);
    assert_int_equal(world_counters(w)->origin_connections, 1);
    world_free(w);
}

/* --- trust removed -------------------------------------------------------------------------------------------------------------- */

static struct world_peer *begin_download(struct world *w, struct world_peer **origin)
{
    struct world_peer *client;

    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    *origin = world_ask(w, client, NODE, 8443);
    assert_non_null(*origin);
    world_send(w, *origin, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
    world_expect(client, WORLD_200);
    return client;
}

static void a_download_whose_trust_was_removed_ends_within_the_grace(void **state)
{
    struct world *w = world_create();
    struct world_peer *origin, *client = begin_download(w, &origin);

    world_trust(w, 0);
    world_run(w, 900);
    assert_false(client->reset);
    assert_false(origin->reset);
    world_run(w, 200);
    assert_true(client->reset); /* it must see that the response is not whole */
    assert_true(origin->reset);
    assert_int_equal(world_counters(w)->verify_revoked_in_flight, 1);
    assert_int_equal(world_records(w->alarm_log, LOG_VERIFY_FAILED, NULL), 1);
    world_free(w);
}

static void a_request_without_response_is_502_when_its_trust_was_removed(void **state)
{
    struct world *w = world_create();
    struct world_peer *client, *origin;

    world_trust(w, WORLD_TRUST_ROOT);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    origin = world_ask(w, client, NODE, 8443);
    world_trust(w, 0);
    world_run(w, 1100);
    world_expect(client, WORLD_502);
    assert_true(origin->reset);
    assert_false(client->finished);
    world_free(w);
}

static void trust_that_comes_back_in_time_saves_the_download(void **state)
{
    struct world *w = world_create();
    struct world_peer *origin, *client = begin_download(w, &origin);

    world_trust(w, 0);
    world_run(w, 500);
    world_trust(w, WORLD_TRUST_ROOT);
    world_run(w, 1000);
    assert_false(client->reset);
    world_send(w, origin, "67890");
    assert_string_equal(client->received + client->length - 10, "1234567890");
    world_forget(origin);
    world_exchange(w, client, NODE, 8443, origin);
    world_free(w);
}

static void each_removal_has_a_grace_of_its_own(void **state)
{
    struct world *w = world_create();
    struct world_peer *origin, *client = begin_download(w, &origin);

    world_trust(w, 0);
    world_send(w, origin, "67890");
    world_forget(origin);
    world_trust(w, WORLD_TRUST_ROOT);
    world_forget(client);
    world_ask(w, client, NODE, 8443);
    assert_true(world_starts(origin, "GET /x"));
    world_send(w, origin, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
    world_trust(w, 0);
    world_run(w, 1100);
    assert_true(client->reset);
    assert_int_equal(world_counters(w)->verify_revoked_in_flight, 1);
    world_free(w);
}

static void a_download_that_ends_in_the_grace_leaves_no_pooled_connection_of_use(void **state)
{
    struct world *w = world_create();
    struct world_peer *origin, *client = begin_download(w, &origin);

    world_trust(w, 0);
    world_send(w, origin, "67890");
    assert_string_equal(client->received + client->length - 10, "1234567890");
    world_forget(origin);
    assert_non_null(world_ask(w, client, NODE, 8443));
    world_expect(client, WORLD_502);
    assert_int_equal(origin->length, 0);
    world_free(w);
}

/* --- resumption ---------------------------------------------------------------------------------------------------------------- */

/* One exchange whose connection is closed after it. */
static struct world_peer *ask_once(struct world *w, struct world_peer *client)
{
    struct world_peer *origin = world_ask(w, client, NODE, 8443);

    assert_non_null(origin);
    if (origin->established)
        world_send(w, origin, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    return origin;
}

static void a_resumed_connection_stands_on_a_verdict_that_is_current(void **state)
{
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct world *w = world_create();
        struct world_peer *client, *origin;

        w->origin_tickets = true;
        w->tls12 = tls12;
        world_trust(w, WORLD_TRUST_ROOT);
        client = world_connect_tls(w, "edge.steven.lab", NULL);
        origin = ask_once(w, client);
        assert_false(origin->resumed);
        origin = ask_once(w, client);
        world_expect(client, WORLD_200);
        assert_true(origin->resumed);
        assert_int_equal(world_counters(w)->origin_handshakes_resumed, 1);
        assert_int_equal(world_counters(w)->verify_checks, 1);
        assert_int_equal(world_counters(w)->requests_verified, 2);
        /* The epoch moves: the session's chain is judged again before it is offered. */
        world_trust(w, WORLD_TRUST_ROOT | WORLD_TRUST_SELF);
        origin = ask_once(w, client);
        assert_true(origin->resumed);
        assert_int_equal(world_counters(w)->verify_checks, 2);
        assert_int_equal(world_counters(w)->requests_verified, 3);
        world_free(w);
    }
}

static void a_session_whose_trust_is_gone_is_not_offered(void **state)
{
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct world *w = world_create();
        struct world_peer *client, *origin;

        w->origin_tickets = true;
        w->tls12 = tls12;
        world_trust(w, WORLD_TRUST_ROOT);
        client = world_connect_tls(w, "edge.steven.lab", NULL);
        ask_once(w, client);
        world_trust(w, 0);
        origin = ask_once(w, client);
        world_expect(client, WORLD_502);
        assert_true(origin->failed);
        assert_false(origin->resumed);
        world_trust(w, WORLD_TRUST_ROOT);
        ask_once(w, client);
        world_expect(client, WORLD_200);
        world_free(w);
    }
}

static void a_resumed_connection_says_continue_as_any_other(void **state)
{
    struct world *w = world_create();
    struct world_peer *client;

    w->origin_tickets = true;
    world_mode(w, VERIFY_PERMISSIVE);
    client = world_connect_tls(w, "edge.steven.lab", NULL);
    ask_once(w, client);
    assert_true(ask_once(w, client)->resumed);
    world_expect(client, WORLD_200);
    assert_int_equal(world_records(w->alarm_log, LOG_VERIFY_FAILED, NULL), 2);
    world_mode(w, VERIFY_ENFORCED);
    assert_false(ask_once(w, client)->resumed);
    world_expect(client, WORLD_502);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fails_is_502_an_alert_and_two_lines_and_no_request_byte),
        cmocka_unit_test(an_origin_without_a_certificate_is_502_in_every_mode_and_says_why),
        cmocka_unit_test(the_line_of_a_failure_has_its_error_depth_and_address),
        cmocka_unit_test(one_node_may_answer_on_one_port_and_fail_on_another),
        cmocka_unit_test(what_is_trusted_in_signature_and_name_gets_the_request),
        cmocka_unit_test(a_certificate_added_to_the_store_serves_the_next_request_of_the_same_client),
        cmocka_unit_test(a_small_key_is_accepted_with_a_line_and_a_counter),
        cmocka_unit_test(a_chain_is_judged_in_full_once_and_then_from_the_cache),
        cmocka_unit_test(requests_on_a_pooled_connection_cost_a_compare),
        cmocka_unit_test(a_new_epoch_judges_pooled_connections_again_and_keeps_the_good),
        cmocka_unit_test(a_precomputed_verdict_saves_the_check),
        cmocka_unit_test(a_precomputed_refusal_refuses_and_one_that_is_over_is_judged),
        cmocka_unit_test(a_certificate_that_expires_in_the_pool_serves_no_more),
        cmocka_unit_test(permissive_says_continue_once_a_connection_and_epoch),
        cmocka_unit_test(permissive_refuses_nothing),
        cmocka_unit_test(disabled_checks_nothing_and_keeps_what_turning_it_on_needs),
        cmocka_unit_test(enforced_again_ends_what_the_other_modes_let_pass),
        cmocka_unit_test(a_change_of_mode_keeps_the_epoch_and_its_verdicts),
        cmocka_unit_test(a_download_whose_trust_was_removed_ends_within_the_grace),
        cmocka_unit_test(a_request_without_response_is_502_when_its_trust_was_removed),
        cmocka_unit_test(trust_that_comes_back_in_time_saves_the_download),
        cmocka_unit_test(each_removal_has_a_grace_of_its_own),
        cmocka_unit_test(a_download_that_ends_in_the_grace_leaves_no_pooled_connection_of_use),
        cmocka_unit_test(a_resumed_connection_stands_on_a_verdict_that_is_current),
        cmocka_unit_test(a_session_whose_trust_is_gone_is_not_offered),
        cmocka_unit_test(a_resumed_connection_says_continue_as_any_other),
    };

    return cmocka_run_group_tests(tests, world_start, world_stop);
}
