/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The arguments and sizes; what DPDK makes of them is tested end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/eal.h"
#include "scratch.h"

static struct config *config_of(const char *device, const char *more)
{
    struct problems problems = {0};
    struct text text = {0};
    struct config *config;

    text_printf(&text, "port: {device: \"%s\", address: 198.18.0.10/15}\nlisteners: [{clients: any, tls: off}]\n%s",
                device, more);
    config = config_parse(text_slice(&text), "a.yaml", &problems);
    assert_non_null(config);
    text_free(&text);
    return config;
}

static void expect_args(const struct config *config, const char *cpus, const char *expected)
{
    struct eal_args args;
    struct text joined = {0};

    eal_build_args(config, cpus, &args);
    for (int i = 0; i < args.count; i++)
        if (strncmp(args.items[i], "--file-prefix=", 14) != 0) /* has the pid in it */
            text_printf(&joined, "%s%s", i > 0 ? " " : "", args.items[i]);
    assert_null(args.items[args.count]);
    assert_string_equal(text_get(&joined), expected);
    text_free(&joined);
    eal_args_free(&args);
}

static void test_arguments(void **state)
{
    struct config *config = config_of("net_af_packet0,iface=assay0", "");

    expect_args(config, "0,1",
                "assayd --lcores 0@(0,1),1@0 --main-lcore=0 --no-pci --iova-mode=va --no-huge --no-shconf -m 512 "
                "--no-telemetry --log-level=lib.*:warning");
    config_free(config);

    config =
        config_of("0000:03:00.0", "cores: [2, 3]\nmemory: {hugepages: on, size: 2GiB}\ntelemetry: on\neal: [-n, 4]\n");
    expect_args(config, "0",
                "assayd --lcores 0@(0),1@2,2@3 --main-lcore=0 -a 0000:03:00.0 --in-memory -m 2048 "
                "--log-level=lib.*:warning -n 4");
    config_free(config);
}

static void test_a_flood_of_arguments_is_bounded(void **state)
{
    struct config *config;
    struct text more = {0};
    struct eal_args args;

    text_add_text(&more, "eal: [a");
    for (int i = 0; i < 200; i++)
        text_add_text(&more, ", b");
    text_add_text(&more, "]\n");
    config = config_of("net_null0", text_get(&more));
    eal_build_args(config, "0", &args);
    assert_int_equal(args.count, EAL_ARGS_MAX - 1);
    assert_null(args.items[args.count]);
    eal_args_free(&args);
    config_free(config);
    text_free(&more);
}

static void test_control_cpus(void **state)
{
    struct config *config = config_of("net_null0", "control_cpus: [4, 5]\n");
    struct text cpus = {0};

    eal_control_cpus(config, &cpus);
    assert_string_equal(text_get(&cpus), "4,5");
    config_free(config);
    text_clear(&cpus);
    config = config_of("net_null0", "cores: [0, 1, 2, 3, 4, 5, 6, 7]\n");
    eal_control_cpus(config, &cpus); /* on a small machine every CPU polls: then all of them */
    assert_true(cpus.len > 0);
    config_free(config);
    text_free(&cpus);
}

static void test_buffers(void **state)
{
    struct config *packet = config_of("net_af_packet0,iface=a", ""), *xdp = config_of("net_af_xdp0,iface=a", "");
    struct config *two = config_of("net_null0", "cores: [0, 1]\n"),
                  *fixed = config_of("net_null0", "memory: {buffers: 5000}\n");
    struct config *jumbo = config_of("net_null0", "memory: {size: 64MiB}\n");

    jumbo->root.port.mtu = 9000;
    assert_in_range(eal_buffers_per_pool(packet), 80000, 110000);
    assert_in_range(eal_buffers_per_pool(xdp), 80000, 110000); /* one behind the other as well */
    assert_in_range(eal_buffers_per_pool(two), 40000, 55000);
    assert_int_equal(eal_buffers_per_pool(fixed), 5000);
    assert_in_range(eal_buffers_per_pool(jumbo), 2000, 4000);
    config_free(packet);
    config_free(xdp);
    config_free(two);
    config_free(fixed);
    config_free(jumbo);
}

static void test_too_little_memory(void **state)
{
    struct config *config = config_of("net_null0", "memory: {buffers: 100}\n");
    struct problems problems = {0};
    struct eal_pools pools;
    uint64_t in_use, total;

    assert_int_equal(eal_pools_create(config, &pools, &problems), ASSAY_ERR_RANGE);
    scratch_expect(&problems, (const char *const[]){
                                  "memory: 100 buffers a core are too few, 1024 are needed: raise memory.size", NULL});
    pools.count = 0;
    eal_pools_use(&pools, &in_use, &total);
    assert_int_equal(total, 0);
    problems_free(&problems);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments),         cmocka_unit_test(test_a_flood_of_arguments_is_bounded),
        cmocka_unit_test(test_control_cpus),      cmocka_unit_test(test_buffers),
        cmocka_unit_test(test_too_little_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
