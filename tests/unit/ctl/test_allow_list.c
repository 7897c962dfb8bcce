/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "ctl/command.h"

static char output[1 << 16], complaint[8192];
static char config[64], tests_file[64];

static int run(const char *const *words)
{
    static char name[] = "allow-list";
    FILE *out = fmemopen(output, sizeof(output), "w"), *err = fmemopen(complaint, sizeof(complaint), "w");
    char *argv[8] = {name};
    int argc = 1, code;

    memset(output, 0, sizeof(output));
    memset(complaint, 0, sizeof(complaint));
    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    code = ctl_allow_list(argc, argv, out, err);
    fclose(out);
    fclose(err);
    return code;
}

#define RUN(...) run((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void write_file(char *path, size_t size, const char *text)
{
    FILE *file;
    int fd;

    if (path[0] == 0) {
        snprintf(path, size, P_tmpdir "/assay-allow-XXXXXX");
        fd = mkstemp(path);
        assert_true(fd >= 0);
        close(fd);
    }
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void write_tests(const char *rows)
{
    char text[2048];

    snprintf(text, sizeof(text), "Url,ExpectedResult,Deployment,Description,HttpMethod\n%s", rows);
    write_file(tests_file, sizeof(tests_file), text);
}

static void test_usage(void **state)
{
    assert_int_equal(RUN(), CTL_USAGE);
    assert_int_equal(RUN("show"), CTL_USAGE);
    assert_int_equal(RUN("test", "a"), CTL_USAGE);
    assert_int_equal(RUN("test", "a", "b", "c"), CTL_USAGE);
    assert_int_equal(RUN("show", "a", "--nonsense"), CTL_USAGE);
    assert_int_equal(RUN("list", "a"), CTL_USAGE);
    assert_int_equal(RUN("--help"), CTL_OK);
    assert_int_equal(RUN("show", "/nonexistent"), CTL_REFUSED);
    assert_non_null(strstr(complaint, "/nonexistent"));
}

static void test_show(void **state)
{
    json_t *list;

    assert_int_equal(RUN("show", config), CTL_OK);
    assert_non_null(strstr(output, "prefix"));
    assert_non_null(strstr(output, "https://cucm.steven.lab:8443/cucm-uds/"));
    assert_non_null(strstr(output, "Automatically generated rule for CUCM server"));
    assert_int_equal(RUN("show", config, "--json"), CTL_OK);
    list = json_loads(output, 0, NULL);
    assert_true(json_array_size(list) > 3);
    assert_true(json_is_true(json_object_get(json_array_get(list, 0), "automatic")));
    json_decref(list);
}

static void test_rows(void **state)
{
    char expected[256];
    json_t *all;

    write_tests("https://cucm.steven.lab:8443/cucm-uds/user/emusk,allow,1,,\n"
                "https://cucm.steven.lab:8443/axl/,block,,,POST\n");
    assert_int_equal(RUN("test", config, tests_file), CTL_OK);
    assert_string_equal(output, "2 as expected, 0 not\n");

    write_tests("https://cucm.steven.lab:8443/axl/,allow,,administration,POST\n"
                "https://cucm.steven.lab:8443/cucm-uds/user/,block,,,\n"
                "https://cucm.steven.lab:8443/cucm-uds/user/,allow,2,,\n");
    assert_int_equal(RUN("test", config, tests_file), CTL_REFUSED);
    snprintf(expected, sizeof(expected),
             "%s:2: POST https://cucm.steven.lab:8443/axl/: expected allow: Not in allow "
             "list: administration\n",
             tests_file);
    assert_memory_equal(output, expected, strlen(expected));
    assert_non_null(
        strstr(output, ":3: GET https://cucm.steven.lab:8443/cucm-uds/user/: expected block: allowed (rule "));
    assert_non_null(strstr(output, "expected allow: Only in the allow list of another deployment"));
    assert_non_null(strstr(output, "\n0 as expected, 3 not\n"));

    assert_int_equal(RUN("test", config, tests_file, "--json"), CTL_REFUSED);
    all = json_loads(output, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(all, "failed")), 3);
    assert_int_equal(json_array_size(json_object_get(all, "rows")), 3);
    json_decref(all);
}

static void test_faults(void **state)
{
    char expected[128];

    write_tests("https://cucm.steven.lab:8443/,perhaps,,,\n");
    assert_int_equal(RUN("test", config, tests_file), CTL_REFUSED);
    snprintf(expected, sizeof(expected), "%s:2: ExpectedResult is not allow or block\n", tests_file);
    assert_string_equal(complaint, expected);
    assert_int_equal(RUN("test", config, "/nonexistent"), CTL_REFUSED);
    assert_non_null(strstr(complaint, "No such file"));
}

static int group_setup(void **state)
{
    write_file(config, sizeof(config),
               "port: {device: net_null0, address: 198.18.0.10/15}\n"
               "listeners: [{clients: any, tls: off}]\n"
               "nodes: [{address: cucm.steven.lab, type: cucm}]\n");
    return 0;
}

static int group_teardown(void **state)
{
    unlink(config);
    if (tests_file[0])
        unlink(tests_file);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
