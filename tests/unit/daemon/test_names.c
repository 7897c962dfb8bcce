/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/address.h"
#include "daemon/names.h"

static struct assay_address address(const char *text)
{
    struct assay_address out;

    assert_int_equal(address_parse(slice_text(text), &out), ASSAY_OK);
    return out;
}

static void want(struct names *names, const char *const *hosts)
{
    names_begin(names);
    for (; *hosts != NULL; hosts++)
        names_want(names, slice_text(*hosts));
    names_sweep(names);
}

static void test_the_set_is_sorted_and_swept(void **state)
{
    struct names names = {0};

    want(&names, (const char *const[]){"b.lab", "A.lab", "c.lab", "b.lab", "10.48.36.215", "2001:db8::1", "bad host",
                                       "", "b", NULL});
    assert_int_equal(names.count, 4);
    assert_string_equal(names.items[0].host, "a.lab");
    assert_string_equal(names.items[1].host, "b");
    assert_string_equal(names.items[2].host, "b.lab");
    assert_string_equal(names.items[3].host, "c.lab");
    names_fail(&names, slice_text("c.lab"), "kept");
    want(&names, (const char *const[]){"c.lab", "d.lab", NULL});
    assert_int_equal(names.count, 2);
    assert_string_equal(names.items[0].error, "kept"); /* what was known of it stays */
    assert_null(names_find(&names, slice_text("a.lab")));
    names_free(&names);
}

static void test_answers(void **state)
{
    const struct assay_address one = address("198.18.2.11"), two = address("198.18.2.12"), own = address("198.18.0.10");
    const struct assay_address forward[] = {one, two}, backward[] = {two, one}, mixed[] = {own, one};
    struct names names = {0};
    struct slice host = slice_text("a.lab");

    want(&names, (const char *const[]){"a.lab", NULL});
    assert_false(names_answer(&names, slice_text("nowhere"), forward, 2, &own, 1));
    assert_true(names_answer(&names, host, forward, 2, &own, 1));
    assert_false(names_answer(&names, host, backward, 2, &own, 1)); /* rotated: the same set */
    assert_int_equal(names.items[0].count, 2);
    assert_true(names_answer(&names, host, mixed, 2, &own, 1)); /* our own address is never an origin */
    assert_int_equal(names.items[0].count, 1);
    assert_memory_equal(&names.items[0].addresses[0], &one, sizeof(one));
    names_free(&names);
}

static void test_failures_keep_the_last_good_addresses(void **state)
{
    static const char *const special[] = {"127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "169.254.1.1", "::1"};
    const struct assay_address good = address("198.18.2.11");
    struct slice host = slice_text("a.lab");
    struct names names = {0};

    want(&names, (const char *const[]){"a.lab", NULL});
    assert_true(names_fail(&names, host, "NXDOMAIN"));
    assert_false(names_fail(&names, host, "NXDOMAIN"));
    assert_true(names_fail(&names, host, "timeout")); /* the reason is in the snapshot while there is no address */
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        const struct assay_address refused = address(special[i]);

        names_answer(&names, host, &refused, 1, NULL, 0);
        assert_int_equal(names.items[0].count, 0);
        assert_string_equal(names.items[0].error, "its addresses cannot be an origin's");
    }
    assert_true(names_answer(&names, host, &good, 1, NULL, 0));
    assert_string_equal(names.items[0].error, "");
    assert_false(names_fail(&names, host, "timeout"));
    assert_false(names_answer(&names, host, NULL, 0, NULL, 0));
    assert_int_equal(names.items[0].count, 1);
    assert_string_equal(names.items[0].error, "no address");
    names_free(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_set_is_sorted_and_swept),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_failures_keep_the_last_good_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
