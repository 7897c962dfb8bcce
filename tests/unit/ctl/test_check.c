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

#include "ctl/command.h"

static char output[1 << 17], complaint[8192];

static int run(const char *const *words)
{
    static char name[] = "check";
    FILE *out = fmemopen(output, sizeof(output), "w"), *err = fmemopen(complaint, sizeof(complaint), "w");
    char *argv[8] = {name};
    int argc = 1, code;

    memset(output, 0, sizeof(output));
    memset(complaint, 0, sizeof(complaint));
    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    code = ctl_check(argc, argv, out, err);
    fclose(out);
    fclose(err);
    return code;
}

#define RUN(...) run((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void test_usage(void **state)
{
    assert_int_equal(RUN(), CTL_USAGE);
    assert_int_equal(RUN("a", "b"), CTL_USAGE);
    assert_int_equal(RUN("--nonsense"), CTL_USAGE);
    assert_int_equal(RUN("--help"), CTL_OK);
    assert_int_equal(RUN("--keys"), CTL_OK);
    assert_non_null(strstr(output, "## listeners[]"));
}

static void test_files(void **state)
{
    static const char good[] = "port: {device: net_null0, address: 198.18.0.10/15}\n"
                               "listeners: [{clients: any, tls: off}]\n";
    char path[] = P_tmpdir "/assay-check-XXXXXX", expected[256];
    int fd = mkstemp(path);

    assert_true(fd >= 0 && write(fd, good, strlen(good)) == (ssize_t)strlen(good));
    assert_int_equal(RUN(path), CTL_OK);
    snprintf(expected, sizeof(expected), "%s: good\n", path);
    assert_string_equal(output, expected);
    assert_true(write(fd, "listner: 1\n", 11) == 11);
    assert_int_equal(RUN(path), CTL_REFUSED);
    snprintf(expected, sizeof(expected), "%s:3: listner: unknown key\n", path);
    assert_memory_equal(complaint, expected, strlen(expected));
    assert_string_equal(output, "");
    close(fd);
    unlink(path);
    assert_int_equal(RUN(path), CTL_REFUSED);
    assert_non_null(strstr(complaint, "cannot be read: not found"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_usage), cmocka_unit_test(test_files)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
