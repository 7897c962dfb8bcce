/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "world.h"

static const char *text(const json_t *row, const char *member)
{
    const char *value = json_string_value(json_object_get(row, member));

    return value != NULL ? value : "(none)";
}

static void expect_summary(const json_t *report, long long origins, long long pass, long long fail, long long unknown)
{
    const json_t *summary = json_object_get(report, "summary");

    assert_int_equal(json_integer_value(json_object_get(summary, "origins")), origins);
    assert_int_equal(json_integer_value(json_object_get(summary, "pass")), pass);
    assert_int_equal(json_integer_value(json_object_get(summary, "fail")), fail);
    assert_int_equal(json_integer_value(json_object_get(summary, "unknown")), unknown);
}

static json_t *report_on(const struct probe_target *targets, size_t count)
{
    struct probe *probe = world_run(targets, count, 1000, 4);
    json_t *report = probe_report(probe, targets, count, FORGE_NOW);

    probe_free(probe);
    return report;
}

static void test_not_reached(void **state)
{
    const struct probe_target targets[] = {world_unresolved("gone.lab"), world_target("cucm.lab", 1)};
    json_t *report = report_on(targets, 2);
    const json_t *rows = json_object_get(report, "rows"), *row = json_array_get(rows, 0);

    assert_int_equal(json_array_size(rows), 2);
    expect_summary(report, 2, 0, 0, 2);
    assert_string_equal(text(row, "verdict"), "unknown");
    assert_string_equal(text(row, "code"), "UNRESOLVED");
    assert_string_equal(text(row, "reason"), "NXDOMAIN from nobody");
    assert_true(json_is_null(json_object_get(row, "address")));
    assert_true(json_is_null(json_object_get(row, "days_left")));
    row = json_array_get(rows, 1);
    assert_string_equal(text(row, "code"), "PORT_CLOSED");
    assert_string_equal(text(row, "address"), "127.0.0.1");
    json_decref(report);
}

/* A row a certificate, what assayd meets first. */
static void test_rows(void **state)
{
    struct probe_target targets[2];
    const json_t *rows, *row;
    struct peer peer;
    json_t *report;
    char *list;

    peer_begin(&peer, &world_both);
    targets[0] = world_target("cucm.lab", peer.port);
    targets[1] = world_target("other.lab", peer.port);
    targets[1].type = "cucm";
    report = report_on(targets, 2);
    rows = json_object_get(report, "rows");
    assert_int_equal(json_array_size(rows), 4);
    expect_summary(report, 2, 1, 1, 0);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(report, "summary"), "rows_fail")), 2);
    row = json_array_get(rows, 0);
    assert_true(json_is_true(json_object_get(row, "now")));
    assert_string_equal(text(row, "verdict"), "pass");
    assert_string_equal(text(row, "key_type"), "EC");
    assert_string_equal(text(row, "common_name"), "cucm-ms.lab");
    assert_string_equal(text(row, "issuer"), "Root");
    assert_string_equal(text(row, "not_after"), "2024-11-13T22:13:20Z");
    assert_int_equal(json_integer_value(json_object_get(row, "days_left")), 365);
    list = json_dumps(json_object_get(row, "preferring"), JSON_COMPACT);
    assert_string_equal(list, "[\"ECDSA\"]");
    free(list);
    list = json_dumps(json_object_get(row, "tls"), JSON_COMPACT);
    assert_string_equal(list, "[\"1.3\",\"1.2\"]");
    free(list);
    row = json_array_get(rows, 1);
    assert_false(json_is_true(json_object_get(row, "now")));
    assert_string_equal(text(row, "key_type"), "RSA");
    row = json_array_get(rows, 2);
    assert_string_equal(text(row, "verdict"), "fail");
    assert_string_equal(text(row, "code"), "NAME_MISMATCH");
    assert_string_equal(text(row, "type"), "cucm");
    assert_non_null(strstr(text(row, "action"), "SAN"));
    json_decref(report);
    peer_end(&peer);
}

/* What the origin makes of our certificate decides, where its own is good. */
static void test_client_certificate(void **state)
{
    struct peer_settings settings = world_ecdsa;
    const json_t *row, *client;
    struct probe_target targets[2];
    struct peer peer;
    json_t *report;

    settings.client = PEER_DEMANDS;
    peer_begin(&peer, &settings);
    targets[0] = world_target("cucm.lab", peer.port);
    targets[1] = targets[0];
    targets[1].ours = &world_ours;
    targets[1].bare = &world_bare;
    report = report_on(targets, 2);
    assert_int_equal(json_array_size(json_object_get(report, "rows")), 2);
    expect_summary(report, 2, 1, 1, 0);
    row = json_array_get(json_object_get(report, "rows"), 0);
    assert_string_equal(text(row, "verdict"), "fail");
    assert_string_equal(text(row, "code"), "CLIENT_CERTIFICATE");
    assert_string_equal(text(row, "reason"), "it demands a client certificate (certificate_required)");
    row = json_array_get(json_object_get(report, "rows"), 1);
    assert_string_equal(text(row, "verdict"), "pass");
    client = json_object_get(row, "client_certificate");
    assert_true(json_is_true(json_object_get(client, "asked")));
    assert_string_equal(text(client, "with"), "accepted");
    assert_string_equal(text(client, "without"), "refused");
    json_decref(report);
    peer_end(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_reached),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_client_certificate),
    };

    return cmocka_run_group_tests(tests, world_begin, world_end);
}
