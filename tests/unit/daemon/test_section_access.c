/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "access/access.h"
#include "daemon/sections.h"
#include "scratch.h"

#define HEADER "Url,Deployment,HttpMethods,MatchType,Description\n"

static void test_a_bad_list_is_refused_with_its_line(void **state)
{
    struct config *config = scratch_config("allow_list: bad.csv\n");
    struct problems problems = {0};

    assert_null(section_build_access(config, 1, NULL, &problems)); /* not there */
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.items[0], "good.yaml:11: allow_list "));
    problems_free(&problems);
    scratch_write("bad.csv", HEADER "https://a.lab/,1,GET,prefix,good\nnonsense\n");
    assert_null(section_build_access(config, 1, NULL, &problems));
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.items[0], "bad.csv:3: "));
    problems_free(&problems);
    config_free(config);
}

static void test_rules_of_the_list_and_of_nodes(void **state)
{
    const struct access_request request = {.method = {(const uint8_t *)"GET", 3},
                                           .https = true,
                                           .host = slice_text("cucm.steven.lab"),
                                           .port = 8443,
                                           .path = slice_text("/cucm-uds/user/emusk/devices")};
    struct config *config = scratch_config("allow_list: good.csv\n");
    struct access_decision decision;
    struct problems problems = {0};
    struct section *first, *second;

    scratch_write("good.csv", HEADER "https://cucm.steven.lab:8443/mine/,1,GET,prefix,mine\n");
    first = section_build_access(config, 1, NULL, &problems);
    assert_non_null(first);
    access_decide(first->rules, 0, &request, &decision);
    assert_true(decision.allowed);
    assert_int_equal(decision.rule->source, ACCESS_SOURCE_AUTOMATIC);
    assert_int_equal(decision.rule->line, 0);

    /* the same text: the same content; compiled patterns taken over */
    second = section_build_access(config, 1, first->rules, &problems);
    assert_non_null(second);
    assert_string_equal(text_get(&first->content), text_get(&second->content));
    section_drop(first);
    access_decide(second->rules, 0, &request, &decision);
    assert_true(decision.allowed);
    section_drop(second);
    config_free(config);
}

static void test_rules_that_nobody_can_use_are_told(void **state)
{
    struct config *config =
        scratch_config("allow_list: two.csv\ndomains: [{name: a.lab}, {name: b.lab, deployment: b}]\n");
    struct problems problems = {0};

    scratch_write("two.csv", HEADER "https://a.lab/,b,GET,prefix,used\nhttps://b.lab/,c,GET,prefix,idle\n"
                                    "https://c.lab/,1,GET,prefix,used\nhttps://d.lab/,c,GET,prefix,idle\n");
    section_drop(section_build_access(config, 1, NULL, &problems));
    assert_int_equal(problems.count, 0);
    assert_int_equal(problems.warning_count, 1);
    assert_non_null(strstr(problems.warnings[0],
                           "two.csv:3: rules of deployment c allow nothing: no domain is of that deployment"));
    problems_free(&problems);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bad_list_is_refused_with_its_line),
        cmocka_unit_test(test_rules_of_the_list_and_of_nodes),
        cmocka_unit_test(test_rules_that_nobody_can_use_are_told),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
