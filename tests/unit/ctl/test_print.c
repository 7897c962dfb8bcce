/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ctl/print.h"
#include "daemon/problems.h"

/* Members as they were put in; one line behind the value. */
static void test_json(void **state)
{
    json_t *value = json_loads("{\"b\":1,\"a\":[\"x\"]}", 0, NULL);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    ctl_print_json(value, out);
    fclose(out);
    assert_string_equal(text, "{\n  \"b\": 1,\n  \"a\": [\n    \"x\"\n  ]\n}\n");
    json_decref(value);
    free(text);
}

static void test_problems(void **state)
{
    struct problems problems = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *err = open_memstream(&text, &size);

    problems_add(&problems, "a.yaml", 3, "port: no number");
    problems_warn(&problems, "trust", 0, "it is empty");
    for (size_t i = 1; i < PROBLEMS_MAX + 2; i++)
        problems_add(&problems, "a.yaml", i, "again");
    ctl_print_problems(&problems, err);
    fclose(err);
    assert_ptr_equal(strstr(text, "a.yaml:3: port: no number\n"), text);
    assert_non_null(strstr(text, "(and 2 more)\nwarning: trust: it is empty\n"));
    problems_free(&problems);
    free(text);
}

static void test_tables(void **state)
{
    static const struct ctl_column columns[] = {
        {"name", "name", 6}, {"n", "number", 0}, {"list", "list", 0}, {"no", "no", 0}};
    json_t *rows = json_loads("[{\"name\":\"caf\\u00e9\",\"n\":1,\"list\":[\"a\",2,true],\"no\":null},"
                              "{\"name\":\"longer than six\",\"n\":-2.5,\"list\":[],\"no\":false}]",
                              0, NULL);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    ctl_table_print(out, rows, columns, 4);
    ctl_table_print(out, NULL, columns, 1);
    fclose(out);
    assert_string_equal(text, "name    number  list     no\n"
                              "caf\xc3\xa9    1       a,2,yes  -\n"
                              "longe\xe2\x80\xa6  -2.500           no\n"
                              "name\n");
    json_decref(rows);
    free(text);
}

/* Whatever a peer may have called itself: it moves no cursor, and makes no row. */
static void test_cells_are_plain(void **state)
{
    static const struct ctl_column columns[] = {{"name", "name", 0}};
    json_t *rows = json_array(), *row = json_object();
    char *text = NULL, cell[64];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    json_object_set_new(row, "name",
                        json_string("a\x1b[2Jb\nc\x7f\xc2\x9b"
                                    "d\xc3\xa9"));
    json_array_append_new(rows, row);
    ctl_table_print(out, rows, columns, 1);
    fclose(out);
    assert_string_equal(text, "name\na?[2Jb?c???d\xc3\xa9\n");
    assert_string_equal(ctl_member_text(row, "name", cell, sizeof(cell)), "a?[2Jb?c???d\xc3\xa9");
    json_decref(rows);
    free(text);
}

static void test_lines(void **state)
{
    json_t *list = json_loads("[\"one\",2,\"three\"]", 0, NULL), *none = json_integer(7);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    ctl_print_lines(list, "warning: ", out);
    ctl_print_lines(none, "x", out);
    ctl_print_lines(NULL, "x", out);
    fclose(out);
    assert_string_equal(text, "warning: one\nwarning: three\n");
    assert_string_equal(ctl_text(list, "x"), "");
    json_decref(list);
    json_decref(none);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),   cmocka_unit_test(test_problems),
        cmocka_unit_test(test_tables), cmocka_unit_test(test_cells_are_plain),
        cmocka_unit_test(test_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
