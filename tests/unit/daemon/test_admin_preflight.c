/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "daemon/admin_preflight.h"
#include "daemon/prober.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"

static void wrong_requests_say_what_is_wrong(void **state)
{
    static const struct {
        const char *request, *begins;
    } cases[] = {
        {"[]", "the body is no JSON object"},
        {"{", "the body is no JSON: line 1: "},
        {"{\"jobs\":1,\"jobs\":2}", "the body is no JSON: line 1: duplicate object key"},
        {"{\"port\":\"8443\"}", "port: unknown; there are: ports, jobs, timeout_ms"},
        {"{\"ports\":8443}", "ports: a text is expected"},
        {"{\"ports\":\"8443,\"}", "ports "},
        {"{\"jobs\":0}", "jobs "},
        {"{\"jobs\":257}", "jobs "},
        {"{\"jobs\":\"8\"}", "jobs: a whole number is expected"},
        {"{\"timeout_ms\":60001}", "timeout_ms "},
        {"{\"timeout_ms\":-1}", "timeout_ms "},
    };
    struct running running;
    json_t *body;

    running_start(&running, FORGE_NOW);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *error;

        assert_int_equal(admin_preflight_start(&running.control, slice_text(cases[i].request), FORGE_NOW, &body), 400);
        error = json_string_value(json_object_get(body, "error"));
        if (strncmp(error, cases[i].begins, strlen(cases[i].begins)) != 0)
            fail_msg("%s: '%s'", cases[i].request, error);
        json_decref(body);
    }
    running_stop(&running);
}

/* The played daemon's names have no address: every origin is a row, and no packet leaves. */
static void a_run_is_asked_for_and_looked_at(void **state)
{
    struct running running;
    const json_t *report;
    json_t *body;

    running_start(&running, FORGE_NOW);
    assert_int_equal(admin_preflight_view(&running.control, false, &body), 200);
    assert_true(json_is_false(json_object_get(body, "running")));
    assert_true(json_is_null(json_object_get(body, "report")));
    assert_true(json_is_true(json_object_get(json_object_get(body, "ciphers"), "default")));
    json_decref(body);
    assert_int_equal(admin_preflight_start(&running.control, slice_text("{\"ports\":\"8443\"}"), FORGE_NOW, &body),
                     200);
    assert_true(json_is_true(json_object_get(body, "running")));
    json_decref(body);
    assert_int_equal(admin_preflight_start(&running.control, slice_of(NULL, 0), FORGE_NOW, &body), 409);
    json_decref(body);
    for (int i = 0; i < 500; i++) {
        bool under_way;

        prober_tick(running.control.prober, &running.control, FORGE_NOW + 1);
        assert_int_equal(admin_preflight_view(&running.control, false, &body), 200);
        under_way = json_is_true(json_object_get(body, "running"));
        if (!under_way)
            break;
        json_decref(body);
        usleep(10000);
    }
    report = json_object_get(body, "report");
    assert_int_equal(json_array_size(json_object_get(report, "rows")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(report, "summary"), "unknown")), 1);
    assert_string_equal(json_string_value(json_object_get(body, "finished")), "2023-11-14T22:13:21Z");
    assert_true(json_is_false(json_object_get(body, "idle_only")));
    json_decref(body);
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_requests_say_what_is_wrong),
        cmocka_unit_test(a_run_is_asked_for_and_looked_at),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
