/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/admin_input.h"

static const struct admin_member members[] = {{"name", ADMIN_TEXT}, {"count", ADMIN_NUMBER}, {"on", ADMIN_SWITCH}};

static json_t *read_text(const char *text, char error[200])
{
    error[0] = '\0';
    return admin_input_read(slice_text(text), members, 3, error, 200);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"{\"name\":", "the body is no JSON: line 1: "},
        {"{\"name\":\"\xff\"}", "the body is no JSON: line 1: "},
        {"{\"on\":true,\"on\":false}", "the body is no JSON: line 1: duplicate object key"},
        {"[]", "the body is no JSON object"},
        {"{\"nmae\":\"x\"}", "nmae: unknown; there are: name, count, on"},
        {"{\"name\":7}", "name: a text is expected"},
        {"{\"name\":null}", "name: a text is expected"},
        {"{\"count\":\"7\"}", "count: a whole number is expected"},
        {"{\"count\":7.0}", "count: a whole number is expected"},
        {"{\"on\":1}", "on: true or false is expected"},
        {"{\"name\":\"x\",\"count\":1,\"on\":\"true\"}", "on: true or false is expected"},
    };
    char error[200];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_null(read_text(cases[i].text, error));
        if (strncmp(error, cases[i].error, strlen(cases[i].error)) != 0)
            fail_msg("%s: %s", cases[i].text, error);
    }
}

static void test_taken(void **state)
{
    static const struct {
        const char *text;
        size_t size;
    } cases[] = {{"", 0}, {"{}", 0}, {"{\"name\":\"x\",\"count\":-1,\"on\":false}", 3}};
    char error[200];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *input = read_text(cases[i].text, error);

        assert_non_null(input);
        assert_int_equal(json_object_size(input), cases[i].size);
        assert_string_equal(error, "");
        json_decref(input);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
