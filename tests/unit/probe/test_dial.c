/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <string.h>
#include <time.h>

#include <openssl/ssl.h>

#include "forge.h"
#include "peer.h"
#include "probe/client.h"
#include "probe/dial.h"

static struct probe_client client;
static struct peer_identity identity;

static int begin(void **state)
{
    struct tls_context_settings settings = {.version_min = TLS_VERSION_1_2, .version_max = TLS_VERSION_1_3};
    const char *fault;

    identity.key = forge_key(FORGE_P256, 1);
    identity.above = forge_certificate(
        &(struct forge){.subject = "R", .key = forge_key(FORGE_P256, 0), .extensions = {forge_ca(-1)}});
    identity.leaf = forge_certificate(
        &(struct forge){.subject = "leaf", .issuer = "R", .key = identity.key, .signer = forge_key(FORGE_P256, 0)});
    return probe_client_create(&settings, &client, &fault) == ASSAY_OK ? 0 : -1;
}

static int end(void **state)
{
    probe_client_free(&client);
    forge_free();
    return 0;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Drives one connection to its end; *certificates: how many it presented. */
static struct dial_report dial_to(uint16_t port, enum probe_versions versions, uint64_t timeout_ms,
                                  size_t *certificates)
{
    static struct dial dial;
    struct dial_request request = {.address = peer_address(),
                                   .port = port,
                                   .server_name = "leaf.lab",
                                   .context = client.contexts[client.own][versions],
                                   .timeout_ms = timeout_ms};
    struct dial_report report;

    dial_begin(&dial, &request, now_ms());
    while (dial.phase != DIAL_OVER) {
        struct pollfd polled = {.fd = dial.fd, .events = dial_events(&dial)};
        int n = poll(&polled, 1, 10);

        dial_step(&dial, n > 0, now_ms());
    }
    report = dial.report;
    *certificates = 0;
    if (dial.chain != NULL)
        x509_chain_slices(dial.chain, certificates);
    dial_end(&dial);
    return report;
}

/* Each way of not being there, or of being something else. */
static void test_no_tls(void **state)
{
    static const struct {
        enum peer_manner manner;
        enum probe_outcome outcome;
    } cases[] = {
        {PEER_PLAIN, PROBE_NO_TLS},
        {PEER_SILENT, PROBE_TLS_TIMEOUT},
        {PEER_CLOSES, PROBE_CLOSED},
    };
    struct dial_report report;
    struct peer peer;
    uint16_t closed;
    size_t count;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        peer_begin(&peer, &(struct peer_settings){.manner = cases[i].manner});
        report = dial_to(peer.port, PROBE_ALL_VERSIONS, 300, &count);
        assert_int_equal(report.outcome, cases[i].outcome);
        assert_false(report.complete);
        assert_int_equal(count, 0);
        closed = peer.port;
        peer_end(&peer);
        assert_int_equal(peer.connections, 1);
    }
    report = dial_to(closed, PROBE_ALL_VERSIONS, 300, &count);
    assert_int_equal(report.outcome, PROBE_PORT_CLOSED);
}

/* The handshake fails on its side: its alert is kept. */
static void test_versions(void **state)
{
    struct peer_settings settings = {.tls_min = TLS1_3_VERSION, .identity_count = 1, .identities = {identity}};
    struct dial_report report;
    struct peer peer;
    size_t count;

    peer_begin(&peer, &settings);
    report = dial_to(peer.port, PROBE_TLS12_ALONE, 2000, &count);
    assert_int_equal(report.outcome, PROBE_ALERT);
    assert_int_equal(report.alert, 70); /* protocol_version */
    report = dial_to(peer.port, PROBE_ALL_VERSIONS, 2000, &count);
    assert_int_equal(report.outcome, PROBE_OK);
    assert_int_equal(report.version, TLS_VERSION_1_3);
    assert_int_equal(count, 2);
    assert_true(report.complete && !report.requested);
    assert_string_equal(report.cipher, "TLS_AES_128_GCM_SHA256");
    peer_end(&peer);
    assert_int_equal(peer.bytes, 0);
    settings.tls_min = 0;
    settings.tls_max = TLS1_2_VERSION;
    peer_begin(&peer, &settings);
    report = dial_to(peer.port, PROBE_ALL_VERSIONS, 2000, &count);
    assert_int_equal(report.outcome, PROBE_OK);
    assert_int_equal(report.version, TLS_VERSION_1_2);
    peer_end(&peer);
    assert_int_equal(peer.bytes, 0);
}

/* A client without a certificate, before servers that ask: in both versions, though 1.3's answer comes after the handshake. */
static void test_client_certificate(void **state)
{
    static const struct {
        enum peer_client client;
        int tls_max;
        enum probe_outcome outcome;
        uint8_t alert;
    } cases[] = {
        {PEER_ASKS, 0, PROBE_OK, 0},
        {PEER_ASKS, TLS1_2_VERSION, PROBE_OK, 0},
        {PEER_DEMANDS, 0, PROBE_CLIENT_CERTIFICATE, 116},             /* certificate_required */
        {PEER_DEMANDS, TLS1_2_VERSION, PROBE_CLIENT_CERTIFICATE, 40}, /* handshake_failure */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct peer_settings settings = {
            .client = cases[i].client, .tls_max = cases[i].tls_max, .identity_count = 1, .identities = {identity}};
        struct dial_report report;
        struct peer peer;
        size_t count;

        peer_begin(&peer, &settings);
        report = dial_to(peer.port, PROBE_ALL_VERSIONS, 3000, &count);
        assert_int_equal(report.outcome, cases[i].outcome);
        assert_int_equal(report.alert, cases[i].alert);
        assert_true(report.requested);
        assert_int_equal(count, 2);
        peer_end(&peer);
        assert_int_equal(peer.bytes, 0);
    }
}

static void test_words(void **state)
{
    for (int outcome = 0; outcome < PROBE_OUTCOMES; outcome++) {
        enum probe_outcome value = (enum probe_outcome)outcome;

        assert_true(probe_outcome_name(value)[0] != '\0' && probe_outcome_text(value)[0] != '\0');
        /* what is wrong, and only that, has an action */
        assert_int_equal(probe_outcome_action(value)[0] == '\0', probe_outcome_class(value) == PROBE_CLASS_GOOD);
    }
    assert_string_equal(probe_outcome_name(PROBE_PORT_CLOSED), "PORT_CLOSED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_tls),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_client_certificate),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
