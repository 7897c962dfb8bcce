/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "daemon/view.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"

static const char *text(const json_t *object, const char *member)
{
    const char *out = json_string_value(json_object_get(object, member));

    assert_non_null(out);
    return out;
}

static bool has_alarm(const json_t *status, const char *part)
{
    const json_t *alarms = json_object_get(status, "alarms"), *alarm;
    size_t i;

    json_array_foreach(alarms, i, alarm) if (strstr(json_string_value(alarm), part) != NULL) return true;
    return false;
}

static void test_status(void **state)
{
    struct running running;
    struct change change;
    json_t *status;

    running_start(&running, FORGE_NOW);
    status = view_status(&running.control, false, FORGE_NOW + 5);
    assert_int_equal(json_integer_value(json_object_get(status, "uptime_s")), 5);
    assert_int_equal(json_integer_value(json_object_get(status, "generation")), 1);
    assert_string_equal(text(json_object_get(status, "verify"), "mode"), "enforced");
    assert_true(json_is_true(json_object_get(status, "ready")));
    assert_int_equal(json_array_size(json_object_get(status, "cores")), 2);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(status, "memory"), "buffers_in_use")), 0);
    assert_true(has_alarm(status, "cucm.steven.lab has no address: not resolved yet"));
    assert_false(has_alarm(status, "verification"));
    json_decref(status);

    control_set_verify(&running.control, &(struct verify_target){0}, VERIFY_DISABLED, FORGE_NOW + 60, &change);
    change_free(&change);
    status = view_status(&running.control, true, FORGE_NOW + FORGE_YEAR - 86400);
    assert_true(has_alarm(status, "verification of origins is disabled"));
    assert_true(has_alarm(status, "our certificate server.pem expires within 14 days"));
    assert_string_equal(text(json_object_get(status, "verify"), "until"), "2023-11-14T22:14:20Z");
    assert_string_equal(text(status, "not_ready"), "draining");
    json_decref(status);
    control_set_verify(&running.control, &(struct verify_target){0}, VERIFY_ENFORCED, 0, &change);
    change_free(&change);
    /* the second IPv6 address of the file, on any core */
    struct config_interface own[3] = {{.prefix_length = 111}, {.prefix_length = 64}, {.prefix_length = 64}};
    const struct config_interfaces before = running.control.config->root.port.address;
    const char *const texts[] = {"198.18.0.10", "2001:db8::1", "2001:db8::2"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(address_parse(slice_text(texts[i]), &own[i].address), ASSAY_OK);
    running.control.config->root.port.address = (struct config_interfaces){3, own};
    running.cores[1].duplicates = 2;
    status = view_status(&running.control, false, FORGE_NOW);
    assert_true(has_alarm(status, "another host has our address 2001:db8::2: it is not used"));
    assert_false(has_alarm(status, "2001:db8::1"));
    json_decref(status);
    running.control.config->root.port.address = before;
    running_stop(&running);
}

static void test_ready(void **state)
{
    struct running running;
    const char *why;

    running_start(&running, FORGE_NOW);
    assert_true(view_ready(&running.control, false, &why));
    assert_false(view_ready(&running.control, true, &why));
    assert_string_equal(why, "draining");
    running.fleet.running = false;
    assert_false(view_ready(&running.control, false, &why));
    running.fleet.running = true;
    running.control.config->root.maintenance = true;
    assert_false(view_ready(&running.control, false, &why));
    assert_string_equal(why, "maintenance");
    running_stop(&running);
}

static void test_certificates(void **state)
{
    struct forge hostile = {.subject = "a\"b\ncaf\xe9",
                            .key = forge_key(FORGE_P256, 2),
                            .not_before = FORGE_NOW - 2 * FORGE_YEAR,
                            .not_after = FORGE_NOW - 1,
                            .extensions = {forge_san(forge_join(forge_dns("a.lab"), forge_ip("198.18.2.11")))}};
    struct problems problems = {0};
    struct trust *trust = trust_read(forge_certificate(&hostile), "upload", -1, &problems);
    json_t *view, *row, *added;
    char *dumped;

    assert_non_null(trust);
    view = view_trust(trust, FORGE_NOW);
    row = json_array_get(json_object_get(view, "certificates"), 0);
    assert_string_equal(text(row, "role"), "leaf-only");
    assert_string_equal(text(row, "type"), "self-signed");
    assert_string_equal(text(row, "key"), "EC P-256");
    assert_true(json_is_true(json_object_get(row, "expired")));
    assert_true(json_is_null(json_object_get(row, "file")));
    assert_int_equal(json_array_size(json_object_get(row, "names")), 2);
    assert_null(strchr(text(row, "common_name"), '\n'));
    dumped = json_dumps(view, 0); /* all of it is UTF-8 */
    assert_non_null(dumped);
    free(dumped);
    json_decref(view);

    row = view_certificate(&trust->entries[0], true, FORGE_NOW);
    assert_non_null(strstr(text(row, "pem"), "-----BEGIN CERTIFICATE-----"));
    assert_non_null(strstr(text(row, "text"), "subject:"));
    json_decref(row);
    added = view_added(trust, FORGE_NOW);
    assert_string_equal(text(json_array_get(added, 0), "result"), "present"); /* no file was written for it */
    json_decref(added);
    trust_free(trust);
}

static void test_changes_and_problems(void **state)
{
    struct change change = {.published = true, .generation = 4, .adopted = true, .adopted_ms = 0.25};
    json_t *object = json_object(), *list;

    problems_add(&change.problems, "a", 1, "bad \xff byte");
    problems_warn(&change.problems, "a", 0, "odd");
    text_add_text(&change.restart_keys, "cores");
    view_add_change(object, &change);
    assert_int_equal(json_integer_value(json_object_get(object, "generation")), 4);
    assert_true(json_real_value(json_object_get(object, "adopted_ms")) == 0.25);
    assert_string_equal(text(object, "needs_restart"), "cores");
    assert_string_equal(json_string_value(json_array_get(json_object_get(object, "warnings"), 0)), "a: odd");
    list = view_problems(&change.problems);
    assert_string_equal(json_string_value(json_array_get(list, 0)), "a:1: bad ? byte");
    json_decref(list);
    json_decref(object);
    change_free(&change);
}

static void test_names(void **state)
{
    struct running running;
    json_t *view, *row;

    running_start(&running, FORGE_NOW);
    names_fail(&running.control.names, slice_text("cucm.steven.lab"), "NXDOMAIN");
    view = view_names(&running.control.names);
    row = json_array_get(json_object_get(view, "names"), 0);
    assert_string_equal(text(row, "name"), "cucm.steven.lab");
    assert_string_equal(text(row, "error"), "NXDOMAIN");
    json_decref(view);
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),       cmocka_unit_test(test_ready),
        cmocka_unit_test(test_certificates), cmocka_unit_test(test_changes_and_problems),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
