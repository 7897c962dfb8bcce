/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/log.h"
#include "daemon/view_log.h"
#include "scratch.h"

static json_int_t stat_of(struct log *log, const char *name)
{
    json_t *stats = view_log_stats(log, false);
    json_int_t value = json_integer_value(json_object_get(stats, name));

    assert_true(json_is_integer(json_object_get(stats, name)));
    json_decref(stats);
    return value;
}

static void test_stats(void **state)
{
    struct log *log = log_create(scratch_path("a.log"));
    json_t *stats = view_log_stats(log, false), *help = view_log_stats(log, true), *text;
    const char *name;

    assert_int_equal(json_object_size(stats), json_object_size(help));
    json_object_foreach(help, name, text)
    {
        assert_non_null(json_object_get(stats, name));
        assert_true(strlen(json_string_value(text)) > 5);
    }
    json_decref(stats);
    json_decref(help);
    log_event(log, "INFO", "one");
    log_event(log, "INFO", "two");
    assert_int_equal(stat_of(log, "lines"), 2);
    assert_true(stat_of(log, "bytes") > 100);
    assert_int_equal(stat_of(log, "drop_write_failures"), 0);
    assert_int_equal(stat_of(NULL, "lines"), 0);
    log_free(log);
}

/* As long as nothing can be written, and no longer. */
static void test_alarm(void **state)
{
    struct log *log = log_create(scratch_path("b.log"));
    json_t *alarms = json_array();

    view_log_alarms(NULL, alarms);
    log_event(log, "INFO", "one");
    view_log_alarms(log, alarms);
    assert_int_equal(json_array_size(alarms), 0);
    log_reopen(log, "/dev/full");
    log_event(log, "INFO", "lost");
    view_log_alarms(log, alarms);
    assert_int_equal(json_array_size(alarms), 1);
    assert_string_equal(json_string_value(json_array_get(alarms, 0)),
                        "the log cannot be written: No space left on device");
    assert_int_equal(stat_of(log, "drop_write_failures"), 1);
    json_array_clear(alarms);
    log_reopen(log, scratch_path("b.log"));
    log_event(log, "INFO", "two");
    view_log_alarms(log, alarms);
    assert_int_equal(json_array_size(alarms), 0);
    json_decref(alarms);
    log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats),
        cmocka_unit_test(test_alarm),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
