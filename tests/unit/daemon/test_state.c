/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/state.h"
#include "scratch.h"

static void test_last_good_configuration(void **state)
{
    struct config *config = scratch_config("# one\n"), *next = scratch_config("# two\n");
    struct problems problems = {0};
    struct text text = {0};
    const char *file, *directory;

    scratch_write("good.yaml", "");
    scratch_make("elsewhere");
    scratch_write("elsewhere/good.yaml", "");
    file = scratch_path("good.yaml");
    directory = scratch_path("state");
    assert_false(state_read_good(directory, file, &text, &problems));
    assert_false(state_read_good(NULL, file, &text, &problems));
    state_save_config(NULL, file, config, &problems);
    state_save_config(directory, file, config, &problems); /* the directory is made */
    state_save_config(directory, file, next, &problems);
    assert_int_equal(problems.warning_count, 0);
    assert_true(state_read_good(directory, file, &text, &problems));
    assert_memory_equal(text.data, next->text, next->text_length);
    assert_int_equal(text.len, next->text_length);
    text_clear(&text);
    /* that of another configuration file is not ours */
    assert_false(state_read_good(directory, scratch_path("elsewhere/good.yaml"), &text, &problems));
    assert_int_equal(problems.warning_count, 1);
    assert_non_null(strstr(problems.warnings[0], "state/good.yaml.good:1: not used: the first line is not \"# of "));
    problems_free(&problems);
    text_free(&text);
    config_free(config);
    config_free(next);
}

static void test_a_state_that_cannot_be_written_is_a_warning(void **state)
{
    const struct verify_switches verify = {.global = {true, VERIFY_PERMISSIVE, 0}};
    struct config *config = scratch_config("");
    struct problems problems = {0};

    scratch_write("taken", "a file");
    state_save_config(scratch_path("taken"), scratch_path("good.yaml"), config, &problems);
    state_save_verify(scratch_path("nowhere/below"), scratch_path("good.yaml"), &verify, &problems);
    assert_int_equal(problems.count, 0);
    assert_int_equal(problems.warning_count, 2);
    problems_free(&problems);
    config_free(config);
}

static void test_switch(void **state)
{
    static const struct {
        struct verify_switch saved;
        uint64_t now_s;
        struct verify_switch loaded;
    } cases[] = {
        {{true, VERIFY_PERMISSIVE, 0}, 1000, {true, VERIFY_PERMISSIVE, 0}},
        {{true, VERIFY_DISABLED, 2000}, 1999, {true, VERIFY_DISABLED, 2000}},
        {{true, VERIFY_DISABLED, 2000}, 2000, {false, VERIFY_ENFORCED, 0}}, /* over */
        {{false, VERIFY_ENFORCED, 0}, 1000, {false, VERIFY_ENFORCED, 0}},
    };
    const char *file = scratch_path("good.yaml"), *directory = scratch_path("state2");
    struct problems problems = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verify_switches verify;

        state_save_verify(directory, file, &(struct verify_switches){.global = cases[i].saved}, &problems);
        state_load_verify(directory, file, cases[i].now_s, &verify, &problems);
        assert_int_equal(verify.global.set, cases[i].loaded.set);
        assert_int_equal(verify.global.mode, cases[i].loaded.mode);
        assert_int_equal(verify.global.until_s, cases[i].loaded.until_s);
    }
    assert_int_equal(problems.warning_count, 0);
}

static void test_switches_of_deployments_and_origins(void **state)
{
    const struct verify_target named = {.deployment = "Berlin and around"}, host = {.host = "2001:db8::11"},
                               port = {.host = "cucm.steven.lab", .port = 6972};
    const char *file = scratch_path("good.yaml"), *directory = scratch_path("state4");
    struct verify_switches saved = {0}, loaded;
    struct problems problems = {0};

    switches_put(&saved, &named, (struct verify_switch){true, VERIFY_PERMISSIVE, 0});
    switches_put(&saved, &host, (struct verify_switch){true, VERIFY_DISABLED, 1000});
    switches_put(&saved, &port, (struct verify_switch){true, VERIFY_ENFORCED, 2000});
    state_save_verify(directory, file, &saved, &problems);
    state_load_verify(directory, file, 1000, &loaded, &problems);
    assert_false(loaded.global.set);
    assert_int_equal(loaded.count, 2); /* one was over */
    assert_int_equal(switches_find(&loaded, &named)->mode, VERIFY_PERMISSIVE);
    assert_int_equal(switches_find(&loaded, &port)->mode, VERIFY_ENFORCED);
    assert_int_equal(switches_find(&loaded, &port)->until_s, 2000);
    switches_free(&loaded);
    switches_free(&saved);
    state_save_verify(directory, file, &saved, &problems); /* nothing is switched: no file */
    assert_false(scratch_exists("state4/good.yaml.verify"));
    assert_int_equal(problems.warning_count, 0);
}

/* Whatever somebody wrote there does not become a mode. */
static void test_a_broken_switch_is_none(void **state)
{
    static const char *const bodies[] = {"",
                                         "mode",
                                         "mode 7 until 0\n",
                                         "mode -1 until 0\n",
                                         "mode 1\n",
                                         "deployment 1 until 0\n",
                                         "deployment 1 until 0 \n",
                                         "deployment 9 until 0 a\n",
                                         "origin 1 until 0 443\n",
                                         "origin 1 until 0 70000 a.lab\n",
                                         "origin 1 until 0 a.lab\n"};
    const struct verify_switches set = {.global = {true, VERIFY_PERMISSIVE, 0}};
    struct problems problems = {0};

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct verify_switches verify = {.global = {true, VERIFY_DISABLED, 9}};
        struct text content = {0};
        char *end;

        state_save_verify(scratch_path("state3"), scratch_path("good.yaml"), &set, &problems);
        assert_int_equal(text_read_file(&content, scratch_path("state3/good.yaml.verify"), 4096), ASSAY_OK);
        end = strchr(content.data, '\n') + 1;
        content.len = (size_t)(end - content.data);
        text_add_text(&content, bodies[i]);
        scratch_write_slice("state3/good.yaml.verify", text_slice(&content));
        state_load_verify(scratch_path("state3"), scratch_path("good.yaml"), 5, &verify, &problems);
        assert_false(verify.global.set);
        assert_int_equal(verify.global.mode, VERIFY_ENFORCED);
        assert_int_equal(verify.count, 0);
        /* and the operator, who had switched something, hears of it */
        assert_int_equal(problems.warning_count, bodies[i][0] != '\0');
        if (problems.warning_count > 0)
            assert_non_null(strstr(problems.warnings[0], "state3/good.yaml.verify:2: not used: "));
        problems_free(&problems);
        text_free(&content);
    }
}

/* It is there and cannot be used: that is said, and nothing of it is taken. */
static void test_a_state_that_cannot_be_read_is_a_warning(void **state)
{
    const char *file = scratch_path("good.yaml"), *directory = scratch_path("state5");
    struct verify_switches verify;
    struct problems problems = {0};
    struct text text = {0};

    scratch_make("state5");
    scratch_make("state5/good.yaml.verify"); /* a directory of that name */
    scratch_make("state5/good.yaml.registry");
    state_load_verify(directory, file, 5, &verify, &problems);
    assert_false(verify.global.set);
    assert_false(state_read_registry(directory, file, &text, &problems));
    assert_false(state_read_good(directory, file, &text, &problems)); /* none: nothing to say */
    assert_int_equal(problems.count, 0);
    assert_int_equal(problems.warning_count, 2);
    assert_non_null(strstr(problems.warnings[0], "good.yaml.verify: not used: cannot be read: "));
    assert_non_null(strstr(problems.warnings[1], "good.yaml.registry: not used: cannot be read: "));
    assert_int_equal(text.len, 0);
    problems_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_good_configuration),
        cmocka_unit_test(test_a_state_that_cannot_be_written_is_a_warning),
        cmocka_unit_test(test_switch),
        cmocka_unit_test(test_switches_of_deployments_and_origins),
        cmocka_unit_test(test_a_broken_switch_is_none),
        cmocka_unit_test(test_a_state_that_cannot_be_read_is_a_warning),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
