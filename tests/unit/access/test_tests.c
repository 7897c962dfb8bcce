/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "access/access.h"

#define HEADER "Url,ExpectedResult,Deployment,Description,HttpMethod\r\n"
#define RULES  "Url,Deployment,HttpMethods,MatchType,Description\r\n"

static void refuses_a_whole_file(void **state)
{
    static const struct {
        const char *text;
        uint32_t line;
        enum assay_error error;
    } rows[] = {
        {"", 1, ASSAY_ERR_MALFORMED},
        {RULES, 1, ASSAY_ERR_MALFORMED},
        {HEADER "https://h/,allow,1,x\r\n", 2, ASSAY_ERR_MALFORMED},
        {HEADER "https://h/,allow,1,x,GET,\r\n", 2, ASSAY_ERR_MALFORMED},
        {HEADER "https://h/,allowed,1,x,GET\r\n", 2, ASSAY_ERR_RANGE},
        {HEADER "https://h/,,1,x,GET\r\n", 2, ASSAY_ERR_RANGE},
        {HEADER "https://h/,allow,1,x,get\r\n", 2, ASSAY_ERR_RANGE},
        {HEADER "https://h/,allow,1,x,\"GET,PUT\"\r\n", 2, ASSAY_ERR_RANGE},
        {HEADER "https://h/,block,,,\r\n\r\nh/,block,,,\r\n", 4, ASSAY_ERR_MALFORMED},
        {HEADER "https://h:0/,block,,,\r\n", 2, ASSAY_ERR_MALFORMED},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct access_tests *tests = NULL;
        uint32_t line = 0;
        const char *fault = NULL;

        if (access_tests_read(slice_text(rows[i].text), &tests, &line, &fault) != rows[i].error ||
            line != rows[i].line || fault[0] == 0 || tests != NULL)
            fail_msg("%zu: line %u: %s", i, line, fault);
    }
}

/* What each row gets of two rules. */
static void decides_as_a_request_would_be(void **state)
{
    static const char rules[] = RULES "https://cucm.steven.lab:8443/cucm-uds/,2,\"GET,PUT\",prefix,x\r\n"
                                      "http://tftp.steven.lab:6970/a.cnf.xml,1,,exact,x\r\n";
    static const struct {
        const char *row;
        bool allowed;
        const char *reason;
    } rows[] = {
        {"https://cucm.steven.lab:8443/cucm-uds/user/emusk?max=1,allow,2,x,", true, "In allow list"},
        {"HTTPS://CUCM.steven.lab:8443/cucm-uds/,allow,2,x,PUT", true, "In allow list"},
        {"https://cucm.steven.lab:8443/cucm-uds/,block,,x,DELETE", false, "Method not allowed by rule"},
        {"https://cucm.steven.lab/cucm-uds/,Block,,x,GET", false, "Not in allow list"},
        {"http://cucm.steven.lab:8443/cucm-uds/,block,,x,GET", false, "Not in allow list"},
        {"https://cucm.steven.lab:8443/cucm-uds/../axl/,block,,x,GET", false, NULL},
        {"https://cucm.steven.lab:8443,block,,x,GET", false, "Not in allow list"},
        {"https://cucm.steven.lab:8443?a,block,,x,GET", false, NULL},
        {"http://tftp.steven.lab:6970/a.cnf.xml,allow,1,\"one, two\",GET", true, "In allow list"},
        {"http://tftp.steven.lab:6970/a.cnf.xml/,block,1,,GET", false, "Not in allow list"},
    };
    struct access_builder *builder = access_builder_create();
    struct access_set *set;
    const char *fault;
    uint32_t line;

    assert_int_equal(access_builder_add_csv(builder, slice_text(rules), &line, &fault), ASSAY_OK);
    assert_int_equal(access_builder_finish(builder, 1, &set), ASSAY_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct access_tests *tests;
        struct access_decision decision;
        char text[512] = HEADER;

        strcat(text, rows[i].row);
        assert_int_equal(access_tests_read(slice_text(text), &tests, &line, &fault), ASSAY_OK);
        assert_int_equal(access_tests_count(tests), 1);
        assert_int_equal(access_tests_at(tests, 0)->line, 2);
        assert_int_equal(access_tests_at(tests, 0)->allow, rows[i].allowed);
        access_test_decide(set, access_tests_at(tests, 0), &decision);
        if (decision.allowed != rows[i].allowed || (rows[i].reason && strcmp(decision.reason, rows[i].reason) != 0))
            fail_msg("%zu: %d %s", i, decision.allowed, decision.reason);
        assert_true((decision.rule != NULL) == decision.allowed && decision.reason[0] != 0);
        access_tests_free(tests);
    }
    access_set_free(set);
    access_builder_free(builder);
}

static void keeps_the_texts_of_many_rows(void **state)
{
    char text[8192] = HEADER;
    struct access_tests *tests;
    const char *fault;
    uint32_t line;

    for (int i = 0; i < 100; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "http://h/%d,block,d%d,text %d,%s\n", i, i, i,
                 i % 2 ? "PUT" : "");
    assert_int_equal(access_tests_read(slice_text(text), &tests, &line, &fault), ASSAY_OK);
    assert_int_equal(access_tests_count(tests), 100);
    for (int i = 0; i < 100; i++) {
        const struct access_test *test = access_tests_at(tests, (size_t)i);
        char expected[32];

        snprintf(expected, sizeof(expected), "http://h/%d", i);
        assert_string_equal(test->url, expected);
        snprintf(expected, sizeof(expected), "d%d", i);
        assert_string_equal(test->deployment, expected);
        snprintf(expected, sizeof(expected), "text %d", i);
        assert_string_equal(test->description, expected);
        assert_string_equal(test->method, i % 2 ? "PUT" : "GET");
    }
    access_tests_free(tests);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_a_whole_file),
        cmocka_unit_test(decides_as_a_request_would_be),
        cmocka_unit_test(keeps_the_texts_of_many_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
