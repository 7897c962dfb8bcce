/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/view.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"

static const char *text(const json_t *rows, size_t i, const char *member)
{
    const char *value = json_string_value(json_object_get(json_array_get(rows, i), member));

    return value != NULL ? value : "(none)";
}

static void every_scope_is_a_row_with_what_comes_of_it(void **state)
{
    struct running running;
    struct change change;
    struct text file = {0};
    json_t *rows;

    scratch_good();
    scratch_make("two");
    SCRATCH_PEM("two/c.pem", scratch_ca("c", 3));
    text_printf(&file, "%s%s", scratch_good_yaml,
                "deployments: [{name: two, trust: {directory: two}, verify: {profile: webpki}}]\n"
                "origins: [{hosts: \"imp.lab:7336\", verify: {revocation: soft-fail, properties: signature}}]\n");
    scratch_write("good.yaml", text_get(&file));
    text_free(&file);
    running_start(&running, FORGE_NOW);
    assert_true(control_set_verify(&running.control, &(struct verify_target){.deployment = "two"}, VERIFY_PERMISSIVE,
                                   FORGE_NOW + 60, &change));
    change_free(&change);
    rows = view_scopes(&running.control);
    assert_int_equal(json_array_size(rows), 4);
    assert_string_equal(text(rows, 0, "scope"), "global");
    assert_string_equal(text(rows, 0, "store"), "global");
    assert_true(json_is_false(json_object_get(json_array_get(rows, 0), "switched")));
    assert_string_equal(text(rows, 1, "scope"), "deployment two");
    assert_string_equal(text(rows, 1, "mode"), "permissive");
    assert_string_equal(text(rows, 1, "profile"), "webpki");
    assert_string_equal(text(rows, 1, "store"), "deployment two");
    assert_true(json_is_true(json_object_get(json_array_get(rows, 1), "switched")));
    assert_string_equal(text(rows, 1, "until"), "2023-11-14T22:14:20Z");
    assert_string_equal(text(rows, 2, "scope"), "origin imp.lab:7336");
    assert_string_equal(text(rows, 2, "properties"), "signature");
    assert_string_equal(text(rows, 2, "revocation"), "soft-fail");
    assert_string_equal(text(rows, 2, "store"), "global");
    assert_string_equal(text(rows, 3, "scope"), "origin imp.lab:7336 (deployment two)");
    assert_string_equal(text(rows, 3, "mode"), "permissive");
    assert_string_equal(text(rows, 3, "store"), "deployment two");
    json_decref(rows);
    running_stop(&running);
    scratch_write("good.yaml", scratch_good_yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_scope_is_a_row_with_what_comes_of_it)};

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
