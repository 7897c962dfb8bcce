/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/port.h"

static void test_arguments(void **state)
{
    static const struct {
        const char *device, *key;
        bool found;
        uint32_t value;
    } cases[] = {
        {"net_af_packet0,iface=a,qpairs=4", "qpairs", true, 4},
        {"net_af_packet0,qpairs=4,iface=a", "qpairs", true, 4},
        {"net_af_packet0,iface=a", "qpairs", false, 0},
        {"net_af_packet0,iface=a,xqpairs=4", "qpairs", false, 0},
        {"net_af_packet0,iface=a,qpairs=", "qpairs", false, 0},
        {"net_af_packet0,iface=a,qpairs=x,qpairs=2", "qpairs", true, 2},
        {"qpairs=4", "qpairs", false, 0}, /* that is its name */
        {"net_af_xdp0,iface=qpairs=3,queue_count=2", "queue_count", true, 2},
        {"net_af_xdp0,", "queue_count", false, 0},
        {"", "qpairs", false, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t value = 0;

        assert_int_equal(port_argument(cases[i].device, cases[i].key, &value), cases[i].found);
        assert_int_equal(value, cases[i].value);
    }
}

static void test_device(void **state)
{
    static const struct {
        const char *device;
        uint32_t cores, devices, index;
        const char *expected;
    } cases[] = {
        {"net_af_packet0,iface=a", 1, 1, 0, "net_af_packet0,iface=a"},
        {"net_af_packet0,iface=a", 2, 1, 0, "net_af_packet0,iface=a,qpairs=2"},
        {"net_af_packet0,iface=a,qpairs=3", 3, 1, 0, "net_af_packet0,iface=a,qpairs=3"},
        {"net_af_xdp0,iface=a", 1, 1, 0, "net_af_xdp0,iface=a"},
        {"net_af_xdp0,iface=a", 2, 2, 0, "net_af_xdp0,iface=a"},
        {"net_af_xdp0,iface=a", 2, 2, 1, "net_af_xdp0_1,iface=a,start_queue=1"},
        {"net_af_xdp0,start_queue=4,iface=a,xdp_prog=b", 3, 3, 2, "net_af_xdp0_2,iface=a,xdp_prog=b,start_queue=6"},
        {"net_af_xdp0", 2, 2, 1, "net_af_xdp0_1,start_queue=1"},
        {"net_af_xdp0,iface=a,queue_count=2", 2, 1, 0, "net_af_xdp0,iface=a,queue_count=2"},
        {"net_tap0,iface=a", 2, 1, 0, "net_tap0,iface=a"},
        {"0000:03:00.0", 4, 1, 0, "0000:03:00.0"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config config = {.root.port.device = cases[i].device, .root.cores.count = cases[i].cores};
        struct text out = {0};

        assert_int_equal(port_devices(&config), cases[i].devices);
        port_device(&config, cases[i].index, &out);
        assert_string_equal(text_get(&out), cases[i].expected);
        text_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_arguments), cmocka_unit_test(test_device)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
