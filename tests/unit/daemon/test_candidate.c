/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/candidate.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"

#define NOW FORGE_NOW

static struct config *good_config(struct problems *problems)
{
    return config_load(scratch_path("good.yaml"), problems);
}

static void test_a_file_that_cannot_be_read(void **state)
{
    struct candidate candidate = {0};
    struct problems problems = {0};

    assert_false(candidate_read(&candidate, config_load(scratch_path("nowhere.yaml"), &problems), NULL, &problems));
    assert_int_equal(problems.count, 1);
    assert_null(candidate.config);
    candidate_free(&candidate);
    problems_free(&problems);
}

/* Faults of the values and of the trust come together: the operator sees all of them at once. */
static void test_every_fault_is_named(void **state)
{
    struct candidate candidate = {0};
    struct problems problems = {0};
    struct text text = {0};

    scratch_make("junk");
    scratch_write("junk/a.pem", "no certificate\n");
    text_printf(&text, "%scores: [1, 1]\ndeployments: [{name: branch, trust: {directory: junk}}]\n", scratch_good_yaml);
    assert_false(candidate_read(&candidate, config_parse(text_slice(&text), scratch_path("good.yaml"), &problems), NULL,
                                &problems));
    assert_int_equal(problems.count, 2);
    assert_non_null(strstr(problems.items[0], "cores"));
    assert_non_null(strstr(problems.items[1], "junk/a.pem"));
    candidate_free(&candidate);
    problems_free(&problems);
    text_free(&text);
}

/* What would be the same is what runs, so that its epoch stays; the route waits for the names. */
static void test_sections_that_run_are_taken_again(void **state)
{
    struct candidate candidate = {0};
    struct problems problems = {0};
    struct running running;
    struct publisher *publisher;

    running_start(&running, NOW);
    publisher = &running.control.publisher;
    assert_true(candidate_read(&candidate, good_config(&problems), running.control.trust, &problems));
    assert_true(candidate_build(&candidate, &running.control, NOW, &problems));
    assert_null(candidate.sections[SECTION_ROUTE]);
    assert_true(candidate_finish(&candidate, &running.control, &problems));
    for (enum section_kind kind = 0; kind < SECTION_COUNT; kind++)
        assert_ptr_equal(candidate.sections[kind], publisher_section(publisher, kind));
    assert_int_equal(problems.count, 0);
    candidate_free(&candidate);
    assert_null(candidate.config);
    problems_free(&problems);
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_that_cannot_be_read),
        cmocka_unit_test(test_every_fault_is_named),
        cmocka_unit_test(test_sections_that_run_are_taken_again),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
