/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "canned.h"
#include "ctl/command.h"

static void test_wrong_usage(void **state)
{
    static const char *const cases[][5] = {{NULL},
                                           {"lists"},
                                           {"list", "all"},
                                           {"show"},
                                           {"show", "aabbccdd", "aabbccdd"},
                                           {"show", "../status"},
                                           {"show", ""},
                                           {"add"},
                                           {"add", "nowhere.pem"},
                                           {"add", "nowhere.pem", "--role", "x&y"},
                                           {"remove"},
                                           {"remove", "?max=1"}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(canned_run(ctl_trust, cases[i]), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_trust, "--help"), CTL_OK);
}

#define ROW                                                                                                      \
    "{\"sha256\":\"aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899\",\"role\":\"leaf-only\","   \
    "\"role_proposed\":%s,\"common_name\":\"cucm-EC.steven.lab\",\"type\":\"self-signed\",\"key\":\"EC P-256\"," \
    "\"not_after\":\"2026-01-02T03:04:05Z\",\"expired\":%s,\"issuer\":\"CN=x\",\"result\":\"%s\"}"

static void test_list_and_show(void **state)
{
    char json[2048];

    snprintf(json, sizeof(json), "{\"certificates\":[" ROW "]}", "true", "false", "");
    canned_json(200, json);
    assert_int_equal(CANNED_RUN(ctl_trust, "list"), CTL_OK);
    assert_non_null(strstr(canned_out(), "aabbccddeeff0011  leaf-only  cucm-EC.steven.lab  self-signed  EC P-256"));
    canned_json(200, "{\"role\":\"anchor\",\"file\":null,\"text\":\"subject: x\",\"pem\":\"-----\\n\"}");
    assert_int_equal(CANNED_RUN(ctl_trust, "show", "AA:BB:CC:DD"), CTL_OK);
    assert_memory_equal(canned_request(), "GET /v1/trust/AA:BB:CC:DD ", 26);
    assert_string_equal(canned_out(), "role: anchor\nfile: -\nsubject: x\n-----\n");
    canned_json(404, "{\"error\":\"no trusted certificate\"}");
    assert_int_equal(CANNED_RUN(ctl_trust, "show", "aabbccdd"), CTL_REFUSED);
}

/* The name of a deployment is percent-encoded, whatever it holds. */
static void test_of_a_deployment(void **state)
{
    char json[2048], name[600];

    snprintf(json, sizeof(json), "{\"certificates\":[" ROW "]}", "true", "false", "");
    canned_json(200, json);
    assert_int_equal(CANNED_RUN(ctl_trust, "list", "--deployment", "a&b=c d"), CTL_OK);
    assert_memory_equal(canned_request(), "GET /v1/trust?deployment=a%26b%3Dc%20d ", 38);
    canned_json(200,
                "{\"removed\":\"aabbccdd\",\"published\":true,\"generation\":5,\"adopted\":true,\"adopted_ms\":1.0}");
    assert_int_equal(CANNED_RUN(ctl_trust, "remove", "aabbccdd", "--deployment", "2"), CTL_OK);
    assert_memory_equal(canned_request(), "DELETE /v1/trust/aabbccdd?deployment=2 ", 39);
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(CANNED_RUN(ctl_trust, "list", "--deployment", name), CTL_USAGE);
    assert_int_equal(CANNED_RUN(ctl_trust, "list", "--origin", "a"), CTL_USAGE);
}

static void test_add(void **state)
{
    char path[] = P_tmpdir "/assay-trust-XXXXXX", json[4096];
    int fd = mkstemp(path);

    assert_true(fd >= 0 && write(fd, "PEM", 3) == 3);
    close(fd);
    snprintf(json, sizeof(json),
             "{\"certificates\":[" ROW "," ROW "],\"published\":true,\"generation\":5,\"adopted\":true,"
             "\"adopted_ms\":1.0}",
             "true", "true", "added", "false", "false", "present");
    canned_json(200, json);
    assert_int_equal(CANNED_RUN(ctl_trust, "add", path), CTL_OK);
    assert_memory_equal(canned_request(), "POST /v1/trust HTTP", 19);
    assert_string_equal(strstr(canned_request(), "\r\n\r\n") + 4, "PEM");
    assert_string_equal(
        canned_out(), "added aabbccddeeff0011 cucm-EC.steven.lab, EC P-256, as leaf-only (proposed by the certificate; "
                      "--role chooses another), EXPIRED\n"
                      "skipped, already there: aabbccddeeff0011 cucm-EC.steven.lab, EC P-256, as leaf-only\n"
                      "generation 5, all cores after 1.000 ms\n");
    canned_json(422, "{\"error\":\"refused\"}");
    assert_int_equal(CANNED_RUN(ctl_trust, "add", path, path, "--role", "anchor"),
                     CTL_REFUSED); /* stops at the first */
    assert_memory_equal(canned_request(), "POST /v1/trust?role=anchor ", 27);
    assert_non_null(strstr(canned_err(), "was not added"));
    unlink(path);
}

static void test_remove(void **state)
{
    canned_json(200, "{\"removed\":\"aabbccddeeff0011223344\",\"published\":true,\"generation\":6,\"adopted\":true,"
                     "\"adopted_ms\":1.0}");
    assert_int_equal(CANNED_RUN(ctl_trust, "remove", "aabbccdd"), CTL_OK);
    assert_memory_equal(canned_request(), "DELETE /v1/trust/aabbccdd ", 26);
    assert_string_equal(canned_out(), "removed aabbccddeeff0011\ngeneration 6, all cores after 1.000 ms\n");
    canned_json(409, "{\"error\":\"several\"}");
    assert_int_equal(CANNED_RUN(ctl_trust, "remove", "aabbccdd", "--json"), CTL_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wrong_usage), cmocka_unit_test(test_list_and_show),
                                       cmocka_unit_test(test_of_a_deployment), cmocka_unit_test(test_add),
                                       cmocka_unit_test(test_remove)};

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
