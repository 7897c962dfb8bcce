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

#include "canned.h"
#include "ctl/command.h"

static void test_usage(void **state)
{
    assert_int_equal(CANNED_ALONE(ctl_check), CTL_USAGE);
    assert_int_equal(CANNED_ALONE(ctl_check, "a", "b"), CTL_USAGE);
    assert_int_equal(CANNED_ALONE(ctl_check, "--nonsense"), CTL_USAGE);
    assert_int_equal(CANNED_ALONE(ctl_check, "--help"), CTL_OK);
    assert_int_equal(CANNED_ALONE(ctl_check, "--keys"), CTL_OK);
    assert_non_null(strstr(canned_out(), "## listeners[]"));
}

static void test_files(void **state)
{
    static const char good[] = "port: {device: net_null0, address: 198.18.0.10/15}\n"
                               "listeners: [{clients: any, tls: off}]\n";
    char path[] = P_tmpdir "/assay-check-XXXXXX", expected[256];
    int fd = mkstemp(path);

    assert_true(fd >= 0 && write(fd, good, strlen(good)) == (ssize_t)strlen(good));
    assert_int_equal(CANNED_ALONE(ctl_check, path), CTL_OK);
    snprintf(expected, sizeof(expected), "%s: good\n", path);
    assert_string_equal(canned_out(), expected);
    assert_true(write(fd, "listner: 1\n", 11) == 11);
    assert_int_equal(CANNED_ALONE(ctl_check, path), CTL_REFUSED);
    snprintf(expected, sizeof(expected), "%s:3: listner: unknown key\n", path);
    assert_memory_equal(canned_err(), expected, strlen(expected));
    assert_string_equal(canned_out(), "");
    close(fd);
    unlink(path);
    assert_int_equal(CANNED_ALONE(ctl_check, path), CTL_REFUSED);
    assert_non_null(strstr(canned_err(), "cannot be read: not found"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_usage), cmocka_unit_test(test_files)};

    return cmocka_run_group_tests(tests, canned_begin, canned_end);
}
