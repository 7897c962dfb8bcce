/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>

#include <openssl/ssl.h>

#include "world.h"

/* Exactly these connections, in this order. */
struct expected_try {
    enum tls_preference prefer;
    enum probe_versions versions;
    bool bare;
    enum probe_outcome outcome;
    int finding;
};

static void expect(const struct probe_result *result, const struct expected_try *tries, size_t count)
{
    assert_int_equal(result->try_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(result->tries[i].prefer, tries[i].prefer);
        assert_int_equal(result->tries[i].versions, tries[i].versions);
        assert_int_equal(result->tries[i].bare, tries[i].bare);
        assert_int_equal(result->tries[i].report.outcome, tries[i].outcome);
        assert_int_equal(result->tries[i].finding, tries[i].finding);
    }
}
#define EXPECT(result, ...)                                      \
    expect((result), (const struct expected_try[]){__VA_ARGS__}, \
           sizeof((const struct expected_try[]){__VA_ARGS__}) / sizeof(struct expected_try))

/* What does not answer is asked once; the others do not wait for it. */
static void test_no_answer(void **state)
{
    struct peer silent, plain, good;
    struct probe *probe;

    peer_begin(&silent, &(struct peer_settings){.manner = PEER_SILENT});
    peer_begin(&plain, &(struct peer_settings){.manner = PEER_PLAIN});
    peer_begin(&good, &world_ecdsa);
    {
        const struct probe_target targets[] = {
            world_target("cucm.lab", silent.port), world_target("cucm.lab", plain.port),
            world_target("cucm.lab", good.port),   world_target("cucm.lab", 1),
            world_unresolved("gone.lab"),
        };

        probe = world_run(targets, 5, 400, 2);
    }
    assert_int_equal(probe_done(probe), 5);
    EXPECT(probe_result_at(probe, 0), {TLS_PREFER_ECDSA, PROBE_ALL_VERSIONS, false, PROBE_TLS_TIMEOUT, -1});
    EXPECT(probe_result_at(probe, 1), {TLS_PREFER_ECDSA, PROBE_ALL_VERSIONS, false, PROBE_NO_TLS, -1});
    assert_int_equal(probe_result_at(probe, 2)->try_count, 4);
    EXPECT(probe_result_at(probe, 3), {TLS_PREFER_ECDSA, PROBE_ALL_VERSIONS, false, PROBE_PORT_CLOSED, -1});
    EXPECT(probe_result_at(probe, 4), {TLS_PREFER_ECDSA, PROBE_ALL_VERSIONS, false, PROBE_UNRESOLVED, -1});
    probe_free(probe);
    peer_end(&silent);
    peer_end(&plain);
    peer_end(&good);
    assert_int_equal(silent.connections, 1);
    assert_int_equal(good.connections, 4);
    assert_int_equal(good.bytes, 0);
}

/* Two certificates on one port: each preference meets its own, in both versions (S8). */
static void test_both_keys(void **state)
{
    const struct probe_result *result;
    struct probe_target target;
    struct probe *probe;
    struct peer peer;

    peer_begin(&peer, &world_both);
    target = world_target("cucm.lab", peer.port);
    probe = world_run(&target, 1, 3000, 8);
    result = probe_result_at(probe, 0);
    EXPECT(result, {TLS_PREFER_ECDSA, PROBE_ALL_VERSIONS, false, PROBE_OK, 0},
           {TLS_PREFER_ECDSA, PROBE_TLS12_ALONE, false, PROBE_OK, 0},
           {TLS_PREFER_RSA, PROBE_ALL_VERSIONS, false, PROBE_OK, 1},
           {TLS_PREFER_RSA, PROBE_TLS12_ALONE, false, PROBE_OK, 1});
    assert_true(result->findings[0].ec && result->findings[1].rsa);
    assert_int_equal(result->findings[0].verdict, PROBE_PASS);
    assert_int_equal(result->tries[0].report.version, TLS_VERSION_1_3);
    assert_int_equal(result->tries[1].report.version, TLS_VERSION_1_2);
    probe_free(probe);
    peer_end(&peer);
}

/* An origin of TLS 1.2 is asked once a preference; one that demands a client certificate also without ours. */
static void test_tries(void **state)
{
    struct peer_settings settings = world_ecdsa;
    struct probe_target target;
    struct probe *probe;
    struct peer peer;

    settings.tls_max = TLS1_2_VERSION;
    peer_begin(&peer, &settings);
    target = world_target("cucm.lab", peer.port);
    probe = world_run(&target, 1, 3000, 1);
    EXPECT(probe_result_at(probe, 0), {TLS_PREFER_ECDSA, PROBE_ALL_VERSIONS, false, PROBE_OK, 0},
           {TLS_PREFER_RSA, PROBE_ALL_VERSIONS, false, PROBE_OK, 0});
    probe_free(probe);
    peer_end(&peer);

    settings.client = PEER_DEMANDS;
    peer_begin(&peer, &settings);
    target = world_target("cucm.lab", peer.port);
    target.ours = &world_ours;
    target.bare = &world_bare;
    probe = world_run(&target, 1, 3000, 1);
    EXPECT(probe_result_at(probe, 0), {TLS_PREFER_ECDSA, PROBE_ALL_VERSIONS, false, PROBE_OK, 0},
           {TLS_PREFER_RSA, PROBE_ALL_VERSIONS, false, PROBE_OK, 0},
           {TLS_PREFER_ECDSA, PROBE_ALL_VERSIONS, true, PROBE_CLIENT_CERTIFICATE, 0});
    probe_free(probe);
    peer_end(&peer);
}

/* Given up half way: every socket is closed, nothing leaks (the sanitizers look). */
static void test_given_up(void **state)
{
    const struct probe_options options = {.jobs = 4, .timeout_ms = 5000, .now_s = FORGE_NOW};
    struct probe_target targets[8];
    struct probe *probe;
    struct peer peer;

    peer_begin(&peer, &(struct peer_settings){.manner = PEER_SILENT});
    for (size_t i = 0; i < 8; i++)
        targets[i] = world_target("cucm.lab", peer.port);
    probe = probe_create(targets, 8, &options);
    for (int i = 0; i < 3; i++)
        assert_true(probe_turn(probe, world_now_ms(), 10));
    probe_free(probe);
    peer_end(&peer);
    probe = probe_create(NULL, 0, &options);
    assert_false(probe_turn(probe, world_now_ms(), 10));
    probe_free(probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_both_keys),
        cmocka_unit_test(test_tries),
        cmocka_unit_test(test_given_up),
    };

    return cmocka_run_group_tests(tests, world_begin, world_end);
}
