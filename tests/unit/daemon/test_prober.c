/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a running daemon probes, and what becomes of a run. Its names have no address, so that no packet leaves. */
#include "daemon/prober.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "daemon/control.h"
#include "daemon/control_ticks.h"
#include "daemon/registry.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"

#define HOUR 3600

static bool is_running(const struct prober *prober)
{
    json_t *view = prober_view(prober, false);
    bool running = json_is_true(json_object_get(view, "running"));

    json_decref(view);
    return running;
}

/* Ticks at that moment until the run is over. */
static void finish(struct running *running, uint64_t now_s)
{
    for (int i = 0; i < 500 && is_running(running->control.prober); i++) {
        usleep(10000);
        prober_tick(running->control.prober, &running->control, now_s);
    }
    assert_false(is_running(running->control.prober));
}

static size_t rows_of(const struct prober *prober)
{
    json_t *view = prober_view(prober, false);
    size_t count = json_array_size(json_object_get(json_object_get(view, "report"), "rows"));

    json_decref(view);
    return count;
}

static void set_interval(struct running *running, uint64_t seconds)
{
    running->control.config->root.preflight.interval = seconds * 1000000;
}

/* Off by default; else an interval after the start, then every interval. */
static void test_timer(void **state)
{
    struct running running;
    struct prober *prober;
    json_t *view;

    running_start(&running, FORGE_NOW);
    prober = running.control.prober;
    prober_tick(prober, &running.control, FORGE_NOW);
    prober_tick(prober, &running.control, FORGE_NOW + 1000 * HOUR);
    assert_false(is_running(prober));
    set_interval(&running, HOUR);
    prober_tick(prober, &running.control, FORGE_NOW);
    prober_tick(prober, &running.control, FORGE_NOW + HOUR - 1);
    assert_false(is_running(prober));
    prober_tick(prober, &running.control, FORGE_NOW + HOUR);
    assert_true(is_running(prober));
    finish(&running, FORGE_NOW + HOUR);
    assert_int_equal(rows_of(prober), 5); /* the https ports of the good configuration's CUCM */
    prober_tick(prober, &running.control, FORGE_NOW + 2 * HOUR - 1);
    assert_false(is_running(prober));
    prober_tick(prober, &running.control, FORGE_NOW + 2 * HOUR);
    assert_true(is_running(prober));
    assert_int_equal(rows_of(prober), 5); /* the one before is there while the next one runs, for those who want it */
    view = prober_view(prober, true);
    assert_true(json_is_null(json_object_get(view, "report")));
    json_decref(view);
    /* stopped in the middle, too */
    running_stop(&running);
}

/* What traffic showed within the interval is not asked (S34: idle nodes are). */
static void test_idle_only(void **state)
{
    struct slice leaf = forge_certificate(&(struct forge){.subject = "x", .key = forge_key(FORGE_P256, 0)});
    struct running running;
    struct prober *prober;
    json_t *view;

    running_start(&running, FORGE_NOW);
    prober = running.control.prober;
    assert_non_null(
        registry_add(running.control.registry, "cucm.steven.lab", 8443, 0, &leaf, 1, (FORGE_NOW + 10ULL) * 1000000000));
    assert_non_null(registry_add(running.control.registry, "cucm.steven.lab", 443, 0, &leaf, 1,
                                 (FORGE_NOW - HOUR) * 1000000000ULL));
    set_interval(&running, HOUR);
    prober_tick(prober, &running.control, FORGE_NOW);
    prober_tick(prober, &running.control, FORGE_NOW + HOUR);
    finish(&running, FORGE_NOW + HOUR);
    assert_int_equal(rows_of(prober), 4);
    view = prober_view(prober, false);
    assert_true(json_is_true(json_object_get(view, "idle_only")));
    json_decref(view);
    assert_int_equal(prober_failing(prober), 0);
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timer),
        cmocka_unit_test(test_idle_only),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
