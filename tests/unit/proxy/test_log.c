/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/byte_ring.h"
#include "proxy/internal.h"
#include "world.h"

static struct proxy *log_proxy(size_t ring_bytes)
{
    struct proxy *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    p->wall_ns = 42;
    p->config.core = 3;
    assert_int_equal(byte_ring_create(ring_bytes, &p->config.log), ASSAY_OK);
    assert_int_equal(byte_ring_create(ring_bytes, &p->config.alarm_log), ASSAY_OK);
    return p;
}

static void log_proxy_free(struct proxy *p)
{
    byte_ring_destroy(p->config.log);
    byte_ring_destroy(p->config.alarm_log);
    free(p);
}

static void a_full_ring_is_counted_and_harms_nobody(void **state)
{
    struct proxy *p = log_proxy(1024);
    struct log_line line = {.kind = LOG_SENDING_REQUEST, .strings = {slice_text("x")}};
    uint64_t written = 0;

    for (int i = 0; i < 100; i++)
        proxy_log(p, &line);
    while (world_log(p->config.log, 0, NULL, 0) >= 0)
        written++;
    assert_true(written > 0);
    assert_int_equal(p->counters.log_dropped, 100 - written);
    log_proxy_free(p);
}

static void a_flood_of_requests_leaves_room_for_alarms(void **state)
{
    static const uint8_t alarms[] = {LOG_ACCESS_DENIED, LOG_VERIFY_FAILED, LOG_NAME_MISMATCH,
                                     LOG_SSL_FAILED,    LOG_ORIGIN_FAILED, LOG_WEAK_CERTIFICATE};
    struct proxy *p = log_proxy(4096);
    struct log_line line = {.kind = LOG_RECEIVE_REQUEST};

    for (int i = 0; i < 100; i++)
        proxy_log(p, &line);
    for (size_t i = 0; i < sizeof(alarms); i++) {
        line.kind = alarms[i];
        proxy_log(p, &line);
        assert_int_equal(world_log(p->config.alarm_log, 0, NULL, 0), alarms[i]);
    }
    log_proxy_free(p);
}

static void strings_are_copied_and_cut_at_their_limit(void **state)
{
    static char longer[LOG_STRING_MAX + 10], text[LOG_STRING_MAX + 20];
    struct proxy *p = log_proxy(1U << 16);
    struct log_line line = {.kind = LOG_RECEIVE_REQUEST,
                            .strings = {slice_text("id"), {0}, slice_of(longer, sizeof(longer))}};

    memset(longer, 'a', sizeof(longer));
    proxy_log(p, &line);
    memset(longer, 'b', sizeof(longer));
    assert_int_equal(world_log(p->config.log, 2, text, sizeof(text)), LOG_RECEIVE_REQUEST);
    assert_int_equal(strlen(text), LOG_STRING_MAX);
    assert_int_equal(text[LOG_STRING_MAX - 1], 'a');
    assert_int_equal(p->counters.log_truncated, 1);
    log_proxy_free(p);
}

static void records_of_one_turn_can_be_put_in_order_again(void **state)
{
    struct proxy *p = log_proxy(1U << 16);
    struct log_line line = {.kind = LOG_RECEIVE_REQUEST};
    struct log_record first, second;
    struct slice bytes;

    proxy_log(p, &line);
    line.kind = LOG_ACCESS_DENIED;
    proxy_log(p, &line);
    assert_true(byte_ring_peek(p->config.log, &bytes));
    memcpy(&first, bytes.data, sizeof(first));
    assert_true(byte_ring_peek(p->config.alarm_log, &bytes));
    memcpy(&second, bytes.data, sizeof(second));
    assert_true(first.wall_ns < second.wall_ns);
    log_proxy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_ring_is_counted_and_harms_nobody),
        cmocka_unit_test(a_flood_of_requests_leaves_room_for_alarms),
        cmocka_unit_test(records_of_one_turn_can_be_put_in_order_again),
        cmocka_unit_test(strings_are_copied_and_cut_at_their_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
