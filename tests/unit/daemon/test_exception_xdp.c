/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names; that the program works is tested end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/exception_xdp.h"

static void interfaces(void **state)
{
    static const char *const cases[][2] = {{"net_af_xdp0,iface=eth1,start_queue=0", "eth1"},
                                           {"net_af_xdp0,start_queue=0,iface=eth1", "eth1"},
                                           {"net_af_xdp0,iface=", ""},
                                           {"net_af_xdp0", ""},
                                           {"net_af_xdp0,myiface=eth1", ""}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct text out = {0};

        exception_xdp_interface(cases[i][0], &out);
        assert_string_equal(text_get(&out), cases[i][1]);
        text_free(&out);
    }
}

static void the_program_is_beside_the_binary(void **state)
{
    struct text out = {0};

    exception_xdp_program("/usr/sbin/assayd", &out);
    assert_string_equal(text_get(&out), "/usr/sbin/assay_xdp.o");
    text_clear(&out);
    exception_xdp_program("assayd", &out);
    assert_string_equal(text_get(&out), "assay_xdp.o");
    text_free(&out);
}

static void off_is_nothing_and_what_cannot_be_is_said(void **state)
{
    struct config config = {.root.port.device = "net_af_xdp0,iface=no_such_if", .file = "a.yaml"};
    struct problems problems = {0};
    struct text device = {0};

    assert_true(exception_xdp_prepare(&config, &device, &problems));
    assert_true(exception_xdp_fill(&config, &problems));
    assert_string_equal(text_get(&device), "");
    config.root.port.exception.xdp = true;
    assert_false(exception_xdp_prepare(&config, &device, &problems));
    assert_false(exception_xdp_fill(&config, &problems));
    assert_true(problems.count >= 2);
    assert_non_null(strstr(problems.items[0], "port.exception.xdp"));
    assert_string_equal(text_get(&device), "");
    problems_free(&problems);
    text_free(&device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interfaces),
        cmocka_unit_test(the_program_is_beside_the_binary),
        cmocka_unit_test(off_is_nothing_and_what_cannot_be_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
