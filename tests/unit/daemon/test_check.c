/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/check.h"
#include "daemon/config.h"
#include "forge.h"
#include "scratch.h"

#define PORT "port: {device: net_null0, address: 198.18.0.10/15}\n"

static void test_a_good_file(void **state)
{
    struct problems problems = {0};

    assert_true(check_file(scratch_path("good.yaml"), FORGE_NOW, &problems));
    assert_int_equal(problems.count, 0);
    assert_int_equal(problems.warning_count, 0);
    assert_false(check_file(scratch_path("nowhere.yaml"), FORGE_NOW, &problems));
    problems_free(&problems);
}

/* Faults of the file do not hide those of the files it names. */
static void test_everything_is_reported_at_once(void **state)
{
    struct problems problems = {0};
    struct text text = {0};

    scratch_make("trust2");
    scratch_write("trust2/a.pem", "x");
    scratch_write("list.csv", "Url\n");
    text_add_text(&text, PORT "listeners: [{clients: any, port: 99999}]\n"
                              "credentials: [{chain: server.pem, key: nowhere.key}, {chain: [a], key: b}]\n"
                              "trust: {directory: trust2}\n"
                              "allow_list: list.csv\n"
                              "listner: 1\n");
    scratch_write("all.yaml", text_get(&text));
    assert_false(check_file(scratch_path("all.yaml"), FORGE_NOW, &problems));
    assert_int_equal(problems.count, 6);
    assert_non_null(strstr(problems.items[0], "all.yaml:6: listner: unknown key"));
    assert_non_null(strstr(problems.items[1], "all.yaml:2: listeners[0].port: 99999 is not within 1 to 65535"));
    assert_non_null(strstr(problems.items[2], "all.yaml:3: credentials[1].chain: a single value is expected"));
    assert_non_null(strstr(problems.items[3], "trust2/a.pem: holds no certificate"));
    assert_non_null(strstr(problems.items[4], "list.csv:1: "));
    assert_non_null(strstr(problems.items[5], "all.yaml:3: key "));
    problems_free(&problems);
    text_free(&text);
}

static void test_keys_are_printed(void **state)
{
    char *out = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&out, &size);

    check_print_keys(file);
    fclose(file);
    assert_non_null(strstr(out, "| `revoke_grace` |"));
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_file),
        cmocka_unit_test(test_everything_is_reported_at_once),
        cmocka_unit_test(test_keys_are_printed),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
