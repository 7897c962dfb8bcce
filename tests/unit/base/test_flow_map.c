/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/flow_map.h"

static uint8_t key[TOEPLITZ_KEY_BYTES_MAX];
static struct flow_map map;

static void random_key(unsigned seed)
{
    srandom(seed);
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)random();
}

static struct assay_address address(const char *text)
{
    struct assay_address out;

    assert_int_equal(address_parse(slice_text(text), &out), ASSAY_OK);
    return out;
}

static void refuses_what_cannot_be(void **state)
{
    uint16_t queues[FLOW_MAP_ENTRIES_MAX] = {0, 1, 0, 1};
    struct flow_map before;

    assert_int_equal(flow_map_init(&map, 0, key), ASSAY_ERR_RANGE);
    assert_int_equal(flow_map_init(&map, 256, key), ASSAY_ERR_RANGE);
    assert_int_equal(flow_map_init(&map, 2, key), ASSAY_OK);
    before = map;
    assert_int_equal(flow_map_set_table(&map, queues, 0), ASSAY_ERR_RANGE);
    assert_int_equal(flow_map_set_table(&map, queues, 3), ASSAY_ERR_RANGE);
    assert_int_equal(flow_map_set_table(&map, queues, FLOW_MAP_ENTRIES_MAX * 2), ASSAY_ERR_RANGE);
    queues[1] = 2;
    assert_int_equal(flow_map_set_table(&map, queues, 4), ASSAY_ERR_RANGE); /* a queue there is not */
    queues[1] = queues[3] = 0;
    assert_int_equal(flow_map_set_table(&map, queues, 4), ASSAY_ERR_RANGE); /* core 1 would get nothing */
    assert_memory_equal(&map, &before, sizeof(map));
    queues[3] = 1;
    assert_int_equal(flow_map_set_table(&map, queues, 4), ASSAY_OK);
    assert_int_equal(map.mask, 3);
    assert_int_equal(flow_map_core(&map, 0xfffffff7), 1);
    assert_int_equal(flow_map_core(&map, 0xfffffff6), 0);
}

/* The port of an active open says where the answers come: it must be what a received segment says. */
static void a_port_and_the_segments_that_come_to_it_agree(void **state)
{
    static const char *const pairs[][2] = {{"198.18.2.11", "198.18.0.10"}, {"2001:db8::11", "2001:db8::10"}};

    for (unsigned seed = 0; seed < 50; seed++) {
        random_key(seed);
        assert_int_equal(flow_map_init(&map, 2 + seed % 7, key), ASSAY_OK);
        for (size_t pair = 0; pair < 2; pair++) {
            struct assay_address remote = address(pairs[pair][0]), local = address(pairs[pair][1]);
            struct flow_ports ports = flow_map_ports(&map, &remote, 8443, &local);
            size_t bytes = pair == 0 ? 4 : 16;

            for (uint32_t port = 30000; port < 36000; port += 7) {
                const uint8_t wire[4] = {8443 >> 8, 8443 & 255, (uint8_t)(port >> 8), (uint8_t)port};
                uint8_t addresses[32];

                memcpy(addresses, remote.bytes + 16 - bytes, bytes);
                memcpy(addresses + bytes, local.bytes + 16 - bytes, bytes);
                assert_int_equal(flow_map_port_core(&map, &ports, (uint16_t)port),
                                 flow_map_core(&map, flow_map_hash(&map, addresses, bytes, wire)));
            }
        }
    }
}

static void fair_keys_are_the_rule_and_others_are_found_out(void **state)
{
    unsigned fair = 0;

    for (unsigned seed = 0; seed < 40; seed++) {
        random_key(seed);
        assert_int_equal(flow_map_init(&map, 2, key), ASSAY_OK);
        fair += flow_map_is_fair(&map, 30000, 35999);
    }
    assert_in_range(fair, 20, 40);
    /* A port does not change the hash: all ports of a connection's rest are one core's. */
    memset(key, 0, sizeof(key));
    key[0] = 0x5a;
    assert_int_equal(flow_map_init(&map, 2, key), ASSAY_OK);
    assert_false(flow_map_is_fair(&map, 30000, 35999));
}

static void a_fair_key_gives_each_core_its_share_toward_every_origin(void **state)
{
    struct assay_address local = address("198.18.0.10"), remote = address("198.18.2.0");

    for (unsigned seed = 1; seed < 10; seed++) {
        uint32_t cores = seed + 1;

        do {
            random_key((unsigned)random());
            assert_int_equal(flow_map_init(&map, cores, key), ASSAY_OK);
        } while (!flow_map_is_fair(&map, 30000, 35999));
        for (int origin = 0; origin < 250; origin++) {
            uint32_t ports_of[16] = {0};
            struct flow_ports ports;

            remote.bytes[15] = (uint8_t)origin;
            ports = flow_map_ports(&map, &remote, (uint16_t)(8000 + origin * 3), &local);
            for (uint32_t port = 30000; port < 36000; port++)
                ports_of[flow_map_port_core(&map, &ports, (uint16_t)port)]++;
            for (uint32_t core = 0; core < cores; core++)
                assert_in_range(ports_of[core], 6000 / cores / 3, 6000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_cannot_be),
        cmocka_unit_test(a_port_and_the_segments_that_come_to_it_agree),
        cmocka_unit_test(fair_keys_are_the_rule_and_others_are_found_out),
        cmocka_unit_test(a_fair_key_gives_each_core_its_share_toward_every_origin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
