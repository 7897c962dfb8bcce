/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/view.h"
#include "fake_core.h"

static void test_rows(void **state)
{
    static const struct {
        enum command_kind kind;
        const char *name, *member;
    } cases[] = {{COMMAND_VERDICTS, "verdicts", "identity"},
                 {COMMAND_ORIGINS, "origins", "host"},
                 {COMMAND_CONNECTIONS, "connections", "state"}};
    struct core cores[2];
    struct fleet fleet;

    fake_fleet(&fleet, cores, 2, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fleet_rows rows;
        json_t *view, *list;
        char *dumped;

        assert_int_equal(fleet_command(&fleet, cases[i].kind, 1, 1000000, &rows), ASSAY_OK);
        view = view_rows(cases[i].kind, &rows);
        list = json_object_get(view, cases[i].name);
        /* what both have is one row; connections are each one's own */
        assert_int_equal(json_array_size(list), cases[i].kind == COMMAND_CONNECTIONS ? 2 : 1);
        assert_true(json_is_true(json_object_get(view, "more")));
        assert_non_null(json_string_value(json_object_get(json_array_get(list, 0), cases[i].member)));
        dumped = json_dumps(view, 0);
        assert_non_null(dumped); /* unterminated names and bytes that are no UTF-8 among it */
        free(dumped);
        json_decref(view);
        fleet_rows_free(&rows);
    }
}

static int64_t integer(json_t *row, const char *member)
{
    return json_integer_value(json_object_get(row, member));
}

static void test_rows_of_several_cores_are_merged(void **state)
{
    struct core cores[3];
    struct fleet fleet;
    struct fleet_rows rows;
    json_t *view, *list, *row;

    fake_fleet(&fleet, cores, 3, NULL);
    cores[2].rows = 1;
    assert_int_equal(fleet_command(&fleet, COMMAND_ORIGINS, 10, 1000000, &rows), ASSAY_OK);
    view = view_rows(COMMAND_ORIGINS, &rows);
    list = json_object_get(view, "origins");
    assert_int_equal(json_array_size(list), 2);
    row = json_array_get(list, 0); /* known to all three: 0 + 1 + 2 connections, 7 requests each */
    assert_int_equal(integer(row, "connections"), 3);
    assert_int_equal(integer(row, "requests"), 21);
    assert_int_equal(json_array_size(json_object_get(row, "cores")), 3);
    assert_string_equal(json_string_value(json_object_get(row, "last_error")), "caf?"); /* whoever has one */
    row = json_array_get(list, 1);
    assert_int_equal(integer(row, "requests"), 14);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(row, "cores"), 1)), 1);
    json_decref(view);
    fleet_rows_free(&rows);

    assert_int_equal(fleet_command(&fleet, COMMAND_VERDICTS, 10, 1000000, &rows), ASSAY_OK);
    view = view_rows(COMMAND_VERDICTS, &rows);
    list = json_object_get(view, "verdicts");
    assert_int_equal(json_array_size(list), 2);
    assert_int_equal(json_array_size(json_object_get(json_array_get(list, 1), "cores")), 2);
    json_decref(view);
    fleet_rows_free(&rows);

    assert_int_equal(fleet_command(&fleet, COMMAND_CONNECTIONS, 10, 1000000, &rows), ASSAY_OK);
    view = view_rows(COMMAND_CONNECTIONS, &rows);
    list = json_object_get(view, "connections");
    assert_int_equal(json_array_size(list), 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(integer(json_array_get(list, i), "port"), 1000 + integer(json_array_get(list, i), "core"));
    json_decref(view);
    fleet_rows_free(&rows);
    view = view_rows(COMMAND_ORIGINS, &rows); /* none at all */
    assert_int_equal(json_array_size(json_object_get(view, "origins")), 0);
    json_decref(view);
}

static void test_stats(void **state)
{
    struct core cores[2];
    struct fleet fleet;
    json_t *view, *total;

    fake_fleet(&fleet, cores, 2, NULL);
    cores[0].proxy.requests = 3;
    cores[1].proxy.requests = 4;
    cores[1].tcp.segments_in = 9;
    cores[0].net.rx_packets = 11;
    cores[0].dispatch.handed_over = 5;
    cores[1].dispatch.handed_over = 6;
    view = view_stats(&fleet, true);
    total = json_object_get(view, "total");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(total, "proxy"), "requests")), 7);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(total, "tcp"), "segments_in")), 9);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(total, "net"), "rx_packets")), 11);
    assert_int_equal(integer(json_object_get(total, "dispatch"), "handed_over"), 11);
    assert_int_equal(json_array_size(json_object_get(view, "cores")), 2);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(json_object_get(view, "help"), "proxy"), "sleeps")),
        "idle sleeps");
    json_decref(view);
    view = view_stats(&fleet, false);
    assert_null(json_object_get(view, "help"));
    json_decref(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_rows_of_several_cores_are_merged),
                                       cmocka_unit_test(test_stats)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
