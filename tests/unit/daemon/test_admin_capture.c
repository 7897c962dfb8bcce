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

#include "daemon/admin_capture.h"
#include "daemon/control_ticks.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"

static unsigned start(struct running *running, const char *request, json_t **body)
{
    return admin_capture_start(&running->control, slice_text(request), FORGE_NOW, body);
}

static void wrong_requests_say_what_is_wrong(void **state)
{
    static const struct {
        const char *request, *begins;
        unsigned status;
    } cases[] = {
        {"", "expected ", 400},
        {"[]", "no JSON object", 400},
        {"{}", "expected ", 400},
        {"{\"file\":7}", "file: a text is expected", 400},
        {"{\"file\":\"a\",\"filter\":1}", "filter: a text is expected", 400},
        {"{\"file\":\"a\",\"filtre\":\"tcp\"}", "filtre: unknown; there are: file, filter, ", 400},
        {"{\"file\":\"a\",\"snaplen\":63}", "snaplen ", 400},
        {"{\"file\":\"a\",\"snaplen\":65536}", "snaplen ", 400},
        {"{\"file\":\"a\",\"snaplen\":\"64\"}", "snaplen: a whole number is expected", 400},
        {"{\"file\":\"a\",\"max_bytes\":-1}", "max_bytes ", 400},
        {"{\"file\":\"a\",\"max_packets\":0}", "max_packets ", 400},
        {"{\"file\":\"a\",\"for_s\":99999999}", "for_s ", 400},
        {"{\"file\":\"a\",\"file\":\"b\"}", "duplicate object key", 400},
        {"{\"file\":\"../a\"}", "file: ", 422},
        {"{\"file\":\"a\",\"filter\":\"tcp and\"}", "syntax error", 422},
    };
    struct running running;
    json_t *body;

    running_start(&running, FORGE_NOW);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *error;

        if (start(&running, cases[i].request, &body) != cases[i].status)
            fail_msg("%s", cases[i].request);
        error = json_string_value(json_object_get(body, "error"));
        assert_non_null(error);
        if (strstr(error, cases[i].begins) == NULL)
            fail_msg("%s: %s", cases[i].request, error);
        json_decref(body);
    }
    assert_null(running.control.capture);
    running.fleet.running = false;
    assert_int_equal(start(&running, "{\"file\":\"a\"}", &body), 503);
    json_decref(body);
    running_stop(&running);
}

static void one_capture_at_a_time_from_start_to_end(void **state)
{
    struct running running;
    struct change change;
    const char *what = NULL;
    json_t *body;

    running_start(&running, FORGE_NOW);
    assert_int_equal(admin_capture_status(&running.control, &body), 200);
    assert_string_equal(json_string_value(json_object_get(body, "state")), "none");
    json_decref(body);
    assert_int_equal(admin_capture_stop(&running.control, &body), 409);
    json_decref(body);
    assert_int_equal(start(&running, "{\"file\":\"a.pcapng\",\"filter\":\"tcp\"}", &body), 200);
    assert_string_equal(json_string_value(json_object_get(body, "state")), "running");
    assert_string_equal(json_string_value(json_object_get(body, "file")), scratch_path("state/capture/a.pcapng"));
    assert_null(json_object_get(body, "ended"));
    json_decref(body);
    assert_int_equal(start(&running, "{\"file\":\"b.pcapng\"}", &body), 409);
    json_decref(body);
    assert_int_equal(admin_capture_stop(&running.control, &body), 200);
    assert_string_equal(json_string_value(json_object_get(body, "ended")), "stopped");
    json_decref(body);
    /* the next one; and the tick ends it when its time is over */
    assert_int_equal(start(&running, "{\"file\":\"b.pcapng\",\"for_s\":1}", &body), 200);
    json_decref(body);
    for (int i = 0; i < 3000; i++) {
        (void)control_tick(&running.control, FORGE_NOW, &change, &what);
        change_free(&change);
        if (running.cores[0].capture == NULL)
            break;
        usleep(1000);
    }
    assert_int_equal(admin_capture_status(&running.control, &body), 200);
    assert_string_equal(json_string_value(json_object_get(body, "ended")), "the time is over");
    json_decref(body);
    /* one that still runs ends with control */
    assert_int_equal(start(&running, "{\"file\":\"c.pcapng\"}", &body), 200);
    json_decref(body);
    running_stop(&running);
    assert_null(running.cores[1].capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wrong_requests_say_what_is_wrong, scratch_begin_good, scratch_end),
        cmocka_unit_test_setup_teardown(one_capture_at_a_time_from_start_to_end, scratch_begin_good, scratch_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
