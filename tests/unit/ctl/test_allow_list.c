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

#include "canned.h"
#include "ctl/command.h"

static char config[64], tests_file[64];

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
    assert_int_equal(CANNED_ALONE(ctl_allow_list), CTL_USAGE);
    assert_int_equal(CANNED_ALONE(ctl_allow_list, "show"), CTL_USAGE);
    assert_int_equal(CANNED_ALONE(ctl_allow_list, "test", "a"), CTL_USAGE);
    assert_int_equal(CANNED_ALONE(ctl_allow_list, "test", "a", "b", "c"), CTL_USAGE);
    assert_int_equal(CANNED_ALONE(ctl_allow_list, "show", "a", "--nonsense"), CTL_USAGE);
    assert_int_equal(CANNED_ALONE(ctl_allow_list, "list", "a"), CTL_USAGE);
    assert_int_equal(CANNED_ALONE(ctl_allow_list, "--help"), CTL_OK);
    assert_int_equal(CANNED_ALONE(ctl_allow_list, "show", "/nonexistent"), CTL_REFUSED);
    assert_non_null(strstr(canned_err(), "/nonexistent"));
}

static void test_show(void **state)
{
    json_t *list;

    assert_int_equal(CANNED_ALONE(ctl_allow_list, "show", config), CTL_OK);
    assert_non_null(strstr(canned_out(), "prefix"));
    assert_non_null(strstr(canned_out(), "https://cucm.steven.lab:8443/cucm-uds/"));
    assert_non_null(strstr(canned_out(), "Automatically generated rule for CUCM server"));
    assert_int_equal(CANNED_ALONE(ctl_allow_list, "show", config, "--json"), CTL_OK);
    list = json_loads(canned_out(), 0, NULL);
    assert_true(json_array_size(list) > 3);
    assert_true(json_is_true(json_object_get(json_array_get(list, 0), "automatic")));
    json_decref(list);
}

/* A list in Latin-1, as a spreadsheet may write it: every rule is in the JSON, the odd bytes as '?'. */
static void test_json_of_no_utf8(void **state)
{
    char path[64] = "", list_path[64] = "", text[512];
    json_t *list;

    write_file(list_path, sizeof(list_path),
               "Url,Deployment,HttpMethods,MatchType,Description\n"
               "https://cucm.steven.lab:8443/a/,1,\"GET\",prefix,B\xfcro\n"
               "https://cucm.steven.lab:8443/b/,1,\"GET\",prefix,B\xc3\xbcro\n");
    snprintf(text, sizeof(text),
             "port: {device: net_null0, address: 198.18.0.10/15}\n"
             "listeners: [{clients: any, tls: off}]\nallow_list: %s\n",
             list_path);
    write_file(path, sizeof(path), text);
    assert_int_equal(CANNED_ALONE(ctl_allow_list, "show", path, "--json"), CTL_OK);
    list = json_loads(canned_out(), 0, NULL);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "description")), "B?ro");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "description")), "B\xc3\xbcro");
    json_decref(list);
    write_tests("https://cucm.steven.lab:8443/a/x,allow,,B\xfcro,\n");
    assert_int_equal(CANNED_ALONE(ctl_allow_list, "test", path, tests_file, "--json"), CTL_OK);
    list = json_loads(canned_out(), 0, NULL);
    assert_int_equal(json_array_size(json_object_get(list, "rows")), 1);
    json_decref(list);
    unlink(path);
    unlink(list_path);
}

static void test_rows(void **state)
{
    char expected[256];
    json_t *all;

    write_tests("https://cucm.steven.lab:8443/cucm-uds/user/emusk,allow,1,,\n"
                "https://cucm.steven.lab:8443/axl/,block,,,POST\n");
    assert_int_equal(CANNED_ALONE(ctl_allow_list, "test", config, tests_file), CTL_OK);
    assert_string_equal(canned_out(), "2 as expected, 0 not\n");

    write_tests("https://cucm.steven.lab:8443/axl/,allow,,administration,POST\n"
                "https://cucm.steven.lab:8443/cucm-uds/user/,block,,,\n"
                "https://cucm.steven.lab:8443/cucm-uds/user/,allow,2,,\n");
    assert_int_equal(CANNED_ALONE(ctl_allow_list, "test", config, tests_file), CTL_REFUSED);
    snprintf(expected, sizeof(expected),
             "%s:2: POST https://cucm.steven.lab:8443/axl/: expected allow: Not in allow "
             "list: administration\n",
             tests_file);
    assert_memory_equal(canned_out(), expected, strlen(expected));
    assert_non_null(
        strstr(canned_out(), ":3: GET https://cucm.steven.lab:8443/cucm-uds/user/: expected block: allowed (rule "));
    assert_non_null(strstr(canned_out(), "expected allow: Only in the allow list of another deployment"));
    assert_non_null(strstr(canned_out(), "\n0 as expected, 3 not\n"));

    assert_int_equal(CANNED_ALONE(ctl_allow_list, "test", config, tests_file, "--json"), CTL_REFUSED);
    all = json_loads(canned_out(), 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(all, "failed")), 3);
    assert_int_equal(json_array_size(json_object_get(all, "rows")), 3);
    json_decref(all);
}

static void test_faults(void **state)
{
    char expected[128];

    write_tests("https://cucm.steven.lab:8443/,perhaps,,,\n");
    assert_int_equal(CANNED_ALONE(ctl_allow_list, "test", config, tests_file), CTL_REFUSED);
    snprintf(expected, sizeof(expected), "%s:2: ExpectedResult is not allow or block\n", tests_file);
    assert_string_equal(canned_err(), expected);
    assert_int_equal(CANNED_ALONE(ctl_allow_list, "test", config, "/nonexistent"), CTL_REFUSED);
    assert_non_null(strstr(canned_err(), "No such file"));
}

static int group_setup(void **state)
{
    if (canned_begin(state) != 0)
        return -1;
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
    return canned_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage), cmocka_unit_test(test_show),   cmocka_unit_test(test_json_of_no_utf8),
        cmocka_unit_test(test_rows),  cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
