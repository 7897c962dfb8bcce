/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/admin_request.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"

/* "max=3" is the whole query of a test. */
static const char *query_of(const void *arg, const char *name)
{
    const char *query = arg;
    size_t len = strlen(name);

    if (query == NULL || strncmp(query, name, len) != 0 || query[len] != '=')
        return NULL;
    return query + len + 1;
}

static json_t *ask(struct running *running, const char *method, const char *path, const char *query, struct slice body,
                   unsigned status)
{
    struct admin_request request = {method, path, query_of, query, body, NULL};
    struct admin_answer answer = {0};

    admin_answer(&running->control, false, FORGE_NOW, &request, &answer);
    assert_non_null(answer.body);
    if (answer.status != status)
        fail_msg("%s %s: %u, expected %u", method, path, answer.status, status);
    return answer.body;
}

static const struct slice none = {NULL, 0};

static void test_refused(void **state)
{
    static const struct {
        const char *method, *path, *query, *body;
        unsigned status;
    } cases[] = {
        {"GET", "/", NULL, "", 404},
        {"GET", "/v1", NULL, "", 404},
        {"GET", "/v1/statusx", NULL, "", 404},
        {"GET", "/v1/status/", NULL, "", 404},
        {"POST", "/v1/status", NULL, "", 405},
        {"GET", "/v1/reload", NULL, "", 405},
        {"PUT", "/v1/trust", NULL, "", 405},
        {"GET", "/v1/trust/", NULL, "", 404},
        {"GET", "/v1/trust/xyz", NULL, "", 400},
        {"GET", "/v1/trust/../../etc/passwd", NULL, "", 400},
        {"GET", "/v1/trust/00000000", NULL, "", 404},
        {"DELETE", "/v1/trust", NULL, "", 400},
        {"DELETE", "/v1/trust/00000000", NULL, "", 404},
        {"POST", "/v1/trust", "role=root", "", 400},
        {"POST", "/v1/trust", NULL, "junk", 422},
        {"POST", "/v1/verify", NULL, "", 400},
        {"POST", "/v1/verify", NULL, "{}", 400},
        {"POST", "/v1/verify", NULL, "[1]", 400},
        {"POST", "/v1/verify", NULL, "{\"mode\":\"maybe\"}", 400},
        {"POST", "/v1/verify", NULL, "{\"mode\":\"off\",\"for_s\":-1}", 400},
        {"POST", "/v1/verify", NULL, "{\"mode\":\"off\",\"for_s\":99999999999}", 400},
        /* what is not understood must not mean: all of them, for ever */
        {"POST", "/v1/verify", NULL, "{\"mode\":\"off\",\"for_s\":\"4h\"}", 400},
        {"POST", "/v1/verify", NULL, "{\"mode\":\"off\",\"for_s\":3.5}", 400},
        {"POST", "/v1/verify", NULL, "{\"mode\":\"off\",\"for\":60}", 400},
        {"POST", "/v1/verify", NULL, "{\"mode\":\"off\",\"deployment\":1}", 400},
        {"POST", "/v1/verify", NULL, "{\"mode\":\"off\",\"origin\":null}", 400},
        {"POST", "/v1/verify", NULL, "{\"mode\":\"off\",\"host\":\"cucm.steven.lab\"}", 400},
        {"POST", "/v1/verify", NULL, "{\"mode\":\"off\",\"mode\":\"on\"}", 400},
        {"POST", "/v1/enforce", NULL, "{\"dryrun\":true}", 400},
        {"POST", "/v1/enforce", NULL, "{\"dry_run\":1}", 400},
        {"POST", "/v1/enforce", NULL, "{\"force\":\"true\"}", 400},
        {"POST", "/v1/enforce", NULL, "[]", 400},
        {"GET", "/v1/verdicts", "max=3rows", "", 400},
        {"GET", "/v1/verdicts", "max=99999999999999999999999", "", 400},
        {"GET", "/v1/expiry", "days=30d", "", 400},
        {"GET", "/v1/expiry", "days=100001", "", 400},
        {"GET", "/v1/verdicts", "max=0", "", 400},
        {"GET", "/v1/verdicts", "max=100001", "", 400},
        {"GET", "/v1/verdicts", "max=-1", "", 400},
        {"GET", "/v1/connections", "max=0", "", 400},
        {"GET", "/v1/connections", "state=LISTEN", "", 400},
        {"GET", "/v1/connections", "sort=colour", "", 400},
        {"GET", "/v1/registry", "max=0", "", 400},
        {"GET", "/v1/registry", "port=0", "", 400},
        {"GET", "/v1/registry", "port=65536", "", 400},
        {"GET", "/v1/registry", "port=x", "", 400},
        {"GET", "/v1/registry", "host=..", "", 400},
        {"POST", "/v1/registry", NULL, "", 405},
    };
    struct running running;

    running_start(&running, FORGE_NOW);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *body =
            ask(&running, cases[i].method, cases[i].path, cases[i].query, slice_text(cases[i].body), cases[i].status);

        assert_non_null(json_string_value(json_object_get(body, "error")));
        json_decref(body);
    }
    assert_int_equal(running.control.publisher.generation, 1); /* nothing of it did anything */
    running_stop(&running);
}

static void test_views(void **state)
{
    static const struct {
        const char *path, *member;
    } cases[] = {{"/v1/status", "generation"}, {"/v1/ready", "ready"},     {"/v1/trust", "certificates"},
                 {"/v1/verdicts", "verdicts"}, {"/v1/origins", "origins"}, {"/v1/connections", "connections"},
                 {"/v1/names", "names"},       {"/v1/stats", "total"},     {"/v1/registry", "entries"}};
    struct running running;

    running_start(&running, FORGE_NOW);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *body = ask(&running, "GET", cases[i].path, NULL, none, 200);

        assert_non_null(json_object_get(body, cases[i].member));
        json_decref(body);
    }
    {
        json_t *body = ask(&running, "GET", "/v1/connections", "sort=bytes_in", none, 200);
        const json_t *rows = json_object_get(body, "connections");

        assert_int_equal(json_array_size(rows), 4);
        assert_int_equal(json_integer_value(json_object_get(json_array_get(rows, 0), "core")), 1);
        json_decref(body);
    }
    running.cores[1].refuses = true;
    json_decref(ask(&running, "GET", "/v1/origins", NULL, none, 503));
    json_decref(ask(&running, "GET", "/v1/connections", NULL, none, 503));
    running.fleet.running = false;
    json_decref(ask(&running, "GET", "/v1/origins", NULL, none, 503));
    json_decref(ask(&running, "GET", "/v1/ready", NULL, none, 503));
    running_stop(&running);
}

static void test_trust(void **state)
{
    struct running running;
    char path[128];
    json_t *body, *row;

    running_start(&running, FORGE_NOW);
    body = ask(&running, "POST", "/v1/trust", NULL, scratch_ca("root", 1), 200);
    assert_int_equal(json_integer_value(json_object_get(body, "generation")), 2);
    assert_true(json_is_true(json_object_get(body, "published")));
    row = json_array_get(json_object_get(body, "certificates"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "role")), "anchor");
    assert_string_equal(json_string_value(json_object_get(row, "result")), "added");
    snprintf(path, sizeof(path), "/v1/trust/%s", json_string_value(json_object_get(row, "sha256")));
    json_decref(body);

    body = ask(&running, "POST", "/v1/trust", "role=helper", scratch_ca("sub", 2), 200);
    row = json_array_get(json_object_get(body, "certificates"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "role")), "helper");
    assert_true(json_is_false(json_object_get(row, "role_proposed")));
    json_decref(body);

    body = ask(&running, "GET", path, NULL, none, 200);
    assert_non_null(json_string_value(json_object_get(body, "pem")));
    json_decref(body);
    body = ask(&running, "DELETE", path, NULL, none, 200);
    assert_string_equal(json_string_value(json_object_get(body, "removed")), path + strlen("/v1/trust/"));
    json_decref(body);
    json_decref(ask(&running, "GET", path, NULL, none, 404));
    running_stop(&running);
}

static void test_reload_and_verify(void **state)
{
    struct running running;
    json_t *body;

    running_start(&running, FORGE_NOW);
    body = ask(&running, "POST", "/v1/reload", NULL, none, 200);
    assert_true(json_is_false(json_object_get(body, "published")));
    json_decref(body);
    scratch_write("good.yaml", "listner: 1\n");
    body = ask(&running, "POST", "/v1/reload", NULL, none, 422);
    assert_non_null(strstr(json_string_value(json_array_get(json_object_get(body, "problems"), 0)),
                           "good.yaml:1: listner: unknown key"));
    json_decref(body);
    scratch_write("good.yaml", scratch_good_yaml);

    body = ask(&running, "POST", "/v1/verify", NULL, slice_text("{\"mode\":\"off\",\"for_s\":60}"), 200);
    assert_string_equal(json_string_value(json_object_get(body, "mode")), "permissive");
    json_decref(body);
    assert_int_equal(running.control.verify.global.until_s, FORGE_NOW + 60);
    body = ask(&running, "POST", "/v1/verify", NULL, slice_text("{\"mode\":\"on\"}"), 200);
    assert_string_equal(json_string_value(json_object_get(body, "mode")), "enforced");
    json_decref(body);
    assert_false(running.control.verify.global.set);
    running_stop(&running);
}

static void test_verify_of_deployments_and_origins(void **state)
{
    static const char *const wrong[] = {"{\"mode\":\"off\",\"deployment\":\"nobody\"}",
                                        "{\"mode\":\"off\",\"origin\":\"default\"}",
                                        "{\"mode\":\"off\",\"origin\":\"a.lab:0\"}",
                                        "{\"mode\":\"off\",\"origin\":\"a_b c\"}",
                                        "{\"mode\":\"off\",\"deployment\":\"1\",\"origin\":\"a.lab\"}",
                                        "{\"mode\":\"wide\",\"origin\":\"a.lab\"}"};
    struct running running;
    json_t *body;

    running_start(&running, FORGE_NOW);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        json_decref(ask(&running, "POST", "/v1/verify", NULL, slice_text(wrong[i]), 400));
    json_decref(ask(&running, "POST", "/v1/verify", NULL,
                    slice_text("{\"mode\":\"off\",\"origin\":\"CUCM.steven.lab:6972\"}"), 200));
    json_decref(ask(&running, "POST", "/v1/verify", NULL,
                    slice_text("{\"mode\":\"on\",\"deployment\":\"1\",\"for_s\":5}"), 200));
    assert_int_equal(running.control.verify.count, 2);
    assert_string_equal(running.control.verify.items[0].target.host, "cucm.steven.lab");
    assert_int_equal(publisher_snapshot(&running.control.publisher)->trust->scope_count, 4);
    /* All: what does not follow is said. */
    body = ask(&running, "POST", "/v1/verify", NULL, slice_text("{\"mode\":\"disabled\"}"), 200);
    assert_int_equal(json_array_size(json_object_get(body, "warnings")), 3);
    assert_string_equal(json_string_value(json_array_get(json_object_get(body, "warnings"), 0)),
                        "deployment 1: stays enforced: it has a mode of its own");
    json_decref(body);
    json_decref(ask(&running, "POST", "/v1/verify", NULL,
                    slice_text("{\"mode\":\"inherit\",\"origin\":\"cucm.steven.lab:6972\"}"), 200));
    json_decref(ask(&running, "POST", "/v1/verify", NULL, slice_text("{\"mode\":\"inherit\"}"), 200));
    assert_int_equal(running.control.verify.count, 1);
    assert_false(running.control.verify.global.set);
    json_decref(ask(&running, "GET", "/v1/trust", "deployment=1", none, 404)); /* it has no store of its own */
    /* A deployment that was switched and is not in the file any more can be switched back. */
    switches_put(&running.control.verify, &(struct verify_target){.deployment = "gone"},
                 (struct verify_switch){true, VERIFY_PERMISSIVE, 0});
    json_decref(
        ask(&running, "POST", "/v1/verify", NULL, slice_text("{\"mode\":\"inherit\",\"deployment\":\"gone\"}"), 200));
    assert_int_equal(running.control.verify.count, 1);
    running_stop(&running);
}

/* RFC 9110: HEAD is there where GET is (§9.3.2), and a 405 says what is there (§15.5.6). */
static void test_methods(void **state)
{
    static const struct {
        const char *method, *path;
        unsigned status;
        const char *allow;
    } cases[] = {{"HEAD", "/v1/status", 200, ""},
                 {"HEAD", "/v1/ready", 200, ""},
                 {"HEAD", "/v1/reload", 405, "POST"},
                 {"POST", "/v1/status", 405, "GET, HEAD"},
                 {"PUT", "/v1/trust", 405, "GET, HEAD, POST, DELETE"},
                 {"HEAD", "/v1/nothing", 404, ""}};
    struct running running;

    running_start(&running, FORGE_NOW);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct admin_request request = {cases[i].method, cases[i].path, query_of, NULL, none, NULL};
        struct admin_answer answer = {0};

        admin_answer(&running.control, false, FORGE_NOW, &request, &answer);
        assert_int_equal(answer.status, cases[i].status);
        assert_string_equal(answer.allow, cases[i].allow);
        json_decref(answer.body);
    }
    running_stop(&running);
}

/* The public listener answers one question. */
static void test_readiness_listener(void **state)
{
    static const struct {
        const char *method, *path;
        bool draining;
        unsigned status;
    } cases[] = {
        {"GET", "/v1/ready", false, 200},    {"HEAD", "/v1/ready", false, 200}, {"GET", "/v1/ready", true, 503},
        {"HEAD", "/v1/ready", true, 503},    {"GET", "/v1/status", false, 404}, {"POST", "/v1/reload", false, 404},
        {"DELETE", "/v1/trust", false, 404}, {"GET", "/v1/trust", false, 404},  {"POST", "/v1/ready", false, 405}};
    struct running running;

    running_start(&running, FORGE_NOW);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct admin_request request = {cases[i].method, cases[i].path, query_of, NULL, none, NULL};
        struct admin_answer answer = {0};

        admin_answer_ready(&running.control, cases[i].draining, &request, &answer);
        assert_int_equal(answer.status, cases[i].status);
        json_decref(answer.body);
    }
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_trust),
        cmocka_unit_test(test_reload_and_verify),
        cmocka_unit_test(test_verify_of_deployments_and_origins),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_readiness_listener),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
