/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/telemetry.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"

/* Off by default: nothing is registered, and stopping is harmless, started or not. */
static void test_start_and_stop(void **state)
{
    struct problems problems = {0};
    struct running running;

    telemetry_stop();
    running_start(&running, FORGE_NOW);
    assert_true(telemetry_start(&running.control, &problems));
    running.control.config->root.telemetry = true;
    assert_true(telemetry_start(&running.control, &problems));
    telemetry_stop();
    assert_int_equal(problems.count, 0);
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_start_and_stop)};

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
