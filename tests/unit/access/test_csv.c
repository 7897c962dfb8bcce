/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/rules.h"

#define HEADER "Url,Deployment,HttpMethods,MatchType,Description\r\n"

static void refuses_a_whole_file(void **state)
{
    static const struct {
        const char *text;
        uint32_t line;
        enum assay_error error;
    } rows[] = {
        {"", 1, ASSAY_ERR_MALFORMED},
        {"https://h/a,1,GET,prefix,x\r\n", 1, ASSAY_ERR_MALFORMED},
        {"url,Deployment,HttpMethods,MatchType,Description\r\n", 1, ASSAY_ERR_MALFORMED},
        {"Url,Deployment,HttpMethods,MatchType,Description,\r\n", 1, ASSAY_ERR_MALFORMED},
        {"Url,Deployment,HttpMethods,MatchType,Description \r\n", 1, ASSAY_ERR_MALFORMED},
        {"\r\n" HEADER, 1, ASSAY_ERR_MALFORMED},
        {HEADER "https://h/a,1,GET,prefix\r\n", 2, ASSAY_ERR_MALFORMED},
        {HEADER "https://h/a,1,GET,prefix,x,\r\n", 2, ASSAY_ERR_MALFORMED},
        {HEADER "https://h/a,1,GET,PUT,prefix,x\r\n", 2, ASSAY_ERR_MALFORMED},
        {HEADER "https://h/a,1,GET,prefix,\"x\r\n", 2, ASSAY_ERR_MALFORMED},
        {HEADER "https://h/a,1,GET,prefix,x\"y\"\r\n", 2, ASSAY_ERR_MALFORMED},
        {HEADER "https://h/a,1,GET,prefix,\"x\"y\r\n", 2, ASSAY_ERR_MALFORMED},
        {HEADER "https://h/a,1,GET,prefix,x\ry\r\n", 2, ASSAY_ERR_MALFORMED},
        {HEADER "https://h/a,1,GET,regex,x\r\n", 2, ASSAY_ERR_RANGE},
        {HEADER "https://h/a,1,BREW,prefix,x\r\n", 2, ASSAY_ERR_RANGE},
        {HEADER "https://h/a,1,get,prefix,x\r\n", 2, ASSAY_ERR_RANGE},
        {HEADER "https://h/a,1,\"GET,,PUT\",prefix,x\r\n", 2, ASSAY_ERR_RANGE},
        {HEADER "https://h/a,1,,,good\r\n\r\nhttps://h/..,1,,,bad\r\n", 4, ASSAY_ERR_MALFORMED},
        {HEADER "https://h/a,1,,,\"two\r\nlines\"\r\n", 2, ASSAY_ERR_MALFORMED},
        {HEADER "https://h/a,1,,,one\r\nhttps://h/a,1,,,two\r\n", 3, ASSAY_ERR_DUPLICATE},
    };
    struct access_builder *builder = access_builder_create();
    uint32_t line;
    const char *fault;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (access_builder_add_csv(builder, slice_text(rows[i].text), &line, &fault) != rows[i].error ||
            line != rows[i].line || fault[0] == 0 || builder->count != 0)
            fail_msg("%zu: line %u: %s", i, line, fault);
    }
    assert_int_equal(access_builder_add_csv(builder, slice_of(HEADER "a\0b", sizeof(HEADER) + 2), &line, &fault),
                     ASSAY_ERR_MALFORMED);
    access_builder_free(builder);
}

static void reads_rules(void **state)
{
    static const char text[] =
        "\xef\xbb\xbf" HEADER
        "https://cucm.steven.lab:8443/cucm-uds/,2,\"GET, PUT\",Exact,\"said \"\"so\"\", twice\"\r\n"
        "\r\n"
        "http://h:6970,,,,\n"
        "\"https://h/a\",\"1\",HEAD,PREFIX,last without an end";
    struct access_builder *builder = access_builder_create();
    uint32_t line;
    const char *fault;
    const struct access_rule *rule;

    assert_int_equal(access_builder_add_csv(builder, slice_text(text), &line, &fault), ASSAY_OK);
    assert_int_equal(builder->count, 3);
    rule = &builder->entries[0].rule;
    assert_string_equal(rule->url, "https://cucm.steven.lab:8443/cucm-uds/");
    assert_string_equal(rule->deployment, "2");
    assert_string_equal(rule->description, "said \"so\", twice");
    assert_int_equal(rule->methods, ACCESS_GET | ACCESS_PUT);
    assert_int_equal(rule->match, ACCESS_MATCH_EXACT);
    assert_int_equal(rule->source, ACCESS_SOURCE_MANUAL);
    assert_int_equal(rule->line, 2);
    rule = &builder->entries[1].rule;
    assert_string_equal(rule->deployment, "1");
    assert_int_equal(rule->methods, 0);
    assert_int_equal(rule->match, ACCESS_MATCH_PREFIX);
    assert_int_equal(rule->line, 4);
    rule = &builder->entries[2].rule;
    assert_string_equal(rule->description, "last without an end");
    assert_int_equal(rule->methods, ACCESS_HEAD);
    assert_int_equal(rule->line, 5);
    access_builder_free(builder);
}

static void header_alone_is_an_empty_list(void **state)
{
    struct access_builder *builder = access_builder_create();
    uint32_t line;
    const char *fault;

    assert_int_equal(access_builder_add_csv(builder, slice_text(HEADER), &line, &fault), ASSAY_OK);
    assert_int_equal(access_builder_add_csv(builder, slice_of(HEADER, sizeof(HEADER) - 3), &line, &fault), ASSAY_OK);
    assert_int_equal(builder->count, 0);
    access_builder_free(builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_a_whole_file),
        cmocka_unit_test(reads_rules),
        cmocka_unit_test(header_alone_is_an_empty_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
