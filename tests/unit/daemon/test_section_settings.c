/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/sections.h"
#include "scratch.h"

/* Every number of the file arrives where the cores look for it. */
static void test_values(void **state)
{
    struct config *config =
        scratch_config("limits: {head_max: 1111, target_max: 1112, fields_max: 13, request_body_max: 14,\n"
                       "  handshakes_max: 15, clients_max: 16, origin_connections_max: 17,\n"
                       "  origin_queue_max: 18, requests_per_connection_max: 19}\n"
                       "timeouts: {client_handshake: 1s, client_head: 2s, client_idle: 3s,\n"
                       "  client_body: 4s, client_send: 5s, origin_connect: 6s, origin_queue: 7s,\n"
                       "  origin_head: 8s, origin_body: 9s, origin_idle: 10s, drain: 11s}\n"
                       "log: {requests: off}\n"
                       "maintenance: on\n");
    struct problems problems = {0};
    struct section *section = section_build_settings(config, &problems);
    const struct settings_section *s = &section->data.settings;
    const uint64_t limits[] = {s->head_max_bytes,         s->target_max_bytes, s->fields_max,
                               s->request_body_max_bytes, s->handshakes_max,   s->clients_max,
                               s->origin_connections_max, s->origin_queue_max, s->requests_per_connection_max};
    const uint64_t times[] = {s->client_handshake_us, s->client_head_us,    s->client_idle_us,  s->client_body_us,
                              s->client_send_us,      s->origin_connect_us, s->origin_queue_us, s->origin_head_us,
                              s->origin_body_us,      s->origin_idle_us,    s->drain_us};

    assert_int_equal(limits[0], 1111);
    assert_int_equal(limits[1], 1112);
    for (size_t i = 2; i < 9; i++)
        assert_int_equal(limits[i], 11 + i);
    for (size_t i = 0; i < 11; i++)
        assert_int_equal(times[i], (i + 1) * 1000000);
    assert_false(s->log_requests);
    assert_true(s->maintenance);
    assert_string_equal(s->via_name, "edge");
    section_drop(section);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values)};

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
