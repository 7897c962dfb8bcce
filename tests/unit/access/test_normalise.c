/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/access.h"

static void refuses_what_could_be_read_in_two_ways(void **state)
{
    static const char *const bad[] = {
        "",
        "a",
        "*",
        "?x",
        "http://h/",
        /* dot segments, also as a servlet sees them */
        "/.",
        "/..",
        "/./a",
        "/a/.",
        "/a/..",
        "/a/../b",
        "/..?x",
        "/a/..;/axl",
        "/a/..;x=y/axl",
        "/.;/a",
        "/a/..%3b/axl",
        "/a/..%3B",
        /* empty segments */
        "//",
        "//a",
        "/a//b",
        "/a//",
        "/;/a",
        "/a/;x/b",
        "/a/%3Bx/b",
        /* encoded delimiters */
        "/a%2fb",
        "/a%2Fb",
        "/a%5cb",
        "/a%5Cb",
        "/a%2e",
        "/%2e%2e/a",
        "/.%2e/a",
        "/a%00",
        "/a%0d%0ab",
        "/a%1f",
        "/a%7f",
        "/a%252fb",
        "/a%25%2e",
        "/a%252e%252e",
        /* overlong UTF-8 */
        "/a%c0%af",
        "/a%C1%9C",
        "/a%e0%80%af",
        "/a%f0%80%80%af",
        /* bad encoding */
        "/a%",
        "/a%2",
        "/a%zz",
        "/a%u002f",
        "/a%2/b",
        /* bytes */
        "/a\\b",
        "/a b",
        "/a\tb",
        "/a\r\n",
        "/a\x7f",
        "/a\xc3\xa9",
        "/a#b",
        /* query */
        "/a?b c",
        "/a?b\xff",
        "/a?b#c",
        "/a?%",
        "/a?%4",
        "/a?%x1",
        "/a?%00",
        "/a?b\n",
    };
    const char *why;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (access_normalise(slice_text(bad[i]), &why) != ASSAY_ERR_MALFORMED || why[0] == 0)
            fail_msg("passed: %s", bad[i]);
    }
    assert_int_equal(access_normalise(slice_of("/a\0b", 4), &why), ASSAY_ERR_MALFORMED);
}

static void passes_ordinary_paths(void **state)
{
    static const char *const good[] = {
        "/",
        "/?",
        "/a",
        "/a/",
        "/a/b?c=d/../e//f\\",
        "/cucm-uds/user/emusk/devices?max=100",
        "/CSFemusk.cnf.xml",
        "/...",
        "/.hidden",
        "/a.",
        "/..a",
        "/a..",
        "/a;x=y/b",
        "/a;x",
        "/a%20b",
        "/a%C3%A9",
        "/a%25",
        "/a%25zz",
        "/a%3bx",
        "/a%e0%a4%85",
        "/a%f0%9f%98%80",
        "/~a!$&'()*+,=:@|",
        "/a?b=%25%2e%2f%0a",
        "/a?b??",
    };
    const char *why;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (access_normalise(slice_text(good[i]), &why) != ASSAY_OK)
            fail_msg("refused: %s: %s", good[i], why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_could_be_read_in_two_ways),
        cmocka_unit_test(passes_ordinary_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
