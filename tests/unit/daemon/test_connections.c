/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"
#include "daemon/connections.h"

static void what_is_wrong_is_said(void **state)
{
    static const struct {
        struct connections_query query;
        const char *begins;
    } cases[] = {
        {{.state = ""}, "state "},
        {{.state = "LISTEN"}, "state "},
        {{.state = "ESTABLISHEDX"}, "state "},
        {{.state = "ESTAB"}, "state "},
        {{.side = "both"}, "side "},
        {{.address = "cucm.steven.lab"}, "address "},
        {{.address = "198.18.2.11/15"}, "address "}, /* host bits */
        {{.address = ""}, "address "},
        {{.port = "0"}, "port "},
        {{.port = "65536"}, "port "},
        {{.port = "8443x"}, "port "},
        {{.port = ""}, "port "},
        {{.port = "99999999999999999999"}, "port "},
        {{.sort = "colour"}, "sort "},
    };
    struct connection_filter filter;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *wrong = connections_filter(&cases[i].query, &filter);

        assert_non_null(wrong);
        assert_memory_equal(wrong, cases[i].begins, strlen(cases[i].begins));
    }
}

static void a_query_becomes_a_filter(void **state)
{
    const struct connections_query none = {0}, all = {"time_wait", "origin", "198.18.2.0/24", "8443", "bytes_out"};
    struct connection_filter filter;
    struct assay_address inside;

    assert_null(connections_filter(&none, &filter));
    assert_string_equal(filter.state, "");
    assert_int_equal(filter.side, CONNECTION_SIDE_ANY);
    assert_false(filter.by_prefix);
    assert_int_equal(filter.port, 0);
    assert_null(connections_filter(&all, &filter));
    assert_string_equal(filter.state, "TIME-WAIT");
    assert_int_equal(filter.side, CONNECTION_SIDE_ORIGIN);
    assert_true(filter.by_prefix);
    assert_int_equal(address_parse(slice_text("198.18.2.77"), &inside), ASSAY_OK);
    assert_true(prefix_contains(&filter.prefix, &inside));
    assert_int_equal(filter.port, 8443);
    assert_null(connections_filter(&(struct connections_query){.side = "client"}, &filter));
    assert_int_equal(filter.side, CONNECTION_SIDE_CLIENT);
}

static void the_largest_comes_first(void **state)
{
    struct connection_row rows[] = {{.core = 0, .cwnd_bytes = 5, .bytes_in = 1ull << 40},
                                    {.core = 1, .cwnd_bytes = 9, .bytes_in = 3},
                                    {.core = 2, .cwnd_bytes = 7, .bytes_in = 1ull << 41}};

    connections_sort(NULL, rows, 3);
    assert_int_equal(rows[0].core, 0);
    connections_sort("cwnd", rows, 3);
    assert_int_equal(rows[0].core, 1);
    assert_int_equal(rows[2].core, 0);
    connections_sort("bytes_in", rows, 3);
    assert_int_equal(rows[0].core, 2);
    assert_int_equal(rows[2].core, 1);
    connections_sort("bytes_in", NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_query_becomes_a_filter),
        cmocka_unit_test(the_largest_comes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
